"""Whose text it is: what a person gave up for opsync's value, and what an undo gave back."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from opsync.engine.owning import (
    about,
    keep_released,
    owned,
    owned_entries,
    refuse,
    remove_released,
    resolve,
    unsettled,
)
from opsync.engine.taken import TakenBack
from opsync.engine.undoing import undo, writes_of
from opsync.model.ledger import Entry, HoldKind
from opsync.model.retention import Keep
from opsync.model.undo import Left
from tests.scenarios.test_approving import carry_out as carry_out_plan
from tests.scenarios.test_approving import newest
from tests.scenarios.test_edits import THEIRS
from tests.scenarios.test_letting_go import ours
from tests.scenarios.test_taking_back_interrupted import RELEASE
from tests.scenarios.test_undoing import own_columns, undo_item, undo_run
from tests.support.world import World

NAME = "One-tap checkout"


@pytest.fixture
async def given_up(settled: World) -> World:
    """A person wrote into Delivery of the checkout, a run saw it, and they let opsync have it."""
    settled.notion.edit_page(settled.checkout, "Delivery", THEIRS)
    await settled.sync()
    await ours(settled, NAME)
    return settled


def cell(world: World) -> str:
    return world.checkout.text("Delivery") if "Delivery" in own_columns(world) else "no column"


async def row(world: World) -> Entry:
    ref = (await world.record(NAME)).ref
    [one] = [
        one
        for one in await world.entries()
        if (one.slot.target, one.slot.surface) == (ref, "delivery")
    ]
    return one


async def whose(world: World) -> HoldKind | None:
    hold = (await row(world)).hold
    return None if hold is None else hold.kind


async def release(world: World, how: str = "remove") -> TakenBack:
    """`opsync release --all`, with --keep or --remove."""
    world.clock.advance(60)
    async with world.session("release") as session:
        found = await owned_entries(session.store, ceded=True)
        if how == "keep":
            await keep_released(session.store, found, by="ana", at=world.clock.now())
            return TakenBack()
        return await remove_released(
            session, found, by="ana", command=RELEASE, columns_of={"notion"}
        )


async def theirs(world: World) -> int:
    """Say that what stands on the checkout stays."""
    ref = (await world.record(NAME)).ref
    async with world.session("resolve") as session:
        found = [one for one in await about(session.store, ref) if unsettled(one)]
        at = world.clock.now()
        await resolve(session.config, session.store, found, "theirs", by="ben", at=at)
    return len(found)


# Given up, and not written over yet -----------------------------------------------------------


async def test_it_is_theirs_until_it_is_written_over(given_up: World) -> None:
    async with given_up.session() as session:
        found = await owned(session.config, session.store, await owned_entries(session.store))
    assert THEIRS not in [one.value for one in found]
    report = await given_up.sync()
    assert report.applied >= 1
    assert cell(given_up).startswith("2 of 5 done")
    assert (await row(given_up)).owned


@pytest.mark.sampled
@pytest.mark.parametrize("how", ["keep", "remove"])
async def test_a_release_leaves_it_and_tells_it(given_up: World, how: str) -> None:
    done = await release(given_up, how)
    assert cell(given_up) == THEIRS
    if how == "remove":
        assert [one.left.why for one in done.left] == ["edited"]
        assert own_columns(given_up) == ["Delivery"]
    for _ in range(2):
        await given_up.sync()
    assert cell(given_up) == THEIRS


async def test_a_dry_release_changes_nothing(given_up: World) -> None:
    before = await row(given_up)
    async with given_up.session("release") as session:
        found = await owned_entries(session.store, ceded=True)
        await remove_released(session, found, by="ana", command=RELEASE, dry=True)
    assert await row(given_up) == before


async def test_where_nothing_is_to_stand_any_more_it_stays(given_up: World) -> None:
    given_up.raw["rollup"] = []
    for _ in range(2):
        await given_up.sync(allow={"removals": 99})
    assert cell(given_up) == THEIRS


@pytest.mark.slow
async def test_it_can_be_had_back_before_it_is_written_over(given_up: World) -> None:
    assert await theirs(given_up) == 1
    await given_up.sync()
    assert cell(given_up) == THEIRS
    assert await whose(given_up) is HoldKind.theirs


async def test_what_somebody_writes_there_until_then_stays(given_up: World) -> None:
    given_up.notion.edit_page(given_up.checkout, "Delivery", "Ana: wait for me")
    report = await given_up.sync()
    assert cell(given_up) == "Ana: wait for me"
    assert report.conflicts == 1
    await release(given_up)
    assert cell(given_up) == "Ana: wait for me"


async def test_a_write_that_fails_leaves_it_theirs(given_up: World) -> None:
    given_up.notion.faults.read_only = True
    await given_up.sync()
    given_up.notion.faults.read_only = False
    assert (await row(given_up)).ceded
    await release(given_up)
    assert cell(given_up) == THEIRS


async def test_a_release_leaves_it_where_a_write_over_it_may_have_been_carried_out(
    given_up: World,
) -> None:
    """It was not: the connection broke before the tool had it."""

    def cut(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH":
            raise httpx.ReadError("cut off", request=request)
        return None

    given_up.net.before["api.notion.com"] = cut
    await given_up.sync()
    given_up.net.before.clear()
    assert (await row(given_up)).intent is not None
    assert cell(given_up) == THEIRS
    done = await release(given_up)
    assert [one.left.why for one in done.left] == ["edited"]
    for _ in range(2):
        await given_up.sync()
    assert cell(given_up) == THEIRS
    assert await whose(given_up) is HoldKind.released


# Given back by an undo ------------------------------------------------------------------------


async def given_back(world: World) -> int:
    """It was written over, and the undo of that gave it back; the undo's run."""
    report = await world.sync()
    assert cell(world) != THEIRS
    done = await undo_run(world, report.run)
    assert cell(world) == THEIRS
    assert await whose(world) is HoldKind.theirs
    return done.run


