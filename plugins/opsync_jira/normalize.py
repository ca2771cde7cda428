"""From Jira's issues to records. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec
from msgspec import Raw

from opsync import (
    OUT_OF_SCOPE,
    Category,
    Kind,
    Person,
    Record,
    RecordError,
    Ref,
    Status,
    Text,
)
from opsync_jira import wire
from opsync_jira.documents import description_text, names_something
from opsync_jira.fields import TIME
from opsync_jira.remote import remote_texts
from opsync_jira.scope import Outside, is_private
from opsync_jira.settings import JiraSettings

STREAM = "issue"

_CATEGORIES = {
    "new": Category.todo,
    "indeterminate": Category.in_progress,
    "done": Category.done,
}
_NO_FLAG = frozenset({b"null", b"[]", b"false", b'""'})
_NO_TYPE = wire.IssueType()
_NO_PROJECT = wire.Project()


class Normalizer:
    """Turns the issues of one instance into records.

    Statuses and people are few and repeated on every issue, so each is made once.
    """

    def __init__(self, instance: str, settings: JiraSettings) -> None:
        self._instance = instance
        self._browse = f"{settings.site}/browse/"
        self._settings = settings
        self._blocked_types = frozenset(settings.blocked_link_types)
        self._blocked_statuses = frozenset(settings.blocked_statuses)
        self._blocked_labels = frozenset(settings.blocked_labels)
        self._own_time = settings.in_hours and settings.estimate_field != TIME
        self._epic_types = frozenset(settings.epic_types)
        self._statuses: dict[tuple[wire.Status, wire.Named | None], Status] = {}
        self._people: dict[wire.User, Person] = {}
        self._private_projects = frozenset(settings.private_projects)
        self._own_url = url_pattern(settings.site)

    def record(self, issue: wire.Issue) -> Record:
        """The record of an issue. Raises RecordError for a description that cannot be read."""
        fields = issue.fields
        status = self.status(fields.status or None, fields.resolution)
        category = status.category if status else Category.unknown
        # When Jira's own category changed: of no account where the settings mean another one.
        own = own_category(fields.status) if fields.status else Category.unknown
        moved = _utc(fields.statuscategorychangedate) if own is category else None
        issue_type = fields.issuetype or _NO_TYPE
        project = fields.project or _NO_PROJECT
        key = issue.key
        labels = tuple(fields.labels)
        estimates = self._estimates(fields)
        unit = "hours" if self._settings.in_hours else "points"
        estimate = estimates.get(unit)
        hindrances = self._hindrances(fields)
        return Record(
            ref=Ref(self._instance, STREAM, issue.id),
            kind=self._kind(issue_type),
            title=fields.summary or "",
            key=key,
            url=self._browse + key,
            status=status,
            parents=self._parents(issue),
            owner=self._person(fields.assignee),
            priority=fields.priority.name if fields.priority else "",
            estimate=estimate,
            estimate_unit=unit if estimate is not None else "",
            estimates=estimates,
            labels=labels,
            created_at=_utc(fields.created),
            started_at=moved if category is Category.in_progress else None,
            completed_at=(
                _utc(fields.resolutiondate) or moved if category is Category.done else None
            ),
            updated_at=_utc(fields.updated),
            due_on=fields.duedate,
            space=project.name or project.key,
            space_key=project.key,
            blocked=bool(hindrances) or self._said_blocked(status, labels),
            hindrances=hindrances,
            subtask=issue_type.subtask,
            private=is_private(fields, self._private_projects),
            aliases=(key.upper(),),
            texts=_texts(issue),
            extra=_extra(project, issue_type, fields),
        )

    def outside(self, issue: Outside) -> Record:
        """That an issue is not in scope any more: its names, and nothing of what it says."""
        return Record(
            ref=Ref(self._instance, STREAM, issue.id),
            kind=Kind.issue,
            title="",
            key=issue.key,
            # Its team may make it private by these.
            space=issue.project.name or issue.project.key,
            space_key=issue.project.key,
            private=issue.private,
            tombstone=OUT_OF_SCOPE,
            aliases=(issue.key.upper(),),
        )

    def status(self, status: wire.Status | None, resolution: wire.Named | None) -> Status | None:
        """A status with the category it counts as, by the settings' maps first, then Jira's."""
        if status is None:
            return None
        known = self._statuses.get((status, resolution))
        if known is None:
            category = self._category(status)
            if category is Category.done and resolution is not None:
                choices = self._settings.resolutions
                category = choices.get(resolution.id) or choices.get(resolution.name) or category
            known = Status(status.id, status.name, category)
            self._statuses[status, resolution] = known
        return known

    def recognize(self, url: str) -> str | None:
        """The key of the issue that a URL of this site leads to, in upper case."""
        match = self._own_url.match(url)
        if match is None:
            return None
        key: str = match[1] or match[2]
        return key.upper()

    def _category(self, status: wire.Status) -> Category:
        choices = self._settings.statuses
        return choices.get(status.id) or choices.get(status.name) or own_category(status)

    def _kind(self, issue_type: wire.IssueType) -> Kind:
        level = issue_type.level
        if level is None:
            epics = self._epic_types
            return Kind.epic if issue_type.name in epics or issue_type.id in epics else Kind.issue
        if level < 1:
            return Kind.issue
        return Kind.epic if level == 1 else Kind.initiative

    def _parents(self, issue: wire.Issue) -> tuple[Ref, ...]:
        parent = issue.fields.parent
        above = parent.id if parent is not None else issue.epic_id
        return (Ref(self._instance, STREAM, above),) if above else ()

    def _person(self, user: wire.User | None) -> Person | None:
        if user is None:
            return None
        known = self._people.get(user)
        if known is None:
            id_ = user.account_id or user.key or user.name or ""
            name = user.display_name or user.name or ""
            known = Person(id_, name, user.email or "", active=user.active)
            self._people[user] = known
        return known

    def _hindrances(self, fields: wire.Fields) -> tuple[str, ...]:
        """The facts of an issue that may mean that it is blocked."""
        flagged = bytes(fields.flagged) not in _NO_FLAG
        if fields.issuelinks and any(self._blocks(link) for link in fields.issuelinks):
            return ("link", "flag") if flagged else ("link",)
        return ("flag",) if flagged else ()

    def _said_blocked(self, status: Status | None, labels: tuple[str, ...]) -> bool:
        """Whether a label or the status says so, by the settings."""
        if not self._blocked_labels.isdisjoint(labels):
            return True
        return status is not None and not self._blocked_statuses.isdisjoint(
            (status.id, status.name)
        )

    def _estimates(self, fields: wire.Fields) -> dict[str, float]:
        """What the issue's estimate fields hold, by unit. Jira's times are in seconds."""
        found = {}
        if (points := _number(fields.points, fields.estimate)) is not None:
            found["points"] = points
        time = fields.time if self._own_time else fields.timeoriginalestimate
        if (seconds := _number(time)) is not None:
            found["hours"] = seconds / 3600
        return found

    def _blocks(self, link: wire.IssueLink) -> bool:
        blocker = link.inward
        if blocker is None or self._blocked_types.isdisjoint((link.type.id, link.type.name)):
            return False
        found = self.status(blocker.fields.status, None) if blocker.fields else None
        return found is None or found.category.open


def own_category(status: wire.Status) -> Category:
    """The category that the site itself gives a status."""
    return _CATEGORIES.get(status.category.key, Category.unknown)


def as_record_error(issue_id: str, error: Exception) -> RecordError:
    """Why one issue of a page could not be read."""
    return RecordError(f"Issue {issue_id} has not the shape that Jira documents: {error}")


def url_pattern(site: str) -> re.Pattern[str]:
    """Matches the URLs under which a site shows an issue; a group holds the key."""
    bare = re.escape(re.sub(r"^https?://", "", site))
    key = r"([A-Za-z][A-Za-z0-9_]*-[0-9]+)(?![A-Za-z0-9_-])"
    shown = (
        r"(?:browse|(?:[\w.~-]+/)*issues|(?:[\w.~-]+/)*portal/[0-9]+"
        r"|(?:[\w.~-]+/)*queues(?:/[\w.~-]+)*?)"
    )
    return re.compile(
        rf"https?://{bare}/(?:{shown}/{key}|[^?#\s]*\?(?:[^#\s]*&(?:amp;)?)?selectedIssue={key})",
        re.IGNORECASE,
    )


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is UTC:
        return moment
    return moment.astimezone(UTC)


def _number(*fields: Raw) -> float | None:
    """The first of the estimate fields that holds a number."""
    for raw in fields:
        if raw == wire.NULL:
            continue
        try:
            value = msgspec.json.decode(raw, type=float | None, strict=False)
        except msgspec.ValidationError:
            continue
        if value is not None:
            return value
    return None


def _texts(issue: wire.Issue) -> tuple[Text, ...]:
    fields = issue.fields
    texts: list[Text] = []
    if fields.summary and names_something(fields.summary):
        texts.append(Text("summary", fields.summary))
    if text := description_text(fields.description):
        texts.append(Text("description", text))
    if issue.remote_links:
        texts.extend(remote_texts(issue.remote_links))
    return tuple(texts)


def _extra(
    project: wire.Project, issue_type: wire.IssueType, fields: wire.Fields
) -> dict[str, str]:
    extra = {"project": project.key, "type": issue_type.name}
    if fields.status:
        extra["status"] = fields.status.name
    if fields.resolution is not None:
        extra["resolution"] = fields.resolution.name
    return extra
