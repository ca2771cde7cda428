"""Taking back: what undoing some writes of a slot puts back there, and whether it may.

Pure. What stood before is in the journal; that it may be put back is decided by what stands there
now, read by id just before.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Literal

from msgspec import Struct

from opsync.model.ledger import HoldKind
from opsync.model.value import Value

TAKEN_BACK = "-back"
"""What the id of a change ends with that takes something back: undoing it lets go of the value."""

Why = Literal[
    "edited", "removed", "written since", "given up", "as before", "gone", "not configured",
    "paused", "vetoed", "unread", "failed",
]  # fmt: skip
"""Why something is not taken back: a person edited or removed it, a later run wrote there, it was
left to people since, what stood before stands there; its item or its connection is not there any
more, or its connection is paused; a plugin objects; the place could not be read, or the write
failed."""


class Written(Struct, frozen=True):
    """One write of a slot, as the journal has it."""

    seq: int
    run: int
    change: str
    before: Value
    after: Value


class Back(Struct, frozen=True):
    """What is to stand in a slot again.

    `value` is what stood there before (None: nothing), `wrote` what has to stand there still for
    that, or `begun`, which a write of unknown outcome may have put there. `hold` is what keeps the
    place as it is then; None lets go of it.
    """

    value: Value
    wrote: Value
    hold: HoldKind | None
    begun: Value = None


class Left(Struct, frozen=True):
    """Why a slot is left as it is. `run` is the later one, if one wrote there since."""

    why: Why
    run: int = 0


def undo_of(writes: Sequence[Written], chosen: Container[int]) -> Back | Left:
    """What undoing the `chosen` of all writes of one slot (the oldest first) comes to.

    At least one is chosen. A value that opsync did not write itself is a person's: put back, it
    is kept for them.
    """
    first = next(at for at, one in enumerate(writes) if one.seq in chosen)
    last = max(at for at, one in enumerate(writes) if one.seq in chosen)
    value, wrote = writes[first].before, writes[last].after
    if writes[-1].after == value:
        return Left("as before")
    since = [one for one in _standing(writes) if one > last]
    if since or writes[-1].after != wrote:
        return Left("written since", writes[since[-1] if since else -1].run)
    if writes[first].change.endswith(TAKEN_BACK):
        return Back(value, wrote, None)
    ours = value is None or any(one.after == value for one in writes[:first])
    return Back(value, wrote, HoldKind.undone if ours else HoldKind.theirs)


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
