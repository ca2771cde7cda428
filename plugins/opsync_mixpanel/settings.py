"""The settings of a Mixpanel instance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from opsync import BaseUrl, ConnectorSettings, Place, Token, Zone

HOSTS = {
    "us": "https://mixpanel.com",
    "eu": "https://eu.mixpanel.com",
    "in": "https://in.mixpanel.com",
}
"""Where projects live, by data residency: the API and what people see alike."""

Name = Annotated[str, Field(min_length=1, max_length=255)]


class MixpanelSettings(ConnectorSettings):
    """One Mixpanel project, as one service account sees it."""

    not_read = ConnectorSettings.not_read | {
        "time_zone",
        "flag_event",
        "flag_property",
        "queries_per_hour",
    }

    project: Annotated[int, Field(gt=0)]
    """The project's id: the number in mixpanel.com/project/NUMBER."""

    region: Literal["us", "eu", "in"] = "us"
    """Where the data is kept: us, eu or in (India), as the address of the project says."""

    base_url: BaseUrl | None = None
    """Another address than the region's, for a proxy or a test server."""

    workspace: Annotated[int, Field(gt=0)] | None = None
    """The data view to query: the number after /view/ in the address; left out: all data."""

    project_name: Annotated[str, Field(max_length=255)] = ""
    """What people call the project; "": "Mixpanel project NUMBER"."""

    username: Name
    """The service account's username, as in opsync.1a2b3c.mp-service-account."""

    secret: Token
    """The service account's secret."""

    time_zone: Zone = ""
    """The project's time zone, in which its days begin; "": that of opsync. Mixpanel does not tell
    it: see Settings → Project Settings → Overview."""

    flag_event: Name = "$experiment_started"
    """The event that says that a user met a flag or an experiment."""

    flag_property: Name = "Experiment name"
    """The property of that event that holds the flag's key or the experiment's name."""

    queries_per_hour: Annotated[float, Field(gt=0)] = 60.0
    """What Mixpanel allows the project; opsync uses four fifths of it."""

    @property
    def address(self) -> str:
        """Where the API is, without a slash at the end."""
        return self.base_url or HOSTS[self.region]

    @property
    def pages(self) -> tuple[str, ...]:
        """The addresses behind which the project's pages are found, the region's first."""
        return (HOSTS[self.region], *([self.base_url] if self.base_url else []))

    @property
    def called(self) -> str:
        """What people call the project."""
        return self.project_name or f"Mixpanel project {self.project}"

    def places(self) -> Iterable[Place]:
        """The project."""
        title = f"project {self.project} at {self.address}"
        return [Place(f"{self.address} {self.project}", title)]
