"""The simulated project's ground truth: annotations, flags, experiments and insights."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Scope = Literal["dashboard_item", "dashboard", "project", "organization"]
SCOPES: tuple[Scope, ...] = ("dashboard_item", "dashboard", "project", "organization")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, or the account that the key belongs to."""

    id: int
    name: str
    email: str


@dataclass(eq=False)
class Annotation:
    """A note at a moment. Deleted ones stay, and are hidden from everything but a PATCH."""

    id: int
    content: str | None
    date_marker: datetime | None
    created_at: datetime
    updated_at: datetime
    created_by: Person
    scope: Scope = "dashboard_item"
    creation_type: Literal["USR", "GIT"] = "USR"
    deleted: bool = False


@dataclass(eq=False)
class Flag:
    """A feature flag; `name` is what people wrote about it."""

    id: int
    key: str
    created_at: datetime
    updated_at: datetime
    created_by: Person
    name: str = ""
    active: bool = True
    deleted: bool = False
    tags: tuple[str, ...] = ()


@dataclass(eq=False)
class Experiment:
    """An experiment on a flag."""

    id: int
    name: str
    flag: Flag
    created_at: datetime
    updated_at: datetime
    created_by: Person
    description: str = ""
    start_date: datetime | None = None
    end_date: datetime | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """One line of an insight: an event or a flag, its users or its times."""

    label: str
    kind: Literal["event", "flag"]
    name: str
    counts: Literal["users", "events"] = "users"


@dataclass(eq=False)
class Insight:
    """A saved trend over the last `days` days and today.

    `result` stands in for what its series show, however odd. `computing` so many more answers say
    that it is still being computed; `refused` is why it cannot be.
    """

    id: int
    short_id: str
    name: str
    series: tuple[Series, ...]
    created_at: datetime
    updated_at: datetime
    created_by: Person
    days: int = 30
    deleted: bool = False
    result: object = ...
    computing: int = 0
    refused: str = ""
    interval: str = "day"


@dataclass
class State:
    """All objects by id, and the deterministic source of new ids."""

    seed: int
    annotations: dict[int, Annotation] = field(default_factory=dict)
    flags: dict[int, Flag] = field(default_factory=dict)
    experiments: dict[int, Experiment] = field(default_factory=dict)
    insights: dict[int, Insight] = field(default_factory=dict)
    _issued: Counter[str] = field(default_factory=Counter)

    def new_id(self, kind: str) -> int:
        """The next id of a kind of object; the same calls give the same ids."""
        self._issued[kind] += 1
        return 1000 + self._issued[kind]

    def new_short_id(self) -> str:
        """Eight letters and digits, as an insight's address has them."""
        self._issued["short"] += 1
        letters = random.Random(f"{self.seed}:{self._issued['short']}")  # noqa: S311 -- repeatable ids
        return "".join(letters.choices(_LETTERS, k=8))
