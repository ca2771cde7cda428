"""Measuring: all events and flags in one query, each insight by itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from opsync import (
    BadAnswer,
    Counts,
    Metric,
    MetricKind,
    Reading,
    Span,
    Unreadable,
    day_of,
    number_of,
)
from opsync_posthog import hogql
from opsync_posthog.dialect import QUERIES, Refused
from opsync_posthog.insights import Insights
from opsync_posthog.names import Names
from opsync_posthog.project import Project
from opsync_posthog.wire import QueryAnswer

QUERY_NAME = "opsync: adoption"
"""What the query is called in PostHog's log of queries."""

Name = tuple[str, str]
"""Of an event or a flag: its kind and its name."""


@dataclass
class _Told:
    """What the rows say of one name: users and times by day, users by window."""

    days: dict[date, tuple[float, float]] = field(default_factory=dict)
    windows: dict[Span, float] = field(default_factory=dict)
    wrong: str = ""


class Measurer:
    """Measures one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._names = Names(project)
        self._insights = Insights(project)

    async def measure(
        self, metrics: Sequence[Metric], days: Span, windows: Sequence[Span]
    ) -> AsyncGenerator[Reading, None]:
        """One reading a metric: one request for all events and flags, one an insight.

        Where nothing at all is told of a name, a request or two more find out whether the project
        knows it.
        """
        named = [metric for metric in metrics if metric.kind is not MetricKind.insight]
        for some in parts(named, days, windows):
            async for reading in self._measure_named(some, days, windows):
                yield reading
        for metric in metrics:
            if metric.kind is MetricKind.insight:
                yield await self._insights.read(metric, days)

    async def _measure_named(
        self, metrics: Sequence[Metric], days: Span, windows: Sequence[Span]
    ) -> AsyncGenerator[Reading, None]:
        try:
            rows = await self._rows(metrics, days, windows)
        except Refused as error:
            for metric in metrics:
                yield Reading(metric=metric, trouble="refused", message=error.said)
            return
        told = _sorted_out(rows, {_name(metric) for metric in metrics}, days, windows)
        silent = {_name(metric) for metric in metrics} - told.keys()
        doubts = await self._names.doubts(silent, any_data=bool(told))
        for metric in metrics:
            name = _name(metric)
            if name in doubts:
                doubt = doubts[name]
                yield Reading(
                    metric=metric,
                    trouble=doubt.trouble,
                    message=doubt.message,
                    nearest=doubt.nearest,
                )
            else:
                yield _reading(metric, told.get(name, _Told()), days, windows)

    async def _rows(
        self, metrics: Sequence[Metric], days: Span, windows: Sequence[Span]
    ) -> list[Mapping[str, object]]:
        """The rows of one query, by column."""
        events, flags = (
            sorted({metric.name for metric in metrics if metric.kind is kind})
            for kind in (MetricKind.event, MetricKind.flag)
        )
        query = hogql.build(events, flags, days, windows, self._project.kept_zone)
        answer = await self._project.http.read(
            "POST",
            f"{self._project.api}query/",
            json={
                "query": {"kind": "HogQLQuery", "query": query.text, "values": query.values},
                "name": QUERY_NAME,
                "refresh": "blocking",
            },
            lane=QUERIES,
        )
        told = answer.decode(QueryAnswer)
        if told.error:
            raise Refused(told.error, said=told.error, status=answer.status)
        if told.results is None or told.columns is None:
            raise BadAnswer("PostHog answered a query without its rows.")
        if set(told.columns) != set(hogql.COLUMNS):
            raise BadAnswer("PostHog answered a query with other columns than it was asked for.")
        cut = told.limit is not None and len(told.results) >= max(1, told.limit) < hogql.ROWS
        if told.has_more or cut:
            raise BadAnswer("PostHog cut the answer to a query short.")
        if any(len(row) != len(told.columns) for row in told.results):
            raise BadAnswer("PostHog answered a query with a row of the wrong length.")
        return [dict(zip(told.columns, row, strict=True)) for row in told.results]


def _name(metric: Metric) -> Name:
    return metric.kind.value, metric.name


def parts(
    metrics: Sequence[Metric], days: Span, windows: Sequence[Span]
) -> Iterator[Sequence[Metric]]:
    """The metrics in as many parts as answers are needed: each has room for every row."""
    names = sorted({_name(metric) for metric in metrics})
    room = max(1, hogql.ROWS // (days.days + len(windows)) - 1)
    for at in range(0, len(names), room):
        part = set(names[at : at + room])
        yield [metric for metric in metrics if _name(metric) in part]


def _sorted_out(
    rows: Sequence[Mapping[str, object]], asked: set[Name], days: Span, windows: Sequence[Span]
) -> dict[Name, _Told]:
    """What the rows say of each name that they speak of. BadAnswer: of one that was not asked."""
    by_text = {str(window): window for window in windows}
    told: dict[Name, _Told] = {}
    for row in rows:
        name = str(row["kind"]), str(row["name"])
        if name not in asked:
            raise BadAnswer("PostHog answered a query for something that it was not asked for.")
        one = told.setdefault(name, _Told())
        one.wrong = one.wrong or _take(row, one, days, by_text)
    return told


def _take(row: Mapping[str, object], told: _Told, days: Span, windows: Mapping[str, Span]) -> str:
    """Note one row in `told`; says what is wrong with it, or ""."""
    text = str(row["span"])
    try:
        users, times = number_of(row["users"]), number_of(row["times"])
    except Unreadable as error:
        return f"{text}: {error}"
    if users < 0 or times < 0:
        return f"{text}: there is no count below zero"
    window = windows.get(text)
    if window is not None:
        if window in told.windows:
            return f"{text}: the answer has this window twice"
        told.windows[window] = users
        return ""
    day = day_of(text)
    if day is None or not days.first <= day <= days.last:
        return f"{text!r} is no day that was asked for"
    if day in told.days:
        return f"{text}: the answer has this day twice"
    told.days[day] = users, times
    return ""


def _reading(metric: Metric, told: _Told, days: Span, windows: Sequence[Span]) -> Reading:
    if told.wrong:
        return Reading(metric=metric, trouble="refused", message=told.wrong)
    place = 0 if metric.counts is Counts.users else 1
    return Reading(
        metric=metric,
        span=days,
        days={day: counts[place] for day, counts in told.days.items()},
        windows={window: told.windows.get(window, 0.0) for window in windows},
    )
