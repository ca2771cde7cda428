"""The interval about a ratio, held against scipy."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from opsync.adoption.welch import interval, of_values, t_distribution, t_quantile

Series = list[float]

few = settings(max_examples=60, deadline=None, derandomize=True)
counts = st.integers(0, 100_000).map(float)
series = st.lists(counts, min_size=2, max_size=28)


def by_scipy(before: Series, after: Series) -> tuple[float, float]:
    """The same by an implementation that is not ours."""
    one, other = [math.log1p(x) for x in before], [math.log1p(x) for x in after]
    found = stats.ttest_ind(other, one, equal_var=False).confidence_interval(0.95)
    return math.exp(found.low), math.exp(found.high)


def days(die: Random, level: float, spread: float, count: int) -> Series:
    """Whole numbers about a level, not all of them the same: of those scipy says nothing."""
    found = [float(max(0, round(die.gauss(level, spread)))) for _ in range(count)]
    return found if len(set(found)) > 1 else [found[0] + 1, *found[1:]]


@pytest.mark.parametrize("seed", range(40))
def test_it_is_what_scipy_makes_of_it(seed: int) -> None:
    die = Random(seed)
    weeks = die.choice((7, 14, 21, 28))
    level = 10 ** die.uniform(0, 5)
    before = days(die, level, level * die.uniform(0.02, 0.8), weeks)
    after = days(die, level * die.uniform(0.2, 4), level * die.uniform(0.02, 0.8), weeks)
    found = interval(before, after)
    assert found is not None
    assert found == pytest.approx(by_scipy(before, after), rel=1e-9)


def test_sides_of_different_lengths_are_as_scipy_makes_them() -> None:
    before, after = [3.0, 5.0], [9.0, 8.0, 12.0, 7.0, 30.0]
    assert interval(before, after) == pytest.approx(by_scipy(before, after), rel=1e-9)


@pytest.mark.parametrize("probability", [0.6, 0.9, 0.975, 0.9995])
@pytest.mark.parametrize("degrees", [0.3, 1, 1.37, 2, 6.02, 12, 54.9, 1e3, 1e6])
def test_the_quantile_is_that_of_scipy(probability: float, degrees: float) -> None:
    wanted = stats.t.ppf(probability, degrees)
    assert t_quantile(probability, degrees) == pytest.approx(wanted, rel=1e-8)


@pytest.mark.parametrize("t", [0.0, 1e-9, 0.3, 1.0, 2.5, 40.0, 1e6])
@pytest.mark.parametrize("degrees", [0.3, 1, 6.02, 54.9, 1e6])
def test_the_distribution_is_that_of_scipy(t: float, degrees: float) -> None:
    assert t_distribution(t, degrees) == pytest.approx(stats.t.cdf(t, degrees), rel=1e-8)


def test_days_without_use_on_both_sides_have_changed_by_nothing() -> None:
    assert interval([0.0] * 7, [0.0] * 7) == (1.0, 1.0)


def test_two_constant_series_leave_no_doubt() -> None:
    assert interval([9.0] * 7, [19.0] * 7) == pytest.approx((2.0, 2.0))


def test_one_constant_side_has_the_doubt_of_the_other() -> None:
    before, after = [24.0] * 14, days(Random(1), 38, 6, 14)
    # Of a side without variance scipy warns, and says the same as the test of one sample.
    one = stats.ttest_1samp([math.log1p(x) for x in after], math.log1p(24.0))
    found = one.confidence_interval(0.95)
    wanted = (math.exp(found.low) / 25, math.exp(found.high) / 25)
    assert interval(before, after) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(("before", "after"), [([], []), ([1.0], [2.0, 3.0]), ([2.0, 3.0], [1.0])])
def test_one_day_on_a_side_makes_no_interval(before: Series, after: Series) -> None:
    assert interval(before, after) is None


def test_what_is_below_zero_makes_no_interval() -> None:
    assert interval([1.0, -0.5, 2.0], [1.0, 2.0, 3.0]) is None
    assert interval([1.0, 2.0, 3.0], [1.0, -2.0, 3.0]) is None


def test_the_largest_counts_stay_numbers() -> None:
    found = interval([0.0, 1e15] * 7, [1e15, 0.0] * 7)
    assert found is not None
    assert all(map(math.isfinite, found))
    assert found[0] * found[1] == pytest.approx(1.0)


@few
@given(series, series)
def test_the_other_way_round_it_is_the_inverse(before: Series, after: Series) -> None:
    low, high = interval(before, after) or (0, 0)
    turned = interval(after, before)
    assert turned == pytest.approx((1 / high, 1 / low), rel=1e-9)


@few
@given(series, series)
def test_the_change_that_was_seen_is_in_the_middle(before: Series, after: Series) -> None:
    low, high = interval(before, after) or (0, 0)
    mean = [sum(map(math.log1p, side)) / len(side) for side in (before, after)]
    assert low <= high
    assert math.log(low) + math.log(high) == pytest.approx(2 * (mean[1] - mean[0]), abs=1e-6)


@few
@given(series)
def test_nothing_changed_is_always_possible_where_nothing_did(same: Series) -> None:
    low, high = interval(same, same) or (0, 0)
    assert low <= 1 + 1e-12
    assert high >= 1 - 1e-12


@few
@given(
    st.lists(st.integers(1_000, 9_000).map(float), min_size=7, max_size=28),
    st.lists(st.integers(1_000, 9_000).map(float), min_size=7, max_size=28),
    st.integers(2, 1_000),
)
def test_counts_that_are_not_small_may_be_counted_in_any_unit(
    before: Series, after: Series, unit: int
) -> None:
    found = interval([unit * x for x in before], [unit * x for x in after])
    assert found == pytest.approx(interval(before, after), rel=0.01)


@few
@given(series, st.integers(2, 5))
def test_more_of_the_same_days_leave_less_doubt(before: Series, times: int) -> None:
    after = [2 * x + 1 for x in before]
    few, many = interval(before, after), interval(before * times, after * times)
    assert few is not None
    assert many is not None
    assert many[1] / many[0] <= few[1] / few[0] * (1 + 1e-9)


# As a factor of the values themselves ----------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("level", [1, 2, 5, 40, 3_000])
def test_the_ratio_lies_in_its_interval_however_few_the_users(level: int, seed: int) -> None:
    die = Random(seed)
    before = [float(level + die.choice((-1, 0, 0, 1))) for _ in range(28)]
    after = [float(3 * level + die.choice((-1, 0, 0, 1))) for _ in range(28)]
    low, high = of_values(before, interval(before, after)) or (0, 0)
    ratio = sum(after) / sum(before)
    assert low <= ratio * (1 + 1e-3)
    assert high >= ratio * (1 - 1e-3)


def test_of_many_users_it_is_the_same_interval() -> None:
    before, after = days(Random(2), 50_000, 4_000, 28), days(Random(3), 60_000, 4_000, 28)
    bounds = interval(before, after)
    assert of_values(before, bounds) == pytest.approx(bounds, rel=1e-4)


def test_of_constant_series_it_is_the_ratio() -> None:
    before, after = [1.0] * 7, [3.0] * 7
    assert of_values(before, interval(before, after)) == pytest.approx((3, 3))


def test_it_never_ends_below_zero() -> None:
    before, after = [1.0, 2.0, 1.0, 2.0], [0.0, 0.0, 9.0, 0.0]
    low, high = of_values(before, interval(before, after)) or (-1, -1)
    assert low == 0
    assert high > 1


def test_where_there_was_no_use_there_is_no_factor() -> None:
    assert of_values([0.0] * 7, interval([0.0] * 7, [5.0] * 7)) is None
    assert of_values([1.0], None) is None
