"""`[links]` and `[[rollup]]`: what is linked and added up, and where it is written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from opsync.blocks.base import NAME, NAME_MAX, Block
from opsync.model import Kind
from opsync.model.rules import LinkSettings, Mode, RollupRule, Roots, Thresholds


class RootsBlock(Block):
    """`[rollup.roots]`: which records a rule rolls up. All conditions that are given must hold."""

    instance: str
    """The instance whose records are roots."""

    kind: Literal["initiative", "project", "epic", "document"] | None = None
    """Only records of this kind."""

    space: str = ""
    """Only records of this data source, team or project, by name."""

    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Only records of which a property has one of these values: { Quarter = ["Q4"] }."""


class ThresholdsBlock(Block):
    """`[rollup.thresholds]`: when an initiative is at risk or off track."""

    due_within_days: Annotated[int, Field(ge=0)] = 14
    """At risk when due within so many days …"""

    due_progress: Annotated[float, Field(ge=0, le=1)] = 0.7
    """… and less than this share is done."""

    blocked_at_risk: Annotated[float, Field(gt=0, le=1)] = 0.1
    """At risk when this share of the open work, or more, is blocked."""

    blocked_off_track: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Off track when more than this share of the open work is blocked."""


class RollupBlock(Block):
    """`[[rollup]]`: one rule that rolls work up onto initiatives."""

    name: Annotated[str, Field(pattern=f"^{NAME}$", max_length=NAME_MAX)]
    """The rule's name: it appears in explanations and in the ids of what opsync writes."""

    mode: Mode = Mode.observe
    """`observe` reports what would be written, `apply` writes it."""

    roots: RootsBlock
    """Which records are rolled up."""

    properties: tuple[str, ...] = ()
    """The properties in which people name an initiative's work; empty: all of its text, URL and
    relation properties."""

    write_to: tuple[Literal["root", "containers"], ...] = ("root", "containers")
    """Where the delivery summary is written: on the initiative, and on the epics and projects
    that it names."""

    thresholds: ThresholdsBlock = Field(default_factory=ThresholdsBlock)
    """When an initiative is at risk or off track."""

    def rule(self) -> RollupRule:
        """The same, as the pure stages take it."""
        return RollupRule(
            name=self.name,
            roots=Roots(
                instance=self.roots.instance,
                kind=Kind(self.roots.kind) if self.roots.kind else None,
                space=self.roots.space,
                where=dict(self.roots.where),
            ),
            mode=self.mode,
            properties=self.properties,
            write_to=self.write_to,
            thresholds=Thresholds(**self.thresholds.model_dump()),
        )


class LinksBlock(Block):
    """`[links]`: cross-links between records that name each other."""

    mode: Mode = Mode.observe
    """`observe` reports what would be written, `apply` writes it."""

    within_instance: bool = False
    """Also link records of the same instance."""

    def settings(self) -> LinkSettings:
        """The same, as the pure stages take it."""
        return LinkSettings(self.mode, self.within_instance)
