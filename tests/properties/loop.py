"""The loop that every scene goes through: plan ► shuffle ► pretended outcomes, until nothing is
planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from msgspec.structs import replace

from opsync.model import Change, Outcome, OutcomeKind, Record, Seen, Value, Verb
from opsync.model.ledger import EDITED, LET_BE, Entry, plain, stored
from opsync.model.value import NOTHING
from opsync.stages.limit import footprint, over
from opsync.stages.places import TAKEN, Want
from opsync.stages.plan import TargetPlan, plan
from tests.properties.board import Board, address, canonical
from tests.properties.book import Book
from tests.properties.hands import edit
from tests.properties.rules import CARRIED, Violation, check, check_settled, look, must
from tests.properties.scene import TARGET, Scene, applies

ITERATIONS_MAX = 5
"""So many plans with something in them there may be once outcomes succeed."""
HEALS_AFTER, BETWEEN = timedelta(hours=18), timedelta(hours=6.5)
"""Before the first healing plan, and before each: together longer than any failed write waits, and
all of them together so short that no hold of a person's edit comes to its end among them."""

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
_ALL = {surface.name for surface in Board.surfaces}


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
    wants = _wanted(scene, rows)
    visible = _VISIBLE if complete else set()
    look(scene, visible)
    result = _planned(scene, target, wants, rows, None)
    check(scene, result, visible, looked=False)
    scene.book.put(result.entries)
    changes: Sequence[Change] = result.changes
    told = bool(changes or result.entries)
    unknown = any(row.intent is not None for row in rows)
    if changes and (unknown or any(one.slot.surface not in _VISIBLE for one in changes)):
        if not healing and scene.choices.chance(5):
            edit(scene, scene.choices.pick(changes).slot)
        look(scene, _ALL)
        result = _planned(scene, target, wants, rows, scene.board.seen())
        check(scene, result, _ALL, looked=True)
        scene.counts["recovered"] += len(result.recovered)
        scene.book.finish(result.recovered, scene.now)
        scene.book.put(result.entries)
        changes = result.changes
    asked = [one for one in result.proposed if one.interrupted and one.reason == TAKEN]
    scene.asks = bool(asked) and not changes
    _lapse(scene)
    _agree_on_nothing(scene)
    if changes and not _within_limits(scene, changes, healing=healing):
        return True
    if changes and not healing and scene.choices.chance(10):
        edit(scene, scene.choices.pick(changes).slot)
    if changes:
        _carry_out(scene, changes, healing=healing)
    return told


def _wanted(scene: Scene, rows: Sequence[Entry]) -> list[Want]:
    """What a pass asks for. That nothing should stand there is said only of what is known; what
    somebody approved over a person's text goes with it where that text is what is known to stand
    there."""
    known = {row.slot: row for row in rows}
    wants = []
    for want in scene.choices.shuffled(list(scene.wants.values())):
        row = known.get(want.slot)
        if row is None and want.value is None:
            continue
        theirs = row.observed if row is not None and row.hold is not None else None
        if theirs is not None and scene.over:
            named = want.slot, bytes(stored(want.value)), bytes(theirs)
            want = replace(want, over=theirs) if named in scene.over else want
        wants.append(want)
    return wants


def _planned(
    scene: Scene,
    target: Record,
    wants: Sequence[Want],
    rows: Sequence[Entry],
    seen: Sequence[Seen] | None,
) -> TargetPlan:
    scene.counts["plans"] += 1
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


def _agree_on_nothing(scene: Scene) -> None:
    """What a person removed and nothing asks for any more is over: both agree."""
    if not scene.emptied:
        return
    asked = [(slot, want.value) for slot, want in scene.wants.items()]
    known = [
        (slot, plain(value))
        for slot, row in scene.book.rows.items()
        for value in (row.applied, row.desired, row.intent)
        if value is not None
    ]
    scene.emptied &= {
        (slot.surface, address(slot.surface, value))
        for slot, value in [*asked, *known]
        if value is not None
    }


def _inherit(scene: Scene) -> None:
    """Where a rule was renamed, its place passes on with whatever was said about it; what the new
    one has elsewhere passes back."""
    for old, new in list(scene.heirs.items()):
        row, want, heir = scene.book.rows.get(old), scene.wants.get(new), scene.book.rows.get(new)
        if row is None:
            del scene.heirs[old]
            continue
        value = _stands_for(row)
        if want is None or want.value is None or value is None:
            continue
        swapped = heir is not None and _stands_for(heir) is not None
        if swapped and heir is not None and not _elsewhere(heir, want):
            continue
        stood = {address(old.surface, one) for one in (value, plain(row.intent))}
        if address(old.surface, want.value) in stood:
            if not swapped:
                del scene.heirs[old]
            elif new in scene.unclear:
                scene.unclear.add(old)
            scene.held.pop(new, None)
            if old in scene.held:
                scene.held[new] = scene.held.pop(old)
            if old in scene.resting or old in scene.unclear:
                scene.unclear.add(new)


def _elsewhere(row: Entry, want: Want) -> bool:
    """Whether what a slot has is at another place than it should be, and nobody holds it there."""
    surface = row.slot.surface
    places = [address(surface, one) for one in (plain(row.applied), plain(row.intent)) if one]
    held = row.hold is not None and row.hold.kind not in EDITED and applies(row.hold, want.value)
    return bool(places) and not held and address(surface, want.value) not in places


def _lapse(scene: Scene) -> None:
    """A hold that was for another value is over, and stays so should that one be wanted again."""
    for slot, hold in list(scene.held.items()):
        want = scene.wants.get(slot)
        value = want.value if want is not None else None
        row = scene.book.rows.get(slot)
        looked_at = slot.surface not in CARRIED or value is None or row is None or row.hold is None
        over = looked_at and not applies(hold, value)
        if over or row is None:
            del scene.held[slot]


def _stands_for(row: Entry) -> Value:
    """What a row says of its place: written, perhaps written, or kept from being written."""
    let_be = row.hold is not None and row.hold.kind in LET_BE
    return plain(row.applied) or plain(row.intent) or (plain(row.desired) if let_be else None)


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
    replaced = {(one.slot.surface, bytes(stored(one.before))) for one in changes if one.over_edit}
    for id_, thing in theirs.items():
        meant = (thing.surface, bytes(stored(thing.value))) in replaced
        stays = meant or scene.board.things.get(id_) == thing
        must(stays, "what is a person's stays as it is", thing)
        scene.counts["outcome: over an edit"] += meant and scene.board.things.get(id_) != thing
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
    """Let outcomes succeed until nothing is planned; how many plans that took.

    Where an approved move broke off and somebody else has linked at its new place, each plan looks
    there, writes nothing and asks: that is all that is left to do, and is documented so.
    """
    scene.now += HEALS_AFTER
    for taken in range(ITERATIONS_MAX + 1):
        if not step(scene, healing=True) or scene.asks:
            must(not step(scene, healing=True) or scene.asks, "a settled target stays settled")
            check_settled(scene)
            return taken
    raise Violation(f"more than {ITERATIONS_MAX} plans until nothing is left to do")
