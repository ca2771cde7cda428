"""All events and flags are measured in one query, and read as what they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from types import ModuleType
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from tests.plugins.posthog.world import (
    BEFORE,
    DAYS,
    WEEK,
    YESTERDAY,
    Harbor,
    answering,
    event,
    flag,
    measured,
)
from tests.support.clock import FakeClock

from opsync import BadAnswer, Counts, RateLimited, Reading, SignInError, Span
from opsync.sandbox.usage import Behaviour
from opsync_posthog import hogql
from opsync_posthog.measuring import parts


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


async def test_days_without_data_are_left_out_and_so_zero(harbor: Harbor) -> None:
    harbor.history.events["new"] = Behaviour(5, since=YESTERDAY - timedelta(days=2))
    reading = (await measured(harbor.connect(), [event("new")]))[event("new")]
    assert reading.span == DAYS
    assert sorted(reading.days) == [YESTERDAY - timedelta(days=n) for n in (2, 1, 0)]
    assert reading.windows[BEFORE] == 0


async def test_the_project_s_time_zone_says_when_a_day_begins(harbor: Harbor) -> None:
    harbor.kept.clear()
    posthog = harbor.connect()
    assert await posthog.zone() == "Europe/Berlin"
    metric = event("payout sent")
    berlin = (await measured(posthog, [metric]))[metric]
    without = (await measured(harbor.connect(), [metric]))[metric]
    harbor.kept.clear()
    unknown = (await measured(harbor.connect(), [metric]))[metric]
    assert berlin.days == without.days == unknown.days
    tokyo = (await measured(harbor.connect(time_zone="Asia/Tokyo"), [metric]))[metric]
    assert tokyo.days != berlin.days


async def test_the_time_zone_is_asked_for_once_a_week(harbor: Harbor, clock: FakeClock) -> None:
    for _ in range(3):
        assert await harbor.connect().zone() == "Europe/Berlin"
    assert len(harbor.calls()) == 1
    clock.advance(8 * 86_400)
    harbor.project.faults.outage = True
    assert await harbor.connect().zone() == "Europe/Berlin"
    harbor.project.faults.outage = False
    harbor.history.zone = ZoneInfo("Europe/Lisbon")
    clock.advance(600)
    assert await harbor.connect().zone() == "Europe/Lisbon"


async def test_what_the_key_may_not_know_is_asked_once_a_day(
    harbor: Harbor, clock: FakeClock
) -> None:
    harbor.project.faults.missing_scopes = {"project:read"}
    for _ in range(3):
        assert await harbor.connect().zone() == ""
    assert len(harbor.calls()) == 1
    harbor.project.faults.missing_scopes = set()
    clock.advance(86_401)
    assert await harbor.connect().zone() == "Europe/Berlin"


async def test_the_settings_time_zone_goes_before_posthog_s(harbor: Harbor) -> None:
    assert await harbor.connect(time_zone="Asia/Tokyo").zone() == "Asia/Tokyo"
    assert harbor.calls() == []


async def test_names_are_values_whatever_stands_in_them(harbor: Harbor) -> None:
    odd = "it's {a} \\ 'test'; -- ☃ {events}"
    harbor.history.events[odd] = Behaviour(7)
    reading = (await measured(harbor.connect(), [event(odd)]))[event(odd)]
    assert len(reading.days) == 28
    (exchange,) = harbor.project.exchanges
    body = json.loads(exchange.request_body)
    assert odd not in body["query"]["query"]
    assert body["query"]["values"]["events"] == [odd]
    assert body["name"] == "opsync: adoption"


async def test_calls_of_flags_can_be_measured_as_an_event_beside_flags(harbor: Harbor) -> None:
    text = hogql.build(["$feature_flag_called"], ["one-tap"], DAYS, [], "").text
    assert text.count("UNION ALL") == 1
    assert "event IN {events}" in text


def test_days_and_windows_begin_in_the_zone_that_is_known() -> None:
    query = hogql.build(["Checkout"], ["one-tap"], DAYS, [DAYS], "Pacific/Auckland")
    assert query.values["zone"] == "Pacific/Auckland"
    for name in ("days_from", "days_to", "window_0_from", "window_0_to"):
        assert query.text.count(f"toDateTime({{{name}}}, {{zone}})") == 2
    assert query.text.count("toTimeZone(timestamp, {zone})") == 2


async def test_an_unknown_event_is_told_with_the_nearest_names(harbor: Harbor) -> None:
    asked = [event("Payouts sent"), event("checkout")]
    reading = (await measured(harbor.connect(), asked))[asked[0]]
    assert (reading.trouble, reading.nearest) == ("unknown", ("payout sent",))
    assert reading.days == {}
    assert harbor.calls() == ["POST query/", "GET event_definitions/"]


async def test_an_unknown_flag_is_told_with_the_nearest_keys(harbor: Harbor) -> None:
    asked = [flag("instant_payouts"), event("checkout")]
    reading = (await measured(harbor.connect(), asked))[asked[0]]
    assert (reading.trouble, reading.nearest) == ("unknown", ("instant-payouts",))
    assert harbor.calls() == ["POST query/", "GET feature_flags/"]


async def test_a_name_that_is_there_and_was_not_used_is_zero(
    harbor: Harbor, clock: FakeClock
) -> None:
    harbor.history.events["quiet"] = Behaviour(0)
    harbor.project.add_flag("dark-mode")
    asked = [event("quiet"), flag("dark-mode"), event("checkout")]
    for _ in range(2):
        readings = await measured(harbor.connect(), asked)
        for metric in asked[:2]:
            assert readings[metric].trouble == ""
            assert readings[metric].span == DAYS
            assert readings[metric].days == {}
    lists = ["GET event_definitions/", "GET feature_flags/"]
    assert harbor.calls() == ["POST query/", *lists, "POST query/"]
    clock.advance(8 * 86_400)
    await measured(harbor.connect(), asked)
    assert harbor.calls()[-2:] == lists


async def test_a_name_that_was_unknown_is_looked_for_again(harbor: Harbor) -> None:
    asked = [event("launch"), event("checkout")]
    await measured(harbor.connect(), asked)
    harbor.history.events["launch"] = Behaviour(0)
    reading = (await measured(harbor.connect(), asked))[asked[0]]
    assert reading.trouble == ""


async def test_a_project_without_any_data_is_empty_and_never_zero(harbor: Harbor) -> None:
    harbor.history.events.clear()
    harbor.history.flags.clear()
    asked = [event("payout sent"), flag("instant-payouts")]
    readings = await measured(harbor.connect(), asked)
    assert {one.trouble for one in readings.values()} == {"empty"}


async def test_without_the_scope_for_names_silence_is_never_zero(harbor: Harbor) -> None:
    harbor.project.faults.missing_scopes = {"event_definition:read", "feature_flag:read"}
    asked = [event("nothing"), flag("nothing"), event("checkout")]
    readings = await measured(harbor.connect(), asked)
    assert readings[asked[2]].trouble == ""
    for metric, scope in zip(asked[:2], ("event_definition", "feature_flag"), strict=True):
        assert readings[metric].trouble == "refused"
        assert f"{scope}:read" in readings[metric].message


async def test_a_refused_query_is_each_metrics_trouble_in_posthog_s_words(harbor: Harbor) -> None:
    said = "Unable to resolve field: person_id"
    harbor.transport = answering({"code": "illegal_hogql", "detail": said, "attr": None}, 400)
    readings = await measured(harbor.connect(), [event("a"), flag("b")])
    assert {(one.trouble, one.message) for one in readings.values()} == {("refused", said)}


async def test_many_names_are_asked_in_parts_that_one_answer_can_hold(harbor: Harbor) -> None:
    year = Span.ending(YESTERDAY, 366)
    hundred = [event(f"event {n}") for n in range(100)]
    assert len(list(parts(hundred, year, [WEEK, BEFORE]))) == 1
    many = [*hundred, *(flag(f"flag {n}") for n in range(100))]
    split = list(parts(many, year, [WEEK, BEFORE]))
    assert len(split) == 2
    assert sorted(one for part in split for one in part) == sorted(many)
    assert all(len(part) * (366 + 2) < hogql.ROWS for part in split)


async def test_users_and_times_of_a_name_share_its_rows(harbor: Harbor) -> None:
    both = [event("checkout"), event("checkout", Counts.events)]
    assert [len(part) for part in parts(both, DAYS, [])] == [2]


async def test_a_key_without_query_read_says_which_click_gives_it(harbor: Harbor) -> None:
    harbor.project.faults.missing_scopes = {"query:read"}
    with pytest.raises(SignInError, match=r"query:read") as refused:
        await measured(harbor.connect(), [event("checkout")])
    assert "Scopes → Query: Read" in refused.value.hint


async def test_too_many_queries_at_once_are_waited_for(harbor: Harbor, clock: FakeClock) -> None:
    harbor.project.busy_next = 1
    readings = await measured(harbor.connect(), [event("checkout")])
    assert readings[event("checkout")].trouble == ""
    assert harbor.calls() == ["POST query/", "POST query/"]
    assert sum(clock.slept) >= 1


async def test_the_legacy_limit_of_queries_is_kept_and_told(harbor: Harbor) -> None:
    posthog = harbor.connect(queries_per_hour=5)
    for _ in range(4):
        await measured(posthog, [event("checkout")])
    with pytest.raises(RateLimited) as spent:
        await measured(posthog, [event("checkout")])
    assert spent.value.retry_after_s == pytest.approx(3600, abs=5)
    assert len(harbor.calls()) == 4


# Answers that are not as they should be ----------------------------------------------------------


def rows_of(*rows: Sequence[object], **changes: object) -> dict[str, object]:
    fitting = {"columns": list(hogql.COLUMNS), "results": list(rows), "hasMore": False}
    return {**fitting, "limit": hogql.ROWS, **changes}


async def read_from(harbor: Harbor, answer: Mapping[str, object] | bytes) -> Reading:
    harbor.transport = answering(answer)
    return (await measured(harbor.connect(), [event("a")]))[event("a")]


async def test_numbers_in_strings_and_rows_in_any_order_are_read(harbor: Harbor) -> None:
    answer = rows_of(
        ["event", "a", "2026-03-01", "12", "30"],
        ["event", "a", str(WEEK), 40, 99],
        ["event", "a", "2026-02-27T00:00:00Z", 5.0, 7],
    )
    reading = await read_from(harbor, answer)
    assert reading.days == {date(2026, 2, 27): 5, date(2026, 3, 1): 12}
    assert reading.windows == {WEEK: 40, BEFORE: 0}


async def test_columns_in_another_order_are_read_by_their_names(harbor: Harbor) -> None:
    columns = ["users", "times", "span", "name", "kind"]
    answer = rows_of([12, 30, "2026-03-01", "a", "event"], columns=columns)
    assert (await read_from(harbor, answer)).days == {date(2026, 3, 1): 12}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (["event", "a", "2026-03-01", None, 3], "no number"),
        (["event", "a", "2026-03-01", "many", 3], "no number"),
        (["event", "a", "2026-03-01", -1, 3], "no count"),
        (["event", "a", "2026-03-01", True, 3], "no number"),
        (["event", "a", "2026-03-02", 1, 3], "no day that was asked for"),
        (["event", "a", "yesterday", 1, 3], "no day that was asked for"),
        (["event", "a", "2026-02-28", 1, 3], "twice"),
    ],
)
async def test_a_value_that_is_none_is_refused_by_name_and_never_zero(
    harbor: Harbor, row: list[object], says: str
) -> None:
    reading = await read_from(harbor, rows_of(["event", "a", "2026-02-28", 4, 4], row))
    assert reading.trouble == "refused"
    assert says in reading.message
    assert (reading.days, reading.span) == ({}, None)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (rows_of(hasMore=True), "cut"),
        (rows_of(["event", "a", "2026-03-01", 1, 3], limit=1), "cut"),
        (rows_of(["event", "b", "2026-03-01", 1, 3]), "not asked for"),
        (rows_of(["event", "a", "2026-03-01", 1]), "wrong length"),
        (rows_of(columns=["a"]), "other columns"),
        (rows_of(results=None), "without its rows"),
        (b'{"columns": ["kind"', "cut short"),
        (b"[1]", "cannot read"),
        (b"<p>Sign in", "web page"),
    ],
)
async def test_an_answer_that_cannot_be_trusted_is_none(
    harbor: Harbor, answer: Mapping[str, object] | bytes, says: str
) -> None:
    with pytest.raises(BadAnswer, match=says):
        await read_from(harbor, answer)


async def test_an_error_in_a_good_answer_is_told_in_posthog_s_words(harbor: Harbor) -> None:
    reading = await read_from(harbor, rows_of(results=None, error="Memory limit exceeded"))
    assert (reading.trouble, reading.message) == ("refused", "Memory limit exceeded")


@pytest.mark.sampled
@pytest.mark.parametrize("zone", ["", "Europe/Berlin"])
@pytest.mark.parametrize("names", [(["a"], []), ([], ["b"]), (["a"], ["b"])])
def test_posthog_s_own_parser_takes_the_query(
    zone: str, names: tuple[list[str], list[str]]
) -> None:
    parser = hogql_parser()
    query = hogql.build(*names, DAYS, [WEEK, BEFORE], zone)
    parsed = json.loads(parser.parse_select_json(query.text))
    assert "error" not in parsed
    assert parsed["node"] == "SelectQuery"
    assert parsed["limit"]["value"] == hogql.ROWS
    placeholders = set(re.findall(r"\{(\w+)\}", query.text))
    assert placeholders == set(query.values)


def hogql_parser() -> ModuleType:
    """PostHog's parser, which imports its server's error and tree classes: stand-ins will do."""

    class Server(ModuleType):
        def __getattr__(self, name: str) -> type[Exception]:
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (Exception,), {})

    parts = ("posthog", "posthog.hogql", "posthog.hogql.ast", "posthog.hogql.base")
    stand_ins = {name: Server(name) for name in (*parts, "posthog.hogql.errors")}
    with patch.dict("sys.modules", stand_ins):
        module: ModuleType = pytest.importorskip("hogql_parser")
    return module
