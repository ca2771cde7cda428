"""The store against a simple book of what it was told, opened again after a death at any step.

A copy of its files at some moment is what a power cut would leave then: it must open, be whole, and
hold what was there before the transaction or after it.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from opsync.model import Change, Outcome, OutcomeKind, PairDecision, Ref, Slot, Value, Verb
from opsync.model.approval import KeptPlan
from opsync.model.ledger import Entry, Hold, HoldKind, stored
from opsync.store import Store, inline
from opsync.store.approving import KEPT
from tests.properties.book import Book
from tests.properties.test_pull import run
from tests.store.build import prepared, record
from tests.support.clock import FakeClock

STEPS_BETWEEN = 40
"""So many steps of SQLite's machine lie between two moments at which it may die."""

TARGETS = ("jira:1", "jira:2", "jira:3")
SLOTS = [
    Slot(Ref("jira", "issue", target[-1]), surface, "roadmap", Ref("notion", "page", other))
    for target in TARGETS
    for surface, other in (("link", "a"), ("text", "b"))
]
VALUES: list[Value] = [None, "one", "two", {"url": "https://x.example", "title": "three"}]

slots = st.sampled_from(SLOTS)
values = st.sampled_from(VALUES)


class Told(NamedTuple):
    """All that the store was told, as it should read."""

    ledger: bytes
    journal: tuple[str, ...]
    titles: tuple[tuple[str, str], ...]
    cursor: datetime | None
    decided: int
    plans: int


EARLIER = Hold(HoldKind.conflict, "a person", datetime(2026, 1, 1, tzinfo=UTC))
"""What a person has decided about since in each of these."""


