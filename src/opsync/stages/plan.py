"""Plan: compare what should stand at a target's places with what was applied and what is seen.

Pure. The whole policy is one table, `opsync.model.decision`; this finds its inputs for every slot
of a target. A crash at any point is repaired by planning again.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from opsync.contract.connector import Surface, Writable
from opsync.model import Change, Kind, Outcome, OutcomeKind, Record, Seen, Slot, Value, Verb
from opsync.model.decision import Decision, decide
from opsync.model.edits import edit_hold, is_over
from opsync.model.ledger import (
    CONFLICTED,
    EDITED,
    FAILED,
    LET_BE,
    SKIPPED,
    Entry,
    Hold,
    HoldKind,
    digest,
    plain,
    stored,
)
from opsync.model.rules import Edits, Mode
from opsync.model.value import NOTHING

TAKEN = "already linked by somebody else"
EDITED_BY = "edited by a person"


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
    edits: Edits | None = None
    """What becomes of a person's edit, as the rule says; None: as the surface says."""
    over: msgspec.Raw | None = None
    """What a person wrote there and may be replaced by this value, as somebody approved."""

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
    builder = _Builder(run, now, resting if resting and target.kind is Kind.issue else {})
    for entry in _handed_over(rows, wanted, connector):
        builder.entries.append(entry)
        if _holds(entry) is not None or entry.hold is not None:
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
        stands = here is not None and here.plain() is not None
        ours = entry.hold is None or _edited(entry) or _lapsed(entry.hold, stored(want.value))
        if taken and stands and ours:
            # What leads elsewhere by now cannot be moved there: it goes, and theirs stays.
            want = msgspec.structs.replace(want, value=None, reason=TAKEN, approved=False)
        if entry.intent is not None and seen is None:
            here = None
        if surface.carried and want.value is not None and entry.intent is None:
            carried.append((want, entry, here))
        else:
            twice = _stands_twice(surface, want, entry, connector, seen)
            builder.slot(want, entry, here, surface, taken=taken, twice=twice)
    daring = builder.daring({name for name, one in surfaces.items() if one.alone})
    for want, entry, here in carried:
        if daring is None:
            if entry.hold is None and entry.outcome not in (FAILED, CONFLICTED):
                builder.leave(entry)
            continue
        # No further than what it goes with: that may be asked about first.
        mode = min(want.mode, daring, key=list(Mode).index)
        along = msgspec.structs.replace(want, mode=mode)
        if daring is not Mode.apply:
            along = msgspec.structs.replace(along, approved=False, over=None)
        builder.slot(along, entry, here, surfaces[want.slot.surface])
    return builder.done()


def _handed_over(
    rows: Mapping[Slot, Entry], wanted: Mapping[Slot, Want], connector: Writable
) -> list[Entry]:
    """The rows as they are when a place passes from one slot to another, as when a rule is
    renamed: what opsync wrote there, or may have written, is the new slot's, and the old one is
    empty.

    Otherwise the one would remove what the other has just found to be right, or write what a
    person had undone. Where the new slot has a write of its own whose outcome is unknown, it looks
    at the place itself, and what the old one says of it is forgotten.
    """
    places: dict[tuple[str, str], Slot] = {}
    begun: set[tuple[str, str]] = set()
    for slot, want in wanted.items():
        row = rows.get(slot)
        if want.value is None:
            continue
        place = slot.surface, connector.address(slot.surface, want.value)
        if row is None or _holds(row) is None:
            places[place] = slot
        elif row.applied == NOTHING and row.intent is not None:
            begun.add(place)
    if not places and not begun:
        return []
    changed: list[Entry] = []
    for slot, row in rows.items():
        unwanted = slot not in wanted or wanted[slot].value is None
        if not unwanted:
            continue
        for held in (one for one in (_holds(row), plain(row.intent)) if one is not None):
            place = slot.surface, connector.address(slot.surface, held)
            if place not in places and place not in begun:
                continue
            heir = places.pop(place, None)
            if heir is not None:
                changed.append(msgspec.structs.replace(row, slot=heir))
            if heir is not None or row.hold is None:
                changed.append(Entry(slot=slot))
                break
    return changed


