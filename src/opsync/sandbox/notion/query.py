"""Filters, sorts and cursors of a data source query.

Filters: https://developers.notion.com/reference/post-database-query-filter
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import total_ordering
from typing import TypeAlias

from opsync.sandbox.notion.problems import a_list, a_string, an_object, failed, invalid
from opsync.sandbox.notion.schema import Property, Schema
from opsync.sandbox.notion.state import Page
from opsync.sandbox.notion.values import Run, Span, floor_minute, plain

MAX_PAGE_SIZE = 100
RESULT_LIMIT = 10_000
"""Rows that one query (filter and sorts) answers at most, over all its pages."""
MAX_NESTING = 2
TIMESTAMPS = ("created_time", "last_edited_time")

Test: TypeAlias = Callable[[Page], bool]
Key: TypeAlias = tuple[object, ...]


@total_ordering
@dataclass(frozen=True, slots=True, eq=True)
class _Reversed:
    """Turns an order around inside a sort key."""

    value: tuple[bool, object]

    def __lt__(self, other: _Reversed) -> bool:
        return other.value < self.value


def page_time(page: Page, timestamp: str) -> datetime:
    """The page's time to the minute, as filters and sorts see it."""
    return floor_minute(page.created if timestamp == "created_time" else page.updated)


def build_filter(schema: Schema, now: datetime, payload: object) -> Test:
    """The test that a `filter` stands for. Raises Problem for one the vendor does not know."""
    return _filter(schema, now, payload, "filter", 0)


def _filter(schema: Schema, now: datetime, payload: object, path: str, depth: int) -> Test:
    body = an_object(payload, path)
    for word, combine in (("and", all), ("or", any)):
        if word in body:
            if depth >= MAX_NESTING:
                raise failed(path, f"nested at most {MAX_NESTING} levels", depth + 1)
            parts = [
                _filter(schema, now, item, f"{path}.{word}[{i}]", depth + 1)
                for i, item in enumerate(a_list(body[word], f"{path}.{word}"))
            ]
            return lambda page, c=combine, p=parts: c(test(page) for test in p)  # type: ignore[misc]  # defaults bind the loop's values
    if "timestamp" in body:
        timestamp = a_string(body["timestamp"], f"{path}.timestamp")
        if timestamp not in TIMESTAMPS:
            raise failed(f"{path}.timestamp", "`created_time` or `last_edited_time`", timestamp)
        condition = _only(body.get(timestamp), f"{path}.{timestamp}")
        check = _date_check(now, *condition, f"{path}.{timestamp}")
        return lambda page: check(page_time(page, timestamp))
    key = a_string(body.get("property"), f"{path}.property")
    prop = schema.find(key)
    if prop is None:
        raise invalid(f"Could not find property with name or id: {key}")
    kinds = [k for k in body if k not in ("property", "type")]
    if kinds != [prop.type]:
        raise invalid(
            f"database property {prop.type} does not match filter {'/'.join(kinds) or 'none'}"
        )
    operator, operand = _only(body[prop.type], f"{path}.{prop.type}")
    return _property_test(prop, now, operator, operand, f"{path}.{prop.type}")


def _only(condition: object, path: str) -> tuple[str, object]:
    body = an_object(condition, path)
    if len(body) != 1:
        raise failed(path, "an object with one condition", sorted(body))
    return next(iter(body.items()))


