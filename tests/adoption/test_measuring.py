"""Windows, releases and what is too early: each rule with its test."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opsync.adoption import EARLY_USERS, LOOK_BACK_DAYS, adoption_of, needed
from opsync.adoption.measuring import effect_of
from opsync.adoption.welch import interval, of_values
from opsync.model import Early, Release, Span, Usage
from tests.adoption.build import EVENT, INSIGHT, LAST, day, step, usage

few = settings(max_examples=60, deadline=None, derandomize=True)
dates = st.dates(date(2020, 1, 1), date(2030, 1, 1))


def shipped(on: date) -> Release:
    return Release(on, "completed")


def test_the_window_is_whole_weeks_up_to_the_last_day_that_is_known() -> None:
    found = adoption_of(usage(weeks=3), None)
    assert found.window == Span(day(20), LAST)
    assert found.per_day == 10
    assert found.earlier == 10
    assert found.change == 0
    assert found.measured


def test_the_change_is_against_the_window_before() -> None:
    found = adoption_of(usage(step(day(6), 20.0, 30.0), weeks=1), None)
    assert (found.per_day, found.earlier, found.change) == (30, 20, pytest.approx(0.5))


def test_days_that_are_not_told_are_zero() -> None:
    found = adoption_of(usage({day(0): 7.0, day(3): 7.0}, weeks=1), None)
    assert found.per_day == 2


def test_no_use_at_all_is_a_number_too() -> None:
    found = adoption_of(usage(0.0), None)
    assert (found.per_day, found.earlier, found.change) == (0, 0, None)
    assert found.measured


def test_users_are_those_of_the_whole_window_where_the_tool_tells() -> None:
    window, other = Span(day(27), LAST), Span(day(6), LAST)
    assert adoption_of(usage(windows={window: 134.0, other: 60.0}), None).users == 134
    assert adoption_of(usage(windows={other: 60.0}), None).users is None


def test_an_insight_that_shows_less_is_measured_over_the_weeks_it_shows() -> None:
    found = adoption_of(usage(days=20, metric=INSIGHT), None)
    assert found.window == Span(day(13), LAST)
    assert (found.per_day, found.earlier) == (10, None)
    short = adoption_of(usage(days=6, metric=INSIGHT), None)
    assert (short.window, short.per_day, short.measured) == (None, None, False)


@pytest.mark.parametrize("trouble", ["unknown", "refused", "empty"])
def test_a_metric_in_trouble_has_no_numbers_and_says_why(trouble: str) -> None:
    one = usage(trouble=trouble, message="no such event", nearest=("payout",), title="Payouts")
    found = adoption_of(one, shipped(day(30)))
    assert not found.measured
    assert found.effect is None
    told = (found.trouble, found.message, found.nearest, found.title)
    assert told == (trouble, "no such event", ("payout",), "Payouts")


def test_a_metric_that_was_never_read_has_no_numbers() -> None:
    found = adoption_of(usage(known=None, days=0), None)
    assert (found.measured, found.trouble, found.stale) == (False, "", False)


def test_numbers_of_an_earlier_day_say_so_after_a_day() -> None:
    def stale(back: int) -> bool:
        return adoption_of(usage(last=day(back), last_day=LAST), None).stale

    assert [stale(0), stale(1), stale(2), stale(60)] == [False, False, True, True]


# Before against after --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "weeks"), [(7, 1), (13, 1), (14, 2), (20, 2), (21, 3), (27, 3), (28, 4), (60, 4)]
)
def test_as_many_whole_weeks_as_are_over_are_compared_up_to_four(since: int, weeks: int) -> None:
    found = effect_of(usage(step(day(since), 24.0, 38.0)), day(since))
    assert found is not None
    assert (found.weeks, found.before, found.after) == (weeks, 24, 38)
    assert found.ratio == pytest.approx(38 / 24)
    assert found.early is None


def test_the_rule_may_compare_fewer_weeks() -> None:
    found = effect_of(usage(step(day(60), 24.0, 38.0), weeks=2), day(60))
    assert found is not None
    assert found.weeks == 2


def test_the_day_of_the_release_belongs_to_neither_side() -> None:
    on = day(10)

    def value(one: date) -> float:
        return 100_000.0 if one == on else 24.0 if one < on else 38.0

    found = effect_of(usage(value), on)
    assert found is not None
    assert (found.weeks, found.before, found.after) == (1, 24, 38)


def test_the_sides_are_the_days_next_to_the_release() -> None:
    on = day(40)
    inside = Span(on - timedelta(days=28), on + timedelta(days=28))
    found = effect_of(usage(lambda one: 9.0 if inside.covers(Span(one, one)) else 5_000.0), on)
    assert found is not None
    assert (found.before, found.after) == (9, 9)


def test_the_interval_is_that_of_the_days_that_are_compared() -> None:
    on = day(20)
    varied = usage(lambda one: float(40 + one.day % 7 + (60 if one > on else 0)))
    found = effect_of(varied, on)
    assert found is not None
    sides = Span.ending(day(21), 14), Span(day(19), day(6))
    before, after = ([varied.days[one] for one in side.dates()] for side in sides)
    assert (found.low, found.high) == of_values(before, interval(before, after))
    assert found.low is not None
    assert found.ratio is not None
    assert found.high is not None
    assert found.low < found.ratio < found.high


@pytest.mark.parametrize("since", range(7))
def test_under_seven_days_it_is_too_early(since: int) -> None:
    found = effect_of(usage(step(day(since), 24.0, 38.0)), day(since))
    assert found is not None
    assert found.early == Early("days", since, 7)
    assert (found.weeks, found.before, found.ratio, found.low) == (0, 24, None, None)
    assert found.after == (38 if since else 0)


def test_on_the_day_of_the_release_no_day_is_over() -> None:
    found = effect_of(usage(24.0), LAST + timedelta(days=1))
    assert found is not None
    assert found.early == Early("days", 0, 7)


def test_under_thirty_users_on_a_side_it_is_too_early() -> None:
    on = day(7)
    few = dict.fromkeys(Span.ending(LAST, 7).dates(), 4.0)
    many = dict.fromkeys(Span.ending(day(8), 7).dates(), 9.0)
    found = effect_of(usage({**few, **many}), on)
    assert found is not None
    assert found.early == Early("users since", 28, EARLY_USERS)
    assert found.ratio is None
    late = effect_of(usage(dict.fromkeys(few, 9.0) | dict.fromkeys(many, 4.0)), on)
    assert late is not None
    assert late.early == Early("users before", 28, EARLY_USERS)


def test_thirty_users_on_each_side_are_enough() -> None:
    on = day(7)
    found = effect_of(usage({day(0): 30.0, day(9): 30.0}), on)
    assert found is not None
    assert (found.early, found.ratio) == (None, 1)


def test_an_insight_has_a_unit_of_its_own_so_that_any_values_will_do() -> None:
    on = day(7)
    found = effect_of(usage(step(on, 0.25, 0.5), metric=INSIGHT), on)
    assert found is not None
    assert found.early is None
    assert found.ratio == pytest.approx(2)


def test_an_insight_that_was_at_zero_has_changed_by_no_factor() -> None:
    found = effect_of(usage(step(day(7), 0.0, 0.5), metric=INSIGHT), day(7))
    assert found is not None
    assert (found.before, found.after, found.ratio, found.low) == (0, 0.5, None, None)


def test_an_insight_below_zero_makes_no_ratio() -> None:
    found = effect_of(usage(step(day(7), 2.0, -1.0), metric=INSIGHT), day(7))
    assert found is not None
    assert (found.after, found.ratio) == (-1, None)
    assert adoption_of(usage(step(day(6), -2.0, 1.0), metric=INSIGHT, weeks=1), None).change is None


def test_where_the_days_before_it_are_not_known_nothing_is_compared() -> None:
    assert effect_of(usage(days=34), day(28)) is None
    assert effect_of(usage(days=57), day(28)) is not None
    assert effect_of(usage(days=9), day(3)) is None
    assert effect_of(usage(known=None), day(28)) is None


def test_a_release_of_unknown_day_is_not_compared() -> None:
    assert adoption_of(usage(), Release(None, "unknown")).effect is None
    assert adoption_of(usage(), None).effect is None


def test_numbers_of_an_earlier_day_are_compared_as_of_that_day() -> None:
    stale = usage(step(day(20), 24.0, 38.0), last=day(10), last_day=LAST)
    found = effect_of(stale, day(20))
    assert found is not None
    assert found.weeks == 1


# Day after day ---------------------------------------------------------------------------------


def later(one: Usage, last: date, value: float) -> Usage:
    """The same when later days were read."""
    assert one.known is not None
    new = dict.fromkeys(Span(one.known.last + timedelta(days=1), last).dates(), value)
    return replace(one, days={**one.days, **new}, known=Span(one.known.first, last), last_day=last)


@few
@given(st.integers(0, 60), st.integers(1, 4), st.integers(1, 90))
def test_after_the_weeks_of_comparison_it_changes_no_more(since: int, weeks: int, on: int) -> None:
    before = usage(step(day(since), 24.0, 38.0), weeks=weeks)
    after = later(before, LAST + timedelta(days=on), 500.0)
    one, other = effect_of(before, day(since)), effect_of(after, day(since))
    assert other is not None
    if since >= 7 * weeks:
        assert one == other
    else:
        assert other.weeks == min(weeks, (since + on) // 7)


@few
@given(dates, st.integers(1, 4), st.lists(dates, max_size=3))
def test_what_is_needed_is_enough_and_no_more(last: date, weeks: int, released: list[date]) -> None:
    days = needed(last, weeks, released)
    assert days.last == last
    assert 14 * weeks <= days.days <= LOOK_BACK_DAYS
    least = usage(3.0, last=last, days=days.days, weeks=weeks)
    found = adoption_of(least, None)
    assert found.window is not None
    assert found.window.days == 7 * weeks
    assert found.earlier == 3
    oldest = last - timedelta(days=LOOK_BACK_DAYS - 1 - 7 * weeks)
    for on in released:
        effect = effect_of(least, on)
        if oldest <= on <= last:
            assert effect is not None
    wanted = [on - timedelta(days=7 * weeks) for on in released if oldest <= on <= last]
    assert days.first == min([last - timedelta(days=14 * weeks - 1), *wanted])


@few
@given(dates, st.integers(0, 40), st.integers(1, 4))
def test_both_sides_have_as_many_whole_weeks(on: date, since: int, weeks: int) -> None:
    last = on + timedelta(days=since)
    ramp = usage(lambda one: 1_000.0 + (one - on).days, last=last, days=since + 60, weeks=weeks)
    found = effect_of(ramp, on)
    assert found is not None
    if found.early is None:
        # On a straight line the two means lie as far from the day of the release.
        assert found.before + found.after == pytest.approx(2_000)
        assert found.after - 1_000 == pytest.approx((7 * found.weeks + 1) / 2)


def test_the_metric_stays_the_metric() -> None:
    assert adoption_of(usage(), None).metric == EVENT
