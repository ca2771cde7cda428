"""Releasing, resolving and pausing, on all tools."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from opsync.engine.owning import (
    about,
    keep_released,
    owned_entries,
    remove_released,
    resolve,
    unsettled,
)
from opsync.engine.undoing import undo, writes_of
from opsync.errors import ConfigError
from opsync.model.ledger import HoldKind
from opsync.model.pause import ALL
from opsync.steps import writing
from tests.support.world import World


async def release(world: World, how: str) -> int:
    world.clock.advance(60)
    async with world.session("release") as session:
        found = await owned_entries(session.store)
        if how == "keep":
            await keep_released(session.store, found, by="ana", at=world.clock.now())
            return len(found)
        done = await remove_released(session, found, by="ana", command="opsync release --all")
        assert done.left == []
        return len(done.written)


async def ours(world: World, name: str) -> int:
    """Ask for opsync's value wherever something is held on an item."""
    record = await world.record(name)
    async with world.session("resolve") as session:
        found = [e for e in await about(session.store, record.ref) if unsettled(e)]
        at = world.clock.now()
        await resolve(session.config, session.store, found, "ours", by="ana", at=at)
    return len(found)


def own_cells(world: World) -> list[str]:
    columns = [column.name for column in world.source.schema.properties.values()]
    own = [name for name in columns if name.startswith(("Delivery", "Work"))]
    return [page.text(name) for page in (world.checkout, world.loyalty) for name in own]


@pytest.mark.slow
async def test_after_a_release_every_tool_is_as_people_left_it(world: World) -> None:
    first = await world.sync()
    assert await release(world, "remove") == first.applied
    for full in (False, True, False):
        report = await world.sync(full=full)
        assert report.applied == 0
    assert set(own_cells(world)) == {""}
    assert [world.remote_links(key) for key in ("PAY-1", "PAY-3", "MOB-1")] == [[], [], []]
    assert world.attachments("GRO-3") == []
    assert world.project_links() == []


async def test_what_was_released_and_kept_is_no_evidence(world: World) -> None:
    await world.sync()
    links = (await world.sync()).links
    await release(world, "keep")
    cells = own_cells(world)
    world.linear.edit("GRO-3", description="It waits for nothing.")
    report = await world.sync(full=True)
    assert report.applied == 0
    assert report.links == links - 1, "what stands there does not keep the pair alive"
    assert len(world.attachments("GRO-3")) == 1, "it is people's own now"
    assert own_cells(world) == cells


async def test_what_was_left_to_people_is_not_taken_back(world: World) -> None:
    first = await world.sync()
    await release(world, "keep")
    cells, before = own_cells(world), world.written()
    async with world.session("undo") as session:
        rows = await writes_of(session.store, run=first.run)
        done = await undo(session, rows, why="undo", by="ana", command=f"opsync undo {first.run}")
    assert {one.left.why for one in done.left} == {"given up"}
    assert (len(done.left), done.written, done.exit_code) == (first.applied, [], 1)
    assert (own_cells(world), world.written()) == (cells, before)


async def test_what_a_release_took_away_can_be_put_back(world: World) -> None:
    await world.sync()
    cells = own_cells(world)
    await release(world, "remove")
    async with world.session("undo") as session:
        run = (await session.store.journal(limit=1))[0].run
        rows = await writes_of(session.store, run=run)
        done = await undo(session, rows, why="undo", by="ana", command=f"opsync undo {run}")
    assert (done.left, own_cells(world)) == ([], cells)
    await world.silent()


async def test_new_items_get_their_values_after_a_release(world: World) -> None:
    await world.sync()
    await release(world, "keep")
    page = world.page("Wallet", "PAY-3")
    await world.sync()
    assert page.text("Delivery").startswith("0 of 1 done")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["PAY-3", "GRO-3", "Checkout web"])
async def test_each_tool_s_link_that_a_person_removed_comes_back_with_ours(
    world: World, name: str
) -> None:
    await world.sync()
    before = _count(world)
    if name == "PAY-3":
        world.jira.remote_links[world.jira.issue(name).id].clear()
    elif name == "GRO-3":
        world.linear.issue(name).attachments.clear()
    else:
        world.linear.remove_external_link(world.linear.project(name).external_links[0])
    world.jira.set_status("PAY-3", "Done")
    world.linear.edit("GRO-3", title="Card form, again")
    await world.sync(full=True)
    await world.sync(full=True)
    assert _count(world) < before
    held = [e for e in await world.entries() if e.hold and e.hold.kind is HoldKind.removed]
    assert held

    assert await ours(world, name) > 0
    await world.sync()

    assert _count(world) == before
    await world.silent()


def _count(world: World) -> int:
    links: Sequence[object] = world.remote_links("PAY-3")
    return len(links) + len(world.attachments("GRO-3")) + len(world.project_links())


async def test_a_pause_stops_a_run_before_its_next_batch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.sync(write=False)
    real = writing.plan_changed

    async def paused_meanwhile(this: writing.Pass) -> object:
        work = await real(this)
        await this.store.pause(ALL, by="ana", at=world.clock.now())
        return work

    with monkeypatch.context() as patch:
        patch.setattr("opsync.pipeline.plan_changed", paused_meanwhile)
        report = await world.sync()
    assert report.planned > 10
    assert report.applied == 0
    assert sum(world.written().values()) == 0
    assert any(one.paused for one in report.instances)
    assert report.withheld == report.planned, "and tells what it would have written"

    again = await world.sync()
    assert (again.applied, again.withheld) == (0, report.planned)
    async with world.session() as session:
        assert await session.store.unpause(ALL)
    assert (await world.sync()).applied == report.planned


async def test_what_was_written_since_it_was_looked_up_is_not_settled(world: World) -> None:
    """A page decides while the service goes on writing."""
    await world.sync()
    world.notion.edit_page(world.checkout, "Delivery", "by hand")
    await world.sync()
    record = await world.record("One-tap checkout")
    async with world.session("look") as session:
        shown = [e for e in await about(session.store, record.ref) if unsettled(e)]
    world.notion.edit_page(world.checkout, "Delivery", "by another hand")
    await world.sync()

    async with world.session("resolve") as session:
        before = await about(session.store, record.ref)
        with pytest.raises(ConfigError, match="meanwhile: nothing was done"):
            await resolve(
                session.config, session.store, shown, "theirs", by="ana", at=world.clock.now()
            )
        assert await about(session.store, record.ref) == before
        assert await session.store.approvals() == []
        held = [e for e in before if unsettled(e)]
        await resolve(session.config, session.store, held, "theirs", by="ana", at=world.clock.now())
        assert [e for e in await about(session.store, record.ref) if unsettled(e)] != held
