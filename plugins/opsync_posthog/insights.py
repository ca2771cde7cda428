"""What a saved insight shows, by day: https://posthog.com/docs/api/insights."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
from msgspec import Struct

from opsync import Metric, Reading, Span, Unreadable, by_day, days_between, nearest
from opsync_posthog.dialect import ANALYTICS, MissingScope, Refused
from opsync_posthog.project import Project
from opsync_posthog.wire import InsightRow, Page, QueryStatus, QueryStatusAnswer

LOOKS = 5
LOOK_EVERY_S = 2.0
"""So often, and at this distance, it is looked whether PostHog has computed an insight."""


class Series(Struct, frozen=True):
    """One line of a trend: a value a day."""

    label: str = ""
    data: list[object] = []
    days: list[str] = []


class Insights:
    """Reads saved insights of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project

    async def read(self, metric: Metric, days: Span) -> Reading:
        """One reading of the insight with this short id: "AbCd1234", or "AbCd1234#label" for one
        of several lines. One request, and a few more while PostHog computes it."""
        short_id, label = metric.id_and_series
        try:
            row = await self._row(short_id, days, "blocking")
            if row is not None and row.query_status is not None and _is_nothing(row):
                row = await self._computed(short_id, days, row.query_status)
        except Refused as error:
            return Reading(metric=metric, trouble="refused", message=error.said)
        except MissingScope as error:
            if not error.scope.startswith("insight:"):
                raise
            return Reading(metric=metric, trouble="refused", message=str(error))
        if row is None:
            return Reading(metric=metric, trouble="unknown")
        return _reading(metric, row, label, days)

    async def _row(self, short_id: str, days: Span, refresh: str) -> InsightRow | None:
        range_ = {"date_from": days.first.isoformat(), "date_to": days.last.isoformat()}
        answer = await self._project.http.read(
            "GET",
            f"{self._project.api}insights/",
            params={
                "short_id": short_id,
                "refresh": refresh,
                "filters_override": msgspec.json.encode(range_).decode(),
            },
            lane=ANALYTICS,
        )
        rows = answer.decode(Page).results
        try:
            found = [msgspec.json.decode(row, type=InsightRow) for row in rows]
        except msgspec.MsgspecError as error:
            said = f"the insight cannot be read: {error}"
            raise Refused(said, said=said, status=answer.status) from None
        return next((row for row in found if row.short_id == short_id and not row.deleted), None)

    async def _computed(self, short_id: str, days: Span, status: QueryStatus) -> InsightRow | None:
        """The insight once it is computed. Raises Refused where that fails or takes too long."""
        for _ in range(LOOKS):
            if status.error:
                said = status.error_message or "PostHog could not compute the insight"
                raise Refused(said, said=said, status=200)
            if status.complete:
                return await self._row(short_id, days, "force_cache")
            await self._project.context.runtime.clock.sleep(LOOK_EVERY_S)
            path = f"{self._project.api}query/{status.id}/"
            answer = await self._project.http.read("GET", path, lane=ANALYTICS)
            status = answer.decode(QueryStatusAnswer).query_status
        said = "PostHog is still computing the insight"
        raise Refused(said, said=said, status=200)


def _is_nothing(row: InsightRow) -> bool:
    return bytes(row.result) == b"null"


def _reading(metric: Metric, row: InsightRow, label: str, days: Span) -> Reading:
    def refused(message: str) -> Reading:
        return Reading(metric=metric, title=row.title, trouble="refused", message=message)

    if row.interval not in ("", "day"):
        return refused(f"the insight is by {row.interval}: group it by day")
    if _is_nothing(row):
        return refused("the insight has no result")
    try:
        lines = msgspec.json.decode(row.result, type=list[Series])
    except msgspec.MsgspecError:
        return refused("the insight is no trend by day")
    labels = [line.label for line in lines]
    if len(lines) != 1 or label:
        fitting = [line for line in lines if line.label == label]
        if not fitting:
            names = tuple(f"{row.short_id}#{one}" for one in _near_first(label, labels))
            return Reading(metric=metric, title=row.title, trouble="unknown", nearest=names)
        if len(fitting) > 1:
            return refused(f"the insight has several lines {label!r}")
        lines = fitting
    try:
        values = _by_day(lines[0])
    except Unreadable as error:
        return refused(f"the insight is no series by day: {error}")
    return _within(metric, row.title, values, days) or refused(
        f"the insight shows none of the days {days.first} to {days.last}"
    )


def _near_first(label: str, labels: Sequence[str]) -> list[str]:
    """All labels, those like `label` first."""
    near = nearest(label, labels) if label else ()
    return [*near, *(one for one in labels if one not in near)]


def _by_day(line: Series) -> dict[date, float]:
    """The values of a line by day. Raises Unreadable."""
    within = next((text for text in line.days if text[10:].strip(" T0:.Z")), None)
    if within is not None:
        raise Unreadable(f'it has "{within[:40]}"')
    values = by_day(line.days, line.data)
    if days_between(values) > 1:
        raise Unreadable("it is by week or month: group it by day")
    return values


def _within(metric: Metric, title: str, values: dict[date, float], days: Span) -> Reading | None:
    """The part within `days`; None where there is none."""
    if not values:
        return None
    shown = Span(max(days.first, min(values)), min(days.last, max(values)))
    if not shown.days:
        return None
    inside = {day: value for day, value in values.items() if shown.first <= day <= shown.last}
    return Reading(metric=metric, span=shown, days=inside, title=title)
