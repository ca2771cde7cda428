"""What a person does in Jira's own screens, for the sandbox's `move` and `edit`."""

from __future__ import annotations

from datetime import date
from typing import cast

from opsync.sandbox.jira.state import JiraState
from opsync.sandbox.jira.values import CategoryKey, Issue
from opsync.sandbox.vendor import AmbiguousItem

_WORDS: dict[str, CategoryKey] = {
    "todo": "new",
    "in_progress": "indeterminate",
    "done": "done",
    "canceled": "done",
}
CANCELED_RESOLUTION = "Won't Do"
"""Jira has no category for canceled work: it is done, with a resolution that says so."""
_SHOWN = 5


def find(site: JiraState, item: str) -> str | None:
    """The key of the issue with this key, browse URL or piece of a summary, or None."""
    text = item.strip()
    prefix = getattr(site, "base_url", "") + "/browse/"
    if text.startswith(prefix):
        text = text.removeprefix(prefix).partition("?")[0].strip("/")
    if not text or text.isdecimal():
        return None
    if (named := site.get(text)) is not None:
        return named.key
    needle = text.casefold()
    found = [issue for issue in site.issues.values() if needle in issue.summary.casefold()]
    exact = [issue for issue in found if issue.summary.casefold() == needle]
    found = exact or found
    if len(found) > 1:
        shown = ", ".join(issue.key for issue in found[:_SHOWN])
        raise AmbiguousItem(f"{len(found)} Jira issues have {item!r} in their title: {shown}")
    return found[0].key if found else None


def move(site: JiraState, item: str, to: str) -> str:
    """Set the status that `to` names or stands for."""
    issue = _found(site, item)
    category = _WORDS.get(to)
    if category is not None:
        status = site.first_status(issue.project_key, category)
    else:
        named = (s for s in site.statuses.values() if s.name.casefold() == to.casefold())
        status = next(named, None) or site.status(to)
    canceled = to == "canceled"
    before = issue.status.name
    after = site.set_status(
        issue.key, status.name, resolution=CANCELED_RESOLUTION if canceled else None
    )
    how = f" ({after.resolution})" if canceled else ""
    whose = f"Jira: {issue.key} {issue.summary}"
    if before == after.status.name:
        return f"{whose} is {before} already{how}."
    return f"{whose} moved from {before} to {after.status.name}{how}."


def edit(site: JiraState, item: str, field: str, value: object) -> str:
    """Set one field from a plain JSON value: names for people and statuses, ISO for dates."""
    issue = _found(site, item)
    known = {"title": "summary", "estimate": "points", "assignee_name": "assignee"}
    name = known.get(field, field)
    site.edit(issue.key, **{name: _read(site, name, value)})
    return f"Jira: {field} of {issue.key} is now {value!r}."


def _found(site: JiraState, item: str) -> Issue:
    key = find(site, item)
    if key is None:
        raise LookupError(f"no Jira issue {item!r}")
    return site.issue(key)


def _read(site: JiraState, name: str, value: object) -> object:
    if value is None:
        if name in {"summary", "issue_type", "priority", "labels", "status", "flagged"}:
            raise ValueError(f"{name} cannot be empty")
        return None
    if name == "labels":
        words = value.split(",") if isinstance(value, str) else cast("list[object]", value)
        return tuple(str(word).strip() for word in words if str(word).strip())
    if name in {"points", "hours"}:
        return float(str(value))
    if name == "due":
        return date.fromisoformat(str(value))
    if name == "flagged":
        return value if isinstance(value, bool) else str(value).lower() in {"true", "yes", "1"}
    if name == "assignee":
        for user in site.users.values():
            if str(value) in {user.display_name, user.email, user.account_id}:
                return user
        raise ValueError(f"no Jira user {value!r}")
    if name == "description" and isinstance(value, dict):
        return value
    return str(value)