def _property_test(
    prop: Property, now: datetime, operator: str, operand: object, path: str
) -> Test:
    if operator in ("is_empty", "is_not_empty"):
        empty = operator == "is_empty"
        return lambda page: (page.cells.get(prop.raw_id) in (None, (), "")) == empty
    if prop.type in TIMESTAMPS:
        stamped = _date_check(now, operator, operand, path)
        return lambda page: stamped(page_time(page, prop.type))
    if prop.type == "date":
        check = _date_check(now, operator, operand, path)
        return lambda page: _dated(page, prop, check)
    tests = _TESTS.get(prop.type, {})
    if operator not in tests:
        raise failed(f"{path}.{operator}", "a known condition", operator)
    compare = tests[operator]
    if prop.type in ("select", "status", "multi_select"):
        wanted = operand if isinstance(operand, list) else [operand]
        folded = [a_string(name, f"{path}.{operator}").casefold() for name in wanted]
        return lambda page: compare(_names(page, prop), folded)
    if prop.type == "checkbox":
        return lambda page: compare(bool(page.cells.get(prop.raw_id)), operand)
    if prop.type == "number":
        if isinstance(operand, bool) or not isinstance(operand, int | float):
            raise failed(f"{path}.{operator}", "a number", operand)
        return lambda page: (
            page.cells.get(prop.raw_id) is not None
            and compare(page.cells.get(prop.raw_id), operand)
        )
    text = a_string(operand, f"{path}.{operator}").casefold()
    return lambda page: compare(_text(page, prop), text)


def _dated(page: Page, prop: Property, check: Callable[[datetime], bool]) -> bool:
    value = page.cells.get(prop.raw_id)
    return isinstance(value, Span) and check(_moment(value.start, "date")[0])


def _names(page: Page, prop: Property) -> list[str]:
    value = page.cells.get(prop.raw_id)
    ids = value if isinstance(value, tuple) else (value,)
    found = [prop.option_by_id(i) for i in ids if isinstance(i, str)]
    return [option.name.casefold() for option in found if option is not None]


def _text(page: Page, prop: Property) -> object:
    """Text columns as folded text; people and relations as their ids."""
    value = page.cells.get(prop.raw_id)
    if prop.type in ("people", "relation"):
        return value or ()
    if isinstance(value, tuple):
        return plain(tuple(r for r in value if isinstance(r, Run))).casefold()
    if prop.type == "unique_id":
        return str(page.number)
    return str(value or "").casefold()


_Compare: TypeAlias = Callable[..., bool]
_STRING: dict[str, _Compare] = {
    "equals": lambda a, b: a == b,
    "does_not_equal": lambda a, b: a != b,
    "contains": lambda a, b: b in a,
    "does_not_contain": lambda a, b: b not in a,
    "starts_with": lambda a, b: a.startswith(b),
    "ends_with": lambda a, b: a.endswith(b),
}
_NUMBER: dict[str, _Compare] = {
    "equals": lambda a, b: a == b,
    "does_not_equal": lambda a, b: a != b,
    "greater_than": lambda a, b: a > b,
    "less_than": lambda a, b: a < b,
    "greater_than_or_equal_to": lambda a, b: a >= b,
    "less_than_or_equal_to": lambda a, b: a <= b,
}
_CHOICE: dict[str, _Compare] = {
    "equals": lambda a, b: any(name in b for name in a),
    "does_not_equal": lambda a, b: not any(name in b for name in a),
}
_MANY: dict[str, _Compare] = {
    "contains": lambda a, b: any(name in b for name in a),
    "does_not_contain": lambda a, b: not any(name in b for name in a),
}
_HOLDS: dict[str, _Compare] = {
    "contains": lambda a, b: b in a,
    "does_not_contain": lambda a, b: b not in a,
}
_TESTS: dict[str, dict[str, _Compare]] = {
    **dict.fromkeys(("title", "rich_text", "url", "email", "phone_number"), _STRING),
    "number": _NUMBER,
    "checkbox": {k: _NUMBER[k] for k in ("equals", "does_not_equal")},
    "select": _CHOICE,
    "status": _CHOICE,
    "multi_select": _MANY,
    "people": _HOLDS,
    "relation": _HOLDS,
}


def _moment(text: str, path: str) -> tuple[datetime, bool]:
    """A filter's point in time, and whether it is a whole day (UTC)."""
    try:
        if len(text) == len("2026-11-22"):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC), True
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise failed(path, "a valid ISO 8601 date string", text) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)), False


