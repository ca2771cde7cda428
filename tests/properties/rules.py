"""What is asked of every plan, and of the end.

The rules are written down here as plainly as people would say them, and know nothing of how the
planner comes to its answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from opsync.model import Change, Slot
from opsync.model.ledger import EDITED, Entry, stored
from opsync.model.rules import HELD_FOR, Edits, Mode
from opsync.model.value import NOTHING
from opsync.stages.places import Want
from opsync.stages.plan import TargetPlan
from tests.properties.board import EDITS, SINGLE, Board, Thing, address, canonical
from tests.properties.scene import Scene, applies

_ALONE = {surface.name for surface in Board.surfaces if surface.alone}
CARRIED = {surface.name for surface in Board.surfaces if surface.carried}


class Violation(AssertionError):
    """A rule that a plan broke."""


def must(holds: object, rule: str, *about: object) -> None:
    """Raise Violation unless it holds."""
    if not holds:
        raise Violation(f"{rule}: {'; '.join(map(str, about))}")


def permitted(want: Want | None) -> bool:
    """Whether it may be written: its rule applies, or what it proposes is approved."""
    if want is None or want.mode is Mode.apply:
        return True
    return want.mode is Mode.propose and want.approved


def policy(want: Want | None, surface: str) -> Edits:
    """What becomes of a person's edit there."""
    return EDITS[surface] if want is None or want.edits is None else want.edits


def look(scene: Scene, visible: set[str]) -> None:
    """Note when people's edits are first seen; another text is another edit."""
    for id_, thing in scene.board.things.items():
        if thing.surface in visible and thing.by == "person":
            text = bytes(stored(thing.value))
            if id_ not in scene.first_seen or scene.first_seen[id_][0] != text:
                scene.first_seen[id_] = text, scene.now


def check(scene: Scene, result: TargetPlan, visible: set[str], *, looked: bool) -> None:
    """What holds for every plan, whatever came before it.

    A change after a write that broke off says no more than that the place has to be looked at,
    until it has been `looked` at.
    """
    planned = [*result.changes, *result.proposed, *result.observed_only]
    slots = [one.slot for one in planned]
    must(len(set(slots)) == len(slots), "one change a slot", slots)
    _check_permitted(scene, result)
    for change in planned:
        scene.counts[f"change: {change.verb.value}"] += 1
        scene.counts["change: interrupted"] += change.interrupted
        scene.counts["change: over an edit"] += change.over_edit
        known = looked or not change.interrupted
        _check_change(scene, change, known and change.slot.surface in visible)
    for change in result.changes:
        may = not change.over_edit or _may_replace(scene, change)
        must(may, "a person's edit is written over as approved, or as the rule says", change)
    for row in result.conflicts:
        hold = row.hold
        want = scene.wants.get(row.slot)
        if hold is None or hold.kind not in EDITED or _taken(scene, row.slot, want):
            continue
        theirs = policy(want, row.slot.surface) is Edits.theirs
        for_good = theirs or row.applied == NOTHING or row.desired == NOTHING
        until = None if for_good else hold.at + HELD_FOR
        must(hold.until == until, "an edit is held for seven days, or for good", row)


def _taken(scene: Scene, slot: Slot, want: Want | None) -> bool:
    """Whether somebody else serves the place by now: then nothing of opsync's should."""
    if want is None or want.value is None or slot.surface in SINGLE:
        return False
    here = scene.board.at(slot.surface, address(slot.surface, want.value))
    return any(not one.ours for one in here)


