"""The ground truth of a simulated Jira site, and how a world or a person changes it."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from opsync.sandbox.jira.adf import Node
from opsync.sandbox.jira.values import (
    ISSUE_TYPES,
    LINK_TYPES,
    PRIORITIES,
    CategoryKey,
    Issue,
    IssueLink,
    Project,
    RemoteLink,
    Status,
    StatusChange,
    User,
)
from opsync.sandbox.vendor import Vendor, utc_now

EDITABLE = frozenset(
    {
        *("summary", "issue_type", "parent", "assignee", "description", "priority", "labels"),
        *("points", "due", "flagged", "security", "resolution", "status"),
    }
)
"""The fields that `JiraState.edit` takes."""


class JiraState(Vendor):
    """Projects, statuses, users, issues and links; every change of an issue keeps its past.

    `search_lag` delays what searches see, as Jira's index does; reads by id are never late.
    """

    def __init__(self, *, now: Callable[[], datetime] = utc_now, limit_factor: int = 1) -> None:
        super().__init__(now=now, limit_factor=limit_factor)
        self.search_lag = timedelta(0)
        self.remote_links_bump_updated = True
        self.projects: dict[str, Project] = {}
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

    def new_id(self) -> int:
        """The next numeric id; one sequence serves all sorts of objects."""
        self._last_id += 1
        return self._last_id

    def instant(self) -> datetime:
        """The present in whole milliseconds, the grain of Jira's timestamps."""
        return _to_ms(self.now())

    def add_project(self, key: str, name: str, *, statuses: Sequence[str] = ()) -> Project:
        """A project; `statuses` names those of its workflow, for pokes that say only a category."""
        with self.lock:
            project = Project(self.new_id(), key, name, tuple(statuses))
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

    def add_issue(
        self,
        project_key: str,
        summary: str,
        *,
        issue_type: str = "Story",
        status: str | None = None,
        key: str | None = None,
        parent: str | None = None,
        assignee: User | None = None,
        description: str | Node | None = None,
        priority: str = "Medium",
        labels: Iterable[str] = (),
        points: float | None = None,
        created: datetime | None = None,
        updated: datetime | None = None,
        started: datetime | None = None,
        resolved: datetime | None = None,
        due: date | None = None,
        resolution: str | None = None,
        flagged: bool = False,
        security: str | None = None,
        blocked_by: Iterable[str] = (),
        remote_links: Iterable[Mapping[str, object]] = (),
    ) -> Issue:
        """An issue with its past. All datetimes are aware; parents and blockers exist already.

        `status` defaults to the first of category new. `description` is plain text (URLs become
        links) or a document. An issue in a done status is resolved: when `updated` and as `Done`
        unless told otherwise. `started` adds the entry into work to the changelog.
        """
        with self.lock:
            if project_key not in self.projects:
                raise ValueError(f"no project {project_key}")
            _check_choice("issue type", issue_type, ISSUE_TYPES)
            _check_choice("priority", priority, PRIORITIES)
            state = self.status(status) if status else self.first_status(project_key, "new")
            born = _to_ms(created or self.now())
            moved = _to_ms(updated or resolved or started or born)
            done = state.category == "done"
            if done:
                resolved = _to_ms(resolved or moved)
            entered = resolved or (_to_ms(started) if started else born)
            issue = Issue(
                id=self.new_id(),
                key=self._allot(project_key, key),
                summary=summary.strip(),
                issue_type=issue_type,
                status=state,
                status_changed=entered,
                created=born,
                updated=moved,
                parent_id=self.issue(parent).id if parent else None,
                assignee=assignee,
                description=description,
                priority=priority,
                labels=tuple(labels),
                points=points,
                started=started and _to_ms(started),
                resolved=resolved,
                resolution=resolution or ("Done" if done else None),
                due=due,
                flagged=flagged,
                security=security,
            )
            self._register_names(issue)
            self._keys[issue.key] = issue.id
            self._keep(issue, issue.updated)
            self._write_past(issue)
            for blocker in blocked_by:
                self.links.append(
                    IssueLink(self.new_id(), "Blocks", self.issue(blocker).id, issue.id)
                )
            for body in remote_links:
                self.put_remote_link(issue.id, body, touch=False)
            return issue

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
        _check_choice("status", name, self.statuses)
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

    def set_status(self, key: str, status_name: str, *, resolution: str | None = None) -> Issue:
        """Move an issue along its workflow: changelog, resolution and dates follow."""
        with self.lock:
            issue, status, now = self.issue(key), self.status(status_name), self.instant()
            if status == issue.status and resolution in {None, issue.resolution}:
                return issue
            if status != issue.status:
                self._record(issue.id, now, issue.status, status)
            crossed = status.category != issue.status.category
            done = status.category == "done"
            changed = replace(
                issue,
                status=status,
                updated=now,
                status_changed=now if crossed else issue.status_changed,
                started=issue.started or (now if status.category == "indeterminate" else None),
                resolved=(issue.resolved or now) if done else None,
                resolution=(resolution or issue.resolution or "Done") if done else None,
            )
            return self._change(changed)

    def edit(self, key: str, **fields: Any) -> Issue:
        """Set fields named in `EDITABLE`: `parent` is a key, `status` a name, `assignee` a User."""
        with self.lock:
            unknown = sorted(fields.keys() - EDITABLE)
            if unknown:
                raise ValueError(f"no such field: {', '.join(unknown)}")
            issue = self.issue(key)
            if (status := fields.pop("status", None)) is not None:
                issue = self.set_status(key, status)
            if "parent" in fields:
                parent = fields.pop("parent")
                fields["parent_id"] = self.issue(parent).id if parent else None
            if "summary" in fields:
                fields["summary"] = str(fields["summary"]).strip()
            if "labels" in fields:
                fields["labels"] = tuple(fields["labels"])
            _check_choice("issue type", fields.get("issue_type", issue.issue_type), ISSUE_TYPES)
            _check_choice("priority", fields.get("priority", issue.priority), PRIORITIES)
            return self._change(replace(issue, **fields, updated=self.instant()))

    def move_issue(self, key: str, project_key: str, new_key: str | None = None) -> Issue:
        """Move an issue to another project: a new key, the same id, the old key still found."""
        with self.lock:
            issue = self.issue(key)
            if project_key not in self.projects:
                raise ValueError(f"no project {project_key}")
            moved = replace(issue, key=self._allot(project_key, new_key), updated=self.instant())
            self._keys[moved.key] = moved.id
            return self._change(moved)

    def delete_issue(self, key: str) -> None:
        """Delete for good, with its links; its children lose their parent without a trace."""
        with self.lock:
            gone = self.issue(key)
            del self.issues[gone.id]
            self._past[gone.id].append((self.instant(), None))
            self.remote_links.pop(gone.id, None)
            self.links = [x for x in self.links if gone.id not in {x.outward_id, x.inward_id}]
            for child in self.children(gone):
                self.issues[child.id] = replace(child, parent_id=None)

    def add_link(self, outward: str, inward: str, *, type_name: str = "Blocks") -> None:
        """Link two issues as a person does: `outward` blocks `inward`. Both count as updated."""
        with self.lock:
            _check_choice("link type", type_name, LINK_TYPES)
            ends = self.issue(outward), self.issue(inward)
            self.links.append(IssueLink(self.new_id(), type_name, ends[0].id, ends[1].id))
            for end in ends:
                self._change(replace(end, updated=self.instant()))

    def put_remote_link(
        self,
        issue_id: int,
        body: Mapping[str, Any],
        *,
        link_id: int | None = None,
        touch: bool = True,
    ) -> tuple[RemoteLink, bool]:
        """Create, or replace by global id or `link_id`. Returns the link and whether it is new.

        Parts without a value become null, as Jira documents for updates by global id.
        """
        with self.lock:
            links = self.remote_links.setdefault(issue_id, {})
            known = link_id or next(
                (
                    link.id
                    for link in links.values()
                    if link.global_id is not None and link.global_id == body.get("globalId")
                ),
                None,
            )
            link = RemoteLink(
                id=known or self.new_id(),
                global_id=body.get("globalId"),
                relationship=body.get("relationship"),
                application=body.get("application"),
                object=dict(body["object"]),
            )
            links[link.id] = link
            if touch:
                self._touch(issue_id)
            return link, known is None

    def remove_remote_link(self, issue_id: int, link_id: int) -> None:
        with self.lock:
            del self.remote_links[issue_id][link_id]
            self._touch(issue_id)

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

    def _change(self, issue: Issue) -> Issue:
        self._register_names(issue)
        self._keep(issue, issue.updated)
        return issue

    def _keep(self, issue: Issue, at: datetime) -> None:
        self.issues[issue.id] = issue
        self._past.setdefault(issue.id, []).append((at, issue))

    def _register_names(self, issue: Issue) -> None:
        if issue.resolution and issue.resolution not in self.resolutions:
            self.resolutions[issue.resolution] = str(self.new_id())
        if issue.security and issue.security not in self.security_levels:
            self.security_levels[issue.security] = str(self.new_id())

    def _write_past(self, issue: Issue) -> None:
        before = self.first_status(issue.project_key, "new")
        if issue.started and issue.status.category != "new":
            work = issue.status
            if work.category != "indeterminate":
                work = self.first_status(issue.project_key, "indeterminate")
            self._record(issue.id, issue.started, before, work)
            before = work
        if issue.resolved and issue.status.category == "done":
            self._record(issue.id, issue.resolved, before, issue.status)

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


def _to_ms(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _check_choice(what: str, value: str, known: Mapping[str, object]) -> None:
    if value not in known:
        raise ValueError(f"no {what} {value!r}; there are {', '.join(known)}")
