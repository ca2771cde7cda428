"""Whole passes: modes, crashes between stages, changed settings, and the turn of the date."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from opsync import pipeline
from opsync.engine.offline import offline_plan
from opsync.model import Ref
from opsync.runtime import Runtime
from opsync.stages.rollup import roll_up
from opsync.steps import deriving
from tests.support.world import World, jira_url, linear_url, of, troubles

NOTHING_YET = {"jira-main": 0, "linear": 0, "notion": 0}


async def test_in_mode_observe_nothing_is_written_and_all_is_told(world: World) -> None:
    world.raw["links"]["mode"] = "observe"
    world.raw["rollup"][0]["mode"] = "observe"
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert world.written() == NOTHING_YET
    assert (report.planned, report.applied) == (0, 0)
    told = {(p.tool, p.place) for p in report.plan.observed}
    assert told >= {
        ("Notion", "Delivery"),
        ("Notion", "Work"),
        ("Jira", "Link"),
        ("Jira", "Roadmap link"),
        ("Linear", "Link"),
        ("Linear", "Roadmap link"),
    }
    assert not any(p.name == "Delivery" for p in world.source.schema.properties.values())


async def test_after_observing_apply_writes_all_that_was_told(world: World) -> None:
    world.raw["links"]["mode"] = "observe"
    world.raw["rollup"][0]["mode"] = "observe"
    observed = (await world.sync()).plan.observed
    world.raw["links"]["mode"] = "apply"
    world.raw["rollup"][0]["mode"] = "apply"
    report = await world.sync()
    assert {c.slot for c, _ in report.outcomes} == {p.change.slot for p in observed}
    assert report.failed == 0
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    await world.silent()


async def test_observing_again_tells_the_same_and_still_writes_nothing(world: World) -> None:
    world.raw["links"]["mode"] = "observe"
    world.raw["rollup"][0]["mode"] = "observe"
    first = await world.sync()
    second = await world.sync()
    assert {p.change.slot for p in second.plan.observed} == {
        p.change.slot for p in first.plan.observed
    }
    assert world.written() == NOTHING_YET


async def test_links_alone_may_be_applied(world: World) -> None:
    world.raw["rollup"][0]["mode"] = "observe"
    report = await world.sync()
    assert len(world.attachments("GRO-3")) == 1
    assert len(world.remote_links("PAY-3")) == 1
    assert world.project_links() == []
    assert world.written()["notion"] == 0
    assert {p.tool for p in report.plan.observed} == {"Jira", "Linear", "Notion"}


async def test_a_dry_run_writes_nothing_and_the_next_sync_loses_nothing(settled: World) -> None:
    """I20"""
    settled.jira.set_status("PAY-4", "Done")
    settled.linear.edit("GRO-2", description=f"Needs {jira_url('MOB-3')}")
    before = settled.written()
    plan = await settled.sync(write=False)
    assert settled.written() == before
    assert plan.planned > 0
    assert plan.applied == 0
    report = await settled.sync()
    assert {c.slot for c, _ in report.outcomes} >= {p.change.slot for p in plan.plan.changes}
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")
    assert len(settled.remote_links("MOB-3")) == 1
    await settled.silent()


async def test_ten_dry_runs_tell_the_same_plan_each_time(world: World) -> None:
    plans = [await world.sync(write=False) for _ in range(3)]
    assert len({frozenset(p.change.slot for p in plan.plan.changes) for plan in plans}) == 1
    assert world.written() == NOTHING_YET
    await world.sync()
    await world.silent()


STAGES = ("link_changed", "roll_up_changed", "plan_changed", "apply_all", "finish")


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.sampled
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("stage", STAGES)
async def test_a_crash_around_any_stage_is_repaired_by_the_next_pass(
    settled: World, stage: str, after: bool
) -> None:
    settled.jira.set_status("PAY-4", "Done")
    settled.linear.edit("GRO-2", description=f"Needs {jira_url('MOB-3')}")
    settled.linear.edit("GRO-3", description="Waits for nobody")
    real = getattr(pipeline, stage)

    async def crash(*args: Any) -> None:
        if after:
            await real(*args)
        raise Crash

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, stage, crash)
        with pytest.raises(Crash):
            await settled.sync()
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")
    assert settled.project_links()[0][0].endswith("3/5")
    assert [x["title"] for x in settled.remote_links("MOB-3")] == ["GRO-2 Pay button"]
    assert settled.remote_links("PAY-3") == []
    assert settled.attachments("GRO-3") == []
    await settled.silent()


async def test_a_look_at_what_was_read_before_a_death_keeps_what_a_person_wrote(
    settled: World,
) -> None:
    """I20: the page was read in the trash by a run that died before it planned anything."""
    settled.notion.edit_page(settled.checkout, "Delivery", "Ben: mine")
    await settled.sync()
    settled.notion.trash(settled.checkout)

    async def crash(*_: Any) -> None:
        raise Crash

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "decide", crash)
        with pytest.raises(Crash):
            await settled.sync(full=True)
    before = await settled.entries()
    assert "conflicted" in {one.outcome for one in before}
    await offline_plan(settled.config(), "opsync plan", runtime=Runtime(clock=settled.clock))
    assert await settled.entries() == before


@pytest.mark.sampled
@pytest.mark.parametrize("stage", STAGES)
async def test_a_crash_in_the_first_pass_leaves_no_duplicate(world: World, stage: str) -> None:
    async def crash(*_: Any) -> None:
        raise Crash

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, stage, crash)
        with pytest.raises(Crash):
            await world.sync()
    await world.sync()
    assert len(world.remote_links("PAY-1")) == 1
    assert len(world.attachments("GRO-3")) == 1
    assert len(world.project_links()) == 1
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    await world.silent()


async def test_a_pass_of_one_instance_reads_that_one_and_looks_where_else_it_writes(
    settled: World,
) -> None:
    settled.jira.set_status("PAY-4", "Done")
    reads = {n: v.read_requests for n, v in settled.vendors.items()}
    report = await settled.sync(only=frozenset({"jira-main"}))
    assert report.exit_code == 0, troubles(report)
    assert [i.instance for i in report.instances if i.pulled] == ["jira-main"]
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")
    assert settled.notion.read_requests - reads["notion"] <= 1
    await settled.silent()


async def test_a_run_with_nothing_new_makes_one_read_an_instance(settled: World) -> None:
    settled.clock.advance(3600)
    report = await settled.silent()
    assert {i.instance: i.read_requests for i in report.instances} == {
        "jira-main": pytest.approx(2, abs=1),
        "linear": 1,
        "notion": 1,
    }


async def test_a_moved_issue_costs_at_most_one_write_a_place(settled: World) -> None:
    before = settled.written()
    settled.jira.set_status("PAY-4", "Done")
    report = await settled.sync()
    after = settled.written()
    assert {n: after[n] - before[n] for n in after} == {"jira-main": 1, "linear": 1, "notion": 1}
    assert report.applied == report.planned > 0


async def a_day_of_little_work(world: World) -> None:
    """One record of each tool is edited, so that the others are no longer in the overlap; nor do
    they come once more with the next census but one."""
    world.clock.advance(24 * 3600)
    world.jira.edit("MOB-3", summary="Points on screen")
    world.linear.edit("GRO-2", title="Pay button, blue")
    for _ in range(2):
        await world.sync()
        world.clock.advance(24 * 3600)


async def test_a_changed_map_of_statuses_reads_everything_again_exactly_once(
    settled: World,
) -> None:
    await a_day_of_little_work(settled)
    assert of(await settled.silent(), "jira-main").read == 1
    settled.raw["instances"]["jira-main"]["statuses"] = {"Doing": "done"}
    report = await settled.sync()
    assert of(report, "jira-main").read == 7
    assert settled.checkout.text("Delivery").startswith("3 of 5 done")
    again = of(await settled.silent(), "jira-main")
    assert (again.read, again.changed) == (2, 0), "MOB-3, and PAY-1 on which opsync has written"


async def test_a_new_token_reads_nothing_again(settled: World) -> None:
    await a_day_of_little_work(settled)
    settled.linear.token = settled.raw["instances"]["linear"]["token"] = "lin_api_another"
    assert of(await settled.silent(), "linear").read == 1


async def test_fewer_projects_in_the_settings_take_their_records_out(settled: World) -> None:
    settled.raw["instances"]["jira-main"]["projects"] = ["PAY"]
    report = await settled.sync()
    assert of(report, "jira-main").missing == 3
    assert settled.loyalty.text("Delivery") == "0 of 0 done · 1 linked but not readable"
    assert settled.checkout.text("Delivery").startswith("2 of 5 done")


@pytest.fixture
def recomputed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The titles of the roots that were rolled up."""
    titles: list[str] = []

    def counted(inputs: Any, *args: Any) -> Any:
        titles.append(inputs.root.title)
        return roll_up(inputs, *args)

    monkeypatch.setattr(deriving, "roll_up", counted)
    return titles