def _check_permitted(scene: Scene, result: TargetPlan) -> None:
    """No change goes further than its rule, nor a carried one further than what it goes with."""
    lists = {
        Mode.apply: result.changes,
        Mode.propose: result.proposed,
        Mode.observe: result.observed_only,
    }
    modes = list(Mode)
    reasons = {
        mode
        for mode, changes in lists.items()
        if any(one.slot.surface not in _ALONE | CARRIED for one in changes)
    }
    broken = any(row.intent for row in scene.book.rows.values() if row.slot.surface in CARRIED)
    for mode, changes in lists.items():
        for change in changes:
            want = scene.wants.get(change.slot)
            row = scene.book.rows.get(change.slot)
            if _begun_over(scene, change, row):
                continue
            furthest = Mode.apply
            # That it goes instead, where somebody else's has come to stand, nobody approved.
            instead = want is not None and change.desired is None and want.value is not None
            if want is not None and (instead or not permitted(want)):
                furthest = want.mode
            if change.over_edit and want is not None and want.mode is not Mode.observe:
                approved = (change.slot, *_values(change)) in scene.over
                asked = policy(want, change.slot.surface) is not Edits.ours or not permitted(want)
                furthest = Mode.propose if asked and not approved else Mode.apply
            if change.slot.surface in CARRIED and want and want.value is not None and not broken:
                must(reasons, "a carried value is no reason to write", change)
                with_it = max(reasons, key=modes.index)
                furthest = min(furthest, with_it, key=modes.index)
            told = {
                Mode.apply: "nothing unasked is written",
                Mode.propose: "only what has to be approved waits",
                Mode.observe: "only what is observed is only told",
            }
            if broken and change.slot.surface in CARRIED:
                must(modes.index(mode) <= modes.index(furthest), told[mode], change)
            else:
                must(mode is furthest, told[mode], change, furthest)


def _begun_over(scene: Scene, change: Change, row: Entry | None) -> bool:
    """Whether it says that a write over an edit, which was approved, has to be looked at."""
    if row is None or row.observed is None or row.hold is None or not change.interrupted:
        return False
    named = change.slot, _values(change)[0], bytes(row.observed)
    want = scene.wants.get(change.slot)
    return want is not None and want.mode is not Mode.observe and named in scene.over


def _values(change: Change) -> tuple[bytes, bytes]:
    return bytes(stored(change.desired)), bytes(stored(change.before))


def _may_replace(scene: Scene, change: Change) -> bool:
    """Whether what a person wrote may be written over now."""
    want = scene.wants.get(change.slot)
    if want is None or want.value is None or want.mode is Mode.observe:
        return False
    if (change.slot, *_values(change)) in scene.over:
        return True
    return permitted(want) and policy(want, change.slot.surface) is Edits.ours


def _stood_long_enough(scene: Scene, change: Change, thing: Thing) -> bool:
    """Whether this text of a person stands over opsync's for seven days, as far as was seen."""
    rows = scene.book.rows.values()
    ours = any(row.remote_id == thing.id and row.applied != NOTHING for row in rows)
    text, since = scene.first_seen.get(thing.id, (b"", scene.now))
    if not ours or text != bytes(stored(thing.value)):
        return False
    held = scene.now - since >= HELD_FOR
    return held and policy(scene.wants.get(change.slot), change.slot.surface) is not Edits.theirs


