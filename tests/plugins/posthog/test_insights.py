"""Saved insights are read by their short ids, one request each."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from tests.plugins.posthog.world import DAYS, YESTERDAY, Harbor, answering, event, insight, measured

from opsync import Reading, Span
from opsync.sandbox.posthog import Insight, Series

PAYOUTS = Series("Payouts", "event", "payout sent")
CHECKOUTS = Series("Checkouts", "event", "checkout", "events")


async def reading_of(harbor: Harbor, name: str, days: Span = DAYS) -> Reading:
    return (await measured(harbor.connect(), [insight(name)], days, ()))[insight(name)]


def one_with(harbor: Harbor, result: object) -> Insight:
    """An insight that shows this, whatever it is."""
    made = harbor.project.add_insight("Odd", PAYOUTS)
    made.result = result
    return made


async def test_an_insight_is_read_by_day_in_one_request(harbor: Harbor) -> None:
    made = harbor.project.add_insight("Payouts a day", PAYOUTS, days=90)
    reading = await reading_of(harbor, made.short_id)
    assert harbor.calls() == ["GET insights/"]
    assert (reading.trouble, reading.title, reading.span) == ("", "Payouts a day", DAYS)
    for day in DAYS.dates():
        assert reading.days[day] == len(harbor.history.users("event", "payout sent", day))


async def test_the_days_that_are_needed_are_asked_for(harbor: Harbor) -> None:
    made = harbor.project.add_insight("Payouts a day", PAYOUTS, days=7)
    long = Span.ending(YESTERDAY, 90)
    assert (await reading_of(harbor, made.short_id, long)).span == long


async def test_where_they_are_not_given_those_that_are_shown_are_known(harbor: Harbor) -> None:
    harbor.project.takes_overrides = False
    made = harbor.project.add_insight("Payouts a day", PAYOUTS, days=7)
    reading = await reading_of(harbor, made.short_id)
    assert reading.span == Span(YESTERDAY - timedelta(days=6), YESTERDAY)


async def test_an_insight_that_shows_other_days_is_refused(harbor: Harbor) -> None:
    made = one_with(harbor, [{"label": "a", "data": [1], "days": ["2020-01-01"]}])
    reading = await reading_of(harbor, made.short_id)
    assert (reading.trouble, reading.title) == ("refused", "Odd")
    assert "shows none of the days 2026-02-02 to 2026-03-01" in reading.message


async def test_of_several_lines_one_is_named(harbor: Harbor) -> None:
    made = harbor.project.add_insight("Both", PAYOUTS, CHECKOUTS)
    reading = await reading_of(harbor, f"{made.short_id}#Checkouts")
    assert reading.days[YESTERDAY] == harbor.history.times("event", "checkout", YESTERDAY)
    for name, nearest in (
        (made.short_id, ("Payouts", "Checkouts")),
        (f"{made.short_id}#Check-outs", ("Checkouts", "Payouts")),
    ):
        unsure = await reading_of(harbor, name)
        assert unsure.trouble == "unknown"
        assert unsure.nearest == tuple(f"{made.short_id}#{label}" for label in nearest)


async def test_an_unknown_insight_is_unknown_and_the_others_go_on(harbor: Harbor) -> None:
    readings = await measured(harbor.connect(), [insight("AbCd1234"), event("checkout")])
    assert readings[insight("AbCd1234")].trouble == "unknown"
    assert readings[event("checkout")].trouble == ""


async def test_a_deleted_insight_is_unknown(harbor: Harbor) -> None:
    made = harbor.project.add_insight("Payouts a day", PAYOUTS)
    made.deleted = True
    assert (await reading_of(harbor, made.short_id)).trouble == "unknown"


async def test_one_that_is_being_computed_is_waited_for(harbor: Harbor) -> None:
    made = harbor.project.add_insight("Slow", PAYOUTS)
    made.computing = 2
    reading = await reading_of(harbor, made.short_id)
    assert (reading.trouble, reading.span) == ("", DAYS)
    calls = harbor.calls()
    assert len(calls) == 4
    assert calls[1].startswith("GET query/")


async def test_one_that_takes_too_long_is_refused_for_now(harbor: Harbor) -> None:
    made = harbor.project.add_insight("Slow", PAYOUTS)
    made.computing = 100
    reading = await reading_of(harbor, made.short_id)
    assert reading.trouble == "refused"
    assert "still computing" in reading.message


async def test_numbers_in_strings_and_unsorted_days_are_read(harbor: Harbor) -> None:
    days = ["2026-03-01", "2026-02-27", "2026-02-28T00:00:00"]
    made = one_with(harbor, [{"label": "a", "data": ["3", 1.0, 2], "days": days}])
    reading = await reading_of(harbor, made.short_id)
    assert [reading.days[day] for day in sorted(reading.days)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (None, "no result"),
        ({"funnel": 1}, "no trend by day"),
        ([[1, 2]], "no trend by day"),
        ([{"label": "a", "data": [1, 2], "days": ["2026-03-01"]}], "2 values for 1 days"),
        ([{"label": "a", "data": [None], "days": ["2026-03-01"]}], "2026-03-01 is no number"),
        ([{"label": "a", "data": ["x"], "days": ["2026-03-01"]}], "2026-03-01 is no number"),
        ([{"label": "a", "data": [1, 1], "days": ["2026-03-01"] * 2}], "twice"),
        ([{"label": "a", "data": [1], "days": ["2026-03-01 13:00:00"]}], "13:00:00"),
        ([{"label": "a", "data": [1, 2], "days": ["2026-02-15", "2026-02-22"]}], "week or month"),
        ([{"label": "a", "data": [], "days": []}], "none of the days"),
    ],
)
async def test_what_is_no_series_by_day_is_refused_by_name(
    harbor: Harbor, result: object, says: str
) -> None:
    reading = await reading_of(harbor, one_with(harbor, result).short_id)
    assert (reading.trouble, reading.days) == ("refused", {})
    assert says in reading.message


async def test_an_insight_by_week_is_refused_whatever_few_days_it_shows(harbor: Harbor) -> None:
    made = one_with(harbor, [{"label": "a", "data": [700], "days": ["2026-03-01"]}])
    made.interval = "week"
    reading = await reading_of(harbor, made.short_id)
    assert (reading.trouble, reading.message) == (
        "refused",
        "the insight is by week: group it by day",
    )


async def test_an_insight_of_another_shape_is_refused_and_the_others_go_on(
    harbor: Harbor,
) -> None:
    harbor.transport = answering({"results": [{"id": 1, "short_id": 5}]})
    reading = await reading_of(harbor, "AbCd1234")
    assert reading.trouble == "refused"
    assert "cannot be read" in reading.message


async def test_two_lines_of_one_name_are_not_told_apart(harbor: Harbor) -> None:
    line = {"label": "a", "data": [1], "days": ["2026-03-01"]}
    made = one_with(harbor, [line, line])
    assert "several lines" in (await reading_of(harbor, f"{made.short_id}#a")).message


async def test_a_key_without_insight_read_says_which_click_gives_it(harbor: Harbor) -> None:
    harbor.project.faults.missing_scopes = {"insight:read"}
    readings = await measured(harbor.connect(), [insight("AbCd1234"), event("checkout")])
    refused = readings[insight("AbCd1234")]
    assert refused.trouble == "refused"
    assert "insight:read" in refused.message
    assert "Scopes → Insight: Read" in refused.message
    assert readings[event("checkout")].trouble == ""


async def test_what_posthog_refuses_to_compute_is_told_in_its_words(harbor: Harbor) -> None:
    made = harbor.project.add_insight("Broken", PAYOUTS)
    made.refused = "Property group is not known"
    reading = await reading_of(harbor, made.short_id)
    assert (reading.trouble, reading.message) == ("refused", "Property group is not known")
    (exchange,) = harbor.project.exchanges
    assert json.loads(exchange.answer_body)["type"] == "validation_error"
