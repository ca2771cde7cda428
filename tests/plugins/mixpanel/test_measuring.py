"""Use by day from Mixpanel: in the fewest queries, and never a number that is none."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from tests.plugins.mixpanel.world import DAYS, World, event, flag, measured, report
from tests.support.clock import FakeClock

from opsync import BadAnswer, Counts, RateLimited, Reading, SignInError, Span, TemporaryError
from opsync.sandbox.mixpanel import Series

Body = dict[str, Any]


def answering(*bodies: object, status: int = 200) -> httpx.MockTransport:
    """A way to a vendor that gives these answers, one after the other; bytes as they are."""
    left = list(bodies)

    def answer(_: httpx.Request) -> httpx.Response:
        body = left.pop(0)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.Response(status, content=content, headers={"content-type": "application/json"})

    return httpx.MockTransport(answer)


def rows(**values: object) -> Body:
    """An answer of the Query API."""
    return {"data": {"series": [], "values": values}, "legend_size": len(values)}


def told(values: object, first: str = "2026-02-02", last: str = "2026-03-02") -> Body:
    """An answer for a saved report."""
    return {
        "computed_at": "2026-03-02T09:00:00+00:00",
        "date_range": {"from_date": f"{first}T00:00:00-07:00", "to_date": f"{last}T23:59:59-07:00"},
        "headers": ["$event"],
        "series": values,
    }


async def one(world: World, *bodies: object, name: str = "Checkout") -> Reading:
    """What is read of one event from these answers."""
    metric = event(name)
    return (await measured(world.connect(answering(*bodies)), [metric]))[metric]


async def of_report(world: World, body: object, name: str = "7") -> Reading:
    metric = report(name)
    return (await measured(world.connect(answering(body)), [metric]))[metric]


# Queries ------------------------------------------------------------------------------------------


async def test_all_events_take_one_query(world: World) -> None:
    readings = await world.measure(event("Checkout"), event("Invoice paid"))

    assert world.asked == ["GET events"]
    history = world.project.history
    for metric, reading in readings.items():
        assert reading.span == DAYS
        assert reading.windows == {}
        assert [reading.days.get(day, 0) for day in DAYS.dates()] == [
            len(history.users("event", metric.name, day)) for day in DAYS.dates()
        ]
    assert sum(readings[event("Invoice paid")].days.values()) > 0


async def test_all_flags_take_one_query(world: World) -> None:
    readings = await world.measure(flag("one-tap"), flag("sso"))

    assert world.asked == ["GET segmentation"]
    asked = parse_qs(world.project.exchanges[0].query)
    assert asked["event"] == ["$experiment_started"]
    assert asked["on"] == ['properties["Experiment name"]']
    assert asked["limit"] == ["10000"]
    day = date(2026, 2, 20)
    assert readings[flag("sso")].days[day] == len(world.project.history.users("flag", "sso", day))


async def test_users_and_events_are_counted_by_queries_of_their_own(world: World) -> None:
    users, times = event("Checkout"), event("Checkout", Counts.events)

    readings = await world.measure(users, times)

    assert world.asked == ["GET events", "GET events"]
    day = date(2026, 2, 20)
    assert readings[times].days[day] == 2 * readings[users].days[day]


async def test_the_type_is_always_asked_for_as_the_default_counts_every_time(world: World) -> None:
    await world.measure(event("Checkout"), flag("sso"), flag("sso", Counts.events))

    types = [parse_qs(exchange.query)["type"] for exchange in world.project.exchanges]
    assert types == [["unique"], ["unique"], ["general"]]


async def test_a_workspace_is_named_in_every_query(world: World) -> None:
    await measured(world.connect(workspace=77), [event("Checkout")])

    assert parse_qs(world.project.exchanges[0].query)["workspace_id"] == ["77"]


async def test_another_event_and_property_may_tell_of_flags(world: World) -> None:
    world.project.flag_event, world.project.flag_property = "Flag met", 'Key "short"'
    mixpanel = world.connect(flag_event="Flag met", flag_property='Key "short"')

    reading = (await measured(mixpanel, [flag("sso")]))[flag("sso")]

    assert reading.trouble == ""
    assert sum(reading.days.values()) > 0


async def test_more_names_than_an_address_holds_take_a_second_query(world: World) -> None:
    names = [f"Ereignis {n:03} — später umbenannt" for n in range(150)]
    metrics = [event("Checkout"), *(event(name) for name in names)]

    readings = await world.measure(*metrics)

    assert 2 <= world.asked.count("GET events") <= 3
    assert readings[event("Checkout")].trouble == ""
    assert max(len(exchange.query) for exchange in world.project.exchanges) < 8_000


# What has no value --------------------------------------------------------------------------------


async def test_an_unknown_event_is_told_with_the_nearest_names(world: World) -> None:
    metrics = (event("checkout"), event("Checkout"), event("Nothing alike"))

    readings = await world.measure(*metrics)

    assert world.asked == ["GET events", "GET names"]
    assert readings[event("Checkout")].trouble == ""
    assert readings[event("checkout")].trouble == "unknown"
    assert readings[event("checkout")].nearest == ("Checkout",)
    assert readings[event("Nothing alike")].nearest == ()


async def test_an_unknown_flag_is_told_with_the_nearest_and_without_a_query(world: World) -> None:
    readings = await world.measure(flag("one-tab"), flag("sso"))

    assert world.asked == ["GET segmentation"]
    assert readings[flag("one-tab")].trouble == "unknown"
    assert readings[flag("one-tab")].nearest == ("one-tap",)


async def test_a_flag_beyond_those_that_mixpanel_tells_is_not_called_unknown(world: World) -> None:
    every = {f"flag-{number}": {"2026-02-20": 1} for number in range(10_000)}
    mixpanel = world.connect(answering(rows(**every)))

    reading = (await measured(mixpanel, [flag("sso")]))[flag("sso")]

    assert reading.trouble == "refused"
    assert reading.message == "not among the 10,000 flags that Mixpanel tells"


async def test_an_event_beyond_the_names_that_mixpanel_tells_says_so(world: World) -> None:
    reading = await one(world, rows(), [f"Event {number}" for number in range(5_000)])

    assert reading.trouble == "unknown"
    assert "5,000 most common events" in reading.message


async def test_where_no_flag_has_data_the_event_that_is_missing_is_named(world: World) -> None:
    mixpanel = world.connect(flag_event="Flag met")

    reading = (await measured(mixpanel, [flag("sso")]))[flag("sso")]

    assert reading.trouble == "unknown"
    assert reading.message == 'no event "Flag met" in the last 31 days'


async def test_an_event_that_exists_and_was_not_used_is_zero(world: World) -> None:
    before = Span(date(2026, 2, 1), date(2026, 2, 10))

    reading = (await world.measure(event("Invoice paid"), days=before))[event("Invoice paid")]

    assert (reading.trouble, reading.span, dict(reading.days)) == ("", before, {})


async def test_a_row_of_zeros_may_be_that_of_a_name_that_does_not_exist(world: World) -> None:
    reading = await one(world, rows(Checkout={"2026-02-20": 0}), ["Check out"])

    assert (reading.trouble, reading.nearest) == ("unknown", ("Check out",))


async def test_what_had_data_once_is_zero_without_a_further_query(
    world: World, clock: FakeClock
) -> None:
    metrics = (event("Checkout"), flag("sso"))
    await world.measure(*metrics)
    clock.advance(90 * 86_400)
    world.project.history.events.clear()
    world.project.history.flags.clear()
    world.project.exchanges.clear()
    later = Span(DAYS.first + timedelta(days=90), DAYS.last + timedelta(days=90))

    readings = await world.measure(*metrics, days=later)

    assert world.asked == ["GET events", "GET segmentation"]
    assert {(r.trouble, r.span, len(r.days)) for r in readings.values()} == {("", later, 0)}


async def test_a_project_without_any_event_is_empty_and_not_zero(world: World) -> None:
    world.project.history.events.clear()
    world.project.history.flags.clear()

    readings = await world.measure(event("Checkout"), flag("sso"))

    assert {reading.trouble for reading in readings.values()} == {"empty"}
    assert world.asked == ["GET events", "GET segmentation", "GET names"]


# Odd answers --------------------------------------------------------------------------------------


async def test_missing_and_unsorted_days_and_numbers_in_strings_are_read(world: World) -> None:
    values = {"2026-02-20": "132", "2026-02-03": 7, "2026-02-10": 1.0, "2026-03-02": 99}

    reading = await one(world, rows(Checkout=values))

    assert reading.span == DAYS
    assert reading.days == {
        date(2026, 2, 3): 7,
        date(2026, 2, 10): 1,
        date(2026, 2, 20): 132,
    }


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"2026-02-20": "many"}, 'the value of 2026-02-20 is no number: "many"'),
        ({"2026-02-20": None}, 'the value of 2026-02-20 is no number: "None"'),
        ({"2026-02-20": True}, 'the value of 2026-02-20 is no number: "True"'),
        ({"2026-02-20": "nan"}, 'the value of 2026-02-20 is no number: "nan"'),
        ({"20 Feb": 3}, '"20 Feb" is no day'),
        ({"2026-02-30": 3}, '"2026-02-30" is no day'),
        ([3, 4], "the answer has no object"),
    ],
)
async def test_a_value_that_is_no_number_is_refused_by_name_and_never_zero(
    world: World, values: object, why: str
) -> None:
    reading = await one(world, rows(Checkout=values))

    assert (reading.trouble, reading.message, reading.span) == ("refused", why, None)


async def test_a_day_that_comes_twice_is_refused_and_the_other_events_are_read(
    world: World,
) -> None:
    body = (
        b'{"data": {"series": [], "values": {"A": {"2026-02-20": 1, "2026-02-20": 2},'
        b' "B": {"2026-02-20": 3}}}, "legend_size": 2}'
    )
    mixpanel = world.connect(answering(body))

    readings = await measured(mixpanel, [event("A"), event("B")])

    assert readings[event("A")].message == 'the answer has "2026-02-20" twice'
    assert readings[event("B")].days == {date(2026, 2, 20): 3}


async def test_an_answer_of_another_shape_is_refused(world: World) -> None:
    reading = await one(world, {"results": []})

    assert (reading.trouble, reading.message) == ("refused", "the answer has no data.values")


async def test_broken_json_is_a_bad_answer(world: World) -> None:
    with pytest.raises(BadAnswer, match="is no JSON"):
        await one(world, b'{"data": {"values": {"Checkout": {"2026-02-20": 1,}}}}')


async def test_a_cut_answer_is_asked_for_again(world: World) -> None:
    world.project.faults.cut_next = 1

    reading = (await world.measure(event("Checkout")))[event("Checkout")]

    assert reading.trouble == ""
    assert world.asked == ["GET events", "GET events"]


async def test_a_refused_query_is_told_with_the_vendors_text(world: World) -> None:
    asked = {"request": "/api/query/events?x=1", "error": "from_date is before the plan's history"}
    mixpanel = world.connect(answering(asked, status=400))

    reading = (await measured(mixpanel, [event("Checkout")]))[event("Checkout")]

    assert (reading.trouble, reading.message) == (
        "refused",
        "from_date is before the plan's history",
    )


async def test_a_plan_without_queries_is_a_refusal_with_the_next_step(world: World) -> None:
    mixpanel = world.connect(answering({"error": "Your plan does not allow API calls"}, status=402))

    reading = (await measured(mixpanel, [flag("sso")]))[flag("sso")]

    assert reading.trouble == "refused"
    assert "does not allow API calls The Query API is part of paid plans" in reading.message


# The whole instance -------------------------------------------------------------------------------


async def test_a_dead_account_is_a_matter_of_sign_in(world: World) -> None:
    world.project.faults.refuse_token = True

    with pytest.raises(SignInError, match="refused the service account") as caught:
        await world.measure(event("Checkout"))
    assert "Service Accounts" in caught.value.hint


async def test_an_outage_is_temporary_and_keeps_what_was_read_before(world: World) -> None:
    readings = aiter(world.connect().measure([event("Checkout"), flag("sso")], DAYS, ()))

    assert (await anext(readings)).metric == event("Checkout")
    world.project.start_outage()
    with pytest.raises(TemporaryError):
        await anext(readings)


async def test_a_spent_hour_is_waited_for_whole(world: World) -> None:
    world.project.faults.rate_limit_next = 1

    with pytest.raises(RateLimited) as caught:
        await world.measure(event("Checkout"))

    assert caught.value.retry_after_s == 3600
    assert world.asked == ["GET events"]


async def test_the_hours_limit_is_kept_with_room_for_others(world: World) -> None:
    mixpanel = world.connect()
    for _ in range(48):
        await measured(mixpanel, [event("Checkout")])

    with pytest.raises(RateLimited) as caught:
        await measured(mixpanel, [event("Checkout")])

    assert caught.value.sent is False
    assert len(world.project.exchanges) == 48
    assert world.project.over_budget == 0


async def test_annotations_do_not_take_from_the_queries_budget(world: World) -> None:
    mixpanel = world.connect()
    for _ in range(48):
        await measured(mixpanel, [event("Checkout")])

    feed = (await mixpanel.feeds())[1]
    assert [batch async for batch in mixpanel.pull(feed, None)]


# Saved reports ------------------------------------------------------------------------------------


async def test_a_report_takes_one_query_however_many_of_its_series_are_asked_for(
    world: World,
) -> None:
    lines = {"Paid": Series("event", "Checkout"), "Met": Series("flag", "sso", "general")}
    made = world.project.add_report("Payments", lines, days=60)
    paid, met = report(f"{made.id}#Paid"), report(f"{made.id}#Met")

    readings = await world.measure(paid, met)

    assert world.asked == ["GET insights"]
    day = date(2026, 2, 20)
    assert readings[paid].span == DAYS
    assert readings[paid].days[day] == len(world.project.history.users("event", "Checkout", day))
    assert readings[met].days[day] == world.project.history.times("flag", "sso", day)
    assert readings[paid].title == "Paid"


async def test_a_report_with_one_series_needs_no_name_of_it(world: World) -> None:
    made = world.project.add_report("Payments", {"Paid": Series("event", "Checkout")})

    reading = (await world.measure(report(str(made.id))))[report(str(made.id))]

    assert (reading.trouble, reading.title) == ("", "Paid")


async def test_a_report_that_reaches_less_far_back_is_read_as_far_as_it_does(world: World) -> None:
    made = world.project.add_report("Payments", {"Paid": Series("event", "Checkout")}, days=15)

    reading = (await world.measure(report(str(made.id))))[report(str(made.id))]

    assert reading.span == Span(date(2026, 2, 16), DAYS.last)
    assert min(reading.days) == date(2026, 2, 16)


async def test_of_several_series_one_is_to_be_named(world: World) -> None:
    body = told({"A": {"2026-02-20": 1}, "B": {"2026-02-20": 2}})

    unnamed, wrong = await of_report(world, body), await of_report(world, body, "7#b")

    assert unnamed.trouble == wrong.trouble == "unknown"
    assert unnamed.message == "the report has 2 series: name one as 7#A"
    assert unnamed.nearest == ("7#A", "7#B")
    assert (wrong.message, wrong.nearest) == ('the report has no series "b"', ("7#B",))


async def test_the_parts_of_a_breakdown_are_series_too(world: World) -> None:
    two = {"2026-02-20T00:00:00-07:00": 2, "2026-02-21T00:00:00-07:00": 3}
    body = told({"A": {"$overall": {"2026-02-20T00:00:00-07:00": 9, **two}, "DE": two}})

    whole, part = await of_report(world, body, "7#A"), await of_report(world, body, "7#A / DE")

    assert (whole.trouble, part.trouble) == ("", "")
    assert part.days == {date(2026, 2, 20): 2, date(2026, 2, 21): 3}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (told({"A": 132}), "the report shows a total: choose Line and Day in it"),
        (
            told({"A": {"2026-02-02": 1, "2026-02-09": 2, "2026-02-16": 3}}),
            "the report does not count by day: choose Line and Day in it",
        ),
        (
            told({"A": {"2026-02-02": 1}}),
            "the report does not count by day: choose Line and Day in it",
        ),
        (
            told({"A": {"2026-02-20T00:00:00": 1, "2026-02-20T01:00:00": 1}}),
            "2026-02-20 is there twice",
        ),
        (
            told({"A": {"2026-02-02": 1, "2026-02-03": 2}}, last="2026-02-04"),
            "the report shows 2026-02-02 to 2026-02-04: choose days that end today in it",
        ),
        ({"error": "odd"}, "the answer has no object"),
    ],
)
async def test_a_report_that_does_not_tell_by_day_is_refused_by_name(
    world: World, body: object, why: str
) -> None:
    reading = await of_report(world, body)

    assert (reading.trouble, reading.message) == ("refused", why)


async def test_a_report_by_week_is_refused(world: World) -> None:
    lines = {"Paid": Series("event", "Checkout")}
    made = world.project.add_report("Payments", lines, unit="week")

    reading = (await world.measure(report(str(made.id))))[report(str(made.id))]

    assert (reading.trouble, "by day" in reading.message) == ("refused", True)


async def test_a_report_that_is_not_there_is_unknown(world: World) -> None:
    readings = await world.measure(report("4711"), report("weekly"))

    assert readings[report("4711")].trouble == "unknown"
    assert "report 4711 not found" in readings[report("4711")].message
    assert readings[report("weekly")].message == '"weekly" is no report\'s id, which is a number'
    assert world.asked == ["GET insights"]
