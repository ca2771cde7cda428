"""The simulated Amplitude answers and refuses as the documentation says."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
import yaml
from tests.support.clock import FakeClock

from opsync.sandbox.amplitude import AmplitudeProject
from opsync.sandbox.usage import Behaviour, History
from opsync.sandbox.validate_amplitude import validate_amplitude

PAIR = b64encode(b"amplitude_sandbox_key:amplitude_sandbox_secret").decode()
FIRST, LAST = date(2026, 2, 2), date(2026, 3, 1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def project(clock: FakeClock) -> AmplitudeProject:
    events = {"Checkout": Behaviour(40), "Payout": Behaviour(24)}
    flags = {"instant-payouts": Behaviour(20), "dark-mode": Behaviour(60), "unused": Behaviour(0)}
    history = History(now=clock.now, events=events, flags=flags)
    return AmplitudeProject(history=history, now=clock.now)


@pytest.fixture
async def http(project: AmplitudeProject) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(project.app),
        base_url="https://amplitude.com",
        headers={"Authorization": f"Basic {PAIR}"},
    ) as client:
        yield client


def asked(*events: object, **more: str) -> dict[str, str]:
    """The query of a segmentation."""
    found = {"start": f"{FIRST:%Y%m%d}", "end": f"{LAST:%Y%m%d}", "m": "uniques"}
    for name, event in zip(("e", "e2"), events, strict=False):
        found[name] = json.dumps({"event_type": event} if isinstance(event, str) else event)
    return found | more


GROUPED = {
    "event_type": "[Experiment] Exposure",
    "group_by": [{"type": "event", "value": "[Experiment] Flag Key"}],
}
SEGMENTATION = "/api/2/events/segmentation"


async def test_two_events_are_answered_in_their_order(
    project: AmplitudeProject, http: httpx.AsyncClient
) -> None:
    answer = await http.get(SEGMENTATION, params=asked("Payout", "Checkout"))
    data = answer.json()["data"]
    days = [FIRST + timedelta(days=n) for n in range(28)]
    users = project.history.users
    assert data["seriesLabels"] == [0, 1]
    assert data["xValues"] == [str(day) for day in days]
    assert data["series"] == [
        [len(users("event", name, day)) for day in days] for name in ("Payout", "Checkout")
    ]
    whole = len(project.history.users_in("event", "Checkout", days))
    assert data["seriesCollapsed"][1][0]["value"] == whole < sum(data["series"][1])


async def test_totals_are_times(project: AmplitudeProject, http: httpx.AsyncClient) -> None:
    data = (await http.get(SEGMENTATION, params=asked("Checkout", m="totals"))).json()["data"]
    assert data["series"][0][-1] == project.history.times("event", "Checkout", LAST)


async def test_a_group_has_a_series_for_each_flag_that_anybody_saw(
    http: httpx.AsyncClient,
) -> None:
    data = (await http.get(SEGMENTATION, params=asked(GROUPED, limit="1000"))).json()["data"]
    one = (await http.get(SEGMENTATION, params=asked(GROUPED, limit="1"))).json()["data"]
    assert data["seriesLabels"] == [[0, "dark-mode"], [0, "instant-payouts"]]
    assert one["seriesLabels"] == [[0, "dark-mode"]]


async def test_an_unknown_event_has_no_series(http: httpx.AsyncClient) -> None:
    data = (await http.get(SEGMENTATION, params=asked("Chekout", "Payout"))).json()["data"]
    assert data["seriesLabels"] == [1]


@pytest.mark.parametrize(
    "params",
    [
        asked("Checkout", start="2026-02-02"),
        asked("Checkout", start="20260302", end="20260301"),
        asked("Checkout", start="20250228"),
        asked("Checkout", m="most"),
        asked("Checkout", i="5"),
        asked("Checkout", limit="1001"),
        asked("Checkout") | {"e": "Checkout"},
        asked("Checkout") | {"e": "{}"},
        {"start": "20260202", "end": "20260301"},
        asked({**GROUPED, "group_by": [{"type": "event", "value": "gp:flag"}]}),
        asked({**GROUPED, "group_by": [{"type": "cohort", "value": "x"}]}),
        asked(GROUPED, "Checkout"),
    ],
)
async def test_what_cannot_be_answered_is_refused_with_a_reason(
    http: httpx.AsyncClient, params: dict[str, str]
) -> None:
    answer = await http.get(SEGMENTATION, params=params)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("Invalid")


async def test_a_wrong_pair_is_refused(http: httpx.AsyncClient) -> None:
    for credential in ("Basic eDp5", "Basic !", f"Bearer {PAIR}", ""):
        headers = {"Authorization": credential}
        answer = await http.get("/api/2/events/list", headers=headers)
        assert answer.status_code == 401


async def test_a_query_costs_its_days_and_events_and_four_more_for_a_group(
    project: AmplitudeProject, http: httpx.AsyncClient
) -> None:
    await http.get(SEGMENTATION, params=asked("Checkout"))
    assert project.budgets[0].taken == 28
    await http.get(SEGMENTATION, params=asked("Checkout", "Payout"))
    assert project.budgets[0].taken == 28 + 56
    await http.get(SEGMENTATION, params=asked(GROUPED))
    assert project.budgets[0].taken == 28 + 56 + 140


async def test_a_thousand_of_cost_in_five_minutes_is_the_limit(
    project: AmplitudeProject, http: httpx.AsyncClient, clock: FakeClock
) -> None:
    for _ in range(7):
        assert (await http.get(SEGMENTATION, params=asked(GROUPED))).status_code == 200
    refused = await http.get(SEGMENTATION, params=asked(GROUPED))
    assert refused.status_code == 429
    assert "cost in five minutes" in refused.json()["error"]["message"]
    assert project.over_budget == 1

    clock.advance(300)
    assert (await http.get(SEGMENTATION, params=asked(GROUPED))).status_code == 200


async def test_more_than_five_at_once_are_refused(
    project: AmplitudeProject, http: httpx.AsyncClient
) -> None:
    answers = await asyncio.gather(*(http.get("/api/3/annotations") for _ in range(7)))
    assert sorted(one.status_code for one in answers) == [200] * 5 + [429] * 2
    assert project.most_at_once == 7


async def test_categories_are_made_once_and_listed(http: httpx.AsyncClient) -> None:
    path = "/api/3/annotation-categories"
    made = await http.post(path, json={"category": "Releases"})
    again = await http.post(path, json={"category": "Releases"})
    wrong = await http.post(path, json={"name": "Releases"})
    listed = await http.get(path, params={"category": "Releases"})
    missing = await http.get(path, params={"category": "Alerts"})

    assert made.json()["data"]["category"] == "Releases"
    assert listed.json()["data"] == [{"id": made.json()["data"]["id"], "name": "Releases"}]
    statuses = [one.status_code for one in (made, again, wrong, listed, missing)]
    assert statuses == [200, 409, 400, 200, 404]


NOTE = {"label": "Shipped", "start": "2026-02-03T00:00:00+01:00", "details": "all of it"}


async def test_an_annotation_is_made_changed_in_parts_and_removed(
    project: AmplitudeProject, http: httpx.AsyncClient
) -> None:
    project.add_category("Releases")
    made = (await http.post("/api/3/annotations", json=NOTE | {"category": "Releases"})).json()
    path = f"/api/3/annotations/{made['data']['id']}"
    moved = (await http.put(path, json={"start": "2026-02-05T00:00:00+01:00"})).json()

    assert made["data"]["start"] == "2026-02-02T23:00:00+00:00"
    assert made["data"]["category"]["name"] == "Releases"
    assert moved["data"] == made["data"] | {"start": "2026-02-04T23:00:00+00:00"}
    assert (await http.get(path)).json() == moved
    assert (await http.delete(path)).json() == {"success": True}
    assert [(await http.request(verb, path)).status_code for verb in ("GET", "DELETE")] == [404] * 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (NOTE | {"category": "Nothing"}, 404),
        (NOTE | {"colour": "red"}, 400),
        (NOTE | {"start": "2026-02-03"}, 400),
        (NOTE | {"start": None}, 400),
        ({"label": "Shipped"}, 400),
        ({"start": NOTE["start"]}, 400),
        (NOTE | {"details": 5}, 400),
    ],
)
async def test_an_annotation_that_is_wrong_is_refused_and_not_kept(
    project: AmplitudeProject, http: httpx.AsyncClient, body: dict[str, Any], status: int
) -> None:
    assert (await http.post("/api/3/annotations", json=body)).status_code == status
    assert project.held.annotations == {}


async def test_annotations_are_filtered(project: AmplitudeProject, http: httpx.AsyncClient) -> None:
    releases = project.add_category("Releases")
    one = project.add_annotation("One", datetime(2026, 2, 1, tzinfo=UTC), category=releases)
    other = project.add_annotation("Other", datetime(2026, 2, 20, tzinfo=UTC))

    async def ids(**params: str) -> list[int]:
        rows = (await http.get("/api/3/annotations", params=params)).json()["data"]
        return [row["id"] for row in rows]

    assert await ids() == [one.id, other.id]
    assert await ids(category="Releases") == [one.id]
    assert await ids(category="Nothing") == []
    assert await ids(start="2026-02-10T00:00:00+00:00") == [other.id]
    assert await ids(end="2026-02-10T00:00:00+00:00") == [one.id]
    both = {"category": "Releases", "chart_id": "abc"}
    assert (await http.get("/api/3/annotations", params=both)).status_code == 400


async def test_a_chart_is_a_table_in_json(
    project: AmplitudeProject, http: httpx.AsyncClient
) -> None:
    project.add_chart("abc123", "Checkouts", {"All": ("event", "Checkout", "uniques")}, days=3)
    lines = (await http.get("/api/3/chart/abc123/csv")).json()["data"].splitlines()
    assert lines[:2] == ['"\tCheckouts"', ""]
    assert lines[2] == '"\tSegment","\t2026-02-28","\t2026-03-01","\t2026-03-02"'
    assert lines[3].startswith('"\tAll","')
    assert (await http.get("/api/3/chart/other/csv")).status_code == 404


async def test_events_are_listed_with_the_exposure(http: httpx.AsyncClient) -> None:
    listed = (await http.get("/api/2/events/list")).json()["data"]
    assert [one["value"] for one in listed] == ["Checkout", "Payout", "[Experiment] Exposure"]


async def test_flags_want_the_management_key_and_come_in_pages(
    project: AmplitudeProject, http: httpx.AsyncClient
) -> None:
    project.add_flag("price-test", experiment=True)
    key = {"Authorization": "Bearer amplitude_sandbox_management"}
    first = (await http.get("/api/1/flags", params={"limit": "2"}, headers=key)).json()
    rest = {"limit": "2", "cursor": first["nextCursor"]}
    second = (await http.get("/api/1/flags", params=rest, headers=key)).json()
    tests = (await http.get("/api/1/experiments", headers=key)).json()

    assert [one["key"] for one in first["flags"]] == ["unused", "instant-payouts"]
    assert [one["key"] for one in second["flags"]] == ["dark-mode"]
    assert "nextCursor" not in second
    assert [one["key"] for one in tests["experiments"]] == ["price-test"]
    assert (await http.get("/api/1/flags")).status_code == 401


async def test_faults_do_what_they_say(project: AmplitudeProject, http: httpx.AsyncClient) -> None:
    faults = project.faults
    faults.read_only = True
    assert (await http.post("/api/3/annotations", json=NOTE)).status_code == 403
    faults.read_only = False
    faults.lose_next_writes = 1
    assert (await http.post("/api/3/annotations", json=NOTE)).status_code == 502
    assert len(project.held.annotations) == 1
    faults.deny = set(map(str, project.held.annotations))
    assert (await http.get("/api/3/annotations")).json() == {"data": []}
    faults.rate_limit_next = 1
    assert (await http.get("/api/3/annotations")).status_code == 429
    faults.cut_next = 1
    assert not (await http.get("/api/3/annotations")).text.endswith("}")
    faults.missing_scopes = {"management"}
    key = {"Authorization": "Bearer amplitude_sandbox_management"}
    assert (await http.get("/api/1/flags", headers=key)).status_code == 401
    project.start_outage()
    assert (await http.get("/api/3/annotations")).status_code == 503


async def test_what_does_not_exist_is_not_found(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/9/nothing")).status_code == 404


def test_people_edit_an_annotation_by_its_id_or_its_whole_label(
    project: AmplitudeProject,
) -> None:
    note = project.add_annotation("Shipped: Instant payouts", datetime(2026, 2, 1, tzinfo=UTC))

    assert project.find("Shipped: Instant payouts") == str(note.id)
    assert project.find("Instant payouts") is None, "that is the initiative's"
    assert "is now" in project.poke_edit(str(note.id), "start", "2026-02-09")
    assert note.start.date() == date(2026, 2, 9)
    project.poke_edit(str(note.id), "details", "more")
    project.poke_edit(str(note.id), "label", "Payouts")
    assert (note.label, note.details) == ("Payouts", "more")
    assert project.counts() == {"events": 2, "flags": 3, "annotations": 1}
    with pytest.raises(ValueError, match="no field"):
        project.poke_edit(str(note.id), "colour", "red")
    with pytest.raises(ValueError, match="status"):
        project.poke_move(str(note.id), "done")
    with pytest.raises(LookupError):
        project.poke_edit("nothing", "label", "x")


async def test_a_description_is_held_against_what_was_said(
    project: AmplitudeProject, http: httpx.AsyncClient, tmp_path: Any
) -> None:
    listing = {
        "parameters": [{"name": "category", "in": "query"}],
        "responses": {"200": {"description": "ok"}},
    }
    spec = {"openapi": "3.0.3", "paths": {"/api/3/annotations": {"get": listing}}}
    path = tmp_path / "amplitude.yaml"
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")

    await http.get("/api/3/annotations", params={"category": "opsync"})
    await http.get("/api/2/events/list")
    assert validate_amplitude(project.exchanges, path).problems == []

    await http.get("/api/3/annotations", params={"colour": "red"})
    await http.get("/api/3/annotation-categories")
    problems = validate_amplitude(project.exchanges, path).problems
    assert len(problems) == 2
    assert "unknown query parameter colour" in problems[0]
    assert "no such operation" in problems[1]
