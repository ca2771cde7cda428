"""What waits for a person's word costs no run anything, and stays told until it is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

import opsync.steps.writing as writing
from opsync.engine.approving import approvals_of
from opsync.engine.awaiting import awaiting
from opsync.engine.fingerprint import modes_as
from opsync.engine.overview import proposing
from opsync.model import Approval, KeptPlan, Slot
from opsync.model.rules import HELD_FOR
from opsync.report import Planned
from tests.scenarios.test_approving import carry_out
from tests.support.world import World, troubles

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
MODES = ("propose", "observe")


def in_mode(world: World, mode: str) -> World:
    world.raw["links"]["mode"] = world.raw["rollup"][0]["mode"] = mode
    return world


@pytest.fixture
def world(world: World) -> World:
    """The company, whose rules propose."""
    return in_mode(world, "propose")


@contextmanager
def planning() -> Iterator[list[str]]:
    """The targets that are planned meanwhile."""
    real, found = writing.plan, []

    def noted(target: Any, *given: Any, **named: Any) -> Any:
        found.append(target.title)
        return real(target, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "plan", noted)
        yield found


def told(found: list[Planned]) -> Mapping[Slot, Mapping[str, Any]]:
    return {
        one.change.slot: {
            "verb": one.change.verb,
            "before": one.change.before,
            "desired": one.change.desired,
            "reason": one.change.reason,
            "evidence": one.change.evidence,
            "inputs": one.change.inputs,
            "tool": one.tool,
            "place": one.place,
            "target": one.target,
            "group": one.group,
            "url": one.target_url,
        }
        for one in found
    }


async def restless(world: World) -> bool:
    async with world.session() as session:
        return await session.store.is_restless(world.clock.now(), modes_as(world.config()))


async def kept(world: World, number: int | None = None) -> KeptPlan:
    async with world.session() as session:
        store = session.store
        found = await (store.newest_plan() if number is None else store.kept_plan(number))
    assert found is not None
    return found


@pytest.mark.sampled
@pytest.mark.parametrize("mode", [*MODES, "apply"])
async def test_where_nothing_changed_nothing_is_planned_and_no_run_is_due(
    world: World, mode: str
) -> None:
    in_mode(world, mode)
    await world.sync()
    await world.sync()
    assert not await restless(world)
    with planning() as planned:
        await world.sync()
    assert planned == []


@pytest.mark.sampled
@pytest.mark.parametrize("mode", MODES)
async def test_what_waits_is_told_in_each_run_as_a_plan_tells_it(world: World, mode: str) -> None:
    in_mode(world, mode)
    await world.sync()
    report = await world.sync()
    with planning() as planned:
        plan = await world.sync(write=False)
    assert len(planned) > 4, "a plan is shown whole"
    assert len(plan.plan.proposed + plan.plan.observed) > 10
    assert told(report.plan.proposed) == told(plan.plan.proposed)
    assert told(report.plan.observed) == told(plan.plan.observed)
    assert report.plan.changes == plan.plan.changes == []


async def test_a_removal_and_a_change_that_wait_are_told_as_a_plan_tells_them(
    world: World,
) -> None:
    in_mode(world, "apply")
    await world.sync()
    in_mode(world, "propose")
    world.jira.set_status("PAY-3", "Done")
    world.linear.edit("GRO-3", description="It waits for nothing.")
    await world.sync()

    report, plan = await world.sync(), await world.sync(write=False)

    assert {str(one.change.verb) for one in report.plan.proposed} == {"remove", "update"}
    assert told(report.plan.proposed) == told(plan.plan.proposed)


async def test_only_what_changed_is_planned_and_the_new_plan_has_all_that_waits(
    world: World,
) -> None:
    first = await world.sync()
    world.jira.set_status("MOB-3", "Done")
    with planning() as planned:
        report = await world.sync()
    assert "Loyalty" in planned
    assert "One-tap checkout" not in planned
    assert report.kept_as == report.run
    plan = await kept(world)
    assert {one.slot for one in plan.changes} == {one.change.slot for one in first.plan.proposed}
    assert (await carry_out(world, plan))[1] == {}
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    assert world.loyalty.text("Delivery").startswith("2 of 2 done")


async def test_runs_in_which_nothing_changed_tell_of_the_plan_that_is_kept_already(
    world: World,
) -> None:
    first = await world.sync()
    assert (first.kept_as, first.applying) == (first.run, f"opsync apply {first.run}")

    reports = [await world.sync() for _ in range(3)]

    assert {one.kept_as for one in reports} == {first.run}
    assert {one.applying for one in reports} == {f"opsync apply {first.run}"}
    assert (await kept(world)).number == first.run
    plan = await world.sync(write=False)
    assert (plan.kept_as, (await kept(world)).number) == (plan.run, plan.run)


async def test_the_number_told_last_writes_all_of_it_however_many_days_go_by(
    world: World,
) -> None:
    """I20: also the column with the day of the last change, which is by then another one."""
    first = await world.sync()
    world.clock.advance(3 * 86400)
    report = await world.sync()
    assert report.kept_as == first.run

    report, left = await carry_out(world, await kept(world, first.run))

    assert left == {}
    assert report.exit_code == 0, troubles(report)
    assert report.applied == len(first.plan.proposed)
    day = world.clock.now().date().isoformat()
    assert day in str(world.checkout.cell("Delivery changed"))
    await world.silent()
    assert (await world.silent()).plan.proposed == []


@pytest.mark.sampled
@pytest.mark.parametrize("scope", ["slot", "rule"])
async def test_what_is_approved_is_planned_in_the_next_run_and_the_rest_is_not(
    world: World, scope: str
) -> None:
    report = await world.sync()
    plan = await kept(world)
    given = list(approvals_of(plan.changes, plan.number, by="ana", at=AT))
    given = [one for one in given if "|delivery|" in one.scope and world.loyalty.id in one.scope]
    if scope == "rule":
        given = [Approval(scope="roadmap", desired_hash="", by="ana", at=AT)]
    assert len(given) == 1, [one.scope for one in report.plan.proposed]
    async with world.session() as session:
        await session.store.approve(given)
    assert await restless(world)
    with planning() as planned:
        await world.sync()
    assert world.loyalty.text("Delivery").startswith("1 of 2 done")
    assert ("Tokenise cards" in planned) is False, "its link waits"
    await world.sync()
    assert not await restless(world)


async def test_an_approval_that_is_not_written_yet_lasts_while_nothing_plans_its_slot(
    world: World,
) -> None:
    await world.sync()
    plan = await kept(world)
    async with world.session() as session:
        await session.store.approve(list(approvals_of(plan.changes, 1, by="ana", at=AT)))
        before = await session.store.approvals()
    await world.sync()
    await world.sync()
    async with world.session() as session:
        assert await session.store.approvals() == before


@pytest.mark.sampled
@pytest.mark.parametrize("mode", MODES)
async def test_another_mode_is_followed_at_once(world: World, mode: str) -> None:
    in_mode(world, mode)
    await world.sync()
    in_mode(world, "propose" if mode == "observe" else "observe")
    report = await world.sync()
    assert bool(report.plan.proposed) is (mode == "observe")
    assert bool(report.plan.observed) is (mode == "propose")
    in_mode(world, "apply")
    assert await restless(world)
    assert (await world.sync()).applied > 10
    await world.silent()


async def test_a_run_told_to_observe_leaves_no_trace(world: World) -> None:
    first = await world.sync()
    in_mode(world, "observe")
    assert (await world.sync()).plan.observed
    in_mode(world, "propose")
    assert await restless(world)
    report = await world.sync()
    assert (len(report.plan.proposed), report.plan.observed) == (len(first.plan.proposed), [])
    assert report.kept_as == first.run
    assert not await restless(world)


async def test_what_would_be_written_where_something_is_put_away_makes_no_runs(
    world: World,
) -> None:
    await world.sync()
    world.jira.archive_issue("PAY-3")
    world.clock.advance(86400)
    await world.sync()
    report = await world.sync()
    assert not await restless(world)
    assert "PAY-3 Tokenise cards" not in {one.target for one in report.plan.proposed}
    world.jira.restore_issue("PAY-3")
    world.clock.advance(86400)
    report = await world.sync()
    assert "PAY-3 Tokenise cards" in {one.target for one in report.plan.proposed}


async def test_an_approval_where_something_is_put_away_makes_no_runs_and_counts_once_it_is_back(
    world: World,
) -> None:
    await world.sync()
    plan = await kept(world)
    link = [one for one in plan.changes if one.target == "PAY-3 Tokenise cards"]
    assert link
    world.jira.archive_issue("PAY-3")
    world.clock.advance(86400)
    report = await world.sync()
    async with world.session() as session:
        offered = [
            one for one in await awaiting(world.config(), session.store) if one.why == "approve"
        ]
        assert len(offered) == len(report.plan.proposed)
        asking = await proposing(world.config(), session.store)
        assert await session.store.waiting(asking) == {"to_approve": len(offered)}
        await session.store.approve(list(approvals_of(link, plan.number, by="ana", at=AT)))
    await world.sync()
    await world.sync()
    assert not await restless(world)
    assert world.remote_links("PAY-3") == []

    world.jira.restore_issue("PAY-3")
    world.clock.advance(86400)
    await world.sync()
    assert len(world.remote_links("PAY-3")) == len(link)


async def test_an_edit_that_was_held_for_its_time_is_proposed_beside_what_waits(
    world: World,
) -> None:
    await world.sync()
    await carry_out(world, await kept(world))
    world.notion.edit_page(world.loyalty, "Delivery", "Ask Dana")
    world.jira.set_status("PAY-3", "Done")
    await world.sync()
    before = (await world.sync()).plan.proposed
    world.clock.advance(HELD_FOR.total_seconds())

    report = await world.sync()

    over = [one for one in report.plan.proposed if one.change.over_edit]
    assert [one.group for one in over] == ["Loyalty"]
    assert told(before).keys() < told(report.plan.proposed).keys()
    again = await world.sync()
    assert told(again.plan.proposed) == told(report.plan.proposed)
    assert again.kept_as == report.run
