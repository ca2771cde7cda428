"""The simulated Mixpanel behaves like the vendor where a connector could stumble."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from tests.support.clock import FakeClock

from opsync.sandbox.mixpanel import MixpanelProject, Series
from opsync.sandbox.server import SandboxServer
from opsync.sandbox.usage import Behaviour, History
from opsync.sandbox.validate_mixpanel import validate_mixpanel
from opsync.sandbox.vendor import AmbiguousItem, Exchange

NUMBER = 3141592
AUTH = ("opsync.000000.mp-service-account", "mixpanel-sandbox-secret")
NOTES = f"/api/app/projects/{NUMBER}/annotations"
DAYS = {"from_date": "2026-11-10", "to_date": "2026-11-19"}
ON = 'properties["Experiment name"]'


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 11, 22, 10, 4, tzinfo=UTC))


@pytest.fixture
def project(clock: FakeClock) -> MixpanelProject:
    history = History(clock.now)
    history.events = {
        "Checkout": Behaviour(40, pool=300),
        "Invoice paid": Behaviour(9, pool=90, since=date(2026, 11, 15)),
    }
    history.flags = {"one-tap": Behaviour(12, pool=80, times=1), "sso": Behaviour(5, pool=60)}
    return MixpanelProject(now=clock.now, history=history)


@pytest.fixture
async def http(project: MixpanelProject) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(project.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="https://mixpanel.test", auth=AUTH
    ) as client:
        yield client


async def query(http: httpx.AsyncClient, what: str, **params: Any) -> httpx.Response:
    return await http.get(f"/api/query/{what}", params={"project_id": NUMBER, **params})


def events(*names: str) -> dict[str, str]:
    return {"event": json.dumps(names), "type": "unique", "unit": "day", **DAYS}


# Queries ------------------------------------------------------------------------------------------


async def test_events_have_a_row_each_without_days_of_zero_and_out_of_order(
    project: MixpanelProject, http: httpx.AsyncClient
) -> None:
    answer = (await query(http, "events", **events("Checkout", "Invoice paid", "Nothing"))).json()

    values, days = answer["data"]["values"], answer["data"]["series"]
    assert set(values) == {"Checkout", "Invoice paid"}
    assert answer["legend_size"] == 2
    assert len(days) == len(values["Checkout"]) == 10
    assert days != sorted(days)
    assert min(values["Invoice paid"]) == "2026-11-15"
    users = project.history.users("event", "Checkout", date(2026, 11, 12))
    assert values["Checkout"]["2026-11-12"] == len(users)


async def test_a_segmentation_counts_every_time_unless_told_otherwise(
    project: MixpanelProject, http: httpx.AsyncClient
) -> None:
    plain = (await query(http, "segmentation", event="Checkout", **DAYS)).json()
    unique = (await query(http, "segmentation", event="Checkout", type="unique", **DAYS)).json()

    day = "2026-11-12"
    times = plain["data"]["values"]["Checkout"][day]
    assert times == 2 * unique["data"]["values"]["Checkout"][day]
    assert times == project.history.times("event", "Checkout", date(2026, 11, 12))


async def test_a_segmentation_tells_the_top_sixty_values_only(
    project: MixpanelProject, http: httpx.AsyncClient
) -> None:
    for number in range(70):
        project.history.flags[f"flag-{number}"] = Behaviour(2, pool=5)
    asked = {"event": "$experiment_started", "on": ON, "type": "unique", **DAYS}

    few = (await query(http, "segmentation", **asked)).json()
    all_ = (await query(http, "segmentation", limit=10_000, **asked)).json()

    assert (few["legend_size"], all_["legend_size"]) == (60, 72)
    assert {"one-tap", "sso"} <= set(few["data"]["values"])


async def test_another_property_has_no_values(http: httpx.AsyncClient) -> None:
    asked = {"event": "Checkout", "on": 'properties["Plan"]', **DAYS}

    assert list((await query(http, "segmentation", **asked)).json()["data"]["values"]) == [
        "undefined"
    ]


async def test_all_exposures_of_a_user_are_one(
    project: MixpanelProject, http: httpx.AsyncClient
) -> None:
    asked = events("$experiment_started")
    met = (await query(http, "events", **asked)).json()["data"]["values"]["$experiment_started"]

    day = date(2026, 11, 12)
    both = {flag: project.history.users("flag", flag, day) for flag in ("one-tap", "sso")}
    assert met["2026-11-12"] == len(both["one-tap"] | both["sso"])
    times = await query(http, "events", **(asked | {"type": "general"}))
    assert times.json()["data"]["values"]["$experiment_started"]["2026-11-12"] == (
        len(both["one-tap"]) + 2 * len(both["sso"])
    )


async def test_names_are_those_of_the_last_month_from_the_end_of_the_alphabet(
    project: MixpanelProject, http: httpx.AsyncClient
) -> None:
    project.history.events["Later"] = Behaviour(3, pool=9, since=date(2026, 12, 1))

    names = (await query(http, "events/names", type="general")).json()
    top = (await query(http, "events/names", type="general", limit=1)).json()

    assert names == ["Invoice paid", "Checkout", "$experiment_started"]
    assert top == ["Checkout"]


async def test_a_report_tells_its_own_days_with_the_zone(
    project: MixpanelProject, http: httpx.AsyncClient
) -> None:
    made = project.add_report("Payments", {"Paid": Series("event", "Checkout")}, days=14)
    weekly = project.add_report(
        "Weeks", {"Paid": Series("event", "Checkout")}, days=14, unit="week"
    )

    answer = (await query(http, "insights", bookmark_id=made.id)).json()
    weeks = (await query(http, "insights", bookmark_id=weekly.id)).json()

    assert next(iter(answer["series"]["Paid"])) == "2026-11-09T00:00:00+00:00"
    assert len(answer["series"]["Paid"]) == 14
    assert answer["date_range"]["to_date"] == "2026-11-22T23:59:59.999000+00:00"
    assert list(weeks["series"]["Paid"]) == [
        "2026-11-09T00:00:00+00:00",
        "2026-11-16T00:00:00+00:00",
    ]
    assert sum(weeks["series"]["Paid"].values()) == sum(answer["series"]["Paid"].values())


@pytest.mark.parametrize(
    ("what", "params", "why"),
    [
        ("events", events("A") | {"type": ""}, "type is a required parameter"),
        ("events", events("A") | {"type": "uniques"}, "type must be one of"),
        ("events", events("A") | {"event": "A"}, "event must be a JSON array"),
        ("events", events("A") | {"event": "[1]"}, "event must be a JSON array"),
        ("events", events("A") | {"unit": ""}, "unit is a required parameter"),
        ("events", events("A") | {"from_date": "today"}, "yyyy-mm-dd"),
        ("events", events("A") | {"from_date": "2026-12-01"}, "before from_date"),
        ("segmentation", {"event": "A", "on": "Plan", **DAYS}, "invalid expression"),
        ("segmentation", {"event": "A", "on": ON, "limit": 10_001, **DAYS}, "at most 10000"),
        ("insights", {"bookmark_id": "x"}, "positive integer"),
        ("events/names", {}, "type is a required parameter"),
    ],
)
async def test_a_wrong_query_is_refused_with_what_was_asked(
    http: httpx.AsyncClient, what: str, params: dict[str, Any], why: str
) -> None:
    answer = await query(http, what, **params)

    assert answer.status_code == 400
    assert why in answer.json()["error"]
    assert answer.json()["request"].startswith(f"/api/query/{what}?project_id={NUMBER}")


async def test_what_is_not_there_is_not_found(http: httpx.AsyncClient) -> None:
    assert (await query(http, "insights", bookmark_id=9)).status_code == 404
    assert (await query(http, "funnels")).status_code == 404
    assert (await http.get("/api/2.0/export")).status_code == 404
    assert (await http.get(f"{NOTES}/9")).json()["status"] == "error"
    assert (await http.put(NOTES, json={})).status_code == 405


# Who asks -----------------------------------------------------------------------------------------


async def test_only_the_service_account_of_the_project_is_let_in(
    project: MixpanelProject, http: httpx.AsyncClient
) -> None:
    asked = {"type": "general"}
    wrong = await http.get("/api/query/events/names", params=asked, auth=("opsync", "wrong"))
    bearer = await http.get(NOTES, headers={"Authorization": "Bearer x"}, auth=None)
    nameless = await http.get("/api/query/events/names", params=asked)
    other = await http.get("/api/query/events/names", params={"project_id": 1, **asked})
    others_notes = await http.get("/api/app/projects/1/annotations")

    statuses = [one.status_code for one in (wrong, bearer, nameless, other, others_notes)]
    assert statuses == [401, 401, 400, 403, 403]
    assert project.queries.remaining == 60


async def test_a_role_that_may_look_may_not_write_and_without_one_not_even_that(
    project: MixpanelProject, http: httpx.AsyncClient
) -> None:
    project.faults.missing_scopes = {"analyst"}
    body = {"date": "2026-11-20 00:00:00", "description": "x"}
    assert (await http.get(NOTES)).status_code == 200
    assert (await http.post(NOTES, json=body)).status_code == 403

    project.faults.missing_scopes = {"consumer"}
    assert (await http.get(NOTES)).status_code == 403
    assert (await query(http, "events/names", type="general")).status_code == 403
    assert project.annotations == {}


async def test_the_61st_query_of_an_hour_is_refused_and_annotations_are_not(
    project: MixpanelProject, http: httpx.AsyncClient, clock: FakeClock
) -> None:
    statuses = [(await query(http, "events/names", type="general")).status_code for _ in range(61)]

    assert statuses == [200] * 60 + [429]
    assert project.over_budget == 1
    refused = await query(http, "events/names", type="general")
    assert "61/60 queries running in the last hour" in refused.json()["error"]
    assert "retry-after" not in refused.headers
    assert (await http.get(NOTES)).status_code == 200
    clock.advance(3600)
    assert (await query(http, "events/names", type="general")).status_code == 200


async def test_the_sandboxs_factor_widens_the_hour(clock: FakeClock) -> None:
    wide = MixpanelProject(now=clock.now, limit_factor=10, history=History(clock.now))

    assert wide.queries.remaining == 600


async def test_a_sixth_query_at_once_is_refused(
    project: MixpanelProject, http: httpx.AsyncClient
) -> None:
    project.query_s = 0.05

    answers = await asyncio.gather(*(query(http, "events/names", type="general") for _ in range(6)))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 5 + [429]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert "6/5 queries running concurrently" in refused.json()["error"]
    assert project.running == 0


async def test_a_limit_can_be_announced_for_the_next_request(
    project: MixpanelProject, http: httpx.AsyncClient
) -> None:
    project.faults.rate_limit_next = 2

    assert (await query(http, "events/names", type="general")).status_code == 429
    assert (await http.get(NOTES)).status_code == 429
    assert (await http.get(NOTES)).status_code == 200
    assert project.over_budget == 0


# Annotations --------------------------------------------------------------------------------------


async def test_an_annotation_is_made_read_changed_and_deleted(http: httpx.AsyncClient) -> None:
    body = {"date": "2026-11-20 12:30:00", "description": "Shipped"}
    made = await http.post(NOTES, json=body)
    id_ = made.json()["results"]["id"]
    changed = await http.patch(f"{NOTES}/{id_}", json={"description": "Shipped twice"})
    got = await http.get(f"{NOTES}/{id_}")
    gone = await http.delete(f"{NOTES}/{id_}")

    assert (made.status_code, made.json()["status"]) == (201, "ok")
    assert made.json()["results"]["user"]["first_name"] == "opsync"
    assert changed.json() == got.json()
    assert got.json()["results"]["date"] == "2026-11-20 12:30:00"
    assert got.json()["results"]["description"] == "Shipped twice"
    assert gone.json() == {"status": "ok", "results": {"id": id_}}
    assert (await http.delete(f"{NOTES}/{id_}")).status_code == 404


async def test_the_list_has_the_days_asked_for_both_ends_included(
    project: MixpanelProject, http: httpx.AsyncClient
) -> None:
    for day in (19, 20, 21, 22):
        project.add_annotation(date(2026, 11, day), f"On the {day}th")

    some = await http.get(NOTES, params={"fromDate": "2026-11-20", "toDate": "2026-11-21"})
    all_ = await http.get(NOTES)

    assert [one["description"] for one in some.json()["results"]] == ["On the 20th", "On the 21th"]
    assert len(all_.json()["results"]) == 4
    assert (await http.get(NOTES, params={"fromDate": "x"})).status_code == 400


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("POST", {"date": "2026-11-20", "description": "x"}),
        ("POST", {"date": "2026-11-20T00:00:00", "description": "x"}),
        ("POST", {"date": "2026-11-31 00:00:00", "description": "x"}),
        ("POST", {"description": "x"}),
        ("POST", {"date": "2026-11-20 00:00:00", "description": " "}),
        ("POST", {"date": "2026-11-20 00:00:00", "description": "x", "tags": [1]}),
        ("POST", {"date": "2026-11-20 00:00:00", "description": "x", "url": "https://x"}),
        ("POST", []),
        ("PATCH", {"date": "2026-11-20 00:00:00"}),
        ("PATCH", {"description": ""}),
    ],
)
async def test_a_wrong_annotation_is_refused_and_changes_nothing(
    project: MixpanelProject, http: httpx.AsyncClient, method: str, body: object
) -> None:
    one = project.add_annotation(date(2026, 11, 19), "Kept")
    path = NOTES if method == "POST" else f"{NOTES}/{one.id}"

    answer = await http.request(method, path, json=body)

    assert answer.status_code == 400
    assert answer.json()["status"] == "error"
    assert [(a.date, a.description) for a in project.annotations.values()] == [
        ("2026-11-19 00:00:00", "Kept")
    ]


async def test_tags_come_as_a_bare_list(http: httpx.AsyncClient) -> None:
    tag = (await http.post(f"{NOTES}/tags", json={"name": "release"})).json()
    body = {"date": "2026-11-20 00:00:00", "description": "x", "tags": [tag["id"]]}
    made = (await http.post(NOTES, json=body)).json()["results"]

    assert made["tags"] == [{"id": tag["id"], "name": "release"}]
    assert (await http.get(f"{NOTES}/tags")).json() == [tag | {"has_annotations": True}]
    cleared = await http.patch(f"{NOTES}/{made['id']}", json={"tags": []})
    assert cleared.json()["results"]["tags"] == []


# Faults and hands ---------------------------------------------------------------------------------


async def test_faults_are_those_of_every_vendor(
    project: MixpanelProject, http: httpx.AsyncClient
) -> None:
    body = {"date": "2026-11-20 00:00:00", "description": "x"}
    project.start_outage()
    assert (await http.get(NOTES)).status_code == 503
    project.end_outage()
    project.faults.html = True
    assert (await http.get(NOTES)).headers["content-type"].startswith("text/html")
    project.faults.html = False
    project.faults.lose_next_writes = 1
    assert (await http.post(NOTES, json=body)).status_code == 502
    assert len(project.annotations) == 1
    project.faults.cut_next = 1
    assert not (await http.get(NOTES)).text.endswith("}")
    project.faults.read_only = True
    assert (await http.post(NOTES, json=body)).status_code == 403
    project.faults.deny = {str(next(iter(project.annotations)))}
    assert (await http.get(NOTES)).json()["results"] == []
    project.faults.refuse_token = True
    assert (await http.get(NOTES)).status_code == 401
    assert [one.faulted for one in project.exchanges] == [True, True, True, True] + 3 * [False]


def test_things_are_found_and_changed_as_people_do(project: MixpanelProject) -> None:
    one = project.add_annotation(date(2026, 11, 20), "Price change")
    report = project.add_report("Payments", {"Paid": Series("event", "Checkout")})
    other = project.add_annotation(date(2026, 11, 21), "Price change undone")

    assert project.find(str(one.id)) == str(one.id)
    assert project.find(project.report_url(report)) == str(report.id)
    assert project.find("price change undone") == str(other.id)
    assert project.find("undone") is None, "a piece may be the name of what was released"
    assert project.find("nothing") is None
    assert project.find("99") is None
    project.add_annotation(date(2026, 11, 22), "Price change")
    with pytest.raises(AmbiguousItem):
        project.find("price change")
    said = project.poke_edit(str(other.id), "Description", "Price change kept")
    assert said == "Mixpanel: Ana changed 'Price change undone' to 'Price change kept'."
    assert project.poke_edit(str(other.id), "description", "").startswith("Mixpanel: Ana deleted")
    assert project.counts() == {"events": 2, "flags": 2, "reports": 1, "annotations": 2}
    with pytest.raises(ValueError, match="no status"):
        project.poke_move(str(one.id), "done")
    with pytest.raises(ValueError, match="no field"):
        project.poke_edit(str(one.id), "date", "2026-11-22")
    with pytest.raises(LookupError):
        project.poke_edit("nothing", "description", "x")


def test_it_is_served_behind_its_name(project: MixpanelProject) -> None:
    with SandboxServer({"mixpanel": project}, port=0) as server:
        answer = httpx.get(f"{server.url}/mixpanel{NOTES}", auth=AUTH)

    assert answer.json() == {"status": "ok", "results": []}
    assert project.exchanges[-1].path == NOTES


# The specs ----------------------------------------------------------------------------------------


def exchange(path: str, *, method: str = "GET", query: str = "", answer: object) -> Exchange:
    body = json.dumps(answer).encode()
    return Exchange(method, path, query, b"", 200, body, True)


def test_what_does_not_fit_the_specs_is_told(tmp_path: Any) -> None:
    document = """
openapi: 3.0.3
paths:
  /events:
    get:
      parameters:
      - {in: query, name: type, required: true, schema: {type: string, enum: [unique]}}
      responses:
        '200':
          description: ok
          content: {application/json: {schema: {type: object, required: [data]}}}
"""
    for name in ("mixpanel-query.openapi.yaml", "mixpanel-annotations.openapi.yaml"):
        (tmp_path / name).write_text(document, encoding="utf-8")
    good = exchange("/api/query/events", query="type=unique", answer={"data": {}})
    bad = exchange("/api/query/events", query="type=all&x=1", answer={})
    app = exchange("/api/app/events", query="type=unique", answer={"data": {}})
    none = exchange("/api/2.0/export", answer={})

    assert validate_mixpanel([good, app], tmp_path).problems == []
    problems = validate_mixpanel([bad, none], tmp_path).problems
    assert [line.partition(": ")[2] for line in problems] == [
        "query parameter type: 'all' is not one of the documented values",
        "unknown query parameter x",
        "answer as a whole: 'data' is a required property",
        "in no API of Mixpanel's",
    ]
