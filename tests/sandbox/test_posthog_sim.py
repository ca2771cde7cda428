"""The simulated PostHog behaves like the vendor where a connector could stumble."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from opsync.sandbox.posthog import PostHogProject, Series
from opsync.sandbox.usage import Behaviour, History
from opsync.sandbox.vendor import AmbiguousItem

START = datetime(2026, 11, 22, 10, 4, 37, tzinfo=UTC)
IN = "/api/projects/1/"
NOTE = {"content": "Launch", "date_marker": "2026-11-20T00:00:00Z", "scope": "project"}
BY_DAY = (
    "SELECT event, toString(toDate(timestamp)) AS day, count(DISTINCT person_id) AS users"
    " FROM events WHERE event IN {events} AND timestamp >= toDateTime({since})"
    " GROUP BY event, day ORDER BY day"
)
SINCE = {"since": "2026-11-02 00:00:00"}


class Hands:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def go(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def project(clock: Hands) -> PostHogProject:
    history = History(
        clock,
        ZoneInfo("America/New_York"),
        events={"signup": Behaviour(30, times=2), "it's": Behaviour(3)},
        flags={"one-tap": Behaviour(12)},
    )
    return PostHogProject(now=clock, history=history)


@pytest.fixture
async def http(project: PostHogProject) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=project.app)
    headers = {"Authorization": f"Bearer {project.token}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://posthog.test", headers=headers
    ) as client:
        yield client


async def ask(
    http: httpx.AsyncClient, text: str, values: dict[str, Any] | None = None
) -> httpx.Response:
    query = {"kind": "HogQLQuery", "query": text, "values": values or {}}
    return await http.post(f"{IN}query/", json={"query": query})


async def rows_of(http: httpx.AsyncClient, text: str, **values: Any) -> list[list[Any]]:
    answer = await ask(http, text, values)
    assert answer.status_code == 200, answer.text
    rows: list[list[Any]] = answer.json()["results"]
    return rows


# The gate -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "type_", "code"),
    [
        (f"{IN}annotations", 404, "invalid_request", "not_found"),
        ("/api/projects/9/annotations/", 404, "invalid_request", "not_found"),
        (f"{IN}annotations/77/", 404, "invalid_request", "not_found"),
        (f"{IN}nothing/", 404, "invalid_request", "not_found"),
    ],
)
async def test_errors_have_the_vendor_s_shape(
    http: httpx.AsyncClient, path: str, status: int, type_: str, code: str
) -> None:
    answer = await http.get(path)
    assert answer.status_code == status
    body = answer.json()
    assert (body["type"], body["code"], body["attr"]) == (type_, code, None)
    assert body["detail"]


async def test_a_wrong_key_and_none_are_told_apart(http: httpx.AsyncClient) -> None:
    wrong = await http.get(f"{IN}annotations/", headers={"Authorization": "Bearer phx_other"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "authentication_failed")
    none = await http.get(f"{IN}annotations/", headers={"Authorization": ""})
    assert (none.status_code, none.json()["code"]) == (401, "not_authenticated")


async def test_a_project_that_the_key_does_not_reach_is_forbidden(
    http: httpx.AsyncClient, project: PostHogProject
) -> None:
    project.other_projects = {"2": "Other"}
    for id_, name in (("2", "2"), ("1", "1")):
        project.faults.deny = {"1"}
        answer = await http.get(f"/api/projects/{id_}/annotations/")
        assert answer.status_code == 403
        assert answer.json()["detail"].endswith(f"requested project: ID {name}.")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "annotations/", "annotation:read"),
        ("POST", "annotations/", "annotation:write"),
        ("PATCH", "annotations/1/", "annotation:write"),
        ("POST", "query/", "query:read"),
        ("GET", "feature_flags/", "feature_flag:read"),
        ("GET", "experiments/", "experiment:read"),
        ("GET", "insights/", "insight:read"),
        ("GET", "event_definitions/", "event_definition:read"),
        ("GET", "", "project:read"),
    ],
)
async def test_a_missing_scope_is_named(
    http: httpx.AsyncClient, project: PostHogProject, method: str, path: str, scope: str
) -> None:
    assert scope in project.scopes
    project.faults.missing_scopes = {scope, "annotation:write"}
    answer = await http.request(method, IN + path)
    assert answer.status_code == 403
    body = answer.json()
    assert (body["type"], body["code"]) == ("authentication_error", "permission_denied")
    assert body["detail"] == f"API key missing required scope '{scope}'"


async def test_a_key_tells_what_it_may_do(http: httpx.AsyncClient, project: PostHogProject) -> None:
    project.faults.missing_scopes = {"query:read"}
    answer = (await http.get("/api/personal_api_keys/@current/")).json()
    assert set(answer["scopes"]) == set(project.scopes) - {"query:read"}
    assert answer["scoped_teams"] == []


async def test_a_key_for_some_projects_lists_none_and_reads_its_own(
    http: httpx.AsyncClient, project: PostHogProject
) -> None:
    assert (await http.get("/api/projects/")).json()["count"] == 1
    project.scoped = True
    assert (await http.get("/api/projects/")).status_code == 403
    own = (await http.get("/api/projects/@current/")).json()
    assert (own["id"], own["timezone"]) == (1, "America/New_York")


async def test_queries_of_an_hour_are_limited_with_retry_after(
    http: httpx.AsyncClient, project: PostHogProject, clock: Hands
) -> None:
    for _ in range(120):
        assert (await ask(http, "SELECT 1")).status_code == 200
        clock.go(1)
    answer = await ask(http, "SELECT 1")
    assert answer.status_code == 429
    assert answer.json()["type"] == "throttled_error"
    assert 3400 < int(answer.headers["retry-after"]) <= 3600
    assert project.over_budget == 1
    assert (await http.get(f"{IN}annotations/")).status_code == 200
    clock.go(int(answer.headers["retry-after"]))
    assert (await ask(http, "SELECT 1")).status_code == 200


async def test_queries_at_once_are_limited_without_retry_after(
    http: httpx.AsyncClient, project: PostHogProject
) -> None:
    project.busy_next = 1
    answer = await ask(http, "SELECT 1")
    assert answer.status_code == 429
    assert "retry-after" not in answer.headers
    assert (await ask(http, "SELECT 1")).status_code == 200


async def test_faults_are_answered_as_everywhere(
    http: httpx.AsyncClient, project: PostHogProject
) -> None:
    project.faults.outage = True
    assert (await http.get(f"{IN}annotations/")).status_code == 503
    project.faults.outage = False
    project.faults.rate_limit_next = 1
    assert (await http.get(f"{IN}annotations/")).headers["retry-after"] == "1"
    project.faults.cut_next = 1
    cut = await http.get(f"{IN}annotations/")
    assert cut.status_code == 200
    assert not cut.text.endswith("}")
    project.faults.lose_next_writes = 1
    assert (await http.post(f"{IN}annotations/", json=NOTE)).status_code == 502
    assert len(project.notes) == 1
    project.faults.read_only = True
    assert (await http.post(f"{IN}annotations/", json=NOTE)).status_code == 403
    assert (await http.get(f"{IN}annotations/")).json()["count"] == 1


async def test_bodies_that_are_no_objects_are_refused(http: httpx.AsyncClient) -> None:
    broken = await http.post(f"{IN}annotations/", content=b"{")
    assert (broken.status_code, broken.json()["code"]) == (400, "parse_error")
    assert (await http.post(f"{IN}annotations/", json=[1])).status_code == 400


# Annotations --------------------------------------------------------------------------------------


async def test_an_annotation_stands_at_an_insight_unless_it_says_project(
    http: httpx.AsyncClient,
) -> None:
    made = await http.post(f"{IN}annotations/", json={"content": "a"})
    assert made.status_code == 201
    assert (made.json()["scope"], made.json()["creation_type"]) == ("dashboard_item", "USR")
    listed = await http.get(f"{IN}annotations/", params={"scope": "project"})
    assert listed.json()["results"] == []


async def test_delete_is_not_allowed_and_a_patch_hides_and_brings_back(
    http: httpx.AsyncClient, project: PostHogProject
) -> None:
    made = (await http.post(f"{IN}annotations/", json=NOTE)).json()
    path = f"{IN}annotations/{made['id']}/"
    assert made["date_marker"] == "2026-11-20T00:00:00Z"
    deleted = await http.delete(path)
    assert (deleted.status_code, deleted.json()["code"]) == (405, "method_not_allowed")
    assert (await http.patch(path, json={"deleted": True})).status_code == 200
    assert (await http.get(path)).status_code == 404
    assert (await http.get(f"{IN}annotations/")).json()["count"] == 0
    assert project.counts()["annotations"] == 0
    back = await http.patch(path, json={"deleted": False, "content": "b"})
    assert back.json()["content"] == "b"
    assert (await http.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({"content": "x" * 8193}, "content"),
        ({"content": 5}, "content"),
        ({"date_marker": "soon"}, "date_marker"),
        ({"scope": "recording"}, "scope"),
        ({"creation_type": "BOT"}, "creation_type"),
        ({"deleted": "yes"}, "deleted"),
    ],
)
async def test_wrong_fields_are_refused_and_change_nothing(
    http: httpx.AsyncClient, project: PostHogProject, body: dict[str, object], attr: str
) -> None:
    made = (await http.post(f"{IN}annotations/", json=NOTE)).json()
    for method, path in (("POST", ""), ("PATCH", f"{made['id']}/")):
        answer = await http.request(method, f"{IN}annotations/{path}", json={**NOTE, **body})
        assert answer.status_code == 400
        assert (answer.json()["type"], answer.json()["attr"]) == ("validation_error", attr)
    assert [note.content for note in project.notes] == ["Launch"]


async def test_a_search_takes_every_word_whatever_its_case_and_the_latest_come_first(
    http: httpx.AsyncClient, project: PostHogProject
) -> None:
    for day, text in ((1, "Alpha one"), (3, "alpha TWO"), (2, "beta one")):
        project.add_annotation(text, date(2026, 11, day))

    async def found(search: str) -> list[str]:
        answer = await http.get(f"{IN}annotations/", params={"search": search})
        return [row["content"] for row in answer.json()["results"]]

    assert await found("ALPHA") == ["alpha TWO", "Alpha one"]
    assert await found("one,alpha") == ["Alpha one"]
    assert await found("") == ["alpha TWO", "beta one", "Alpha one"]


async def test_lists_come_in_pages_that_name_the_next(
    http: httpx.AsyncClient, project: PostHogProject
) -> None:
    for number in range(250):
        project.add_flag(f"flag-{number}")
    seen: list[str] = []
    path: str | None = f"{IN}feature_flags/"
    while path:
        page = (await http.get(path)).json()
        assert page["count"] == 251
        seen += [row["key"] for row in page["results"]]
        path = page["next"]
    assert len(set(seen)) == len(seen) == 251
    middle = (await http.get(f"{IN}feature_flags/?limit=10&offset=20")).json()
    assert middle["previous"] == f"http://posthog.test{IN}feature_flags/?limit=10&offset=10"


# Queries ------------------------------------------------------------------------------------------


async def test_a_query_is_answered_from_the_history_in_the_project_s_days(
    http: httpx.AsyncClient, project: PostHogProject
) -> None:
    rows = await rows_of(http, BY_DAY, events=["signup"], **SINCE)
    days = {date(2026, 11, 2) + timedelta(days=n) for n in range(21)}
    assert {date.fromisoformat(row[1]): row[2] for row in rows} == {
        day: len(project.history.users("event", "signup", day)) for day in days
    }


async def test_a_day_in_another_zone_has_other_users(http: httpx.AsyncClient) -> None:
    elsewhere = BY_DAY.replace("toDate(timestamp)", "toDate(toTimeZone(timestamp, 'Asia/Tokyo'))")
    values: dict[str, Any] = {"events": ["signup"], **SINCE}
    assert await rows_of(http, elsewhere, **values) != await rows_of(http, BY_DAY, **values)
    later = BY_DAY.replace("toDateTime({since})", "toDateTime({since}, 'Asia/Tokyo')")
    assert await rows_of(http, later, **values) != await rows_of(http, BY_DAY, **values)


async def test_unique_users_of_a_span_are_not_the_sum_of_its_days(
    http: httpx.AsyncClient, project: PostHogProject
) -> None:
    text = (
        "SELECT count(DISTINCT person_id), count() FROM events WHERE event = 'signup'"
        " AND timestamp >= toDateTime('2026-11-02 00:00:00')"
        " AND timestamp < toDateTime('2026-11-16 00:00:00')"
    )
    days = [date(2026, 11, 2) + timedelta(days=n) for n in range(14)]
    [[users, times]] = await rows_of(http, text)
    assert users == len(project.history.users_in("event", "signup", days))
    assert times == sum(project.history.times("event", "signup", day) for day in days)


async def test_a_flag_counts_those_for_whom_it_was_on_if_the_query_says_so(
    http: httpx.AsyncClient, project: PostHogProject
) -> None:
    text = (
        "SELECT count(DISTINCT person_id) FROM events WHERE event = '$feature_flag_called'"
        " AND toString(properties.$feature_flag) IN {flags}"
        " AND timestamp >= toDateTime('2026-11-10 00:00:00')"
        " AND timestamp < toDateTime('2026-11-11 00:00:00')"
    )
    on = text + " AND toString(properties.$feature_flag_response) NOT IN ('false', '')"
    expected = len(project.history.users("flag", "one-tap", date(2026, 11, 10)))
    assert await rows_of(http, on, flags=["one-tap"]) == [[expected]]
    assert await rows_of(http, text, flags=["one-tap"]) == [[2 * expected]]


async def test_without_a_limit_a_hundred_rows_are_answered(http: httpx.AsyncClient) -> None:
    values: dict[str, Any] = {"events": ["signup"], "since": "2026-06-01 00:00:00"}
    answer = (await ask(http, BY_DAY, values)).json()
    assert (len(answer["results"]), answer["limit"], answer["hasMore"]) == (100, 100, True)
    whole = (await ask(http, f"{BY_DAY} LIMIT 1000000", values)).json()
    assert (len(whole["results"]), whole["limit"], whole["hasMore"]) == (175, 50_000, False)


async def test_quotes_in_names_are_no_part_of_the_query(http: httpx.AsyncClient) -> None:
    rows = await rows_of(http, BY_DAY, events=["it's"], **SINCE)
    assert {row[0] for row in rows} == {"it's"}
    quoted = BY_DAY.replace("{events}", r"('it\'s', 'x')")
    assert await rows_of(http, quoted, **SINCE) == rows


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DELETE FROM events",
        "SELECT 1; SELECT 2",
        "SELECT event FROM persons WHERE event = 'signup'",
        "SELECT 1 LIMIT many",
        "SELECT event FROM events",
        "SELECT nothing FROM events WHERE event = 'signup' AND timestamp >= toDateTime('x')",
        BY_DAY.replace("{events}", "{missing}"),
        BY_DAY.replace("GROUP BY event, day", ""),
        BY_DAY.replace("GROUP BY event, day", "GROUP BY day"),
        BY_DAY.replace("person_id", "distinct_id"),
        BY_DAY.replace("toString(", "shorten("),
        BY_DAY.replace("toDateTime({since})", "{since}"),
        BY_DAY.replace("toDateTime({since})", "toDateTime('2026-11-02')"),
        BY_DAY.replace("event IN {events} AND ", ""),
        BY_DAY.replace("ORDER BY day", "ORDER BY nothing"),
        f"SELECT event FROM ({BY_DAY} LIMIT 5)",
        "SELECT 1 FROM (SELECT 1 UNION ALL SELECT 1, 2)",
    ],
)
async def test_what_is_not_understood_is_refused(http: httpx.AsyncClient, text: str) -> None:
    answer = await ask(http, text, {"events": ["signup"], **SINCE})
    assert answer.status_code == 400
    assert answer.json()["type"] == "validation_error"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": "SELECT 1"},
        {"query": {"kind": "TrendsQuery"}},
        {"query": {"kind": "HogQLQuery", "query": "SELECT 1", "values": [1]}},
        {"query": {"kind": "HogQLQuery", "query": "SELECT 1"}, "refresh": "async"},
    ],
)
async def test_other_queries_are_refused(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await http.post(f"{IN}query/", json=body)).status_code == 400


# Insights -----------------------------------------------------------------------------------------


async def test_an_insight_shows_its_last_days_or_those_that_are_asked_for(
    http: httpx.AsyncClient, project: PostHogProject
) -> None:
    made = project.add_insight("Signups", Series("s", "event", "signup"), days=7)
    params = {"short_id": made.short_id, "refresh": "blocking"}
    (row,) = (await http.get(f"{IN}insights/", params=params)).json()["results"]
    assert row["result"][0]["days"] == [f"2026-11-{day}" for day in range(15, 23)]
    override = '{"date_from": "2026-11-01", "date_to": "2026-11-03"}'
    asked = {**params, "filters_override": override}
    (row,) = (await http.get(f"{IN}insights/", params=asked)).json()["results"]
    assert len(row["result"][0]["data"]) == 3
    (basic,) = (await http.get(f"{IN}insights/", params={"basic": "true"})).json()["results"]
    assert basic["result"] is None
    wrong = await http.get(f"{IN}insights/", params={**params, "refresh": "now"})
    assert wrong.json()["attr"] == "refresh"


async def test_an_insight_that_is_computed_in_the_background_can_be_followed(
    http: httpx.AsyncClient, project: PostHogProject
) -> None:
    made = project.add_insight("Signups", Series("s", "event", "signup"))
    made.computing = 2
    params = {"short_id": made.short_id, "refresh": "blocking"}
    (row,) = (await http.get(f"{IN}insights/", params=params)).json()["results"]
    assert row["result"] is None
    path = f"{IN}query/{row['query_status']['id']}/"
    done = [(await http.get(path)).json()["query_status"]["complete"] for _ in range(2)]
    assert done == [False, True]
    assert (await http.get(f"{IN}query/nothing/")).status_code == 404


# People -------------------------------------------------------------------------------------------


def test_an_annotation_is_found_by_id_address_marker_and_whole_text(
    project: PostHogProject,
) -> None:
    text = "Shipped: Payouts https://x.example [opsync:3f2a91c0]"
    note = project.add_annotation(text, date(2026, 11, 1))
    address = f"https://us.posthog.com/project/1/data-management/annotations/{note.id}"
    for item in (f"annotation {note.id}", address, text, "[opsync:3f2a91c0]"):
        assert project.find(item) == str(note.id)
    for item in ("Payouts", "Shipped: Payouts", "annotation 5", "", "[opsync:00000000]"):
        assert project.find(item) is None
    project.add_annotation(text, date(2026, 11, 2))
    with pytest.raises(AmbiguousItem):
        project.find(text)


def test_a_person_edits_moves_and_deletes(project: PostHogProject) -> None:
    note = project.add_annotation("Launch", date(2026, 11, 1))
    item = f"annotation {note.id}"
    assert "wrote 'Lunch' into" in project.poke_edit(item, "content", "Lunch")
    project.poke_move(item, "2026-11-05")
    assert (note.content, project.day_of(note)) == ("Lunch", date(2026, 11, 5))
    with pytest.raises(ValueError, match="colour"):
        project.poke_edit(item, "colour", "red")
    with pytest.raises(ValueError, match="done"):
        project.poke_move(item, "done")
    assert "deleted" in project.poke_edit(item, "deleted", True)
    assert project.find(item) is None
    with pytest.raises(LookupError):
        project.poke_move(item, "2026-11-05")
    with pytest.raises(LookupError):
        project.flag("nothing")


def test_counts_tell_what_there_is(project: PostHogProject) -> None:
    project.add_annotation("Launch", date(2026, 11, 1))
    assert project.counts() == {"events": 2, "flags": 1, "annotations": 1}
