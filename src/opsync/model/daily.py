"""Numbers by day as tools answer them: read as what they are, or refused by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import date
from itertools import pairwise
from math import isfinite

_TOLD = 40
"""Characters of what cannot be read that are told."""


class Unreadable(ValueError):
    """What cannot be taken for numbers by day. The text says why."""


def by_day(days: Collection[object], values: Collection[object]) -> dict[date, float]:
    """The values by day, in the order of the days.

    Unreadable: there are more of the one than of the other, a day is none or comes twice, or a
    value is no number.
    """
    if len(values) != len(days):
        raise Unreadable(f"{len(values)} values for {len(days)} days")
    found: dict[date, float] = {}
    for text, value in zip(days, values, strict=True):
        day = day_of(text)
        if day is None:
            raise Unreadable(f'"{str(text)[:_TOLD]}" is no day')
        if day in found:
            raise Unreadable(f"{day} is there twice")
        found[day] = number_of(value, day)
    return dict(sorted(found.items()))


def day_of(value: object) -> date | None:
    """The day of "2026-11-02", also where the moment at which it begins stands behind it; None for
    all else."""
    text = value.strip() if isinstance(value, str) else ""
    if text[10:11] not in ("", "T", " "):
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def number_of(value: object, day: date | None = None) -> float:
    """A finite number, also one in a string; `day` is told where it is none. Unreadable: it is
    none."""
    number = float("nan")
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            number = float(value)
    if not isfinite(number):
        where = f"the value of {day} is" if day else "there is"
        raise Unreadable(f'{where} no number: "{str(value)[:_TOLD]}"')
    return number


def days_between(days: Iterable[date]) -> int:
    """How many days lie between the two that are nearest to each other: 1 in a series by day, 7 in
    one by week; 0 where there are no two."""
    ordered = sorted(set(days))
    return min(((later - day).days for day, later in pairwise(ordered)), default=0)
