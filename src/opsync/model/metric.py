"""Metrics: how much something is used, by day, and what a release did to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Literal

from msgspec import Struct


class MetricKind(StrEnum):
    """What is measured: an event, the uses of a feature flag, or what a saved insight (a chart, a
    report) shows."""

    event = "event"
    flag = "flag"
    insight = "insight"


class Counts(StrEnum):
    """What is counted of an event or a flag: unique users, or every time. An insight has a unit of
    its own."""

    users = "users"
    events = "events"


class Metric(Struct, frozen=True, order=True):
    """One thing to measure in one analytics project: an event by its name, a flag by its key, an
    insight by its id."""

    instance: str
    kind: MetricKind
    name: str
    counts: Counts = Counts.users

    def __str__(self) -> str:
        return f"{self.instance}:{self.kind}:{self.counts}:{self.name}"

    @property
    def id_and_series(self) -> tuple[str, str]:
        """Of an insight's name, "98765#Checkout", its id and the series that is meant; "" where
        none is named."""
        id_, _, series = self.name.partition("#")
        return id_.strip(), series.strip()

    @classmethod
    def parse(cls, text: str) -> Metric:
        """The inverse of `str()`. Raises ValueError when `text` is no metric."""
        instance, kind, counts, name = text.split(":", 3)
        return cls(instance, MetricKind(kind), name, Counts(counts))


class Span(Struct, frozen=True, order=True):
    """Whole days, both ends included, in the time zone of the project that they belong to."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first}/{self.last}"

    @classmethod
    def ending(cls, last: date, days: int) -> Span:
        """The `days` days up to `last`."""
        return cls(last - timedelta(days=days - 1), last)

    @property
    def days(self) -> int:
        """How many days it has; 0 where it ends before it begins."""
        return max(0, (self.last - self.first).days + 1)

    def dates(self) -> Iterator[date]:
        """Its days, the first one first."""
        return (self.first + timedelta(days=n) for n in range(self.days))

    def covers(self, other: Span) -> bool:
        """Whether all of `other` lies in it."""
        return self.first <= other.first and other.last <= self.last


Trouble = Literal["", "unknown", "refused", "empty"]
"""Why a metric has no numbers: the project has nothing of that name, the vendor refuses the query,
or the project has no data at all. "" where it has."""


class Reading(Struct, frozen=True, kw_only=True):
    """What an analytics tool answered for one metric.

    Of the days in `span` those that `days` leaves out are zero. `windows` are unique users over
    whole spans, which days do not add up to, as far as the tool tells. With a `trouble` there are
    neither: `message` is the vendor's text, `nearest` names that the project does have.
    """

    metric: Metric
    span: Span | None = None
    days: Mapping[date, float] = {}
    windows: Mapping[Span, float] = {}
    title: str = ""
    """What people call it, where the tool tells: a report's name."""
    trouble: Trouble = ""
    message: str = ""
    nearest: tuple[str, ...] = ()


class Usage(Struct, frozen=True, kw_only=True):
    """All that is known of one metric: `days` within `known`, those left out being zero.

    `last_day` is the last complete day there was when it was asked for; where `known` ends
    before it, the numbers are of another day. `weeks` is how long its windows are, `title` what
    people call it.
    """

    metric: Metric
    last_day: date
    weeks: int
    title: str = ""
    known: Span | None = None
    days: Mapping[date, float] = {}
    windows: Mapping[Span, float] = {}
    trouble: Trouble = ""
    message: str = ""
    nearest: tuple[str, ...] = ()


class Release(Struct, frozen=True):
    """That an initiative was shipped: its own status is done.

    `how` says where the day comes from: its "completed" date, the rule's date "property", or the
    day on which opsync first "saw" it done. None, "unknown": it was done before that.
    """

    on: date | None
    how: Literal["completed", "property", "saw", "unknown"]


class Early(Struct, frozen=True):
    """That it is too early to compare: `have` of the `need` days since the release, of the users
    since, or of the users before it."""

    what: Literal["days", "users since", "users before"]
    have: int
    need: int


class Effect(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Before against after the release, over `weeks` whole weeks on each side of its day.

    `before` and `after` are mean daily values. `ratio` is the one over the other; `low` and `high`
    are the ends of its 95 % interval (Welch, on log(1 + x) of the daily values, brought back to x).
    `early` says why there is no ratio yet.
    """

    weeks: int
    before: float
    after: float
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    early: Early | None = None


class Adoption(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How much an initiative is used, by one metric.

    `per_day` is the mean daily value in `window`, which is whole weeks up to the last complete
    day; `users` the unique users in it, where the tool tells them. `earlier` is the mean of the
    window before, `change` the one over the other, less 1. `effect` is there once the initiative
    is shipped. `stale` says that the numbers could not be read anew for a day or more.
    """

    metric: Metric
    title: str = ""
    window: Span | None = None
    per_day: float | None = None
    users: float | None = None
    earlier: float | None = None
    change: float | None = None
    effect: Effect | None = None
    stale: bool = False
    trouble: Trouble = ""
    message: str = ""
    nearest: tuple[str, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether there are numbers."""
        return self.per_day is not None
