"""What the configuration asks for, as the pure stages take it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from opsync.model.record import Kind


class Mode(StrEnum):
    """Whether a rule only reports, or writes."""

    observe = "observe"
    apply = "apply"


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


class RollupRule(Struct, frozen=True):
    """One `[[rollup]]` block.

    `properties` are the root's properties that make members; () means all of its own text, URL
    and relation properties. `write_to` holds "root" and/or "containers".
    """

    name: str
    roots: Roots
    mode: Mode = Mode.observe
    properties: tuple[str, ...] = ()
    write_to: tuple[str, ...] = ("root",)
    thresholds: Thresholds = Thresholds()


class LinkSettings(Struct, frozen=True):
    """The `[links]` block."""

    mode: Mode = Mode.observe
    within_instance: bool = False


LINKS_RULE = "links"
"""The rule name that link slots carry."""
