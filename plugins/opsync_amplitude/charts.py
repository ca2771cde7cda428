"""The table of a saved chart, as days and values. Pure.

`GET /api/3/chart/{id}/csv` answers `{"data": "<CSV>"}`: some lines with title and description, then
a row that begins with what the series are called and goes on with the days, then a row a series.
Cells are quoted, and labels and days may begin with a tab.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from io import StringIO

from msgspec import Struct

from opsync import Span, Unreadable, day_of, days_between, number_of
from opsync_amplitude.series import data_of


class Chart(Struct, frozen=True):
    """A chart by day: each series by its label, within `span`."""

    title: str
    span: Span
    series: Mapping[str, Mapping[date, float]]


def read(body: bytes, last: date) -> Chart:
    """The chart up to the day `last`: a later one is not over yet. Raises Unreadable."""
    rows = _rows(body)
    at = next((n for n, row in enumerate(rows) if _first_day(row)), None)
    if at is None:
        raise Unreadable("the chart has no row of days: only charts over time, by day, can be read")
    head = rows[at]
    first = _first_day(head)
    days = {n: _day(head[n]) for n in range(first, len(head)) if head[n]}
    _check(list(days.values()))
    found: dict[str, Mapping[date, float]] = {}
    for row in rows[at + 1 :]:
        if not any(row):
            continue
        label = ", ".join(part for part in row[:first] if part)
        if label in found:
            raise Unreadable(f"the chart has two series called {label[:60]!r}")
        found[label] = _values(row, days, last)
    if not found:
        raise Unreadable("the chart has no series")
    title = next((row[0] for row in rows[:at] if row and row[0]), "")
    return Chart(title, Span(min(days.values()), min(max(days.values()), last)), found)


def _rows(body: bytes) -> list[list[str]]:
    text = data_of(body)
    if not isinstance(text, str):
        raise Unreadable("the answer has no table")
    try:
        rows = list(csv.reader(StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise Unreadable(f"the table cannot be read: {error}") from None
    return [[cell.replace("\\t", "\t").strip() for cell in row] for row in rows]


def _first_day(row: Sequence[str]) -> int:
    """The place of a row's first day, behind at least one label; 0 where it has none."""
    return next((place for place, cell in enumerate(row) if place and day_of(cell)), 0)


def _day(cell: str) -> date:
    day = day_of(cell)
    if day is None:
        raise Unreadable(f'"{cell[:40]}" is no day')
    return day


def _check(days: Collection[date]) -> None:
    """Raise Unreadable unless these are days, of which some may be missing, and no weeks or
    months."""
    if len(set(days)) < len(days):
        raise Unreadable("the chart has a day twice")
    if days_between(days) > 1:
        raise Unreadable("the chart is not by day")


def _values(row: Sequence[str], days: Mapping[int, date], last: date) -> Mapping[date, float]:
    """The values of a row by day; `days` are by their place in it."""
    if len(row) <= max(days):
        there = max(0, len(row) - min(days))
        raise Unreadable(f"a series has {there} values for {len(days)} days")
    return {day: number_of(row[n], day) for n, day in days.items() if day <= last}
