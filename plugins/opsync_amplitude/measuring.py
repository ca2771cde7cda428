"""Reads metrics: the requests, what they told, and what the trouble is where they told nothing."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from urllib.parse import quote

from msgspec import Struct

from opsync import (
    Answer,
    Client,
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
from opsync_amplitude import charts, names, series
from opsync_amplitude.dialect import COST, MAX_CONCURRENT
from opsync_amplitude.kept import Kept
from opsync_amplitude.requests import TOGETHER, Query, params, queries
from opsync_amplitude.series import Part, Series, Together
from opsync_amplitude.settings import AmplitudeSettings

CHART_COST = 30.0
"""What a saved chart is taken to cost: about a month of one event."""
SHOWN = 3
"""So many of a chart's series are told where none is named."""


class _Silent(Struct, frozen=True):
    """A metric of which nothing was counted, or which was refused: is it there at all?

    `seen` are names that the same answer told, `message` Amplitude's text where it refused.
    """

    metric: Metric
    span: Span
    message: str = ""
    seen: tuple[str, ...] = ()


_Found = Reading | _Silent


class Measurer:
    """Measures for one instance. `measure` asks for all metrics that are due."""

    def __init__(self, settings: AmplitudeSettings, http: Client, kept: Kept) -> None:
        self._settings = settings
        self._http = http
        self._kept = kept

    async def measure(
        self, metrics: Sequence[Metric], days: Span, windows: Sequence[Span]
    ) -> AsyncGenerator[Reading, None]:
        """One reading a metric. What was read is yielded before what failed is raised."""
        silent: list[_Silent] = []
        jobs = self._jobs(metrics, days, windows)
        while jobs:
            now, jobs = jobs[:MAX_CONCURRENT], jobs[MAX_CONCURRENT:]
            answered = await asyncio.gather(*(job() for job in now), return_exceptions=True)
            failed = [one for one in answered if isinstance(one, BaseException)]
            for found in (one for one in answered if not isinstance(one, BaseException)):
                for each in found:
                    if isinstance(each, Reading):
                        yield each
                    else:
                        silent.append(each)
            if failed:
                raise failed[0]
        for reading in await self._judged(silent, windows):
            yield reading

    def _jobs(
        self, metrics: Sequence[Metric], days: Span, windows: Sequence[Span]
    ) -> list[Callable[[], Awaitable[list[_Found]]]]:
        saved: dict[str, list[Metric]] = defaultdict(list)
        for metric in metrics:
            if metric.kind is MetricKind.insight:
                saved[metric.id_and_series[0]].append(metric)
        together = 1 if self._kept.apart else TOGETHER
        asked = [one for one in metrics if one.kind is not MetricKind.insight]
        return [
            *(
                partial(self._ask, query, windows)
                for query in queries(asked, days, windows, together=together)
            ),
            *(partial(self._chart, id_, each, days) for id_, each in sorted(saved.items())),
        ]

    async def _ask(self, query: Query, windows: Sequence[Span]) -> list[_Found]:
        """What one query told. Two events that an answer does not tell apart, or of which one is
        refused, are asked for one by one."""
        try:
            return self._found(query, await self._parts(query), windows)
        except Together as error:
            if error.always:
                self._kept.note_apart()
        except Unreadable as error:
            return _refused(query.metrics, f"Amplitude: {error}")
        except RefusedError as error:
            if query.kind is MetricKind.flag:
                return _refused(query.metrics, error.message)
            if len(query.metrics) == 1:
                return [_Silent(query.metrics[0], _covered(query), error.message)]
        return [found for one in query.alone() for found in await self._ask(one, windows)]

    async def _parts(self, query: Query) -> list[Part]:
        """One part a span. Where several are needed, those that were told before the budget was
        spent are kept for the next pass of the day."""
        if len(query.spans) == 1:
            return [await self._part(query, query.spans[0])]
        parts = []
        for span in query.spans:
            part = self._kept.part(query.name, span)
            if part is None:
                part = await self._part(query, span)
                self._kept.note_part(query.name, span, part)
            parts.append(part)
        self._kept.forget_parts(query.name)
        return parts

    async def _part(self, query: Query, span: Span) -> Part:
        answer = await self._segmentation(query, span)
        names_ = [metric.name for metric in query.metrics]
        if query.kind is MetricKind.flag:
            return series.of_groups(answer.body, names_, span)
        return series.of_events(answer.body, names_, span)

    def _found(self, query: Query, parts: Sequence[Part], windows: Sequence[Span]) -> list[_Found]:
        """What each metric of a query comes to."""
        seen = tuple(sorted({name for part in parts for name in part.seen}))
        found: list[_Found] = []
        for n, metric in enumerate(query.metrics):
            odd = [part.odd[n] for part in parts if part.odd[n]]
            told = dict(zip(query.spans, (part.series[n] for part in parts), strict=True))
            if odd:
                found += _refused([metric], f"Amplitude: {odd[0]}")
            elif all(one.silent for one in told.values()):
                found.append(_Silent(metric, _covered(query), seen=seen))
            else:
                found.append(_reading(metric, told, windows))
        if query.kind is MetricKind.flag:
            self._kept.note_flags(one.metric.name for one in found if _has_days(one))
        return found

    async def _segmentation(self, query: Query, span: Span) -> Answer:
        return await self._http.read(
            "GET",
            "/api/2/events/segmentation",
            params=params(query, span, self._settings),
            lane=COST,
            cost=float(query.cost_a_day * span.days),
        )

    async def _chart(self, id_: str, metrics: Sequence[Metric], days: Span) -> list[_Found]:
        """What a saved chart shows, over the days that it is saved with."""
        try:
            path = f"/api/3/chart/{quote(id_, safe='')}/csv"
            answer = await self._http.read("GET", path, lane=COST, cost=CHART_COST)
            chart = charts.read(answer.body, days.last)
        except NotFound as error:
            return [
                Reading(metric=metric, trouble="unknown", message=error.message)
                for metric in metrics
            ]
        except RefusedError as error:
            return _refused(metrics, error.message)
        except Unreadable as error:
            return _refused(metrics, f"Amplitude: {error}")
        if not chart.span.days:
            return _refused(metrics, "Amplitude: the chart shows no day that is over")
        return [_of_chart(metric, id_, chart) for metric in metrics]

    async def _judged(self, silent: Sequence[_Silent], windows: Sequence[Span]) -> list[Reading]:
        """What it means that nothing was counted. One request for the events, at most, and those
        for the flags where there is a key for them."""
        doubtful = [one for one in silent if self._doubts(one.metric)]
        events: frozenset[str] = frozenset()
        flags: frozenset[str] | None = None
        if doubtful:
            events = await names.events(self._http)
        if any(one.metric.kind is MetricKind.flag for one in doubtful):
            flags = await self._known_flags()
        return [self._judge(one, windows, events, flags) for one in silent]

    def _doubts(self, metric: Metric) -> bool:
        """Whether the project may not have it at all."""
        return metric.kind is not MetricKind.flag or metric.name not in self._kept.flags

    async def _known_flags(self) -> frozenset[str] | None:
        if self._settings.management_key is None:
            return None
        keys: set[str] = set()
        try:
            for what in ("flags", "experiments"):
                for page in await names.listed(self._http, self._settings, what):
                    keys |= {str(row["key"]) for row in page if row.get("key")}
        except RefusedError:
            # A management key that is not good costs the list; doctor tells of it.
            return None
        return frozenset(keys)

    def _judge(
        self,
        one: _Silent,
        windows: Sequence[Span],
        events: frozenset[str],
        flags: frozenset[str] | None,
    ) -> Reading:
        metric = one.metric
        known: Iterable[str] = events
        if metric.kind is MetricKind.flag:
            known = one.seen if flags is None else flags
        doubted = self._doubts(metric)
        if doubted and not events:
            return Reading(metric=metric, trouble="empty", message=one.message)
        built_in = metric.kind is MetricKind.event and names.is_built_in(metric.name)
        if doubted and not built_in and metric.name not in known:
            near = nearest(metric.name, known)
            return Reading(metric=metric, trouble="unknown", message=one.message, nearest=near)
        if one.message:
            return Reading(metric=metric, trouble="refused", message=one.message)
        nobody = dict.fromkeys((span for span in windows if one.span.covers(span)), 0.0)
        told = nobody if metric.counts is Counts.users else {}
        return Reading(metric=metric, span=one.span, windows=told)