async def test_nothing_is_recomputed_on_a_day_that_matters_to_no_root(
    settled: World, recomputed: list[str]
) -> None:
    settled.clock.advance(30 * 24 * 3600)
    await settled.sync()
    recomputed.clear()
    settled.clock.advance(24 * 3600)
    await settled.silent()
    assert recomputed == []


async def test_when_the_date_turns_only_roots_with_an_open_due_date_are_recomputed(
    world: World, recomputed: list[str]
) -> None:
    """Both are due on one day; one of them is done."""
    for page in (world.checkout, world.loyalty):
        world.notion.edit_page(page, "Due", "2026-06-01")
    world.jira.set_status("MOB-3", "Done")
    await world.sync()
    world.clock.advance(30 * 24 * 3600)
    await world.sync()
    recomputed.clear()
    written = world.written()
    world.clock.advance((date(2026, 5, 18) - world.clock.now().date()).days * 24 * 3600)
    await world.sync()
    assert recomputed == ["One-tap checkout"]
    assert world.checkout.text("Delivery health") == "At risk"
    assert "at risk: 40 % done, due 1 Jun" in world.checkout.text("Delivery")
    after = world.written()
    assert {n: after[n] - written[n] for n in after} == {"jira-main": 1, "linear": 1, "notion": 1}
    recomputed.clear()
    await world.silent()
    assert recomputed == []


