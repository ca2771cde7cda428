"""What becomes of a value that a person wrote over opsync's. Pure: the moment is given."""

from __future__ import annotations

from datetime import datetime

import msgspec

from opsync.model.ledger import EDITED, Entry, Hold, HoldKind, digest
from opsync.model.rules import HELD_FOR, Edits
from opsync.model.value import NOTHING

THEN = {Edits.propose: "proposed again", Edits.ours: "written again"}
"""What comes of opsync's value once the hold is over, as people read it."""


def edit_hold(
    entry: Entry, theirs: msgspec.Raw, desired: msgspec.Raw, policy: Edits, now: datetime
) -> Hold:
    """The hold of a person's edit, `theirs`, from when that very text was first seen.

    It has an end only where opsync's own value was edited and something should stand there: what
    opsync never wrote, or wants no more, is the person's for good.
    """
    before = entry.hold
    known = before is not None and before.kind in EDITED and entry.observed == theirs
    first = before.at if before is not None and known else now
    lasting = policy is Edits.theirs or entry.applied == NOTHING or desired == NOTHING
    return Hold(
        HoldKind.conflict,
        "a person",
        first,
        desired_hash=digest(desired),
        note="" if lasting else THEN[policy],
        until=None if lasting else first + HELD_FOR,
    )


def is_over(hold: Hold, now: datetime) -> bool:
    """Whether a hold has an end, and that has come."""
    return hold.until is not None and hold.until <= now
