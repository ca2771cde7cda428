"""The part of HogQL that the simulated project understands: answering from the event history.

A query is carried out by its meaning. Each user acts at one moment of a day, half of them at half
past midnight and half of them at half past eleven in the evening of the project's time zone, so
that days or bounds in another zone show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from opsync.sandbox.posthog.hogql import Call, Column, Compare, Const, Expr, Field, Select
from opsync.sandbox.posthog.problems import Problem, invalid
from opsync.sandbox.usage import History

FLAG_CALLED = "$feature_flag_called"
DEFAULT_LIMIT = 100
MAX_LIMIT = 50_000
MOMENTS = (time(0, 30), time(23, 30))


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, and what was cut off."""

    columns: tuple[str, ...]
    rows: list[list[object]]
    limit: int
    more: bool


@dataclass(frozen=True, slots=True)
class _Bundle:
    """What some users did at one moment of a day, each `times` times."""

    event: str
    at: datetime
    users: frozenset[int]
    times: int
    flag: str | None = None
    response: str | None = None


def answer(query: Select, history: History) -> Table:
    """Carry out a query. Raises Problem where it cannot be run."""
    limit = min(DEFAULT_LIMIT if query.limit is None else query.limit, MAX_LIMIT)
    rows = _rows(query, history)
    names = tuple(column.name or f"column_{n}" for n, column in enumerate(query.columns, 1))
    for expr, descending in reversed(query.order_by):
        place = _place(query.columns, expr)
        rows.sort(key=lambda row: _sortable(row[place]), reverse=descending)
    return Table(names, rows[:limit], limit, len(rows) > limit)


def _sortable(value: object) -> tuple[bool, str, float]:
    if isinstance(value, int | float):
        return value is None, "", float(value)
    return value is None, str(value), 0.0


def _place(columns: Sequence[Column], expr: Expr) -> int:
    for n, column in enumerate(columns):
        if expr == column.expr or expr == Field((column.name,)):
            return n
    raise _illegal(f"Unable to resolve {expr}")


def _illegal(detail: str) -> Problem:
    return invalid(detail, code="illegal_hogql")


def _rows(query: Select, history: History) -> list[list[object]]:
    if isinstance(query.source, tuple):
        return _from_union(query, query.source, history)
    if query.source == "":
        if not all(isinstance(column.expr, Const) for column in query.columns):
            raise _illegal("Only constants can be selected without a table")
        return [[column.expr.value for column in query.columns if isinstance(column.expr, Const)]]
    if query.source != "events":
        raise _illegal(f'Unknown table "{query.source}".')
    return _from_events(query, history)


def _from_union(query: Select, parts: Sequence[Select], history: History) -> list[list[object]]:
    if query.where or query.group_by:
        raise _illegal("Only the parts of a union can be narrowed")
    if len({len(part.columns) for part in parts}) != 1:
        raise _illegal("The parts of a union have different numbers of columns")
    if any(part.limit is not None or part.order_by for part in parts):
        raise _illegal("A part of a union has no order or limit of its own")
    rows = [row for part in parts for row in _rows(part, history)]
    places = [_place(parts[0].columns, column.expr) for column in query.columns]
    return [[row[place] for place in places] for row in rows]


def _from_events(query: Select, history: History) -> list[list[object]]:
    kept = [_is_kept(column, query.group_by) for column in query.columns]
    groups: dict[tuple[object, ...], list[_Bundle]] = {}
    for bundle in _bundles(query.where, history):
        if all(_holds(condition, bundle, history) for condition in query.where):
            key = tuple(
                _value(column.expr, bundle, history)
                for column, plain in zip(query.columns, kept, strict=True)
                if plain
            )
            groups.setdefault(key, []).append(bundle)
    rows = []
    for key, bundles in groups.items():
        plain_values = iter(key)
        rows.append(
            [
                next(plain_values) if plain else _aggregate(column.expr, bundles)
                for column, plain in zip(query.columns, kept, strict=True)
            ]
        )
    return rows


def _is_kept(column: Column, group_by: Sequence[Expr]) -> bool:
    """Whether a column is one that is grouped by, rather than an aggregate."""
    if isinstance(column.expr, Call) and column.expr.name == "count":
        return False
    if isinstance(column.expr, Const):
        return True
    if column.expr in group_by or Field((column.name,)) in group_by:
        return True
    raise _illegal(f"Column {column.name} is not under an aggregate function and not in GROUP BY")


def _aggregate(expr: Expr, bundles: Sequence[_Bundle]) -> int:
    assert isinstance(expr, Call)
    if expr.distinct:
        if expr.arguments != (Field(("person_id",)),):
            raise _illegal("Only persons are counted once")
        return len(frozenset().union(*(bundle.users for bundle in bundles)))
    if expr.arguments:
        raise _illegal("count takes no argument here")
    return sum(bundle.times * len(bundle.users) for bundle in bundles)