def _check_change(scene: Scene, change: Change, visible: bool) -> None:
    slot = change.slot
    want, held = scene.wants.get(slot), scene.held.get(slot)
    wanted = want.value if want is not None else None
    must(slot in scene.wants or slot in scene.book.rows, "only owned slots are touched", change)
    if change.desired is None and wanted is not None:
        # It was to lead elsewhere, where somebody else's has come to stand.
        elsewhere = scene.board.at(slot.surface, address(slot.surface, wanted))
        must(any(not one.ours for one in elsewhere), "only what is taken goes instead", change)
        wanted = None
    must(stored(change.desired) == stored(wanted), "what is written is what is wanted", change)
    must(not applies(held, wanted), "what is held is left alone", change, held)
    if not visible:
        return
    surface, place = slot.surface, address(slot.surface, wanted)
    thing = scene.board.things.get(change.remote_id)
    here = scene.board.at(surface, place)
    if thing is None and wanted is not None:
        thing = next((one for one in here if one.ours or surface in SINGLE), None)
    if thing is not None:
        if thing.by == "person":
            must(change.over_edit, "a person's edit is not written over", change, thing)
            must(stored(change.before) == stored(thing.value), "their text is named", change, thing)
            approved = (slot, *_values(change)) in scene.over
            may = approved or _stood_long_enough(scene, change, thing)
            must(may, "an edit is held for seven days", change, thing, scene.first_seen)
        must(
            not change.over_edit or thing.by != "opsync" or slot in scene.unclear,
            "only what a person wrote is an edit",
            change,
            thing,
        )
        must(
            thing.surface == surface and (thing.ours or surface in SINGLE),
            "somebody else's is not touched",
            change,
            thing,
        )
    there = thing is not None and thing.address == place
    theirs = [one for one in here if not one.ours and surface not in SINGLE]
    must(
        wanted is None or there or not theirs,
        "no write where somebody else serves the place",
        change,
        theirs,
    )
    emptied = (surface, place) in scene.emptied and slot not in scene.unclear
    must(wanted is None or there or not emptied, "what a person removed stays removed", change)


def check_settled(scene: Scene) -> None:
    """Everything is as it should be, unless somebody has put something in the way."""
    for slot in scene.slots():
        want = scene.wants.get(slot)
        wanted = want.value if want is not None else None
        surface, place = slot.surface, address(slot.surface, wanted)
        row = scene.book.rows.get(slot)
        here = scene.board.at(surface, place) if wanted is not None else []
        own = [one for one in here if one.ours or surface in SINGLE]
        _check_asked(scene, slot, want)
        if _in_the_way(scene, slot, want, own, len(own) < len(here)):
            scene.counts["end: left alone"] += 1
            continue
        if wanted is None:
            scene.counts["end: gone"] += 1
            must(row is None, "what nothing asks for is gone", slot, row)
            continue
        scene.counts["end: as wanted"] += 1
        value = stored(canonical(wanted))
        must([stored(one.value) for one in own] == [value], "it stands there once", slot, own, row)
        must(row is not None and row.applied == value, "the ledger says so", slot, row)
        assert row is not None
        must(row.intent is None and row.hold is None, "nothing is left open", row)
        must(row.desired == stored(wanted), "the ledger says what is wanted", row)


def _check_asked(scene: Scene, slot: Slot, want: Want | None) -> None:
    """What was held for its time is asked about, or written where the rule says so."""
    row = scene.book.rows.get(slot)
    hold = row.hold if row is not None else None
    said = scene.held.get(slot)
    if row is not None and applies(said, want.value if want is not None else None):
        must(hold == said, "what a person said of it lasts", row)
    if hold is None or hold.kind not in EDITED or want is None or slot.surface in CARRIED:
        return
    asked = hold.kind.value == "proposed"
    scene.counts["end: asked about"] += asked
    if hold.until is None or hold.until > scene.now or want.mode is Mode.observe:
        return
    if slot in scene.unclear or _taken(scene, slot, want):
        return
    ours = policy(want, slot.surface) is Edits.ours and permitted(want)
    must(asked and not ours, "what was held for its time is asked about", row, want)


def _in_the_way(
    scene: Scene, slot: Slot, want: Want | None, own: Sequence[Thing], theirs: bool
) -> bool:
    wanted = want.value if want is not None else None
    row = scene.book.rows.get(slot)
    thing = scene.board.things.get(row.remote_id) if row is not None else None
    places = {(slot.surface, address(slot.surface, wanted)), scene.place(slot)}
    return (
        not permitted(want)
        or applies(scene.held.get(slot), wanted)
        or slot in scene.unclear
        or slot.surface in CARRIED
        or theirs
        or bool(places & scene.emptied)
        or any(one.by != "opsync" for one in [*own, *([thing] if thing else [])])
    )
