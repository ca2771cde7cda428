"""Which days are asked for."""

from __future__ import annotations

from datetime import date, timedelta

from opsync.adoption import LOOK_BACK_DAYS
from opsync.current import Asked
from opsync.model import Metric, MetricKind, Release, Span
from opsync.steps.measuring import wanted_of
from tests.support.build import ref

LAST = date(2026, 3, 1)
PAID = Metric("meter", MetricKind.event, "paid")
ONE, OTHER = ("roadmap", ref("1")), ("quarter", ref("2"))


def days(one: Release | None, weeks: int, other: Release | None, other_weeks: int) -> Span:
    asked = {ONE: [Asked(PAID, weeks, "")], OTHER: [Asked(PAID, other_weeks, "")]}
    [wanted] = wanted_of(asked, "meter", LAST, {ONE: one, OTHER: other})
    assert wanted.weeks == tuple(sorted({weeks, other_weeks}))
    return wanted.days


def released(ago: int) -> Release:
    return Release(LAST - timedelta(days=ago), "completed")


def test_the_weeks_before_a_release_are_those_of_the_rule_that_compares_it() -> None:
    assert days(released(100), 1, None, 4) == Span.ending(LAST, 108)


def test_a_release_too_long_ago_to_be_compared_costs_no_days() -> None:
    assert days(released(LOOK_BACK_DAYS - 28), 4, None, 4) == Span.ending(LAST, 56)
    assert days(released(LOOK_BACK_DAYS - 29), 4, None, 4) == Span.ending(LAST, LOOK_BACK_DAYS)
