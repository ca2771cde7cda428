"""Rollups: one initiative's progress over all tools, with what it rests on."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from msgspec import Struct

from opsync.model.metric import Adoption, Release
from opsync.model.record import Category, Ref


class Health(StrEnum):
    """How a root stands, in the words people see (in English)."""

    not_started = "Not started"
    on_track = "On track"
    at_risk = "At risk"
    off_track = "Off track"
    paused = "Paused"
    done = "Done"
    no_linked_work = "No linked work"


class Role(StrEnum):
    """What a member is to its root's numbers."""

    leaf = "leaf"
    """Counted."""
    container = "container"
    """Has living children, which are counted instead."""
    canceled = "canceled"
    """Left out of every denominator."""
    twin = "twin"
    """The same work as another member, which is counted instead."""


class Member(Struct, frozen=True, omit_defaults=True):
    """One record under a root, and by which path it came there (`via`: its parent or the root)."""

    ref: Ref
    role: Role
    via: Ref
    field: str = ""
    """The root's property that names it; "" when it is below another member or the root."""
    top: bool = False
    """Whether the root itself names it or is its parent."""


class Space(Struct, frozen=True):
    """The counted leaves of one configured team, else of one team or project of a tool."""

    name: str
    done: int
    total: int


class Container(Struct, frozen=True, omit_defaults=True):
    """A record that the root names, with the counted leaves at and below it."""

    ref: Ref
    done: int
    total: int
    single: bool = False
    """True when it is itself the one leaf."""


class Rollup(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A root's numbers: a pure function of the records it names.

    `counts` are leaves by category (canceled ones besides). `done`, `total` and `progress` leave
    canceled ones out; `progress` is None where nothing counts. `estimate_done` and
    `estimate_total` are in `estimate_unit` over `estimated` leaves; None if fewer than half of the
    leaves have one, or if their units differ: points and hours make no sum. `private` counts
    leaves that are counted and not named. `missing` counts things the root names that could not be
    read: the rollup is then partial.
    `released` is there where the root's own status is done, `announced_in` names the analytics
    projects in which that is told, and `adoption` has one entry a metric, the most telling first.
    `instances` are those it rests on. `revisit_on` is the next date on which time alone changes
    it. `inputs` is a digest of the versions of all it was computed from.
    """

    rule: str
    root: Ref
    counts: dict[Category, int]
    done: int
    total: int
    canceled: int = 0
    blocked: int = 0
    overdue: bool = False
    private: int = 0
    missing: tuple[str, ...] = ()
    progress: float | None = None
    estimate_done: float | None = None
    estimate_total: float | None = None
    estimate_unit: str = ""
    estimated: int = 0
    health: Health = Health.no_linked_work
    reason: str = ""
    due_on: date | None = None
    done_since: date | None = None
    scope_added: int = 0
    scope_since: date | None = None
    spaces: tuple[Space, ...] = ()
    containers: tuple[Container, ...] = ()
    released: Release | None = None
    announced_in: tuple[Ref, ...] = ()
    adoption: tuple[Adoption, ...] = ()
    instances: tuple[str, ...] = ()
    revisit_on: date | None = None
    inputs: str = ""

    @property
    def partial(self) -> bool:
        """Whether something that the root names is missing from the numbers."""
        return bool(self.missing)
