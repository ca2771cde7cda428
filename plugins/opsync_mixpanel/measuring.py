"""Reads metrics in the fewest queries: one for all events and one for all flags that are counted
alike, one a saved report, and one for the names there are where something was not found.

https://docs.mixpanel.com/reference/list-recent-events, …/segmentation-query, …/insights-query
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from opsync import (
    Answer,
    Context,
    Counts,
    Metric,
    MetricKind,
    NotFound,
    Reading,
    RefusedError,
    Span,
    Unreadable,
    nearest,
)
from opsync_mixpanel import series
from opsync_mixpanel.dialect import QUERY, VENDOR
from opsync_mixpanel.series import Twice
from opsync_mixpanel.settings import MixpanelSettings

TYPES = {Counts.users: "unique", Counts.events: "general"}
"""How Mixpanel calls what is counted. Left out, a query counts every time."""
MAX_FLAGS = 10_000
"""Values of a property that one query tells at most; left out, it tells 60."""
MAX_NAMES = 5_000
"""Names asked for; left out, Mixpanel tells 255."""
MAX_URL = 6_000
"""Bytes of names in one address; common servers take 8,192 in all."""
SHOWN = 3
"""So many of a report's series are told where none is named."""
SEEN = "seen"
"""Kept: the names, by kind, of what has had data. They exist, be it quiet of late."""


@dataclass
class _Missing:
    """Metrics without a value on any day, to be told from names that do not exist."""

    events: list[Metric] = field(default_factory=list)
    flags: list[Metric] = field(default_factory=list)
    other_flags: set[str] = field(default_factory=set)
    """Flags that do have data."""


