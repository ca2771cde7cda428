"""What exists on a simulated Jira site, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from opsync.sandbox.jira.adf import Node

CategoryKey = Literal["new", "indeterminate", "done"]

# id, name and colour of the built-in status categories, the same on every site.
CATEGORIES: dict[CategoryKey, tuple[int, str, str]] = {
    "new": (2, "To Do", "blue-gray"),
    "indeterminate": (4, "In Progress", "yellow"),
    "done": (3, "Done", "green"),
}

# name: (id, hierarchyLevel) of the built-in issue types.
ISSUE_TYPES: dict[str, tuple[str, int]] = {
    "Initiative": ("10010", 2),
    "Epic": ("10000", 1),
    "Story": ("10001", 0),
    "Task": ("10002", 0),
    "Bug": ("10004", 0),
    "Sub-task": ("10003", -1),
}

PRIORITIES: dict[str, str] = {"Highest": "1", "High": "2", "Medium": "3", "Low": "4", "Lowest": "5"}

# name: (id, inward wording, outward wording)
LINK_TYPES: dict[str, tuple[str, str, str]] = {
    "Blocks": ("10000", "is blocked by", "blocks"),
    "Duplicate": ("10002", "is duplicated by", "duplicates"),
    "Relates": ("10003", "relates to", "relates to"),
}


@dataclass(frozen=True, slots=True)
class Project:
    """A project. `statuses` are the names its workflow uses; empty: any. `private`: only its
    members see it, as team-managed projects can be. `state` is "live", "archived" or "deleted",
    which is in the recycle bin."""

    id: int
    key: str
    name: str
    statuses: tuple[str, ...] = ()
    private: bool = False
    state: str = "live"


@dataclass(frozen=True, slots=True)
class Status:
    """A status; its name is free text in any language, its category is not."""

    id: int
    name: str
    category: CategoryKey


@dataclass(frozen=True, slots=True)
class User:
    """A user: `account_id` on Cloud, `name` and key on Data Center. `email` None: hidden."""

    account_id: str
    name: str
    display_name: str
    email: str | None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue at one moment. `id` never changes; `key` does when the issue moves. `hours` is its
    original estimate."""

    id: int
    key: str
    summary: str
    issue_type: str
    status: Status
    status_changed: datetime
    created: datetime
    updated: datetime
    parent_id: int | None = None
    assignee: User | None = None
    description: str | Node | None = None
    priority: str = "Medium"
    labels: tuple[str, ...] = ()
    points: float | None = None
    hours: float | None = None
    started: datetime | None = None
    resolved: datetime | None = None
    resolution: str | None = None
    due: date | None = None
    flagged: bool = False
    security: str | None = None

    @property
    def project_key(self) -> str:
        return self.key.rpartition("-")[0]

    @property
    def number(self) -> int:
        return int(self.key.rpartition("-")[2])


@dataclass(frozen=True, slots=True)
class IssueLink:
    """`outward_id` does to `inward_id` what the type says: it blocks it."""

    id: int
    type: str
    outward_id: int
    inward_id: int


@dataclass(frozen=True, slots=True)
class RemoteLink:
    """A remote issue link; parts that a request did not name are None."""

    id: int
    global_id: str | None
    relationship: str | None
    application: dict[str, object] | None
    object: dict[str, object]


@dataclass(frozen=True, slots=True)
class StatusChange:
    """An entry of an issue's changelog."""

    id: int
    at: datetime
    before: Status
    after: Status
