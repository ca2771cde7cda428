"""What happens to a scene: a person's hand, a crash, a lost store, another rule, time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from msgspec.structs import replace

from opsync.model import Change, Slot, Value, Verb
from opsync.model.ledger import CONFLICTED, EDITED, SKIPPED, Entry, Hold, HoldKind, stored
from opsync.model.rules import Edits, Mode
from opsync.model.value import NOTHING
from tests.properties.board import KEYED, SINGLE, Thing, address, canonical
from tests.properties.scene import Scene

DAYS = (timedelta(days=4), timedelta(days=8))
"""What passes at once. With what passes while a scene heals, it is never just seven days."""


def wish(scene: Scene, slot: Slot) -> bool:
    """Something else should stand there."""
    want = scene.wants.get(slot)
    if want is None:
        return False
    scene.wants[slot] = replace(want, value=scene.value(slot), approved=False)
    return True


def move(scene: Scene, slot: Slot) -> bool:
    """A link should lead elsewhere."""
    want = scene.wants.get(slot)
    if want is None or slot.surface not in KEYED:
        return False
    scene.wants[slot] = replace(want, value=scene.value(slot, moved=True), approved=False)
    return True


def withdraw(scene: Scene, slot: Slot) -> bool:
    """Nothing asks for it any more."""
    want = scene.wants.get(slot)
    if want is None:
        return False
    if scene.choices.chance(50):
        scene.wants[slot] = replace(want, value=None, approved=False)
    else:
        del scene.wants[slot]
    return True


def rename(scene: Scene, slot: Slot) -> bool:
    """The rule has another name."""
    want = scene.wants.get(slot)
    if want is None or want.value is None:
        return False
    new = replace(slot, rule=slot.rule + "'")
    del scene.wants[slot]
    scene.wants[new] = replace(want, slot=new, approved=False)
    scene.heirs = {old: new if heir == slot else heir for old, heir in scene.heirs.items()}
    scene.heirs[slot] = new
    if slot in scene.unclear:
        scene.unclear.add(new)
    return True


def choose_mode(scene: Scene, slot: Slot) -> bool:
    """The rule is in another mode, or its value is approved."""
    want = scene.wants.get(slot)
    if want is None:
        return False
    mode = scene.choices.pick(list(Mode))
    approved = mode is Mode.propose and scene.choices.chance(50)
    scene.wants[slot] = replace(want, mode=mode, approved=approved)
    return True


def choose_edits(scene: Scene, slot: Slot) -> bool:
    """The rule says something else of people's edits, or nothing."""
    want = scene.wants.get(slot)
    if want is None:
        return False
    scene.wants[slot] = replace(want, edits=scene.choices.pick((None, *Edits)))
    return True


def approve_over(scene: Scene, slot: Slot) -> bool:
    """Somebody approves a value over a person's text: those of now, or others of before."""
    want, row = scene.wants.get(slot), scene.book.rows.get(slot)
    if want is None or row is None or row.hold is None or row.hold.kind not in EDITED:
        return False
    value, theirs = want.value, row.observed
    if scene.choices.chance(15):
        value = scene.value(slot)
    if theirs is None or scene.choices.chance(15):
        theirs = stored("ask nobody")
    scene.over.add((slot, bytes(stored(value)), bytes(theirs)))
    return True


def days_pass(scene: Scene, slot: Slot) -> bool:
    """Nobody looks for days."""
    scene.now += scene.choices.pick(DAYS)
    return True


def edit(scene: Scene, slot: Slot) -> bool:
    """A person writes something else, what is wanted, or what opsync wrote."""
    thing = scene.thing(slot)
    if thing is None:
        return False
    want = scene.wants.get(slot)
    text = scene.choices.pick(("ask Ana", "ask Ana again"))
    theirs: Value = text if slot.surface in SINGLE else {"url": thing.address, "title": text}
    value = scene.choices.pick((theirs, theirs, thing.wrote, want.value if want else theirs))
    if value is None or address(slot.surface, value) != thing.address:
        value = theirs
    value = canonical(value)
    row = scene.book.rows.get(slot)
    clear = row is not None and row.intent is None and stored(value) == stored(theirs)
    if thing.ours and (row is None or row.applied == NOTHING):
        clear = False
    by = "person" if clear and thing.by != "either" else "either"
    if by == "either":
        scene.unclear.add(slot)
    scene.board.things[thing.id] = thing._replace(value=value, by=by)
    return True


def remove(scene: Scene, slot: Slot) -> bool:
    """A person removes it."""
    thing = scene.thing(slot)
    if thing is None:
        return False
    del scene.board.things[thing.id]
    row = scene.book.rows.get(slot)
    if row is not None and row.applied != NOTHING and row.intent is None:
        scene.emptied.add((thing.surface, thing.address))
    scene.unclear.add(slot)
    return True


def link_first(scene: Scene, slot: Slot) -> bool:
    """A person puts something of theirs at the place."""
    surface, place = scene.place(slot)
    id_ = f"theirs-{surface}-{place}"
    if surface in SINGLE:
        if scene.board.at(surface, place):
            return False
        id_ = f"cell-{surface}"
    value: Value = "ask Ben" if surface in SINGLE else {"url": place, "title": "Ben's"}
    if surface in KEYED and not place:
        return False
    scene.board.things[id_] = Thing(surface, place, value, id_, False, "person")
    return True


