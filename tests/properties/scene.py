"""A scene: one target, what should stand there, what opsync knows and what people did meanwhile.

`make` builds one that is settled; `disturb` pulls desire, ledger and vendor apart, each
disturbance as it comes about outside: a person's hand, a crash, a lost store, another rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from opsync.model import Change, Kind, Limits, Ref, Slot, Value, Verb
from opsync.model.ledger import LET_BE, SKIPPED, Entry, Hold, HoldKind, digest, plain, stored
from opsync.model.rules import Mode
from opsync.model.value import NOTHING
from opsync.stages.plan import Want
from tests.properties.board import KEYED, SINGLE, Board, Thing, address, canonical
from tests.properties.book import Book
from tests.properties.choices import Choices

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TARGET = Ref("board", "issue", "1")
SURFACES = ("link", "text", "remote", "share", "note", "use", "changed")

WORDS = {
    "text": ("1 of 3 done", "2 of 3 done", "at risk", " 3 of 3 done "),
    "share": (0.25, 0.5, 1.0, 0.333),
    "use": ("1 user a day", "2 users a day", "3 users a day"),
    "changed": ("2026-03-01", "2026-03-02", "2026-03-03"),
}
TITLES = ("Checkout", "Checkout 2", "Loyalty", " Loyalty 2 ")
HASHED = (HoldKind.proposed, HoldKind.refused, HoldKind.conflict)
"""Holds that are for one value only."""

Place = tuple[str, str]


@dataclass
class Scene:
    """Everything about one target, and the truth that the planner does not see."""

    choices: Choices
    board: Board = field(default_factory=Board)
    book: Book = field(default_factory=Book)
    wants: dict[Slot, Want] = field(default_factory=dict)
    kind: Kind = Kind.issue
    limits: Limits = field(default_factory=Limits)
    now: datetime = START
    run: int = 1
    resting: dict[Slot, datetime] = field(default_factory=dict)
    held: dict[Slot, Hold] = field(default_factory=dict)
    """The holds that were put on slots."""
    emptied: set[Place] = field(default_factory=set)
    """Places from which a person removed what opsync wrote."""
    unclear: set[Slot] = field(default_factory=set)
    """Slots of which nobody could tell whether the last touch was a person's."""
    heirs: dict[Slot, Slot] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def place(self, slot: Slot) -> Place:
        """The place that a slot is about: where its value should stand, or stands."""
        want, row = self.wants.get(slot), self.book.rows.get(slot)
        value = want.value if want is not None else None
        if value is None and row is not None:
            value = plain(row.intent) or plain(row.applied) or plain(row.desired)
        return slot.surface, address(slot.surface, value)

    def thing(self, slot: Slot) -> Thing | None:
        """What of opsync's stands there, a person's edit of it too."""
        row = self.book.rows.get(slot)
        if row is not None and row.remote_id in self.board.things:
            return self.board.things[row.remote_id]
        here = self.board.at(*self.place(slot))
        return next((one for one in here if one.ours or slot.surface in SINGLE), None)

    def value(self, slot: Slot, *, moved: bool = False) -> Value:
        """Something that should stand in a slot."""
        if slot.surface in WORDS:
            return self.choices.pick(WORDS[slot.surface])
        url = f"https://x.example/{slot.other.id}{'/moved' if moved else ''}"
        return {"url": url, "title": self.choices.pick(TITLES)}

    def slots(self) -> list[Slot]:
        """All slots that are wanted or known."""
        return sorted(self.wants.keys() | self.book.rows.keys())


def make(choices: Choices) -> Scene:
    """A target with one to four slots, each written before or about to be."""
    scene = Scene(choices)
    scene.kind = choices.pick((Kind.issue, Kind.initiative))
    scene.board.shows_empty = not choices.chance(40)
    if choices.chance(15):
        scene.limits = Limits(removals=choices.number(0, 1), creates=choices.number(0, 2))
    used: set[str] = set()
    for at in range(choices.number(1, 4)):
        surface = choices.pick(SURFACES)
        if surface in used:
            surface = "link"
        if surface in SINGLE:
            used.add(surface)
        slot = Slot(TARGET, surface, "roadmap", Ref("notion", "page", f"r{at}"))
        mode = Mode.apply if not choices.chance(25) else choices.pick((Mode.propose, Mode.observe))
        scene.wants[slot] = Want(slot, scene.value(slot), "as planned", mode=mode)
        if not choices.chance(30):
            _written(scene, slot)
    return scene


def _written(scene: Scene, slot: Slot) -> None:
    """The slot as it is after its value was written."""
    desired = scene.wants[slot].value
    value = canonical(desired)
    id_ = f"cell-{slot.surface}" if slot.surface in SINGLE else f"{slot.surface}-{slot.other.id}"
    scene.board.things[id_] = Thing(
        *scene.place(slot), value, id_, slot.surface in KEYED, "opsync", value
    )
    scene.book.rows[slot] = Entry(
        slot=slot,
        desired=stored(desired),
        applied=stored(value),
        asked=stored(desired),
        remote_id=id_,
        observed=stored(value),
        observed_at=scene.now,
        outcome="created",
        reason="as planned",
    )


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


def edit(scene: Scene, slot: Slot) -> bool:
    """A person writes something else, what is wanted, or what opsync wrote."""
    thing = scene.thing(slot)
    if thing is None:
        return False
    want = scene.wants.get(slot)
    theirs: Value = (
        "ask Ana" if slot.surface in SINGLE else {"url": thing.address, "title": "Ana's"}
    )
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


def hold(scene: Scene, slot: Slot) -> bool:
    """Somebody puts an end to it, for one value or for good."""
    row = scene.book.rows.get(slot)
    want = scene.wants.get(slot)
    if slot in scene.held or slot in {*scene.heirs, *scene.heirs.values()} or want is None:
        return False
    kind = scene.choices.pick(list(HoldKind))
    if kind is HoldKind.removed and (row is None or row.applied == NOTHING):
        return False
    for_value = digest(stored(want.value)) if kind in HASHED else ""
    one = Hold(kind, "ana", scene.now - timedelta(hours=1), desired_hash=for_value)
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
    scene.book.rows[slot] = replace(row, next_try_at=later, attempts=1, outcome="failed")
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
)
_OFTEN = (wish, wish, *DISTURBANCES, crash, double, let_go, let_go, edit, hold)


def disturb(scene: Scene) -> None:
    """One to three disturbances at once."""
    for _ in range(scene.choices.number(1, 3)):
        slots = scene.slots()
        if not slots:
            return
        what = scene.choices.pick(_OFTEN)
        if what(scene, scene.choices.pick(slots)):
            scene.counts[f"disturbance: {what.__name__}"] += 1


def applies(hold_: Hold | None, value: Value) -> bool:
    """Whether a hold stands in the way of this value."""
    if hold_ is None:
        return False
    if hold_.kind in LET_BE or not hold_.desired_hash:
        return True
    return hold_.desired_hash == digest(stored(value))
