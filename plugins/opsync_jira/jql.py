"""The queries that opsync asks Jira."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from opsync_jira.scope import label_clause, quoted
from opsync_jira.settings import JiraSettings


def changed_since(
    settings: JiraSettings, since: datetime | None, *, containers: Sequence[str] | None = None
) -> str:
    """Everything in scope that changed at or after `since` (None: ever), the oldest change first.

    Labels are left out unless `containers` are given, the types that are read whatever theirs.

    The time is an unquoted number of epoch milliseconds: quoted dates have minutes only, and mean
    the account's time zone. There is no upper bound, which would lose what changes meanwhile; the
    lower one is always there, for Jira refuses searches without any bound.
    """
    milliseconds = 0 if since is None else int(since.timestamp() * 1000)
    terms = [*_projects(settings), f"updated >= {milliseconds}"]
    if containers is not None and (clause := label_clause(settings, containers)):
        terms.append(clause)
    if settings.jql:
        terms.append(f"({settings.jql})")
    return " AND ".join(terms) + " ORDER BY updated ASC"


def with_ids(settings: JiraSettings, ids: Sequence[str]) -> str:
    """The issues with these ids, as far as they are in scope; labels are left out."""
    terms = [*_projects(settings), f"id in ({', '.join(ids)})"]
    if settings.jql:
        terms.append(f"({settings.jql})")
    return " AND ".join(terms) + " ORDER BY updated ASC"


def of_projects(settings: JiraSettings) -> str:
    """The configured projects; "" for all."""
    return " AND ".join(_projects(settings))


def _projects(settings: JiraSettings) -> list[str]:
    named = ", ".join(map(quoted, settings.projects))
    return [f"project in ({named})"] if named else []
