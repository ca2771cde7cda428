"""The settings every instance has, and types for those that a connector adds in a subclass."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from opsync.errors import ConfigError
from opsync.http import check_base_url
from opsync.model import Category

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


def _zone(name: str) -> str:
    if name:
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError):
            raise ValueError("is no time zone, such as Europe/Berlin") from None
    return name


BaseUrl = Annotated[str, AfterValidator(_base_url)]
"""Where an API is asked: an address that `check_base_url` lets pass, without a slash at its end."""

Token = Annotated[SecretStr, AfterValidator(_token)]
"""A credential without blanks or line ends around it, which files add; empty ones are refused."""


Zone = Annotated[str, AfterValidator(_zone)]
"""The name of a time zone, "Europe/Berlin"; "" for none."""


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

    not_read: ClassVar[frozenset[str]] = frozenset({"expose", "overlap_s"})
    """The settings that decide nothing about what a record is: where only these change, nothing is
    read anew. A subclass adds its own."""

    connector: str
    """Which connector this instance is of."""

    expose: Literal["nothing", "key", "title"] = "nothing"
    """What other tools may show of private work: nothing, its key, or key and title."""

    statuses: CategoryMap = Field(default_factory=dict)
    """Status ids or names, and the category each counts as, where the vendor's own misleads."""

    overlap_s: Annotated[int, Field(ge=0)] = 300
    """Seconds read again before the last change seen, for changes that turn up late."""

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
