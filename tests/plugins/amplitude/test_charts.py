"""Saved charts: their table is read for certain, or refused by name."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from io import StringIO

import pytest

from opsync import Unreadable
from opsync.model import Span
from opsync.sandbox.amplitude import AmplitudeProject
from opsync_amplitude import charts
from tests.plugins.amplitude.conftest import LAST, TODAY, Answers, Connect, chart, measured

ONE = {"All users": ("event", "Checkout", "uniques")}
TWO = {
    "Checkout": ("event", "Checkout", "uniques"),
    "Payouts": ("event", "Payout", "totals"),
}


def table(*rows: list[object]) -> bytes:
    text = StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    return json.dumps({"data": text.getvalue()}).encode()


DAYS = ["\t2026-02-27", "\t2026-02-28", "\t2026-03-01"]


async def test_a_chart_tells_its_days_and_its_name(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.add_chart("abc123", "Checkouts by day", ONE, days=30)

    found = await measured(connect(project), chart("abc123"))

    reading = found[chart("abc123")]
    assert (reading.trouble, reading.title) == ("", "Checkouts by day")
    assert reading.span == Span(TODAY - timedelta(days=29), LAST)
    assert reading.days == {
        day: len(project.history.users("event", "Checkout", day)) for day in reading.span.dates()
    }
    assert reading.windows == {}


async def test_todays_value_is_left_out(project: AmplitudeProject, connect: Connect) -> None:
    project.add_chart("abc123", "Checkouts", ONE)
    found = await measured(connect(project), chart("abc123"))
    assert TODAY not in found[chart("abc123")].days


async def test_one_of_several_series_is_named(project: AmplitudeProject, connect: Connect) -> None:
    project.add_chart("abc123", "Two", TWO)

    found = await measured(connect(project), chart("abc123#Payouts"))

    days = found[chart("abc123#Payouts")].days
    assert days[LAST] == project.history.times("event", "Payout", LAST)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("abc123", ("abc123#Checkout", "abc123#Payouts")),
        ("abc123#Payout", ("abc123#Payouts",)),
        ("abc123#Zzz", ("abc123#Checkout", "abc123#Payouts")),
    ],
)
async def test_bad_input_a_series_that_is_not_there_is_unknown_with_those_that_are(
    project: AmplitudeProject, connect: Connect, name: str, nearest: tuple[str, ...]
) -> None:
    project.add_chart("abc123", "Two", TWO)

    found = await measured(connect(project), chart(name))

    reading = found[chart(name)]
    assert (reading.trouble, reading.nearest) == ("unknown", nearest)


async def test_bad_input_a_chart_that_is_not_there_is_unknown(
    project: AmplitudeProject, connect: Connect
) -> None:
    found = await measured(connect(project), chart("nothere"))
    reading = found[chart("nothere")]
    assert (reading.trouble, reading.message) == ("unknown", "Chart nothere not found")


async def test_a_chart_of_another_project_is_refused_and_ends_nothing(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.add_chart("abc123", "Secret", ONE)
    project.add_chart("abc124", "Open", ONE)
    project.faults.deny = {"abc123"}

    found = await measured(connect(project), chart("abc123"), chart("abc124"))

    reading = found[chart("abc123")]
    assert (reading.trouble, reading.message) == (
        "refused",
        "You do not have access to this chart",
    )
    assert found[chart("abc124")].days


async def test_a_chart_by_week_is_refused(project: AmplitudeProject, connect: Connect) -> None:
    project.add_chart("abc123", "By week", ONE, days=84, step=7)
    found = await measured(connect(project), chart("abc123"))
    assert found[chart("abc123")].message == "Amplitude: the chart is not by day"


async def test_a_chart_of_today_alone_is_refused(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.add_chart("abc123", "Today", ONE, days=1)
    found = await measured(connect(project), chart("abc123"))
    assert found[chart("abc123")].message == "Amplitude: the chart shows no day that is over"


async def test_an_id_is_no_path(connect: Connect) -> None:
    transport = Answers(**{"api_3_chart_.._.._2_events_list_csv": table().decode()})
    found = await measured(connect(transport=transport), chart("../../2/events/list"))
    assert found
    assert transport.asked[0].url.raw_path == b"/api/3/chart/..%2F..%2F2%2Fevents%2Flist/csv"


def test_labels_of_several_columns_missing_days_and_text_are_read() -> None:
    body = table(
        ["\tPayouts"],
        ["\tby platform"],
        [],
        ["\tEvent", "\tPlatform", "\t2026-02-25", *DAYS[:1], *DAYS[1:], ""],
        ["\tPayout", "\tiOS", "7", "1", "\t2", "0", ""],
        [],
        ["\tPayout", "\tWeb", 0, 3, "4.5", 1, ""],
    )
    first = date(2026, 2, 25)
    days = [first, date(2026, 2, 27), date(2026, 2, 28), LAST]

    found = charts.read(body, LAST)

    assert (found.title, found.span) == ("Payouts", Span(first, LAST))
    assert found.series == {
        "Payout, iOS": dict(zip(days, [7, 1, 2, 0], strict=True)),
        "Payout, Web": dict(zip(days, [0, 3, 4.5, 1], strict=True)),
    }


def test_days_in_any_order_are_read() -> None:
    body = table(["Segment", *reversed(DAYS)], ["All", 3, 2, 1])
    found = charts.read(body, LAST)
    assert found.series["All"] == {date(2026, 2, 27): 1, date(2026, 2, 28): 2, LAST: 3}


ODD = {
    "no days": (table(["Step", "Users"], ["Start", 5]), "no row of days"),
    "no table": (b'{"data": {"series": []}}', "has no table"),
    "no JSON": (b"Segment;1;2", "cannot be read"),
    "no series": (table(["Segment", *DAYS]), "has no series"),
    "a short row": (table(["Segment", *DAYS], ["All", 1, 2]), "2 values for 3 days"),
    "no number": (table(["Segment", *DAYS], ["All", 1, "-", 3]), 'is no number: "-"'),
    "an empty cell": (table(["Segment", *DAYS], ["All", 1, "", 3]), 'is no number: ""'),
    "a day twice": (table(["Segment", *DAYS, DAYS[0]], ["All", 1, 2, 3, 4]), "a day twice"),
    "a label twice": (
        table(["Segment", *DAYS], ["All", 1, 2, 3], ["All", 1, 2, 3]),
        "two series called 'All'",
    ),
    "no day among days": (table(["Segment", *DAYS, "Total"], ["All", 1, 2, 3, 6]), "no day"),
    "an open quote": (b'{"data": "\\"Segment,2026"}', "table cannot be read"),
}


@pytest.mark.parametrize("what", ODD)
def test_bad_input_a_table_that_is_not_certain_is_refused_by_name(what: str) -> None:
    body, said = ODD[what]
    with pytest.raises(Unreadable, match=said):
        charts.read(body, LAST)
