"""Numbers by day are read as what they are, or refused by name."""

from __future__ import annotations

from datetime import date

import pytest

from opsync.model import Unreadable, by_day, day_of, days_between, number_of

FIRST, SECOND = date(2026, 2, 27), date(2026, 2, 28)


def test_days_in_any_order_and_numbers_in_strings_are_read() -> None:
    found = by_day(["2026-02-28T00:00:00+01:00", "2026-02-27"], ["3", 1])
    assert list(found.items()) == [(FIRST, 1.0), (SECOND, 3.0)]


@pytest.mark.parametrize(
    ("days", "values", "says"),
    [
        (["2026-02-27"], [1, 2], "2 values for 1 days"),
        (["2026-02-27", "2026-02-27 00:00:00"], [1, 1], "2026-02-27 is there twice"),
        (["27 Feb"], [1], '"27 Feb" is no day'),
        (["2026-02-30"], [1], '"2026-02-30" is no day'),
        ([None], [1], '"None" is no day'),
        (["2026-02-27"], [None], 'the value of 2026-02-27 is no number: "None"'),
        (["2026-02-27"], ["many"], 'the value of 2026-02-27 is no number: "many"'),
    ],
)
def test_what_is_no_series_by_day_is_refused(
    days: list[object], values: list[object], says: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        by_day(days, values)
    assert str(refused.value) == says


@pytest.mark.parametrize("value", [True, None, "", "nan", "inf", float("inf"), 10**400, [1]])
def test_no_number_is_ever_taken_for_one(value: object) -> None:
    with pytest.raises(Unreadable, match="no number"):
        number_of(value)


@pytest.mark.parametrize("text", ["2026-02-2", "2026-02-27x", "27.02.2026", "", 20260227])
def test_a_day_is_written_in_full(text: object) -> None:
    assert day_of(text) is None


def test_days_between_tell_a_series_by_day_from_one_by_week() -> None:
    weeks = [date(2026, 2, 1), date(2026, 2, 15), date(2026, 2, 8)]
    assert (days_between(weeks), days_between([*weeks, date(2026, 2, 9)])) == (7, 1)
    assert (days_between([]), days_between([FIRST, FIRST])) == (0, 0)
