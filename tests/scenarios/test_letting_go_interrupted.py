"""Giving up, and undoing, what a run wrote whose answers were lost: it may stand there, or not."""

from __future__ import annotations

from copy import copy

import httpx
import pytest

from opsync.engine.owning import (
    UNKNOWN,
    keep_released,
    owned,
    owned_entries,
    resolve,
    unsettled,
)
from opsync.model.ledger import HoldKind
from opsync.report import PassReport
from tests.scenarios.test_taking_back_interrupted import dying, release
from tests.scenarios.test_undoing import own_columns, standing, three_runs, undo_run
from tests.support.world import World


async def sync_dies(world: World) -> None:
    """A run that dies as soon as the tools answered to its first writes."""
    with dying("finish_changes"):
        await world.sync()


async def sync_is_unsure(world: World) -> PassReport:
    """A run of which Jira's and Linear's answers to its writes are lost."""
    world.jira.set_status("PAY-3", "Done")
    world.jira.faults.lose_next_writes = world.linear.faults.lose_next_writes = 9
    report = await world.sync()
    world.jira.faults.lose_next_writes = world.linear.faults.lose_next_writes = 0
    assert await unknown(world) > 0
    return report


async def unknown(world: World) -> int:
    """Of how many values it is not known whether they stand."""
    return sum(one.intent is not None for one in await world.entries())


async def test_a_release_takes_away_what_a_run_wrote_before_it_died(world: World) -> None:
    await sync_dies(world)
    assert await unknown(world) > 10
    assert any(standing(world)["jira"])

    done = await release(world)

    assert (done.left, done.columns_left) == ([], [])
    assert len(done.written) > 10
    found = standing(world)
    assert not any(found["jira"])
    assert not any(found["attachments"])
    assert found["projects"] == []
    assert own_columns(world) == []
    assert await unknown(world) == 0
    await three_runs(world)
    assert standing(world) == found


@pytest.mark.slow
async def test_it_takes_away_the_new_value_as_well_as_the_one_before(world: World) -> None:
    """At each place one of the two stands: the run died after some of its writes."""
    first = await world.sync()
    world.jira.set_status("PAY-3", "Done")
    await sync_dies(world)
    old = [one for one in await world.entries() if one.intent not in (None, one.applied)]
    assert old

    done = await release(world)

    assert done.left == []
    assert len(done.written) == first.applied
    assert own_columns(world) == []
    assert await unknown(world) == 0
    undone = await undo_run(world, done.run)
    assert undone.left == []
    assert world.checkout.text("Delivery").startswith("3 of 5 done"), "as it stood there"
    await world.silent()


@pytest.mark.slow
async def test_what_never_arrived_is_given_up_and_not_written_later(world: World) -> None:
    with dying("begin_changes", kept=True):
        await world.sync()
    begun = {one.slot for one in await world.entries() if one.intent is not None}
    assert begun

    done = await release(world)

    assert (done.left, done.written) == ([], [])
    entries = [one for one in await world.entries() if one.slot in begun]
    assert {(one.intent, one.hold and one.hold.kind) for one in entries} == {
        (None, HoldKind.released)
    }
    report = await world.sync()
    assert not {change.slot for change, _ in report.outcomes} & begun


async def test_what_was_left_to_people_is_not_opsync_s_after_the_next_run(world: World) -> None:
    await sync_dies(world)
    async with world.session("release") as session:
        found = await owned_entries(session.store)
        at = world.clock.now()
        await keep_released(session.store, found, by="ana", at=at)
    stands = standing(world)
    world.jira.set_status("PAY-3", "Done")
    kept = {one.slot for one in found}

    for full in (False, True):
        report = await world.sync(full=full)
        assert not {change.slot for change, _ in report.outcomes} & kept

    entries = [one for one in await world.entries() if one.slot in kept]
    assert len(entries) == len(kept)
    assert not any(one.owned or (one.pending and one.intent is not None) for one in entries)
    assert standing(world)["columns"] == stands["columns"]
    assert standing(world)["jira"] == stands["jira"]


async def test_a_place_that_cannot_be_read_is_told_and_stays_opsync_s(world: World) -> None:
    await sync_dies(world)

    def cut(request: httpx.Request) -> None:
        raise httpx.ConnectError("Connection refused", request=request)

    world.net.before["harbor.atlassian.net"] = cut
    done = await release(world)
    world.net.before.clear()

    left = {one.slot for one in done.left}
    assert {one.left.why for one in done.left} == {"unread"}
    assert {slot.target.instance for slot in left} == {"jira-main"}
    assert {one.slot for one in await world.entries() if one.owned} == left
    assert (await release(world)).left == []
    assert not any(standing(world)["jira"])


async def test_a_person_s_edit_of_it_is_left_and_told(world: World) -> None:
    await sync_dies(world)
    world.notion.edit_page(world.checkout, "Delivery", "Ask Dana")

    done = await release(world)

    assert [(one.slot.surface, one.left.why) for one in done.left] == [("delivery", "edited")]
    assert world.checkout.text("Delivery") == "Ask Dana"


async def test_where_somebody_linked_the_same_meanwhile_theirs_stays(world: World) -> None:
    await sync_dies(world)
    issue = world.linear.issue("GRO-3")
    [ours] = issue.attachments
    theirs = copy(ours)
    theirs.metadata, theirs.title, theirs.id = {}, "By hand", "0a0a0a0a-1111-4222-8333-444444444444"
    issue.attachments[:] = [theirs]

    done = await release(world)

    assert done.left == []
    assert [one.title for one in issue.attachments] == ["By hand"]


