"""The settings of a PostHog instance."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, WrapValidator, field_validator

from opsync import BaseUrl, ConnectorSettings, Place, Token, Zone

HOSTS = {"us": "https://us.posthog.com", "eu": "https://eu.posthog.com"}

OtherUrl = Annotated[BaseUrl, WrapValidator(lambda value, check: check(value) if value else "")]
"""A base address, or none."""

_PROJECT = re.compile(r"/project/(\d+)(?:/|$)")


class PostHogSettings(ConnectorSettings):
    """One PostHog project, as one personal API key sees it."""

    not_read = ConnectorSettings.not_read | {"time_zone", "queries_per_hour"}

    project: Annotated[str, Field(coerce_numbers_to_str=True)]
    """The project's id (Settings → Project → General → Project ID), or any address within it."""

    region: Literal["us", "eu"] = "us"
    """Which PostHog Cloud: us.posthog.com or eu.posthog.com."""

    base_url: OtherUrl = ""
    """Where PostHog is, if not at PostHog Cloud: the address people open in the browser."""

    token: Token
    """A personal API key, phx_…"""

    time_zone: Zone = ""
    """The time zone in which the project's days begin: "Europe/Berlin". Empty: as PostHog says."""

    queries_per_hour: Annotated[float, Field(gt=0)] = 120.0
    """Queries that the project may run in an hour. PostHog allows newer projects 2,400; opsync uses
    four fifths."""

    @property
    def address(self) -> str:
        """Where PostHog is, without a slash at the end."""
        return self.base_url or HOSTS[self.region]

    @field_validator("project")
    @classmethod
    def _an_id(cls, value: str) -> str:
        found = _PROJECT.search(urlsplit(value).path) if "://" in value else None
        id_ = found[1] if found else value.strip()
        if not id_.isascii() or not id_.isdecimal():
            raise ValueError("is no project id: it is the number in the address after /project/")
        return str(int(id_))

    def places(self) -> Iterable[Place]:
        """The project."""
        title = f"project {self.project} at {self.address}"
        return [Place(f"{self.address} {self.project}", title)]