class Measurer:
    """Measures one project."""

    def __init__(self, settings: MixpanelSettings, context: Context) -> None:
        self._settings = settings
        self._context = context

    async def measure(self, metrics: Sequence[Metric], days: Span) -> AsyncIterator[Reading]:
        """One reading a metric, of all `days`; of a report as far as it reaches."""
        missing = _Missing()
        for counts in Counts:
            events = _wanted(metrics, MetricKind.event, counts)
            for part in _parts(events):
                for reading in await self._events(part, counts, days, missing):
                    yield reading
        for counts in Counts:
            flags = _wanted(metrics, MetricKind.flag, counts)
            if flags:
                for reading in await self._flags(flags, counts, days, missing):
                    yield reading
        reports: dict[str, list[Metric]] = {}
        for metric in metrics:
            if metric.kind is MetricKind.insight:
                reports.setdefault(metric.id_and_series[0], []).append(metric)
        for bookmark, wanted in reports.items():
            for reading in await self._report(bookmark, wanted, days):
                yield reading
        if missing.events or missing.flags:
            for reading in await self._named(missing, days):
                yield reading

    async def names(self) -> list[str]:
        """The events of the last 31 days, the most common ones. One query."""
        answer = await self._ask("events/names", {"type": "general", "limit": str(MAX_NAMES)})
        return answer.decode(list[str])

    async def _ask(self, what: str, params: Mapping[str, str]) -> Answer:
        given = {"project_id": str(self._settings.project)}
        if self._settings.workspace is not None:
            given["workspace_id"] = str(self._settings.workspace)
        path = f"/api/query/{what}"
        return await self._context.http.read("GET", path, params={**given, **params}, lane=QUERY)

    async def _events(
        self, metrics: Sequence[Metric], counts: Counts, days: Span, missing: _Missing
    ) -> list[Reading]:
        """Readings of all events but those without a value, which are put into `missing`."""
        names = [metric.name for metric in metrics]
        params = {"event": json.dumps(names, ensure_ascii=False), "type": TYPES[counts]}
        readings, left, _ = await self._by_row("events", params, metrics, days)
        missing.events += left
        return readings

    async def _flags(
        self, metrics: Sequence[Metric], counts: Counts, days: Span, missing: _Missing
    ) -> list[Reading]:
        """The same of flags: the exposures, by the property that names the flag."""
        params = {
            "event": self._settings.flag_event,
            "on": f"properties[{json.dumps(self._settings.flag_property, ensure_ascii=False)}]",
            "type": TYPES[counts],
            "limit": str(MAX_FLAGS),
        }
        readings, left, rows = await self._by_row("segmentation", params, metrics, days)
        if len(rows) >= MAX_FLAGS:
            why = f"not among the {MAX_FLAGS:,} flags that {VENDOR} tells"
            return readings + [Reading(metric=one, trouble="refused", message=why) for one in left]
        missing.flags += left
        missing.other_flags |= {name for name in rows if name not in ("undefined", "$overall")}
        return readings

    async def _by_row(
        self, what: str, params: Mapping[str, str], metrics: Sequence[Metric], days: Span
    ) -> tuple[list[Reading], list[Metric], Mapping[str, object]]:
        """One query with a row a name: the readings, the metrics without a value, and the rows."""
        within = {
            "unit": "day",
            "from_date": days.first.isoformat(),
            "to_date": days.last.isoformat(),
        }
        try:
            answer = series.decoded(await self._ask(what, {**params, **within}))
            rows = series.mapping(answer, "data", "values")
        except (RefusedError, Unreadable) as error:
            return [refused(one, error) for one in metrics], [], {}
        found = {one: self._read(one, rows, days) for one in metrics}
        readings = [reading for reading in found.values() if reading is not None]
        return readings, [one for one, reading in found.items() if reading is None], rows

    def _read(self, metric: Metric, rows: Mapping[str, object], days: Span) -> Reading | None:
        """The reading of a row; None where there is none, or no value in it, of what was never
        seen."""
        try:
            found = series.numbers(rows.get(metric.name, {}))
        except Unreadable as error:
            return refused(metric, error)
        within = {day: value for day, value in found.items() if days.first <= day <= days.last}
        if any(within.values()):
            self._note_seen(metric)
        elif not (metric.name in self._seen(metric.kind) or _has_data(metric, rows)):
            return None
        return Reading(metric=metric, span=days, days=within, title=metric.name)

    def _seen(self, kind: MetricKind) -> list[str]:
        kept = self._context.kept.get(SEEN)
        names = kept.get(kind.value) if isinstance(kept, Mapping) else None
        return [str(name) for name in names] if isinstance(names, list | tuple) else []

    def _note_seen(self, metric: Metric) -> None:
        if metric.name not in self._seen(metric.kind):
            both = {kind: self._seen(kind) for kind in (MetricKind.event, MetricKind.flag)}
            both[metric.kind].append(metric.name)
            self._context.kept[SEEN] = {kind.value: sorted(one) for kind, one in both.items()}

    async def _named(self, missing: _Missing, days: Span) -> list[Reading]:
        """What has no value: known by name, and so without use, or unknown, with what is near.

        Which flags there are is told by those that have data; where none has, by whether the
        event arrives that tells of them.
        """
        readings: list[Reading] = []
        doubtful = list(missing.events)
        if missing.other_flags:
            readings += [_unknown(one, missing.other_flags) for one in missing.flags]
        else:
            doubtful += missing.flags
        if not doubtful:
            return readings
        try:
            names = await self.names()
        except RefusedError as error:
            return readings + [refused(one, error) for one in doubtful]
        for one in doubtful:
            if not names:
                why = "no event in the last 31 days"
                readings.append(Reading(metric=one, trouble="empty", message=why))
            elif one.kind is MetricKind.flag:
                event = self._settings.flag_event
                why = "" if event in names else f'no event "{event}" in the last 31 days'
                readings.append(_unknown(one, (), why))
            elif one.name in names:
                readings.append(Reading(metric=one, span=days, title=one.name))
            else:
                why = f"not among the {MAX_NAMES:,} most common events of the last 31 days"
                readings.append(_unknown(one, names, why if len(names) >= MAX_NAMES else ""))
        return readings

    # Reports ------------------------------------------------------------------------------------

    async def _report(self, bookmark: str, metrics: Sequence[Metric], days: Span) -> list[Reading]:
        if not bookmark.isdecimal():
            why = f'"{bookmark}" is no report\'s id, which is a number'
            return [Reading(metric=one, trouble="unknown", message=why) for one in metrics]
        try:
            answer = series.decoded(await self._ask("insights", {"bookmark_id": bookmark}))
            body = series.mapping(answer)
            found = series.of_report(body.get("series"))
        except NotFound as error:
            return [
                Reading(metric=one, trouble="unknown", message=error.message) for one in metrics
            ]
        except (RefusedError, Unreadable) as error:
            return [refused(one, error) for one in metrics]
        return [_of_report(one, bookmark, body, found, days) for one in metrics]


