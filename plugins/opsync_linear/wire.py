"""Linear's answers as typed structures: exactly the fields that are used.

Names and nullability are those of Linear's public GraphQL schema.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

T = TypeVar("T")


class PageInfo(Struct, frozen=True, rename="camel"):
    """Where a page stands in its listing."""

    has_next_page: bool = False
    end_cursor: str | None = None


class Nodes(Struct, Generic[T], frozen=True, rename="camel"):
    """One page of a listing."""

    nodes: tuple[T, ...] = ()
    page_info: PageInfo = PageInfo()


def _any_cut(*lists: Nodes[Any]) -> bool:
    return any(each.page_info.has_next_page for each in lists)


class Named(Struct, frozen=True):
    """An object of which only the id is of interest."""

    id: str


class User(Struct, frozen=True, rename="camel"):
    """A person. `email` is null where the token may not see it."""

    id: str
    display_name: str = ""
    email: str | None = None
    active: bool = True


class State(Struct, frozen=True):
    """A workflow state or a project status; `type` is Linear's own category."""

    id: str
    name: str
    type: str


class StateType(Struct, frozen=True):
    """A workflow state of which only the category is of interest."""

    type: str


class Team(Struct, frozen=True):
    """A team. `visibility` is public, private, or restricted (inside a private team)."""

    id: str
    key: str
    name: str
    visibility: str

    @property
    def private(self) -> bool:
        return self.visibility != "public"


class Label(Struct, frozen=True):
    """A label."""

    name: str


class SyncedMetadata(Struct, frozen=True, rename="camel"):
    """What another service calls it; absent for services that are of no interest."""

    issue_key: str | None = None


class Synced(Struct, frozen=True):
    """An object of another service that Linear's own sync keeps alike with this one."""

    service: str
    metadata: SyncedMetadata | None = None


class Attachment(Struct, frozen=True):
    """A link on an issue. `metadata` is a map of whatever its creator put there."""

    id: str
    url: str
    title: str
    subtitle: str | None = None
    metadata: Raw = Raw(b"{}")


class Blocker(Struct, frozen=True):
    """The issue at the blocking end of a relation."""

    state: StateType
    trashed: bool | None = None


class Inverse(Struct, frozen=True):
    """A relation that ends at an issue: with type "blocks", `issue` blocks it."""

    type: str
    issue: Blocker


class Relation(Struct, frozen=True, rename="camel"):
    """A relation that begins at an issue: with type "blocks", it blocks `related_issue`."""

    type: str
    related_issue: Named


class Issue(Struct, frozen=True, rename="camel", kw_only=True):
    """An issue. `identifier` changes with its team, `id` does not."""

    id: str
    identifier: str
    title: str
    url: str
    state: State
    team: Team
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    priority: float = 0
    estimate: float | None = None
    due_date: date | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    archived_at: datetime | None = None
    trashed: bool | None = None
    previous_identifiers: tuple[str, ...] = ()
    assignee: User | None = None
    parent: Named | None = None
    project: Named | None = None
    synced_with: tuple[Synced, ...] | None = None
    labels: Nodes[Label] = Nodes()
    attachments: Nodes[Attachment] = Nodes()
    inverse_relations: Nodes[Inverse] = Nodes()
    relations: Nodes[Relation] = Nodes()

    @property
    def cut(self) -> bool:
        """Whether one of its lists was longer than what was asked for."""
        return _any_cut(self.labels, self.attachments, self.inverse_relations, self.relations)


class ExternalLink(Struct, frozen=True):
    """A link on a project or an initiative; one address may stand there twice."""

    id: str
    url: str
    label: str


class Project(Struct, frozen=True, rename="camel", kw_only=True):
    """A project."""

    id: str
    name: str
    url: str
    slug_id: str
    status: State
    created_at: datetime
    updated_at: datetime
    description: str = ""
    content: str | None = None
    target_date: date | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    archived_at: datetime | None = None
    trashed: bool | None = None
    lead: User | None = None
    synced_with: tuple[Synced, ...] | None = None
    teams: Nodes[Team] = Nodes()
    initiatives: Nodes[Named] = Nodes()
    external_links: Nodes[ExternalLink] = Nodes()

    @property
    def cut(self) -> bool:
        """Whether one of its lists was longer than what was asked for."""
        return _any_cut(self.teams, self.initiatives, self.external_links)


