"""What the algorithm takes: one side of a pair, and its limits."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from opsync.model import Category, Kind, Ref


class Named(Struct, frozen=True):
    """That something is named by its key. `where` is "title", "branch" or "attachment", `holder`
    what has the key, and `roots` the initiatives in which that counts."""

    where: str
    key: str
    holder: Ref
    roots: tuple[Ref, ...] = ()


class Side(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As much of a record as it takes to compare it. `person` is who owns it, under one name in
    all tools. `counted` says that an initiative reaches it already."""

    ref: Ref
    kind: Kind
    title: str
    labels: tuple[str, ...] = ()
    person: str = ""
    due_on: date | None = None
    created_on: date | None = None
    done_on: date | None = None
    category: Category = Category.unknown
    counted: bool = False
    named: tuple[Named, ...] = ()


class Limits(Struct, frozen=True, kw_only=True):
    """When a pair is worth a person's look. Scores are 0 to 1.

    `latest` is the day of the latest change that was seen: work that was done `done_days` before
    it is left out. A title must reach `title` (`same_title` for twins) by itself before labels,
    people and dates may lift the pair's score to `member` or `same`.
    """

    member: float = 0.72
    title: float = 0.6
    same: float = 0.93
    same_title: float = 0.85
    most: int = 3
    done_days: int = 180
    latest: date | None = None
    due_days: int = 7
    created_days: int = 2
    common_label: float = 0.05
    """A label of more than this share of the work says nothing."""