def refused(metric: Metric, error: RefusedError | Unreadable) -> Reading:
    """The reading of what Mixpanel will not compute, or answered unreadably: its text, or what is
    wrong with it."""
    text = error.message if isinstance(error, RefusedError) else str(error)
    hint = error.hint if isinstance(error, RefusedError) else ""
    return Reading(metric=metric, trouble="refused", message=f"{text} {hint}".strip())


def _wanted(metrics: Sequence[Metric], kind: MetricKind, counts: Counts) -> list[Metric]:
    return [one for one in metrics if one.kind is kind and one.counts is counts]


def _parts(metrics: Sequence[Metric]) -> Iterator[list[Metric]]:
    """The metrics in as few parts as an address has room for: nearly always one."""
    part: list[Metric] = []
    size = 0
    for metric in metrics:
        length = len(quote(json.dumps(metric.name, ensure_ascii=False))) + 3
        if part and size + length > MAX_URL:
            yield part
            part, size = [], 0
        part.append(metric)
        size += length
    if part:
        yield part


def _has_data(metric: Metric, rows: Mapping[str, object]) -> bool:
    """Whether a row says so: flags are told because they have data, events because they were asked
    for."""
    return metric.kind is MetricKind.flag and metric.name in rows


def _unknown(metric: Metric, names: Iterable[str], why: str = "") -> Reading:
    return Reading(
        metric=metric, trouble="unknown", message=why, nearest=nearest(metric.name, names)
    )


def _of_report(
    metric: Metric,
    bookmark: str,
    body: Mapping[str, object],
    found: Mapping[str, object],
    days: Span,
) -> Reading:
    """The reading of one series of a report: of the days that it shows and that are wanted."""
    _, name = metric.id_and_series
    if not name and len(found) == 1:
        name = next(iter(found))
    if name not in found:
        choice = tuple(f"{bookmark}#{one}" for one in sorted(found))
        if not found:
            why = "the report shows nothing"
        elif name:
            why = f'the report has no series "{name}"'
        else:
            why = f"the report has {len(found)} series: name one as {choice[0]}"
        near = tuple(f"{bookmark}#{one}" for one in nearest(name, found)) if name else ()
        return Reading(
            metric=metric, trouble="unknown", message=why, nearest=near or choice[:SHOWN]
        )
    try:
        if not isinstance(found[name], dict | Twice):
            raise Unreadable("the report shows a total: choose Line and Day in it")
        values = series.numbers(found[name])
        shown = series.report_span(body, list(values))
        series.check_daily(list(values), shown)
        if shown.last < days.last or shown.first > days.last:
            raise Unreadable(
                f"the report shows {shown.first} to {shown.last}: choose days that end today in it"
            )
    except Unreadable as error:
        return refused(metric, error)
    span = Span(max(shown.first, days.first), days.last)
    within = {day: value for day, value in values.items() if span.first <= day <= span.last}
    return Reading(metric=metric, span=span, days=within, title=name)
