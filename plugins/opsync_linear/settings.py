"""The settings of a Linear instance."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, field_validator

from opsync import ConfigError, ConnectorSettings, check_base_url

TeamKey = Annotated[str, AfterValidator(lambda key: key.strip().upper())]


class LinearSettings(ConnectorSettings):
    """One `[instances.NAME]` block with `connector = "linear"`."""

    base_url: str = "https://api.linear.app"
    """Where the API is; another address for a proxy or a test server."""

    workspace: str = ""
    """The name in linear.app/NAME/…; empty: the workspace that the token belongs to. Name it when
    several Linear workspaces are configured."""

    token: SecretStr
    """A personal API key (lin_api_…) with Read, and Write to write; or an OAuth access token."""

    teams: tuple[TeamKey, ...] = ()
    """Keys of the teams to read, as in GRO-44; empty: every team that the token can see."""

    project_updates: bool = False
    """Post a project update when the health changes. It notifies the project's followers."""

    page_size: Annotated[int, Field(ge=1, le=250)] = 250
    """Rows to ask for at once, at most. Linear takes up to 250."""

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            check_base_url(value)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return value.rstrip("/")

    @field_validator("token")
    @classmethod
    def _token(cls, value: SecretStr) -> SecretStr:
        bare = value.get_secret_value().strip()
        if not bare:
            raise ValueError("must not be empty")
        return SecretStr(bare)
