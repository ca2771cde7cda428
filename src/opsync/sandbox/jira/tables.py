"""The tables of a simulated Jira site: what exists and what it was before, and how to find it."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from opsync.sandbox.jira.values import (
    CategoryKey,
    Issue,
    IssueLink,
    Project,
    RemoteLink,
    Status,
    StatusChange,
    User,
)
from opsync.sandbox.vendor import Vendor, to_millisecond, utc_now


def check_choice(what: str, value: str, known: Mapping[str, object]) -> None:
    """Raise ValueError, with the choices there are, unless `value` is one."""
    if value not in known:
        raise ValueError(f"no {what} {value!r}; there are {', '.join(known)}")


class JiraTables(Vendor):
    """Projects, statuses, users, issues and links, with the past of every issue.

    `search_lag` delays what searches see, as Jira's index does; reads by id are never late.
    """

    def __init__(self, *, now: Callable[[], datetime] = utc_now, limit_factor: int = 1) -> None:
        super().__init__(now=now, limit_factor=limit_factor)
        self.search_lag = timedelta(0)
        self.remote_links_bump_updated = True
        self.projects: dict[str, Project] = {}
        self.archived: set[int] = set()
        self.statuses: dict[str, Status] = {}
        self.users: dict[str, User] = {}
        self.resolutions: dict[str, str] = {"Done": "10000", "Won't Do": "10001"}
        self.security_levels: dict[str, str] = {}
        self.issues: dict[int, Issue] = {}
        self.links: list[IssueLink] = []
        self.remote_links: dict[int, dict[int, RemoteLink]] = {}
        self.changes: dict[int, list[StatusChange]] = {}
        self._keys: dict[str, int] = {}
        self._past: dict[int, list[tuple[datetime, Issue | None]]] = {}
        self._activity: dict[int, int] = {}
        self._next_number: dict[str, int] = {}
        self._last_id = 10_000

    def tell(self, event: str, issue: Issue) -> None:
        """Something happened to an issue, of which webhooks may be told."""

    def tell_link(self, event: str, link: IssueLink) -> None:
        """The same of a link between issues."""

    def tell_project(self, event: str, key: str) -> None:
        """The same of a project."""

    def new_id(self) -> int:
        """The next numeric id; one sequence serves all sorts of objects."""
        self._last_id += 1
        return self._last_id

    def instant(self) -> datetime:
        """The present in whole milliseconds, the grain of Jira's timestamps."""
        return to_millisecond(self.now())

    def add_project(
        self, key: str, name: str, *, statuses: Sequence[str] = (), private: bool = False
    ) -> Project:
        """A project; `statuses` names those of its workflow, for pokes that say only a category."""
        with self.lock:
            project = Project(self.new_id(), key, name, tuple(statuses), private)
            self.projects[key] = project
            return project

    def add_status(self, name: str, category: CategoryKey) -> Status:
        with self.lock:
            status = Status(self.new_id(), name, category)
            self.statuses[name] = status
            return status

    def add_user(self, display_name: str, email: str | None = None) -> User:
        """A user; without `email` the address is hidden, as privacy settings do."""
        with self.lock:
            number = self.new_id()
            user = User(
                f"712020:{number:08x}-sandbox",
                display_name.split()[0].lower() + str(number),
                display_name,
                email,
            )
            self.users[user.account_id] = user
            return user

    def deactivate(self, user: User) -> None:
        """Close an account. What it is assigned to stays as it is, unchanged."""
        with self.lock:
            self.users[user.account_id] = replace(user, active=False)

    def issue(self, id_or_key: str | int) -> Issue:
        """The issue with this id or key, earlier keys included. LookupError: none."""
        found = self.get(id_or_key)
        if found is None:
            raise LookupError(f"no issue {id_or_key}")
        return found

    def get(self, id_or_key: str | int) -> Issue | None:
        """The same, or None."""
        text = str(id_or_key)
        number = int(text) if text.isdecimal() else self._keys.get(text.upper())
        return None if number is None else self.issues.get(number)

    def children(self, issue: Issue) -> list[Issue]:
        return [other for other in self.issues.values() if other.parent_id == issue.id]

    def status(self, name: str) -> Status:
        check_choice("status", name, self.statuses)
        return self.statuses[name]

    def first_status(self, project_key: str, category: CategoryKey) -> Status:
        """The first status of this category that the project's workflow lists or uses."""
        listed = self.projects[project_key].statuses or tuple(
            issue.status.name for issue in self.issues.values() if issue.project_key == project_key
        )
        for name in (*listed, *self.statuses):
            if self.status(name).category == category:
                return self.status(name)
        raise ValueError(f"no status of category {category}: add one first")

    def activity(self, key: str) -> int:
        """How many entries remote-link writes left in the issue's activity stream."""
        return self._activity.get(self.issue(key).id, 0)

    def indexed(self, fresh: frozenset[int] = frozenset()) -> list[Issue]:
        """What a search sees: the state `search_lag` ago, but the ids in `fresh` as they are."""
        if not self.search_lag:
            return list(self.issues.values())
        then = self.instant() - self.search_lag
        seen = (
            self.issues.get(number) if number in fresh else self._at(number, then)
            for number in self._past
        )
        return [issue for issue in seen if issue is not None]

    def _at(self, number: int, then: datetime) -> Issue | None:
        past = self._past[number]
        index = bisect.bisect_right(past, then, key=lambda version: version[0])
        return past[index - 1][1] if index else None

    def _touch(self, issue_id: int) -> None:
        self._activity[issue_id] = self._activity.get(issue_id, 0) + 1
        if self.remote_links_bump_updated:
            self._change(replace(self.issues[issue_id], updated=self.instant()))
        else:
            self.tell("jira:issue_updated", self.issues[issue_id])

    def _change(self, issue: Issue) -> Issue:
        self._register_names(issue)
        self._keep(issue, issue.updated)
        self.tell("jira:issue_updated", issue)
        return issue

    def _keep(self, issue: Issue, at: datetime) -> None:
        self.issues[issue.id] = issue
        self._past.setdefault(issue.id, []).append((at, issue))

    def _register_names(self, issue: Issue) -> None:
        if issue.resolution and issue.resolution not in self.resolutions:
            self.resolutions[issue.resolution] = str(self.new_id())
        if issue.security and issue.security not in self.security_levels:
            self.security_levels[issue.security] = str(self.new_id())

    def _record(self, issue_id: int, at: datetime, before: Status, after: Status) -> None:
        self.changes.setdefault(issue_id, []).append(StatusChange(self.new_id(), at, before, after))

    def _allot(self, project_key: str, key: str | None) -> str:
        number = self._next_number.get(project_key, 1)
        if key is None:
            while f"{project_key}-{number}" in self._keys:
                number += 1
            self._next_number[project_key] = number + 1
            return f"{project_key}-{number}"
        if key in self._keys or key.rpartition("-")[0] != project_key:
            raise ValueError(f"{key} is taken, or not of project {project_key}")
        return key