async def test_the_undo_of_all_on_its_item_leaves_it(given_up: World) -> None:
    await given_back(given_up)
    await undo_item(given_up, (await given_up.record(NAME)).ref)
    assert cell(given_up) == THEIRS
    assert await whose(given_up) is HoldKind.theirs


async def test_the_undo_of_all_on_its_item_gives_it_back(given_up: World) -> None:
    await given_up.sync()
    await undo_item(given_up, (await given_up.record(NAME)).ref)
    assert cell(given_up) == THEIRS
    assert await whose(given_up) is HoldKind.theirs


async def test_once_they_said_that_it_stays_every_undo_leaves_and_tells_it(given_up: World) -> None:
    run = await given_back(given_up)
    await theirs(given_up)
    for done in (
        await undo_item(given_up, (await given_up.record(NAME)).ref),
        await undo_run(given_up, run),
    ):
        left = [one.left.why for one in done.left if one.slot.surface == "delivery"]
        assert left == ["given up"]
    assert cell(given_up) == THEIRS


async def test_it_is_theirs_however_often_that_is_undone(given_up: World) -> None:
    again = await undo_run(given_up, await given_back(given_up))
    assert cell(given_up) != THEIRS
    await undo_run(given_up, again.run)
    assert cell(given_up) == THEIRS
    assert await whose(given_up) is HoldKind.theirs
    await release(given_up)
    assert cell(given_up) == THEIRS


async def test_it_is_theirs_when_it_is_given_up_and_given_back_once_more(given_up: World) -> None:
    await given_back(given_up)
    await ours(given_up, NAME)
    await given_back(given_up)
    await release(given_up)
    assert cell(given_up) == THEIRS


async def test_the_undo_of_an_earlier_run_names_no_undo_that_would_take_it_away(
    given_up: World,
) -> None:
    await given_back(given_up)
    done = await undo_run(given_up, 1)
    [left] = [one.left for one in done.left if one.slot.surface == "delivery"]
    assert left == Left("given up")
    assert cell(given_up) == THEIRS


# Not a person's -------------------------------------------------------------------------------


@pytest.mark.sampled
@pytest.mark.parametrize("how", ["the store was lost", "the journal was cut"])
async def test_what_opsync_wrote_before_it_knew_stays_its_own(world: World, how: str) -> None:
    await world.sync()
    if how == "the store was lost":
        world.lose_store()
        assert (await world.sync()).applied == 0
    else:
        world.clock.advance(40 * 86400)
        await world.sync()
        async with world.session("prune") as session:
            keep = Keep(journal=timedelta(days=30))
            assert (await session.store.prune(world.clock.now(), keep)).journal > 0
    before = cell(world)
    world.jira.set_status("PAY-3", "Done")
    second = await world.sync()
    await undo_run(world, second.run)
    assert cell(world) == before
    assert await whose(world) is HoldKind.undone
    done = await release(world)
    assert (done.left, done.columns_left) == ([], [])
    assert own_columns(world) == []
    assert not any(world.remote_links(key) for key in ("PAY-1", "PAY-3", "MOB-1"))


# Decided before -------------------------------------------------------------------------------


@pytest.mark.sampled
@pytest.mark.parametrize("how", ["release", "undo"])
async def test_what_was_undone_before_a_release_or_an_undo_is_so_after_the_undo_of_that(
    world: World, how: str
) -> None:
    await world.sync()
    before = cell(world)
    world.jira.set_status("PAY-3", "Done")
    await undo_run(world, (await world.sync()).run)
    if how == "release":
        done = await release(world)
    else:
        done = await undo_item(world, (await world.record(NAME)).ref)
    assert cell(world) != before
    await undo_run(world, done.run)
    assert cell(world) == before
    for full in (False, True):
        await world.sync(full=full)
        assert cell(world) == before
    assert await whose(world) is HoldKind.undone


async def test_what_was_refused_before_an_undo_is_so_after_the_undo_of_that(world: World) -> None:
    world.raw["links"]["mode"] = world.raw["rollup"][0]["mode"] = "propose"
    await world.sync()
    first, _ = await carry_out_plan(world, await newest(world))
    world.jira.set_status("PAY-3", "Done")
    assert (await world.sync()).plan.proposed
    async with world.session() as session:
        waits = [one for one in await session.store.unsettled() if one.pending]
        await refuse(session.store, waits, by="ben", at=world.clock.now())
    assert (await world.sync()).plan.proposed == []
    done = await undo_run(world, first.run)
    again = await undo_run(world, done.run)
    assert again.left == []
    assert (await world.sync()).plan.proposed == []


async def test_the_undo_that_leaves_it_so_does_not_promise_to_keep_it_up_to_date(
    world: World,
) -> None:
    from opsync.engine.undoing import undoes

    await world.sync()
    world.jira.set_status("PAY-3", "Done")
    await undo_run(world, (await world.sync()).run)
    done = await release(world)
    async with world.session("undo") as session:
        rows = await writes_of(session.store, run=done.run)
        assert not undoes([row for row in rows if row.slot.surface == "delivery"])
        assert undoes([row for row in rows if row.slot.surface == "delivery_health"])
        what = f"undo of run {done.run}"
        await undo(session, rows, why=what, by="ana", command=f"opsync undo {done.run}")
    assert await whose(world) is HoldKind.undone
