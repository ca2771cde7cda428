"""All events and flags are measured in one query, and read as what they are."""

from __future__ import annotations

from tests.plugins.posthog.world import (
    BEFORE,
    DAYS,
    WEEK,
    Harbor,
    event,
    flag,
    measured,
)

from opsync import Counts


async def test_any_number_of_events_and_flags_take_one_request(harbor: Harbor) -> None:
    metrics = [
        event("payout sent"),
        event("payout sent", Counts.events),
        event("checkout"),
        flag("instant-payouts"),
        flag("one-tap", Counts.events),
    ]
    readings = await measured(harbor.connect(), metrics)
    assert harbor.calls() == ["POST query/"]
    for metric, reading in readings.items():
        assert reading.trouble == ""
        assert reading.span == DAYS
        for day in DAYS.dates():
            users = len(harbor.history.users(metric.kind, metric.name, day))
            times = harbor.history.times(metric.kind, metric.name, day)
            assert reading.days[day] == (users if metric.counts is Counts.users else times)
        assert reading.windows == {
            span: len(harbor.history.users_in(metric.kind, metric.name, span.dates()))
            for span in (WEEK, BEFORE)
        }
