"""From Mixpanel's answers to numbers by day: read as what they are, or refused by name."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from opsync import Answer, BadAnswer, Span

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?")


class Unreadable(ValueError):
    """A series that cannot be taken for numbers by day. The message says why."""


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


def day_of(text: str) -> date | None:
    """The day with which a time begins; None for all else."""
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        return None


def numbers(series: object) -> dict[date, float]:
    """The values of a series by day, in order. Unreadable: a value or a day is none, or comes
    twice."""
    found: dict[date, float] = {}
    for text, value in mapping(series).items():
        day = day_of(text)
        if day is None:
            raise Unreadable(f'"{text[:40]}" is no day')
        if day in found:
            raise Unreadable(f"{day} is there twice")
        found[day] = _number(day, value)
    return dict(sorted(found.items()))


def _number(day: date, value: object) -> float:
    if isinstance(value, str):
        text = value
        try:
            value = float(text)
        except ValueError:
            raise Unreadable(f'the value of {day} is "{text[:40]}", no number') from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable(f"the value of {day} is no number")
    if not math.isfinite(value):
        raise Unreadable(f"the value of {day} is no number")
    return float(value)


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
    gaps = [after - before for before, after in pairwise(days)]
    alone = len(days) == 1 and span.days > 1
    if alone or (gaps and min(gaps) >= timedelta(days=7)):
        raise Unreadable("the report does not count by day: choose Line and Day in it")
