"""`[links]` and `[[rollup]]`: what is linked and added up, and where it is written."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from opsync.blocks.base import NAME, NAME_MAX, Block
from opsync.model import Counts, Kind, MetricKind
from opsync.model.rules import (
    Edits,
    LinkSettings,
    MetricRule,
    Mode,
    RollupRule,
    Roots,
    Thresholds,
)


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


class MetricBlock(Block):
    """`[[rollup.metric]]`: how the use of an initiative is measured. Exactly one of the six keys
    from `event` to `insight_from` says by what."""

    instance: str
    """The analytics instance that is asked."""

    event: str = ""
    """This event."""

    flag: str = ""
    """This feature flag, by its key."""

    insight: str = ""
    """This saved insight, chart or report, by its id."""

    event_from: str = ""
    """The event that this property of the initiative names."""

    flag_from: str = ""
    """The feature flag that this property names, by its key or its link."""

    insight_from: str = ""
    """The insight, chart or report that this property names, by its id or its link."""

    counts: Counts = Counts.users
    """What of an event or a flag is counted: unique "users", or "events", every time."""

    weeks: Annotated[int, Field(ge=1, le=4)] = 4
    """How many whole weeks make a window, and are compared before and after a release, at most."""

    @model_validator(mode="after")
    def _says_by_what(self) -> Self:
        given = [name for name in _METRIC_KEYS if getattr(self, name).strip()]
        if len(given) != 1:
            listed = ", ".join(_METRIC_KEYS)
            raise ValueError(f"takes exactly one of {listed}; {len(given) or 'none'} given")
        return self

    def rule(self) -> MetricRule:
        """The same, as the pure stages take it."""
        key = next(name for name in _METRIC_KEYS if getattr(self, name).strip())
        kind, _, from_ = key.partition("_")
        said = getattr(self, key).strip()
        return MetricRule(
            instance=self.instance,
            kind=MetricKind(kind),
            name="" if from_ else said,
            property=said if from_ else "",
            # An insight has a unit of its own.
            counts=Counts.users if kind == "insight" else self.counts,
            weeks=self.weeks,
        )


_METRIC_KEYS = ("event", "flag", "insight", "event_from", "flag_from", "insight_from")


class RollupBlock(Block):
    """`[[rollup]]`: one rule that rolls work up onto initiatives."""

    name: Annotated[str, Field(pattern=f"^{NAME}$", max_length=NAME_MAX)]
    """The rule's name: it appears in explanations and in the ids of what opsync writes."""

    mode: Mode = Mode.observe
    """`observe` reports what would be written, `propose` waits for approval, `apply` writes it."""

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

    metric: tuple[MetricBlock, ...] = ()
    """How the use of an initiative is measured. Of several the first that it has is written, and
    all are shown."""

    released: str = ""
    """The property with the day of an initiative's release, where the tool has no date of
    completion: Notion has none."""

    announce_in: tuple[str, ...] = ()
    """The analytics instances in which an annotation tells of each release."""

    edits: Edits | None = None
    """What becomes of a value that a person wrote over opsync's: `theirs` keeps it for good,
    `propose` asks again after seven days, `ours` writes opsync's again after seven days. Left out:
    `propose` for what is computed, `theirs` for texts."""

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
            metrics=tuple(block.rule() for block in self.metric),
            released=self.released,
            announce_in=tuple(dict.fromkeys(self.announce_in)),
            edits=self.edits,
        )


class LinksBlock(Block):
    """`[links]`: cross-links between records that name each other."""

    mode: Mode = Mode.observe
    """`observe` reports what would be written, `propose` waits for approval, `apply` writes it."""

    within_instance: bool = False
    """Also link records of the same instance."""

    edits: Edits | None = None
    """What becomes of a value that a person wrote over opsync's: `theirs` keeps it for good,
    `propose` asks again after seven days, `ours` writes opsync's again after seven days. Left out:
    `theirs`."""

    def settings(self) -> LinkSettings:
        """The same, as the pure stages take it."""
        return LinkSettings(self.mode, self.within_instance, self.edits)
