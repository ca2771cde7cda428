"""Pulling an instance that can list its ids: what is concluded from a listing, and from none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from opsync.contract.census import Absent, Census, Why
from opsync.contract.connector import Batch, Feed, Item
from opsync.errors import TemporaryError
from opsync.model import Record, Ref
from opsync.stages.census import COUNTED, DOUBTED, WAITING
from opsync.store import Store, inline
from tests.stages.test_pull import OVERLAP, Desk, Tool, batch, items
from tests.support.build import at
from tests.support.clock import START, FakeClock

DAY_S = 86_400.0


def refs(*ids: int) -> list[Ref]:
    return [Ref("jira", "issue", str(one)) for one in ids]


class Lister(Tool, Census):
    """A tool that lists ids as a test says, and says why the others are not `there`."""

    look_up_max: ClassVar[int] = 2

    def __init__(self) -> None:
        super().__init__()
        self.pages: Sequence[Sequence[Ref] | Exception] = ()
        self.there: Sequence[int] = ()
        self.why: Why = "deleted"
        self.listings = 0
        self.sought: list[list[str]] = []

    async def listing(self, feed: Feed) -> AsyncIterator[Sequence[Ref]]:
        self.listings += 1
        for page in self.pages:
            if isinstance(page, Exception):
                raise page
            yield page

    async def look_up(
        self, feed: Feed, refs: Sequence[Ref], known: Mapping[Ref, Record], *, listed: bool
    ) -> Sequence[Item | Absent]:
        self.sought.append([ref.id for ref in refs])
        found = items(*(ref.id for ref in refs if int(ref.id) in self.there))
        gone = [Absent(ref, self.why) for ref in refs if int(ref.id) not in self.there]
        return [*found, *gone]

    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        return [] if raw is None else super().normalize(stream, raw)


@dataclass
class CountedDesk(Desk):
    tool: Lister = field(default_factory=Lister)

    async def kept(self, name: str) -> object:
        return (await self.store.kept("jira")).get(name.format("issues"))

    def asked_so_far(self) -> int:
        """How many requests the tool was sent: one a listing, and one a look."""
        return self.tool.listings + len(self.tool.sought)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[CountedDesk]:
    """Five issues were read in full, a day ago."""
    clock = FakeClock()
    store = Store.open(tmp_path / "opsync.db", clock=clock, executor=inline)
    desk = CountedDesk(store, clock)
    desk.tool.script["issues"] = [batch(1, 2, 3, 4, 5, high=at(3))]
    await desk.pull()
    desk.tool.script["issues"] = []
    clock.advance(DAY_S)
    yield desk
    await store.close()


async def test_a_day_after_a_full_read_the_ids_are_listed_and_what_is_missing_is_looked_up(
    desk: CountedDesk,
) -> None:
    assert await desk.kept(COUNTED) == START.isoformat()
    desk.tool.pages = [refs(1, 2), refs(3, 5)]
    report = await desk.pull(requests=desk.asked_so_far)
    assert desk.tool.sought == [["4"]]
    assert (report.missing, report.gone, report.trouble) == (1, {"deleted": 1}, "")
    assert (report.counted, report.looked_up, report.census_requests) == (1, 1, 2)
    assert await desk.has() == {"1", "2", "3", "5"}
    assert await desk.kept(COUNTED) == desk.clock.now().isoformat()
    assert desk.since == at(3) - OVERLAP
    await desk.pull()
    assert desk.tool.listings == 1


async def _two_censuses_later(desk: CountedDesk) -> None:
    """The last census was taken when all was read up to 3; by now it is read up to 9, and another
    is due."""
    desk.tool.pages = [refs(1, 2, 3, 4, 5)]
    await desk.pull()
    desk.tool.script["issues"] = [batch(5, high=at(9))]
    await desk.pull()
    desk.tool.script["issues"] = []
    await desk.pull()
    assert (desk.since, desk.tool.listings) == (at(9) - OVERLAP, 1)
    desk.clock.advance(DAY_S)


async def test_with_each_census_what_changed_since_the_last_one_but_one_is_read_once_more(
    desk: CountedDesk,
) -> None:
    """Some of it may have been hidden, or in no index yet, when it was its turn: perhaps in the
    run of the last one itself."""
    await _two_censuses_later(desk)
    await desk.pull()
    assert desk.since == at(3) - OVERLAP
    await desk.pull()
    assert desk.since == at(9) - OVERLAP
    desk.clock.advance(DAY_S)
    await desk.pull()
    assert (desk.since, desk.tool.listings) == (at(3) - OVERLAP, 3)
    desk.clock.advance(DAY_S)
    await desk.pull()
    assert (desk.since, desk.tool.listings) == (at(9) - OVERLAP, 4)


async def test_where_that_is_cut_off_it_is_read_once_more_with_the_next_census_but_one(
    desk: CountedDesk,
) -> None:
    """The next pass goes on instead, so that what is new is read even where it never ends."""
    await _two_censuses_later(desk)
    desk.tool.script["issues"] = [TemporaryError("jira: away")]
    await desk.pull()
    assert desk.since == at(3) - OVERLAP
    desk.tool.script["issues"] = []
    await desk.pull()
    assert (desk.since, desk.tool.listings) == (at(9) - OVERLAP, 2)
    desk.clock.advance(DAY_S)
    await desk.pull()
    assert desk.since == at(3) - OVERLAP


async def test_while_a_listing_is_not_believed_nothing_is_read_once_more(
    desk: CountedDesk,
) -> None:
    await _two_censuses_later(desk)
    desk.tool.pages = [[]]
    await desk.pull()
    for _ in range(2):
        desk.clock.advance(600)
        assert (await desk.pull()).trouble == "stopped"
        assert desk.since == at(9) - OVERLAP


async def test_a_full_read_leaves_nothing_to_be_read_once_more(desk: CountedDesk) -> None:
    await _two_censuses_later(desk)
    desk.tool.script["issues"] = [batch(1, 2, 3, 4, 5, high=at(9))]
    await desk.pull(full=True)
    desk.tool.script["issues"] = []
    desk.clock.advance(DAY_S)
    await desk.pull()
    assert desk.since == at(9) - OVERLAP


async def test_what_is_there_all_the_same_is_not_gone(desk: CountedDesk) -> None:
    desk.tool.pages, desk.tool.there = [refs(1, 2, 3)], (4, 5)
    report = await desk.pull()
    assert (desk.tool.sought, report.missing) == ([["4", "5"]], 0)


async def test_what_is_listed_and_not_known_is_looked_up_and_kept(desk: CountedDesk) -> None:
    desk.tool.pages, desk.tool.there = [refs(1, 2, 3, 4, 5, 6)], (6,)
    await desk.pull()
    assert desk.tool.sought == [["6"]]
    assert "6" in await desk.has()


async def test_what_a_full_read_shows_and_makes_no_record_is_not_looked_up(
    desk: CountedDesk,
) -> None:
    desk.tool.script["issues"] = [Batch([*items(1, 2, 3, 4, 5), Item("issue", "6", None)])]
    await desk.pull(full=True)
    assert desk.tool.sought == []


async def test_more_than_a_pass_may_look_up_waits_for_the_next(desk: CountedDesk) -> None:
    desk.tool.pages = [refs(1, 2)]
    report = await desk.pull()
    assert (desk.tool.sought, report.missing, report.waiting) == ([["3", "4"]], 2, 1)
    report = await desk.pull(requests=desk.asked_so_far)
    assert (desk.tool.sought[1:], report.missing, report.waiting) == ([["5"]], 1, 0)
    assert (report.census_requests, desk.tool.listings) == (1, 1)
    assert await desk.kept(WAITING) is None


async def test_pages_that_repeat_each_other_are_no_list_and_nothing_is_looked_up(
    desk: CountedDesk,
) -> None:
    desk.tool.pages = [refs(1), refs(2), *[refs(2)] * 4]
    report = await desk.pull()
    assert report.message == "jira: the list of ids of Issues does not end"
    assert (report.trouble, report.missing, desk.tool.sought) == ("incomplete", 0, [])
    assert await desk.kept(COUNTED) == START.isoformat()
    assert (await desk.cursor()).failed_since == desk.clock.now()


async def test_three_pages_with_nothing_new_are_a_list_still(desk: CountedDesk) -> None:
    desk.tool.pages = [refs(1), *[refs(1)] * 3, refs(2, 3, 4, 5), *[refs(1)] * 3]
    assert (await desk.pull()).trouble == ""


async def test_a_listing_that_broke_off_concludes_nothing(desk: CountedDesk) -> None:
    desk.tool.pages = [refs(1, 2, 3), TemporaryError("down")]
    report = await desk.pull()
    assert (report.trouble, report.missing, desk.tool.sought) == ("incomplete", 0, [])
    desk.tool.pages = [refs(4, 5)]
    await desk.pull()
    assert desk.tool.sought == [["1", "2"]]


@pytest.mark.parametrize("full", [False, True])
async def test_an_empty_listing_is_not_believed_nor_asked_for_again_within_the_hour(
    desk: CountedDesk, full: bool
) -> None:
    report = await desk.pull(full=full)
    assert report.trouble == "stopped"
    assert "Issues answered nothing where 5 were known" in report.message
    assert (report.missing, desk.tool.sought, len(await desk.has())) == (0, [], 5)
    assert await desk.kept(DOUBTED) == {
        "lost": 5,
        "known": 5,
        "listed": 0,
        "at": desk.clock.now().isoformat(),
    }
    assert await desk.kept(COUNTED) == START.isoformat()
    listings = desk.tool.listings
    desk.clock.advance(3599)
    assert (await desk.pull()).trouble == "stopped"
    assert desk.tool.listings == listings


async def test_it_is_believed_where_a_person_says_so(desk: CountedDesk) -> None:
    await desk.pull()
    report = await desk.pull(allowed=5)
    assert (report.missing, report.trouble) == (5, "")
    assert await desk.kept(DOUBTED) is None


async def test_after_a_full_read_what_is_missing_is_looked_up_likewise(desk: CountedDesk) -> None:
    desk.tool.script["issues"] = [batch(1, 2, 3, 4, high=at(4))]
    report = await desk.pull(full=True, requests=lambda: 7 + desk.asked_so_far())
    assert (desk.tool.listings, desk.tool.sought) == (0, [["5"]])
    assert (report.missing, report.census_requests) == (1, 1)


async def test_by_other_settings_what_is_missing_is_out_of_scope_and_not_looked_up(
    desk: CountedDesk,
) -> None:
    desk.tool.script["issues"] = [batch(1, high=at(4))]
    report = await desk.pull(fingerprint="narrower")
    assert (report.missing, report.waiting, desk.tool.sought) == (4, 0, [])


async def test_by_other_settings_what_was_archived_unseen_is_looked_up_in_the_next_pass(
    desk: CountedDesk,
) -> None:
    desk.tool.pages, desk.tool.why = [refs(1, 2, 3, 4)], "archived"
    await desk.pull()
    desk.tool.script["issues"] = [batch(1, 2, 3, 4)]
    report = await desk.pull(fingerprint="narrower")
    assert (report.missing, report.waiting) == (0, 1)
    await desk.pull(fingerprint="narrower")
    assert desk.tool.sought == [["5"], ["5"]]


async def test_an_instance_that_cannot_list_ids_is_read_in_full_after_a_day(
    desk: CountedDesk,
) -> None:
    desk.tool.lists_ids = False
    desk.tool.script["issues"] = [batch(1, 2, 3, 4)]
    report = await desk.pull()
    assert (desk.since, report.missing, desk.tool.listings, desk.tool.sought) == (None, 1, 0, [])
    await desk.pull()
    assert desk.since == at(3) - OVERLAP
