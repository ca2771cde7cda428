"""The ledger's rows: for each owned slot what is desired, what was applied, what is observed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Struct

from opsync.model.change import Slot
from opsync.model.value import NOTHING, Value

SKIPPED = "skipped"
"""The outcome of a slot whose place is served by somebody else's link: nothing is left to do."""


FAILED = "failed"
"""The outcome of a slot that could not be written, until that is done or not wanted any more."""


CONFLICTED = "conflicted"
"""The outcome of a slot whose value a person edited, until that is settled."""


class HoldKind(StrEnum):
    """Why a slot is not written although something is desired."""

    proposed = "proposed"
    """A person's edit was held for its time: opsync's value waits for approval."""
    refused = "refused"
    """What was proposed there, a person refused: what stands stays so, opsync's own included."""
    undone = "undone"
    conflict = "conflict"
    removed = "removed by a person"
    theirs = "theirs"
    """A person's value, which they chose to keep for good."""
    released = "released"


EDITED = frozenset({HoldKind.conflict, HoldKind.proposed})
"""Holds of a value that a person wrote over opsync's: until that is settled, or `Hold.until`."""


LET_BE = frozenset({HoldKind.refused, HoldKind.undone, HoldKind.theirs, HoldKind.released})
"""Holds that a person set: they last, whatever should stand there, until a person lets go."""


_LASTING = LET_BE | {HoldKind.removed}
"""Holds that outlive the absence of their target."""

_GIVEN_UP = frozenset({HoldKind.theirs, HoldKind.released, HoldKind.removed})


class Hold(Struct, frozen=True, omit_defaults=True):
    """A stop on one slot: by whom ("opsync" or a person), since when, for which desired value.

    Of a person's edit `at` is when it was first seen, and `until` the end of the hold, None where
    it is for good; `note` says what comes then.

    `begun` is the undo or release that is at the slot and has not told yet what came of it, 0 if
    none is: should it not come to its end, the slot is as `over` has it, once somebody decides so.
    `unsure` is what a write of unknown outcome was to put there when that began, as it is stored.
    """

    kind: HoldKind
    by: str
    at: datetime
    desired_hash: str = ""
    note: str = ""
    until: datetime | None = None
    begun: int = 0
    over: Hold | None = None
    unsure: str | None = None


def given_back(hold: Hold | None) -> Hold | None:
    """The hold as it was before an undo or a release began that has not ended."""
    return hold.over if hold is not None and hold.begun else hold


def is_put_back(hold: Hold) -> bool:
    """Whether an undo gave a person's value back and holds it for them; else they said so."""
    return hold.kind is HoldKind.theirs and bool(hold.note)


class Entry(Struct, frozen=True, kw_only=True):
    """One slot in the ledger. Values are JSON; `null` stands for absent.

    `desired` is what the last plan wanted, `applied` the canonical form of what the vendor
    answered to the last write, `asked` what that write asked for (they differ where a vendor
    rounds or trims), `remote_id` its id. `observed` is what was last seen there, None
    if never. `intent` is the value of a write that was begun and whose outcome is not known
    (None: no such write). `outcome` is the last outcome's kind, `message` its text; `attempts`
    counts failures in a row, `next_try_at` is when the slot may be tried again. `ceded` says that
    what is `applied` is a person's, which they gave up: opsync's value may be written over it, and
    until it is, opsync neither counts it as its own nor takes it away.
    """

    slot: Slot
    desired: msgspec.Raw = NOTHING
    applied: msgspec.Raw = NOTHING
    asked: msgspec.Raw = NOTHING
    remote_id: str = ""
    observed: msgspec.Raw | None = None
    observed_at: datetime | None = None
    intent: msgspec.Raw | None = None
    hold: Hold | None = None
    outcome: str = ""
    message: str = ""
    attempts: int = 0
    next_try_at: datetime | None = None
    reason: str = ""
    evidence: tuple[str, ...] = ()
    inputs: dict[str, str] = {}
    ceded: bool = False

    @property
    def owned(self) -> bool:
        """Whether what opsync wrote, or may have written, is its own still, to be kept up to date
        and taken away. What is about to be taken away is, until it is gone."""
        hold = self.hold
        given_up = hold is not None and not hold.begun and hold.kind in _GIVEN_UP
        written = self.applied != NOTHING and not self.ceded
        return (written or self.intent is not None) and not given_up

    @property
    def pending(self) -> bool:
        """Whether something is left to do or to look at here."""
        if self.intent is not None:
            return True
        answered = self.desired != NOTHING and self.desired == self.asked
        return self.outcome != SKIPPED and self.desired != self.applied and not answered


def unsure(entry: Entry) -> msgspec.Raw | None:
    """What a write of unknown outcome was to put there, also where an undo or a release began over
    it and did not tell; None: there is no such write."""
    hold = entry.hold
    if hold is None or not hold.begun:
        return entry.intent
    return None if hold.unsure is None else msgspec.Raw(hold.unsure.encode())


def as_before(entry: Entry) -> Entry:
    """The row as it was before an undo or a release began that has not told what came of it. What
    a write of unknown outcome was to put there may stand there still."""
    hold = entry.hold
    if hold is None or not hold.begun:
        return entry
    made = unsure(entry)
    forgotten = entry.intent is None or entry.intent == entry.applied
    return msgspec.structs.replace(
        entry,
        hold=hold.over,
        intent=made if made is not None and forgotten else entry.intent,
    )


Say = tuple[Hold | None, bool]
"""What people decide about in a row: its hold, and whether an edit of somebody's was found."""

UNSAID: Final[Collection[Say]] = frozenset({(None, False)})
"""That of a slot which is not there yet."""


def say_of(entry: Entry) -> Say:
    """What a person may decide about in this row."""
    return entry.hold, entry.outcome == CONFLICTED


def at_rest(entry: Entry) -> Entry | None:
    """What is kept of a slot while its target is gone: what stands there as opsync's, a write that
    may have happened, and what a person decided. None: nothing of it."""
    hold = entry.hold if entry.hold is not None and entry.hold.kind in _LASTING else None
    if entry.applied == NOTHING and entry.intent is None and hold is None:
        return None
    return Entry(
        slot=entry.slot,
        desired=entry.applied if hold is None else entry.desired,
        applied=entry.applied,
        asked=entry.asked,
        remote_id=entry.remote_id,
        intent=entry.intent,
        hold=hold,
        ceded=entry.ceded,
    )


def plain(raw: msgspec.Raw | None) -> Value:
    """A stored value as JSON; None for absent and for never."""
    if raw is None:
        return None
    value: Value = msgspec.json.decode(raw)
    return value


def stored(value: Value) -> msgspec.Raw:
    """A value as the ledger keeps it: equal values have equal bytes."""
    return msgspec.Raw(msgspec.json.encode(value, order="deterministic"))


def digest(value: bytes) -> str:
    """The digest of a stored value by which holds and approvals name it."""
    return blake2b(value, digest_size=16).hexdigest()


def change_id(run: int, slot: Slot) -> str:
    """What a run's write of a slot is called: "12-9c1b2f04"."""
    return f"{run}-{digest(stored(str(slot)))[:8]}"
