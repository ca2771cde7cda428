"""The loop that every scene goes through, and what is asked of every plan in it.

plan ► shuffle ► pretended outcomes, until nothing is planned. The rules are written down here as
plainly as people would say them, and know nothing of how the planner comes to its answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from opsync.model import Change, Outcome, OutcomeKind, Record, Seen, Slot, Value, Verb
from opsync.model.ledger import LET_BE, Entry, plain, stored
from opsync.model.rules import Mode
from opsync.model.value import NOTHING
from opsync.stages.limit import footprint, over
from opsync.stages.plan import TargetPlan, Want, plan
from tests.properties.board import SINGLE, Board, Thing, address, canonical
from tests.properties.book import Book
from tests.properties.scene import TARGET, Scene, applies, edit

ITERATIONS_MAX = 5
"""So many plans with something in them there may be once outcomes succeed."""
BETWEEN = timedelta(hours=7)
"""From one healing plan to the next: longer than any failed write waits, and all of a case together
is less than the days after which a person's edit of a derived number is asked about again."""

FATES = (
    "written",
    "written",
    "written",
    "failed",
    "refused",
    "lost after",
    "lost before",
    "died after",
    "died before",
)
_BREAKS_OFF = {"lost after", "died after"}
_VISIBLE = {surface.name for surface in Board.surfaces if surface.pulled}
_ALONE = {surface.name for surface in Board.surfaces if surface.alone}
_CARRIED = {surface.name for surface in Board.surfaces if surface.carried}


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


def step(scene: Scene, *, healing: bool) -> bool:
    """One pass over the target; whether it planned anything."""
    scene.run += 1
    scene.now += BETWEEN if healing else timedelta(minutes=scene.choices.pick((1, 20, 90)))
    complete = healing or not scene.choices.chance(10)
    seen = scene.board.seen(pulled=True) if complete else ()
    target = Record(ref=TARGET, kind=scene.kind, title="T", seen=seen, seen_complete=complete)
    _agree(scene)
    _inherit(scene)
    rows = list(scene.book.rows.values())
    result = _planned(scene, target, rows, None)
    check(scene, result, _VISIBLE if complete else set(), looked=False)
    scene.book.put(result.entries)
    changes: Sequence[Change] = result.changes
    told = bool(changes or result.entries)
    unknown = any(row.intent is not None for row in rows)
    if changes and (unknown or any(one.slot.surface not in _VISIBLE for one in changes)):
        result = _planned(scene, target, rows, scene.board.seen())
        check(scene, result, {surface.name for surface in Board.surfaces}, looked=True)
        scene.counts["recovered"] += len(result.recovered)
        scene.book.finish(result.recovered, scene.now)
        scene.book.put(result.entries)
        changes = result.changes
    _lapse(scene)
    if changes and not _within_limits(scene, changes, healing=healing):
        return True
    if changes and not healing and scene.choices.chance(10):
        edit(scene, scene.choices.pick(changes).slot)
    if changes:
        _carry_out(scene, changes, healing=healing)
    return told


def _planned(
    scene: Scene, target: Record, rows: Sequence[Entry], seen: Sequence[Seen] | None
) -> TargetPlan:
    scene.counts["plans"] += 1
    # As in a pass, that nothing should stand there is said only of what is known.
    wants = [
        want
        for want in scene.choices.shuffled(list(scene.wants.values()))
        if want.value is not None or any(row.slot == want.slot for row in rows)
    ]
    given = (target, wants, rows, scene.board)
    result = plan(
        *given, now=scene.now, run=scene.run, seen=seen, resting=dict(scene.resting) or None
    )
    for row in result.skipped:
        scene.counts["found: skipped"] += 1
        must(row.hold is None or row.hold.kind not in LET_BE, "a hold is no skip", row)
    scene.counts["found: conflict"] += len(result.conflicts)
    scene.counts["found: resting"] += len(result.resting)
    scene.counts["found: proposed"] += len(result.proposed)
    scene.counts["found: observed"] += len(result.observed_only)
    for row in result.held:
        kind = "waiting" if row.hold is None else row.hold.kind.value
        scene.counts[f"held: {kind}"] += 1
    return result


