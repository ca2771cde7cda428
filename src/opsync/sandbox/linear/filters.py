"""Linear's filter arguments as predicates over the workspace's objects.

A filter is a tree: `and`, `or`, nested filters of related objects, and comparators at the leaves.
It is compiled once a query, so that a listing of many rows stays cheap.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeAlias

from opsync.sandbox.linear.objects import Issue, Node
from opsync.sandbox.linear.refusals import invalid_input

Test: TypeAlias = Callable[[object], bool]
Filter: TypeAlias = Mapping[str, object]

_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
_OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "eq": lambda value, wanted: value == wanted,
    "neq": lambda value, wanted: value != wanted,
    "in": lambda value, wanted: value in _items(wanted),
    "nin": lambda value, wanted: value not in _items(wanted),
    "gt": lambda value, wanted: value > wanted,  # type: ignore[operator] # one comparator, one type
    "gte": lambda value, wanted: value >= wanted,  # type: ignore[operator] # as above
    "lt": lambda value, wanted: value < wanted,  # type: ignore[operator] # as above
    "lte": lambda value, wanted: value <= wanted,  # type: ignore[operator] # as above
    "contains": lambda value, wanted: str(wanted) in str(value),
    "containsIgnoreCase": lambda value, wanted: _fold(wanted) in _fold(value),
    "notContains": lambda value, wanted: str(wanted) not in str(value),
    "notContainsIgnoreCase": lambda value, wanted: _fold(wanted) not in _fold(value),
    "startsWith": lambda value, wanted: str(value).startswith(str(wanted)),
    "startsWithIgnoreCase": lambda value, wanted: _fold(value).startswith(_fold(wanted)),
    "notStartsWith": lambda value, wanted: not str(value).startswith(str(wanted)),
    "endsWith": lambda value, wanted: str(value).endswith(str(wanted)),
    "notEndsWith": lambda value, wanted: not str(value).endswith(str(wanted)),
    "eqIgnoreCase": lambda value, wanted: _fold(value) == _fold(wanted),
    "neqIgnoreCase": lambda value, wanted: _fold(value) != _fold(wanted),
}
_QUANTIFIERS: dict[str, Callable[[Iterable[bool]], bool]] = {"some": any, "every": all}
_TRUE_OF_NOTHING = frozenset({"neq", "nin"})


def _items(wanted: object) -> Sequence[object]:
    return wanted if isinstance(wanted, list) else [wanted]


def _fold(value: object) -> str:
    return str(value).casefold()


@cache
def snake(name: str) -> str:
    """The attribute that holds the schema's field `name`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def moment(text: object, now: datetime) -> datetime:
    """A DateTimeOrDuration: an ISO time, or a duration counted from now (`-PT10M`)."""
    written = str(text)
    if (duration := _DURATION.fullmatch(written)) and len(written) > 2:
        parts = {k: int(v) for k, v in duration.groupdict().items() if k != "sign" and v}
        span = timedelta(**parts)
        return now - span if duration["sign"] else now + span
    try:
        at = datetime.fromisoformat(written)
    except ValueError as error:
        raise invalid_input(f"{written!r} is neither a time nor a duration") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def compile_filter(wanted: Filter | None, now: datetime) -> Test:
    """The predicate that a filter argument stands for; without one, everything passes."""
    if not wanted:
        return lambda _node: True
    tests: list[Test] = []
    for name, part in wanted.items():
        if part is None or name == "null":
            continue
        if name in ("and", "or"):
            branches = [compile_filter(each, now) for each in _filters(part)]
            tests.append(_any_of(branches) if name == "or" else _all_of(branches))
        elif isinstance(part, Mapping):
            many = part.keys() & _QUANTIFIERS.keys()
            tests.append(_collection(name, part, now) if many else _field(name, part, now))
    return _all_of(tests)


def _collection(name: str, part: Filter, now: datetime) -> Test:
    """A filter of a list below an object: some, or every, of its rows fit."""
    attribute = snake(name)
    tests = [
        (_QUANTIFIERS[word], compile_filter(inner, now))
        for word, inner in part.items()
        if isinstance(inner, Mapping)
    ]
    return lambda node: all(
        holds(fits(row) for row in getattr(node, attribute)) for holds, fits in tests
    )


def _filters(part: object) -> list[Filter]:
    return [each for each in _items(part) if isinstance(each, Mapping)]


def _all_of(tests: list[Test]) -> Test:
    return lambda node: all(test(node) for test in tests)


def _any_of(tests: list[Test]) -> Test:
    return lambda node: any(test(node) for test in tests)


def _field(name: str, part: Filter, now: datetime) -> Test:
    attribute = snake(name)
    nested = compile_filter(part, now) if part.keys() - _OPERATORS.keys() - {"null"} else None
    wanted_null = part.get("null")
    by_id = name == "id"
    compared: list[tuple[Callable[[object, object], bool], object]] = []
    dated: list[tuple[Callable[[object, object], bool], object]] = []
    if nested is None:
        for operator, value in part.items():
            if operator == "null" or value is None:
                continue
            compared.append((_OPERATORS[operator], value))
            if _names_times(name):
                dated.append((_OPERATORS[operator], _moments(value, now)))
    passes_nothing = bool(compared) and not (part.keys() - _TRUE_OF_NOTHING)

    def test(node: object) -> bool:
        value = getattr(node, attribute)
        if value is None:
            return wanted_null is True or (wanted_null is None and passes_nothing)
        if wanted_null is True:
            return False
        if nested is not None:
            return nested(value)
        if isinstance(value, datetime):
            return all(operator(value, wanted) for operator, wanted in dated)
        if by_id and isinstance(node, Issue):
            return all(op(value, w) or op(node.identifier, w) for op, w in compared)
        return all(operator(value, wanted) for operator, wanted in compared)

    return test


def _names_times(name: str) -> bool:
    return name.endswith("At")


def _moments(value: object, now: datetime) -> object:
    if isinstance(value, list):
        return [moment(each, now) for each in value]
    return moment(value, now)


def order_key(order_by: str | None) -> Callable[[Node], tuple[datetime, str]]:
    """What a listing is sorted by, newest first: the creation, or `updatedAt` if asked for."""
    if order_by == "updatedAt":
        return lambda node: (node.updated_at, node.id)
    return lambda node: (node.created_at, node.id)
