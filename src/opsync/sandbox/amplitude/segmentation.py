"""Event segmentation, the list of events, and saved charts: all over the history.

https://amplitude.com/docs/apis/analytics/dashboard-rest
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import StringIO

from opsync.sandbox.amplitude.call import Answer, Call
from opsync.sandbox.amplitude.problems import Problem
from opsync.sandbox.amplitude.state import Chart

EXPOSURE = "[Experiment] Exposure"
FLAG_KEY = "[Experiment] Flag Key"
MAX_DAYS = 365
MAX_GROUPS = 1000
DEFAULT_GROUPS = 100
GROUPED = 4
METRICS = frozenset({"uniques", "totals"})
CHART_COST = 30.0

Row = tuple[object, str, str]
"""A series: its label, and what of the history it is ("event" or "flag", and its name)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A segmentation as it was asked for."""

    events: tuple[str, ...]
    grouped: bool
    metric: str
    days: tuple[date, ...]
    limit: int

    @property
    def cost(self) -> float:
        """Days times events, and four more for an event that is grouped."""
        return len(self.days) * (len(self.events) + (GROUPED if self.grouped else 0))


def asked(params: dict[str, str]) -> Asked:
    """What a request asks for. Raises Problem."""
    if params.get("m", "uniques") not in METRICS:
        raise Problem(400, f"Invalid value for m: {params['m']}")
    if params.get("i", "1") != "1":
        raise Problem(400, f"Invalid interval: {params['i']}")
    first, last = _day(params, "start"), _day(params, "end")
    days = tuple(first + timedelta(days=n) for n in range((last - first).days + 1))
    if not days:
        raise Problem(400, "Invalid date range: start is after end")
    if len(days) > MAX_DAYS:
        raise Problem(400, f"Invalid date range: at most {MAX_DAYS} days for daily intervals")
    events = [_event(params, name) for name in ("e", "e2") if name in params or name == "e"]
    limit = params.get("limit", str(DEFAULT_GROUPS))
    if not limit.isdecimal() or not 0 < int(limit) <= MAX_GROUPS:
        raise Problem(400, f"Invalid limit: {limit}")
    grouped = [by for _, by in events if by]
    if grouped and (len(events) > 1 or events[0] != (EXPOSURE, FLAG_KEY)):
        raise Problem(400, f"Invalid property: {grouped[0]}")
    return Asked(
        tuple(name for name, _ in events),
        bool(grouped),
        params.get("m", "uniques"),
        days,
        int(limit),
    )


def segmentation(call: Call) -> Answer:
    """One series an event, or a flag where it is grouped. Unknown events have none."""
    query = asked(call.params)
    for name in query.events:
        if name in call.project.refuses:
            raise Problem(400, call.project.refuses[name])
    rows = _flags(call, query) if query.grouped else _events(call, query)
    data: dict[str, object] = {
        "series": [
            [call.project.count(*row[1:], query.metric, day) for day in query.days] for row in rows
        ],
        "seriesLabels": [row[0] for row in rows],
        "seriesMeta": [_meta(row[0]) for row in rows],
        "seriesCollapsed": [
            [{"setId": "", "value": call.project.count_in(*row[1:], query.metric, query.days)}]
            for row in rows
        ],
        "xValues": [day.isoformat() for day in query.days],
    }
    return {"data": data}


def events_list(call: Call) -> Answer:
    """The events that people see, with how often each happened this week."""
    project = call.project
    week = [project.history.today - timedelta(days=n) for n in range(7)]
    names = sorted(project.history.events)
    if project.history.flags:
        names.append(EXPOSURE)
    return {
        "data": [
            {
                "non_active": False,
                "value": name,
                "name": name,
                "totals": sum(project.history.times("event", name, day) for day in week),
                "deleted": False,
                "flow_hidden": False,
                "hidden": False,
                "display": name,
            }
            for name in names
        ]
    }


def chart_csv(call: Call) -> Answer:
    """A saved chart's table: title, a blank line, the days, a row a series."""
    chart = call.project.held.charts.get(call.ids[0])
    if chart is None:
        raise Problem(404, f"Chart {call.ids[0]} not found")
    if chart.id in call.project.faults.deny:
        raise Problem(403, "You do not have access to this chart")
    return {"data": _table(call, chart)}


def _table(call: Call, chart: Chart) -> str:
    today = call.project.history.today
    days = [today - timedelta(days=n) for n in range(chart.days - 1, -1, -1)][:: chart.step]
    text = StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([f"\t{chart.title}"])
    writer.writerow([])
    writer.writerow(["\tSegment", *(f"\t{day}" for day in days)])
    for label, (kind, name, metric) in chart.series.items():
        values = [call.project.count(kind, name, metric, day) for day in days]
        writer.writerow([f"\t{label}", *values])
    return text.getvalue()


def _day(params: dict[str, str], name: str) -> date:
    try:
        return datetime.strptime(params.get(name, ""), "%Y%m%d").date()  # noqa: DTZ007 - a day
    except ValueError:
        raise Problem(400, f"Invalid date: {name}") from None


def _event(params: dict[str, str], name: str) -> tuple[str, str]:
    """An event's type, and the property by which it is grouped ("" for none)."""
    try:
        event = json.loads(params.get(name, ""))
    except ValueError:
        raise Problem(400, f"Invalid event: {name} is no JSON") from None
    if not isinstance(event, dict) or not isinstance(event.get("event_type"), str):
        raise Problem(400, f"Invalid event: {name} has no event_type")
    by = event.get("group_by") or []
    if not by:
        return event["event_type"], ""
    if len(by) > 1 or by[0].get("type") not in ("event", "user"):
        raise Problem(400, "Invalid group_by")
    return event["event_type"], str(by[0].get("value"))


def _events(call: Call, query: Asked) -> list[Row]:
    rows: list[Row] = []
    for place, name in enumerate(query.events):
        if name in call.project.history.events:
            rows.append((place, "event", name))
    return rows


def _flags(call: Call, query: Asked) -> list[Row]:
    """The flags that anybody saw, those of most use first."""
    history = call.project.history
    used = [
        (-sum(len(history.users("flag", key, day)) for day in query.days), key)
        for key in history.flags
    ]
    rows: list[Row] = [([0, key], "flag", key) for count, key in sorted(used) if count]
    return rows[: query.limit]


def _meta(label: object) -> Answer:
    place = label[0] if isinstance(label, list) else label
    return {"segmentIndex": 0, "eventIndex": place}


def untidy(data: dict[str, object]) -> None:
    """Make an answer as ill-kept as it may be and still be certain: the last series and day first,
    days of nothing left out, numbers as text."""
    series, days = data["series"], data["xValues"]
    assert isinstance(series, list)
    assert isinstance(days, list)
    kept = [n for n in reversed(range(len(days))) if any(one[n] for one in series)]
    data["xValues"] = [f"{days[n]}T00:00:00" for n in kept]
    data["series"] = [[str(one[n]) for n in kept] for one in reversed(series)]
    for name in ("seriesLabels", "seriesMeta", "seriesCollapsed"):
        rows = data[name]
        assert isinstance(rows, Sequence)
        data[name] = list(reversed(rows))


def broken(payload: Answer) -> str:
    """An answer as the documentation's example has it: a list that is not closed, and commas too
    many."""
    text = json.dumps(payload)
    text = text.replace(']], "xValues"', '], "xValues"').replace('}]], "x', '}], "x')
    return text.replace("]}}", ",]}}")
