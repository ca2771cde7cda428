"""Undoing what was written under another name than its rule, or its connection, has now."""

from __future__ import annotations

import pytest

from opsync.engine.owning import owned, owned_entries
from opsync.engine.undoing import undo, writes_of
from opsync.model import Slot
from opsync.model.ledger import HoldKind
from tests.scenarios.test_undoing import own_columns, standing, three_runs, undo_item, undo_run
from tests.support.world import World

DAY = 86400


def rename(world: World, name: str) -> None:
    world.raw["rollup"][0]["name"] = name


async def written_twice(world: World) -> int:
    """Two runs that write the numbers; returns the second."""
    await world.sync()
    world.jira.set_status("PAY-3", "Done")
    return (await world.sync()).run


async def holds_on_numbers(world: World) -> set[tuple[str, HoldKind | None]]:
    """The rules that have a row where opsync wrote the delivery, each with its hold."""
    return {
        (one.slot.rule, one.hold and one.hold.kind)
        for one in await world.entries()
        if one.slot.surface == "delivery" and world.checkout.id in str(one.slot.target)
    }


@pytest.mark.slow
@pytest.mark.parametrize("edits", [None, "ours"])
async def test_an_undone_value_does_not_return_where_its_rule_was_renamed_before(
    world: World, edits: str | None
) -> None:
    if edits is not None:
        world.raw["rollup"][0]["edits"] = edits
    second = await written_twice(world)
    rename(world, "delivery")
    await world.sync()

    assert (await undo_run(world, second)).left == []

    assert await holds_on_numbers(world) == {("delivery", HoldKind.undone)}
    stands = standing(world)
    world.jira.set_status("PAY-4", "Done")
    for days in (1, 8):
        world.clock.advance(days * DAY)
        report = await world.sync(full=True)
        assert {one.kind for one in report.plan.held} == {"settled"}
        assert (report.applied, report.plan.proposed) == (0, [])
    assert standing(world) == stands


@pytest.mark.slow
async def test_what_was_written_since_under_a_new_name_is_undone_first(world: World) -> None:
    second = await written_twice(world)
    rename(world, "delivery")
    world.jira.set_status("PAY-4", "Done")
    third = await world.sync()
    rename(world, "initiatives")
    await world.sync()

    early = await undo_run(world, second)
    assert {(one.left.why, one.left.run) for one in early.left} == {("written since", third.run)}

    assert (await undo_run(world, third.run)).left == []
    assert world.checkout.text("Delivery").startswith("3 of 5 done")
    assert await holds_on_numbers(world) == {("initiatives", HoldKind.undone)}, "nobody's but ours"
    await three_runs(world)


@pytest.mark.slow
async def test_the_undo_of_an_undo_lets_go_of_what_was_renamed_in_between(world: World) -> None:
    taken = await undo_run(world, await written_twice(world))
    rename(world, "delivery")
    await world.sync()

    assert (await undo_run(world, taken.run)).left == []

    assert world.checkout.text("Delivery").startswith("3 of 5 done")
    assert await holds_on_numbers(world) == {("delivery", None)}
    world.jira.set_status("PAY-4", "Done")
    await world.sync()
    assert world.checkout.text("Delivery").startswith("4 of 5 done"), "it is kept up again"
    await world.silent()


@pytest.mark.slow
async def test_an_item_is_undone_under_all_names_that_its_rule_had(world: World) -> None:
    await written_twice(world)
    rename(world, "delivery")
    world.jira.set_status("PAY-4", "Done")
    await world.sync()
    record = await world.record("One-tap checkout")

    assert (await undo_item(world, record.ref)).left == []

    assert {world.checkout.text(name) for name in own_columns(world)} == {""}
    await three_runs(world)
    assert {world.checkout.text(name) for name in own_columns(world)} == {""}


async def test_one_change_is_undone_that_was_made_under_a_former_name(world: World) -> None:
    second = await written_twice(world)
    rename(world, "delivery")
    await world.sync()
    world.clock.advance(60)
    async with world.session("undo") as session:
        [row] = [
            row
            for row in await writes_of(session.store, run=second)
            if row.slot.surface == "delivery"
        ]
        rows = await writes_of(session.store, change=row.change)
        done = await undo(session, rows, why="undo", by="ana", command=f"opsync undo {row.change}")

    assert [change.slot for change in done.written] == [
        Slot(row.slot.target, "delivery", "delivery", row.slot.other)
    ]
    await three_runs(world)
    assert world.checkout.text("Delivery").startswith("2 of 5 done")
    assert world.remote_links("PAY-1")[0]["summary"] == "3/5 done", "another change"


@pytest.mark.slow
async def test_it_stays_undone_where_the_connection_of_the_initiative_was_renamed(
    world: World,
) -> None:
    second = await written_twice(world)
    world.raw["instances"]["roadmap"] = world.raw["instances"].pop("notion")
    world.raw["rollup"][0]["roots"]["instance"] = "roadmap"
    await world.sync(allow={"removals": 100})

    done = await undo_run(world, second)

    assert {one.left.why for one in done.left} == {"not configured"}
    in_jira = world.remote_links("PAY-1")
    assert [link["summary"] for link in in_jira] == ["2/5 done"]
    world.jira.set_status("PAY-4", "Done")
    await world.sync()
    world.clock.advance(8 * DAY)
    report = await world.sync(full=True)
    assert {one.kind for one in report.plan.held} == {"settled"}
    assert report.plan.proposed == []
    assert world.remote_links("PAY-1") == in_jira


async def test_since_when_it_owns_a_value_is_known_whatever_its_rule_was_called(
    world: World,
) -> None:
    first = await world.sync()
    rename(world, "delivery")
    await world.sync()
    async with world.session("owned") as session:
        entries = await owned_entries(session.store)
        listed = await owned(world.config(), session.store, entries)
    assert {one.run for one in listed} == {first.run}
