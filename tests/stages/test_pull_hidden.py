"""Pulling what was read while something else was hidden: it lost its place, or shows up again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from opsync.contract.connector import Batch, Item
from opsync.errors import TemporaryError
from opsync.model import Record
from opsync.stages.census import FADED
from opsync.stages.pulling import ASK_AGAIN
from opsync.stages.resuming import CHECKED
from opsync.store import Store, inline
from tests.stages.test_pull import ALL, OVERLAP, Desk, Tool
from tests.stages.test_pull_census import DAY_S, CountedDesk, Lister, refs
from tests.support.build import at, record
from tests.support.clock import FakeClock

EPIC, STORY = record("1"), record("2", parent="1", created_at=at(20))
LOST = record("2", created_at=at(20))
"""The story, read while its epic was hidden."""


def of(*records: Record, high: datetime | None = None) -> Batch:
    return Batch([Item("issue", one.ref.id, one) for one in records], high)


class Finder(Lister):
    """Looks up what it lists, and what it does not, as records of a test's own."""

    found: tuple[Record, ...] = ()

    async def look_up(self, *_: object, **__: object) -> list[Item]:  # type: ignore[override]
        return [Item("issue", one.ref.id, one) for one in self.found]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[CountedDesk]:
    """An epic and its story were read in full, and nothing changed since."""
    store = Store.open(tmp_path / "opsync.db", clock=FakeClock(), executor=inline)
    desk = CountedDesk(store, FakeClock(), Finder())
    desk.tool.pages = [refs(1, 2)]
    desk.tool.script["issues"] = [of(EPIC, STORY, high=at(21))]
    await desk.pull()
    desk.tool.script["issues"] = []
    yield desk
    await store.close()


async def kept(desk: Desk, feed: str = "issues") -> tuple[object, bool]:
    """When all is read again, and whether items are asked for by the names they go by."""
    found = await desk.store.kept("jira")
    return found.get(FADED.format(feed)), bool(found.get(ASK_AGAIN))


async def test_a_first_read_leaves_nothing_to_read_again(desk: CountedDesk) -> None:
    assert await kept(desk) == (None, False)


async def test_what_lost_its_place_has_all_read_again_with_the_next_census(
    desk: CountedDesk,
) -> None:
    desk.tool.script["issues"] = [of(LOST, high=at(22))]
    await desk.pull()
    assert await kept(desk) == ("due", False)
    desk.tool.script["issues"] = [of(EPIC, STORY)]
    await desk.pull()
    assert desk.since == at(22) - OVERLAP
    desk.clock.advance(DAY_S)
    await desk.pull()
    assert desk.since is None
    assert await kept(desk) == (None, True)


async def test_so_has_what_lost_it_while_all_was_read(desk: CountedDesk) -> None:
    desk.tool.script["issues"] = [of(EPIC, LOST)]
    await desk.pull(full=True)
    assert await kept(desk) == ("due", True)


async def test_so_has_what_was_there_before_and_was_not_visible(desk: CountedDesk) -> None:
    """It may have got another name meanwhile, too."""
    desk.tool.script["issues"] = [of(record("3", created_at=at(2)), high=at(22))]
    await desk.pull()
    assert await kept(desk) == ("due", True)


async def test_what_is_as_old_as_what_was_read_may_have_another_name(desk: CountedDesk) -> None:
    desk.tool.script["issues"] = [of(record("3", created_at=at(21)), high=at(22))]
    await desk.pull()
    assert await kept(desk) == (None, True)


async def test_so_may_what_a_census_comes_across(desk: CountedDesk) -> None:
    assert isinstance(desk.tool, Finder)
    desk.clock.advance(DAY_S)
    desk.tool.pages = [refs(1, 2, 3)]
    desk.tool.found = (record("3", created_at=at(21)),)
    await desk.pull()
    assert await kept(desk) == (None, True)


async def test_what_is_new_has_nothing_read_again(desk: CountedDesk) -> None:
    desk.tool.script["issues"] = [of(record("3", created_at=at(22)), high=at(22))]
    await desk.pull()
    assert await kept(desk) == (None, False)


async def test_what_a_census_comes_across_has_all_read_again_in_the_next_pass(
    desk: CountedDesk,
) -> None:
    assert isinstance(desk.tool, Finder)
    desk.clock.advance(DAY_S)
    desk.tool.pages = [refs(1, 2, 3)]
    desk.tool.found = (record("3", created_at=at(2)),)
    await desk.pull()
    assert await kept(desk) == ("now", True)
    desk.tool.script["issues"] = [of(EPIC, STORY, *desk.tool.found)]
    await desk.pull()
    assert desk.since is None
    assert (await kept(desk))[0] is None


async def test_what_a_census_finds_without_its_place_waits_for_the_next(desk: CountedDesk) -> None:
    assert isinstance(desk.tool, Finder)
    desk.clock.advance(DAY_S)
    desk.tool.pages = [refs(1)]
    desk.tool.found = (LOST,)
    await desk.pull()
    assert await kept(desk) == ("due", False)


async def test_what_is_to_be_read_now_is_so_although_something_lost_its_place_meanwhile(
    desk: CountedDesk,
) -> None:
    await desk.store.put_kept("jira", {FADED.format("issues"): "now"})
    desk.tool.script["issues"] = [of(EPIC, LOST), TemporaryError("down")]
    await desk.pull()
    assert await kept(desk) == ("now", False)


async def test_no_census_is_noted_of_a_read_without_one(desk: CountedDesk) -> None:
    """As by a version that noted none."""
    await desk.store.put_kept("jira", {CHECKED.format("issues"): None})
    await desk.pull()
    assert CHECKED.format("issues") not in await desk.store.kept("jira")


async def test_of_what_is_read_whole_each_time_nothing_of_it_is_kept(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "opsync.db", clock=FakeClock(), executor=inline)
    desk = Desk(store, FakeClock(), Tool())
    desk.tool.listed = [ALL]
    desk.tool.script["all"] = [of(EPIC, STORY, high=at(21))]
    for _ in range(2):
        await desk.pull()
        assert await kept(desk, "all") == (None, False)
        assert CHECKED.format("all") not in await store.kept("jira")
    await store.close()