async def test_after_the_due_date_the_initiative_is_off_track_in_one_write_a_place(
    world: World, recomputed: list[str]
) -> None:
    world.notion.edit_page(world.checkout, "Due", "2026-06-01")
    world.clock.advance((date(2026, 5, 20) - world.clock.now().date()).days * 24 * 3600)
    await world.sync()
    recomputed.clear()
    world.clock.advance((date(2026, 6, 2) - world.clock.now().date()).days * 24 * 3600)
    await world.sync()
    assert world.checkout.text("Delivery health") == "Off track"
    assert world.loyalty.text("Delivery health") == "On track"
    await world.silent()


async def test_a_rollup_rule_that_is_taken_out_removes_what_it_wrote(settled: World) -> None:
    settled.raw["rollup"] = []
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert report.rollups == 0
    assert settled.checkout.text("Delivery") == ""
    assert "Roadmap: One-tap checkout · 2/5" not in [x for x, _ in settled.project_links()]
    await settled.silent()


async def test_an_initiative_that_is_new_is_written_in_the_pass_that_reads_it(
    settled: World,
) -> None:
    page = settled.page("Refunds", f"{jira_url('PAY-4')} {linear_url('GRO-2')}")
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert page.text("Delivery").startswith("0 of 2 done")
    assert page.text("Work") == "PAY-4 Refund flow · GRO-2 Pay button"
    async with settled.session() as session:
        rollups = await session.store.rollups("roadmap")
    assert len(rollups) == 3
    assert Ref("notion", "page", page.id) in {r.root for r in rollups}
    await settled.silent()
