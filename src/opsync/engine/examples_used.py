"""Made-up use of an initiative: one for each text that tells of it."""

from __future__ import annotations

from datetime import date, timedelta

from opsync.model import (
    Adoption,
    Counts,
    Early,
    Effect,
    Metric,
    MetricKind,
    Release,
    Span,
)
from opsync.model.metric import Trouble

_LAST = date(2026, 11, 21)
RELEASE = Release(date(2026, 11, 3), "completed")
SEEN = Release(date(2026, 11, 3), "saw")


def _used(
    per_day: float,
    effect: Effect | None = None,
    *,
    kind: MetricKind = MetricKind.event,
    counts: Counts = Counts.users,
    last: date = _LAST,
    change: float | None = None,
) -> Adoption:
    return Adoption(
        metric=Metric("example", kind, "Payout sent", counts),
        window=Span.ending(last, 28),
        per_day=per_day,
        change=change,
        effect=effect,
        stale=last < _LAST,
    )


def _trouble(kind: MetricKind, trouble: Trouble, nearest: tuple[str, ...] = ()) -> Adoption:
    return Adoption(metric=Metric("example", kind, "payout_snt"), trouble=trouble, nearest=nearest)


_CHANGED = Effect(weeks=2, before=24, after=38, ratio=38 / 24, low=1.4, high=1.8)
_FEW = Effect(weeks=2, before=3, after=0.9, early=Early("users since", 12, 30))
_LATER = _LAST + timedelta(days=21)

USED = (
    _used(38, _CHANGED),
    _used(38, _CHANGED, last=_LAST - timedelta(days=3)),
    _used(38, _CHANGED, last=_LATER),
    _used(38, Effect(weeks=2, before=0, after=38, early=Early("users before", 0, 30))),
    _used(38, Effect(weeks=2, before=0.4, after=38, early=Early("users before", 6, 30))),
    _used(20, Effect(weeks=0, before=24, after=30, early=Early("days", 3, 7))),
    _used(1, _FEW),
    _used(1, _FEW, last=_LATER),
    _used(40, change=0.05),
    _used(1),
    _used(120, counts=Counts.events, change=-0.12),
    _used(1, counts=Counts.events),
    _used(3.4, kind=MetricKind.insight, change=0.02),
    _trouble(MetricKind.event, "unknown", ("payout_sent", "payout_seen")),
    _trouble(MetricKind.flag, "unknown"),
    _trouble(MetricKind.insight, "unknown"),
    _trouble(MetricKind.event, "refused"),
    _trouble(MetricKind.event, "empty"),
)
"""With the changes on one metric, then its beginnings, then use without a release, then trouble."""
