"""When it is time to search for suggestions: after all was read, and then once a day at most."""

from __future__ import annotations

import pytest

from opsync.engine.searched import EVERY, WAITED_FOR, is_due
from opsync.engine.suggesting import GivenUp, look_anew
from tests.support.world import World

DAY_S = EVERY.total_seconds()


async def due(world: World) -> bool:
    async with world.session() as session:
        return await is_due(session.config, session.store, world.clock.now())


async def search(world: World) -> None:
    async with world.session() as session:
        await look_anew(session.config, session.store, world.clock.now())


async def test_a_store_of_which_not_all_was_read_is_not_searched(world: World) -> None:
    assert not await due(world)
    await world.sync(only=frozenset({"jira-main", "linear"}))
    assert not await due(world)
    await world.sync()
    assert await due(world)


async def test_what_fails_for_long_is_not_waited_for_and_searched_once_it_was_read(
    world: World,
) -> None:
    world.linear.start_outage()
    await world.sync()
    assert not await due(world), "it may be read at once again"
    world.clock.advance(WAITED_FOR.total_seconds())
    await world.sync()
    assert await due(world)
    await search(world)
    assert not await due(world)
    world.linear.end_outage()
    await world.sync()
    assert await due(world), "its work is new"


async def test_it_is_searched_once_a_day_where_anything_changed(settled: World) -> None:
    world = settled
    await search(world)
    await world.sync()
    world.clock.advance(2 * DAY_S)
    assert not await due(world), "nothing changed"
    await search(world)
    world.jira.poke_move("PAY-3", "done")
    await world.sync()
    assert not await due(world), "it was searched a minute ago"
    world.clock.advance(DAY_S)
    assert await due(world)


async def test_what_is_gone_is_a_change(settled: World) -> None:
    world = settled
    await search(world)
    world.jira.delete_issue("PAY-4")
    await world.sync(full=True)
    world.clock.advance(DAY_S)
    assert await due(world)


async def test_a_connection_more_is_searched_as_soon_as_it_was_read(settled: World) -> None:
    world = settled
    await search(world)
    world.add_second_jira().add_issue("SHIP", "Loyalty cards")
    assert not await due(world)
    await world.sync()
    assert await due(world)


async def test_another_rule_is_searched_at_once(settled: World) -> None:
    world = settled
    await search(world)
    epics = {"name": "epics", "mode": "propose", "roots": {"instance": "jira-main", "kind": "epic"}}
    world.raw["rollup"].append(epics)
    assert await due(world)


async def test_a_search_that_is_given_up_leaves_what_was_suggested(settled: World) -> None:
    world = settled
    world.page("Wallet refunds", "")
    world.jira.add_issue("PAY", "Wallet refunds", issue_type="Epic")
    await world.sync()
    await search(world)
    world.clock.advance(DAY_S)
    world.jira.add_issue("PAY", "Refund by wallet", parent="PAY-5")
    await world.sync()
    async with world.session() as session:
        with pytest.raises(GivenUp):
            await look_anew(session.config, session.store, world.clock.now(), lambda: True)
        assert await session.store.suggested() == 1
    assert await due(world)
