"""What each simulated vendor answers to a credential that may not do something."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.support.clock import FakeClock

from opsync.sandbox.control import Control
from opsync.sandbox.jira import JiraSite
from opsync.sandbox.linear import LinearWorkspace
from opsync.sandbox.notion import NotionWorkspace
from opsync.sandbox.vendor import Vendor

BASIC = "Basic " + base64.b64encode(b"ana@harbor.example:sandbox-jira-token").decode()


@pytest.fixture
def site() -> JiraSite:
    made = JiraSite(now=FakeClock().now, limit_factor=10)
    made.add_status("To Do", "new")
    made.add_project("PAY", "Payments")
    made.add_project("MOB", "Mobile")
    made.add_issue("PAY", "Card form")
    made.add_issue("MOB", "Screen")
    return made


@pytest.fixture
async def http() -> AsyncIterator[list[httpx.AsyncClient]]:
    """Holds the clients of a test, and closes them."""
    clients: list[httpx.AsyncClient] = []
    yield clients
    for client in clients:
        await client.aclose()


def client(http: list[httpx.AsyncClient], vendor: Vendor, **headers: str) -> httpx.AsyncClient:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    transport = httpx.ASGITransport(vendor.app)
    made = httpx.AsyncClient(transport=transport, base_url="https://x.example", headers=named)
    http.append(made)
    return made


def gateway(site: JiraSite, path: str) -> str:
    return f"/ex/jira/{site.cloud_id}/rest/api/3/{path}"


SEARCH: dict[str, Any] = {"jql": "updated >= 0", "fields": ["id"]}
LINK: dict[str, Any] = {"globalId": "x", "object": {"url": "https://x.example", "title": "x"}}


@pytest.mark.parametrize(
    ("missing", "refused"),
    [
        ("read:jira-user", "myself"),
        ("read:jira-work", "search/jql"),
        ("write:jira-work", "issue/PAY-1/remotelink"),
    ],
)
async def test_jiras_gateway_refuses_each_request_that_needs_the_scope(
    site: JiraSite, http: list[httpx.AsyncClient], missing: str, refused: str
) -> None:
    site.faults.missing_scopes = {missing}
    jira = client(http, site, authorization=BASIC)
    answers = {
        "myself": await jira.get(gateway(site, "myself")),
        "search/jql": await jira.post(gateway(site, "search/jql"), json=SEARCH),
        "issue/PAY-1/remotelink": await jira.post(
            gateway(site, "issue/PAY-1/remotelink"), json=LINK
        ),
        "serverInfo": await jira.get(gateway(site, "serverInfo")),
    }

    assert {path for path, each in answers.items() if each.status_code == 401} == {refused}
    body = answers[refused].json()
    assert body == {"code": 401, "message": "Unauthorized; scope does not match"}
    assert answers[refused].headers["x-failure-category"] == "FAILURE_CLIENT_SCOPE_CHECK"


async def test_a_token_with_scopes_is_no_token_at_the_site(
    site: JiraSite, http: list[httpx.AsyncClient]
) -> None:
    site.faults.missing_scopes = {"write:jira-work"}

    answer = await client(http, site, authorization=BASIC).get("/rest/api/3/myself")

    assert answer.status_code == 401
    assert "scope" not in answer.text


async def test_jira_hides_projects_with_all_that_is_in_them(
    site: JiraSite, http: list[httpx.AsyncClient]
) -> None:
    site.faults.deny = {"MOB"}
    jira = client(http, site, authorization=BASIC)
    base = "/rest/api/3"

    listed = (await jira.get(f"{base}/project/search")).json()["values"]
    named = await jira.post(f"{base}/search/jql", json=SEARCH | {"jql": "project = MOB"})
    found = (await jira.post(f"{base}/search/jql", json=SEARCH)).json()["issues"]

    assert [project["key"] for project in listed] == ["PAY"]
    assert named.status_code == 400
    assert len(found) == 1
    for path in ("issue/MOB-1", "project/MOB/statuses"):
        assert (await jira.get(f"{base}/{path}")).status_code == 404
    asked = {"permissions": "BROWSE_PROJECTS", "projectKey": "MOB"}
    assert (await jira.get(f"{base}/mypermissions", params=asked)).status_code == 404


async def test_jira_refuses_links_without_the_permission(
    site: JiraSite, http: list[httpx.AsyncClient]
) -> None:
    site.faults.missing_scopes = {"LINK_ISSUES"}
    jira = client(http, site, authorization=BASIC)

    answer = await jira.post("/rest/api/3/issue/PAY-1/remotelink", json=LINK)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("missing", "query"),
    [
        ("read", "{ viewer { id } }"),
        ("write", 'mutation { attachmentDelete(id: "x") { success } }'),
    ],
)
async def test_linear_forbids_what_the_key_does_not_permit(
    http: list[httpx.AsyncClient], missing: str, query: str
) -> None:
    workspace = LinearWorkspace(now=FakeClock().now)
    workspace.faults.missing_scopes = {missing}
    linear = client(http, workspace, authorization="lin_api_sandbox")

    answer = await linear.post("/graphql", json={"query": query})

    (error,) = answer.json()["errors"]
    assert answer.status_code == 400
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert missing in error["message"]


async def test_linear_filters_issues_by_some_label(http: list[httpx.AsyncClient]) -> None:
    workspace = LinearWorkspace(now=FakeClock().now)
    workspace.add_team("GRO", "Growth")
    workspace.add_issue("GRO", "Cart", labels=["roadmap", "web"])
    workspace.add_issue("GRO", "Chore", labels=["noise"])
    workspace.add_issue("GRO", "Bare")
    linear = client(http, workspace, authorization="lin_api_sandbox")

    async def titles(filter_: str) -> list[str]:
        query = f"{{ issues(filter: {{ labels: {filter_} }}) {{ nodes {{ title }} }} }}"
        found = (await linear.post("/graphql", json={"query": query})).json()
        return sorted(node["title"] for node in found["data"]["issues"]["nodes"])

    assert await titles('{ some: { name: { in: ["roadmap"] } } }') == ["Cart"]
    assert await titles('{ every: { name: { eq: "noise" } } }') == ["Bare", "Chore"]


@pytest.mark.parametrize(
    ("missing", "method", "path"),
    [
        ("read content", "POST", "/v1/search"),
        ("read content", "POST", "/v1/data_sources/{source}/query"),
        ("update content", "PATCH", "/v1/data_sources/{source}"),
        ("update content", "PATCH", "/v1/pages/{page}"),
        ("insert content", "POST", "/v1/pages"),
        ("user information", "GET", "/v1/users"),
    ],
)
async def test_notion_restricts_what_the_connection_may_not(
    http: list[httpx.AsyncClient], missing: str, method: str, path: str
) -> None:
    workspace = NotionWorkspace(now=FakeClock().now)
    source = workspace.add_database("Roadmap", properties={}).data_source
    page = workspace.add_page(source, {"Name": "Checkout"})
    workspace.faults.missing_scopes = {missing}
    headers = {"authorization": "Bearer ntn_sandbox", "notion_version": "2026-03-11"}
    notion = client(http, workspace, **headers)

    url = path.format(source=source.id, page=page.id)
    answer = await notion.request(method, url, json={} if method != "GET" else None)

    assert (answer.status_code, answer.json()["code"]) == (403, "restricted_resource")
    assert (await notion.get("/v1/users/me")).status_code == 200


@pytest.mark.parametrize(
    ("missing", "shown"),
    [("user information", {"object", "id"}), ("email addresses", {"object", "id", "name"})],
)
async def test_notion_withholds_people(
    http: list[httpx.AsyncClient], missing: str, shown: set[str]
) -> None:
    workspace = NotionWorkspace(now=FakeClock().now)
    ana = workspace.add_user("Ana Reyes", "ana@harbor.example")
    source = workspace.add_database("Roadmap", properties={"Owner": {"people": {}}}).data_source
    page = workspace.add_page(source, {"Name": "Checkout", "Owner": [ana]})
    workspace.faults.missing_scopes = {missing}
    headers = {"authorization": "Bearer ntn_sandbox", "notion_version": "2026-03-11"}

    answer = await client(http, workspace, **headers).get(f"/v1/pages/{page.id}")

    (owner,) = answer.json()["properties"]["Owner"]["people"]
    assert shown <= owner.keys()
    assert "ana@harbor.example" not in answer.text


async def test_missing_scopes_are_set_by_the_vendors_own_words(
    site: JiraSite, http: list[httpx.AsyncClient]
) -> None:
    transport = httpx.ASGITransport(Control({"jira": site}).app, client=("127.0.0.1", 1))
    control = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
    http.append(control)

    wrong = await control.post("/fault", json={"vendor": "jira", "missing_scopes": ["read"]})
    right = await control.post(
        "/fault", json={"vendor": "jira", "missing_scopes": ["write:jira-work"]}
    )

    assert wrong.status_code == 400
    assert "there are read:jira-work, read:jira-user, write:jira-work" in wrong.json()["error"]
    assert right.json()["faults"]["missing_scopes"] == ["write:jira-work"]
    assert site.faults.missing_scopes == {"write:jira-work"}
