"""Amplitude's things as records: the project, flags and experiments, annotations, saved charts.

Addresses of the web application: app.amplitude.com/analytics/ORG/chart/ID and
app.amplitude.com/experiment/ORG/PROJECT/config/ID; app.eu.amplitude.com for the EU. Older links are
at analytics.amplitude.com/ORG/chart/ID and experiment.amplitude.com/ORG/PROJECT/config/ID. An
annotation has no address but that of the API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from opsync import Kind, MetricKind, Record, RecordError, Ref, Text
from opsync_amplitude import releases
from opsync_amplitude.releases import Annotation
from opsync_amplitude.settings import API, AmplitudeSettings

PROJECT = "project"
FLAG = "flag"
EXPERIMENT = "experiment"
NOTE = "annotation"
CHART = "chart"

_WEB = {
    "us": ("app.amplitude.com", "analytics.amplitude.com", "experiment.amplitude.com"),
    "eu": ("app.eu.amplitude.com", "analytics.eu.amplitude.com", "experiment.eu.amplitude.com"),
}
_CHART = re.compile(
    r"/(?:analytics/)?(?P<org>[\w.-]+)/chart/(?!new(?:/|$))(?P<id>[A-Za-z0-9-]+)(?:/|$)"
)
_FLAG = re.compile(
    r"/(?:experiment/)?(?P<org>[\w.-]+)/(?P<project>[0-9]+)/config/(?P<id>[0-9]+)(?:/|$)"
)
_NOTE = re.compile(r"/api/[23]/annotations/(?P<id>[0-9]+)/?$")


class Project(Struct, frozen=True):
    """The project of an instance, which Amplitude does not describe."""

    id: str


class Flag(Struct, frozen=True, rename="camel"):
    """A flag or an experiment, as far as opsync reads it."""

    id: str | int
    key: str
    name: str | None = None
    deleted: bool | None = None
    archived: bool | None = None
    created_at: str | None = None


def flag(row: dict[str, object]) -> Flag | RecordError:
    """A listed flag or experiment, or why it cannot be read."""
    try:
        return msgspec.convert(row, Flag)
    except msgspec.ValidationError as error:
        return RecordError(f"Amplitude: the flag {str(row.get('id'))[:40]} cannot be read: {error}")


def normalize(
    instance: str, settings: AmplitudeSettings, stream: str, raw: object
) -> Iterable[Record]:
    """The record of one thing. Raises RecordError."""
    if isinstance(raw, Project):
        title = settings.called
        yield Record(
            ref=Ref(instance, PROJECT, raw.id),
            kind=Kind.product,
            title=title,
            space=title,
        )
    elif isinstance(raw, Flag):
        yield Record(
            ref=Ref(instance, stream, str(raw.id)),
            kind=Kind.metric,
            title=raw.name or raw.key,
            url=flag_url(settings, str(raw.id)),
            archived=bool(raw.archived),
            tombstone="deleted" if raw.deleted else "",
            aliases=(f"{FLAG}:{raw.id}",),
            extra={"flag": raw.key},
        )
    elif isinstance(raw, Annotation):
        yield Record(
            ref=Ref(instance, NOTE, str(raw.id)),
            kind=Kind.metric,
            title=raw.label or "Annotation",
            aliases=(f"{NOTE}:{raw.id}",),
            texts=(Text("details", raw.details or ""),),
        )
    else:
        raise RecordError(f"Amplitude: {stream!r} is no stream of this connector.")


def is_peoples(annotation: Annotation, settings: AmplitudeSettings) -> bool:
    """Whether somebody other than opsync made an annotation."""
    return not releases.is_ours(annotation, settings.category)


def recognize(settings: AmplitudeSettings, url: str) -> str | None:
    """The alias of what a URL leads to, in this region, project and, if it is named,
    organization."""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if parts.scheme not in ("http", "https"):
        return None
    if host == urlsplit(API[settings.region]).hostname or host == _host_of(settings.base_url):
        note = _NOTE.match(parts.path)
        if note is not None:
            return f"{NOTE}:{note['id']}"
    if host not in _WEB[settings.region]:
        return None
    found = _FLAG.match(parts.path)
    if found is not None:
        own = found["project"] == settings.project and _is_org(settings, found["org"])
        return f"{FLAG}:{found['id']}" if own else None
    found = _CHART.match(parts.path)
    if found is not None and _is_org(settings, found["org"]):
        return f"{CHART}:{found['id']}"
    return None


def from_address(instance: str, settings: AmplitudeSettings, alias: str) -> Record | None:
    """What is known of a thing of which there is only the address: a chart, which no list has,
    and a flag where there is no key to list them."""
    kind, _, id_ = alias.partition(":")
    if not id_:
        return None
    if kind == CHART:
        org = settings.org
        url = f"https://{_WEB[settings.region][0]}/analytics/{org}/chart/{id_}" if org else ""
        title = f"Chart {id_}"
    elif kind == FLAG and settings.management_key is None:
        url, title = flag_url(settings, id_), f"Flag {id_}"
    else:
        return None
    return Record(
        ref=Ref(instance, kind, id_), kind=Kind.metric, title=title, url=url, aliases=(alias,)
    )


def metric_of(record: Record) -> tuple[MetricKind, str] | None:
    """Which metric a record stands for: a flag by its key, a chart by its id."""
    if record.ref.stream == CHART:
        return MetricKind.insight, record.ref.id
    if record.ref.stream in (FLAG, EXPERIMENT) and record.extra.get("flag"):
        return MetricKind.flag, record.extra["flag"]
    return None


def flag_url(settings: AmplitudeSettings, id_: str) -> str:
    """Where people look at a flag; "" where the organization is not known."""
    if not settings.org:
        return ""
    host = _WEB[settings.region][0]
    return f"https://{host}/experiment/{settings.org}/{settings.project}/config/{id_}"


def _is_org(settings: AmplitudeSettings, org: str) -> bool:
    return not settings.org or settings.org.lower() == org.lower()


def _host_of(url: str | None) -> str | None:
    return urlsplit(url).hostname if url else None
