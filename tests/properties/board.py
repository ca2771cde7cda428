"""A small vendor: one target with every kind of place that opsync writes, and who wrote there.

It normalizes what it is given, keys links by their address, and moves a note by making another.
It remembers of each thing whether it is opsync's or a person's by now: that is the truth against
which plans are judged, and the planner never sees it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar, Literal, NamedTuple

from opsync.contract.connector import Surface, Writable
from opsync.model import (
    Change,
    Kind,
    LinkContent,
    Outcome,
    OutcomeKind,
    Record,
    Ref,
    RollupContent,
    Seen,
    Value,
)
from opsync.model.ledger import stored
from opsync.model.rules import Edits

By = Literal["opsync", "person", "either"]
"""Whose a thing is by now: opsync's as it wrote it, a person's, or such that nobody could tell."""

KINDS = frozenset({Kind.issue, Kind.initiative})
SINGLE = ("text", "share", "use", "changed")
"""Surfaces with one place on a target; the others are keyed by an address."""
KEYED = ("link", "remote", "note")


class Thing(NamedTuple):
    """What stands at a place. `wrote` is what opsync wrote there last."""

    surface: str
    address: str
    value: Value
    id: str
    ours: bool
    by: By
    wrote: Value = None


class Board(Writable):
    """A pulled text and share, one number that stands alone, a date that is carried, pulled links,
    links read on demand, and notes, which are moved by making another."""

    surfaces: ClassVar = (
        Surface("text", "rollup", KINDS, ("Text",), pulled=True),
        Surface("share", "rollup", KINDS, ("Share",), pulled=True, edits=Edits.propose),
        Surface("use", "rollup", KINDS, ("Use",), pulled=True, alone=True, edits=Edits.ours),
        Surface(
            "changed", "rollup", KINDS, ("At",), pulled=True, carried=True, edits=Edits.propose
        ),
        Surface("link", "link", KINDS, ("Link",), pulled=True),
        Surface("remote", "link", KINDS, ("Remote",), edits=Edits.propose),
        Surface("note", "release", KINDS, ("Note",)),
    )

    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}
        self.shows_empty = True
        """Whether an empty cell is shown as one, or not at all."""

    def copy(self) -> Board:
        """The same once more."""
        other = Board()
        other.things = dict(self.things)
        other.shows_empty = self.shows_empty
        return other

    def render(self, surface: str, target: Record, content: LinkContent | RollupContent) -> Value:
        return None

    def address(self, surface: str, value: Value) -> str:
        return address(surface, value)

    async def observe(self, target: Record) -> Sequence[Seen]:
        return self.seen()

    def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        raise NotImplementedError

    def at(self, surface: str, place: str) -> list[Thing]:
        """All that stands at one place."""
        return [
            one for one in self.things.values() if one.surface == surface and one.address == place
        ]

    def seen(self, pulled: bool | None = None) -> tuple[Seen, ...]:
        """All that stands there as the vendor shows it, or of the pulled places only."""
        found = [
            Seen(one.surface, one.address, stored(one.value), one.id, one.ours)
            for one in self.things.values()
            if pulled is None or (one.surface in _PULLED) is pulled
        ]
        if self.shows_empty:
            there = {one.surface for one in self.things.values()}
            found += [
                Seen.of(name, None, remote_id=f"cell-{name}")
                for name in SINGLE
                if name not in there
            ]
        return tuple(found)

    def write(self, change: Change, number: int, *, halfway: bool = False) -> Outcome:
        """Carry out one change as a careful connector does: nothing that changed since is written
        over. `halfway` breaks off before what a new thing replaces is taken away."""
        own = self._own(change)
        now = None if own is None else own.value
        surface, desired = change.slot.surface, change.desired
        if desired is None and own is None:
            return _outcome(change, OutcomeKind.removed)
        if stored(now) not in (stored(change.before), stored(desired)):
            return _outcome(change, OutcomeKind.conflicted, message="changed meanwhile")
        if desired is None and own is not None:
            del self.things[own.id]
            return _outcome(change, OutcomeKind.removed)
        value, place = canonical(desired), address(surface, desired)
        if surface == "link" and any(not one.ours for one in self.at(surface, place)):
            return _outcome(change, OutcomeKind.conflicted, message="somebody else's")
        if surface in SINGLE:
            id_ = f"cell-{surface}"
        elif surface != "note" and own is not None and own.address == place:
            id_ = own.id
        else:
            id_ = f"{surface}-{place}-{number}"
            if not halfway:
                self._clear(surface, place, own)
        self.things[id_] = Thing(surface, place, value, id_, surface in KEYED, "opsync", value)
        kind = OutcomeKind.created if now is None else OutcomeKind.updated
        return _outcome(change, kind, applied=value, remote_id=id_)

    def _clear(self, surface: str, place: str, own: Thing | None) -> None:
        """Take away what a new thing replaces."""
        if own is not None:
            del self.things[own.id]
        for one in self.at(surface, place):
            if one.ours:
                del self.things[one.id]

    def _own(self, change: Change) -> Thing | None:
        """What the change is about, by its id, else at its place what carries the marker."""
        if change.remote_id:
            return self.things.get(change.remote_id)
        surface = change.slot.surface
        if change.desired is None:
            return None
        here = self.at(surface, address(surface, change.desired))
        return next((one for one in here if one.ours or surface in SINGLE), None)


_PULLED = {surface.name for surface in Board.surfaces if surface.pulled}
EDITS = {surface.name: surface.edits for surface in Board.surfaces}
"""What becomes of a person's edit where the rule does not say."""


def address(surface: str, value: Value) -> str:
    """What the vendor keys a value by."""
    return str(value["url"]) if surface in KEYED and isinstance(value, Mapping) else ""


def canonical(value: Value) -> Value:
    """What the vendor makes of a value: texts without spaces around, numbers of two digits."""
    match value:
        case str():
            return value.strip()
        case bool() | None:
            return value
        case float():
            return round(value, 2)
        case Mapping():
            return {name: canonical(part) for name, part in value.items()}
    return value


def _outcome(
    change: Change,
    kind: OutcomeKind,
    *,
    applied: Value = None,
    remote_id: str = "",
    message: str = "",
) -> Outcome:
    return Outcome(
        change=change.id, kind=kind, applied=applied, remote_id=remote_id, message=message
    )
