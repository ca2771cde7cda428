"""A scene: one target, what should stand there, what opsync knows and what people did meanwhile.

`make` builds one that is settled.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from opsync.model import Kind, Limits, Ref, Slot, Value
from opsync.model.ledger import LET_BE, Entry, Hold, digest, plain, stored
from opsync.model.rules import Edits, Mode
from opsync.stages.places import Want
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

Place = tuple[str, str]
Over = tuple[Slot, bytes, bytes]


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
    over: set[Over] = field(default_factory=set)
    """What somebody approved over what a person wrote: slot, opsync's value, theirs."""
    first_seen: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    """A person's edit by the thing's id, and when that very text was first seen."""
    asks: bool = False
    """Whether the last plan wrote nothing, and asks about a move that broke off."""
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
        edits = choices.pick((None, None, *Edits))
        scene.wants[slot] = Want(slot, scene.value(slot), "as planned", mode=mode, edits=edits)
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


def applies(hold_: Hold | None, value: Value) -> bool:
    """Whether a hold stands in the way of this value."""
    if hold_ is None:
        return False
    if hold_.kind in LET_BE or not hold_.desired_hash:
        return True
    return hold_.desired_hash == digest(stored(value))
