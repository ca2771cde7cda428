"""A simulated issue as Jira's JSON, in the form of Cloud (v3) or of v2 and Data Center."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from opsync.sandbox.jira import adf
from opsync.sandbox.jira.state import JiraState
from opsync.sandbox.jira.values import (
    CATEGORIES,
    ISSUE_TYPES,
    LINK_TYPES,
    PRIORITIES,
    Issue,
    IssueLink,
    Project,
    RemoteLink,
    Status,
    StatusChange,
    User,
)

Json = dict[str, object]

STORY_POINTS = "customfield_10016"
FLAGGED = "customfield_10021"
EPIC_LINK = "customfield_10014"
"""Data Center keeps an issue's epic here; `parent` is for sub-tasks only."""

_SYSTEM_FIELDS: tuple[tuple[str, str, str, str | None], ...] = (
    # id, name, schema type, item type
    ("summary", "Summary", "string", None),
    ("status", "Status", "status", None),
    ("issuetype", "Issue Type", "issuetype", None),
    ("project", "Project", "project", None),
    ("parent", "Parent", "issuelink", None),
    ("assignee", "Assignee", "user", None),
    ("reporter", "Reporter", "user", None),
    ("priority", "Priority", "priority", None),
    ("labels", "Labels", "array", "string"),
    ("created", "Created", "datetime", None),
    ("updated", "Updated", "datetime", None),
    ("resolutiondate", "Resolved", "datetime", None),
    ("resolution", "Resolution", "resolution", None),
    ("statuscategorychangedate", "Status Category Changed", "datetime", None),
    ("duedate", "Due date", "date", None),
    ("issuelinks", "Linked Issues", "array", "issuelinks"),
    ("subtasks", "Sub-tasks", "array", "issuelinks"),
    ("description", "Description", "string", None),
    ("security", "Security Level", "securitylevel", None),
    ("timeoriginalestimate", "Original estimate", "number", None),
)


