"""The Query API: events, segmentation, saved reports, names.

https://docs.mixpanel.com/reference/query-api. Days without a value are left out, and nothing is in
the order of time, as in the documented answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from opsync.sandbox.mixpanel.state import Counted, Refusal, Series

if TYPE_CHECKING:
    from opsync.sandbox.mixpanel.project import MixpanelProject

NAMES_DAYS = 31
DEFAULT_NAMES = 255
DEFAULT_VALUES = 60
MAX_VALUES = 10_000

_ON = re.compile(r'properties\["((?:[^"\\]|\\.)*)"\]')
_TYPES = ("general", "unique", "average")

Params = Mapping[str, str]
Values = dict[str, dict[str, int]]


def events(project: MixpanelProject, params: Params) -> object:
    """Numbers of several events by day. An event that does not exist has no row."""
    try:
        names = json.loads(_required(params, "event"))
    except ValueError:
        raise Refusal(400, "event must be a JSON array of event names") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Refusal(400, "event must be a JSON array of event names")
    counted, days = _counted(params, required=True), _days(params)
    if _required(params, "unit") != "day":
        raise Refusal(400, "the sandbox tells numbers by day only")
    known = [name for name in names if _exists(project, name)]
    values = {name: _by_day(project, _series_of(project, name, counted), days) for name in known}
    return _answer(values, days)


def segmentation(project: MixpanelProject, params: Params) -> object:
    """Numbers of one event by day, in parts by the values of a property."""
    event = _required(params, "event")
    counted, days = _counted(params, required=False), _days(params)
    if params.get("unit", "day") != "day":
        raise Refusal(400, "the sandbox tells numbers by day only")
    if "on" not in params:
        values = {event: _by_day(project, _series_of(project, event, counted), days)}
        return _answer(values if _exists(project, event) else {}, days)
    match = _ON.fullmatch(params["on"])
    if match is None:
        raise Refusal(400, f"invalid expression: {params['on']}")
    limit = _number(params.get("limit", str(DEFAULT_VALUES)), "limit")
    if limit > MAX_VALUES:
        raise Refusal(400, f"limit must be at most {MAX_VALUES}")
    if event != project.flag_event or json.loads(f'"{match[1]}"') != project.flag_property:
        whole = _by_day(project, _series_of(project, event, counted), days)
        return _answer({"undefined": whole} if whole else {}, days)
    parts = {
        flag: _by_day(project, Series("flag", flag, counted), days)
        for flag in project.history.flags
    }
    top = sorted(parts, key=lambda flag: (-sum(parts[flag].values()), flag))[:limit]
    return _answer({flag: parts[flag] for flag in top if parts[flag]}, days)


def insights(project: MixpanelProject, params: Params) -> object:
    """The numbers of a saved report, over its own days."""
    number = _number(_required(params, "bookmark_id"), "bookmark_id")
    report = project.reports.get(number)
    if report is None or project.denies(number):
        raise Refusal(404, f"report {number} not found")
    zone, today = project.history.zone, project.history.today
    step = 7 if report.unit == "week" else 1
    first = today - timedelta(days=report.days - 1)
    starts = [first + timedelta(days=n) for n in range(0, report.days, step)]

    def at(day: date, hour: time = time()) -> str:
        return datetime.combine(day, hour, zone).isoformat()

    series = {
        title: {
            at(start): sum(
                _by_day(project, line, [start + timedelta(days=n) for n in range(step)]).values()
            )
            for start in starts
        }
        for title, line in report.series.items()
    }
    return {
        "computed_at": project.now().isoformat(),
        "date_range": {"from_date": at(first), "to_date": at(today, time(23, 59, 59, 999000))},
        "headers": ["$event"],
        "series": series,
    }


def names(project: MixpanelProject, params: Params) -> object:
    """The events of the last 31 days, the most common ones, named from the end of the alphabet."""
    _counted(params, required=True)
    limit = _number(params.get("limit", str(DEFAULT_NAMES)), "limit")
    today = project.history.today
    days = [today - timedelta(days=n) for n in range(NAMES_DAYS)]
    every = [*project.history.events, *([project.flag_event] if project.history.flags else [])]
    totals = {
        name: sum(_by_day(project, _series_of(project, name, "general"), days).values())
        for name in every
    }
    top = sorted((name for name in totals if totals[name]), key=lambda n: -totals[n])[:limit]
    return sorted(top, reverse=True)


def _exists(project: MixpanelProject, name: str) -> bool:
    return name in project.history.events or (
        name == project.flag_event and bool(project.history.flags)
    )


def _series_of(project: MixpanelProject, name: str, counted: Counted) -> Series:
    kind = "exposures" if name == project.flag_event else "event"
    return Series(kind, name, counted)


def _by_day(project: MixpanelProject, series: Series, days: list[date]) -> dict[str, int]:
    """The days with a value."""
    history = project.history

    def value(day: date) -> int:
        if series.kind == "exposures":
            if series.counted == "general":
                return sum(history.times("flag", flag, day) for flag in history.flags)
            return len(frozenset().union(*(history.users("flag", f, day) for f in history.flags)))
        if series.counted == "general":
            return history.times(series.kind, series.name, day)
        return len(history.users(series.kind, series.name, day))

    found = {day.isoformat(): value(day) for day in days}
    return {day: number for day, number in found.items() if number}


def _answer(values: Values, days: list[date]) -> object:
    """As documented: neither the days nor a row's are in order."""
    dates = [day.isoformat() for day in days]
    middle = len(dates) // 2
    turned = dates[middle:] + dates[:middle]
    rows = {name: {day: row[day] for day in turned if day in row} for name, row in values.items()}
    return {"data": {"series": turned, "values": rows}, "legend_size": len(rows)}


def _required(params: Params, name: str) -> str:
    if not params.get(name):
        raise Refusal(400, f"{name} is a required parameter")
    return params[name]


def _number(text: str, name: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise Refusal(400, f"{name} must be a positive integer")
    return int(text)


def _counted(params: Params, *, required: bool) -> Counted:
    kind = _required(params, "type") if required else params.get("type", "general")
    if kind not in _TYPES:
        raise Refusal(400, f"type must be one of {', '.join(_TYPES)}")
    if kind == "average":
        raise Refusal(400, "the sandbox tells general and unique numbers only")
    return "unique" if kind == "unique" else "general"


def _days(params: Params) -> list[date]:
    try:
        first = date.fromisoformat(_required(params, "from_date"))
        last = date.fromisoformat(_required(params, "to_date"))
    except ValueError:
        raise Refusal(400, "from_date and to_date must be in the format yyyy-mm-dd") from None
    if last < first:
        raise Refusal(400, "to_date must not be before from_date")
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
