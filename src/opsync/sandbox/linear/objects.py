"""What a simulated Linear workspace holds: plain objects whose attributes are the schema's fields.

An attribute is the schema's field name in snake case, so that the executor's default resolver
needs no table. Times are aware UTC with millisecond precision, dates are `datetime.date`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

SITE = "https://linear.app"

STATE_DEFAULTS = (
    ("Triage", "triage"),
    ("Backlog", "backlog"),
    ("Todo", "unstarted"),
    ("In Progress", "started"),
    ("In Review", "started"),
    ("Done", "completed"),
    ("Canceled", "canceled"),
    ("Duplicate", "duplicate"),
)
"""The workflow states of a new team, each with its type."""

PROJECT_STATUSES = (
    ("Backlog", "backlog"),
    ("Planned", "planned"),
    ("In Progress", "started"),
    ("Paused", "paused"),
    ("Completed", "completed"),
    ("Canceled", "canceled"),
)
"""The project statuses of a new workspace, each with its type."""

PRIORITY_LABELS = ("No priority", "Urgent", "High", "Medium", "Low")


def slug(text: str, limit: int = 60) -> str:
    """The part of an URL that Linear makes from a title: lower case, dashes, no other marks."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:limit].strip("-")


@dataclass(slots=True, eq=False, kw_only=True)
class Node:
    """What every object has. `updated_at` moves on meaningful changes only."""

    id: str
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Organization(Node):
    """The workspace itself."""

    name: str
    url_key: str

    @property
    def site(self) -> str:
        """The address under which the workspace's pages live."""
        return f"{SITE}/{self.url_key}"


@dataclass(slots=True, eq=False, kw_only=True)
class User(Node):
    """A person, or the app that holds the credential."""

    organization: Organization
    name: str
    email: str
    is_me: bool = False
    active: bool = True
    admin: bool = False
    owner: bool = False
    guest: bool = False
    app: bool = False

    @property
    def display_name(self) -> str:
        return slug(self.email.partition("@")[0]) or slug(self.name)

    @property
    def url(self) -> str:
        return f"{self.organization.site}/profiles/{self.display_name}"


@dataclass(slots=True, eq=False, kw_only=True)
class Team(Node):
    """A team with its own keys and workflow states."""

    organization: Organization
    key: str
    name: str
    private: bool = False
    description: str | None = None
    color: str = "#5e6ad2"
    timezone: str = "Etc/UTC"
    states: list[WorkflowState] = field(default_factory=list)
    last_number: int = 0

    @property
    def display_name(self) -> str:
        return self.name

    @property
    def visibility(self) -> str:
        return "private" if self.private else "public"

    def state(self, name: str) -> WorkflowState:
        """The state of that name. KeyError names the choices."""
        for each in self.states:
            if each.name == name:
                return each
        raise KeyError(f"{self.key} has no state {name!r}: {[s.name for s in self.states]}")


@dataclass(slots=True, eq=False, kw_only=True)
class WorkflowState(Node):
    """A state of one team. `type` is one of Linear's eight words."""

    team: Team
    name: str
    type: str
    position: float
    color: str = "#bec2c8"
    description: str | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class ProjectStatus(Node):
    """A status that projects can have. `type` is one of Linear's six words."""

    name: str
    type: str
    position: float
    color: str = "#bec2c8"
    description: str | None = None
    indefinite: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class IssueLabel(Node):
    """A label of the whole workspace."""

    name: str
    color: str = "#eb5757"
    description: str | None = None
    is_group: bool = False
    parent: IssueLabel | None = None
    team: Team | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Initiative(Node):
    """An initiative with the projects under it. `status` is one of InitiativeStatus."""

    organization: Organization
    name: str
    slug_id: str
    status: str = "Active"
    owner: User | None = None
    creator: User | None = None
    target_date: date | None = None
    description: str | None = None
    content: str | None = None
    health: str | None = None
    health_updated_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    trashed: bool | None = None
    sort_order: float = 0.0
    lead_team: Team | None = None
    parent_initiative: Initiative | None = None
    sub_initiatives: list[Initiative] = field(default_factory=list)
    projects: list[Project] = field(default_factory=list)
    links: list[EntityExternalLink] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.organization.site}/initiative/{slug(self.name)}-{self.slug_id}"

    @property
    def visibility(self) -> str:
        return self.lead_team.visibility if self.lead_team is not None else "public"


@dataclass(frozen=True, slots=True)
class JiraMetadata:
    """What Linear tells of a Jira issue that it keeps in sync."""

    issue_key: str
    project_id: str | None = None
    issue_type_id: str | None = None


@dataclass(frozen=True, slots=True)
class ExternalEntityInfo:
    """An object of another service that one of Linear's is synced with, by the other's id."""

    id: str
    metadata: JiraMetadata
    service: str = "jira"


