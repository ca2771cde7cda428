"""The blocks of the configuration file that are the same whatever is connected.

Each is a frozen model whose docstrings are its help texts; a connector's own block is in
`contract.settings`.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from opsync.model import Kind
from opsync.model.rules import LinkSettings, Mode, RollupRule, Roots, Thresholds

NAME = r"[a-z0-9]+(-[a-z0-9]+)*"
"""What the names of instances and rules are made of."""
NAME_MAX = 40
"""The most characters that they have."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        near = difflib.get_close_matches(name, sorted(available_timezones()), 1)
        raise ValueError(
            f'"{name}" is no time zone' + (f'; did you mean "{near[0]}"?' if near else "")
        ) from None
    return name


class _Block(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class RootsBlock(_Block):
    """`[rollup.roots]`: which records a rule rolls up. All conditions that are given must hold."""

    instance: str
    """The instance whose records are roots."""

    kind: Literal["initiative", "project", "epic", "document"] | None = None
    """Only records of this kind."""

    space: str = ""
    """Only records of this data source, team or project, by name."""

    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Only records of which a property has one of these values: { Quarter = ["Q4"] }."""


class ThresholdsBlock(_Block):
    """`[rollup.thresholds]`: when an initiative is at risk or off track."""

    due_within_days: Annotated[int, Field(ge=0)] = 14
    """At risk when due within so many days …"""

    due_progress: Annotated[float, Field(ge=0, le=1)] = 0.7
    """… and less than this share is done."""

    blocked_at_risk: Annotated[float, Field(gt=0, le=1)] = 0.1
    """At risk when this share of the open work, or more, is blocked."""

    blocked_off_track: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Off track when more than this share of the open work is blocked."""


class RollupBlock(_Block):
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


class LinksBlock(_Block):
    """`[links]`: cross-links between records that name each other."""

    mode: Mode = Mode.observe
    """`observe` reports what would be written, `apply` writes it."""

    within_instance: bool = False
    """Also link records of the same instance."""

    def settings(self) -> LinkSettings:
        """The same, as the pure stages take it."""
        return LinkSettings(self.mode, self.within_instance)


class General(BaseSettings):
    """The top level of the configuration."""

    model_config = SettingsConfigDict(
        extra="forbid",
        env_prefix="OPSYNC_",
        env_nested_delimiter="__",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    store: Path = Path("opsync.db")
    """The store's file; relative to the configuration's folder."""

    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    """The zone in which days begin, as in "Europe/Berlin"."""

    plugins_dir: Path | None = None
    """A folder of drop-in plugins. Only name one whose files you trust: they run in opsync."""

    allow: tuple[str, ...] = ()
    """Plugins to load although no instance names them: those that bring hooks only."""

    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """How much goes to standard error."""

    links: LinksBlock = Field(default_factory=LinksBlock)
    """Cross-links."""

    rollup: tuple[RollupBlock, ...] = ()
    """Delivery summaries."""

    # As given, with any token that is in it: hence not in the repr.
    instances: dict[str, dict[str, Any]] = Field(default_factory=dict, repr=False)
    """The connections, one block each."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: Any,
        env_settings: Any,
        dotenv_settings: Any,
        file_secret_settings: Any,
    ) -> tuple[Any, ...]:
        return env_settings, file_secret_settings, init_settings
