"""Taking back: what undoing some writes of a slot puts back there, and whether it may.

Pure. What stood before is in the journal; that it may be put back is decided by what stands there
now, read by id just before.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Literal

from msgspec import Struct

from opsync.model.ledger import Hold, HoldKind
from opsync.model.value import Value

TAKEN_BACK = "-back"
"""What the id of a change ends with that takes something back: undoing it lets go of the value."""

_DECIDED = frozenset({HoldKind.undone, HoldKind.refused})
"""Holds under which a value of opsync's is left as it stands."""

Why = Literal[
    "edited", "removed", "written since", "given up", "as before", "gone", "not configured",
    "paused", "vetoed", "unread", "failed",
]  # fmt: skip
"""Why something is not taken back: a person edited or removed it, a later run wrote there, it was
left to people since, what stood before stands there; its item or its connection is not there any
more, or its connection is paused; a plugin objects; the place could not be read, or the write
failed."""


class Written(Struct, frozen=True):
    """One write of a slot, as the journal has it.

    `theirs` says that what stood there `before` was a person's; None: written down before that
    was. `over` is the hold that an undo or a release put its own in place of.
    """

    seq: int
    run: int
    change: str
    before: Value
    after: Value
    theirs: bool | None = None
    over: Hold | None = None


class Back(Struct, frozen=True):
    """What is to stand in a slot again.

    `value` is what stood there before (None: nothing), `wrote` what has to stand there still for
    that, or `begun`, which a write of unknown outcome may have put there. `hold` is what keeps the
    place as it is then; None lets go of it, and leaves it under the hold that it had `again`.
    """

    value: Value
    wrote: Value
    hold: HoldKind | None
    begun: Value = None
    again: Hold | None = None


class Left(Struct, frozen=True):
    """Why a slot is left as it is. `run` is the later one, if one wrote there since."""

    why: Why
    run: int = 0


def undo_of(writes: Sequence[Written], chosen: Container[int]) -> Back | Left:
    """What undoing the `chosen` of all writes of one slot (the oldest first) comes to.

    At least one is chosen. What a person wrote in between is not gone back behind: put back, it is
    kept for them. Whoever takes back an undo, or a release, has what had been decided before.
    """
    among = [at for at, one in enumerate(writes) if one.seq in chosen]
    first, last = max((at for at in among if writes[at].theirs), default=among[0]), among[-1]
    value, wrote = writes[first].before, writes[last].after
    if writes[-1].after == value:
        return Left("as before")
    since = [one for one in _standing(writes) if one > last]
    if since or writes[-1].after != wrote:
        return Left("written since", writes[since[-1] if since else -1].run)
    if writes[first].change.endswith(TAKEN_BACK):
        return Back(value, wrote, None, again=decided_before(writes[first].over))
    return Back(value, wrote, HoldKind.theirs if _is_theirs(writes, first) else HoldKind.undone)


def decided_before(over: Hold | None) -> Hold | None:
    """The hold that is there again once what was put in its place is taken back: what had been
    undone or refused before stays so."""
    return over if over is not None and over.kind in _DECIDED else None


def _is_theirs(writes: Sequence[Written], at: int) -> bool:
    """Whether what stood there before one of all writes of a slot was a person's. Of one that does
    not say so itself, that is what opsync did not write."""
    one = writes[at]
    if one.theirs is not None or one.before is None:
        return bool(one.theirs) and one.before is not None
    return all(earlier.after != one.before for earlier in writes[:at])


def _standing(writes: Sequence[Written]) -> list[int]:
    """Which of all writes of one slot nobody took back since, by their place among them."""
    standing: list[int] = []
    for at, one in enumerate(writes):
        # What stood there before each of them is what it goes back to without it.
        before = [writes[earlier].before for earlier in standing]
        if one.change.endswith(TAKEN_BACK) and one.after in before:
            del standing[len(before) - 1 - before[::-1].index(one.after) :]
        else:
            standing.append(at)
    return standing


def stands_for(back: Back, now: Value) -> Literal["restore", "stands"] | Left:
    """Whether it may be put back where this stands now; it may stand there already."""
    if now == back.value:
        return "stands"
    if now == back.wrote or (now is not None and now == back.begun):
        return "restore"
    return Left("removed" if now is None else "edited")
