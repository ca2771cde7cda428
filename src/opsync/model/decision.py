"""The planner's table: what to do with one slot, given what is desired, applied and observed."""

from __future__ import annotations

from enum import StrEnum

from opsync.model.value import NOTHING


class Decision(StrEnum):
    """What to do with one slot."""

    nothing = "nothing"
    write = "write"
    adopt = "adopt"
    """What should stand there stands there: take note, write nothing."""
    conflict = "conflict"
    """Somebody else's value stands there: keep both, write nothing."""
    gone = "gone"
    """A person removed what opsync wrote: leave it removed."""
    look = "look"
    """The outcome of a write is unknown: look at the target first."""


def decide(
    desired: bytes,
    applied: bytes,
    observed: bytes | None,
    *,
    intent: bytes | None = None,
    ours: bool = False,
) -> Decision:
    """The planner's table for one slot without a hold.

    Values are JSON as the ledger keeps them, `null` for absent; `observed` is None when the place
    was not read. `intent` is the value of a write whose outcome is unknown. `ours` says that what
    is observed carries opsync's own marker.
    """
    if intent is not None:
        if observed is None:
            return Decision.look
        if observed == intent:
            applied = intent
    if observed is None:
        return Decision.nothing if desired == applied else Decision.write
    if observed == desired:
        return Decision.nothing if applied == desired and intent is None else Decision.adopt
    if observed == applied or (applied == NOTHING and ours):
        return Decision.write
    if applied == NOTHING:
        return Decision.conflict
    return Decision.gone if observed == NOTHING else Decision.conflict
