"""From Mixpanel's answers to numbers by day: read as what they are, or refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date

from opsync import Answer, BadAnswer, Span, Unreadable, by_day, day_of, days_between

WEEK = 7


class Twice:
    """Stands for an object in which one name comes twice."""

    def __init__(self, name: str) -> None:
        self.name = name


def decoded(answer: Answer) -> object:
    """The body as JSON, an object in which a name comes twice as `Twice`. BadAnswer: it is none."""
    try:
        return json.loads(answer.body, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(
            f"{answer.where} was answered with what is no JSON: {error}.",
            hint="Nothing was taken from it; it is asked for again.",
        ) from None


def _object(pairs: Sequence[tuple[str, object]]) -> object:
    made: dict[str, object] = {}
    for name, value in pairs:
        if name in made:
            return Twice(name)
        made[name] = value
    return made


def mapping(value: object, *names: str) -> Mapping[str, object]:
    """The object at a path of names. Unreadable: there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else value
    if isinstance(value, Twice):
        raise Unreadable(f'the answer has "{value.name}" twice')
    if not isinstance(value, dict):
        raise Unreadable(f"the answer has no {'.'.join(names) or 'object'}")
    return value


def numbers(series: object) -> dict[date, float]:
    """The values of a series by day, in order. Unreadable: a value or a day is none, or comes
    twice."""
    found = mapping(series)
    return by_day(found.keys(), found.values())


# Saved reports ------------------------------------------------------------------------------------

_OVERALL = "$overall"


def of_report(series: object) -> dict[str, object]:
    """The series of a report by name. Those of a breakdown are named "Event / part"."""
    found: dict[str, object] = {}
    _collect(series, (), found)
    return found


def _collect(node: object, path: tuple[str, ...], found: dict[str, object]) -> None:
    if path and (not isinstance(node, dict) or (node and all(map(day_of, node)))):
        found[" / ".join(part for part in path if part != _OVERALL) or path[0]] = node
        return
    for name, inner in mapping(node).items():
        _collect(inner, (*path, name), found)


def report_span(answer: Mapping[str, object], days: Sequence[date]) -> Span:
    """The days that a report tells of. Unreadable: it tells of none."""
    told = answer.get("date_range")
    if isinstance(told, dict):
        first, last = (day_of(str(told.get(name, ""))) for name in ("from_date", "to_date"))
        if first is not None and last is not None:
            return Span(first, last)
    if not days:
        raise Unreadable("the report does not say which days it shows")
    return Span(min(days), max(days))


def check_daily(days: Sequence[date], span: Span) -> None:
    """Unreadable where a report counts by week, by month or as a whole: its values lie a week or
    more apart."""
    alone = len(days) == 1 and span.days > 1
    if alone or days_between(days) >= WEEK:
        raise Unreadable("the report does not count by day: choose Line and Day in it")
