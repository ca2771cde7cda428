"""Jira's answers, as far as opsync uses them.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

NULL = Raw(b"null")


class Named(Struct, frozen=True, gc=False):
    """A priority, resolution, security level or link type."""

    id: str = ""
    name: str = ""


class StatusCategory(Struct, frozen=True, gc=False):
    key: str = "undefined"


class Status(Struct, frozen=True, gc=False):
    id: str = ""
    name: str = ""
    category: StatusCategory = msgspec.field(name="statusCategory", default_factory=StatusCategory)


class IssueType(Struct, frozen=True, gc=False):
    """`level` is 0 for ordinary work, -1 for sub-tasks, 1 for epics, more above; None on Data
    Center, which tells only which types are sub-tasks."""

    id: str = ""
    name: str = ""
    level: int | None = msgspec.field(name="hierarchyLevel", default=None)
    is_subtask: bool = msgspec.field(name="subtask", default=False)

    @property
    def subtask(self) -> bool:
        return self.is_subtask if self.level is None else self.level < 0


class Project(Struct, frozen=True, gc=False):
    """`private` is told of team-managed projects that only their members see."""

    id: str = ""
    key: str = ""
    name: str = ""
    private: bool = msgspec.field(name="isPrivate", default=False)


class User(Struct, frozen=True, gc=False):
    """An account: known by `account_id` on Cloud, by `key` or `name` on Data Center."""

    account_id: str | None = msgspec.field(name="accountId", default=None)
    key: str | None = None
    name: str | None = None
    display_name: str | None = msgspec.field(name="displayName", default=None)
    email: str | None = msgspec.field(name="emailAddress", default=None)
    active: bool = True


class OtherFields(Struct, frozen=True, gc=False):
    status: Status | None = None


class Other(Struct, frozen=True, gc=False):
    """A parent, or the other end of an issue link."""

    id: str = ""
    fields: OtherFields | None = None


class IssueLink(Struct, frozen=True, gc=False):
    """`inward` is there when the other issue does to this one what the type says."""

    type: Named
    inward: Other | None = msgspec.field(name="inwardIssue", default=None)


class Fields(Struct, frozen=True, gc=False):
    """The fields that are asked for. Those named in `CUSTOM` have other names on each site.

    `timeoriginalestimate` is in seconds, as are all of Jira's time fields; it is absent where a
    project tracks no time. A status that is null is no issue's: it would count as no work for good,
    since an issue's time of change does not tell that it has one again.
    """

    summary: str | None = None
    status: Status | UnsetType = UNSET
    issuetype: IssueType | None = None
    project: Project | None = None
    parent: Other | None = None
    assignee: User | None = None
    priority: Named | None = None
    labels: list[str] = []
    created: datetime | None = None
    updated: datetime | None = None
    resolutiondate: datetime | None = None
    statuscategorychangedate: datetime | None = None
    duedate: date | None = None
    issuelinks: list[IssueLink] = []
    resolution: Named | None = None
    security: Named | None = None
    timeoriginalestimate: Raw = NULL
    description: Raw = NULL
    points: Raw = NULL
    estimate: Raw = NULL
    time: Raw = NULL
    flagged: Raw = NULL
    epic: Raw = NULL


CUSTOM = ("points", "estimate", "time", "flagged", "epic")
SYSTEM = tuple(name for name in Fields.__struct_fields__ if name not in CUSTOM)


class Icon(Struct, frozen=True):
    url: str | None = msgspec.field(name="url16x16", default=None)
    title: str | None = None


class LinkStatus(Struct, frozen=True):
    resolved: bool | None = None
    icon: Icon | None = None


class LinkObject(Struct, frozen=True):
    url: str = ""
    title: str = ""
    summary: str | None = None
    status: LinkStatus | None = None


class Application(Struct, frozen=True):
    name: str | None = None


class RemoteLink(Struct, frozen=True):
    """A remote issue link as it is read.

    https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-remote-links/
    """

    id: int
    object: LinkObject
    global_id: str | None = msgspec.field(name="globalId", default=None)
    relationship: str | None = None
    application: Application | None = None


class Issue(Struct, frozen=True, gc=False):
    """Neither `epic_id` nor `remote_links` is Jira's: Data Center names an epic by key, and the
    id is looked up before the issue is handed on; remote links are asked for issue by issue."""

    id: str
    key: str
    fields: Fields
    epic_id: str = ""
    remote_links: tuple[RemoteLink, ...] = ()


class IssueError(Struct, frozen=True):
    """An issue that a bulk fetch could not give. `id` is what was asked for."""

    id: str = ""
    message: str = msgspec.field(name="errorMessage", default="")


class Page(Struct, frozen=True):
    """A page of issues of any search or bulk fetch."""

    issues: list[Issue]
    errors: list[IssueError] = msgspec.field(name="issueErrors", default_factory=list)
    total: int = 0


class RawPage(Struct, frozen=True):
    """The same, with the issues still undecoded."""

    issues: list[Raw]
    errors: list[IssueError] = msgspec.field(name="issueErrors", default_factory=list)
    total: int = 0


class PageEnd(Struct, frozen=True):
    """What leads to the next page."""

    token: str | None = msgspec.field(name="nextPageToken", default=None)


class Id(Struct, frozen=True, gc=False):
    id: str
    key: str = ""


class IdPage(Struct, frozen=True):
    """A page of a search that asks for ids only."""

    issues: list[Id]
    token: str | None = msgspec.field(name="nextPageToken", default=None)


class Field(Struct, frozen=True):
    """A field of the site. `schema` tells what sort of custom field it is."""

    id: str
    name: str = ""
    untranslated: str = msgspec.field(name="untranslatedName", default="")
    schema: FieldSchema | None = None


class FieldSchema(Struct, frozen=True):
    type: str = ""
    custom: str = ""


@lru_cache(maxsize=32)
def page_type(custom: tuple[tuple[str, str], ...]) -> type[Page]:
    """A `Page` that reads custom fields by the ids they have on one site.

    `custom` are pairs of a name in `CUSTOM` and the field's id there.
    """
    fields = msgspec.defstruct(
        "Fields",
        [(name, Raw, NULL) for name, _ in custom],
        bases=(Fields,),
        rename=dict(custom),
        frozen=True,
        gc=False,
    )
    issue = msgspec.defstruct("Issue", [("fields", fields)], bases=(Issue,), frozen=True, gc=False)
    page = msgspec.defstruct("Page", [("issues", list[issue])], bases=(Page,), frozen=True)  # type: ignore[valid-type]
    assert issubclass(page, Page)
    return page
