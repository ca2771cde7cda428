"""What is told when nothing was counted, and of answers that are not as they should be: read as
what they are, or refused by name."""

from __future__ import annotations

import json
from datetime import date, timedelta

import httpx
import pytest

from opsync.model import Value
from opsync.sandbox.amplitude import AmplitudeProject
from opsync.sandbox.usage import Behaviour
from tests.plugins.amplitude.conftest import (
    LAST,
    LATELY,
    MONTH,
    Answers,
    Connect,
    event,
    flag,
    measured,
)


async def test_bad_input_an_unknown_event_is_told_with_the_nearest_names(
    project: AmplitudeProject, connect: Connect
) -> None:
    found = await measured(connect(project), event("Chekout"), event("Payout"), event("Zzzz"))

    unknown = found[event("Chekout")]
    assert (unknown.trouble, unknown.nearest[0]) == ("unknown", "Checkout")
    assert found[event("Zzzz")].trouble == "unknown"
    assert found[event("Payout")].days
    listings = [one for one in project.exchanges if one.path == "/api/2/events/list"]
    assert len(listings) == 1
    assert project.read_requests == 3


async def test_a_known_event_that_nobody_does_any_more_is_zero(
    project: AmplitudeProject, connect: Connect
) -> None:
    found = await measured(connect(project), event("Retired"))

    reading = found[event("Retired")]
    assert (reading.trouble, reading.span, reading.days) == ("", MONTH, {})
    assert reading.windows == {MONTH: 0}


async def test_an_event_of_every_project_is_never_unknown(
    project: AmplitudeProject, connect: Connect
) -> None:
    found = await measured(connect(project), event("_active"))

    assert (found[event("_active")].trouble, found[event("_active")].span) == ("", MONTH)


async def test_bad_input_an_unknown_flag_is_told_with_the_nearest_keys(
    project: AmplitudeProject, connect: Connect
) -> None:
    found = await measured(connect(project), flag("instant-payout"), flag("dark-mode"))

    unknown = found[flag("instant-payout")]
    assert (unknown.trouble, unknown.nearest) == ("unknown", ("instant-payouts",))
    assert found[flag("dark-mode")].days


async def test_a_flag_that_was_used_before_is_zero_once_nobody_sees_it(
    project: AmplitudeProject, connect: Connect
) -> None:
    kept: dict[str, Value] = {}
    await measured(connect(project, kept=kept), flag("dark-mode"))
    project.history.flags["dark-mode"] = Behaviour(0)
    before = project.read_requests

    found = await measured(connect(project, kept=kept), flag("dark-mode"))

    assert (found[flag("dark-mode")].trouble, found[flag("dark-mode")].span) == ("", MONTH)
    assert project.read_requests == before + 1