class Initiative(Struct, frozen=True, rename="camel", kw_only=True):
    """An initiative. `status` is Proposed, Planned, Active, Completed or Canceled; `visibility`
    is that of its lead team, public without one."""

    id: str
    name: str
    url: str
    slug_id: str
    status: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    content: str | None = None
    target_date: date | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    archived_at: datetime | None = None
    trashed: bool | None = None
    visibility: str = "public"
    owner: User | None = None
    parent_initiative: Named | None = None
    links: Nodes[ExternalLink] = Nodes()

    @property
    def cut(self) -> bool:
        """Whether its list of links was longer than what was asked for."""
        return _any_cut(self.links)


class Organization(Struct, frozen=True, rename="camel"):
    """The workspace that the token belongs to."""

    url_key: str


class Attached(Struct, frozen=True, rename="camel"):
    """When an attachment changed, and the issue that it stands on."""

    updated_at: datetime
    issue: Issue


class RawAttached(Struct, frozen=True, rename="camel"):
    """The same, the issue not decoded."""

    updated_at: datetime
    issue: Raw


class Work(Struct, frozen=True):
    """One page of all that is read; a part that was not asked for is absent."""

    organization: Organization | None = None
    issues: Nodes[Issue] = Nodes()
    projects: Nodes[Project] = Nodes()
    initiatives: Nodes[Initiative] = Nodes()
    attachments: Nodes[Attached] = Nodes()


class RawWork(Struct, frozen=True):
    """The same page, its rows not decoded: for finding out which one cannot be read."""

    organization: Organization | None = None
    issues: Nodes[Raw] = Nodes()
    projects: Nodes[Raw] = Nodes()
    initiatives: Nodes[Raw] = Nodes()
    attachments: Nodes[Raw] = Nodes()


class Tail(Struct, frozen=True, rename="camel"):
    """The end of one listing, without its rows."""

    page_info: PageInfo


class TeamKey(Struct, frozen=True):
    """A team of which only the key is of interest."""

    key: str


class ScopeProject(Struct, frozen=True, rename="camel"):
    """A project by all names that the settings may have for it."""

    id: str
    name: str = ""
    slug_id: str = ""


class Tails(Struct, frozen=True):
    """The ends of all listings of a page: all that the next request needs. `teams` and `scope` are
    the teams and projects of the settings that exist, where they were asked for."""

    organization: Organization | None = None
    teams: Nodes[TeamKey] | None = None
    scope: Nodes[ScopeProject] | None = None
    issues: Tail | None = None
    projects: Tail | None = None
    initiatives: Tail | None = None
    attachments: Tail | None = None


class Data(Struct, Generic[T], frozen=True):
    """A good answer."""

    data: T


class Extensions(Struct, frozen=True, rename="camel"):
    """What kind an error is."""

    type: str = ""
    code: str = ""
    status_code: int | None = None
    user_presentable_message: str | None = None


class Problem(Struct, frozen=True):
    """One error of an answer; `path` begins with the field, or alias, that failed."""

    message: str = ""
    path: tuple[str | int, ...] | None = None
    extensions: Extensions | None = None


class Envelope(Struct, frozen=True):
    """The outside of any answer."""

    data: Raw = Raw(b"null")
    errors: tuple[Problem, ...] | None = None


class Mark(Struct, frozen=True):
    """What opsync keeps in an attachment's metadata; absent in those of others."""

    opsync: str = ""
    status: str = ""


_decode_mark = msgspec.json.Decoder(Mark).decode


def mark_of(attachment: Attachment) -> Mark:
    """opsync's own part of an attachment's metadata, empty if it is not opsync's."""
    try:
        return _decode_mark(attachment.metadata)
    except msgspec.ValidationError:
        return Mark()
