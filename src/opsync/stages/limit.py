"""Limit: whether one instance's plan does more at once than a run may without being told to.

Pure. It is asked about the whole plan before its first write: a plan that is over a limit is
refused whole, since what is wrong with it is rarely wrong with its first half only. What earlier
runs of a day did counts as well: many small steps come to the same as a large one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import floor

from msgspec import Struct

from opsync.model import Change, Excess, Limits, Measure, Slot, Verb

_EXACT = 1e-9
"""So that a share of a number that is whole on paper is not rounded down."""


class Footprint(Struct, frozen=True, kw_only=True):
    """What a plan does in one instance. `rewrites` is how often the value that is written most
    often will have been written within 24 hours, this time included; `owned` how many values
    opsync has there. `removed` and `created` are the values that earlier runs removed and wrote
    within 24 hours."""

    removals: int = 0
    creates: int = 0
    rewrites: int = 0
    owned: int = 0
    removed: int = 0
    created: int = 0


def footprint(
    changes: Iterable[Change],
    *,
    owned: int = 0,
    written: Mapping[Slot, int] | None = None,
    removed: int = 0,
    created: int = 0,
) -> Footprint:
    """Count a plan. `written` says how often its values were written in the last 24 hours,
    `removed` and `created` what was in all."""
    removals = creates = rewrites = 0
    for change in changes:
        removals += change.verb is Verb.remove
        creates += change.verb is Verb.create
        rewrites = max(rewrites, (written or {}).get(change.slot, 0) + 1)
    return Footprint(
        removals=removals,
        creates=creates,
        rewrites=rewrites,
        owned=owned,
        removed=removed,
        created=created,
    )


def over(found: Footprint, limits: Limits) -> tuple[Excess, ...]:
    """The limits that a plan is over; none where it may be written.

    A plan that removes nothing is over no limit of removals, whatever was removed before it.
    """
    had = found.owned + found.removed
    most = max(limits.removals, floor(limits.removals_share * had + _EXACT))
    removals, creates = found.removals + found.removed, found.creates + found.created
    excesses = []
    if found.removals and removals > most:
        excesses.append(Excess(Measure.removals, removals, most, had, found.removed))
    if found.creates and creates > limits.creates:
        excesses.append(Excess(Measure.creates, creates, limits.creates, before=found.created))
    if found.rewrites > limits.rewrites_a_day:
        excesses.append(Excess(Measure.rewrites, found.rewrites, limits.rewrites_a_day))
    return tuple(excesses)
