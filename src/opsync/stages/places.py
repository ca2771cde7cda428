"""What should stand at a target's places, what stands there, and whose it is.

Pure.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import msgspec
from msgspec import Struct

from opsync.contract.connector import Surface, Writable
from opsync.model import Change, Outcome, OutcomeKind, Record, Seen, Slot, Value, Verb
from opsync.model.ledger import EDITED, LET_BE, Entry, Hold, change_id, digest, plain, stored
from opsync.model.rules import Edits, Mode
from opsync.model.value import NOTHING

TAKEN = "already linked by somebody else"


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
    chosen: bool = True
    """Whether it is of the plan that is carried out, if one is: what is not waits as it is."""

    @property
    def permitted(self) -> bool:
        """Whether its rule, or somebody's approval, lets it be written."""
        return self.mode is Mode.apply or (self.mode is Mode.propose and self.approved)

    @property
    def writes(self) -> bool:
        """Whether it is written in this pass where it differs."""
        return self.chosen and self.permitted


def handed_over(
    rows: Mapping[Slot, Entry], wanted: Mapping[Slot, Want], connector: Writable
) -> list[Entry]:
    """The rows as they are when a place passes from one slot to another, as when a rule is
    renamed: what opsync wrote there, or may have written, is the new slot's, and the old one is
    empty.

    Otherwise the one would remove what the other has just found to be right, or write what a
    person had undone. What the new slot has elsewhere, from where it is to move here, is the old
    one's in exchange, and goes: moved here, it would take the place of what stands here, which a
    person may have edited. Where the new slot has begun to write at this very place, it looks at
    the place itself: of the old one only what a person did or said is kept.
    """
    places: dict[tuple[str, str], Slot] = {}
    for slot, want in wanted.items():
        row = rows.get(slot)
        if want.value is None:
            continue
        free = row is None or holds(row) is None or _elsewhere(row, want, connector)
        if free or (row is not None and row.applied == NOTHING and row.intent is not None):
            places[slot.surface, connector.address(slot.surface, want.value)] = slot
    if not places:
        return []
    changed: list[Entry] = []
    for slot, row in rows.items():
        if slot in wanted and wanted[slot].value is not None:
            continue
        held = [one for one in (holds(row), plain(row.intent)) if one is not None]
        stood = [(slot.surface, connector.address(slot.surface, one)) for one in held]
        place = next((one for one in stood if one in places), ("", ""))
        heir = places.pop(place, None)
        if heir is None:
            continue
        own, left = rows.get(heir), Entry(slot=slot)
        passed = msgspec.structs.replace(row, slot=heir)
        if own is not None and holds(own) is not None:
            if _elsewhere(own, wanted[heir], connector):
                left = msgspec.structs.replace(own, slot=slot)
            elif row.hold is None:
                passed = own
            else:
                passed = msgspec.structs.replace(passed, intent=own.intent)
        changed += [passed, left]
    return changed


def holds(row: Entry) -> Value:
    """What opsync wrote in a slot, or may have written where the answer was lost, or would write
    if a person had not put an end to it; None: nothing."""
    written = plain(row.applied)
    if written is None and row.intent is not None:
        return plain(row.intent)
    if written is None and row.hold is not None and row.hold.kind in LET_BE:
        return plain(row.desired)
    return written


def _elsewhere(row: Entry, want: Want, connector: Writable) -> bool:
    """Whether what a slot has, or may have, is at another place than it should be, and may go."""
    surface = row.slot.surface
    known = (plain(row.applied), plain(row.intent))
    there = {connector.address(surface, one) for one in known if one is not None}
    free = row.hold is None or is_edited(row) or is_lapsed(row.hold, stored(want.value))
    return bool(there) and free and connector.address(surface, want.value) not in there


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


def stands_twice(
    surface: Surface,
    want: Want,
    entry: Entry,
    connector: Writable,
    seen: Sequence[Seen] | None,
) -> bool:
    """Whether two of opsync's own serve the slot's place, or that of an interrupted write: where
    one is moved by making another, such a write, or one that the store knows nothing of, may have
    left both."""
    if want.value is None or not seen or (entry.intent is None and entry.applied != NOTHING):
        return False
    tried = [one for one in (want.value, plain(entry.intent)) if one is not None]
    places = {connector.address(surface.name, one) for one in tried} - {""}
    own = [one.address for one in seen if one.surface == surface.name and one.ours]
    return any(own.count(place) > 1 for place in places)


def left_behind(
    surface: Surface,
    want: Want,
    entry: Entry,
    connector: Writable,
    seen: Sequence[Seen] | None,
    taken: Container[str],
) -> str:
    """The id of what an interrupted move made beside what it was to replace, where by now that is
    wanted nowhere; "" if there is none. `taken` are the ids that the slots here have."""
    made = plain(entry.intent)
    if made is None or entry.applied == NOTHING or not seen:
        return ""
    place = connector.address(surface.name, made)
    if place in ("", connector.address(surface.name, want.value)):
        return ""
    here = [one for one in seen if one.surface == surface.name]
    if not any(one.remote_id == entry.remote_id for one in here):
        return ""
    besides = (
        one.remote_id
        for one in here
        if one.ours and one.address == place and one.remote_id not in taken
    )
    return next(besides, "")


def recovered(
    entry: Entry, updated: Entry, here: Seen, run: int
) -> tuple[Change, Outcome, Entry, Entry]:
    """A write of an interrupted run that is found to have happened, and the slot's rows as they
    are then: as the ledger had it, and as this plan has it so far."""
    assert entry.intent is not None
    value = plain(entry.intent)
    before = plain(entry.observed if is_edited(entry) else entry.applied)
    kind, verb = OutcomeKind.removed, Verb.remove
    if value is not None:
        kind = OutcomeKind.created if before is None else OutcomeKind.updated
        verb = Verb.create if before is None else Verb.update
    change = Change(
        id=f"{change_id(run, entry.slot)}-found",
        slot=entry.slot,
        verb=verb,
        desired=value,
        before=before,
        remote_id=entry.remote_id,
        reason=entry.reason,
        evidence=entry.evidence,
        inputs=entry.inputs,
        over_edit=is_edited(entry),
        theirs=is_edited(entry) or entry.ceded,
    )
    remote_id = "" if value is None else here.remote_id or entry.remote_id
    outcome = Outcome(
        change=change.id,
        kind=kind,
        applied=value,
        remote_id=remote_id,
        message="written by a run that was interrupted",
    )

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
            ceded=False,
        )

    return change, outcome, settled(entry), settled(updated)


def is_edited(entry: Entry) -> bool:
    """Whether a person's edit is held, which was seen."""
    return entry.hold is not None and entry.hold.kind in EDITED and entry.observed is not None


def is_overwritten(entry: Entry, here: Seen | None) -> bool:
    """Whether a person's value stands where opsync had written."""
    known = (entry.applied, entry.intent)
    return here is not None and entry.applied != NOTHING and stored(here.plain()) not in known


def is_lapsed(hold: Hold, desired: bytes) -> bool:
    """Whether a hold was for another value than the one that is desired now."""
    return bool(hold.desired_hash) and hold.desired_hash != digest(desired)
