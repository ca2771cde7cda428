"""The top level of the configuration file."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from opsync.blocks.company import PersonBlock, TeamBlock, TwinsBlock
from opsync.blocks.limits import LimitsBlock
from opsync.blocks.retention import RetentionBlock
from opsync.blocks.rules import LinksBlock, RollupBlock
from opsync.blocks.service import ServiceBlock
from opsync.blocks.watching import AlertsBlock, WatchBlock
from opsync.blocks.wording import WordingBlock


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        near = difflib.get_close_matches(name, sorted(available_timezones()), 1)
        raise ValueError(
            f'"{name}" is no time zone' + (f'; did you mean "{near[0]}"?' if near else "")
        ) from None
    return name


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

    secrets_dir: Path | None = None
    """A folder with one file a secret, named like its environment variable; relative to this file.
    OPSYNC_SECRETS_DIR wins over it."""

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

    limits: LimitsBlock = Field(default_factory=LimitsBlock)
    """How much a run may do at once before a person says that it is meant."""

    twins: TwinsBlock = Field(default_factory=TwinsBlock)
    """Work that another tool mirrors: one thing, counted once."""

    team: tuple[TeamBlock, ...] = ()
    """What each team means by its fields and words."""

    person: tuple[PersonBlock, ...] = ()
    """People who are known by different names in different tools."""

    wording: WordingBlock = Field(default_factory=WordingBlock)
    """The texts that are written into other tools."""

    watch: WatchBlock = Field(default_factory=WatchBlock)
    """When what was read is too old."""

    alerts: AlertsBlock = Field(default_factory=AlertsBlock)
    """Who hears of it when nobody looks."""

    retention: RetentionBlock = Field(default_factory=RetentionBlock)
    """How long the store keeps what only history asks for."""

    service: ServiceBlock = Field(default_factory=ServiceBlock)
    """How `opsync serve` is reached, and by whom."""

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
