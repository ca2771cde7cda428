"""Numbers, times and values on a screen."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from opsync.cli import words
from opsync.model import Value
from tests.support.build import at

NOW = at(22)


@pytest.mark.parametrize(
    ("share", "text"), [(None, "···"), (0, "░░░"), (0.5, "██░"), (0.99, "██░"), (1, "███")]
)
def test_a_bar_is_full_only_when_all_is_done(share: float | None, text: str) -> None:
    assert words.bar(share, 3) == text


@pytest.mark.parametrize(
    ("past", "text"),
    [
        (timedelta(seconds=8), "8 s"),
        (timedelta(minutes=3, seconds=59), "3 min"),
        (timedelta(minutes=89), "89 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(hours=73), "3 days"),
        (timedelta(seconds=-5), "0 s"),
    ],
)
def test_a_time_is_told_in_one_unit(past: timedelta, text: str) -> None:
    assert words.ago(NOW - past, NOW) == text


def test_what_never_was_is_never() -> None:
    assert words.ago(None, NOW) == "never"
    assert words.day(None) == "–"
    assert words.percent(None) == "–"


def test_days_are_written_as_in_the_tools() -> None:
    assert words.day(date(2026, 12, 1)) == "1 Dec"


@pytest.mark.parametrize(
    ("value", "place", "text"),
    [
        (None, "Delivery", "(empty)"),
        ("", "Delivery", "(empty)"),
        ("12 of 20 done", "Delivery", '"12 of 20 done"'),
        (0.6, "Delivery %", "60 %"),
        (3.0, "Count", "3"),
        (True, "Flag", "yes"),
        (
            [["PAY-100 8/12", "https://x.example"], ["+2 more", ""]],
            "Work",
            "PAY-100 8/12 · +2 more",
        ),
        ({"title": "GRO-44 Card form", "subtitle": ""}, "Link", 'link "GRO-44 Card form"'),
        (
            {"label": "Roadmap: A", "summary": "12/20 done"},
            "Link",
            'link "Roadmap: A" (12/20 done)',
        ),
        ({"b": 2, "a": 1}, "Else", "a: 1, b: 2"),
        ("x\x1b[31m\ny", "Delivery", '"x [31m y"'),
    ],
)
def test_a_value_is_one_line_that_people_understand(value: Value, place: str, text: str) -> None:
    assert words.value(value, place) == text


def test_long_values_are_cut() -> None:
    assert len(words.value("x" * 5000)) == words.VALUE_LIMIT + 2


def test_a_tally_names_the_most_frequent_first() -> None:
    assert words.tallied(["Notion", "Jira", "Jira", "Linear"]) == "Jira 2 · Linear 1 · Notion 1"