def _bundles(where: Sequence[Expr], history: History) -> Iterator[_Bundle]:
    """What was done of that which the conditions may let through."""
    first, last = _bounds(where, history)
    named = _named(where, Field(("event",)))
    if named is None:
        raise _illegal("A query of events names them here")
    flags = _named(where, Call("toString", (Field(("properties", "$feature_flag")),)))
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        for name in sorted(named):
            if name == FLAG_CALLED:
                for flag in sorted(history.flags if flags is None else flags):
                    yield from _of_flag(flag, day, history)
            else:
                yield from _of_event(name, day, history)


def _of_event(name: str, day: date, history: History) -> Iterator[_Bundle]:
    behaviour = history.events.get(name)
    if behaviour is not None:
        users = history.users("event", name, day)
        for at, some in _halves(users, day, history):
            yield _Bundle(name, at, some, behaviour.times)


def _of_flag(key: str, day: date, history: History) -> Iterator[_Bundle]:
    """Calls of a flag; as many others were told that it is off for them."""
    behaviour = history.flags.get(key)
    if behaviour is not None:
        users = history.users("flag", key, day)
        others = frozenset(user + behaviour.pool for user in users)
        for response, who in (("true", users), ("false", others)):
            for at, some in _halves(who, day, history):
                yield _Bundle(FLAG_CALLED, at, some, behaviour.times, key, response)


def _halves(
    users: frozenset[int], day: date, history: History
) -> Iterator[tuple[datetime, frozenset[int]]]:
    for half, moment in enumerate(MOMENTS):
        at = datetime.combine(day, moment, history.zone).astimezone(UTC)
        some = frozenset(user for user in users if user % 2 == half)
        if some:
            yield at, some


def _bounds(where: Sequence[Expr], history: History) -> tuple[date, date]:
    """Days of the project that hold all moments within the conditions on `timestamp`."""
    low = high = None
    for condition in where:
        if isinstance(condition, Compare) and condition.left == Field(("timestamp",)):
            at = _value(condition.right, None, history)
            if not isinstance(at, datetime):
                raise _illegal("timestamp is compared with no time")
            if condition.sign in (">", ">="):
                low = at if low is None else max(low, at)
            elif condition.sign in ("<", "<="):
                high = at if high is None else min(high, at)
    if low is None:
        raise _illegal("A query of all times would take too long")
    high = high or history.now()
    return low.astimezone(history.zone).date(), high.astimezone(history.zone).date()


def _named(where: Sequence[Expr], what: Expr) -> frozenset[str] | None:
    """The names that the conditions let through, as far as they say."""
    for condition in where:
        if isinstance(condition, Compare) and condition.left == what:
            value = condition.right.value if isinstance(condition.right, Const) else None
            if condition.sign == "=" and isinstance(value, str):
                return frozenset({value})
            if condition.sign == "in" and isinstance(value, list):
                return frozenset(map(str, value))
    return None


def _holds(condition: Expr, bundle: _Bundle, history: History) -> bool:
    if not isinstance(condition, Compare):
        raise _illegal("A condition compares")
    left = _value(condition.left, bundle, history)
    right = _value(condition.right, bundle, history)
    if left is None or right is None:
        return False
    if condition.sign in ("in", "not in"):
        if not isinstance(right, list):
            raise _illegal("IN takes a list")
        return (left in right) == (condition.sign == "in")
    if condition.sign in ("=", "!="):
        return (left == right) == (condition.sign == "=")
    if isinstance(left, datetime) and isinstance(right, datetime):
        order = (left > right) - (left < right)
        return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[condition.sign]
    raise _illegal("Only times are put in order")


def _value(expr: Expr, bundle: _Bundle | None, history: History) -> object:
    if isinstance(expr, Const):
        return expr.value
    if isinstance(expr, Call):
        return _called(expr, [_value(one, bundle, history) for one in expr.arguments], history)
    if isinstance(expr, Field) and bundle is not None:
        fields: Mapping[tuple[str, ...], object] = {
            ("event",): bundle.event,
            ("timestamp",): bundle.at.astimezone(history.zone),
            ("properties", "$feature_flag"): bundle.flag,
            ("properties", "$feature_flag_response"): bundle.response,
        }
        if expr.chain in fields:
            return fields[expr.chain]
    raise _illegal(f"Unable to resolve {expr}")


def _called(call: Call, values: Sequence[object], history: History) -> object:
    match call.name, *values:
        case "toString", None:
            return None
        case "toString", str() | date() as value:
            return str(value)
        case "toDate", datetime() as at:
            return at.date()
        case "toTimeZone", datetime() as at, str() as zone:
            return at.astimezone(_zone(zone))
        case "toDateTime", str() as text:
            return _moment(text, history.zone)
        case "toDateTime", str() as text, str() as zone:
            return _moment(text, _zone(zone))
    raise _illegal(f"Unsupported function call '{call.name}(...)'")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise _illegal(f"Unknown timezone: {name}") from None


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
    except ValueError:
        raise _illegal(f"Cannot parse datetime {text!r}") from None
