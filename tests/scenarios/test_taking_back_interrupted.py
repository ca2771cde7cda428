"""An undo or a release whose process died: the same command again ends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from opsync.engine.overview import overview
from opsync.engine.owning import about, owned_entries, remove_released, resolve
from opsync.engine.taken import TakenBack
from opsync.model.ledger import HoldKind
from opsync.store import Store
from opsync.watch import Alarm
from tests.scenarios.test_undoing import own_columns, standing, three_runs, undo_run
from tests.support.world import World

RELEASE = "opsync release --all --remove"


class Death(BaseException):
    """The process is gone."""


@contextmanager
def dying(at: str, *, after: int = 0, kept: bool = False) -> Iterator[None]:
    """The process dies when it begins to keep this in its store once more than `after` times, or as
    soon as that is `kept`."""
    real, times = getattr(Store, at), 0

    async def dies(*given: Any, **options: Any) -> Any:
        nonlocal times
        times += at != "finish_changes" or bool(given[2])  # where there are outcomes to keep
        if times > after and not kept:
            raise Death
        done = await real(*given, **options)
        if times > after:
            raise Death
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, at, dies)
        with pytest.raises(Death):
            yield


async def release(world: World) -> TakenBack:
    world.clock.advance(60)
    async with world.session("release") as session:
        found = await owned_entries(session.store)
        columns = {"notion"}
        return await remove_released(session, found, by="ana", command=RELEASE, columns_of=columns)


async def told_by_status(world: World) -> Sequence[Alarm]:
    async with world.session("status") as session:
        return (await overview(world.config(), session.store, world.clock.now())).alarms


async def held(world: World) -> list[HoldKind]:
    return [one.hold.kind for one in await world.entries() if one.hold is not None]


DEATHS = [
    ("begin_changes", 1),
    *(
        pytest.param(*one, marks=pytest.mark.slow)
        for one in (("begin_changes", 0), ("finish_changes", 1), ("give_back", 0))
    ),
]
"""Before the first write and in the middle, before an outcome is kept, and after all of them."""


@pytest.mark.parametrize(("at", "after"), DEATHS)
async def test_an_undo_of_an_undo_that_died_lets_go_of_all_once_repeated(
    world: World, at: str, after: int
) -> None:
    first = await world.sync()
    taken = await undo_run(world, first.run)
    with dying(at, after=after):
        await undo_run(world, taken.run)
    assert (await world.sync()).applied == 0, "what is not put back yet waits for the person"

    done = await undo_run(world, taken.run)

    assert done.left == []
    assert await held(world) == []
    world.jira.set_status("PAY-4", "Done")
    await world.sync()
    assert world.checkout.text("Delivery").startswith("3 of 5 done"), "it is kept up again"
    await world.silent()


@pytest.mark.parametrize(("at", "after"), DEATHS)
async def test_an_undo_that_died_is_whole_once_repeated(world: World, at: str, after: int) -> None:
    first = await world.sync()
    with dying(at, after=after):
        await undo_run(world, first.run)
    assert (await undo_run(world, first.run)).left == []
    found = standing(world)
    assert not any(found["jira"])
    assert not any(found["attachments"])
    assert set(await held(world)) == {HoldKind.undone}
    assert not any(one.hold and one.hold.begun for one in await world.entries())
    await three_runs(world)
    assert standing(world) == found


@pytest.mark.parametrize(("at", "after"), DEATHS)
async def test_a_release_that_died_takes_the_rest_away_once_repeated(
    world: World, at: str, after: int
) -> None:
    first = await world.sync()
    with dying(at, after=after):
        await release(world)
    assert (await world.sync()).applied == 0, "nothing is written again meanwhile"

    assert (await release(world)).left == []

    found = standing(world)
    assert not any(found["jira"])
    assert not any(found["attachments"])
    assert found["projects"] == []
    assert own_columns(world) == []
    assert await held(world) == [HoldKind.released] * first.applied
    await three_runs(world)
    assert standing(world) == found


async def test_what_is_left_after_a_death_is_a_person_s_where_they_edited_it(
    world: World,
) -> None:
    await world.sync()
    with dying("begin_changes"):
        await release(world)
    world.notion.edit_page(world.checkout, "Delivery", "Ask Dana")

    done = await release(world)

    assert [(one.slot.surface, one.left.why) for one in done.left] == [("delivery", "edited")]
    kept = [one for one in await world.entries() if one.slot == done.left[0].slot]
    holds = [one.hold and one.hold.kind for one in kept]
    assert holds == [HoldKind.released], "as where nothing died"
    await world.sync()
    assert world.checkout.text("Delivery") == "Ask Dana"


async def test_it_is_told_until_it_is_run_again(world: World) -> None:
    first = await world.sync()
    with dying("finish_changes", after=2):
        await undo_run(world, first.run)

    [told] = await told_by_status(world)

    command = f"opsync undo {first.run}"
    assert told.what.startswith(f"{command} was interrupted: ")
    assert told.what.endswith(f" of {first.applied} values put back")
    assert 0 < _count(told) < first.applied
    assert (told.state, told.hint) == ("fail", f"Run it again: {command}")
    assert (await world.sync()).exit_code == 1

    with dying("give_back"):
        await undo_run(world, first.run)
    [later] = (await world.sync()).alarms
    assert later.since == told.since, "it is the same undo"
    assert _count(later) == first.applied, "what both wrote counts"

    await undo_run(world, first.run)
    assert (await world.sync()).exit_code == 0
    assert await told_by_status(world) == ()


def _count(told: Alarm) -> int:
    return int(told.what.split(": ")[1].split()[0])


async def test_a_release_that_died_after_its_last_write_is_told_until_it_is_run_again(
    world: World,
) -> None:
    first = await world.sync()
    with dying("give_back"):
        await release(world)
    [told] = (await world.sync()).alarms
    count = f"{first.applied} of {first.applied} values removed"
    assert told.what == f"{RELEASE} was interrupted: {count}"
    again = await release(world)
    assert (again.run, again.exit_code) == (0, 0), "there was nothing left to do"
    assert (await world.sync()).exit_code == 0


async def test_an_undo_that_goes_on_elsewhere_is_not_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await world.sync()
    with dying("begin_changes"):
        await undo_run(world, first.run)
    with monkeypatch.context() as patch:
        patch.setattr("opsync.steps.cutshort.is_held_elsewhere", lambda path: True)
        assert await told_by_status(world) == ()
        await world.sync()
        assert len(await told_by_status(world)) == 1, "a later run found it dead"


async def test_an_undo_that_died_can_be_undone_instead(world: World) -> None:
    first = await world.sync()
    stood = standing(world)
    with dying("finish_changes", after=2):
        await undo_run(world, first.run)
    async with world.session("look") as session:
        [died] = await session.store.interrupted_runs()

    await undo_run(world, died.seq)
    await world.sync()

    assert await held(world) == []
    assert str(standing(world)["columns"]) == str(stood["columns"])
    async with world.session("look") as session:
        assert await session.store.interrupted_runs() == []
    await world.silent()


async def test_what_a_death_left_held_can_be_asked_for_one_by_one(world: World) -> None:
    await world.sync()
    with dying("begin_changes"):
        await release(world)
    record = await world.record("One-tap checkout")
    async with world.session("resolve") as session:
        left = [one for one in await about(session.store, record.ref) if one.hold is not None]
        assert left
        assert all(one.owned for one in left), "it stands there as opsync wrote it"
        at = world.clock.now()
        await resolve(session.config, session.store, left, "ours", by="ana", at=at)
    world.jira.set_status("PAY-3", "Done")
    await world.sync()
    assert world.checkout.text("Delivery").startswith("3 of 5 done")
