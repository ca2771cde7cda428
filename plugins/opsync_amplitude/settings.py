"""The settings of an Amplitude instance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from opsync import BaseUrl, ConnectorSettings, Place, Token, Zone

Region = Literal["us", "eu"]

API = {"us": "https://amplitude.com", "eu": "https://analytics.eu.amplitude.com"}
"""Where each region answers (https://amplitude.com/docs/apis/analytics/dashboard-rest)."""

EXPERIMENT_HOSTS = {"us": "experiment.amplitude.com", "eu": "experiment.eu.amplitude.com"}
"""Where each region lists flags and experiments."""


class AmplitudeSettings(ConnectorSettings):
    """One `[instances.NAME]` block with `connector = "amplitude"`: one Amplitude project."""

    not_read = ConnectorSettings.not_read | {"time_zone", "flag_event", "flag_property"}

    project: Annotated[str, Field(pattern=r"^[0-9]{1,20}$", coerce_numbers_to_str=True)]
    """The project's id, a number: Settings → Organization settings → Projects → the project →
    General."""

    project_name: Annotated[str, Field(max_length=200)] = ""
    """What people call the project; "": "Amplitude project" with its id."""

    region: Region = "us"
    """Where the project's data is: "us", or "eu" for the data center in the EU."""

    org: Annotated[str, Field(max_length=200)] = ""
    """The name in app.amplitude.com/analytics/NAME/…; "": links of any organization count. Name it
    when several Amplitude organizations are linked to."""

    base_url: BaseUrl | None = None
    """Where the API is, instead of the region's address: a proxy or a test server. Flags and
    experiments are then asked for there too."""

    api_key: Token
    """The project's API key."""

    secret_key: Token
    """The project's secret key."""

    management_key: Token | None = None
    """A management API key of Experiment, to list the flags and experiments that people link to.
    Everything else works without it."""

    time_zone: Zone = ""
    """The project's time zone, such as "Europe/Berlin": Amplitude does not tell it. "": that of the
    configuration."""

    flag_event: Annotated[str, Field(min_length=1, max_length=200)] = "[Experiment] Exposure"
    """The event that says that somebody saw a flag."""

    flag_property: Annotated[str, Field(min_length=1, max_length=200)] = "[Experiment] Flag Key"
    """The property of that event that names the flag."""

    category: Annotated[str, Field(min_length=1, max_length=60)] = "opsync"
    """The category of opsync's annotations. It is made with the first one."""

    @property
    def called(self) -> str:
        """What people call the project."""
        return self.project_name or f"Amplitude project {self.project}"

    @property
    def address(self) -> str:
        """Where the API is, without a slash at the end."""
        return self.base_url or API[self.region]

    @property
    def experiment_url(self) -> str:
        """The address of the lists of flags and experiments."""
        return self.base_url or f"https://{EXPERIMENT_HOSTS[self.region]}"

    def places(self) -> Iterable[Place]:
        """The project."""
        title = f"project {self.project} at {self.address}"
        return [Place(f"{self.address} {self.project}", title)]