class Keeping(RuleBasedStateMachine):
    """Plans, writes, outcomes, holds, batches, decisions and plans; and deaths among them."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="opsync-store-")
        self.path = Path(self.folder.name) / "opsync.db"
        self.clock = FakeClock()
        self.store = self.open(self.path)
        self.book = Book()
        self.journal: list[str] = []
        self.titles: dict[str, str] = {}
        self.cursor: datetime | None = None
        self.decided: dict[tuple[str, str], str] = {}
        self.plans = self.made = 0
        self.number = run(self.store.begin_run("sync"))
        self.dies_at = 0

    def teardown(self) -> None:
        if hasattr(self, "store"):
            assert self.read(self.store) == self.told()
            run(self.store.close())
            self.folder.cleanup()

    def open(self, path: Path) -> Store:
        return Store.open(path, clock=self.clock, executor=inline)

    @rule(given=st.dictionaries(slots, values, min_size=1, max_size=4), late=st.booleans())
    def a_plan_is_kept(self, given: dict[Slot, Value], *, late: bool) -> None:
        """Or not, where a person decided since it was made."""
        rows = [
            msgspec.structs.replace(
                self.book.rows.get(slot, Entry(slot=slot)), desired=stored(value), reason="plan"
            )
            for slot, value in given.items()
        ]
        before = [self.book.rows[slot] for slot in given if slot in self.book.rows]
        if late:
            before = [msgspec.structs.replace(one, hold=EARLIER) for one in before]
        with self.dying():
            run(self.store.put_desired(rows, before=before))
            self.book.put([one for one in rows if not late or one.slot not in self.book.rows])

    @rule(given=st.dictionaries(slots, values, min_size=1, max_size=4))
    def writes_are_begun(self, given: dict[Slot, Value]) -> None:
        changes = [self.change(slot, value) for slot, value in given.items()]
        with self.dying():
            run(self.store.begin_changes(changes))
            self.book.begin(changes)

    @rule(
        fates=st.lists(
            st.tuples(st.sampled_from(list(OutcomeKind)), st.booleans()), min_size=1, max_size=4
        )
    )
    def writes_come_back(self, fates: list[tuple[OutcomeKind, bool]]) -> None:
        begun = [row for _, row in sorted(self.book.rows.items()) if row.intent is not None]
        done = []
        for row, (kind, unknown) in zip(begun, fates, strict=False):
            change = self.change(row.slot, msgspec.json.decode(row.intent or b"null"))
            applied = None if kind is OutcomeKind.removed else change.desired
            failed = kind is OutcomeKind.failed
            done.append(
                (
                    change,
                    Outcome(
                        change=change.id,
                        kind=kind,
                        applied=applied,
                        remote_id="r1",
                        retryable=not unknown,
                        unknown=unknown and failed,
                    ),
                )
            )
        with self.dying():
            run(self.store.finish_changes(self.number, done, self.clock.now()))
            self.book.finish(done, self.clock.now())
            self.journal += [change.id for change, _ in done]

    @rule(slot=slots, kind=st.sampled_from([None, *HoldKind]))
    def a_person_holds_or_lets_go(self, slot: Slot, kind: HoldKind | None) -> None:
        hold = None if kind is None else Hold(kind, "ana", self.clock.now())
        row = self.book.rows.get(slot)
        if row is None and hold is None:
            return
        with self.dying():
            run(self.store.hold_slots({slot: hold}))
            self.book.hold(slot, hold)

    @rule(given=st.dictionaries(st.sampled_from(TARGETS), st.sampled_from("abc"), min_size=1))
    def a_batch_is_read(self, given: dict[str, str]) -> None:
        high = self.clock.now()
        batch = [prepared(record(ref, title=title)) for ref, title in given.items()]
        with self.dying():
            run(self.store.put_batch(self.number, "jira", "all", batch, [], advance_to=high))
            self.titles.update(given)
            self.cursor = max(high, self.cursor or high)

    @rule(one=st.sampled_from(TARGETS), verdict=st.sampled_from(["accepted", "rejected"]))
    def a_person_decides(self, one: str, verdict: Any) -> None:
        ref = Ref("jira", "issue", one[-1])
        decision = PairDecision(
            one=Ref("notion", "page", "a"),
            two=ref,
            kind="related",
            verdict=verdict,
            by="ana",
            at=self.clock.now(),
        )
        with self.dying():
            run(self.store.decide([decision]))
            self.decided[str(decision.one), str(ref)] = verdict

    @rule(count=st.sampled_from([1, 2, KEPT]))
    def plans_are_numbered(self, count: int) -> None:
        for _ in range(count):
            run(self.store.put_plan(self.plan()))
            self.plans += 1
        assert run(self.store.kept_plan(self.plans)) is not None
        kept = run(self.store.kept_plan(max(1, self.plans - KEPT)))
        assert (kept is None) == (self.plans > KEPT), "no more than so many are kept"

    @rule(seconds=st.sampled_from([-90, 1, 3600]))
    def time_passes(self, seconds: int) -> None:
        """A cursor never goes back, though a clock may."""
        self.clock.advance(seconds)

    @rule()
    def it_is_closed_and_opened(self) -> None:
        run(self.store.close())
        self.store = self.open(self.path)
        assert self.read(self.store) == self.told()

    @rule(moment=st.integers(1, 12))
    def the_next_transaction_is_cut(self, moment: int) -> None:
        self.dies_at = moment

    @contextmanager
    def dying(self) -> Iterator[None]:
        """Run one transaction, with copies of the files as they are amid it and after it."""
        moment, self.dies_at = self.dies_at, 0
        if not moment:
            yield
            return
        before = self.told()
        amid = self.folder.name + "/amid"
        with self.copied(amid, moment):
            yield
        after = Path(self.folder.name) / "after"
        self.copy(after)
        for folder, states in ((Path(amid), (before, self.told())), (after, (self.told(),))):
            if folder.exists():
                store = self.open(folder / "opsync.db")
                run(store.check())
                assert self.read(store) in states
                run(store.close())
                shutil.rmtree(folder)

    @contextmanager
    def copied(self, folder: str, moment: int) -> Iterator[None]:
        """Copy the files when SQLite comes to a moment of what is run."""
        left = moment
        raw = self.store._database._connection.connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)

        def step() -> int:
            nonlocal left
            left -= 1
            if left == 0:
                self.copy(Path(folder))
            return 0

        handler: Callable[[], int] | None = step
        raw.set_progress_handler(handler, STEPS_BETWEEN)
        try:
            yield
        finally:
            raw.set_progress_handler(None, 0)

    def copy(self, folder: Path) -> None:
        folder.mkdir()
        for name in ("opsync.db", "opsync.db-wal"):
            source = self.path.with_name(name)
            if source.exists():
                shutil.copyfile(source, folder / name)

    def change(self, slot: Slot, value: Value) -> Change:
        verb = Verb.remove if value is None else Verb.create
        self.made += 1
        return Change(id=f"c{self.made}", slot=slot, verb=verb, desired=value)

    def plan(self) -> KeptPlan:
        return KeptPlan(number=self.plans + 1, at=self.clock.now(), command="plan", changes=())

    def told(self) -> Told:
        return Told(
            self.book.dump(),
            tuple(self.journal),
            tuple(sorted(self.titles.items())),
            self.cursor,
            len(self.decided),
            self.plans,
        )

    def read(self, store: Store) -> Told:
        rows = run(store.entries())
        records = run(store.records_page())
        cursors = run(store.cursors("jira"))
        last = run(store.newest_plan())
        return Told(
            Book(rows).dump(),
            tuple(
                row.change
                for row in sorted(run(store.journal(limit=100_000)), key=lambda row: row.seq)
            ),
            tuple(sorted((f"jira:{one.ref.id}", one.title) for one in records)),
            cursors[0].high if cursors else None,
            len(run(store.decisions())),
            last.number if last else 0,
        )


EVERYDAY = settings(
    max_examples=5,
    stateful_step_count=15,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
)


def test_the_store_holds_what_it_was_told_whenever_it_dies() -> None:
    run_state_machine_as_test(Keeping, settings=EVERYDAY)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_store_holds_what_it_was_told_whenever_it_dies_in_long_runs() -> None:
    long = settings(EVERYDAY, max_examples=80, stateful_step_count=40)
    run_state_machine_as_test(Keeping, settings=long)
