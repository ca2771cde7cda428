"""Which issues are read: the settings' labels, beside what a query asks for anyway.

Labels filter work. Epics and whatever stands above them are read whatever their labels, because
the work below is found through them.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from opsync import Batch, Item, Value
from opsync_jira import wire
from opsync_jira.dialect import Api
from opsync_jira.kept import fresh, keep
from opsync_jira.settings import JiraSettings

KEPT_AS = "containers"


class Outside(Struct, frozen=True):
    """An issue that changed and is not in scope, whether it ever was or not."""

    id: str
    key: str
    project: wire.Project
    private: bool = False


async def container_types(
    api: Api, settings: JiraSettings, kept: MutableMapping[str, Value], now: datetime
) -> tuple[str, ...]:
    """The issue types that stand above ordinary work, as a query can name them; () where no label
    narrows the scope. Cloud's are asked for once a day, Data Center's are in the settings."""
    if not settings.labels:
        return ()
    if not settings.cloud:
        return settings.epic_types
    known = fresh(kept, KEPT_AS, now)
    if isinstance(known, list):
        return tuple(str(id_) for id_ in known)
    listed = (await api.read("GET", "issuetype")).decode(list[wire.IssueType])
    found = sorted({one.id for one in listed if (one.level or 0) >= 1})
    keep(kept, KEPT_AS, now, list(found))
    return tuple(found)


def label_clause(settings: JiraSettings, containers: Sequence[str]) -> str:
    """The part of a query that leaves other labels out; "" where none narrows the scope."""
    if not settings.labels:
        return ""
    clause = f"labels in ({', '.join(map(quoted, settings.labels))})"
    if containers:
        clause += f" OR issuetype in ({', '.join(map(quoted, containers))})"
    return f"({clause})"


def quoted(text: str) -> str:
    """A value in a query."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def narrowed(batch: Batch, settings: JiraSettings) -> Batch:
    """The batch, with what is not in scope said to be so.

    A walk over changes asks without the labels, or it would never hear of an issue that lost its
    last one.
    """
    if not settings.labels:
        return batch
    wanted = frozenset(settings.labels)
    items = [_judged(item, wanted, settings) for item in batch.items]
    return msgspec.structs.replace(batch, items=items)


def _judged(item: Item, wanted: frozenset[str], settings: JiraSettings) -> Item:
    raw = item.raw
    if not isinstance(raw, wire.Issue) or not wanted.isdisjoint(raw.fields.labels):
        return item
    kind = raw.fields.issuetype
    if kind is None or _contains(kind, settings):
        return item
    private = is_private(raw.fields, frozenset(settings.private_projects))
    project = raw.fields.project or wire.Project()
    return Item(item.stream, item.id, Outside(raw.id, raw.key, project, private))


def _contains(kind: wire.IssueType, settings: JiraSettings) -> bool:
    if kind.level is not None:
        return kind.level >= 1
    return kind.name in settings.epic_types or kind.id in settings.epic_types


def is_private(fields: wire.Fields, private_projects: frozenset[str]) -> bool:
    """Whether an issue has a security level, or its project is private."""
    if fields.security is not None:
        return True
    project = fields.project
    return project is not None and (project.private or project.key in private_projects)
