"""Plan: compare what should stand at a target's places with what was applied and what is seen.

Pure. The whole policy is one table, `opsync.model.decision`; this finds its inputs for every slot
of a target. A crash at any point is repaired by planning again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from opsync.contract.connector import Surface, Writable
from opsync.model import Change, Outcome, OutcomeKind, Record, Seen, Slot, Value, Verb
from opsync.model.decision import Decision, decide
from opsync.model.ledger import (
    CONFLICTED,
    LET_BE,
    SKIPPED,
    Entry,
    Hold,
    HoldKind,
    digest,
    plain,
    stored,
)
from opsync.model.rules import Mode
from opsync.model.value import NOTHING


class Want(Struct, frozen=True):
    """What should stand in one slot (None: nothing), and why."""

    slot: Slot
    value: Value
    reason: str = ""
    evidence: tuple[str, ...] = ()
    inputs: dict[str, str] = {}
    mode: Mode = Mode.apply
    """That of the rule."""
    approved: bool = False
    """Whether this very value may be written although its rule only proposes it."""

    @property
    def writes(self) -> bool:
        """Whether it is written where it differs."""
        return self.mode is Mode.apply or (self.mode is Mode.propose and self.approved)


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


def plan(
    target: Record,
    wants: Sequence[Want],
    entries: Sequence[Entry],
    connector: Writable,
    *,
    now: datetime,
    run: int,
    seen: Sequence[Seen] | None = None,
) -> TargetPlan:
    """Plan all slots of one target.

    `entries` are its ledger rows: those that nothing wants any more become removals. `seen` is
    what was just read there; without it, what the pull saw counts for the surfaces that it shows.
    """
    surfaces = {surface.name: surface for surface in connector.surfaces}
    rows = {entry.slot: entry for entry in entries}
    wanted = {want.slot: want for want in wants}
    builder = _Builder(run, now)
    for entry in _handed_over(rows, wanted, connector):
        builder.entries.append(entry)
        if entry.applied != NOTHING or entry.hold is not None:
            rows[entry.slot] = entry
        else:
            del rows[entry.slot]
            wanted.pop(entry.slot, None)
    carried: list[tuple[Want, Entry, Seen | None]] = []
    for slot in sorted(rows.keys() | wanted.keys()):
        surface = surfaces.get(slot.surface)
        if surface is None:
            continue
        want = wanted.get(slot, Want(slot, None, "no longer asked for"))
        entry = rows.get(slot, Entry(slot=slot))
        here, taken = look_at(target, surface, want, entry, connector, seen)
        if entry.intent is not None and seen is None:
            here = None
        if surface.carried and want.value is not None and entry.intent is None:
            carried.append((want, entry, here))
        else:
            builder.slot(want, entry, here, taken=taken, pulled=surface.pulled)
    if any(not surfaces[one.slot.surface].alone for one in builder.planned):
        for want, entry, here in carried:
            builder.slot(want, entry, here)
    return builder.done()


def _handed_over(
    rows: Mapping[Slot, Entry], wanted: Mapping[Slot, Want], connector: Writable
) -> list[Entry]:
    """The rows as they are when a place passes from one slot to another, as when a rule is
    renamed: what opsync wrote there is the new slot's, and the old one is empty.

    Otherwise the one would remove what the other has just found to be right, or write what a
    person had undone.
    """
    places: dict[tuple[str, str], Slot] = {}
    for slot, want in wanted.items():
        row = rows.get(slot)
        if want.value is not None and (row is None or row.applied == NOTHING):
            places[slot.surface, connector.address(slot.surface, want.value)] = slot
    if not places:
        return []
    changed: list[Entry] = []
    for slot, row in rows.items():
        unwanted = slot not in wanted or wanted[slot].value is None
        let_be = row.hold is not None and row.hold.kind in LET_BE
        last = row.desired if row.applied == NOTHING and let_be else row.applied
        if not unwanted or last == NOTHING:
            continue
        place = slot.surface, connector.address(slot.surface, plain(last))
        heir = places.pop(place, None)
        if heir is not None:
            changed.append(msgspec.structs.replace(row, slot=heir))
            changed.append(Entry(slot=slot))
    return changed


def look_at(
    target: Record,
    surface: Surface,
    want: Want,
    entry: Entry,
    connector: Writable,
    seen: Sequence[Seen] | None,
) -> tuple[Seen | None, bool]:
    """What stands in the slot (None: not read), and whether somebody else serves its place.

    A write whose outcome is unknown may have put something else in the place of what had the
    stored id: then its address tells.
    """
    if seen is None:
        if not surface.pulled or not target.seen_complete:
            return None, False
        seen = target.seen
    value = want.value if want.value is not None or entry.intent is None else plain(entry.intent)
    address = connector.address(surface.name, value) if value is not None else ""
    here = [s for s in seen if s.surface == surface.name]
    if entry.remote_id:
        for one in here:
            if one.remote_id == entry.remote_id:
                return one, False
        if entry.applied != NOTHING and entry.intent is None:
            return Seen.of(surface.name, None), False
    same_place = [s for s in here if s.address == address]
    for one in same_place:
        if one.ours or not address:
            return one, False
    return Seen.of(surface.name, None), bool(same_place)


class _Builder:
    """Collects one target's plan."""

    def __init__(self, run: int, now: datetime) -> None:
        self.run = run
        self.now = now
        self.changes: list[Change] = []
        self.observed_only: list[Change] = []
        self.proposed: list[Change] = []
        self.entries: list[Entry] = []
        self.held: list[Entry] = []
        self.conflicts: list[Entry] = []
        self.skipped: list[Entry] = []
        self.recovered: list[tuple[Change, Outcome]] = []

    @property
    def planned(self) -> list[Change]:
        """All changes so far, written or only told."""
        return [*self.changes, *self.observed_only, *self.proposed]

    def done(self) -> TargetPlan:
        return TargetPlan(
            tuple(self.changes),
            tuple(self.entries),
            tuple(self.held),
            tuple(self.conflicts),
            tuple(self.skipped),
            tuple(self.observed_only),
            tuple(self.proposed),
            tuple(self.recovered),
        )

    def slot(
        self,
        want: Want,
        entry: Entry,
        here: Seen | None,
        *,
        taken: bool = False,
        pulled: bool = True,
    ) -> None:
        desired = stored(want.value)
        same_desire = bytes(desired) == bytes(entry.desired)
        updated = msgspec.structs.replace(
            entry,
            desired=desired,
            reason=want.reason or entry.reason,
            evidence=want.evidence or entry.evidence,
            inputs=want.inputs or entry.inputs,
        )
        if here is not None:
            updated = msgspec.structs.replace(
                updated, observed=stored(here.plain()), observed_at=self.now
            )
        if entry.hold is not None and entry.hold.kind is HoldKind.removed:
            stands = here is not None and here.plain() is not None
            if want.value is None and not stands:
                # A person removed it, and nothing asks for it any more: both agree.
                self.entries.append(Entry(slot=entry.slot))
                return
        if entry.hold is not None and not _lapsed(entry.hold, desired):
            self.held.append(updated)
            self._keep(entry, updated)
            return
        updated = msgspec.structs.replace(updated, hold=None)
        if same_desire and entry.next_try_at is not None and entry.next_try_at > self.now:
            self.held.append(updated)
            self._keep(entry, updated)
            return
        if taken and entry.applied == NOTHING and want.value is not None:
            updated = msgspec.structs.replace(
                updated, outcome=SKIPPED, message="already linked by somebody else"
            )
            self.skipped.append(updated)
            self._keep(entry, updated)
            return
        if here is None and same_desire and entry.outcome == SKIPPED:
            # As with a conflict: looked at again when something else should stand there.
            self.skipped.append(updated)
            self._keep(entry, updated)
            return
        if here is not None and entry.intent == stored(here.plain()):
            entry, updated = self._recover(entry, updated, here)
        # What the vendor made of this very value is what should stand there.
        answered = want.value is not None and bytes(desired) == bytes(entry.asked)
        decision = decide(
            entry.applied if answered else desired,
            entry.applied,
            None if here is None else stored(here.plain()),
            intent=entry.intent,
            ours=here is not None and here.ours,
        )
        again = same_desire and entry.outcome == CONFLICTED and updated.observed == entry.observed
        if decision is Decision.write and again:
            # The vendor, too, found a person's edit there, and nothing has changed since.
            self.conflicts.append(updated)
            self._keep(entry, updated)
            return
        self._follow(decision, want, entry, updated, here, pulled=pulled)

    def _follow(
        self,
        decision: Decision,
        want: Want,
        entry: Entry,
        updated: Entry,
        here: Seen | None,
        *,
        pulled: bool,
    ) -> None:
        match decision:
            case Decision.nothing:
                if updated.outcome == CONFLICTED:
                    updated = msgspec.structs.replace(updated, outcome="", message="")
            case Decision.adopt:
                updated = msgspec.structs.replace(
                    updated,
                    applied=updated.desired if updated.observed is None else updated.observed,
                    asked=updated.desired,
                    remote_id=(here.remote_id if here else "") or entry.remote_id,
                    intent=None,
                    outcome="unchanged",
                    message="",
                    attempts=0,
                    next_try_at=None,
                )
            case Decision.write | Decision.look:
                change = self._change(want, entry, here)
                self._of(want).append(change)
                if updated.outcome == SKIPPED:
                    updated = msgspec.structs.replace(updated, outcome="", message="")
            case Decision.gone:
                hold = Hold(HoldKind.removed, "a person", self.now, note="removed by a person")
                updated = msgspec.structs.replace(updated, hold=hold, intent=None)
                self.held.append(updated)
            case Decision.conflict:
                # A pulled place shows by itself when the person lets go of it; the others are
                # not read again until something else should stand there.
                hold_ = Hold(
                    HoldKind.conflict, "a person", self.now, desired_hash=digest(updated.desired)
                )
                updated = msgspec.structs.replace(
                    updated,
                    outcome=CONFLICTED,
                    message="edited by a person",
                    hold=None if pulled else hold_,
                    intent=None,
                )
                self.conflicts.append(updated)
        self._keep(entry, updated)

    def _recover(self, entry: Entry, updated: Entry, here: Seen) -> tuple[Entry, Entry]:
        """The rows as they are when an interrupted write is found to have happened."""
        assert entry.intent is not None
        value, before = plain(entry.intent), plain(entry.applied)
        kind, verb = OutcomeKind.removed, Verb.remove
        if value is not None:
            kind = OutcomeKind.created if before is None else OutcomeKind.updated
            verb = Verb.create if before is None else Verb.update
        change = Change(
            id=f"{self.run}-{digest(stored(str(entry.slot)))[:8]}-found",
            slot=entry.slot,
            verb=verb,
            desired=value,
            before=before,
            remote_id=entry.remote_id,
            reason=entry.reason,
            evidence=entry.evidence,
            inputs=entry.inputs,
        )
        remote_id = here.remote_id or entry.remote_id
        outcome = Outcome(
            change=change.id,
            kind=kind,
            applied=value,
            remote_id=remote_id,
            message="written by a run that was interrupted",
        )
        self.recovered.append((change, outcome))

        def settled(row: Entry) -> Entry:
            return msgspec.structs.replace(
                row,
                applied=entry.intent,
                asked=entry.intent,
                remote_id=remote_id,
                intent=None,
                outcome=kind.value,
                message="",
                attempts=0,
                next_try_at=None,
            )

        return settled(entry), settled(updated)

    def _of(self, want: Want) -> list[Change]:
        """The list that a change belongs into."""
        if want.writes:
            return self.changes
        return self.proposed if want.mode is Mode.propose else self.observed_only

    def _keep(self, entry: Entry, updated: Entry) -> None:
        """Note a ledger row only if it says something new: a silent run writes nothing."""
        if msgspec.structs.replace(updated, observed_at=entry.observed_at) != entry:
            self.entries.append(updated)

    def _change(self, want: Want, entry: Entry, here: Seen | None) -> Change:
        known = entry.applied if entry.intent is None else entry.intent
        before = here.plain() if here is not None else plain(known)
        verb = Verb.remove
        if want.value is not None:
            verb = Verb.create if before is None else Verb.update
        slot = want.slot
        number = digest(stored(str(slot)))[:8]
        return Change(
            id=f"{self.run}-{number}",
            slot=slot,
            verb=verb,
            desired=want.value,
            before=before,
            remote_id=entry.remote_id or (here.remote_id if here is not None else ""),
            reason=want.reason,
            evidence=want.evidence or entry.evidence,
            inputs=want.inputs or entry.inputs,
            interrupted=entry.intent is not None,
        )


def _lapsed(hold: Hold, desired: bytes) -> bool:
    """Whether a hold was for another value than the one that is desired now."""
    return bool(hold.desired_hash) and hold.desired_hash != digest(desired)