async def test_a_management_key_tells_an_unused_flag_from_one_that_is_not_there(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.add_flag("sso", "SSO")
    project.add_flag("price-test", experiment=True)
    amplitude = connect(project, management_key="amplitude_sandbox_management")

    found = await measured(amplitude, flag("sso"), flag("price-test"), flag("sso-2"))

    assert found[flag("sso")].span == MONTH
    assert found[flag("price-test")].span == MONTH
    assert (found[flag("sso-2")].trouble, found[flag("sso-2")].nearest) == ("unknown", ("sso",))


async def test_a_management_key_that_is_no_good_costs_nothing_else(
    project: AmplitudeProject, connect: Connect
) -> None:
    amplitude = connect(project, management_key="wrong")

    found = await measured(amplitude, flag("instant-payout"), flag("dark-mode"))

    assert found[flag("instant-payout")].trouble == "unknown"
    assert found[flag("dark-mode")].days


async def test_bad_input_a_project_without_data_is_empty_and_not_zero(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.history.events.clear()
    project.history.flags.clear()

    found = await measured(connect(project), event("Checkout"), event("_active"), flag("sso"))

    assert {one.trouble for one in found.values()} == {"empty"}
    assert all(one.span is None for one in found.values())


async def test_bad_input_a_refused_query_is_told_with_amplitudes_text(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.refuses["Checkout"] = "Invalid event: Checkout is blocked"

    found = await measured(connect(project), event("Checkout"))

    reading = found[event("Checkout")]
    assert (reading.trouble, reading.message) == ("refused", "Invalid event: Checkout is blocked")


async def test_an_event_that_is_refused_costs_its_neighbour_nothing(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.refuses["Checkout"] = "Invalid event: Checkout is blocked"

    found = await measured(connect(project), event("Checkout"), event("Payout"))

    assert found[event("Checkout")].trouble == "refused"
    assert found[event("Payout")].days


async def test_what_is_refused_and_in_no_list_is_unknown(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.refuses["Chekout"] = "Invalid event: Chekout"

    found = await measured(connect(project), event("Chekout"))

    reading = found[event("Chekout")]
    assert (reading.trouble, reading.nearest[0]) == ("unknown", "Checkout")
    assert reading.message == "Invalid event: Chekout"


async def test_refused_flags_are_told_with_amplitudes_text(
    project: AmplitudeProject, connect: Connect
) -> None:
    amplitude = connect(project, flag_property="flag_key")

    found = await measured(amplitude, flag("dark-mode"), event("Checkout"))

    reading = found[flag("dark-mode")]
    assert (reading.trouble, reading.message) == ("refused", "Invalid property: flag_key")
    assert found[event("Checkout")].days


async def test_bad_input_broken_json_as_in_the_documentation_is_read(
    project: AmplitudeProject, connect: Connect
) -> None:
    whole = await measured(connect(project), event("Checkout"), event("Payout"), flag("dark-mode"))
    project.broken_json = True

    found = await measured(connect(project), event("Checkout"), event("Payout"), flag("dark-mode"))

    assert found == whole
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(project.exchanges[-1].answer_body)


async def test_bad_input_unsorted_series_missing_days_and_numbers_as_text_are_read(
    project: AmplitudeProject, connect: Connect
) -> None:
    first = LAST - timedelta(days=5)
    project.history.events["New"] = Behaviour(4, since=first)
    metrics = (event("Checkout"), event("New"), flag("dark-mode"), flag("instant-payouts"))
    tidy = await measured(connect(project), *metrics)
    project.untidy = True

    found = await measured(connect(project), *metrics)

    assert found[event("Checkout")] == tidy[event("Checkout")]
    assert found[flag("dark-mode")] == tidy[flag("dark-mode")]
    new = found[event("New")]
    assert new.span == MONTH
    assert {day: n for day, n in new.days.items() if n} == {
        day: n for day, n in tidy[event("New")].days.items() if n
    }
    assert min(day for day, n in new.days.items() if n) == first


def answer(**data: object) -> str:
    days = [str(day) for day in LATELY.dates()]
    whole = {"series": [[1, 2, 3, 4]], "seriesLabels": [0], "xValues": days}
    return json.dumps({"data": whole | data})


ODD = {
    "a series of the wrong length": (answer(series=[[1, 2, 3]]), "3 values for 4 days"),
    "a day twice": (
        answer(xValues=["2026-02-26", "2026-02-26", "2026-02-28", "2026-03-01"]),
        "2026-02-26 is there twice",
    ),
    "a value that is no number": (answer(series=[[1, "many", 3, 4]]), 'is no number: "many"'),
    "a value that is nothing": (answer(series=[[1, None, 3, 4]]), 'is no number: "None"'),
    "a value that is true": (answer(series=[[1, True, 3, 4]]), 'is no number: "True"'),
    "a day that is none": (answer(xValues=["Mon", "Tue", "Wed", "Thu"]), '"Mon" is no day'),
    "more series than events": (answer(series=[[1, 2, 3, 4]] * 2), "2 series for 1 events"),
    "no data": ('{"datum": {}}', "has no data"),
    "no JSON": ('{"data": {"series": [1 2]}}', "cannot be read"),
}


@pytest.mark.parametrize("what", ODD)
async def test_bad_input_an_answer_that_does_not_fit_together_is_refused_by_name(
    connect: Connect, what: str
) -> None:
    body, said = ODD[what]
    transport = Answers(api_2_events_segmentation=body)

    found = await measured(connect(transport=transport), event("Checkout"), windows=())

    reading = found[event("Checkout")]
    assert reading.trouble == "refused"
    assert said in reading.message


async def test_an_answer_that_tells_two_events_apart_by_name_is_read_by_name(
    connect: Connect,
) -> None:
    body = answer(series=[[1, 2, 3, 4], [5, 6, 7, 8]], seriesLabels=["Payout", "Checkout"])
    amplitude = connect(transport=Answers(api_2_events_segmentation=body))

    found = await measured(amplitude, event("Checkout"), event("Payout"), windows=())

    assert found[event("Payout")].days[LAST] == 4
    assert found[event("Checkout")].days[LAST] == 8


async def test_two_events_that_an_answer_does_not_tell_apart_are_asked_for_one_by_one(
    connect: Connect,
) -> None:
    def one(request: httpx.Request) -> str:
        if "e2" in request.url.params:
            return answer(series=[[1, 2, 3, 4], [5, 6, 7, 8]], seriesLabels=[0, 0])
        checkout = "Checkout" in request.url.params["e"]
        return answer(series=[[5, 6, 7, 8] if checkout else [1, 2, 3, 4]])

    transport = Answers(api_2_events_segmentation=one)
    kept: dict[str, Value] = {}
    amplitude = connect(transport=transport, kept=kept)

    found = await measured(amplitude, event("Checkout"), event("Payout"), windows=())

    assert found[event("Payout")].days[LAST] == 4
    assert found[event("Checkout")].days[LAST] == 8
    assert len(transport.asked) == 3

    again = connect(transport=transport, kept=kept)
    assert await measured(again, event("Checkout"), event("Payout"), windows=()) == found
    assert len(transport.asked) == 5, "it is not tried each day"


async def test_one_series_that_may_be_of_either_event_is_asked_for_again(
    connect: Connect,
) -> None:
    def one(request: httpx.Request) -> str:
        if "e2" not in request.url.params and "Checkout" in request.url.params["e"]:
            return answer(series=[], seriesLabels=[])
        return answer()

    kept: dict[str, Value] = {}
    events = {"data": [{"value": "Checkout"}, {"value": "Payout"}]}
    transport = Answers(api_2_events_segmentation=one, api_2_events_list=events)

    found = await measured(
        connect(transport=transport, kept=kept), event("Checkout"), event("Payout"), windows=()
    )

    assert found[event("Payout")].days[LAST] == 4
    assert (found[event("Checkout")].trouble, found[event("Checkout")].days) == ("", {})
    assert "apart" not in kept


async def test_a_bad_series_costs_its_neighbour_nothing(connect: Connect) -> None:
    body = answer(series=[[1, 2, 3, 4], [5, "x", 7, 8]], seriesLabels=[0, 1])
    amplitude = connect(transport=Answers(api_2_events_segmentation=body))

    found = await measured(amplitude, event("Checkout"), event("Payout"), windows=())

    assert found[event("Checkout")].days[LAST] == 4
    assert found[event("Payout")].trouble == "refused"


async def test_two_series_of_one_flag_are_refused(connect: Connect) -> None:
    labels = [[0, "sso"], [0, "sso"], [0, "dark-mode"]]
    body = answer(series=[[1, 2, 3, 4]] * 3, seriesLabels=labels)
    amplitude = connect(transport=Answers(api_2_events_segmentation=body))

    found = await measured(amplitude, flag("sso"), flag("dark-mode"), windows=())

    assert found[flag("sso")].message == "Amplitude: the answer has two series of that name"
    assert found[flag("dark-mode")].days[LAST] == 4


async def test_a_flag_beyond_the_thousandth_is_refused_and_not_zero(connect: Connect) -> None:
    labels = [[0, f"flag-{n}"] for n in range(1000)]
    body = answer(series=[[1, 2, 3, 4]] * 1000, seriesLabels=labels)
    amplitude = connect(transport=Answers(api_2_events_segmentation=body))

    found = await measured(amplitude, flag("flag-999"), flag("late"), windows=())

    assert found[flag("flag-999")].days
    assert found[flag("late")].trouble == "refused"
    assert "1000 at most" in found[flag("late")].message


async def test_days_that_were_not_asked_for_are_left_out(connect: Connect) -> None:
    body = answer(
        series=[[9, 1, 2, 3]], xValues=["2026-02-25", "2026-02-26", "2026-02-27", "2026-02-28"]
    )
    amplitude = connect(transport=Answers(api_2_events_segmentation=body))

    found = await measured(amplitude, event("Checkout"), windows=())

    reading = found[event("Checkout")]
    assert reading.span == LATELY
    assert date(2026, 2, 25) not in reading.days
    assert reading.days.get(LAST, 0) == 0
