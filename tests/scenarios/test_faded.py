"""What lost its place in the hierarchy while something was hidden finds it again (F28)."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsync.sandbox.vendor import Faults
from tests.support.world import World, jira_url


@pytest.fixture
async def world(tmp_path: Path) -> World:
    """ "Refunds" counts PAY-1 with PAY-2, PAY-3 and PAY-4, and MOB-4, which is below it too."""
    made = World(tmp_path)
    made.jira.add_issue("MOB", "Refund screen", parent="PAY-1", status="Doing")
    made.refunds = made.page("Refunds", jira_url("PAY-1"))  # type: ignore[attr-defined]
    await made.sync()
    return made


async def _count(world: World) -> int:
    return (await world.rollup(world.refunds)).total  # type: ignore[attr-defined]


async def test_what_was_read_while_its_epic_was_hidden_is_read_again_with_the_next_census(
    world: World,
) -> None:
    """F28: its own time of change tells neither of the loss nor of the return."""
    assert await _count(world) == 4
    world.clock.advance(600)
    world.jira.poke_edit("MOB-4", "title", "Refund screens")
    world.vendors["jira-main"].faults = Faults(deny={"PAY"})
    await world.sync()
    assert await _count(world) < 4
    world.vendors["jira-main"].faults = Faults()
    world.clock.advance(90_000)
    await world.sync()
    assert await _count(world) == 4
    await world.silent()


async def test_what_was_read_with_all_while_its_epic_was_hidden_is_read_again_at_the_next_census(
    world: World,
) -> None:
    """F28: also where the epic is seen again by a change of its own, before the census."""
    world.clock.advance(3_600)
    world.jira.poke_edit("MOB-3", "title", "The latest change")
    world.vendors["jira-main"].faults = Faults(deny={str(world.jira.issue("PAY-1").id)})
    await world.sync(full=True)
    assert await _count(world) < 4
    world.vendors["jira-main"].faults = Faults()
    world.clock.advance(90_000)
    world.jira.poke_edit("PAY-1", "title", "Checkout core, new")
    await world.sync()
    assert await _count(world) == 4
    await world.silent()


async def test_what_is_below_something_that_was_not_visible_is_read_again_once_it_is(
    world: World,
) -> None:
    world.vendors["jira-main"].faults = Faults(deny={"PAY"})
    await world.sync(full=True)
    assert await _count(world) < 4
    world.vendors["jira-main"].faults = Faults()
    world.clock.advance(90_000)
    await world.sync()
    await world.sync()
    assert await _count(world) == 4
    await world.silent()


async def _first_read_without_its_epic(folder: Path) -> World:
    """MOB-4 is below PAY-1, which is hidden while all is read for the first time."""
    world = World(folder)
    world.refunds = world.page("Refunds", jira_url("PAY-1"))  # type: ignore[attr-defined]
    world.jira.add_issue("MOB", "Refund screen", parent="PAY-1", status="Doing")
    world.clock.advance(600)
    world.jira.poke_edit("MOB-1", "title", "Loyalty, the latest change")
    world.vendors["jira-main"].faults = Faults(deny={"PAY-1"})
    await world.sync()
    world.vendors["jira-main"].faults = Faults()
    return world


async def test_what_was_first_read_while_its_epic_was_hidden_finds_it_too(tmp_path: Path) -> None:
    world = await _first_read_without_its_epic(tmp_path)
    world.clock.advance(90_000)
    await world.sync()
    await world.sync()
    assert await _count(world) == 4
    await world.silent()


@pytest.mark.slow
async def test_so_it_does_where_that_epic_was_read_as_what_changed(tmp_path: Path) -> None:
    """Then no census comes across it."""
    world = await _first_read_without_its_epic(tmp_path)
    world.clock.advance(600)
    world.jira.poke_edit("PAY-1", "title", "Checkout core again")
    await world.sync()
    assert await _count(world) < 4
    world.clock.advance(90_000)
    await world.sync()
    assert await _count(world) == 4
    await world.silent()


@pytest.mark.slow
async def test_what_changed_while_it_was_hidden_between_two_censuses_is_read_with_the_next(
    world: World,
) -> None:
    """Other changes were read meanwhile, so that its own time of change lies behind."""
    world.vendors["jira-main"].faults = Faults(deny={"PAY-2", "PAY-3", "PAY-4"})
    world.clock.advance(3600)
    world.jira.poke_move("PAY-4", "done")
    world.clock.advance(3600)
    world.jira.poke_edit("MOB-1", "title", "Loyalty, the latest change")
    await world.sync()
    world.vendors["jira-main"].faults = Faults()
    await world.sync()
    before = (await world.rollup(world.refunds)).done  # type: ignore[attr-defined]
    world.clock.advance(90_000)
    await world.sync()
    after = (await world.rollup(world.refunds)).done  # type: ignore[attr-defined]
    assert after == before + 1
    await world.silent()
