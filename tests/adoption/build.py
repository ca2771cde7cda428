"""Short ways to make what the tests of adoption reckon with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from opsync.model import Counts, Metric, MetricKind, Span, Usage

EVENT = Metric("posthog", MetricKind.event, "payout sent")
INSIGHT = Metric("posthog", MetricKind.insight, "aBc123", Counts.users)
LAST = date(2026, 11, 22)


def day(back: int, last: date = LAST) -> date:
    """So many days before the last one."""
    return last - timedelta(days=back)


def usage(
    value: Callable[[date], float] | Mapping[date, float] | float = 10.0,
    *,
    days: int = 120,
    last: date = LAST,
    **more: Any,
) -> Usage:
    """What is known of a metric: so many days up to the last one, with these values."""
    known = Span.ending(last, days)
    if isinstance(value, Mapping):
        values = dict(value)
    else:
        told = value if callable(value) else lambda _: value
        values = {one: number for one in known.dates() if (number := told(one))}
    given = {"metric": EVENT, "last_day": last, "weeks": 4, "known": known, "days": values}
    return Usage(**{**given, **more})


def step(released_on: date, before: float, after: float) -> Callable[[date], float]:
    """A value until a day, and another from that day on."""
    return lambda one: before if one < released_on else after
