"""The project and what people link to in it: feeds, records and addresses."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import TypeAlias
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw, Struct

from opsync import Batch, Feed, Item, Kind, MetricKind, Record, RecordError, Ref, RefusedError, Text
from opsync_posthog.dialect import ANALYTICS, LISTS, MissingScope
from opsync_posthog.project import Known, Project
from opsync_posthog.releases import is_ours, moment
from opsync_posthog.wire import AnnotationRow, ExperimentRow, FlagRow, InsightRow

PROJECT = "project"
FLAG, EXPERIMENT, INSIGHT, ANNOTATION = "flag", "experiment", "insight", "annotation"

Row: TypeAlias = FlagRow | ExperimentRow | InsightRow | AnnotationRow
FLAG_KEY, SHORT_ID = "flag", "short_id"
"""In `extra`: the key of the flag that a record is, or is about; an insight's short id."""

TITLE_MAX = 120


class _List(Struct, frozen=True):
    """A list that is read while something names what it holds."""

    stream: str
    path: str
    row: type[FlagRow] | type[ExperimentRow] | type[InsightRow] | type[AnnotationRow]
    title: str
    params: Mapping[str, str]
    lane: str = LISTS


_LISTS = {
    one.path.strip("/"): one
    for one in (
        _List(FLAG, "feature_flags/", FlagRow, "feature flags", {"limit": "500"}),
        _List(EXPERIMENT, "experiments/", ExperimentRow, "experiments", {"limit": "500"}),
        _List(
            INSIGHT,
            "insights/",
            InsightRow,
            "insights",
            {"limit": "500", "basic": "true"},
            ANALYTICS,
        ),
        _List(ANNOTATION, "annotations/", AnnotationRow, "annotations", {"limit": "1000"}),
    )
}

FEEDS = (
    Feed(PROJECT, (PROJECT,), snapshot=True, title="project"),
    *(
        Feed(name, (one.stream,), snapshot=True, title=one.title, named=f"{one.stream}:")
        for name, one in _LISTS.items()
    ),
)

_PATHS = (
    (FLAG, re.compile(r"/feature_flags/(\d+)")),
    (EXPERIMENT, re.compile(r"/experiments/(\d+)")),
    (INSIGHT, re.compile(r"/insights/(?!new\b)([A-Za-z0-9]{6,12})")),
    (ANNOTATION, re.compile(r"(?:/data-management)?/annotations/(\d+)")),
)
_BEHIND = re.compile(r"(?:/[^?#]*)?")
_IN_PROJECT = re.compile(r"/project/(\d+)(?=/)")
_OTHER_NAMES = {"us.posthog.com": ("app.posthog.com",)}
"""Hosts that lead to the same pages."""


def recognize(url: str, address: str, project: str) -> str | None:
    """The alias of what a URL leads to: "flag:123", "insight:AbCd1234"; None for a URL of another
    host or project, or of something else."""
    try:
        found, own = urlsplit(url), urlsplit(address)
    except ValueError:
        return None
    host = own.netloc.lower()
    hosts = {host, *_OTHER_NAMES.get(host, ())}
    if found.scheme not in ("http", "https") or found.netloc.lower() not in hosts:
        return None
    if not found.path.startswith(own.path):
        return None
    path = found.path[len(own.path) :]
    within = _IN_PROJECT.match(path)
    if within is not None:
        if within[1] != project:
            return None
        path = path[within.end() :]
    for stream, pattern in _PATHS:
        match = pattern.match(path)
        if match and _BEHIND.fullmatch(path, match.end()):
            return f"{stream}:{match[1]}"
    return None


async def pull(project: Project, feed: str) -> AsyncGenerator[Batch, None]:
    """All that a feed holds. Of annotations, those of people only.

    A scope that is missing for one list is that list's trouble, not the sign-in's.
    """
    if feed == PROJECT:
        known = await project.known()
        yield Batch((Item(PROJECT, project.settings.project, known),))
        return
    one = _LISTS[feed]
    try:
        async for rows in project.rows(one.path, lane=one.lane, **one.params):
            items = [_item(one, row) for row in rows]
            yield Batch([item for item in items if item is not None])
    except MissingScope as error:
        raise RefusedError(error.message, hint=error.hint, status=403) from None


