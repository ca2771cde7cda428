"""Plan: compare what should stand at a target's places with what was applied and what is seen.

Pure. What stands where is told by `places`, what becomes of each slot by `slots`. A crash at any
point is repaired by planning again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from opsync.contract.connector import Writable
from opsync.model import Change, Kind, Outcome, Record, Seen, Slot
from opsync.model.ledger import CONFLICTED, FAILED, Entry, stored
from opsync.model.rules import Mode
from opsync.stages.places import (
    TAKEN,
    Want,
    handed_over,
    holds,
    is_edited,
    is_lapsed,
    is_overwritten,
    left_behind,
    look_at,
    stands_twice,
)
from opsync.stages.slots import Builder


class TargetPlan(Struct, frozen=True):
    """The plan for one target: changes to write, ledger rows to keep, and what is held and why."""

    changes: tuple[Change, ...] = ()
    entries: tuple[Entry, ...] = ()
    held: tuple[Entry, ...] = ()
    conflicts: tuple[Entry, ...] = ()
    skipped: tuple[Entry, ...] = ()
    observed_only: tuple[Change, ...] = ()
    """Changes of rules in observe mode: shown, not written."""
    proposed: tuple[Change, ...] = ()
    """Changes of rules in propose mode that wait for approval."""
    recovered: tuple[tuple[Change, Outcome], ...] = ()
    """Writes of an interrupted run that are found to have happened."""
    resting: tuple[tuple[Entry, datetime], ...] = ()
    """What is to be rewritten, and until when it is not: it was rewritten just before."""


def plan(
    target: Record,
    wants: Sequence[Want],
    entries: Sequence[Entry],
    connector: Writable,
    *,
    now: datetime,
    run: int,
    seen: Sequence[Seen] | None = None,
    resting: Mapping[Slot, datetime] | None = None,
) -> TargetPlan:
    """Plan all slots of one target.

    `entries` are its ledger rows: those that nothing wants any more become removals. `seen` is
    what was just read there; without it, what the pull saw counts for the surfaces that it shows.
    `resting` says until when what was rewritten just before is not rewritten again: a place on an
    issue, where people read along, gets several changes as one.
    """
    surfaces = {surface.name: surface for surface in connector.surfaces}
    rows = {entry.slot: entry for entry in entries}
    wanted = {want.slot: want for want in wants}
    builder = Builder(run, now, resting if resting and target.kind is Kind.issue else {})
    for entry in handed_over(rows, wanted, connector):
        builder.entries.append(entry)
        if holds(entry) is not None or entry.hold is not None:
            rows[entry.slot] = entry
        else:
            del rows[entry.slot]
            wanted.pop(entry.slot, None)
    ids = {row.remote_id for row in rows.values()}
    carried: list[tuple[Want, Entry, Seen | None]] = []
    for slot in sorted(rows.keys() | wanted.keys()):
        surface = surfaces.get(slot.surface)
        if surface is None:
            continue
        want = wanted.get(slot, Want(slot, None, "no longer asked for"))
        entry = rows.get(slot, Entry(slot=slot))
        here, taken = look_at(target, surface, want, entry, connector, seen)
        stands = here is not None and here.plain() is not None
        ours = entry.hold is None or is_edited(entry) or is_lapsed(entry.hold, stored(want.value))
        if taken and stands and ours and not is_overwritten(entry, here):
            # What leads elsewhere by now cannot be moved there: it goes, and theirs stays.
            want = msgspec.structs.replace(want, value=None, reason=TAKEN, approved=False)
        if entry.intent is not None and seen is None:
            here = None
        if surface.carried and want.value is not None and entry.intent is None:
            carried.append((want, entry, here))
        else:
            twice = stands_twice(surface, want, entry, connector, seen)
            left = left_behind(surface, want, entry, connector, seen, ids)
            builder.slot(want, entry, here, surface, taken=taken, twice=twice, left=left)
    daring = builder.daring({name for name, one in surfaces.items() if one.alone})
    for want, entry, here in carried:
        entry = builder.taken_up(entry, here)
        if daring is None:
            if entry.hold is None and entry.outcome not in (FAILED, CONFLICTED):
                builder.leave(entry)
            continue
        # No further than what it goes with: that may be asked about first.
        mode = min(want.mode, daring, key=lambda one: one.daring)
        along = msgspec.structs.replace(want, mode=mode)
        if daring is not Mode.apply:
            along = msgspec.structs.replace(along, approved=False, over=None)
        builder.slot(along, entry, here, surfaces[want.slot.surface])
    return _told(builder)


def _told(builder: Builder) -> TargetPlan:
    return TargetPlan(
        tuple(builder.changes),
        tuple(builder.entries),
        tuple(builder.held),
        tuple(builder.conflicts),
        tuple(builder.skipped),
        tuple(builder.observed_only),
        tuple(builder.proposed),
        tuple(builder.recovered),
        tuple(builder.resting),
    )
