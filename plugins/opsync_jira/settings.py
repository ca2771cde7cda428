"""The settings of a Jira instance."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, WrapValidator, field_validator, model_validator

from opsync import BaseUrl, Category, ConfigError, Place, Token, WebhookSettings, check_base_url

CategoryMap = dict[str, Category]

OtherUrl = Annotated[BaseUrl, WrapValidator(lambda value, check: check(value) if value else "")]
"""A base address, or none."""

_PROJECT_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ORDER_BY = re.compile(r"\border\s+by\b", re.IGNORECASE)
_FIELD_ID = re.compile(r"customfield_[0-9]+|time[a-z]+|aggregate[a-z]+")


class JiraSettings(WebhookSettings):
    """One `[instances.NAME]` block with `connector = "jira"`."""

    parted_by = "projects"

    projects: tuple[str, ...] = ()
    """Keys of the projects to read. Empty: all that the account can see."""

    labels: tuple[str, ...] = ()
    """Only issues with one of these labels, exactly as written; epics and what stands above them
    are read whatever their labels. Empty: all."""

    jql: str = ""
    """A further filter in JQL, without ORDER BY: `labels != noise`."""

    private_projects: tuple[str, ...] = ()
    """Keys of projects whose work is private: counted, and shown elsewhere as `expose` says."""

    site: str
    """The address people open in the browser, such as https://harbor.atlassian.net."""

    base_url: OtherUrl = ""
    """Where the API is asked, if not at `site`: https://api.atlassian.com/ex/jira/<cloudId> for
    tokens with scopes and service accounts, or a proxy."""

    email: str = ""
    """The account the token belongs to. Jira Cloud needs it, Data Center has no use for it."""

    token: Token
    """API token (Cloud: id.atlassian.com → Security → API tokens) or personal access token."""

    deployment: Literal["cloud", "datacenter"] = "cloud"
    """Jira Cloud, or Jira Data Center 8.14 or later."""

    estimate_field: str = ""
    """Id of the field with estimates: customfield_10016, or timeoriginalestimate for hours. Empty:
    found by its name, Story Points or Story point estimate."""

    flagged_field: str = ""
    """Id of the field that flags impediments. Empty: found by its name, Flagged."""

    epic_types: tuple[str, ...] = ("Epic",)
    """Data Center only: ids or names of the issue types that are epics."""

    blocked_link_types: tuple[str, ...] = ("Blocks",)
    """Ids or names of the link types by whose inward side an issue is blocked."""

    blocked_statuses: tuple[str, ...] = ()
    """Ids or names of statuses that mean that an issue is blocked."""

    blocked_labels: tuple[str, ...] = ()
    """Labels that mean that an issue is blocked."""

    read_remote_links: bool = False
    """Read the remote links of issues, where Exalate and people link work of other tools. One more
    request for each issue that changed, and for every issue in a first read."""

    resolutions: CategoryMap = Field(default_factory=dict)
    """Resolution ids or names, and the category that done issues with them count as. Jira has no
    category for canceled work: "Won't Do" = "canceled"."""

    @field_validator("site")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an address like https://harbor.atlassian.net")
        if parts.query or parts.fragment or parts.username is not None:
            raise ValueError("must be an address without user, query or fragment")
        return value.rstrip("/")

    @field_validator("projects", "private_projects")
    @classmethod
    def _keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [key for key in value if not _PROJECT_KEY.fullmatch(key)]
        if wrong:
            raise ValueError(f"must be project keys like PAY, not {wrong[0]!r}")
        return value

    @field_validator("labels")
    @classmethod
    def _labels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [label for label in value if not label or any(c.isspace() for c in label)]
        if wrong:
            raise ValueError(f"must be labels, which have no blanks in Jira, not {wrong[0]!r}")
        return value

    @field_validator("jql")
    @classmethod
    def _filter(cls, value: str) -> str:
        if _ORDER_BY.search(value):
            raise ValueError("must have no ORDER BY: opsync reads in the order of change")
        return value.strip()

    @field_validator("estimate_field", "flagged_field")
    @classmethod
    def _field(cls, value: str) -> str:
        if value and not _FIELD_ID.fullmatch(value):
            raise ValueError("must be a field's id like customfield_10016, not its name")
        return value

    @model_validator(mode="after")
    def _signs_in(self) -> Self:
        if not self.site:
            raise ValueError("site must not be empty")
        if self.deployment == "cloud" and "@" not in self.email:
            raise ValueError("email is needed: Jira Cloud signs in with it and the token")
        if not self.base_url:
            try:
                check_base_url(self.site)
            except ConfigError as error:
                raise ValueError(f"site: {error}") from None
        return self

    def places(self) -> Iterable[Place]:
        """The site, or its projects that are read."""
        site = self.site.casefold().partition("://")[2]
        if not self.projects:
            return [Place(site, self.site)]
        return [Place(f"{site}/{key.upper()}", f"{key} of {self.site}") for key in self.projects]

    @property
    def cloud(self) -> bool:
        return self.deployment == "cloud"

    @property
    def in_hours(self) -> bool:
        """Whether the estimate field holds time: only Jira's own fields do."""
        return bool(self.estimate_field) and not self.estimate_field.startswith("customfield_")

    @property
    def gateway(self) -> bool:
        """Whether Atlassian's gateway is asked, which takes tokens with scopes only."""
        return self.cloud and "/ex/jira/" in self.api_url

    @property
    def api_url(self) -> str:
        """Where the API is asked, without a slash at its end."""
        return self.base_url or self.site
