"""The settings of a Linear instance."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from opsync import BaseUrl, ConnectorSettings, Token

TeamKey = Annotated[str, AfterValidator(lambda key: key.strip().upper())]


class LinearSettings(ConnectorSettings):
    """One `[instances.NAME]` block with `connector = "linear"`."""

    base_url: BaseUrl = "https://api.linear.app"
    """Where the API is; another address for a proxy or a test server."""

    workspace: str = ""
    """The name in linear.app/NAME/…; empty: the workspace that the token belongs to. Name it when
    several Linear workspaces are configured."""

    token: Token
    """A personal API key (lin_api_…) with Read, and Write to write; or an OAuth access token."""

    teams: tuple[TeamKey, ...] = ()
    """Keys of the teams to read, as in GRO-44; empty: every team that the token can see."""

    project_updates: bool = False
    """Post a project update when the health changes. It notifies the project's followers."""

    page_size: Annotated[int, Field(ge=1, le=250)] = 250
    """Rows to ask for at once, at most. Linear takes up to 250."""
