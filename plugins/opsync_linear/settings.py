"""The settings of a Linear instance."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from opsync import ANY_PLACE, BaseUrl, Place, Token, WebhookSettings, value_hash

TeamKey = Annotated[str, AfterValidator(lambda key: key.strip().upper())]
Label = Annotated[str, Field(min_length=1, max_length=200)]

_PROJECT_URL = re.compile(r"https?://linear\.app/[^/?#]+/project/(?P<slug>[^/?#]+)", re.IGNORECASE)


def _project(text: str) -> str:
    """The name, or the id at the end of a link's last part."""
    link = _PROJECT_URL.match(text.strip())
    return link["slug"].rpartition("-")[2] if link else text.strip()


ProjectName = Annotated[Label, AfterValidator(_project)]


class LinearSettings(WebhookSettings):
    """One `[instances.NAME]` block with `connector = "linear"`."""

    not_read = WebhookSettings.not_read | {"page_size", "project_updates"}

    parted_by = "workspace or teams"

    teams: tuple[TeamKey, ...] = ()
    """Keys of the teams to read, as in GRO-44; empty: every team that the token can see."""

    projects: tuple[ProjectName, ...] = ()
    """Only these projects and their issues: by name, id or link. Empty: all, and issues without a
    project too."""

    labels: tuple[Label, ...] = ()
    """Only issues with one of these labels, exactly as written; projects and initiatives are read
    whatever theirs. Empty: all."""

    base_url: BaseUrl = "https://api.linear.app"
    """Where the API is; another address for a proxy or a test server."""

    workspace: str = ""
    """The name in linear.app/NAME/…; empty: the workspace that the token belongs to. Where several
    connections read Linear, name it in each."""

    token: Token
    """A personal API key (lin_api_…) with Read, and Write to write; or an OAuth access token."""

    project_updates: bool = False
    """Post a project update when the health changes. It notifies the project's followers."""

    page_size: Annotated[int, Field(ge=1, le=250)] = 250
    """Rows to ask for at once, at most. Linear takes up to 250."""

    def places(self) -> Iterable[Place]:
        """The workspace, as far as its name or the token tells, or its teams that are read."""
        token = value_hash(self.token.get_secret_value())
        keys = [(f"token/{token}", "the workspace of their token")]
        if self.workspace:
            keys.append((f"name/{self.workspace.casefold()}", f"linear.app/{self.workspace}"))
        else:
            keys.append((f"name/{ANY_PLACE}", "a workspace that is not named in both"))
        for key, title in keys:
            if not self.teams:
                yield Place(key, title)
            for team in self.teams:
                yield Place(f"{key}/{team}", f"{team} of {title}")
