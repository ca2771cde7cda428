"""How a world is built on a simulated Jira site, and how people change its issues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from opsync.sandbox.jira.adf import Node
from opsync.sandbox.jira.tables import JiraTables, check_choice
from opsync.sandbox.jira.values import (
    ISSUE_TYPES,
    LINK_TYPES,
    PRIORITIES,
    Issue,
    IssueLink,
    RemoteLink,
    User,
)
from opsync.sandbox.vendor import to_millisecond

EDITABLE = frozenset(
    {
        *("summary", "issue_type", "parent", "assignee", "description", "priority", "labels"),
        *("points", "hours", "due", "flagged", "security", "resolution", "status"),
    }
)
"""The fields that `JiraState.edit` takes."""

_PROJECT_EVENTS = {
    "archived": "project_archived",
    "deleted": "project_soft_deleted",
    "live": "project_restored_archived",
}


class JiraState(JiraTables):
    """A site that a world is built in and people work in; every change keeps its past."""

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
        hours: float | None = None,
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
            check_choice("issue type", issue_type, ISSUE_TYPES)
            check_choice("priority", priority, PRIORITIES)
            state = self.status(status) if status else self.first_status(project_key, "new")
            born = to_millisecond(created or self.now())
            moved = to_millisecond(updated or resolved or started or born)
            done = state.category == "done"
            if done:
                resolved = to_millisecond(resolved or moved)
            entered = resolved or (to_millisecond(started) if started else born)
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
                hours=hours,
                started=started and to_millisecond(started),
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
            self.tell("jira:issue_created", issue)
            return issue

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
            check_choice("issue type", fields.get("issue_type", issue.issue_type), ISSUE_TYPES)
            check_choice("priority", fields.get("priority", issue.priority), PRIORITIES)
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
            self.tell("jira:issue_deleted", gone)

    def archive_issue(self, key: str) -> None:
        """Archive one issue: no search shows it, and it does not count as updated."""
        with self.lock:
            self.archived.add(self.issue(key).id)

    def restore_issue(self, key: str) -> None:
        """Take an issue out of the archive."""
        with self.lock:
            self.archived.discard(self.issue(key).id)

    def set_project_state(self, key: str, state: str) -> None:
        """Archive a project, move it to the recycle bin ("deleted"), or restore it ("live")."""
        with self.lock:
            check_choice("project state", state, dict.fromkeys(("live", "archived", "deleted")))
            self.projects[key] = replace(self.projects[key], state=state)
            self.tell_project(_PROJECT_EVENTS[state], key)

    def add_link(self, outward: str, inward: str, *, type_name: str = "Blocks") -> None:
        """Link two issues as a person does: `outward` blocks `inward`. Both count as updated."""
        with self.lock:
            check_choice("link type", type_name, LINK_TYPES)
            ends = self.issue(outward), self.issue(inward)
            link = IssueLink(self.new_id(), type_name, ends[0].id, ends[1].id)
            self.links.append(link)
            self.tell_link("issuelink_created", link)
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
