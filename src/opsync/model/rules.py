"""What the configuration asks for, as the pure stages take it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from opsync.model.metric import Counts, MetricKind
from opsync.model.record import Category, Kind


class Mode(StrEnum):
    """Whether a rule only reports, waits for approval of what it would write, or writes."""

    observe = "observe"
    propose = "propose"
    apply = "apply"

    @property
    def daring(self) -> int:
        """How far it goes: the more, the higher."""
        return list(Mode).index(self)


class Edits(StrEnum):
    """What becomes of a value that a person wrote over opsync's.

    With `theirs` it stays for good. With `propose` it is held for `HELD_FOR`, and opsync's is then
    proposed again, whatever the rule's mode; with `ours` it is then written again as the mode says.
    """

    theirs = "theirs"
    propose = "propose"
    ours = "ours"


HELD_FOR = timedelta(days=7)
"""How long a person's value stands before opsync asks about it again."""


class Thresholds(Struct, frozen=True):
    """When a root is at risk or off track. Shares are of 1, days are calendar days."""

    due_within_days: int = 14
    due_progress: float = 0.7
    blocked_at_risk: float = 0.1
    blocked_off_track: float = 0.5


class Roots(Struct, frozen=True):
    """Which records are roots: all conditions that are given must hold."""

    instance: str
    kind: Kind | None = None
    space: str = ""
    where: dict[str, tuple[str, ...]] = {}
    """Property name to the values of which it must have one."""


class MetricRule(Struct, frozen=True, kw_only=True):
    """One `[[rollup.metric]]` block: `name` is fixed, or taken from the root's `property`.

    `weeks` is how long the windows are, and the most that is compared about a release.
    """

    instance: str
    kind: MetricKind
    name: str = ""
    property: str = ""
    counts: Counts = Counts.users
    weeks: int = 4


class RollupRule(Struct, frozen=True):
    """One `[[rollup]]` block.

    `properties` are the root's properties that make members; () means all of its own text, URL
    and relation properties. `write_to` holds "root" and/or "containers". `metrics` is what is
    measured of a root, `released` the property with the day of its release, and `announce_in`
    names the analytics instances in which releases are told. `edits` is what becomes of people's
    edits, None for what each place is for.
    """

    name: str
    roots: Roots
    mode: Mode = Mode.observe
    properties: tuple[str, ...] = ()
    write_to: tuple[str, ...] = ("root",)
    thresholds: Thresholds = Thresholds()
    metrics: tuple[MetricRule, ...] = ()
    released: str = ""
    announce_in: tuple[str, ...] = ()
    edits: Edits | None = None


class LinkSettings(Struct, frozen=True):
    """The `[links]` block."""

    mode: Mode = Mode.observe
    within_instance: bool = False
    edits: Edits | None = None


class TeamScope(Struct, frozen=True):
    """Work of one instance; `spaces` by key or name, () for all; `labels` likewise."""

    instance: str
    spaces: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class TeamRule(Struct, frozen=True, kw_only=True):
    """One `[[team]]` block.

    `estimate` is "points", "hours" or "none", None for the tool's own; `blocked` what says that
    work is blocked ("link", "flag", "label", "status"), None for the instance's settings.
    """

    name: str
    scope: tuple[TeamScope, ...]
    private: bool = False
    estimate: str | None = None
    blocked: frozenset[str] | None = None
    blocked_labels: frozenset[str] = frozenset()
    blocked_statuses: frozenset[str] = frozenset()
    subtasks: bool = True
    statuses: dict[str, Category] = {}


class PersonRule(Struct, frozen=True):
    """One `[[person]]` block: addresses, names or "instance:id" that are one person."""

    name: str
    known_as: tuple[str, ...]


class TwinSettings(Struct, frozen=True):
    """The `[twins]` block."""

    prefer: tuple[str, ...] = ()
    footers: tuple[str, ...] = ()


LINKS_RULE = "links"
"""The rule name that link slots carry."""


def modes_of(rules: Iterable[RollupRule], links: LinkSettings) -> dict[str, Mode]:
    """The mode of each rule by its name, and that of links by theirs."""
    return {rule.name: rule.mode for rule in rules} | {LINKS_RULE: links.mode}


def mode_of(rule: str, modes: Mapping[str, Mode]) -> Mode:
    """The mode in which what a rule asked for is written, or taken away: its own, and for one that
    is no longer configured the most daring of all."""
    return modes.get(rule) or max(modes.values(), key=lambda mode: mode.daring)
