"""How much things are used: in the fewest requests, day by day."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest

from opsync.errors import RateLimited, SignInError, TemporaryError
from opsync.model import Counts, Metric, Span, Value
from opsync.sandbox.amplitude import AmplitudeProject
from opsync.sandbox.usage import Behaviour, History
from tests.plugins.amplitude.conftest import (
    BEFORE,
    LAST,
    LATELY,
    MONTH,
    TWO_MONTHS,
    Connect,
    chart,
    event,
    flag,
    measured,
)
from tests.support.clock import FakeClock

SEGMENTATION = "/api/2/events/segmentation"


def queries(project: AmplitudeProject) -> list[dict[str, str]]:
    """The segmentations that were asked for."""
    return [
        {name: values[0] for name, values in parse_qs(one.query).items()}
        for one in project.exchanges
        if one.path == SEGMENTATION
    ]


# How many requests -------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "requests"), [(1, 1), (2, 1), (3, 2), (4, 2), (11, 6)])
async def test_events_take_one_request_for_each_two(
    project: AmplitudeProject, connect: Connect, count: int, requests: int
) -> None:
    names = [f"Event {n}" for n in range(count)]
    project.history.events.update({name: Behaviour(5 + n) for n, name in enumerate(names)})

    found = await measured(connect(project), *(event(name) for name in names))

    assert project.read_requests == requests
    assert all(one.trouble == "" for one in found.values())


async def test_all_flags_take_one_request(project: AmplitudeProject, connect: Connect) -> None:
    names = [f"flag-{n}" for n in range(120)]
    project.history.flags.update({name: Behaviour(3 + n) for n, name in enumerate(names)})

    found = await measured(connect(project), *(flag(name) for name in names))

    assert project.read_requests == 1
    assert all(one.days for one in found.values())
    (query,) = queries(project)
    assert query["limit"] == "1000"
    assert json.loads(query["e"]) == {
        "event_type": "[Experiment] Exposure",
        "group_by": [{"type": "event", "value": "[Experiment] Flag Key"}],
    }


async def test_each_way_of_counting_takes_requests_of_its_own(
    project: AmplitudeProject, connect: Connect
) -> None:
    found = await measured(
        connect(project),
        event("Checkout"),
        event("Refund", Counts.events),
        flag("dark-mode"),
        flag("instant-payouts", Counts.events),
    )

    assert project.read_requests == 4
    assert sorted(query["m"] for query in queries(project)) == [
        "totals",
        "totals",
        "uniques",
        "uniques",
    ]
    day = LAST
    assert found[event("Refund", Counts.events)].days[day] == project.history.times(
        "event", "Refund", day
    )


async def test_a_chart_takes_one_request_whatever_is_taken_from_it(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.add_chart(
        "abc1",
        "Two things",
        {"A": ("event", "Checkout", "uniques"), "B": ("event", "Payout", "uniques")},
    )

    found = await measured(connect(project), chart("abc1#A"), chart("abc1#B"))

    assert project.read_requests == 1
    assert found[chart("abc1#A")].days != found[chart("abc1#B")].days


async def test_nothing_to_measure_takes_no_request(
    project: AmplitudeProject, connect: Connect
) -> None:
    assert await measured(connect(project)) == {}
    assert project.read_requests == 0


async def test_a_year_of_days_takes_one_request_and_a_longer_time_two(
    project: AmplitudeProject, connect: Connect
) -> None:
    amplitude = connect(project)
    year = Span.ending(LAST, 365)
    await measured(amplitude, event("Checkout"), days=year, windows=())
    assert project.read_requests == 1

    longer = Span.ending(LAST, 366)
    found = await measured(amplitude, event("Checkout"), days=longer, windows=())
    assert project.read_requests == 3
    reading = found[event("Checkout")]
    assert reading.span == longer
    assert set(reading.days) == set(longer.dates())


async def test_days_that_need_a_second_request_anyhow_are_parted_at_the_window(
    project: AmplitudeProject, connect: Connect
) -> None:
    days = Span.ending(LAST, 366)

    found = await measured(connect(project), event("Checkout"), days=days)

    assert project.read_requests == 2
    assert set(found[event("Checkout")].windows) == {MONTH}


async def test_what_a_request_for_flags_costs_keeps_it_to_a_part_of_a_year(
    project: AmplitudeProject, connect: Connect
) -> None:
    amplitude = connect(project)

    found = await measured(amplitude, flag("dark-mode"), days=Span.ending(LAST, 160), windows=())

    assert project.read_requests == 1
    assert len(found[flag("dark-mode")].days) == 160


async def test_a_year_of_flags_is_read_bit_by_bit_as_the_budget_allows(
    history: History, clock: FakeClock, connect: Connect
) -> None:
    project = AmplitudeProject(history=history, now=clock.now)
    year = Span.ending(LAST, 365)
    kept: dict[str, Value] = {}
    for _ in range(2):
        with pytest.raises(RateLimited, match="limit for 'cost' is spent"):
            await measured(connect(project, kept=kept), flag("dark-mode"), days=year)
        clock.advance(300)

    found = await measured(connect(project, kept=kept), flag("dark-mode"), days=year)

    assert (project.read_requests, project.over_budget) == (3, 0)
    assert dict(found[flag("dark-mode")].days) == {
        day: len(history.users("flag", "dark-mode", day)) for day in year.dates()
    }
    assert "parts" not in kept


# Values and windows ------------------------------------------------------------------------------


async def test_days_are_what_the_project_counted(
    project: AmplitudeProject, connect: Connect, history: History
) -> None:
    found = await measured(connect(project), event("Checkout"), event("Payout"), days=TWO_MONTHS)

    for name in ("Checkout", "Payout"):
        reading = found[event(name)]
        assert reading.span == TWO_MONTHS
        assert dict(reading.days) == {
            day: len(history.users("event", name, day)) for day in TWO_MONTHS.dates()
        }


async def test_an_ordinary_day_tells_the_users_of_the_window_with_the_same_request(
    project: AmplitudeProject, connect: Connect, history: History
) -> None:
    found = await measured(connect(project), event("Checkout"), flag("dark-mode"))

    assert project.read_requests == 2
    reading = found[event("Checkout")]
    assert reading.span == MONTH
    assert reading.span.covers(LATELY)
    assert reading.windows == {MONTH: len(history.users_in("event", "Checkout", MONTH.dates()))}
    assert reading.windows[MONTH] < sum(reading.days.values())
    assert set(found[flag("dark-mode")].windows) == {MONTH}


async def test_no_request_is_made_for_a_windows_sake(
    project: AmplitudeProject, connect: Connect
) -> None:
    found = await measured(connect(project), event("Checkout"), days=TWO_MONTHS)

    assert project.read_requests == 1
    assert found[event("Checkout")].windows == {}


async def test_counted_times_have_no_users_of_a_window(
    project: AmplitudeProject, connect: Connect
) -> None:
    found = await measured(connect(project), event("Refund", Counts.events))

    assert found[event("Refund", Counts.events)].windows == {}


async def test_the_longest_window_that_ends_with_the_days_is_told(
    project: AmplitudeProject, connect: Connect
) -> None:
    week, month = Span.ending(LAST, 7), MONTH

    found = await measured(connect(project), event("Checkout"), windows=(BEFORE, week, month))

    assert set(found[event("Checkout")].windows) == {month}


async def test_events_with_any_name_are_asked_for_as_they_are(
    project: AmplitudeProject, connect: Connect
) -> None:
    names = ['Say "hi" & bye', "Überweisung #1", "a\\b + c%20d"]
    project.history.events.update({name: Behaviour(7) for name in names})

    found = await measured(connect(project), *(event(name) for name in names))

    assert all(found[event(name)].days for name in names)


async def test_a_custom_event_is_asked_for_by_its_prefix(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.history.events["ce:Any payout"] = Behaviour(7)

    found = await measured(connect(project), event("ce:Any payout"))

    assert found[event("ce:Any payout")].days


# What concerns the whole project -----------------------------------------------------------------


async def test_a_refused_key_pair_ends_the_measuring(
    project: AmplitudeProject, connect: Connect
) -> None:
    with pytest.raises(SignInError, match="refused the key pair"):
        await measured(connect(project, secret_key="old"), event("Checkout"))


async def test_an_outage_is_temporary(project: AmplitudeProject, connect: Connect) -> None:
    project.start_outage()
    with pytest.raises(TemporaryError):
        await measured(connect(project), event("Checkout"))


async def test_an_answer_that_is_cut_is_asked_for_again(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.faults.cut_next = 1

    found = await measured(connect(project), event("Checkout"))

    assert found[event("Checkout")].days
    assert project.read_requests == 2


async def test_a_spent_limit_is_told_with_its_time(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.faults.rate_limit_next = 1

    with pytest.raises(RateLimited, match="cost per hour") as raised:
        await measured(connect(project), event("Checkout"))

    assert raised.value.retry_after_s == 300
    assert project.read_requests == 1, "it is not tried again before that"


async def test_what_was_read_before_the_budget_was_spent_is_told(
    history: History, clock: FakeClock, connect: Connect
) -> None:
    project = AmplitudeProject(history=history, now=clock.now)
    names = [f"Event {n}" for n in range(40)]
    history.events.update({name: Behaviour(5) for name in names})
    read: list[Metric] = []

    async def read_all() -> None:
        metrics = [event(name) for name in names]
        async for one in connect(project).measure(metrics, LATELY, (MONTH,)):
            read.append(one.metric)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(RateLimited, match="limit for 'cost' is spent"):
        await read_all()

    assert project.over_budget == 0
    assert len(read) == 28, "fourteen requests of 56 each fit into four fifths of 1,000"


async def test_no_more_than_four_requests_are_under_way_at_once(
    project: AmplitudeProject, connect: Connect
) -> None:
    names = [f"Event {n}" for n in range(24)]
    project.history.events.update({name: Behaviour(5) for name in names})

    await measured(connect(project), *(event(name) for name in names))

    assert 1 < project.most_at_once <= 4
    assert project.over_budget == 0
