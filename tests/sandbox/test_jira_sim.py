"""The Jira simulator answers as Jira does, traps included."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.clock import FakeClock

from opsync.sandbox.jira import JiraSite
from opsync.sandbox.jira.adf import from_text, to_text
from opsync.sandbox.validate import validate_jira
from opsync.sandbox.vendor import AmbiguousItem

API = "/rest/api/3"
GLOBAL_ID = "opsync:link:1"
LINK: dict[str, object] = {
    "globalId": GLOBAL_ID,
    "object": {"url": "https://linear.app/x", "title": "GRO-44"},
}

Client = httpx.AsyncClient
MakeSite = Callable[..., JiraSite]
ClientOf = Callable[[JiraSite], httpx.AsyncClient]


async def search(http: Client, jql: str, **more: object) -> httpx.Response:
    return await http.post(f"{API}/search/jql", json={"jql": jql, **more})


async def keys(http: Client, jql: str, **more: object) -> list[str]:
    answer = await search(http, jql, fields=["key"], **more)
    assert answer.status_code == 200, answer.text
    return [issue["key"] for issue in answer.json()["issues"]]


def link_path(key: str, version: str = "3") -> str:
    return f"/rest/api/{version}/issue/{key}/remotelink"


# Searching


async def test_a_search_answers_ids_only_unless_fields_are_named(http: Client) -> None:
    answer = (await search(http, "project = MOB")).json()
    assert [set(issue) for issue in answer["issues"]] == [{"id"}]
    assert "total" not in answer


@pytest.mark.parametrize(
    ("jql", "found"),
    [
        ("project = PAY ORDER BY key ASC", ["PAY-1", "PAY-2", "PAY-3", "PAY-118"]),
        ("project = PAY ORDER BY key DESC", ["PAY-118", "PAY-3", "PAY-2", "PAY-1"]),
        ("project = PAY ORDER BY updated DESC", ["PAY-118", "PAY-3", "PAY-2", "PAY-1"]),
        ("project in (PAY, MOB) AND status = Offen", ["MOB-1"]),
        ("project in (PAY, MOB) AND NOT project = PAY", ["MOB-1"]),
        ("project = MOB OR key = PAY-2 ORDER BY key", ["MOB-1", "PAY-2"]),
        ("(labels = api OR labels in (web, ios)) AND project = PAY", ["PAY-2"]),
        ("labels is not EMPTY", ["PAY-2"]),
        ('statusCategory = "In Progress"', ["PAY-118"]),
        ("parent = PAY-1 AND issuetype != Bug AND status not in (Done) ORDER BY key",
         ["PAY-3", "PAY-118"]),
        ("key in (PAY-2, pay-3) ORDER BY id", ["PAY-2", "PAY-3"]),
    ],
)  # fmt: skip
async def test_jql_finds(http: Client, jql: str, found: list[str]) -> None:
    assert await keys(http, jql) == found


@pytest.mark.parametrize(
    "jql",
    [
        "ORDER BY key DESC",
        "",
        "project = NOPE",
        "key = PAY-999",
        "colour = red",
        "project = PAY AND",
        "project = PAY ORDER BY colour",
        'updated >= "yesterday"',
        'updated >= "1732877091000"',
        "project = PAY ORDER BY " + ", ".join(["key"] * 8),
        "project > PAY",
        "project = PAY )",
    ],
)
async def test_jql_is_refused_when_unbounded_unknown_or_malformed(http: Client, jql: str) -> None:
    answer = await search(http, jql)
    assert answer.status_code == 400
    assert answer.json()["errorMessages"]


async def test_an_unquoted_number_is_epoch_milliseconds(site: JiraSite, http: Client) -> None:
    moment = site.issue("PAY-118").updated
    since = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert await keys(http, f"updated >= {since}") == ["PAY-118"]
    assert await keys(http, f"updated >= {since + 1}") == []


async def test_a_quoted_date_is_in_the_callers_zone(
    make_site: MakeSite, client_of: ClientOf
) -> None:
    # PAY-118 was updated at 09:00 UTC.
    for zone, hour, found in [
        ("Europe/Berlin", "10:00", ["PAY-118"]),
        ("Europe/Berlin", "10:01", []),
        ("America/New_York", "05:00", ["PAY-118"]),
    ]:
        http = client_of(make_site(time_zone=zone))
        day = "2026/10/29"
        assert await keys(http, f'updated >= "{day} {hour}" AND project = PAY') == found, zone


async def test_pages_follow_by_token_until_it_is_absent(site: JiraSite, http: Client) -> None:
    for number in range(120):
        site.add_issue("PAY", f"Bulk {number}")
    seen: list[str] = []
    sizes, token = [], None
    while True:
        more: dict[str, object] = {"nextPageToken": token} if token else {}
        answer = (
            await search(
                http, "project = PAY ORDER BY key", fields=["summary"], maxResults=500, **more
            )
        ).json()
        sizes.append(len(answer["issues"]))
        seen += [issue["id"] for issue in answer["issues"]]
        token = answer.get("nextPageToken")
        assert answer["isLast"] is (token is None)
        if token is None:
            break
    assert sizes == [100, 24]
    assert len(set(seen)) == 124


async def test_the_page_size_depends_on_the_fields(site: JiraSite, http: Client) -> None:
    for number in range(120):
        site.add_issue("PAY", f"Bulk {number}")

    async def size(**more: object) -> int:
        return len((await search(http, "project = PAY", **more)).json()["issues"])

    assert await size() == 50
    assert await size(maxResults=5000, fields=["id", "key"]) == 124
    assert await size(maxResults=5000, fields=["summary"]) == 100
    assert await size(maxResults=5000, fields=[f"f{n}" for n in range(31)]) == 50


async def test_a_token_is_bound_to_its_query_and_fields(clock: FakeClock, http: Client) -> None:
    first = (await search(http, "project = PAY", maxResults=1, fields=["key"])).json()
    token = first["nextPageToken"]
    for jql, fields, wrong in [
        ("project = MOB", ["key"], token),
        ("project = PAY", ["summary"], token),
        ("project = PAY", ["key"], "bm9uc2Vuc2U="),
    ]:
        answer = await search(http, jql, fields=fields, nextPageToken=wrong)
        assert answer.status_code == 400
    clock.advance(8 * 86_400)
    late = await search(http, "project = PAY", fields=["key"], nextPageToken=token)
    assert late.status_code == 400


async def test_an_issue_that_changes_during_a_walk_is_seen_again_at_the_end(
    site: JiraSite, http: Client
) -> None:
    jql: dict[str, Any] = {"jql": "project = PAY ORDER BY updated ASC", "fields": ["key"]}
    first = (await search(http, **jql, maxResults=2)).json()
    moved = first["issues"][0]["key"]
    site.edit(moved, summary="Changed in between")
    rest = (await search(http, **jql, nextPageToken=first["nextPageToken"])).json()
    assert [issue["key"] for issue in rest["issues"]] == ["PAY-3", "PAY-118", moved]


async def test_the_index_lags_but_not_for_reconciled_issues(
    site: JiraSite, http: Client, clock: FakeClock
) -> None:
    site.search_lag = timedelta(seconds=30)
    clock.advance(60)
    site.set_status("PAY-3", "Done")
    gone, new = site.issue("PAY-2"), site.add_issue("PAY", "Fresh")
    site.delete_issue("PAY-2")
    done = 'project = PAY AND statusCategory = "Done"'
    assert await keys(http, done) == ["PAY-2"]
    assert await keys(http, done, reconcileIssues=[site.issue("PAY-3").id, gone.id]) == ["PAY-3"]
    assert new.key not in await keys(http, "project = PAY")
    clock.advance(31)
    assert await keys(http, done) == ["PAY-3"]
    too_many = await search(http, done, reconcileIssues=list(range(51)))
    assert too_many.status_code == 400


async def test_an_unknown_key_of_the_body_is_refused(http: Client) -> None:
    assert (await search(http, "project = PAY", startAt=0)).status_code == 400


async def test_counting_counts(http: Client) -> None:
    answer = await http.post(f"{API}/search/approximate-count", json={"jql": "project = PAY"})
    assert answer.json() == {"count": 4}


async def test_the_old_search_is_gone(http: Client) -> None:
    for version in "23":
        assert (await http.get(f"/rest/api/{version}/search")).status_code == 410


# Reading issues


async def test_an_issue_carries_what_a_sync_needs(site: JiraSite, http: Client) -> None:
    fields = (await http.get(f"{API}/issue/PAY-118")).json()["fields"]
    assert fields["summary"] == "Card form"
    assert fields["status"]["statusCategory"] == {
        "self": "https://harbor.atlassian.net/rest/api/3/statuscategory/4",
        "id": 4,
        "key": "indeterminate",
        "colorName": "yellow",
        "name": "In Progress",
    }
    assert fields["parent"]["key"] == "PAY-1"
    assert fields["duedate"] == "2026-12-01"
    assert fields["customfield_10021"][0]["value"] == "Impediment"
    assert fields["security"]["name"] == "Finance"
    assert fields["issuelinks"][0]["inwardIssue"]["key"] == "PAY-3"
    assert fields["resolution"] is None
    blocker = (await http.get(f"{API}/issue/PAY-3")).json()["fields"]
    assert blocker["issuelinks"][0]["outwardIssue"]["key"] == "PAY-118"
    done = (await http.get(f"{API}/issue/PAY-2")).json()["fields"]
    assert done["resolution"]["name"] == "Done"
    assert done["customfield_10016"] == 3
    assert done["assignee"]["displayName"] == "Ben Ode"
    assert "emailAddress" not in done["assignee"]


async def test_timestamps_have_milliseconds_and_an_offset_without_colon(http: Client) -> None:
    fields = (await http.get(f"{API}/issue/PAY-118")).json()["fields"]
    assert fields["updated"] == "2026-10-29T10:00:00.123+0100"
    assert fields["created"] == "2026-10-23T11:00:00.123+0200"


async def test_a_description_is_a_document_on_v3_and_text_on_v2(http: Client) -> None:
    document = (await http.get(f"{API}/issue/PAY-118")).json()["fields"]["description"]
    url = "https://linear.app/harbor/issue/GRO-44"
    first, empty, last = document["content"]
    assert first["content"][1]["marks"] == [{"type": "link", "attrs": {"href": url}}]
    assert first["content"][2]["text"] == "."
    assert empty == {"type": "paragraph"}
    assert last["content"] == [{"type": "text", "text": "Then ship."}]
    text = (await http.get("/rest/api/2/issue/PAY-118")).json()["fields"]["description"]
    assert text == f"See {url}.\n\nThen ship."


def test_text_survives_the_way_through_a_document() -> None:
    for text in ["", "one", "a https://x.example/1, (https://y.example) b", "one\n\n two "]:
        assert to_text(from_text(text)) == text


async def test_bulk_fetch_is_sorted_by_id_and_silent_about_what_is_missing_or_hidden(
    site: JiraSite, http: Client
) -> None:
    site.faults.deny.add(str(site.issue("PAY-3").id))
    site.move_issue("PAY-2", "MOB")
    wanted = ["PAY-118", "PAY-2", "NO-1", "PAY-3", "99999"]
    answer = await http.post(
        f"{API}/issue/bulkfetch", json={"issueIdsOrKeys": wanted, "fields": ["summary"]}
    )
    body = answer.json()
    assert [issue["key"] for issue in body["issues"]] == ["MOB-2", "PAY-118"]
    assert body["issueErrors"] == []


async def test_bulk_fetch_has_a_limit(make_site: MakeSite, client_of: ClientOf) -> None:
    http = client_of(make_site(bulk_limit=100))

    async def status(count: int, **more: object) -> int:
        body = {"issueIdsOrKeys": [str(n) for n in range(count)], "fields": ["summary"], **more}
        return (await http.post(f"{API}/issue/bulkfetch", json=body)).status_code

    assert (await status(100), await status(101)) == (200, 400)
    wide = client_of(make_site())
    http = wide
    assert (await status(1000), await status(1001)) == (200, 400)
    assert await status(101, fields=["*all"]) == 400
    assert await status(101, expand=["changelog"]) == 400
    assert await status(1, expand="changelog") == 400


async def test_a_moved_issue_keeps_its_id_and_answers_to_its_old_key(
    site: JiraSite, http: Client
) -> None:
    before = site.issue("PAY-118")
    moved = site.move_issue("PAY-118", "MOB", "MOB-41")
    assert (moved.id, moved.key) == (before.id, "MOB-41")
    assert (await http.get(f"{API}/issue/PAY-118")).json()["key"] == "MOB-41"
    assert await keys(http, "key = PAY-118") == ["MOB-41"]
    assert "MOB-41" in await keys(http, "project = MOB")
    assert site.add_issue("MOB", "Next").key == "MOB-2"


async def test_a_hidden_issue_looks_missing_everywhere(site: JiraSite, http: Client) -> None:
    site.faults.deny.add(str(site.issue("PAY-3").id))
    assert (await http.get(f"{API}/issue/PAY-3")).status_code == 404
    assert (await http.get(link_path("PAY-3"))).status_code == 404
    assert "PAY-3" not in await keys(http, "project = PAY")
    links = (await http.get(f"{API}/issue/PAY-118")).json()["fields"]["issuelinks"]
    assert links == []


async def test_a_deleted_issue_leaves_no_trace(site: JiraSite, http: Client) -> None:
    site.delete_issue("PAY-1")
    assert (await http.get(f"{API}/issue/PAY-1")).status_code == 404
    assert "parent" not in (await http.get(f"{API}/issue/PAY-2")).json()["fields"]


async def test_status_changes_are_in_the_changelog(
    site: JiraSite, http: Client, clock: FakeClock
) -> None:
    clock.advance(5)
    site.set_status("PAY-118", "Done")
    body = {"issueIdsOrKeys": ["PAY-118", "PAY-2"], "fieldIds": ["status"], "maxResults": 2}
    first = (await http.post(f"{API}/changelog/bulkfetch", json=body)).json()
    body["nextPageToken"] = first["nextPageToken"]
    last = (await http.post(f"{API}/changelog/bulkfetch", json=body)).json()
    assert [log["issueId"] for log in first["issueChangeLogs"]] == [str(site.issue("PAY-2").id)]
    (entry,) = last["issueChangeLogs"][0]["changeHistories"]
    assert entry["items"][0]["fromString"] == "In Progress"
    assert entry["items"][0]["toString"] == "Done"
    assert "nextPageToken" not in last
    issue = site.issue("PAY-118")
    assert issue.resolution == "Done"
    assert issue.resolved == issue.updated == clock.now()


# Remote links


async def test_a_remote_link_is_an_upsert_by_global_id(site: JiraSite, http: Client) -> None:
    path = link_path("PAY-118")
    first = await http.post(path, json=LINK | {"relationship": "roadmap"})
    again = await http.post(path, json=LINK)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    shown = (await http.get(path, params={"globalId": GLOBAL_ID})).json()
    assert "relationship" not in shown
    assert shown["object"]["title"] == "GRO-44"
    assert len((await http.get(path)).json()) == 1
    assert site.activity("PAY-118") == 2


async def test_a_global_id_in_the_wrong_case_is_not_one(http: Client) -> None:
    body = {"globalid": "opsync:link:1", "object": LINK["object"]}
    assert [(await http.post(link_path("PAY-1"), json=body)).status_code for _ in "ab"] == [201] * 2


async def test_each_write_of_a_link_bumps_updated_unless_told_not_to(
    site: JiraSite, http: Client, clock: FakeClock
) -> None:
    await http.post(link_path("PAY-118"), json=LINK)
    assert site.issue("PAY-118").updated == clock.now()
    site.remote_links_bump_updated = False
    clock.advance(5)
    await http.post(link_path("PAY-118"), json=LINK)
    assert site.issue("PAY-118").updated < clock.now()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"object": {"title": "no address"}},
        {"object": {"url": "https://x.example"}},
        {"object": {"url": "javascript:alert(1)", "title": "x"}},
        {"object": {"url": "https://x.example", "title": "x" * 256}},
        {"globalId": "x" * 256, "object": LINK["object"]},
        {"application": "Linear", "object": LINK["object"]},
    ],
)
async def test_a_malformed_link_is_refused(http: Client, body: dict[str, object]) -> None:
    answer = await http.post(link_path("PAY-118"), json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"]


async def test_links_are_removed_by_global_id_and_by_id(http: Client) -> None:
    path = link_path("PAY-118")
    await http.post(path, json=LINK)
    gone = await http.delete(path, params={"globalId": GLOBAL_ID})
    assert gone.status_code == 204
    assert (await http.delete(path, params={"globalId": "x"})).status_code == 404
    number = (await http.post(path, json=LINK)).json()["id"]
    assert (await http.put(f"{path}/{number}", json=LINK)).status_code == 204
    assert (await http.delete(f"{path}/{number}")).status_code == 204
    assert (await http.get(f"{path}/{number}")).status_code == 404
    assert (await http.get(path)).json() == []


async def test_an_issue_holds_so_many_links_only(make_site: MakeSite, client_of: ClientOf) -> None:
    http = client_of(make_site(remote_link_limit=1))
    path = link_path("PAY-118")
    await http.post(path, json=LINK)
    assert (await http.post(path, json=LINK | {"globalId": "other"})).status_code == 413
    assert (await http.post(path, json=LINK)).status_code == 200


# Signing in


async def test_a_dead_token_finds_nothing_and_only_a_header_tells(
    site: JiraSite, http: Client
) -> None:
    site.faults.refuse_token = True
    answer = await search(http, "project = PAY")
    assert (answer.status_code, answer.json()["issues"]) == (200, [])
    assert answer.headers["x-seraph-loginreason"] == "AUTHENTICATED_FAILED"
    assert (await http.get(f"{API}/myself")).status_code == 401
    assert (await http.post(link_path("PAY-1"), json=LINK)).status_code == 401
    assert site.remote_links == {}


async def test_a_wrong_token_is_refused_like_a_dead_one(http: Client) -> None:
    http.auth = httpx.BasicAuth("ana@harbor.example", "wrong")
    assert (await search(http, "project = PAY")).headers["x-seraph-loginreason"]
    assert (await http.get(f"{API}/status")).status_code == 401


async def test_the_gateway_serves_the_same_site(site: JiraSite, http: Client) -> None:
    assert (await http.get("/_edge/tenant_info")).json() == {"cloudId": site.cloud_id}
    gateway = f"/ex/jira/{site.cloud_id}{API}"
    answer = (await http.get(f"{gateway}/issue/PAY-1")).json()
    assert answer["self"].startswith(f"https://api.atlassian.com/ex/jira/{site.cloud_id}/rest/")
    info = (await http.get(f"{gateway}/serverInfo")).json()
    assert info["baseUrl"] == "https://harbor.atlassian.net"
    assert (await http.get(f"/ex/jira/other{API}/myself")).status_code == 404


# Limits and faults


async def test_a_burst_over_the_limit_is_refused_for_that_endpoint_only(
    site: JiraSite, http: Client, clock: FakeClock
) -> None:
    answers = [await http.get(f"{API}/myself") for _ in range(101)]
    assert [a.status_code for a in answers] == [200] * 100 + [429]
    refused = answers[-1]
    assert refused.headers["RateLimit-Reason"] == "jira-burst-based"
    assert refused.headers["Retry-After"] == "1"
    assert answers[0].headers["RateLimit-Policy"] == '"jira-burst-based";q=100;w=1'
    assert answers[0].headers["X-RateLimit-Remaining"] == "99"
    assert answers[-2].headers["X-RateLimit-NearLimit"] == "true"
    assert site.over_budget == 1
    assert (await http.get(f"{API}/status")).status_code == 200
    clock.advance(1)
    assert (await http.get(f"{API}/myself")).status_code == 200


async def test_writes_to_one_issue_have_a_limit_of_their_own(http: Client) -> None:
    answers = [await http.post(link_path("PAY-118"), json=LINK) for _ in range(21)]
    assert answers[19].status_code == 200
    assert answers[20].status_code == 429
    assert answers[20].headers["RateLimit-Reason"] == "jira-per-issue-on-write"
    assert (await http.post(link_path("PAY-3"), json=LINK)).status_code == 201


async def test_the_factor_raises_every_limit(make_site: MakeSite, client_of: ClientOf) -> None:
    http = client_of(make_site(limit_factor=10))
    answers = [await http.post(link_path("PAY-118"), json=LINK) for _ in range(21)]
    assert answers[20].status_code == 200
    assert answers[0].headers["X-RateLimit-Limit"] == "1000"


async def test_an_outage_ends_by_itself(site: JiraSite, http: Client, clock: FakeClock) -> None:
    site.start_outage(30)
    assert (await http.get(f"{API}/myself")).status_code == 503
    clock.advance(30)
    assert (await http.get(f"{API}/myself")).status_code == 200
    site.start_outage()
    clock.advance(3600)
    assert (await http.get(f"{API}/myself")).status_code == 503


async def test_faults_are_what_they_say(site: JiraSite, http: Client) -> None:
    site.faults.html = True
    assert "html" in (await http.get(f"{API}/myself")).headers["content-type"]
    site.faults.html = False
    site.faults.rate_limit_next = 1
    assert [(await http.get(f"{API}/myself")).status_code for _ in "ab"] == [429, 200]
    assert site.over_budget == 0
    site.faults.cut_next = 1
    cut = await http.get(f"{API}/myself")
    with pytest.raises(json.JSONDecodeError):
        cut.json()
    assert (await http.get(f"{API}/myself")).json()["displayName"] == "Ana Reyes"


async def test_a_lost_write_was_carried_out(site: JiraSite, http: Client) -> None:
    site.faults.lose_next_writes = 1
    assert (await http.post(link_path("PAY-118"), json=LINK)).status_code == 502
    assert (await http.post(link_path("PAY-118"), json=LINK)).status_code == 200


async def test_a_token_that_may_only_read_cannot_link(site: JiraSite, http: Client) -> None:
    site.faults.read_only = True
    assert (await http.post(link_path("PAY-118"), json=LINK)).status_code == 403
    assert (await http.get(link_path("PAY-118"))).json() == []
    asked = await http.get(f"{API}/mypermissions", params={"permissions": "LINK_ISSUES"})
    assert asked.json()["permissions"]["LINK_ISSUES"]["havePermission"] is False


async def test_reads_are_counted_apart_from_writes(site: JiraSite, http: Client) -> None:
    await search(http, "project = PAY")
    await http.post(link_path("PAY-118"), json=LINK)
    assert (site.read_requests, site.write_requests) == (1, 1)


# Data Center


async def test_data_center_searches_by_offset_with_a_bearer_token(
    make_site: MakeSite, client_of: ClientOf
) -> None:
    http = client_of(make_site(deployment="Server", base_url="https://jira.harbor.example"))
    query: dict[str, Any] = {"jql": "project = PAY ORDER BY key", "startAt": 1, "maxResults": 2}
    posted = (await http.post("/rest/api/2/search", json=query)).json()
    got = (await http.get("/rest/api/2/search", params=query | {"fields": "summary"})).json()
    assert [issue["key"] for issue in posted["issues"]] == ["PAY-2", "PAY-3"]
    assert (got["total"], got["startAt"], got["maxResults"]) == (4, 1, 2)
    assert set(got["issues"][0]["fields"]) == {"summary"}
    fields = posted["issues"][0]["fields"]
    assert fields["customfield_10014"] == "PAY-1"
    assert "parent" not in fields
    assert "accountId" not in fields["assignee"]
    assert fields["assignee"]["name"] == fields["assignee"]["key"]
    assert (await http.get("/rest/api/2/serverInfo")).json()["deploymentType"] == "Server"
    assert (await http.post(link_path("PAY-2", "2"), json=LINK)).status_code == 201
    assert (await http.get(f"{API}/myself")).status_code == 404
    http.headers["Authorization"] = "Bearer wrong"
    assert (await http.post("/rest/api/2/search", json=query)).status_code == 401


# Pokes


def test_an_item_is_found_by_key_address_or_title(site: JiraSite) -> None:
    for item in ["PAY-118", "pay-118", "https://harbor.atlassian.net/browse/PAY-118", "card form"]:
        assert site.find(item) == "PAY-118", item
    assert site.find("no such thing") is None
    assert site.find("https://elsewhere.example/browse/PAY-118") is None
    site.add_issue("PAY", "Card form on iOS")
    assert site.find("Card form") == "PAY-118"
    with pytest.raises(AmbiguousItem, match="PAY-118"):
        site.find("card")


def test_a_move_by_category_takes_the_projects_own_status(site: JiraSite) -> None:
    said = site.poke_move("MOB-1", "done")
    assert site.issue("MOB-1").status.name == "Fertig"
    assert said == "Jira: MOB-1 Offline-Modus moved from Offen to Fertig."
    assert site.poke_move("MOB-1", "done") == "Jira: MOB-1 Offline-Modus is Fertig already."
    site.poke_move("PAY-3", "canceled")
    assert site.issue("PAY-3").resolution == "Won't Do"
    assert site.issue("PAY-3").status.category == "done"
    site.poke_move("PAY-3", "in progress")
    assert site.issue("PAY-3").resolution is None
    with pytest.raises(ValueError, match="no status 'limbo'"):
        site.poke_move("PAY-3", "limbo")


@pytest.mark.parametrize(
    ("field", "value", "name", "becomes"),
    [
        ("title", " Pay by card ", "summary", "Pay by card"),
        ("estimate", "5", "points", 5.0),
        ("labels", "a, b", "labels", ("a", "b")),
        ("flagged", "true", "flagged", True),
        ("due", None, "due", None),
        ("description", "See PAY-1", "description", "See PAY-1"),
    ],
)
def test_an_edit_reads_plain_values(
    site: JiraSite, clock: FakeClock, field: str, value: object, name: str, becomes: object
) -> None:
    clock.advance(7)
    site.poke_edit("PAY-118", field, value)
    issue = site.issue("PAY-118")
    assert getattr(issue, name) == becomes
    assert issue.updated == clock.now()


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("colour", "red", "no such field"),
        ("title", None, "cannot be empty"),
        ("due", "soon", "Invalid isoformat"),
        ("assignee", "Zoe", "no Jira user"),
    ],
)
def test_an_impossible_edit_is_refused(
    site: JiraSite, field: str, value: object, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        site.poke_edit("PAY-118", field, value)


# The vendor's own spec


async def test_every_answer_validates_against_the_vendors_spec(
    site: JiraSite, http: Client, specs_dir: Path
) -> None:
    site.add_link("PAY-2", "PAY-3", type_name="Relates")
    wide = {"jql": "project in (PAY, MOB) ORDER BY updated ASC", "fields": ["*all"]}
    requests: list[tuple[str, str, object]] = [
        *(("GET", p, None) for p in ("myself", "serverInfo", "field", "status", "issueLinkType")),
        ("GET", "project/search?maxResults=1", None),
        ("GET", "mypermissions?permissions=BROWSE_PROJECTS,LINK_ISSUES", None),
        ("POST", "search/jql", wide | {"maxResults": 2}),
        ("POST", "search/jql", {"jql": "project = PAY"}),
        ("POST", "search/approximate-count", {"jql": "project = PAY"}),
        ("POST", "issue/bulkfetch", {"issueIdsOrKeys": ["PAY-1", "X-1"], "fields": ["summary"]}),
        ("POST", "changelog/bulkfetch", {"issueIdsOrKeys": ["PAY-2"]}),
        ("GET", "issue/PAY-118", None),
        ("GET", "issue/PAY-404", None),
        ("POST", "issue/PAY-118/remotelink", LINK),
        ("POST", "issue/PAY-118/remotelink", LINK),
        ("GET", "issue/PAY-118/remotelink", None),
        ("GET", "issue/PAY-118/remotelink?globalId=opsync%3Alink%3A1", None),
        ("DELETE", "issue/PAY-118/remotelink?globalId=opsync%3Alink%3A1", None),
    ]
    for method, path, body in requests:
        await http.request(method, f"{API}/{path}", json=body)
    report = validate_jira(site.exchanges, specs_dir / "jira-openapi-min.json")
    assert report.problems == []
    assert report.requests == len(requests)
    assert report.answers >= 16