async def test_where_a_move_broke_off_halfway_nothing_is_left_behind(world: World) -> None:
    """The new link was made, and the old one not removed yet."""
    await world.sync()
    issue = world.linear.issue("GRO-3")
    [first] = issue.attachments
    world.jira.move_issue("PAY-3", "MOB")
    await sync_dies(world)
    [new] = issue.attachments
    old = world.linear.attach(
        issue,
        first.title,
        first.url,
        subtitle=first.subtitle,
        metadata=first.metadata,
        attachment_id=first.id,
        by_api=True,
    )

    done = await release(world)

    assert [(one.slot.surface, one.left.why) for one in done.left] == [("link", "written since")]
    assert issue.attachments == [new, old]
    await world.sync()
    assert (await release(world)).left == []
    assert issue.attachments == []


async def test_it_is_listed_as_what_may_stand_there(world: World) -> None:
    await sync_dies(world)
    async with world.session("owned") as session:
        listed = await owned(world.config(), session.store, await owned_entries(session.store))
    begun = [one for one in listed if one.state == UNKNOWN]
    assert len(begun) == await unknown(world)
    assert "2 of 5 done · Payments 1/3, Growth 1/2" in [one.value for one in begun]


async def test_the_undo_of_a_run_takes_back_what_it_may_have_written(world: World) -> None:
    await world.sync()
    before = standing(world)
    second = await sync_is_unsure(world)

    done = await undo_run(world, second.run)

    assert done.left == []
    assert standing(world) == before
    assert await unknown(world) == 0
    await three_runs(world)
    assert standing(world) == before


DEATHS = [
    ("begin_changes", 0, False),
    ("begin_changes", 0, True),
    ("begin_changes", 1, True),
    ("finish_changes", 0, False),
    ("finish_changes", 1, False),
]
"""Before a first write is noted, and once it is; and before the outcome of one is kept."""


@pytest.mark.sampled
@pytest.mark.parametrize(("at", "after", "kept"), DEATHS)
async def test_so_does_one_that_died_once_it_is_repeated(
    world: World, at: str, after: int, *, kept: bool
) -> None:
    await world.sync()
    before = standing(world)
    second = await sync_is_unsure(world)
    with dying(at, after=after, kept=kept):
        await undo_run(world, second.run)

    done = await undo_run(world, second.run)

    assert done.left == []
    assert standing(world) == before
    assert await unknown(world) == 0
    await three_runs(world)
    assert standing(world) == before


@pytest.mark.sampled
@pytest.mark.parametrize(("at", "after", "kept"), DEATHS)
async def test_a_release_that_died_as_well_takes_it_away_once_repeated(
    world: World, at: str, after: int, *, kept: bool
) -> None:
    await sync_dies(world)
    with dying(at, after=after, kept=kept):
        await release(world)

    done = await release(world)

    assert (done.left, done.columns_left) == ([], [])
    found = standing(world)
    assert not any(found["jira"])
    assert not any(found["attachments"])
    assert (found["projects"], own_columns(world)) == ([], [])
    assert await unknown(world) == 0


async def test_what_an_undo_may_not_take_away_is_known_to_stand_there(world: World) -> None:
    """Jira's answers were lost; then it lets nothing be removed."""
    world.jira.faults.lose_next_writes = 9
    first = await world.sync()
    world.jira.faults.lose_next_writes = 0
    stands = sum(len(world.remote_links(key)) for key in ("PAY-1", "PAY-3", "MOB-1"))
    assert await unknown(world) == stands > 0, "as many as were sent before it was given up"

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.method == "DELETE" and "remotelink" in request.url.path:
            return httpx.Response(403, json={"errorMessages": ["no"]})
        return None

    world.net.before["harbor.atlassian.net"] = refuse
    done = await undo_run(world, first.run)
    assert {one.left.why for one in done.left} == {"failed"}
    world.net.before.clear()
    async with world.session() as session:
        assert len(await owned_entries(session.store, instance="jira-main")) == stands
    await release(world)
    assert not any(standing(world)["jira"])


async def test_a_value_that_an_undo_may_not_change_is_not_told_as_an_edit(world: World) -> None:
    await world.sync()
    second = await sync_is_unsure(world)

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.method in ("PUT", "POST") and "remotelink" in request.url.path:
            return httpx.Response(400, json={"errorMessages": ["no"]})
        return None

    world.net.before["harbor.atlassian.net"] = refuse
    assert (await undo_run(world, second.run)).left
    world.net.before.clear()
    world.jira.set_status("PAY-4", "Done")
    world.clock.advance(7200)
    assert (await world.sync()).conflicts == 0


async def test_who_lets_opsync_have_its_way_over_an_undo_that_died_finds_no_edits(
    world: World,
) -> None:
    await world.sync()
    second = await sync_is_unsure(world)
    with dying("begin_changes", kept=True):
        await undo_run(world, second.run)
    async with world.session("resolve") as session:
        found = [one for one in await session.store.entries() if unsettled(one)]
        assert any(one.hold and one.hold.unsure for one in found)
        at = world.clock.now()
        await resolve(session.config, session.store, found, "ours", by="ana", at=at)
    world.jira.set_status("PAY-4", "Done")
    world.clock.advance(7200)
    assert (await world.sync()).conflicts == 0