def crash(scene: Scene, slot: Slot) -> bool:
    """A run died between a write and its note, before or after the vendor had it."""
    want, row, thing = scene.wants.get(slot), scene.book.rows.get(slot), scene.thing(slot)
    if want is None or slot in scene.held or not want.writes:
        return False
    if (row is not None and row.intent is not None) or slot in scene.heirs.values():
        return False
    if row is not None and row.applied == stored(canonical(want.value)):
        return False
    if thing is not None and (thing.by != "opsync" or row is None):
        return False
    if thing is None and row is not None and row.applied != NOTHING:
        return False
    if any(not one.ours for one in scene.board.at(*scene.place(slot))) and slot.surface in KEYED:
        return False
    value, row = stored(want.value), row or Entry(slot=slot)
    outcome = "" if row.outcome == SKIPPED else row.outcome  # as the plan before it left it
    scene.book.rows[slot] = replace(row, desired=value, intent=value, outcome=outcome)
    if scene.choices.chance(50):
        before = None if thing is None else thing.value
        remote_id = "" if thing is None else thing.id
        change = Change(
            id="crashed",
            slot=slot,
            verb=Verb.update,
            desired=want.value,
            before=before,
            remote_id=remote_id,
        )
        scene.board.write(change, 0, halfway=scene.choices.chance(50))
        scene.counts["crash: written"] += 1
        if stored(canonical(want.value)) != stored(want.value):
            scene.unclear.add(slot)
    return True


def lose(scene: Scene, slot: Slot) -> bool:
    """The store forgets the slot."""
    if slot not in scene.book.rows:
        return False
    thing, surface_place = scene.thing(slot), scene.place(slot)
    if thing is not None and thing.by == "opsync" and not thing.ours:
        scene.board.things[thing.id] = thing._replace(by="person")
    elif thing is not None and thing.by == "person" and thing.ours:
        scene.board.things[thing.id] = thing._replace(by="either")
        scene.unclear.add(slot)
    want = scene.wants.get(slot)
    if want is None or want.value is None or (thing and thing.address != surface_place[1]):
        scene.unclear.add(slot)
        if thing is not None and thing.ours:
            scene.board.things[thing.id] = thing._replace(by="either")
    if slot in scene.heirs:
        scene.unclear.add(scene.heirs.pop(slot))
    scene.emptied.discard(surface_place)
    scene.held.pop(slot, None)
    scene.book.forget(slot)
    return True


def double(scene: Scene, slot: Slot) -> bool:
    """A store that knew nothing of it left a second one of opsync's own."""
    thing = scene.thing(slot)
    if slot.surface != "note" or thing is None or thing.by != "opsync" or slot in scene.held:
        return False
    if not lose(scene, slot):
        return False
    scene.board.things[thing.id + "-2"] = thing._replace(id=thing.id + "-2")
    return True


SET = tuple(kind for kind in HoldKind if kind not in EDITED)
"""Holds that are put on a slot; those of people's edits come of the edits."""


def hold(scene: Scene, slot: Slot) -> bool:
    """Somebody puts an end to it."""
    row = scene.book.rows.get(slot)
    want = scene.wants.get(slot)
    if slot in scene.held or slot in {*scene.heirs, *scene.heirs.values()} or want is None:
        return False
    kind = scene.choices.pick(SET)
    if kind is HoldKind.removed and (row is None or row.applied == NOTHING):
        return False
    if kind is HoldKind.removed and not remove(scene, slot):
        return False
    one = Hold(kind, "ana", scene.now - timedelta(hours=1))
    row = replace(row or Entry(slot=slot), desired=stored(want.value), hold=one)
    scene.book.rows[slot] = row
    scene.held[slot] = one
    scene.counts[f"hold: {kind.value}"] += 1
    return True


def let_go(scene: Scene, slot: Slot) -> bool:
    """A person lets go of a hold."""
    row = scene.book.rows.get(slot)
    if slot not in scene.held or row is None:
        return False
    del scene.held[slot]
    scene.book.rows[slot] = replace(row, hold=None)
    scene.unclear.add(slot)
    return True


def wait(scene: Scene, slot: Slot) -> bool:
    """A write failed just now, and may be tried again in half an hour."""
    row = scene.book.rows.get(slot)
    if row is None:
        return False
    later = scene.now + timedelta(minutes=30)
    edited = row.hold is not None and row.hold.kind in EDITED
    outcome = CONFLICTED if edited else "failed"
    scene.book.rows[slot] = replace(row, next_try_at=later, attempts=1, outcome=outcome)
    return True


def rest(scene: Scene, slot: Slot) -> bool:
    """It was rewritten half an hour ago, and should say something else again."""
    scene.resting[slot] = scene.now + timedelta(minutes=30)
    wish(scene, slot)
    return True


DISTURBANCES: tuple[Callable[[Scene, Slot], bool], ...] = (
    wish,
    withdraw,
    move,
    rename,
    edit,
    remove,
    link_first,
    crash,
    lose,
    double,
    hold,
    let_go,
    wait,
    rest,
    choose_mode,
    choose_edits,
    approve_over,
    days_pass,
)
_OFTEN = (
    *(wish, wish, *DISTURBANCES, crash, double, let_go, let_go, hold),
    *(edit, edit, edit, approve_over, approve_over, approve_over, days_pass, days_pass),
)


def disturb(scene: Scene) -> None:
    """One to three disturbances at once."""
    for _ in range(scene.choices.number(1, 3)):
        slots = scene.slots()
        if not slots:
            return
        what = scene.choices.pick(_OFTEN)
        if what(scene, scene.choices.pick(slots)):
            scene.counts[f"disturbance: {what.__name__}"] += 1
