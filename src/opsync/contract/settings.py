"""The settings every instance has, and types for those that a connector adds in a subclass."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    SecretStr,
    WithJsonSchema,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from opsync.errors import ConfigError
from opsync.http import check_base_url
from opsync.model import Category

SHORTEST_HOOK_SECRET = 16
"""Bytes of a secret that a person chose for a webhook; those that opsync makes are longer."""

CategoryMap = dict[str, Category]
"""Status ids or names to categories."""


def _base_url(value: str) -> str:
    try:
        check_base_url(value)
    except ConfigError as error:
        raise ValueError(str(error)) from None
    return value.rstrip("/")


def _token(value: SecretStr) -> SecretStr:
    bare = value.get_secret_value().strip()
    if not bare:
        raise ValueError("must not be empty")
    return SecretStr(bare)


def _long_enough(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value().encode()) < SHORTEST_HOOK_SECRET:
        raise ValueError(f"must have at least {SHORTEST_HOOK_SECRET} characters")
    return value


def _zone(name: str) -> str:
    if name:
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError):
            raise ValueError("is no time zone, such as Europe/Berlin") from None
    return name


_DURATION = re.compile(r"([1-9]\d{0,4})\s*([mhd])")
_UNITS = {"m": 60, "h": 3600, "d": 86400}


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('write minutes, hours or days: "30m", "2h", "1d"')
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def duration_text(value: timedelta) -> str:
    """ "30m", "2h", "1d": the largest unit that it is whole in."""
    seconds = int(value.total_seconds())
    unit = next(name for name in ("d", "h", "m") if seconds % _UNITS[name] == 0 or name == "m")
    return f"{seconds // _UNITS[unit]}{unit}"


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[1-9]\d{0,4}\s*[mhd]$"}),
]
"""A span of time as people write it: "30m", "2h", "1d"."""

BaseUrl = Annotated[str, AfterValidator(_base_url)]
"""Where an API is asked: an address that `check_base_url` lets pass, without a slash at its end."""

Token = Annotated[SecretStr, AfterValidator(_token)]
"""A credential without blanks or line ends around it, which files add; empty ones are refused."""

HookSecret = Annotated[Token, AfterValidator(_long_enough)]
"""A secret that signs: one that could be guessed is refused."""

Zone = Annotated[str, AfterValidator(_zone)]
"""The name of a time zone, "Europe/Berlin"; "" for none."""


ANY_PLACE = "*"
"""A step of a place that is not known before something is read."""


class Place(NamedTuple):
    """A part of a tool that an instance may write. `key` is steps with "/" between them, each of
    which may be ANY_PLACE: two instances of one connector whose keys are the same, or of which one
    goes on where the other ends, would write the same there. `title` is what people call it; no
    secret is in it."""

    key: str
    title: str


class ConnectorSettings(BaseSettings):
    """One `[instances.NAME]` block. Secrets are `SecretStr`, everything else is shown freely.

    Read from the environment (OPSYNC_NAME__FIELD), over files of the same name in the secrets
    folder, over the TOML block. Unknown keys are refused.
    """

    model_config = SettingsConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        validate_default=True,
        frozen=True,
        use_attribute_docstrings=True,
        env_nested_delimiter="__",
    )

    watched: ClassVar[frozenset[str]] = frozenset({"every", "fresh_within", "token_expires"})
    """The settings that only decide when opsync reads, and when it raises an alarm."""

    not_read: ClassVar[frozenset[str]] = watched | {"expose", "overlap_s", "census_every_h"}
    """The settings that decide nothing about what a record is: where only these change, nothing is
    read anew. A subclass adds its own."""

    parted_by: ClassVar[str] = ""
    """The setting by which two instances may share a site or a workspace between them."""

    connector: str
    """Which connector this instance is of."""

    expose: Literal["nothing", "key", "title"] = "nothing"
    """What other tools may show of private work: nothing, its key, or key and title."""

    statuses: CategoryMap = Field(default_factory=dict)
    """Status ids or names, and the category each counts as, where the vendor's own misleads."""

    overlap_s: Annotated[int, Field(ge=0)] = 300
    """Seconds read again before the last change seen, for changes that turn up late."""

    census_every_h: Annotated[int, Field(ge=1, le=168)] = 24
    """How often, in hours, all ids are listed to find what was deleted, archived or hidden."""

    every: Duration | None = None
    """How often the service reads it. Left out: every 2 minutes, analytics every hour."""

    fresh_within: Duration | None = None
    """How long ago it may have been read to its end. Left out: as `[watch]` says."""

    token_expires: date | None = None
    """The last day on which its token works, as the tool said when it was made."""

    def places(self) -> Iterable[Place]:
        """What of its tool this instance may write, as far as that is known before it is asked."""
        return ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over secret files over the TOML block."""
        return env_settings, file_secret_settings, init_settings


class WebhookSettings(ConnectorSettings):
    """The settings of a tool that can send change signals."""

    not_read = ConnectorSettings.not_read | {"webhook_secret", "webhook_secret_before"}

    webhook_secret: HookSecret | None = None
    """The secret that signs change signals, where a person set the webhook up. What
    `opsync webhooks` sets up has a secret of its own, in a file beside the store."""

    webhook_secret_before: HookSecret | None = None
    """The one before it, taken as well while the tool still signs with it."""


def secret_fields(settings: type[ConnectorSettings]) -> list[str]:
    """The settings of a connector that hold a secret, also those that may be left out."""
    fields = settings.model_fields.items()
    return [name for name, field in fields if _holds_secret(field.annotation)]


def _holds_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(_holds_secret(part) for part in get_args(annotation))