def _agree(scene: Scene) -> None:
    """What a person wrote and what should stand there are the same: it is both's from now on."""
    for slot, want in scene.wants.items():
        thing = scene.thing(slot)
        if thing is None or thing.by != "person" or want.value is None:
            continue
        if stored(thing.value) in (stored(want.value), stored(canonical(want.value))):
            scene.board.things[thing.id] = thing._replace(by="either")
            scene.unclear.add(slot)


def _inherit(scene: Scene) -> None:
    """Where a rule was renamed, its place passes on with whatever was said about it."""
    for old, new in list(scene.heirs.items()):
        row, want, heir = scene.book.rows.get(old), scene.wants.get(new), scene.book.rows.get(new)
        if row is None:
            del scene.heirs[old]
            continue
        value = _stands_for(row)
        if want is None or want.value is None or value is None:
            continue
        if heir is not None and _stands_for(heir) is not None:
            continue
        stood = {address(old.surface, one) for one in (value, plain(row.intent))}
        if address(old.surface, want.value) in stood:
            del scene.heirs[old]
            scene.held.pop(new, None)
            if old in scene.held:
                scene.held[new] = scene.held.pop(old)
            if old in scene.resting or old in scene.unclear:
                scene.unclear.add(new)


def _lapse(scene: Scene) -> None:
    """A hold that was for another value is over, and stays so should that one be wanted again."""
    for slot, hold in list(scene.held.items()):
        want = scene.wants.get(slot)
        over = slot.surface not in _CARRIED and not applies(hold, want.value if want else None)
        if over or slot not in scene.book.rows:
            del scene.held[slot]


def _stands_for(row: Entry) -> Value:
    """What a row says of its place: written, perhaps written, or kept from being written."""
    let_be = row.hold is not None and row.hold.kind in LET_BE
    return plain(row.applied) or plain(row.intent) or (plain(row.desired) if let_be else None)


def check(scene: Scene, result: TargetPlan, visible: set[str], *, looked: bool) -> None:
    """What holds for every plan, whatever came before it.

    A change after a write that broke off says no more than that the place has to be looked at,
    until it has been `looked` at.
    """
    planned = [*result.changes, *result.proposed, *result.observed_only]
    slots = [one.slot for one in planned]
    must(len(set(slots)) == len(slots), "one change a slot", slots)
    for change in result.changes:
        must(permitted(scene.wants.get(change.slot)), "nothing unasked is written", change)
    for change in result.proposed:
        want = scene.wants[change.slot]
        approved = want.approved and stored(change.desired) == stored(want.value)
        must(want.mode is Mode.propose and not approved, "only proposals wait", change)
    for change in result.observed_only:
        must(scene.wants[change.slot].mode is Mode.observe, "only observed is only told", change)
    for change in planned:
        scene.counts[f"change: {change.verb.value}"] += 1
        scene.counts["change: interrupted"] += change.interrupted
        known = looked or not change.interrupted
        _check_change(scene, change, known and change.slot.surface in visible)
    carried = [one for one in slots if one.surface in _CARRIED]
    for slot in carried:
        want = scene.wants.get(slot)
        alone = all(one.surface in _ALONE | _CARRIED for one in slots)
        broken = any(row.intent for row in scene.book.rows.values() if row.slot.surface in _CARRIED)
        by_itself = want is None or want.value is None or broken
        must(by_itself or not alone, "a carried value is no reason to write", slot)


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
        must(thing.by != "person", "a person's edit is not written over", change, thing)
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


