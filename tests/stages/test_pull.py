"""Pulling one instance: where it resumes, what it concludes, and what it leaves after a failure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from opsync.contract.connector import Batch, Feed, Item, Readable
from opsync.errors import (
    BadAnswer,
    RecordError,
    RefusedError,
    SignInError,
    StoreError,
    TemporaryError,
)
from opsync.model import Mention, Record
from opsync.report import InstanceReport
from opsync.stages.census import DOUBTED, FADED
from opsync.stages.pull import EXPECTED, is_core_key, is_half_read, pull, pull_named
from opsync.stages.pulling import PullContext, silent
from opsync.store import CursorState, Prepared, Store, inline
from tests.support.build import at, record
from tests.support.clock import START, FakeClock

ISSUES = Feed("issues", ("issue",), title="Issues")
OTHERS = Feed("others", ("other",))
ALL = Feed("all", ("issue",), snapshot=True)
FLAGS = Feed("flags", ("flag",), named="flag-")
OVERLAP = timedelta(seconds=90)

Script = Sequence[Batch | Exception]


class Tool(Readable):
    """A tool that answers what a test says, and remembers since when it was asked."""

    def __init__(self) -> None:
        self.listed: Sequence[Feed] | Exception = [ISSUES]
        self.script: dict[str, Script] = {}
        self.asked: list[tuple[str, datetime | None]] = []

    async def feeds(self) -> Sequence[Feed]:
        if isinstance(self.listed, Exception):
            raise self.listed
        return self.listed

    async def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        self.asked.append((feed.name, since))
        for one in self.script.get(feed.name, ()):
            if isinstance(one, Exception):
                raise one
            yield one

    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        assert isinstance(raw, Record)
        yield raw


@dataclass
class Desk:
    """A tool with a store, and what each pull of it told."""

    store: Store
    clock: FakeClock
    tool: Tool = field(default_factory=Tool)
    run: int = 0
    context: PullContext = field(init=False)

    async def pull(self, *, named: bool = False, **more: Any) -> InstanceReport:
        self.run = await self.store.begin_run("sync")
        given: dict[str, Any] = {"fingerprint": "settings", "naming": "names"} | more
        context = PullContext(self.store, self.clock, self.run, overlap_s=90, **given)
        self.context = context
        report = InstanceReport("jira", "Jira", read_at=self.clock.now())
        await pull(self.tool, report, context)
        if named:
            await pull_named(self.tool, report, context)
        return report

    async def cursor(self, feed: str = "issues") -> CursorState:
        (found,) = [one for one in await self.store.cursors("jira") if one.feed == feed]
        return found

    async def has(self) -> set[str]:
        return {one.ref.id for one in await self.store.records_page(limit=1000)}

    @property
    def since(self) -> datetime | None:
        return self.tool.asked[-1][1]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = FakeClock()
    store = Store.open(tmp_path / "opsync.db", clock=clock, executor=inline)
    yield Desk(store, clock)
    await store.close()


def items(*ids: int | str, stream: str = "issue") -> list[Item]:
    return [Item(stream, str(one), record(str(one))) for one in ids]


def batch(*ids: int, high: datetime | None = None, **more: Any) -> Batch:
    return Batch(items(*ids), high, **more)


# Where it resumes


async def test_the_first_pull_reads_everything_and_the_next_resumes_with_an_overlap(
    desk: Desk,
) -> None:
    desk.tool.script["issues"] = [batch(1, high=at(3)), batch(2, high=at(2)), batch()]
    report = await desk.pull()
    assert desk.since is None
    assert (report.read, report.changed, report.missing, report.trouble) == (2, 2, 0, "")
    assert await desk.cursor() == CursorState(
        instance="jira", feed="issues", high=at(3), completed_at=START
    )
    desk.tool.script["issues"] = [batch(1, high=at(5))]
    await desk.pull()
    assert desk.since == at(3) - OVERLAP
    await desk.pull()
    assert desk.since == at(5) - OVERLAP


async def test_a_pull_that_saw_no_time_stays_where_it_was(desk: Desk) -> None:
    desk.tool.script["issues"] = [batch(1, high=at(3))]
    await desk.pull()
    desk.tool.script["issues"] = [batch(1)]
    await desk.pull()
    await desk.pull()
    assert desk.since == at(3) - OVERLAP


async def test_each_feed_resumes_at_its_own(desk: Desk) -> None:
    desk.tool.listed = [ISSUES, OTHERS]
    desk.tool.script = {"issues": [batch(1, high=at(3))], "others": [batch(2, high=at(5))]}
    await desk.pull()
    await desk.pull()
    assert desk.tool.asked[2:] == [("issues", at(3) - OVERLAP), ("others", at(5) - OVERLAP)]


async def test_only_a_resumable_batch_moves_the_cursor_before_the_end(desk: Desk) -> None:
    broken = TemporaryError("down", hint="wait")
    desk.tool.script["issues"] = [
        batch(1, high=at(3), resumable=True),
        batch(2, high=at(4)),
        broken,
    ]
    report = await desk.pull()
    assert (report.trouble, report.message, report.hint) == ("incomplete", "down", "wait")
    assert (await desk.cursor()).high == at(3)
    assert await desk.has() == {"1", "2"}


@pytest.mark.parametrize(
    "changed", [{"full": True}, {"fingerprint": "other"}, {"naming": "other"}], ids=str
)
async def test_what_decides_what_records_are_has_everything_read_again_once(
    desk: Desk, changed: dict[str, Any]
) -> None:
    desk.tool.script["issues"] = [batch(1, high=at(3))]
    await desk.pull()
    await desk.pull(**changed)
    assert desk.since is None
    await desk.pull(**{**changed, "full": False})
    assert desk.since == at(3) - OVERLAP


async def test_a_snapshot_is_read_whole_each_time(desk: Desk) -> None:
    desk.tool.listed = [ALL]
    desk.tool.script["all"] = [batch(1, high=at(3))]
    await desk.pull()
    await desk.pull()
    assert desk.since is None


async def test_changes_that_came_in_several_answers_show_no_single_moment(desk: Desk) -> None:
    """I6: what was edited may have moved, meanwhile, to what was answered already."""
    several = [batch(1, high=at(3)), batch(), batch(2, high=at(4))]
    for script, full, known in (
        (several, False, True),  # the first, of everything, which is in another order
        ([batch(1, 2, high=at(5)), batch()], False, True),
        (several, False, False),
        (several, True, True),
    ):
        desk.tool.script["issues"] = script
        report = await desk.pull(full=full)
        assert report.read_at == (START if known else None)
    desk.tool.listed = [ALL]
    desk.tool.script["all"] = several
    for _ in range(2):
        assert (await desk.pull()).read_at == START


# What it concludes


async def test_what_a_whole_walk_does_not_show_is_gone(desk: Desk) -> None:
    desk.tool.script["issues"] = [batch(1, 2, 3, high=at(3))]
    await desk.pull()
    desk.tool.script["issues"] = [batch(1, high=at(3)), batch(3)]
    report = await desk.pull(full=True)
    assert (report.missing, report.gone) == (1, {"missing": 1})
    assert await desk.has() == {"1", "3"}


async def test_what_a_walk_of_changes_does_not_show_is_not_gone(desk: Desk) -> None:
    desk.tool.script["issues"] = [batch(1, 2, 3, high=at(3))]
    await desk.pull()
    desk.tool.script["issues"] = [batch(1, high=at(4))]
    assert (await desk.pull()).missing == 0
    assert await desk.has() == {"1", "2", "3"}


async def test_what_could_not_be_read_in_a_whole_walk_is_not_gone(desk: Desk) -> None:
    desk.tool.script["issues"] = [batch(1, 2, 3, high=at(3))]
    await desk.pull()
    bad = Item("issue", "2", RecordError("no title"))
    desk.tool.script["issues"] = [Batch([*items(1, 3), bad])]
    report = await desk.pull(full=True)
    assert (report.set_aside, report.missing) == (1, 0)
    assert await desk.has() == {"1", "2", "3"}


async def test_a_walk_that_broke_off_is_forgotten_by_the_next(desk: Desk) -> None:
    desk.tool.script["issues"] = [batch(1, 2, 3, high=at(3))]
    await desk.pull()
    desk.tool.script["issues"] = [batch(2), BadAnswer("cut")]
    assert (await desk.pull(full=True)).missing == 0
    desk.tool.script["issues"] = [batch(1, 3)]
    assert (await desk.pull(full=True)).missing == 1
    assert await desk.has() == {"1", "3"}


@pytest.mark.parametrize(
    ("shown", "what"), [((), "nothing"), (range(1, 80), "21 of 100 records fewer")]
)
async def test_too_little_is_not_believed_until_a_whole_walk_shows_enough(
    desk: Desk, shown: Sequence[int], what: str
) -> None:
    desk.tool.script["issues"] = [batch(*range(1, 101), high=at(3))]
    await desk.pull()
    desk.clock.advance(3600)
    desk.tool.script["issues"] = [batch(*shown, high=at(9))]
    report = await desk.pull(full=True)
    told = (
        f"jira: Issues answered {what} where 100 were known; nothing is counted as gone and "
        "nothing is written from it"
    )
    assert (report.trouble, report.message, report.missing) == ("stopped", told, 0)
    assert "what the credential may see" in report.hint
    assert len(await desk.has()) == 100
    assert await desk.cursor() == CursorState(
        instance="jira",
        feed="issues",
        high=at(3),
        completed_at=START,
        failed_since=START + timedelta(hours=1),
        error=told,
    )
    assert await is_half_read(desk.store, "jira")
    desk.tool.script["issues"] = [batch(*range(1, 101), high=at(9))]
    assert DOUBTED.format("issues") in await desk.store.kept("jira")
    desk.clock.advance(3600)
    assert (await desk.pull()).trouble == ""
    assert desk.since is None
    assert DOUBTED.format("issues") not in await desk.store.kept("jira")
    await desk.pull()
    assert desk.since == at(9) - OVERLAP


async def _stopped(desk: Desk, **settings: Any) -> None:
    """A hundred were read up to 3, and a whole read after that shows nothing."""
    desk.tool.script[desk.tool.listed[0].name] = [batch(*range(100), high=at(3))]
    await desk.pull()
    desk.tool.script = {}
    assert (await desk.pull(**({"full": True} | settings))).trouble == "stopped"


async def test_within_the_hour_only_what_is_new_is_read_and_nothing_is_concluded(
    desk: Desk,
) -> None:
    await _stopped(desk)
    before = await desk.cursor()
    desk.clock.advance(3599)
    desk.tool.script["issues"] = [batch(1, 100, high=at(9))]
    report = await desk.pull()
    assert (report.trouble, report.read, report.changed) == ("stopped", 2, 1)
    assert report.message == before.error
    assert desk.since == at(3) - OVERLAP
    assert len(await desk.has()) == 101
    assert (report.missing, await desk.cursor()) == (0, before)
    desk.clock.advance(1)
    assert (await desk.pull()).trouble == "stopped"
    assert desk.since is None, "the hour is over"
    desk.clock.advance(3599)
    await desk.pull()
    assert desk.since == at(3) - OVERLAP, "and another one has begun"


@pytest.mark.parametrize("settings", [{"fingerprint": "other"}, {"naming": "other"}], ids=str)
async def test_by_settings_that_were_not_believed_all_is_read_once_an_hour_too(
    desk: Desk, settings: dict[str, Any]
) -> None:
    await _stopped(desk, full=False, **settings)
    assert (await desk.pull(**settings)).trouble == "stopped"
    assert desk.since == at(3) - OVERLAP
    desk.clock.advance(3600)
    await desk.pull(**settings)
    assert desk.since is None


@pytest.mark.parametrize(
    "changed",
    [{"fingerprint": "other"}, {"naming": "other"}, {"full": True}, {"allowed": 1}],
    ids=str,
)
async def test_what_a_person_changes_or_asks_for_has_all_read_within_the_hour(
    desk: Desk, changed: dict[str, Any]
) -> None:
    await _stopped(desk)
    desk.tool.script["issues"] = [batch(*range(100), high=at(3))]
    assert (await desk.pull(**changed)).trouble == ""
    assert desk.since is None
    await desk.pull(**{**changed, "full": False})
    assert desk.since == at(3) - OVERLAP, "it is believed"


async def test_no_other_reason_to_read_all_counts_within_the_hour(desk: Desk) -> None:
    await _stopped(desk)
    await desk.store.put_kept("jira", {FADED.format("issues"): "now"})
    await desk.pull(census_every=timedelta(0))
    assert desk.since == at(3) - OVERLAP


async def test_a_snapshot_that_is_not_believed_is_read_whole_each_time(desk: Desk) -> None:
    desk.tool.listed = [ALL]
    await _stopped(desk)
    desk.tool.script["all"] = [batch(*range(100))]
    assert (await desk.pull()).trouble == ""
    assert desk.since is None


async def test_where_no_time_was_ever_seen_there_is_only_all_to_read(desk: Desk) -> None:
    desk.tool.script["issues"] = [batch(*range(100))]
    await desk.pull()
    desk.tool.script["issues"] = [batch(1)]
    for fingerprint in ("settings", "settings", "narrower"):
        report = await desk.pull(fingerprint=fingerprint)
        assert desk.since is None
    assert (report.trouble, report.missing) == ("", 99)


async def test_as_much_as_a_person_says_may_vanish(desk: Desk) -> None:
    desk.tool.script["issues"] = [batch(*range(1, 101), high=at(3))]
    await desk.pull()
    desk.tool.script["issues"] = [batch(*range(1, 41))]
    assert (await desk.pull(full=True, allowed=59)).trouble == "stopped"
    assert (await desk.pull(full=True, allowed=60)).missing == 60


async def test_a_feed_without_a_title_is_told_by_its_name(desk: Desk) -> None:
    desk.tool.listed = [ALL]
    desk.tool.script["all"] = [batch(*range(20))]
    await desk.pull()
    desk.tool.script["all"] = []
    assert "jira: all answered nothing" in (await desk.pull()).message


async def test_other_settings_may_take_any_number_out_but_not_all(desk: Desk) -> None:
    desk.tool.script["issues"] = [batch(*range(100), high=at(3))]
    await desk.pull()
    desk.tool.script["issues"] = [batch(1)]
    assert (await desk.pull(fingerprint="narrower")).missing == 99
    desk.tool.script["issues"] = []
    assert (await desk.pull(fingerprint="narrower still")).trouble == "stopped"


async def test_other_names_are_no_reason_to_believe_that_much_is_gone(desk: Desk) -> None:
    desk.tool.script["issues"] = [batch(*range(100), high=at(3))]
    await desk.pull()
    desk.tool.script["issues"] = [batch(1)]
    assert (await desk.pull(naming="other")).trouble == "stopped"


async def test_a_listing_that_does_not_end_is_told_and_a_few_empty_pages_are_none(
    desk: Desk,
) -> None:
    empty = batch()
    desk.tool.script["issues"] = [*[empty] * 3, batch(1), *[empty] * 3, batch(2, high=at(3))]
    assert (await desk.pull()).trouble == ""
    desk.tool.script["issues"] = [*[empty] * 4, batch(1)]
    report = await desk.pull()
    assert report.message == "jira: the listing of Issues does not end"
    assert report.trouble == "incomplete"


async def test_how_many_items_were_announced_and_came_is_kept_of_a_whole_walk(desk: Desk) -> None:
    key = EXPECTED.format("issues")
    desk.tool.script["issues"] = [batch(1, high=at(3), expected=5), batch(2, 3)]
    await desk.pull()
    said = {"expected": 5, "read": 3, "at": START.isoformat()}
    assert (await desk.store.kept("jira"))[key] == said
    desk.tool.script["issues"] = [batch(1, expected=1)]
    await desk.pull()
    assert (await desk.store.kept("jira"))[key] == said
    desk.tool.script["issues"] = [batch(1, 2, 3)]
    await desk.pull(full=True)
    assert key not in await desk.store.kept("jira")


async def test_progress_is_told_after_each_batch(desk: Desk) -> None:
    told: list[tuple[str, int, int | None]] = []
    desk.tool.script["issues"] = [batch(1, 2, expected=3), batch(3)]
    await desk.pull(progress=lambda *said: told.append(said))
    assert told == [("jira", 2, 3), ("jira", 3, None)]
    silent("jira", 1, None)


async def test_what_cannot_be_read_is_set_aside_without_secrets(desk: Desk) -> None:
    bad = Item("issue", "9", RecordError("no title, token canary"))
    desk.tool.script["issues"] = [Batch([*items(1), bad])]
    report = await desk.pull(clean=lambda text: text.replace("canary", "***"))
    assert (report.read, report.set_aside, report.trouble) == (1, 1, "")
    assert [one.reason for one in await desk.store.quarantine()] == ["no title, token ***"]


# What it leaves after a failure


async def test_one_feeds_fault_is_its_own(desk: Desk) -> None:
    desk.tool.listed = [ISSUES, OTHERS]
    desk.tool.script = {"issues": [ValueError("token canary")], "others": [batch(2, high=at(5))]}
    report = await desk.pull(clean=lambda text: text.replace("canary", "***"))
    assert report.trouble == "plugin"
    assert "ValueError: token ***" in report.message
    assert (await desk.cursor()).failed_since == START
    assert (await desk.cursor()).error == report.message
    assert (await desk.cursor("others")).completed_at == START
    assert await is_half_read(desk.store, "jira")


async def test_the_first_failures_time_is_kept_until_it_is_read_again(desk: Desk) -> None:
    desk.tool.script["issues"] = [TemporaryError("down")]
    await desk.pull()
    desk.clock.advance(600)
    await desk.pull()
    assert (await desk.cursor()).failed_since == START
    desk.tool.script["issues"] = []
    await desk.pull()
    assert await desk.cursor() == CursorState(
        instance="jira", feed="issues", completed_at=desk.clock.now()
    )


async def test_after_a_refused_sign_in_nothing_else_is_asked(desk: Desk) -> None:
    desk.tool.listed = [ISSUES, OTHERS]
    desk.tool.script["issues"] = [SignInError("expired", hint="renew")]
    report = await desk.pull()
    assert (report.trouble, report.message) == ("sign-in", "expired")
    assert [feed for feed, _ in desk.tool.asked] == ["issues"]


async def test_which_feed_was_refused_is_told(desk: Desk) -> None:
    desk.tool.script["issues"] = [RefusedError("no such field")]
    assert (await desk.pull()).refused == ["issues"]
    desk.tool.listed = RefusedError("no such project")
    assert (await desk.pull()).refused == [""]


async def test_a_tool_that_does_not_tell_its_feeds_is_in_trouble_as_a_whole(desk: Desk) -> None:
    desk.tool.listed = TemporaryError("down")
    report = await desk.pull()
    assert (report.trouble, desk.tool.asked) == ("incomplete", [])
    assert (await desk.cursor("")).failed_since == START


@pytest.mark.parametrize("where", ["feeds", "pull"])
async def test_the_stores_own_trouble_is_raised(desk: Desk, where: str) -> None:
    if where == "feeds":
        desk.tool.listed = StoreError("full")
    desk.tool.script["issues"] = [StoreError("full")]
    with pytest.raises(StoreError):
        await desk.pull()


async def test_it_is_half_read_until_a_read_came_to_its_end(desk: Desk) -> None:
    assert await is_half_read(desk.store, "jira")
    await desk.pull()
    assert not await is_half_read(desk.store, "jira")
    desk.tool.script["issues"] = [TemporaryError("down")]
    await desk.pull()
    assert await is_half_read(desk.store, "jira")


async def test_a_feed_of_the_cores_own_is_no_read(desk: Desk) -> None:
    await desk.store.finish_feed(1, "jira", "opsync:metrics", high=None, at=START)
    assert is_core_key("opsync:metrics")
    assert await is_half_read(desk.store, "jira")


async def test_a_pull_with_nothing_new_to_keep_keeps_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.pull()
    kept: list[set[str]] = []
    put = desk.store.put_kept

    async def spy(instance: str, values: dict[str, Any]) -> None:
        kept.append(set(values))
        await put(instance, values)

    monkeypatch.setattr(desk.store, "put_kept", spy)
    desk.tool.listed = [ISSUES, FLAGS]
    await desk.pull(named=True)
    assert kept == [{"opsync:reading"}, {"opsync:reading"}]


# Feeds that are read no more


async def _brought(desk: Desk, count: int) -> None:
    desk.tool.listed = [ISSUES, OTHERS]
    desk.tool.script = {"issues": [batch(500)], "others": [batch(*range(count), expected=count)]}
    await desk.pull()
    await desk.store.finish_feed(1, "jira", "opsync:metrics", high=None, at=START)
    desk.tool.listed = [ISSUES]


async def test_few_records_go_with_their_feed_and_so_does_what_was_kept_of_it(desk: Desk) -> None:
    await _brought(desk, 10)
    report = await desk.pull()
    assert (report.missing, report.trouble) == (10, "")
    assert {one.feed for one in await desk.store.cursors("jira")} == {"issues", "opsync:metrics"}
    assert [key for key in await desk.store.kept("jira") if "others" in key] == []
    assert not await is_half_read(desk.store, "jira")


async def test_many_records_do_not_go_with_their_feed_by_themselves(desk: Desk) -> None:
    await _brought(desk, 11)
    report = await desk.pull()
    assert (report.missing, report.trouble) == (0, "stopped")
    assert report.message == (
        "jira: others, of which 11 records are known, is not listed any more; nothing is counted "
        "as gone and nothing is written from it"
    )
    assert report.hint
    assert (await desk.cursor("others")).error == report.message
    assert await is_half_read(desk.store, "jira")


async def test_many_records_go_where_the_settings_say_so(desk: Desk) -> None:
    await _brought(desk, 11)
    report = await desk.pull(fingerprint="without others")
    assert (report.missing, report.trouble) == (11, "")


async def test_a_feed_that_is_stopped_does_not_keep_the_others_from_going(desk: Desk) -> None:
    await _brought(desk, 11)
    third = Feed("third", ("third",))
    desk.tool.listed = [ISSUES, OTHERS, third]
    desk.tool.script["third"] = [batch(900)]
    await desk.pull()
    desk.tool.listed = [ISSUES]
    assert (await desk.pull()).missing == 1


async def test_a_feed_in_trouble_keeps_all_feeds(desk: Desk) -> None:
    await _brought(desk, 5)
    desk.tool.script["issues"] = [TemporaryError("down")]
    assert (await desk.pull()).missing == 0
    assert "others" in {one.feed for one in await desk.store.cursors("jira")}


# Feeds that are read for what is named


@pytest.fixture
def name_flags(desk: Desk) -> Callable[..., Any]:
    """Has a record of another instance name a flag, or nothing any more."""

    async def put(*aliases: str) -> None:
        naming = record("page", instance="notion")
        names = tuple(Mention(alias, "jira", "Tracked in", True, alias) for alias in aliases)
        naming = msgspec.structs.replace(naming, mentions=names)
        one = Prepared(naming, str(aliases), "")
        await desk.store.put_batch(1, "notion", "all", [one], [], advance_to=None)

    return put


async def test_a_named_feed_is_read_while_something_names_what_it_holds(
    desk: Desk, name_flags: Callable[..., Any]
) -> None:
    desk.tool.listed = [FLAGS, ISSUES]
    desk.tool.script["flags"] = [Batch(items("f1", stream="flag"), at(3))]
    await desk.pull(named=True)
    assert [feed for feed, _ in desk.tool.asked] == ["issues"]
    assert desk.context.feeds == {"flags": FLAGS, "issues": ISSUES}
    await name_flags("flag-1")
    await desk.pull(named=True)
    assert [feed for feed, _ in desk.tool.asked[1:]] == ["issues", "flags"]
    assert not await is_half_read(desk.store, "jira")
    await desk.pull(named=True)
    assert desk.tool.asked[-1] == ("flags", at(3) - OVERLAP)
    await name_flags()
    report = await desk.pull(named=True)
    assert [feed for feed, _ in desk.tool.asked[5:]] == ["issues"]
    assert (report.missing, "f1" in await desk.has()) == (1, False)


async def test_a_named_feed_that_is_cut_off_leaves_the_instance_half_read(
    desk: Desk, name_flags: Callable[..., Any]
) -> None:
    desk.tool.listed = [FLAGS, ISSUES]
    await name_flags("flag-1")
    desk.tool.script["flags"] = [TemporaryError("down")]
    report = await desk.pull(named=True)
    assert report.trouble == "incomplete"
    assert await is_half_read(desk.store, "jira")
    assert (await desk.cursor("flags")).failed_since == START


async def test_in_trouble_no_named_feed_is_read_or_forgotten(
    desk: Desk, name_flags: Callable[..., Any]
) -> None:
    desk.tool.listed = [FLAGS, ISSUES]
    await name_flags("flag-1")
    desk.tool.script["flags"] = [Batch(items("f1", stream="flag"), at(3))]
    await desk.pull(named=True)
    await name_flags()
    desk.tool.script["issues"] = [TemporaryError("down")]
    report = await desk.pull(named=True)
    assert (report.missing, "f1" in await desk.has()) == (0, True)
