"""The numbers of one metric for one initiative."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from opsync.adoption.welch import interval, of_values
from opsync.model import Adoption, Early, Effect, Metric, MetricKind, Release, Span, Usage

EARLY_DAYS = 7
"""Under so many complete days since the release nothing is compared …"""
EARLY_USERS = 30
"""… and under so many users on a side, all days of it added up."""
LOOK_BACK_DAYS = 365
"""Further back than this nothing is read: Amplitude answers at most a year of days."""
STALE_DAYS = 2
"""Numbers that end so many days before the last complete one are told with their date."""


def needed(last_day: date, weeks: int, released_on: Sequence[date]) -> Span:
    """The days that `adoption_of` looks at: the window, the one before it, and what lies about
    the releases. A release of which not all can be read any more asks for nothing: there is no
    comparison for it."""
    first = Span.ending(last_day, 2 * 7 * weeks).first
    earliest = last_day - timedelta(days=LOOK_BACK_DAYS - 1)
    before = [day - timedelta(days=7 * weeks) for day in released_on if day <= last_day]
    return Span(min([first, *(day for day in before if day >= earliest)]), last_day)


def adoption_of(usage: Usage, release: Release | None) -> Adoption:
    """The adoption that `usage` shows, with what changed since `release`."""
    known = usage.known
    if usage.trouble or known is None:
        return Adoption(
            metric=usage.metric,
            title=usage.title,
            trouble=usage.trouble,
            message=usage.message,
            nearest=usage.nearest,
        )
    # An insight may show less than was asked for.
    window = Span.ending(known.last, 7 * min(usage.weeks, known.days // 7))
    per_day = _mean(usage, window)
    earlier = _mean(usage, Span.ending(window.first - timedelta(days=1), window.days))
    return Adoption(
        metric=usage.metric,
        title=usage.title,
        window=window if per_day is not None else None,
        per_day=per_day,
        users=usage.windows.get(window),
        earlier=earlier,
        change=per_day / earlier - 1 if earlier and earlier > 0 and per_day is not None else None,
        effect=None if release is None or release.on is None else effect_of(usage, release.on),
        stale=(usage.last_day - known.last).days >= STALE_DAYS,
    )


def effect_of(usage: Usage, released_on: date) -> Effect | None:
    """Before against after: equal whole weeks on both sides of the day of the release, which
    belongs to neither. None where the days before it are not known.

    The weeks after it begin with its next day, so that once all of them are over nothing changes
    any more. Too early, `before` is of one week, and `after` of the days there are (0 of none).
    """
    known = usage.known
    if known is None:
        return None
    day = timedelta(days=1)
    since = max(0, (known.last - released_on).days)
    weeks = min(usage.weeks, since // 7)
    if weeks == 0:
        before = _mean(usage, Span.ending(released_on - day, 7))
        if before is None:
            return None
        after = _mean(usage, Span(released_on + day, known.last)) or 0.0
        return Effect(weeks=0, before=before, after=after, early=Early("days", since, EARLY_DAYS))
    before_span = Span.ending(released_on - day, 7 * weeks)
    after_span = Span(released_on + day, released_on + timedelta(days=7 * weeks))
    if not known.covers(Span(before_span.first, after_span.last)):
        return None
    before_days, after_days = _values(usage, before_span), _values(usage, after_span)
    effect = Effect(
        weeks=weeks,
        before=sum(before_days) / len(before_days),
        after=sum(after_days) / len(after_days),
    )
    early = _too_few(usage.metric, sum(before_days), sum(after_days))
    if early is not None or effect.before <= 0 or effect.after < 0:
        return msgspec.structs.replace(effect, early=early)
    bounds = of_values(before_days, interval(before_days, after_days))
    low, high = bounds or (None, None)
    return msgspec.structs.replace(effect, ratio=effect.after / effect.before, low=low, high=high)


def _too_few(metric: Metric, before: float, after: float) -> Early | None:
    """Whether too little was counted on a side. An insight's unit is not known: any will do."""
    if metric.kind is MetricKind.insight:
        return None
    if after < EARLY_USERS:
        return Early("users since", int(after), EARLY_USERS)
    if before < EARLY_USERS:
        return Early("users before", int(before), EARLY_USERS)
    return None


def _values(usage: Usage, span: Span) -> list[float]:
    return [usage.days.get(day, 0.0) for day in span.dates()]


def _mean(usage: Usage, span: Span) -> float | None:
    """The mean of a span; None where not all of it is known."""
    if usage.known is None or not span.days or not usage.known.covers(span):
        return None
    return sum(_values(usage, span)) / span.days
