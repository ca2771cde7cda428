"""Slots, changes and outcomes: what opsync owns, what it wants to write, and what came of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from opsync.model.record import Ref
from opsync.model.value import Value


class Place(Struct, frozen=True, order=True):
    """Where a value of opsync's stands, and what it is about, whichever rule has it there."""

    target: Ref
    surface: str
    other: Ref


class Slot(Struct, frozen=True, order=True):
    """One value that opsync owns on one target.

    `rule` is the link or rollup rule that wants it, `other` the record it is about: a rollup's
    root, a link's other end.
    """

    target: Ref
    surface: str
    rule: str
    other: Ref

    @property
    def place(self) -> Place:
        """Where it is. What stands there passes from slot to slot as its rule is renamed."""
        return Place(self.target, self.surface, self.other)

    def __str__(self) -> str:
        return f"{self.target}|{self.surface}|{self.rule}|{self.other}"


class Verb(StrEnum):
    """What a change does to its slot."""

    create = "create"
    update = "update"
    remove = "remove"


class Change(Struct, frozen=True, kw_only=True):
    """One write that opsync wants: exactly one slot, with all that explains it.

    `desired` is None for a removal. `before` is what stands there as far as known. `remote_id`
    is the vendor's id of what opsync wrote last ("" if none), maybe in another slot, from which it
    was taken over: it is written and removed by that id. `interrupted` says that an earlier
    write of the slot broke off: what it made may be there, unknown. `over_edit` says that `before`
    is what a person wrote over opsync's value, `theirs` that it is a person's at all: also one that
    they gave up, or that an undo had given back to them. `settles` says what becomes of the hold
    that an undo or a release put on the slot, or found there, once this is carried out: it stands
    ("held") or ends ("free"). `left` is the vendor's id of what an interrupted move made besides:
    it is taken away along. `evidence` are short sentences, `inputs` maps each input's ref to the
    version it had.
    """

    id: str
    slot: Slot
    verb: Verb
    desired: Value
    before: Value = None
    remote_id: str = ""
    reason: str = ""
    evidence: tuple[str, ...] = ()
    inputs: dict[str, str] = {}
    interrupted: bool = False
    over_edit: bool = False
    theirs: bool = False
    settles: Literal["", "held", "free"] = ""
    left: str = ""


class OutcomeKind(StrEnum):
    """How one change ended."""

    unchanged = "unchanged"
    created = "created"
    updated = "updated"
    removed = "removed"
    skipped = "skipped"
    conflicted = "conflicted"
    failed = "failed"


WRITTEN = frozenset({OutcomeKind.created, OutcomeKind.updated, OutcomeKind.removed})
"""The kinds of a change that was carried out."""


class MadeColumn(Struct, frozen=True, order=True):
    """A column that opsync made in a tool, to hold the values of one surface.

    `table` and `id` are the vendor's ids, `title` and `within` what people call the column and its
    table. `needed` says why it has to stay although no value is in it: "" where nothing does.
    """

    table: str
    id: str
    surface: str
    title: str
    within: str = ""
    needed: str = ""

    @property
    def name(self) -> str:
        """What people call it: "Delivery (Roadmap)"."""
        return f"{self.title} ({self.within})" if self.within else self.title


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of one change.

    `applied` is the canonical form of what the vendor answered, not of what was asked for.
    `retryable` says whether the next pass should try again by itself. `unknown` says that the
    write may have happened although no good answer came: look at the target before the next try.
    `made` are the columns that had to be made for it, if nothing told of them yet.
    """

    change: str
    kind: OutcomeKind
    applied: Value = None
    remote_id: str = ""
    request_id: str = ""
    message: str = ""
    retryable: bool = True
    unknown: bool = False
    made: tuple[MadeColumn, ...] = ()
