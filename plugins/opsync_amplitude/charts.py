"""The table of a saved chart, as days and values. Pure.

`GET /api/3/chart/{id}/csv` answers `{"data": "<CSV>"}`: some lines with title and description, then
a row that begins with what the series are called and goes on with the days, then a row a series.
Cells are quoted, and labels and days may begin with a tab.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from io import StringIO
from itertools import pairwise

from msgspec import Struct

from opsync import Span
from opsync_amplitude.series import Odd, data_of, day_of, number_of


class Chart(Struct, frozen=True):
    """A chart by day: each series by its label, within `span`."""

    title: str
    span: Span
    series: Mapping[str, Mapping[date, float]]


def read(body: bytes, last: date) -> Chart:
    """The chart up to the day `last`: a later one is not over yet. Raises Odd."""
    rows = _rows(body)
    at = next((n for n, row in enumerate(rows) if _first_day(row)), None)
    if at is None:
        raise Odd("the chart has no row of days: only charts over time, by day, can be read")
    head = rows[at]
    first = _first_day(head)
    columns = [n for n in range(first, len(head)) if head[n]]
    days = [day_of(head[n]) for n in columns]
    _check(days)
    found: dict[str, Mapping[date, float]] = {}
    for row in rows[at + 1 :]:
        if not any(row):
            continue
        label = ", ".join(part for part in row[:first] if part)
        if label in found:
            raise Odd(f"the chart has two series called {label[:60]!r}")
        found[label] = _values(row, columns, days, last)
    if not found:
        raise Odd("the chart has no series")
    title = next((row[0] for row in rows[:at] if row and row[0]), "")
    return Chart(title, Span(min(days), min(max(days), last)), found)


def _rows(body: bytes) -> list[list[str]]:
    text = data_of(body)
    if not isinstance(text, str):
        raise Odd("the answer has no table")
    try:
        rows = list(csv.reader(StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise Odd(f"the table cannot be read: {error}") from None
    return [[cell.replace("\\t", "\t").strip() for cell in row] for row in rows]


def _first_day(row: Sequence[str]) -> int:
    """The place of a row's first day, behind at least one label; 0 where it has none."""
    for place, cell in enumerate(row[1:], start=1):
        try:
            day_of(cell)
        except Odd:
            continue
        return place
    return 0


def _check(days: Iterable[date]) -> None:
    """Raise Odd unless these are days, of which some may be missing, and no weeks or months."""
    ordered = sorted(days)
    steps = {later - day for day, later in pairwise(ordered)}
    if timedelta(0) in steps:
        raise Odd("the chart has a day twice")
    if steps and min(steps) > timedelta(days=1):
        raise Odd("the chart is not by day")


def _values(
    row: Sequence[str], columns: Sequence[int], days: Sequence[date], last: date
) -> Mapping[date, float]:
    if len(row) <= columns[-1]:
        raise Odd(f"a series has {max(0, len(row) - columns[0])} values for {len(days)} days")
    return {
        day: number_of(row[n], str(day))
        for n, day in zip(columns, days, strict=True)
        if day <= last
    }
