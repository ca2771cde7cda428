"""The ledger in memory, as simply as it can be said: what the store keeps of plans and outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from opsync.model import WRITTEN, Change, Outcome, OutcomeKind, Slot
from opsync.model.ledger import CONFLICTED, LET_BE, Entry, Hold, stored
from opsync.model.value import NOTHING

WAITS = tuple(timedelta(minutes=one) for one in (5, 30, 120, 720, 1440))
"""How long what was refused waits after each try in vain."""


class Book:
    """Rows by slot. A row that says nothing is none."""

    def __init__(self, rows: Iterable[Entry] = ()) -> None:
        self.rows = {row.slot: row for row in rows}
        self.final: set[Slot] = set()
        """Slots whose last write was refused, which waits for something else to stand there."""

    def copy(self) -> Book:
        """The same once more."""
        other = Book(self.rows.values())
        other.final = set(self.final)
        return other

    def dump(self) -> bytes:
        """All of it in bytes."""
        return msgspec.json.encode([self.rows[slot] for slot in sorted(self.rows)])

    def put(self, rows: Sequence[Entry]) -> None:
        """What a plan says."""
        for row in rows:
            old = self.rows.get(row.slot)
            if old is not None and old.desired != row.desired:
                row = replace(row, attempts=0, next_try_at=None)
                self.final.discard(row.slot)
            elif old is not None and old.observed != row.observed and row.slot in self.final:
                row = replace(row, next_try_at=None)
                self.final.discard(row.slot)
            self.rows[row.slot] = row
        self._tidy()

    def begin(self, changes: Sequence[Change]) -> None:
        """Writes are about to leave, but for those of what a person decided to leave alone."""
        for change in changes:
            desired = stored(change.desired)
            old = self.rows.get(change.slot)
            if old is not None and old.hold is not None and old.hold.kind in LET_BE:
                continue
            if old is None:
                old = Entry(
                    slot=change.slot,
                    desired=desired,
                    remote_id=change.remote_id,
                    reason=change.reason,
                    evidence=change.evidence,
                    inputs=change.inputs,
                )
            self.rows[change.slot] = replace(old, intent=desired, next_try_at=None)

    def finish(self, done: Sequence[tuple[Change, Outcome]], at: datetime) -> None:
        """What came of writes."""
        for change, outcome in done:
            row = self.rows.get(change.slot)
            if row is None:
                continue
            row = replace(row, outcome=outcome.kind.value, message=outcome.message)
            if outcome.kind is OutcomeKind.failed:
                wait = WAITS[min(row.attempts, len(WAITS) - 1)]
                if outcome.retryable:
                    wait = min(timedelta(minutes=1) * 2**row.attempts, timedelta(hours=6))
                row = replace(row, next_try_at=at + wait, attempts=row.attempts + 1)
                if change.over_edit:
                    row = replace(row, outcome=CONFLICTED)
            else:
                row = replace(row, attempts=0, next_try_at=None)
            final = not outcome.retryable
            if outcome.kind is not OutcomeKind.failed:
                final = outcome.kind not in WRITTEN and outcome.kind is not OutcomeKind.unchanged
            (self.final.add if final else self.final.discard)(change.slot)
            if outcome.kind in WRITTEN or outcome.kind is OutcomeKind.unchanged:
                applied = stored(outcome.applied)
                row = replace(
                    row,
                    applied=applied,
                    asked=stored(change.desired),
                    observed=applied,
                    observed_at=at,
                    remote_id=outcome.remote_id if outcome.applied is not None else "",
                )
                if change.over_edit:
                    row = replace(row, hold=None)
            failed = outcome.kind is OutcomeKind.failed
            if not outcome.unknown and not (failed and change.interrupted):
                row = replace(row, intent=None)
            self.rows[change.slot] = row
        self._tidy()

    def hold(self, slot: Slot, hold: Hold | None) -> None:
        """A person puts a hold on a slot, or takes it away."""
        self.rows[slot] = replace(self.rows.get(slot, Entry(slot=slot)), hold=hold)
        self._tidy()

    def forget(self, slot: Slot) -> None:
        """Lose a row."""
        self.rows.pop(slot, None)

    def _tidy(self) -> None:
        for slot, row in list(self.rows.items()):
            if row.desired == row.applied == NOTHING and row.intent is None and row.hold is None:
                del self.rows[slot]
