"""The tables of a simulated Linear workspace: what exists, by id, and how to find it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from opsync.sandbox.linear.objects import (
    PROJECT_STATUSES,
    Attachment,
    EntityExternalLink,
    Initiative,
    Issue,
    IssueLabel,
    Node,
    Organization,
    Project,
    ProjectStatus,
    ProjectUpdate,
    Team,
    User,
    WorkflowState,
)
from opsync.sandbox.vendor import to_millisecond

TICK = timedelta(milliseconds=1)
N = TypeVar("N", bound=Node)


class Tables:
    """All objects of one workspace, by id. Identifiers are the same in every world so built.

    The look-ups take what people write, and raise KeyError if there is no such object.
    """

    def __init__(self, *, url_key: str, now: Callable[[], datetime]) -> None:
        self.now = now
        self.url_key = url_key
        self.attachments_bump_issue = False
        """Whether a new or changed attachment moves its issue's `updated_at`."""
        self.told: Callable[[str, Node], None] = lambda action, node: None
        """Called after each change with "create", "update" or "remove", for webhooks."""
        self.sync_id = 1000
        self.nodes: dict[str, Node] = {}
        self.buried: dict[str, Node] = {}
        """What was deleted for good: a page cursor that names it still has its place."""
        self.teams: dict[str, Team] = {}
        self.users: dict[str, User] = {}
        self.states: dict[str, WorkflowState] = {}
        self.project_statuses: dict[str, ProjectStatus] = {}
        self.labels: dict[str, IssueLabel] = {}
        self.initiatives: dict[str, Initiative] = {}
        self.projects: dict[str, Project] = {}
        self.issues: dict[str, Issue] = {}
        self.attachments: dict[str, Attachment] = {}
        self.external_links: dict[str, EntityExternalLink] = {}
        self.project_updates: dict[str, ProjectUpdate] = {}
        self.aliases: dict[str, Issue] = {}
        """Every identifier that an issue has or had."""
        self._made = 0
        at = to_millisecond(now())
        self.organization = Organization(
            id=self.new_id(), created_at=at, updated_at=at, name=url_key.title(), url_key=url_key
        )
        self.viewer = self.add_user("opsync", f"opsync@{url_key}.example")
        self.viewer.is_me = True
        for position, (name, kind) in enumerate(PROJECT_STATUSES):
            status = ProjectStatus(
                id=self.new_id(),
                created_at=at,
                updated_at=at,
                name=name,
                type=kind,
                position=float(position),
            )
            self.keep(self.project_statuses, status)

    def new_id(self) -> str:
        """The next identifier, a version 4 UUID that depends on the workspace and the count."""
        self._made += 1
        digest = hashlib.sha256(f"{self.url_key}/{self._made}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))

    def keep(self, table: dict[str, N], node: N) -> N:
        """Enter a new object."""
        table[node.id] = node
        self.nodes[node.id] = node
        self.sync_id += 1
        self.told("create", node)
        return node

    def bury(self, table: dict[str, N], node: N) -> None:
        """Take an object out for good."""
        del table[node.id]
        self.buried[node.id] = self.nodes.pop(node.id)
        self.sync_id += 1
        self.told("remove", node)

    def touch(self, node: Node, at: datetime | None = None) -> datetime:
        """Move `updated_at` forward, by a millisecond at least if the event happens now."""
        if at is None:
            at = max(to_millisecond(self.now()), node.updated_at + TICK)
        else:
            at = to_millisecond(at)
        node.updated_at = max(node.updated_at, at)
        self.sync_id += 1
        self.told("update", node)
        return at

    def stamps(
        self, created: datetime | None, updated: datetime | None
    ) -> tuple[datetime, datetime]:
        """When a new object was created and last updated; what is not said follows or is now."""
        first = to_millisecond(created or updated or self.now())
        return first, max(first, to_millisecond(updated)) if updated else first

    def add_user(self, name: str, email: str) -> User:
        """A person of the workspace."""
        first, last = self.stamps(None, None)
        user = User(
            id=self.new_id(),
            created_at=first,
            updated_at=last,
            organization=self.organization,
            name=name,
            email=email,
        )
        return self.keep(self.users, user)

    def team(self, key: str) -> Team:
        """The team of that key."""
        return _one(self.teams.values(), "team", key, lambda each: each.key == key)

    def user(self, who: User | str) -> User:
        """The person of that name or e-mail address."""
        if isinstance(who, User):
            return who
        return _one(self.users.values(), "user", who, lambda each: who in (each.name, each.email))

    def project_status(self, kind: str) -> ProjectStatus:
        """The project status of that type or name."""
        return _one(
            self.project_statuses.values(),
            "project status",
            kind,
            lambda each: kind in (each.type, each.name),
        )

    def initiative(self, named: Initiative | str) -> Initiative:
        """The initiative of that id, slug id or name."""
        if isinstance(named, Initiative):
            return named
        return _one(
            self.initiatives.values(),
            "initiative",
            named,
            lambda each: named in (each.id, each.slug_id, each.name),
        )

    def project(self, named: Project | str) -> Project:
        """The project of that id, slug id or name."""
        if isinstance(named, Project):
            return named
        return _one(
            self.projects.values(),
            "project",
            named,
            lambda each: named in (each.id, each.slug_id, each.name),
        )

    def issue(self, named: Issue | str) -> Issue:
        """The issue of that id or identifier, a former identifier included."""
        if isinstance(named, Issue):
            return named
        found = self.issues.get(named) or self.aliases.get(named.upper())
        if found is None:
            raise KeyError(f"no issue {named!r}")
        return found


def assign(node: Node, values: Mapping[str, object], allowed: set[str]) -> None:
    """Set the given fields of a node. TypeError for one that cannot be set."""
    if unknown := sorted(values.keys() - allowed):
        raise TypeError(f"cannot edit {unknown} here; can edit {sorted(allowed)}")
    for name, value in values.items():
        setattr(node, name, value)


def _one(nodes: Iterable[N], what: str, named: str, fits: Callable[[N], bool]) -> N:
    for node in nodes:
        if fits(node):
            return node
    raise KeyError(f"no {what} {named!r}")