def _has_days(found: _Found) -> bool:
    return isinstance(found, Reading) and bool(found.days)


def _refused(metrics: Iterable[Metric], message: str) -> list[_Found]:
    return [Reading(metric=metric, trouble="refused", message=message) for metric in metrics]


def _covered(query: Query) -> Span:
    return Span(query.spans[0].first, query.spans[-1].last)


def _reading(metric: Metric, parts: Mapping[Span, Series], windows: Sequence[Span]) -> Reading:
    days: dict[date, float] = {}
    told: dict[Span, float] = {}
    for span, one in parts.items():
        days |= one.days
        if span in windows and one.whole is not None and metric.counts is Counts.users:
            told[span] = one.whole
    whole = Span(min(one.first for one in parts), max(one.last for one in parts))
    return Reading(metric=metric, span=whole, days=days, windows=told)


def _of_chart(metric: Metric, id_: str, chart: charts.Chart) -> Reading:
    """One series of a chart: the one of the label, or the only one."""
    _, label = metric.id_and_series
    if (label not in chart.series) if label else len(chart.series) > 1:
        labels = nearest(label, chart.series) or tuple(chart.series)[:SHOWN]
        return Reading(
            metric=metric,
            trouble="unknown",
            title=chart.title,
            message="the chart has several series: name one" if not label else "",
            nearest=tuple(f"{id_}#{one}" for one in labels),
        )
    days = chart.series[label] if label else next(iter(chart.series.values()))
    return Reading(metric=metric, span=chart.span, days=days, title=chart.title)