@dataclass(slots=True, eq=False, kw_only=True)
class Project(Node):
    """A project. Its progress counts started work as a quarter, as Linear does."""

    organization: Organization
    name: str
    slug_id: str
    status: ProjectStatus
    description: str = ""
    content: str | None = None
    color: str = "#bec2c8"
    lead: User | None = None
    creator: User | None = None
    priority: int = 0
    health: str | None = None
    health_updated_at: datetime | None = None
    start_date: date | None = None
    target_date: date | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    trashed: bool | None = None
    sort_order: float = 0.0
    teams: list[Team] = field(default_factory=list)
    initiatives: list[Initiative] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    external_links: list[EntityExternalLink] = field(default_factory=list)
    synced_with: list[ExternalEntityInfo] = field(default_factory=list)
    project_updates: list[ProjectUpdate] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.organization.site}/project/{slug(self.name)}-{self.slug_id}"

    @property
    def state(self) -> str:
        return self.status.type

    @property
    def last_update(self) -> ProjectUpdate | None:
        return max(self.project_updates, key=lambda each: each.created_at, default=None)

    @property
    def scope(self) -> float:
        return sum(each.points for each in self.issues if each.counts)

    @property
    def progress(self) -> float:
        total = self.scope
        if not total:
            return 0.0
        weights = {"completed": 1.0, "started": 0.25}
        done = sum(e.points * weights.get(e.state.type, 0.0) for e in self.issues if e.counts)
        return done / total


@dataclass(slots=True, eq=False, kw_only=True)
class Issue(Node):
    """An issue. Its identifier changes with its team; its id does not."""

    team: Team
    number: int
    title: str
    state: WorkflowState
    project: Project | None = None
    parent: Issue | None = None
    assignee: User | None = None
    creator: User | None = None
    description: str | None = None
    priority: float = 0
    estimate: float | None = None
    due_date: date | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    trashed: bool | None = None
    sort_order: float = 0.0
    previous_identifiers: list[str] = field(default_factory=list)
    labels: list[IssueLabel] = field(default_factory=list)
    children: list[Issue] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    relations: list[IssueRelation] = field(default_factory=list)
    inverse_relations: list[IssueRelation] = field(default_factory=list)
    synced_with: list[ExternalEntityInfo] = field(default_factory=list)

    @property
    def identifier(self) -> str:
        return f"{self.team.key}-{self.number}"

    @property
    def url(self) -> str:
        return f"{self.team.organization.site}/issue/{self.identifier}/{slug(self.title)}"

    @property
    def branch_name(self) -> str:
        return f"{self.identifier.lower()}-{slug(self.title)}"

    @property
    def priority_label(self) -> str:
        return PRIORITY_LABELS[int(self.priority)]

    @property
    def label_ids(self) -> list[str]:
        return [each.id for each in self.labels]

    @property
    def has_blocked_by_relations(self) -> bool:
        """True with any blocker, a finished one too: Linear's filter looks at the relation."""
        return any(each.type == "blocks" for each in self.inverse_relations)

    @property
    def has_blocking_relations(self) -> bool:
        return any(each.type == "blocks" for each in self.relations)

    @property
    def points(self) -> float:
        """What it weighs in its project: the estimate, or one point."""
        return 1.0 if self.estimate is None else self.estimate

    @property
    def counts(self) -> bool:
        """Whether it belongs to its project's scope."""
        return not self.trashed and self.state.type not in ("canceled", "duplicate")


@dataclass(slots=True, eq=False, kw_only=True)
class IssueRelation(Node):
    """`issue` stands in relation `type` to `related_issue`: with "blocks", it blocks it."""

    issue: Issue
    related_issue: Issue
    type: str


@dataclass(slots=True, eq=False, kw_only=True)
class Attachment(Node):
    """A link on an issue; no two of one issue share an URL."""

    issue: Issue
    title: str
    url: str
    subtitle: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    group_by_source: bool = False
    source: Mapping[str, object] | None = None
    source_type: str | None = None
    creator: User | None = None
    original_issue: Issue | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class EntityExternalLink(Node):
    """A link on a project or an initiative; the same URL may stand there twice."""

    label: str
    url: str
    sort_order: float = 0.0
    creator: User | None = None
    project: Project | None = None
    initiative: Initiative | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class ProjectUpdate(Node):
    """A status report on a project, which notifies its followers."""

    project: Project
    user: User
    body: str
    health: str
    edited_at: datetime | None = None
    is_diff_hidden: bool = False
    is_stale: bool = False

    @property
    def slug_id(self) -> str:
        return self.id[:8]

    @property
    def url(self) -> str:
        return f"{self.project.url}/activity#project-update-{self.slug_id}"
