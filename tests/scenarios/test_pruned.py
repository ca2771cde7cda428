"""A store that was pruned: no number, value or decision is another for it."""

from __future__ import annotations

from opsync.model import Ref
from opsync.model.retention import Keep, Pruned
from tests.support.world import World

DAY = 86_400


async def prune(world: World) -> Pruned:
    async with world.session() as session:
        return await session.store.prune(world.clock.now(), Keep())


async def test_what_went_away_long_ago_is_forgotten_and_changes_nothing(world: World) -> None:
    gone = Ref("jira-main", "issue", str(world.jira.issue("PAY-2").id))
    named = Ref("jira-main", "issue", str(world.jira.issue("MOB-1").id))
    await world.sync()
    world.jira.delete_issue("PAY-2")
    world.jira.delete_issue("MOB-1")
    world.clock.advance(2 * DAY)
    await world.sync()
    counted = await world.rollup(world.checkout)
    world.clock.advance(100 * DAY)
    await world.sync()

    pruned = await prune(world)

    assert pruned.gone == 1
    async with world.session() as session:
        left = await session.store.records_of([gone, named])
    assert set(left) == {named}, "the page Loyalty names it still, and explain says why not"
    after = await world.rollup(world.checkout)
    assert (after.done, after.total) == (counted.done, counted.total)
    before = world.written()
    for full in (True, False):
        report = await world.sync(full=full)
        assert report.applied == 0
    assert world.written() == before
    assert (await prune(world)).gone == 0