def _holds(row: Entry) -> Value:
    """What opsync wrote in a slot, or may have written where the answer was lost, or would write
    if a person had not put an end to it; None: nothing."""
    written = plain(row.applied)
    if written is None and row.intent is not None:
        return plain(row.intent)
    if written is None and row.hold is not None and row.hold.kind in LET_BE:
        return plain(row.desired)
    return written


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
    stored id: then its address tells, that of what was written or of what is wanted by now.
    """
    if seen is None:
        if not surface.pulled or not target.seen_complete:
            return None, False
        seen = target.seen
    tried = [one for one in (want.value, plain(entry.intent)) if one is not None]
    places = [connector.address(surface.name, one) for one in tried] or [""]
    address = places[0]
    here = [s for s in seen if s.surface == surface.name]
    theirs = any(one.address == address and not one.ours for one in here)
    if entry.remote_id:
        for one in here:
            if one.remote_id == entry.remote_id:
                return one, theirs and one.address != address != ""
        if entry.applied != NOTHING and entry.intent is None:
            return Seen.of(surface.name, None), False
    for one in (s for place in reversed(places) for s in here if s.address == place):
        if one.ours or not address:
            return one, theirs and one.address != address != ""
    return Seen.of(surface.name, None), any(s.address == address for s in here)


def _stands_twice(
    surface: Surface,
    want: Want,
    entry: Entry,
    connector: Writable,
    seen: Sequence[Seen] | None,
) -> bool:
    """Whether two of opsync's own serve the slot's place: where one is moved by making another, an
    interrupted write, or one that the store knows nothing of, may have left both."""
    if want.value is None or not seen or (entry.intent is None and entry.applied != NOTHING):
        return False
    address = connector.address(surface.name, want.value)
    own = [one for one in seen if one.surface == surface.name and one.ours]
    return bool(address) and sum(one.address == address for one in own) > 1


class _Builder:
    """Collects one target's plan."""

    def __init__(self, run: int, now: datetime, rests: Mapping[Slot, datetime]) -> None:
        self.run = run
        self.now = now
        self.rests = rests
        self.resting: list[tuple[Entry, datetime]] = []
        self.changes: list[Change] = []
        self.observed_only: list[Change] = []
        self.proposed: list[Change] = []
        self.entries: list[Entry] = []
        self.held: list[Entry] = []
        self.conflicts: list[Entry] = []
        self.skipped: list[Entry] = []
        self.recovered: list[tuple[Change, Outcome]] = []

    def daring(self, alone: Container[str]) -> Mode | None:
        """How far the changes so far go with which others are carried; None: there are none."""
        lists = (
            (Mode.apply, self.changes),
            (Mode.propose, self.proposed),
            (Mode.observe, self.observed_only),
        )
        for mode, changes in lists:
            if any(one.slot.surface not in alone for one in changes):
                return mode
        return None

    def leave(self, entry: Entry) -> None:
        """A carried value with nothing to go with: what was once to be done there waits no more,
        be it to take it away or to write it."""
        if entry.desired != entry.applied:
            self.entries.append(msgspec.structs.replace(entry, desired=entry.applied))

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
            tuple(self.resting),
        )

    def slot(
        self,
        want: Want,
        entry: Entry,
        here: Seen | None,
        surface: Surface,
        *,
        taken: bool = False,
        twice: bool = False,
    ) -> None:
        """Plan one slot."""
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
        edited = _edited(entry)
        lapsed = entry.hold is not None and _lapsed(entry.hold, desired)
        if entry.hold is not None and not edited and not lapsed:
            self.held.append(updated)
            self._keep(entry, updated)
            return
        if not edited:
            updated = msgspec.structs.replace(updated, hold=None)
        waits = entry.next_try_at is not None and entry.next_try_at > self.now
        if waits and same_desire and want.writes:
            if edited and updated.observed != entry.observed:
                # Another edit meanwhile, which is held anew.
                hold = self._hold(want, entry, updated, surface)
                updated = msgspec.structs.replace(updated, hold=hold)
            self.held.append(updated)
            self._keep(entry, updated)
            return
        if edited and here is None and entry.intent is None:
            # As it was seen last; it is looked at again before something else is written.
            same = not lapsed or desired == entry.applied or not want.writes
            if same or is_over(self._hold(want, entry, updated, surface), self.now):
                self._edit(want, entry, updated, surface, here)
                return
        if here is not None and entry.intent == stored(here.plain()) and not twice:
            entry, updated = self._recover(entry, updated, here)
        if taken and entry.applied == NOTHING and want.value is not None:
            updated = msgspec.structs.replace(updated, outcome=SKIPPED, message=TAKEN, hold=None)
            self.skipped.append(updated)
            self._keep(entry, updated)
            return
        if here is None and same_desire and entry.outcome == SKIPPED:
            # As with a conflict: looked at again when something else should stand there.
            self.skipped.append(updated)
            self._keep(entry, updated)
            return
        # What the vendor made of this very value is what should stand there.
        answered = want.value is not None and bytes(desired) == bytes(entry.asked)
        decision = decide(
            entry.applied if answered else desired,
            entry.applied,
            None if here is None else stored(here.plain()),
            intent=entry.intent,
            ours=here is not None and here.ours,
        )
        if twice and decision in (Decision.nothing, Decision.adopt):
            # The write removes the other one.
            decision = Decision.write
        again = same_desire and entry.outcome == CONFLICTED and updated.observed == entry.observed
        if decision is Decision.write and again and entry.intent is None:
            # The vendor, too, found a person's edit there, and nothing has changed since.
            if edited:
                hold = self._hold(want, entry, updated, surface)
                updated = msgspec.structs.replace(updated, hold=hold)
            self.conflicts.append(updated)
            self._keep(entry, updated)
            return
        if decision is Decision.conflict:
            self._edit(want, entry, updated, surface, here)
        else:
            self._follow(decision, want, entry, updated, here)

    def _follow(
        self,
        decision: Decision,
        want: Want,
        entry: Entry,
        updated: Entry,
        here: Seen | None,
    ) -> None:
        if here is not None:
            # What stands there is seen, and is no person's edit (any more).
            updated = msgspec.structs.replace(updated, hold=None)
        match decision:
            case Decision.nothing:
                updated = msgspec.structs.replace(updated, hold=None)
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
                until = self.rests.get(want.slot, self.now)
                if change.verb is Verb.update and not change.interrupted and until > self.now:
                    self.resting.append((updated, until))
                elif decision is Decision.look and _over(want, entry):
                    self.changes.append(change)
                else:
                    self._of(want).append(change)
                given_up = updated.outcome == FAILED and not want.writes
                if updated.outcome == SKIPPED or given_up:
                    updated = msgspec.structs.replace(
                        updated, outcome="", message="", attempts=0, next_try_at=None
                    )
                elif here is not None and entry.hold is not None:
                    updated = msgspec.structs.replace(updated, outcome="", message="")
            case Decision.gone:
                hold = Hold(HoldKind.removed, "a person", self.now, note="removed by a person")
                updated = msgspec.structs.replace(updated, hold=hold, intent=None)
                self.held.append(updated)
        self._keep(entry, updated)

    def _hold(self, want: Want, entry: Entry, updated: Entry, surface: Surface) -> Hold:
        """The hold of the person's edit that stands there."""
        assert updated.observed is not None
        policy = want.edits or surface.edits
        return edit_hold(entry, updated.observed, updated.desired, policy, self.now)

    def _edit(
        self, want: Want, entry: Entry, updated: Entry, surface: Surface, here: Seen | None
    ) -> None:
        """A person's value stands there: it is held, or was for long enough, or may be replaced
        as somebody approved."""
        if want.value is None and entry.applied == NOTHING:
            # Nothing of opsync's is there, nor is to be.
            self.entries.append(Entry(slot=entry.slot))
            return
        hold = self._hold(want, entry, updated, surface)
        refused = _refused(entry, updated)
        message = entry.message if refused else EDITED_BY
        updated = msgspec.structs.replace(
            updated, hold=hold, outcome=CONFLICTED, message=message, intent=None
        )
        approved = want.value is not None and want.over == updated.observed
        if refused or (not approved and not is_over(hold, self.now)):
            self.conflicts.append(updated)
            self._keep(entry, updated)
            return
        change = msgspec.structs.replace(
            self._change(want, entry, here),
            verb=Verb.update,
            before=plain(updated.observed),
            over_edit=True,
        )
        if want.mode is Mode.observe:
            self.observed_only.append(change)
        elif approved or (want.writes and (want.edits or surface.edits) is Edits.ours):
            # The hold ends with the write: were that interrupted, it began when it did.
            self.changes.append(change)
        else:
            self.proposed.append(change)
            hold = msgspec.structs.replace(hold, kind=HoldKind.proposed)
            updated = msgspec.structs.replace(updated, hold=hold)
        self._keep(entry, updated)

    def _recover(self, entry: Entry, updated: Entry, here: Seen) -> tuple[Entry, Entry]:
        """The rows as they are when an interrupted write is found to have happened."""
        assert entry.intent is not None
        value = plain(entry.intent)
        before = plain(entry.observed if _edited(entry) else entry.applied)
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
        remote_id = "" if value is None else here.remote_id or entry.remote_id
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
                hold=None,
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


def _edited(entry: Entry) -> bool:
    """Whether a person's edit is held, which was seen."""
    return entry.hold is not None and entry.hold.kind in EDITED and entry.observed is not None


def _over(want: Want, entry: Entry) -> bool:
    """Whether a write over a person's edit was approved and begun: its place is looked at."""
    begun = entry.intent == stored(want.value) and _edited(entry)
    return begun and want.mode is not Mode.observe and want.over == entry.observed


def _refused(entry: Entry, updated: Entry) -> bool:
    """Whether the vendor itself would not have this edit written over by this very value: the
    next try would end like it."""
    answered = entry.outcome == CONFLICTED and not entry.attempts and entry.intent is None
    said = entry.message not in ("", EDITED_BY)
    same = (updated.desired, updated.observed) == (entry.desired, entry.observed)
    return _edited(entry) and answered and said and same


def _lapsed(hold: Hold, desired: bytes) -> bool:
    """Whether a hold was for another value than the one that is desired now."""
    return bool(hold.desired_hash) and hold.desired_hash != digest(desired)