def _within_limits(scene: Scene, changes: Sequence[Change], *, healing: bool) -> bool:
    """Whether the plan may be written: whole, or not at all."""
    owned = sum(row.applied != NOTHING for row in scene.book.rows.values())
    limits = scene.limits
    if healing:
        limits = limits.raised(removals=len(changes), creates=len(changes))
    excesses = over(footprint(changes, owned=owned), limits)
    removals = sum(one.verb is Verb.remove for one in changes)
    creates = sum(one.verb is Verb.create for one in changes)
    refused = creates > limits.creates or removals > max(limits.removals, owned // 5)
    must(bool(excesses) is refused, "over a limit, all is refused", excesses, limits)
    mixed = over(footprint(scene.choices.shuffled(changes), owned=owned), limits)
    must(mixed == excesses, "a limit counts and does not order", excesses, mixed)
    meant = {one.what.value: one.count for one in excesses}
    must(not over(footprint(changes, owned=owned), limits.raised(**meant)), "what is meant may go")
    scene.counts["limit: refused" if refused else "limit: passed"] += 1
    return not refused


def _carry_out(scene: Scene, changes: Sequence[Change], *, healing: bool) -> None:
    """Give every change its outcome, in two orders; both must come to the same."""
    fates = {one.id: "written" if healing else scene.choices.pick(FATES) for one in changes}
    order = scene.choices.shuffled(changes)
    theirs = {one.id: one for one in scene.board.things.values() if one.by == "person"}
    other_board, other_book = scene.board.copy(), scene.book.copy()
    outcomes = _write(scene, scene.board, scene.book, order, fates)
    if len(order) > 1:
        _write(scene, other_board, other_book, order[::-1], fates)
        must(other_book.dump() == scene.book.dump(), "the order does not matter to the ledger")
        must(other_board.things == scene.board.things, "the order does not matter to the vendor")
    for id_, thing in theirs.items():
        must(scene.board.things.get(id_) == thing, "what is a person's stays as it is", thing)
    for change in changes:
        outcome, fate = outcomes[change.id], fates[change.id]
        scene.counts[f"outcome: {fate}"] += 1
        if outcome.kind is OutcomeKind.conflicted:
            scene.counts["outcome: conflicted"] += 1
            scene.unclear.add(change.slot)
        rounded = stored(canonical(change.desired)) != stored(change.desired)
        if fate in _BREAKS_OFF and rounded:
            scene.unclear.add(change.slot)


def _write(
    scene: Scene, board: Board, book: Book, order: Sequence[Change], fates: Mapping[str, str]
) -> dict[str, Outcome]:
    book.begin(order)
    done, came_of = [], {}
    for change in order:
        fate = fates[change.id]
        outcome = Outcome(
            change=change.id,
            kind=OutcomeKind.failed,
            retryable=fate != "refused",
            unknown=fate.startswith("lost"),
            message=fate,
        )
        if fate == "written" or fate in _BREAKS_OFF:
            answered = board.write(change, scene.run, halfway=fate in _BREAKS_OFF)
            came_of[change.id] = answered
            if fate == "written":
                outcome = answered
        came_of.setdefault(change.id, outcome)
        if not fate.startswith("died"):
            done.append((change, outcome))
    book.finish(done, scene.now)
    return came_of


def settle(scene: Scene) -> int:
    """Let outcomes succeed until nothing is planned; how many plans that took."""
    for taken in range(ITERATIONS_MAX + 1):
        if not step(scene, healing=True):
            must(not step(scene, healing=True), "a settled target stays settled")
            _check_settled(scene)
            return taken
    raise Violation(f"more than {ITERATIONS_MAX} plans until nothing is left to do")


def _check_settled(scene: Scene) -> None:
    """Everything is as it should be, unless somebody has put something in the way."""
    for slot in scene.slots():
        want = scene.wants.get(slot)
        wanted = want.value if want is not None else None
        surface, place = slot.surface, address(slot.surface, wanted)
        row = scene.book.rows.get(slot)
        here = scene.board.at(surface, place) if wanted is not None else []
        own = [one for one in here if one.ours or surface in SINGLE]
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
        or slot.surface in _CARRIED
        or theirs
        or bool(places & scene.emptied)
        or any(one.by != "opsync" for one in [*own, *([thing] if thing else [])])
    )
