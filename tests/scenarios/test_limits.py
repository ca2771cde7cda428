"""What would change too much at once is refused whole, before anything of it is written."""

from __future__ import annotations

import pytest

from opsync.model import Excess, Measure
from tests.support.world import World, jira_url, of, troubles

PAIRS = 12
"""So many issues more in each tool, linked by twos: more than may be unlinked at once."""


@pytest.fixture
async def linked(world: World) -> World:
    """The company with further pairs, and twelve further pages, written to the end."""
    for number in range(PAIRS):
        issue = world.jira.add_issue("PAY", f"Part {number}")
        world.linear.add_issue("GRO", f"Side {number}", description=jira_url(issue.key))
        world.page(f"Idea {number}", jira_url(issue.key))
    first = await world.sync()
    assert first.exit_code == 0, troubles(first)
    await world.silent()
    return world


def writes(world: World, before: dict[str, int]) -> dict[str, int]:
    """By instance the writes since then, those without left out."""
    now = world.written()
    return {name: now[name] - count for name, count in before.items() if now[name] > count}


async def test_a_rule_that_is_taken_out_removes_nothing_before_it_is_meant(linked: World) -> None:
    """I12"""
    rules = linked.raw["rollup"]
    linked.raw["rollup"] = []
    before = linked.written()

    report = await linked.sync()

    notion = of(report, "notion")
    [excess] = notion.over
    assert (excess.what, excess.limit) == (Measure.removals, max(10, excess.of // 5))
    assert excess.count > 5 * PAIRS, "all that stands on the pages"
    assert notion.message == (
        f"this run would remove {excess.count} of {excess.of} values, where "
        f"{excess.limit} may go; nothing is written there"
    )
    assert f"opsync sync --allow-removals {excess.count}" in notion.hint
    assert (notion.trouble, notion.complete, report.exit_code) == ("over limit", True, 1)
    assert "notion" not in writes(linked, before)
    assert linked.checkout.text("Delivery").startswith("2 of 5 done")
    linked.raw["rollup"] = rules
    await linked.sync()
    await linked.silent()


@pytest.mark.slow
async def test_it_is_refused_again_in_every_run_and_done_in_the_one_that_may(
    linked: World,
) -> None:
    linked.raw["rollup"] = []
    first = of(await linked.sync(), "notion")
    again = of(await linked.sync(), "notion")
    assert (again.message, again.over) == (first.message, first.over)
    count = first.over[0].count
    before = linked.written()

    short = await linked.sync(allow={"removals": count - 1})
    assert of(short, "notion").over
    assert writes(linked, before) == {}

    report = await linked.sync(allow={"removals": count})
    assert report.exit_code == 0, troubles(report)
    assert linked.checkout.text("Delivery") == ""
    await linked.silent()


async def test_the_other_connections_go_on(linked: World) -> None:
    before = linked.written()
    linked.raw["rollup"] = []

    report = await linked.sync()

    assert writes(linked, before).keys() == {"jira-main", "linear"}
    told = [str(link["globalId"]) for link in linked.remote_links("PAY-1")]
    assert not any(":rollup:" in one for one in told), "summaries on two epics are few enough"
    assert {name: of(report, name).trouble for name in ("linear", "jira-main")} == {
        "linear": "",
        "jira-main": "",
    }


async def test_a_connection_that_is_taken_out_takes_no_mass_of_links_along(linked: World) -> None:
    del linked.raw["instances"]["jira-main"]
    before = linked.written()

    report = await linked.sync()

    assert of(report, "linear").over[0].count == PAIRS + 1
    assert "linear" not in writes(linked, before)
    assert linked.attachments("GRO-4"), "what stands there stays"


@pytest.mark.slow
async def test_a_narrower_scope_takes_no_mass_of_links_along(linked: World) -> None:
    linked.raw["instances"]["linear"]["projects"] = ["Checkout web"]
    before = linked.written()

    report = await linked.sync()

    assert of(report, "linear").missing > PAIRS, "all those issues are out of scope"
    assert of(report, "jira-main").over[0] == Excess(
        Measure.removals, PAIRS + 1, 10, of(report, "jira-main").over[0].of
    )
    assert "jira-main" not in writes(linked, before)
    assert linked.remote_links("PAY-5")
    linked.raw["instances"]["linear"].pop("projects")
    await linked.sync()
    await linked.silent()


@pytest.mark.slow
async def test_another_property_than_the_one_that_people_use_clears_no_pages(
    linked: World,
) -> None:
    """One page names something there, so that the name does not look misspelt."""
    linked.source.schema.add("Notes", {"rich_text": {}})
    linked.notion.edit_page(linked.loyalty, "Notes", jira_url("MOB-1"))
    await linked.sync()
    linked.raw["rollup"][0]["properties"] = ["Notes"]
    before = linked.written()

    report = await linked.sync()

    assert of(report, "notion").over[0].what is Measure.removals
    assert writes(linked, before).keys() <= {"linear", "jira-main"}
    assert linked.checkout.text("Delivery").startswith("2 of 5 done")


async def test_a_misspelt_property_removes_nothing_at_all(linked: World) -> None:
    """Trouble 20"""
    linked.raw["rollup"][0]["properties"] = ["Trakced in"]
    before = linked.written()
    report = await linked.sync()
    assert (report.planned, writes(linked, before)) == (0, {})


@pytest.mark.slow
async def test_people_who_unlink_a_mass_by_hand_are_asked_too(linked: World) -> None:
    for number in range(PAIRS):
        linked.linear.edit(f"GRO-{number + 4}", description="")
    report = await linked.sync()
    assert {one.instance for one in report.instances if one.over} == {"jira-main", "linear"}
    for name in ("jira-main", "linear"):
        assert of(report, name).hint.endswith(f"--allow-removals {PAIRS}")
    await linked.sync(allow={"removals": PAIRS})
    await linked.silent()


async def test_a_large_first_run_wants_a_word(world: World) -> None:
    world.raw["limits"] = {"creates": 5}

    report = await world.sync()

    over = {one.instance: one.over[0] for one in report.instances if one.over}
    assert over.keys() == {"notion"}, "the others have fewer"
    assert over["notion"].what is Measure.creates
    assert world.written()["notion"] == 0
    assert world.remote_links("PAY-1"), "the others go on"
    report = await world.sync(allow={"creates": over["notion"].count})
    assert report.exit_code == 0, troubles(report)
    await world.silent()


async def test_a_plan_says_so_before_anything_is_tried(linked: World) -> None:
    linked.raw["rollup"] = []
    report = await linked.sync(write=False)
    assert of(report, "notion").over
    assert report.exit_code == 1
    assert report.allowing == f"--allow-removals {of(report, 'notion').over[0].count}"


async def test_rules_that_observe_are_over_no_limit(linked: World) -> None:
    linked.raw["links"]["mode"] = "observe"
    for number in range(PAIRS):
        linked.linear.edit(f"GRO-{number + 4}", description="")
    report = await linked.sync()
    assert not any(one.over for one in report.instances)
    assert len(report.plan.observed) == 2 * PAIRS


@pytest.mark.slow
async def test_a_value_that_is_written_again_and_again_stops_its_connection(world: World) -> None:
    world.raw["limits"] = {"rewrites_a_day": 3}
    await world.sync()
    for status in ("Done", "Doing"):
        world.jira.set_status("PAY-4", status)
        assert (await world.sync()).exit_code == 0
    world.jira.set_status("PAY-4", "Done")
    before = world.written()

    report = await world.sync()

    assert "notion" not in writes(world, before)
    notion = of(report, "notion")
    assert [one.what for one in notion.over] == [Measure.rewrites]
    assert "write one value for the 4th time within 24 hours, where 3 times are usual" in (
        notion.message
    )
    assert notion.hint.endswith("--allow-rewrites 4")
    world.clock.advance(24 * 3600)
    report = await world.sync()
    assert report.exit_code == 0, troubles(report)
    assert world.checkout.text("Delivery").startswith("3 of 5 done")
    await world.silent()


def unlink(world: World, *numbers: int) -> None:
    for number in numbers:
        world.linear.edit(f"GRO-{number + 4}", description="")


@pytest.mark.slow
async def test_many_small_steps_within_a_day_are_one_large_one(linked: World) -> None:
    for step in range(5):
        unlink(linked, 2 * step, 2 * step + 1)
        assert (await linked.sync()).exit_code == 0, "ten of ten"
    unlink(linked, 10)
    before = linked.written()

    report = await linked.sync()

    linear = of(report, "linear")
    assert linear.over == (Excess(Measure.removals, 11, 10, linear.over[0].of, before=10),)
    assert linear.message.startswith("this run would remove 1 value, 11 of ")
    assert " within 24 hours, where 10 may go" in linear.message
    assert linear.hint.endswith("--allow-removals 11")
    assert writes(linked, before) == {}
    assert linked.attachments("GRO-14")
    linked.clock.advance(24 * 3600)
    report = await linked.sync()
    assert report.exit_code == 0, troubles(report)
    assert not linked.attachments("GRO-14")


@pytest.mark.slow
async def test_what_a_person_let_a_run_do_is_not_held_against_the_next(linked: World) -> None:
    unlink(linked, *range(11))
    assert of(await linked.sync(), "linear").over
    report = await linked.sync(allow={"removals": 11})
    assert report.exit_code == 0, troubles(report)
    unlink(linked, 11)
    report = await linked.sync()
    assert report.exit_code == 0, troubles(report)


@pytest.mark.slow
async def test_new_values_in_small_steps_are_counted_together_too(linked: World) -> None:
    linked.clock.advance(24 * 3600)
    linked.raw["limits"] = {"creates": 2}
    for number in range(2):
        linked.linear.add_issue("GRO", f"More {number}", description=jira_url("PAY-2"))
        report = await linked.sync()
        assert report.exit_code == 0, troubles(report)
    linked.linear.add_issue("GRO", "One more", description=jira_url("PAY-2"))
    before = linked.written()
    report = await linked.sync()
    assert of(report, "linear").message.startswith(
        "this run would write 1 new value, 3 within 24 hours, where 2 may be new"
    )
    assert writes(linked, before) == {}
