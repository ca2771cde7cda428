"""How much something is used, in few words and drawn."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from opsync.cli.adoptionview import (
    BARS,
    adoption_facts,
    plot,
    plotted,
    released_fact,
)
from opsync.engine.adopted import Compared, DayValue, Measure, Measured, Shipped, TooEarly
from opsync.engine.usewords import brief, headline
from opsync.model import Counts, MetricKind, Span

LAST = date(2026, 11, 21)
ON = date(2026, 11, 7)
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
WINDOW = Span.ending(LAST, 14)
RELEASE = Shipped(on=ON, how="completed", property="")
FLAG = Measure(
    instance="posthog",
    tool="PostHog",
    kind=MetricKind.flag,
    noun="flag",
    name="payouts",
    counts=Counts.users,
)
COMPARED = Compared(weeks=2, before=24, after=38, ratio=1.583, low=1.4, high=1.8, early=None)


def measured(**more: Any) -> Measured:
    """A flag that 38 users a day use, 24 before its release."""
    days = tuple(DayValue(day, 38.0) for day in WINDOW.dates())
    values: dict[str, Any] = {
        "metric": FLAG,
        "title": "payouts",
        "window": WINDOW,
        "per_day": 38.0,
        "users": 210.0,
        "earlier": 24.0,
        "change": 0.583,
        "effect": COMPARED,
        "stale": False,
        "trouble": "",
        "message": "",
        "nearest": (),
        "source": "property",
        "property": "Flag",
        "linked": None,
        "weeks": 2,
        "project": None,
        "time_zone": "UTC",
        "known": WINDOW,
        "days": days,
        "read_at": NOW,
        "again_at": None,
        "kept_since": None,
        "kept_because": "",
    }
    return Measured(**values | more)


def early(what: Any, have: int, need: int, **more: Any) -> Compared:
    told = TooEarly(what=what, have=have, need=need, until=None)
    values: dict[str, Any] = {"weeks": 1, "before": 4.0, "after": 1.7, "early": told}
    return Compared(**values | {"ratio": None, "low": None, "high": None} | more)


NO_CAUSE = "It changed, which is not to say caused."
EVENTS = Measure(
    instance="posthog",
    tool="PostHog",
    kind=MetricKind.event,
    noun="event",
    name="paid",
    counts=Counts.events,
)
CHART = Measure(
    instance="amplitude",
    tool="Amplitude",
    kind=MetricKind.insight,
    noun="chart",
    name="a1b2",
    counts=Counts.users,
)


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (measured(), "+58 % 38/day"),
        (measured(stale=True), "+58 % 38/day (21 Nov)"),
        (measured(effect=None), "38/day"),
        (measured(effect=early("users since", 12, 30)), "12 of 30 users"),
        (measured(effect=early("users since", 12, 30), metric=EVENTS), "12 of 30 uses"),
        (measured(effect=early("users before", 12, 30, after=38.0)), "38/day"),
        (measured(effect=early("days", 3, 7)), "3 of 7 days"),
        (measured(trouble="empty"), "! no data"),
        (measured(trouble="refused"), "! refused"),
        (measured(trouble="unknown", metric=CHART), "! no such chart"),
        (measured(per_day=None, window=None), "not read yet"),
    ],
)
def test_a_metric_in_a_column(one: Measured, told: str) -> None:
    assert brief((one,))[0] == told


def test_nothing_measured_is_a_dash() -> None:
    assert brief(()) == ("–", "")


def test_of_several_the_first_is_told() -> None:
    assert brief((measured(), measured(trouble="refused"))) == ("+58 % 38/day", "")


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (
            measured(),
            f"+58 %: 38 users a day since release, 24 before. {NO_CAUSE}",
        ),
        (measured(effect=None), "38 users a day, +58 % against the 14 days before (24)."),
        (
            measured(effect=early("users since", 12, 30)),
            "Too early to compare: 12 of 30 users since the release.",
        ),
        (
            measured(effect=early("users before", 12, 30, after=38.0)),
            "38 users a day since release, too few before it to compare.",
        ),
        (measured(trouble="unknown"), 'Not measured: PostHog has no flag "payouts".'),
        (measured(trouble="empty"), "Not measured: PostHog has no data in this project yet."),
        (measured(per_day=None, window=None), "Not measured yet."),
        (measured(effect=None, metric=CHART), "38 a day, +58 % against the 14 days before (24)."),
    ],
)
def test_a_metric_in_a_sentence(one: Measured, told: str) -> None:
    assert headline(one) == told


def test_few_users_are_too_few_once_no_more_weeks_are_compared() -> None:
    one = measured(effect=early("users since", 12, 30))
    assert headline(one, RELEASE) == "Too few to compare: 12 of 30 users in 7 days after it."
    lately = Shipped(on=LAST - timedelta(days=13), how="completed", property="")
    assert headline(one, lately).startswith("Too early to compare: ")


def test_none_before_has_no_ratio() -> None:
    effect = Compared(weeks=2, before=0, after=38, ratio=None, low=None, high=None, early=None)
    assert headline(measured(effect=effect)).endswith("none before it to compare.")


def test_a_change_that_may_be_none_is_called_so() -> None:
    effect = Compared(weeks=2, before=24, after=26, ratio=1.08, low=0.9, high=1.3, early=None)
    told = dict(adoption_facts(measured(effect=effect), RELEASE, NOW, UTC))
    assert told["ratio"].endswith("0.90 to 1.30: it may as well not have changed)")
    told = dict(adoption_facts(measured(), RELEASE, NOW, UTC))
    assert told["ratio"] == "× 1.58 (95 % interval 1.40 to 1.80)"


def test_the_weeks_that_are_compared_leave_out_the_day_of_the_release() -> None:
    told = dict(adoption_facts(measured(), RELEASE, NOW, UTC))
    assert told["compared"] == (
        "2 whole weeks before (24 Oct to 6 Nov) and after (8 Nov to 21 Nov): 24 → 38 a day"
    )


@pytest.mark.parametrize(
    ("how", "property_", "told"),
    [
        ("completed", "", "7 Nov 2026: its date of completion"),
        ("property", "Live on", '7 Nov 2026: its "Live on"'),
        ("saw", "", "7 Nov 2026: the day it was first seen done"),
    ],
)
def test_the_day_of_a_release_says_where_it_comes_from(how: Any, property_: str, told: str) -> None:
    assert released_fact(Shipped(on=ON, how=how, property=property_)) == told


def test_a_release_of_an_unknown_day_without_a_property_says_what_to_set() -> None:
    found = released_fact(Shipped(on=None, how="unknown", property=""))
    assert found.endswith("name a property with the day as `released` in the rule")


def test_private_names_are_left_out_of_every_sentence() -> None:
    metric = Measure(
        instance="posthog",
        tool="PostHog",
        kind=MetricKind.flag,
        noun="flag",
        name="",
        counts=Counts.users,
    )
    one = measured(metric=metric, title="", trouble="unknown")
    assert headline(one) == "Not measured: PostHog has no flag."
    told = dict(adoption_facts(one, RELEASE, NOW, UTC))
    assert told["measures"] == "flag: unique users a day, in PostHog (posthog)"


def test_days_are_drawn_as_high_as_they_are() -> None:
    span = Span(date(2026, 11, 1), date(2026, 11, 9))
    values = [0, 1, 2, 3, 4, 5, 6, 7, 8]
    days = tuple(DayValue(day, float(v)) for day, v in zip(span.dates(), values, strict=True))
    bars, below = plot(measured(known=span, days=days), None)
    assert bars == "·" + "▂▃▄▅▆▇██"
    assert below == "1 Nov   the highest is 8"
    bars, _ = plot(measured(known=span, days=days), RELEASE)
    assert bars.index("│") == 6  # before the seventh


def test_no_use_at_all_is_told_and_not_drawn() -> None:
    span = Span(date(2026, 11, 1), date(2026, 11, 2))
    days = tuple(DayValue(day, 0.0) for day in span.dates())
    assert plot(measured(known=span, days=days), RELEASE) == ["no use from 1 Nov to 2 Nov"]
    assert plot(measured(known=None, days=()), RELEASE) == []


@pytest.mark.parametrize(
    ("age", "first", "last"), [(None, 55, 0), (3, 55, 0), (28, 55, 0), (100, 127, 72)]
)
def test_eight_weeks_are_drawn_about_the_release(age: int | None, first: int, last: int) -> None:
    on = None if age is None else LAST - timedelta(days=age)
    known = Span.ending(LAST, 366)
    span = Span(LAST - timedelta(days=first), LAST - timedelta(days=last))
    assert plotted(known, on) == span


def test_what_was_read_is_drawn_where_it_is_less_than_eight_weeks() -> None:
    assert plotted(WINDOW, ON) == WINDOW
    assert plotted(WINDOW, LAST - timedelta(days=300)) == WINDOW


def test_on_a_narrow_terminal_fewer_days_are_drawn() -> None:
    assert plotted(Span.ending(LAST, 366), ON, 28) == Span.ending(LAST, 28)


def test_every_height_can_be_told_from_the_others() -> None:
    assert len(set(BARS)) == len(BARS) == 8
