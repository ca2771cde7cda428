"""How much an initiative is used, and that it was shipped, as screens and `--json` tell it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

from msgspec import Struct

from opsync.adoption import EARLY_DAYS
from opsync.engine.catalog import Catalog, Item
from opsync.model import Adoption, Counts, Early, Effect, Metric, MetricKind, Record, Rollup, Span
from opsync.model.metric import Trouble
from opsync.model.rules import RollupRule


class Measure(Struct, frozen=True, kw_only=True):
    """What is measured. `noun` is what its tool calls such a thing ("flag", "chart"); `name` is ""
    where a private initiative named it."""

    instance: str
    tool: str
    kind: MetricKind
    noun: str
    name: str
    counts: Counts


class TooEarly(Struct, frozen=True, kw_only=True):
    """That it is too early to compare: `have` of the `need` days since the release, users since it,
    or users before it. `until` is the day on which there are days enough; None for users."""

    what: Literal["days", "users since", "users before"]
    have: int
    need: int
    until: date | None


class Compared(Struct, frozen=True, kw_only=True):
    """Before against after the release: mean daily values over `weeks` whole weeks on each side.
    `ratio` is the one over the other, `low` and `high` the ends of its 95 % interval; None where
    nothing can be said."""

    weeks: int
    before: float
    after: float
    ratio: float | None
    low: float | None
    high: float | None
    early: TooEarly | None


class Adopted(Struct, frozen=True, kw_only=True):
    """One metric of an initiative. `per_day` is the mean daily value in `window`, `users` the
    unique users in it, `earlier` the mean of the window before and `change` the one over the
    other, less 1. With a `trouble` there are no numbers: `message` is the tool's text, `nearest`
    names that it does have. `stale`: the numbers could not be read anew for a day or more."""

    metric: Measure
    title: str
    window: Span | None
    per_day: float | None
    users: float | None
    earlier: float | None
    change: float | None
    effect: Compared | None
    stale: bool
    trouble: Trouble
    message: str
    nearest: tuple[str, ...]


class Shipped(Struct, frozen=True, kw_only=True):
    """That an initiative was shipped, on which day, and where the day comes from: its "completed"
    date, the rule's date "property" (`property`), or the day on which it was first seen done
    ("saw"). None, "unknown": it was done before it was first read."""

    on: date | None
    how: Literal["completed", "property", "saw", "unknown"]
    property: str


class DayValue(Struct, frozen=True):
    """What was measured on one day."""

    day: date
    value: float


class Measured(Adopted, frozen=True, kw_only=True):
    """The same with all that it rests on.

    `source` says where the metric comes from: "fixed" in the rule, named in the `property` of the
    initiative, or the record that a "link" there leads to (`linked`). `project` is the tool's
    project, in whose `time_zone` ("": the configured one) days begin. `known` are the days that
    were read, `days` their values, the first one first. `read_at` is when they were read, and
    `again_at` when they may be asked for again, where that has to wait. `kept_since` is since when
    the tool fails to answer, `kept_because` what it says: the numbers are those of before.
    """

    source: Literal["fixed", "property", "link", "gone"]
    property: str
    linked: Item | None
    weeks: int | None
    project: Item | None
    time_zone: str
    known: Span | None
    days: tuple[DayValue, ...]
    read_at: datetime | None
    again_at: datetime | None
    kept_since: datetime | None
    kept_because: str


def shipped(rollup: Rollup, rule: RollupRule | None) -> Shipped | None:
    """The release of a rollup's root, if it was released."""
    release = rollup.released
    if release is None:
        return None
    return Shipped(on=release.on, how=release.how, property=rule.released if rule else "")


def adopted(
    rollup: Rollup, root: Record, rule: RollupRule | None, catalog: Catalog
) -> tuple[Adopted, ...]:
    """What was measured of a rollup's root, the most telling first."""
    return tuple(one_adopted(one, rollup, root, rule, catalog) for one in rollup.adoption)


def one_adopted(
    one: Adoption, rollup: Rollup, root: Record, rule: RollupRule | None, catalog: Catalog
) -> Adopted:
    """One metric of a root, as it may be shown: what a private one names is its own."""
    hidden = catalog.withholds(root) and not fixed(one.metric, rule)
    released_on = rollup.released.on if rollup.released else None
    return Adopted(
        metric=measure_of(one.metric, catalog, hidden=hidden),
        title="" if hidden else one.title,
        window=one.window,
        per_day=one.per_day,
        users=one.users,
        earlier=one.earlier,
        change=one.change,
        effect=None if one.effect is None else _compared(one.effect, released_on),
        stale=one.stale,
        trouble=one.trouble,
        message="" if hidden else one.message,
        nearest=() if hidden else one.nearest,
    )


def measure_of(metric: Metric, catalog: Catalog, *, hidden: bool = False) -> Measure:
    """A metric with the words of its tool; `hidden` leaves out its name."""
    return Measure(
        instance=metric.instance,
        tool=catalog.tool(metric.instance),
        kind=metric.kind,
        noun=catalog.metric_noun(metric.instance, metric.kind),
        name="" if hidden else metric.name,
        counts=metric.counts,
    )


def fixed(metric: Metric, rule: RollupRule | None) -> bool:
    """Whether the rule itself names the metric, so that no initiative does."""
    return rule is not None and any(
        one.name == metric.name and one.instance == metric.instance and one.kind is metric.kind
        for one in rule.metrics
        if not one.property
    )


def _compared(effect: Effect, released_on: date | None) -> Compared:
    return Compared(
        weeks=effect.weeks,
        before=effect.before,
        after=effect.after,
        ratio=effect.ratio,
        low=effect.low,
        high=effect.high,
        early=None if effect.early is None else _early(effect.early, released_on),
    )


def _early(early: Early, released_on: date | None) -> TooEarly:
    until = None
    if early.what == "days" and released_on is not None:
        # A day counts once it is over.
        until = released_on + timedelta(days=EARLY_DAYS + 1)
    return TooEarly(what=early.what, have=early.have, need=early.need, until=until)
