"""Reading what changed: at the end of each whole read, the store has the latest of everything.

Changes share a moment, stand on both sides of a minute, come late with an earlier time, and the
vendor's clock is not opsync's; some vendors tell the minute only, and want it in the account's
time zone.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from opsync.contract.connector import Batch, Feed, Item, Readable
from opsync.errors import TemporaryError
from opsync.model import Kind, Record, Ref
from opsync.report import InstanceReport
from opsync.stages.pull import PullContext, pull
from opsync.store import Store, inline
from tests.support.clock import FakeClock

OVERLAP_S = 300
PAGE = 2


class Tracker(Readable):
    """Lists issues in the order of their change times, page after page."""

    def __init__(self, clock: FakeClock, skew: timedelta, zone: timezone, *, minutes: bool) -> None:
        self.clock = clock
        self.skew = skew
        self.zone = zone
        self.minutes = minutes
        """Whether it tells change times, and takes them, as whole minutes."""
        self.resumable = True
        self.issues: dict[str, tuple[int, datetime]] = {}
        self.breaks_after: int | None = None
        self.edited_meanwhile = ""

    def now(self) -> datetime:
        return self.clock.now() + self.skew

    def edit(self, id_: str, at: datetime | None = None) -> None:
        """One more version of an issue."""
        version = self.issues.get(id_, (0, self.now()))[0] + 1
        self.issues[id_] = version, at or self.now()

    def told(self, at: datetime) -> datetime:
        return at.replace(second=0, microsecond=0) if self.minutes else at

    async def feeds(self) -> Sequence[Feed]:
        return [Feed("issues", ("issue",))]

    async def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        after = ("", "")
        if since is not None and self.minutes:
            written = since.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")
            since = datetime.strptime(written, "%Y-%m-%d %H:%M").replace(tzinfo=self.zone)
        for page in range(1_000):
            listed = sorted(
                (self.told(at).isoformat(), id_, version, at)
                for id_, (version, at) in self.issues.items()
                if since is None or self.told(at) >= since
            )
            found = [one for one in listed if one[:2] > after][:PAGE]
            if self.breaks_after == page:
                raise TemporaryError("Acme: no answer")
            yield Batch(
                [Item("issue", id_, (id_, version)) for _, id_, version, _ in found],
                high=max((self.told(at) for *_, at in found), default=None),
                resumable=self.resumable,
            )
            if len(found) < PAGE:
                return
            after = found[-1][:2]
            if self.edited_meanwhile:
                self.edit(self.edited_meanwhile)
                self.edited_meanwhile = ""

    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        assert isinstance(raw, tuple)
        id_, version = raw
        yield Record(ref=Ref("acme", stream, id_), kind=Kind.issue, title=f"v{version}")


IDS = st.sampled_from("abcdefg")


class Boundary(RuleBasedStateMachine):
    """Edits, waits and reads; some reads break off."""

    @initialize(
        skew=st.sampled_from([0, 600, -600, 37]),
        offset=st.sampled_from([0, -660, 840, 345, -210]),
        minutes=st.booleans(),
        seconds=st.integers(0, 59),
    )
    def begin(self, skew: int, offset: int, minutes: bool, seconds: int) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="opsync-pull-")
        self.clock = FakeClock()
        self.clock.advance(seconds)
        zone = timezone(timedelta(minutes=offset))
        self.vendor = Tracker(self.clock, timedelta(seconds=skew), zone, minutes=minutes)
        path = Path(self.folder.name) / "opsync.db"
        self.store = Store.open(path, clock=self.clock, executor=inline)
        self.looked_at = self.vendor.now()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            run(self.store.close())
            self.folder.cleanup()

    @rule(id_=IDS)
    def somebody_edits(self, id_: str) -> None:
        self.vendor.edit(id_)

    @rule(ids=st.sets(IDS, min_size=3))
    def many_change_in_one_moment(self, ids: set[str]) -> None:
        at = self.vendor.now()
        for id_ in sorted(ids):
            self.vendor.edit(id_, at)

    @rule(id_=IDS, late=st.sampled_from([1, 59, 61, OVERLAP_S]))
    def a_change_shows_late(self, id_: str, late: int) -> None:
        """With the time at which it was begun, before what was read already."""
        self.vendor.edit(id_, self.vendor.now() - timedelta(seconds=late))

    @rule(seconds=st.sampled_from([1, 29, 59, 60, 61, 3600]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(resumable=st.booleans())
    def everything_is_read(self, resumable: bool) -> None:
        self.vendor.breaks_after = None
        self.read(resumable)
        self.complete()

    @rule(page=st.integers(0, 2), resumable=st.booleans())
    def a_read_breaks_off(self, page: int, resumable: bool) -> None:
        self.vendor.breaks_after = page
        self.read(resumable)

    @rule(id_=IDS)
    def somebody_edits_while_it_is_read(self, id_: str) -> None:
        self.vendor.breaks_after = None
        self.vendor.edited_meanwhile = id_
        self.read(True)
        self.vendor.edited_meanwhile = ""
        self.read(True)
        self.complete()

    def read(self, resumable: bool) -> None:
        self.vendor.resumable = resumable
        report = InstanceReport("acme", "Acme")
        number = run(self.store.begin_run("sync"))
        context = PullContext(self.store, self.clock, number, OVERLAP_S, "settings")
        run(pull(self.vendor, report, context))
        assert report.trouble in ("", "incomplete"), report.message

    def complete(self) -> None:
        stored = {one.ref.id: one.title for one in run(self.store.records_page())}
        assert stored == {id_: f"v{version}" for id_, (version, _) in self.vendor.issues.items()}


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run it to its end, on no loop: with an inline store and no socket nothing waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("something waited")


def test_what_reads_all_at_once_needs_no_loop() -> None:
    with pytest.raises(AssertionError, match="something waited"):
        run(asyncio.sleep(0))


EVERYDAY = settings(
    max_examples=8,
    stateful_step_count=15,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
)


def test_after_each_whole_read_the_latest_of_everything_is_stored() -> None:
    """Trouble 13, I8"""
    run_state_machine_as_test(Boundary, settings=EVERYDAY)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_after_each_whole_read_the_latest_of_everything_is_stored_in_long_runs() -> None:
    long = settings(EVERYDAY, max_examples=80, stateful_step_count=40)
    run_state_machine_as_test(Boundary, settings=long)
