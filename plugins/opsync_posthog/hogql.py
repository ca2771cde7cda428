"""The one query for any number of events and flags: https://posthog.com/docs/sql.

Names are values of placeholders, never parts of the text. A row is [kind, name, span, users,
times]: `span` is a day, or the first and last day of a window with a slash between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from opsync import Span

ROWS = 50_000
"""Rows of one answer at most; PostHog's own default is 100."""
COLUMNS = ("kind", "name", "span", "users", "times")

_WHERE = {
    "event": "event IN {events}",
    "flag": (
        "event = '$feature_flag_called' AND toString(properties.$feature_flag) IN {flags}"
        " AND toString(properties.$feature_flag_response) NOT IN ('false', '')"
    ),
}
_NAME = {"event": "event", "flag": "toString(properties.$feature_flag)"}


@dataclass(frozen=True, slots=True)
class Query:
    """A query's text, and what its placeholders stand for."""

    text: str
    values: dict[str, object]


def build(
    events: Sequence[str], flags: Sequence[str], days: Span, windows: Sequence[Span], zone: str
) -> Query:
    """Users and times of each name, a row a day that has any, and a row a window.

    Days begin in `zone`, or in the project's own time zone where it is "".
    """
    values: dict[str, object] = {}
    if zone:
        values["zone"] = zone
    bounds = [_bounds("days", days, values, zone)]
    for number, window in enumerate(windows):
        bounds.append(_bounds(f"window_{number}", window, values, zone))
        values[f"window_{number}"] = str(window)
    at = "toTimeZone(timestamp, {zone})" if zone else "timestamp"
    spans = [f"toString(toDate({at}))", *(f"{{window_{n}}}" for n in range(len(windows)))]
    parts = []
    for kind, names in (("event", events), ("flag", flags)):
        if names:
            values[f"{kind}s"] = list(names)
            parts += [
                f"SELECT '{kind}' AS kind, {_NAME[kind]} AS name, {span} AS span,"  # noqa: S608 -- names are values
                " count(DISTINCT person_id) AS users, count() AS times"
                f" FROM events WHERE {_WHERE[kind]} AND {bound}"
                f" GROUP BY name{', span' if span is spans[0] else ''}"
                for span, bound in zip(spans, bounds, strict=True)
            ]
    columns = ", ".join(COLUMNS)
    union = "\nUNION ALL\n".join(parts)
    text = f"SELECT {columns} FROM (\n{union}\n) ORDER BY kind, name, span LIMIT {ROWS}"  # noqa: S608 -- names are values
    return Query(text, values)


def _bounds(name: str, span: Span, values: dict[str, object], zone: str) -> str:
    """The condition on the time, with its two moments put into `values`."""
    values[f"{name}_from"] = _start(span.first)
    values[f"{name}_to"] = _start(span.last + timedelta(days=1))
    in_zone = ", {zone}" if zone else ""
    return (
        f"timestamp >= toDateTime({{{name}_from}}{in_zone})"
        f" AND timestamp < toDateTime({{{name}_to}}{in_zone})"
    )


def _start(day: date) -> str:
    return f"{day.isoformat()} 00:00:00"