def _date_check(
    now: datetime, operator: str, operand: object, path: str
) -> Callable[[datetime], bool]:
    spans = {"week": 7, "month": 30, "year": 365}
    side, _, unit = operator.partition("_")
    if unit in spans and side in ("past", "next"):
        span = timedelta(days=spans[unit])
        low, high = (now - span, now) if side == "past" else (now, now + span)
        return lambda t: low <= t <= high
    moment, whole_day = _moment(a_string(operand, f"{path}.{operator}"), f"{path}.{operator}")
    last = moment + timedelta(days=1, microseconds=-1) if whole_day else moment
    checks: dict[str, Callable[[datetime], bool]] = {
        "equals": lambda t: moment <= t <= last,
        "before": lambda t: t < moment,
        "after": lambda t: t > last,
        "on_or_before": lambda t: t <= last,
        "on_or_after": lambda t: t >= moment,
    }
    if operator not in checks:
        raise failed(f"{path}.{operator}", "a known condition", operator)
    return checks[operator]


def build_order(schema: Schema, payload: object) -> Callable[[Page], Key]:
    """The sort key that `sorts` stands for; ids break ties, as arbitrary as the vendor's."""
    parts: list[Callable[[Page], object]] = []
    for index, item in enumerate(a_list(payload, "sorts")):
        path = f"sorts[{index}]"
        body = an_object(item, path)
        direction = a_string(body.get("direction", "ascending"), f"{path}.direction")
        if direction not in ("ascending", "descending"):
            raise failed(f"{path}.direction", "`ascending` or `descending`", direction)
        down = direction == "descending"
        if "timestamp" in body:
            timestamp = a_string(body["timestamp"], f"{path}.timestamp")
            if timestamp not in TIMESTAMPS:
                raise failed(f"{path}.timestamp", "`created_time` or `last_edited_time`", timestamp)
            sign = -1 if down else 1
            parts.append(lambda p, t=timestamp, s=sign: s * page_time(p, t).timestamp())  # type: ignore[misc]  # defaults bind the loop's values
            continue
        key = a_string(body.get("property"), f"{path}.property")
        prop = schema.find(key)
        if prop is None:
            raise invalid(f"Could not find sort property with name or id: {key}")
        parts.append(lambda p, c=prop, d=down: _order(p, c, down=d))  # type: ignore[misc]  # defaults bind the loop's values
    parts = parts or [lambda p: -page_time(p, "created_time").timestamp()]
    return lambda page: (*(part(page) for part in parts), page.id)


def _order(page: Page, prop: Property, *, down: bool) -> object:
    value: object = page.cells.get(prop.raw_id)
    if isinstance(value, Span):
        value = value.start
    elif prop.type in ("select", "status"):
        ids = [option.id for option in prop.options]
        value = ids.index(value) if value in ids else None
    elif prop.type == "multi_select":
        value = ",".join(_names(page, prop))
    elif prop.type in TIMESTAMPS:
        value = page_time(page, prop.type).timestamp()
    elif isinstance(value, tuple):
        value = _text(page, prop)
    key = (value is None, "" if value is None else value)
    return _Reversed(key) if down else key


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a query goes on: behind `key`, with `given` rows answered before."""

    key: Key
    given: int


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of a query's results. `next` is None on the last; `capped` at the result limit."""

    pages: list[Page]
    next: Cursor | None
    capped: bool


def cut(
    pages: Iterable[Page],
    order: Callable[[Page], Key],
    after: Cursor | None,
    size: int,
    limit: int = RESULT_LIMIT,
) -> Slice:
    """The next `size` rows behind `after`.

    The order is taken anew each time, so a row edited between two pages of a query sorted by
    last_edited_time comes again at the end, and none is lost.
    """
    given = after.given if after else 0
    keyed = ((order(page), page) for page in pages)
    rest = keyed if after is None else (kp for kp in keyed if kp[0] > after.key)
    found = heapq.nsmallest(size + 1, rest, key=lambda kp: kp[0])
    room = min(size, limit - given)
    shown = found[:room]
    more = len(found) > len(shown)
    capped = more and given + len(shown) >= limit
    following = Cursor(shown[-1][0], given + len(shown)) if more and shown and not capped else None
    return Slice([page for _, page in shown], following, capped)