@dataclass(frozen=True)
class Renderer:
    """Writes the site's objects for one caller.

    `root` is the address of the REST API without a trailing slash, `wiki` asks for wiki markup
    instead of documents, `cloud` for users by account id, `visible` hides issues.
    """

    state: JiraState
    root: str
    zone: ZoneInfo
    cloud: bool
    wiki: bool
    visible: Callable[[Issue], bool]

    def time(self, moment: datetime) -> str:
        """Milliseconds, and an offset without colon, in the caller's time zone."""
        local = moment.astimezone(self.zone)
        return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"

    def issue(self, issue: Issue, wanted: Iterable[str]) -> Json:
        """An issue with the fields asked for; with `id` alone nothing else is answered."""
        names = list(wanted)
        if names == ["id"]:
            return {"id": str(issue.id)}
        answer: Json = {"expand": "renderedFields,names,schema,operations,editmeta,changelog"}
        answer |= {"id": str(issue.id), "self": self._self("issue", issue.id), "key": issue.key}
        picked = self._pick(issue, names)
        return answer | {"fields": picked} if picked is not None else answer

    def _pick(self, issue: Issue, names: list[str]) -> Json | None:
        if {"id", "key"}.issuperset(names):
            return None
        dropped = {name[1:] for name in names if name.startswith("-")}
        kept = [name for name in names if not name.startswith("-")]
        every = not kept or "*all" in kept or "*navigable" in kept
        makers = self._makers(issue)
        chosen = makers if every else [name for name in dict.fromkeys(kept) if name in makers]
        fields = {name: makers[name]() for name in chosen if name not in dropped}
        if fields.get("parent", ...) is None:
            del fields["parent"]
        return fields

    def _makers(self, issue: Issue) -> dict[str, Callable[[], object]]:
        projects = self.state.projects
        makers: dict[str, Callable[[], object]] = {
            "summary": lambda: issue.summary,
            "status": lambda: self.status(issue.status),
            "issuetype": lambda: self.issue_type(issue.issue_type),
            "project": lambda: self.project(projects[issue.project_key]),
            "parent": lambda: self._parent(issue),
            "assignee": lambda: issue.assignee and self.user(issue.assignee),
            "reporter": lambda: issue.assignee and self.user(issue.assignee),
            "priority": lambda: self.priority(issue.priority),
            "labels": lambda: list(issue.labels),
            "created": lambda: self.time(issue.created),
            "updated": lambda: self.time(issue.updated),
            "resolutiondate": lambda: issue.resolved and self.time(issue.resolved),
            "resolution": lambda: issue.resolution and self.resolution(issue.resolution),
            "statuscategorychangedate": lambda: self.time(issue.status_changed),
            "duedate": lambda: issue.due and issue.due.isoformat(),
            "issuelinks": lambda: self._links(issue),
            "subtasks": lambda: [
                self._brief(child)
                for child in self._subtasks.get(issue.id, ())
                if self.visible(child)
            ],
            "description": lambda: self._description(issue),
            "security": lambda: issue.security and self._security(issue.security),
            "timeoriginalestimate": lambda: (
                None if issue.hours is None else round(issue.hours * 3600)
            ),
            STORY_POINTS: lambda: issue.points,
            FLAGGED: lambda: self._flagged(issue),
        }
        if not self.cloud:
            makers[EPIC_LINK] = lambda: self._epic_key(issue)
        return makers

    @cached_property
    def _subtasks(self) -> dict[int | None, list[Issue]]:
        below: dict[int | None, list[Issue]] = defaultdict(list)
        for issue in self.state.issues.values():
            if ISSUE_TYPES[issue.issue_type][1] < 0:
                below[issue.parent_id].append(issue)
        return below

    @cached_property
    def _links_of(self) -> dict[int, list[IssueLink]]:
        found: dict[int, list[IssueLink]] = defaultdict(list)
        for link in self.state.links:
            found[link.outward_id].append(link)
            found[link.inward_id].append(link)
        return found

    def _self(self, path: str, name: object) -> str:
        return f"{self.root}/{path}/{name}"

    def _description(self, issue: Issue) -> object:
        text = issue.description
        if text is None:
            return None
        if self.wiki:
            return adf.to_text(text)
        return adf.from_text(text) if isinstance(text, str) else text

    def _above(self, issue: Issue) -> Issue | None:
        parent = None if issue.parent_id is None else self.state.issues.get(issue.parent_id)
        return parent if parent is not None and self.visible(parent) else None

    def _parent(self, issue: Issue) -> Json | None:
        parent = self._above(issue)
        if parent is None or (not self.cloud and ISSUE_TYPES[issue.issue_type][1] >= 0):
            return None
        return self._brief(parent)

    def _epic_key(self, issue: Issue) -> str | None:
        parent = self._above(issue)
        return parent.key if parent is not None and parent.issue_type == "Epic" else None

    def _flagged(self, issue: Issue) -> list[Json] | None:
        if not issue.flagged:
            return None
        option = self._self("customFieldOption", 10019)
        return [{"self": option, "value": "Impediment", "id": "10019"}]

    def _brief(self, issue: Issue) -> Json:
        fields = self._pick(issue, ["summary", "status", "priority", "issuetype"])
        return {
            "id": str(issue.id),
            "key": issue.key,
            "self": self._self("issue", issue.id),
            "fields": fields,
        }

    def _links(self, issue: Issue) -> list[Json]:
        found: list[Json] = []
        for link in self._links_of.get(issue.id, ()):
            inward = link.inward_id == issue.id
            other = self.state.issues[link.outward_id if inward else link.inward_id]
            if not self.visible(other):
                continue
            found.append(
                {
                    "id": str(link.id),
                    "self": self._self("issueLink", link.id),
                    "type": self.link_type(link.type),
                    # The side is named after what the other issue is to this one.
                    "inwardIssue" if inward else "outwardIssue": self._brief(other),
                }
            )
        return found

    def link_type(self, name: str) -> Json:
        number, inward, outward = LINK_TYPES[name]
        link = self._self("issueLinkType", number)
        return {"id": number, "name": name, "inward": inward, "outward": outward, "self": link}

    def status(self, status: Status) -> Json:
        number, name, color = CATEGORIES[status.category]
        return {
            "self": self._self("status", status.id),
            "description": "",
            "iconUrl": f"{self.root.partition('/rest/')[0]}/images/icons/statuses/generic.png",
            "name": status.name,
            "id": str(status.id),
            "statusCategory": {
                "self": self._self("statuscategory", number),
                "id": number,
                "key": status.category,
                "colorName": color,
                "name": name,
            },
        }

    def issue_type(self, name: str) -> Json:
        number, level = ISSUE_TYPES[name]
        answer: Json = {
            "self": self._self("issuetype", number),
            "id": number,
            "description": "",
            "name": name,
            "subtask": level < 0,
        }
        return answer | {"hierarchyLevel": level} if self.cloud else answer

    def priority(self, name: str) -> Json:
        number = PRIORITIES[name]
        return {"self": self._self("priority", number), "name": name, "id": number}

    def resolution(self, name: str) -> Json:
        number = self.state.resolutions[name]
        link = self._self("resolution", number)
        return {"self": link, "id": number, "description": "", "name": name}

    def _security(self, name: str) -> Json:
        number = self.state.security_levels[name]
        link = self._self("securitylevel", number)
        return {"self": link, "id": number, "description": "", "name": name}

    def project(self, project: Project) -> Json:
        answer: Json = {
            "self": self._self("project", project.id),
            "id": str(project.id),
            "key": project.key,
            "name": project.name,
            "projectTypeKey": "software",
        }
        if self.cloud:
            answer |= {"simplified": project.private, "isPrivate": project.private}
        if project.state != "live":
            answer[project.state] = True
        return answer

    def user(self, user: User) -> Json:
        known = self.state.users.get(user.account_id, user)
        answer: Json = {
            "displayName": user.display_name,
            "active": known.active,
            "timeZone": self.zone.key,
        }
        if user.email is not None:
            answer["emailAddress"] = user.email
        if self.cloud:
            link = f"{self.root}/user?accountId={user.account_id}"
            return answer | {"self": link, "accountId": user.account_id, "accountType": "atlassian"}
        link = f"{self.root}/user?username={user.name}"
        return answer | {"self": link, "name": user.name, "key": user.name}

    def remote_link(self, issue: Issue, link: RemoteLink) -> Json:
        """A remote link; parts that are null are left out, or empty where Jira shows them so."""
        shown = {key: value for key, value in link.object.items() if value is not None}
        icon, status = shown.get("icon") or {}, shown.get("status")
        status = dict(status) if isinstance(status, dict) else {}
        shown |= {"icon": icon, "status": status | {"icon": status.get("icon") or {}}}
        answer: Json = {
            "id": link.id,
            "self": self._self(f"issue/{issue.key}/remotelink", link.id),
            "application": link.application or {},
            "object": shown,
        }
        if link.global_id is not None:
            answer["globalId"] = link.global_id
        if link.relationship is not None:
            answer["relationship"] = link.relationship
        return answer

    def change(self, change: StatusChange) -> Json:
        item = {
            "field": "status",
            "fieldtype": "jira",
            "fieldId": "status",
            "from": str(change.before.id),
            "fromString": change.before.name,
            "to": str(change.after.id),
            "toString": change.after.name,
        }
        return {"id": str(change.id), "created": self.time(change.at), "items": [item]}

    def fields(self) -> list[Json]:
        """The list of fields, custom ones included, as `/field` gives it."""
        listed = [_field(*row) for row in _SYSTEM_FIELDS if self.cloud or row[0] != "parent"]
        listed.append(_custom(STORY_POINTS, "Story Points", "number", "float"))
        listed.append(_custom(FLAGGED, "Flagged", "array", "multicheckboxes", items="option"))
        if not self.cloud:
            epic = _custom(EPIC_LINK, "Epic Link", "any", "")
            epic["schema"] = {
                "type": "any",
                "custom": "com.pyxis.greenhopper.jira:gh-epic-link",
                "customId": int(EPIC_LINK.rpartition("_")[2]),
            }
            listed.append(epic)
        if self.cloud:
            return [{"key": field["id"], **field} for field in listed]
        return listed


def _field(name: str, title: str, kind: str, items: str | None) -> Json:
    schema: Json = {"type": kind, "system": name}
    if items:
        schema["items"] = items
    return _listed(name, title, schema, [name], custom=False)


def _custom(name: str, title: str, kind: str, sort: str, *, items: str | None = None) -> Json:
    number = int(name.rpartition("_")[2])
    schema: Json = {
        "type": kind,
        "custom": f"com.atlassian.jira.plugin.system.customfieldtypes:{sort}",
        "customId": number,
    }
    if items:
        schema["items"] = items
    return _listed(name, title, schema, [f"cf[{number}]", title], custom=True)


def _listed(name: str, title: str, schema: Json, clauses: list[str], *, custom: bool) -> Json:
    return {
        "id": name,
        "name": title,
        "custom": custom,
        "orderable": True,
        "navigable": True,
        "searchable": True,
        "clauseNames": clauses,
        "schema": schema,
    }