def _item(one: _List, raw: Raw) -> Item | None:
    try:
        row: Row = msgspec.json.decode(raw, type=one.row)
    except msgspec.MsgspecError as error:
        id_ = _id_of(raw)
        if not id_:
            raise RecordError(f"PostHog: a row of {one.title} has no id: {error}") from None
        return Item(one.stream, id_, RecordError(f"PostHog: {one.stream} {id_}: {error}"))
    if row.deleted or (isinstance(row, AnnotationRow) and is_ours(row)):
        return None
    return Item(one.stream, str(row.id), row)


class _Id(Struct, frozen=True):
    id: int


def _id_of(raw: Raw) -> str:
    try:
        return str(msgspec.json.decode(raw, type=_Id).id)
    except msgspec.MsgspecError:
        return ""


def normalize(instance: str, project: Project, stream: str, raw: object) -> Record:
    """The record of one row. Raises RecordError."""
    match raw:
        case Known():
            return _product(instance, project, raw)
        case FlagRow():
            return _record(
                instance,
                project,
                FLAG,
                raw,
                title=raw.key,
                path=f"feature_flags/{raw.id}",
                archived=not raw.active,
                labels=tuple(tag for tag in raw.tags if isinstance(tag, str)),
                texts=_texts("Description", raw.name),
                extra={FLAG_KEY: raw.key},
            )
        case ExperimentRow():
            return _record(
                instance,
                project,
                EXPERIMENT,
                raw,
                title=raw.name,
                path=f"experiments/{raw.id}",
                archived=raw.archived,
                started_at=_at(raw.start_date),
                completed_at=_at(raw.end_date),
                texts=_texts("Description", raw.description),
                extra={FLAG_KEY: raw.feature_flag_key} if raw.feature_flag_key else {},
            )
        case InsightRow():
            return _record(
                instance,
                project,
                INSIGHT,
                raw,
                title=raw.title or f"Insight {raw.short_id}",
                path=f"insights/{raw.short_id}",
                alias=raw.short_id,
                extra={SHORT_ID: raw.short_id},
            )
        case AnnotationRow():
            said = " ".join((raw.content or "").split())
            return _record(
                instance,
                project,
                ANNOTATION,
                raw,
                title=said[:TITLE_MAX] or f"Annotation {raw.id}",
                path=f"data-management/annotations/{raw.id}",
                texts=_texts("Content", raw.content),
            )
    raise RecordError(f"PostHog: {stream!r} is no stream of this project.")


def metric_of(record: Record) -> tuple[MetricKind, str] | None:
    """The flag of a flag or an experiment, an insight's short id; None for what is no metric."""
    if record.ref.stream in (FLAG, EXPERIMENT) and FLAG_KEY in record.extra:
        return MetricKind.flag, record.extra[FLAG_KEY]
    if record.ref.stream == INSIGHT and SHORT_ID in record.extra:
        return MetricKind.insight, record.extra[SHORT_ID]
    return None


def _product(instance: str, project: Project, known: Known) -> Record:
    id_ = project.settings.project
    return Record(
        ref=Ref(instance, PROJECT, id_),
        kind=Kind.product,
        title=known.name or f"Project {id_}",
        url=project.url,
        aliases=(f"{PROJECT}:{id_}",),
    )


def _record(
    instance: str,
    project: Project,
    stream: str,
    row: Row,
    *,
    title: str,
    path: str,
    alias: str = "",
    archived: bool = False,
    labels: tuple[str, ...] = (),
    started_at: datetime | None = None,
    completed_at: datetime | None = None,
    texts: tuple[Text, ...] = (),
    extra: Mapping[str, str] | None = None,
) -> Record:
    return Record(
        ref=Ref(instance, stream, str(row.id)),
        kind=Kind.metric,
        title=title,
        url=f"{project.url}/{path}",
        aliases=(f"{stream}:{alias or row.id}",),
        archived=archived,
        labels=labels,
        created_at=_at(row.created_at),
        started_at=started_at,
        completed_at=completed_at,
        updated_at=_at(row.updated_at),
        texts=texts,
        extra=dict(extra or {}),
    )


def _texts(name: str, text: str | None) -> tuple[Text, ...]:
    return (Text(name, text),) if text else ()


def _at(text: str | None) -> datetime | None:
    at = moment(text)
    return None if at is None else at.astimezone(UTC)
