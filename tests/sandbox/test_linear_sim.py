"""The simulated Linear answers as the real one does."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)

from opsync.sandbox.linear import LinearWorkspace
from opsync.sandbox.linear.filters import snake
from opsync.sandbox.linear.objects import Attachment, Initiative, Issue, Project, Team, User
from opsync.sandbox.linear.schema import schema
from opsync.sandbox.vendor import AmbiguousItem

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TOKEN = "lin_api_sandbox"


class Hands:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def turn(self, **span: float) -> None:
        self.at += timedelta(**span)


class Site:
    """A workspace with a client that talks to it over ASGI."""

    def __init__(self, **options: Any) -> None:
        self.clock = Hands()
        self.linear = LinearWorkspace(now=self.clock, **options)

    async def send(
        self,
        query: str,
        variables: Mapping[str, object] | None = None,
        *,
        authorization: str = TOKEN,
        content: bytes | None = None,
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.linear.app)
        body = content or json.dumps({"query": query, "variables": variables or {}}).encode()
        async with httpx.AsyncClient(transport=transport, base_url="http://linear") as client:
            return await client.post(
                "/graphql", content=body, headers={"Authorization": authorization}
            )

    async def data(self, query: str, **variables: object) -> Any:
        answer = await self.send(query, variables)
        payload = answer.json()
        assert "errors" not in payload, payload["errors"]
        return payload["data"]

    async def refusal(self, query: str, **variables: object) -> tuple[int, str, Any]:
        """The HTTP status, the first error's code, and the data of a refused request."""
        answer = await self.send(query, variables)
        payload = answer.json()
        return answer.status_code, code_of(answer), payload.get("data")


def code_of(answer: httpx.Response) -> str:
    code = answer.json()["errors"][0]["extensions"]["code"]
    assert isinstance(code, str)
    return code


@pytest.fixture
def site() -> Site:
    made = Site()
    linear = made.linear
    linear.add_team("GRO", "Growth")
    linear.add_team("SEC", "Security", private=True)
    linear.add_initiative("Checkout", links=[("Notes", "https://example.com/notes")])
    linear.add_project("Checkout web", teams=["GRO"], initiatives=["Checkout"])
    linear.add_issue("GRO", "Card form", project="Checkout web", identifier="GRO-44")
    return made


def issues_of(data: Any) -> list[str]:
    return [each["identifier"] for each in data["issues"]["nodes"]]


LIST = """query($after: String, $first: Int, $filter: IssueFilter, $archived: Boolean,
  $by: PaginationOrderBy) {
  issues(first: $first, after: $after, filter: $filter, includeArchived: $archived, orderBy: $by) {
    nodes { id identifier title updatedAt } pageInfo { hasNextPage endCursor } } }"""


async def test_a_listing_is_newest_first_and_pages_by_cursor(site: Site) -> None:
    for number in range(4):
        site.clock.turn(minutes=1)
        site.linear.add_issue("GRO", f"Task {number}")
    first = await site.data(LIST, first=3)
    assert issues_of(first) == ["GRO-48", "GRO-47", "GRO-46"]
    info = first["issues"]["pageInfo"]
    assert info["hasNextPage"] is True
    second = await site.data(LIST, first=3, after=info["endCursor"])
    assert issues_of(second) == ["GRO-45", "GRO-44"]
    assert second["issues"]["pageInfo"]["hasNextPage"] is False


async def test_a_row_that_changes_during_a_walk_jumps_to_the_front(site: Site) -> None:
    for number in range(3):
        site.clock.turn(minutes=1)
        site.linear.add_issue("GRO", f"Task {number}")
    page = await site.data(LIST, first=2, by="updatedAt")
    site.clock.turn(minutes=1)
    site.linear.edit("GRO-44", title="Card form, again")
    rest = await site.data(
        LIST, first=2, by="updatedAt", after=page["issues"]["pageInfo"]["endCursor"]
    )
    assert issues_of(rest) == ["GRO-45"]
    assert issues_of(await site.data(LIST, first=1, by="updatedAt")) == ["GRO-44"]


async def test_a_cursor_outlives_its_row(site: Site) -> None:
    for number in range(2):
        site.clock.turn(minutes=1)
        site.linear.add_issue("GRO", f"Task {number}")
    page = await site.data(LIST, first=1)
    site.linear.delete_issue("GRO-46")
    rest = await site.data(LIST, after=page["issues"]["pageInfo"]["endCursor"])
    assert issues_of(rest) == ["GRO-45", "GRO-44"]


async def test_a_listing_reads_backwards_too_and_has_edges(site: Site) -> None:
    for number in range(3):
        site.clock.turn(minutes=1)
        site.linear.add_issue("GRO", f"Task {number}")
    query = """query($before: String) { issues(last: 2, before: $before) {
      edges { cursor node { identifier } } pageInfo { hasPreviousPage startCursor } } }"""
    last = (await site.data(query))["issues"]
    assert [each["node"]["identifier"] for each in last["edges"]] == ["GRO-45", "GRO-44"]
    assert last["pageInfo"]["hasPreviousPage"] is True
    start = last["pageInfo"]["startCursor"]
    assert start == last["edges"][0]["cursor"]
    front = (await site.data(query, before=start))["issues"]
    assert [each["node"]["identifier"] for each in front["edges"]] == ["GRO-47", "GRO-46"]


async def test_a_page_holds_fifty_rows_unless_told_and_250_at_most(site: Site) -> None:
    for number in range(60):
        site.linear.add_issue("GRO", f"Task {number}")
    assert len(issues_of(await site.data(LIST))) == 50
    assert len(issues_of(await site.data(LIST, first=250))) == 61
    assert (await site.refusal(LIST, first=251))[:2] == (200, "INPUT_ERROR")
    assert (await site.refusal(LIST, after="nowhere"))[:2] == (200, "INPUT_ERROR")


async def test_archived_and_trashed_issues_show_only_if_asked_for(site: Site) -> None:
    site.linear.add_issue("GRO", "Old")
    site.linear.archive_issue("GRO-44")
    site.linear.trash_issue("GRO-45")
    assert issues_of(await site.data(LIST)) == []
    query = "{issues(first:9,includeArchived:true){nodes{identifier trashed archivedAt}}}"
    rows = (await site.data(query))["issues"]["nodes"]
    assert {(each["identifier"], each["trashed"]) for each in rows} == {
        ("GRO-44", None),
        ("GRO-45", True),
    }
    assert all(each["archivedAt"] for each in rows)


async def test_updated_since_counts_the_bound_itself(site: Site) -> None:
    seen = (await site.data(LIST))["issues"]["nodes"][0]["updatedAt"]
    assert seen == "2026-11-22T12:00:00.000Z"
    assert issues_of(await site.data(LIST, filter={"updatedAt": {"gte": seen}})) == ["GRO-44"]
    assert issues_of(await site.data(LIST, filter={"updatedAt": {"gt": seen}})) == []
    assert issues_of(await site.data(LIST, filter={"updatedAt": {"lt": seen}})) == []


async def test_a_bound_may_be_a_duration(site: Site) -> None:
    site.clock.turn(minutes=5)
    assert issues_of(await site.data(LIST, filter={"updatedAt": {"gte": "-PT10M"}})) == ["GRO-44"]
    site.clock.turn(minutes=6)
    assert issues_of(await site.data(LIST, filter={"updatedAt": {"gte": "-PT10M"}})) == []
    refused = await site.refusal(LIST, filter={"updatedAt": {"gte": "lately"}})
    assert refused[:2] == (200, "INPUT_ERROR")


async def test_filters_by_id_team_state_project_and_blockers(site: Site) -> None:
    linear = site.linear
    secret = linear.add_issue("SEC", "Key rotation", state="In Progress")
    linear.relate("SEC-1", "GRO-44")
    card = linear.issue("GRO-44")
    growth = linear.team("GRO").id
    for wanted, found in [
        ({"id": {"in": [secret.id, str(uuid.uuid4())]}}, ["SEC-1"]),
        ({"id": {"eq": card.id}}, ["GRO-44"]),
        ({"team": {"key": {"in": ["GRO"]}}}, ["GRO-44"]),
        ({"team": {"id": {"in": [growth]}}}, ["GRO-44"]),
        ({"team": {"key": {"nin": ["GRO"]}}}, ["SEC-1"]),
        ({"state": {"type": {"eq": "started"}}}, ["SEC-1"]),
        ({"project": {"name": {"eq": "Checkout web"}}}, ["GRO-44"]),
        ({"project": {"null": True}}, ["SEC-1"]),
        ({"hasBlockedByRelations": {"eq": True}}, ["GRO-44"]),
        ({"completedAt": {"null": False}}, []),
        ({"or": [{"title": {"startsWith": "Card"}}, {"title": {"eq": "x"}}]}, ["GRO-44"]),
        ({"and": [{"title": {"contains": "Card"}}, {"title": {"eq": "x"}}]}, []),
    ]:
        assert issues_of(await site.data(LIST, filter=wanted)) == found, wanted


async def test_an_issue_shows_all_that_a_sync_reads(site: Site) -> None:
    linear = site.linear
    linear.add_user("Ana Sample", "ana@harbor.example")
    linear.add_issue("GRO", "Parent")
    linear.add_issue(
        "GRO",
        "Save cards",
        state="In Progress",
        parent="GRO-45",
        project="Checkout web",
        assignee="Ana Sample",
        description="See https://jira.example/browse/PAY-118",
        priority=2,
        estimate=3,
        labels=["web"],
        due=date(2026, 12, 1),
        attachments=[("Design", "https://example.com/design")],
    )
    linear.relate("GRO-44", "GRO-46")
    query = """query($id: String!) { issue(id: $id) {
      identifier url title priority estimate dueDate startedAt trashed previousIdentifiers
      state { name type } team { key private visibility } project { name } parent { identifier }
      assignee { displayName email } labels(first: 5) { nodes { name } }
      attachments(first: 5) { nodes { title url metadata sourceType } }
      inverseRelations(first: 5) { nodes { type issue { identifier state { type } } } }
      relations(first: 5) { nodes { id } } } }"""
    issue = (await site.data(query, id="GRO-46"))["issue"]
    assert issue == {
        "identifier": "GRO-46",
        "url": "https://linear.app/harbor/issue/GRO-46/save-cards",
        "title": "Save cards",
        "priority": 2,
        "estimate": 3,
        "dueDate": "2026-12-01",
        "startedAt": "2026-11-22T12:00:00.000Z",
        "trashed": None,
        "previousIdentifiers": [],
        "state": {"name": "In Progress", "type": "started"},
        "team": {"key": "GRO", "private": False, "visibility": "public"},
        "project": {"name": "Checkout web"},
        "parent": {"identifier": "GRO-45"},
        "assignee": {"displayName": "ana", "email": "ana@harbor.example"},
        "labels": {"nodes": [{"name": "web"}]},
        "attachments": {
            "nodes": [
                {
                    "title": "Design",
                    "url": "https://example.com/design",
                    "metadata": {},
                    "sourceType": None,
                }
            ]
        },
        "inverseRelations": {
            "nodes": [
                {
                    "type": "blocks",
                    "issue": {"identifier": "GRO-44", "state": {"type": "unstarted"}},
                }
            ]
        },
        "relations": {"nodes": []},
    }


async def test_containers_show_links_teams_and_each_other(site: Site) -> None:
    data = await site.data(
        """{ projects(first: 5) { nodes { name url slugId status { type } health progress
              teams(first: 5) { nodes { key } } initiatives(first: 5) { nodes { name } }
              externalLinks(first: 5) { nodes { label } } } }
            initiatives(first: 5) { nodes { name status links(first: 5) { nodes { label url } }
              projects(first: 5) { nodes { name } } } } }"""
    )
    (project,) = data["projects"]["nodes"]
    assert project["url"] == f"https://linear.app/harbor/project/checkout-web-{project['slugId']}"
    assert len(project["slugId"]) == 12
    assert project["status"] == {"type": "started"}
    assert project["teams"]["nodes"] == [{"key": "GRO"}]
    assert project["initiatives"]["nodes"] == [{"name": "Checkout"}]
    (initiative,) = data["initiatives"]["nodes"]
    assert initiative["status"] == "Active"
    assert initiative["links"]["nodes"] == [{"label": "Notes", "url": "https://example.com/notes"}]
    assert initiative["projects"]["nodes"] == [{"name": "Checkout web"}]


async def test_started_work_counts_a_quarter_in_a_projects_progress(site: Site) -> None:
    site.linear.add_issue("GRO", "Half way", project="Checkout web", state="In Progress")
    site.linear.add_issue("GRO", "Dropped", project="Checkout web", state="Canceled")
    site.linear.set_state("GRO-44", "Done")
    data = await site.data("{projects(first:1){nodes{progress scope}}}")
    assert data["projects"]["nodes"] == [{"progress": 0.625, "scope": 2}]


async def test_one_query_tells_who_and_where_and_what_is_left(site: Site) -> None:
    data = await site.data(
        """{ viewer { id isMe } organization { name urlKey }
             rateLimitStatus { kind limits { type allowedAmount remainingAmount } }
             teams(first: 5) { nodes { key private } }
             workflowStates(first: 50) { nodes { name type team { key } } } }"""
    )
    assert data["viewer"]["isMe"] is True
    assert data["organization"] == {"name": "Harbor", "urlKey": "harbor"}
    limits = {each["type"]: each["allowedAmount"] for each in data["rateLimitStatus"]["limits"]}
    assert limits == {"request": 2500, "complexity": 3_000_000}
    assert {(e["key"], e["private"]) for e in data["teams"]["nodes"]} == {
        ("GRO", False),
        ("SEC", True),
    }
    growth = {e["type"] for e in data["workflowStates"]["nodes"] if e["team"]["key"] == "GRO"}
    assert growth == {
        "triage",
        "backlog",
        "unstarted",
        "started",
        "completed",
        "canceled",
        "duplicate",
    }


async def test_a_moved_issue_keeps_its_id_and_answers_to_its_old_name(site: Site) -> None:
    before = site.linear.issue("GRO-44").id
    site.linear.move_issue("GRO-44", "SEC")
    query = "query($id:String!){issue(id:$id){id identifier previousIdentifiers url}}"
    issue = (await site.data(query, id="GRO-44"))["issue"]
    assert issue == {
        "id": before,
        "identifier": "SEC-1",
        "previousIdentifiers": ["GRO-44"],
        "url": "https://linear.app/harbor/issue/SEC-1/card-form",
    }


async def test_what_people_do_moves_updated_at(site: Site) -> None:
    linear = site.linear
    stamps = [linear.issue("GRO-44").updated_at]
    acts: list[Callable[[], object]] = [
        lambda: linear.set_state("GRO-44", "Done"),
        lambda: linear.edit("GRO-44", title="Card form v2", due=date(2026, 12, 1)),
        lambda: linear.move_issue("GRO-44", "SEC"),
        lambda: linear.archive_issue("SEC-1"),
    ]
    for act in acts:
        act()
        stamps.append(linear.issue("GRO-44").updated_at)
    assert stamps == sorted(set(stamps))


def test_times_follow_the_state(site: Site) -> None:
    def times() -> tuple[datetime | None, datetime | None, datetime | None]:
        issue = site.linear.issue("GRO-44")
        return issue.started_at, issue.completed_at, issue.canceled_at

    one, two, three = (START + timedelta(hours=hours) for hours in (1, 2, 3))
    assert times() == (None, None, None)
    site.linear.set_state("GRO-44", "In Progress", at=one)
    assert times() == (one, None, None)
    site.linear.set_state("GRO-44", "Done", at=two)
    assert times() == (one, two, None)
    site.linear.set_state("GRO-44", "Duplicate", at=three)
    assert times() == (one, None, three)


ATTACH = """mutation($input: AttachmentCreateInput!) { attachmentCreate(input: $input) {
  success attachment { id title subtitle metadata url issue { identifier } } } }"""


async def test_an_attachment_is_an_upsert_by_issue_and_url(site: Site) -> None:
    wanted = {"issueId": "GRO-44", "url": "https://jira.example/browse/PAY-118", "title": "PAY-118"}
    first = (await site.data(ATTACH, input=wanted))["attachmentCreate"]["attachment"]
    issue = site.linear.issue("GRO-44")
    again = await site.data(ATTACH, input={**wanted, "issueId": issue.id, "subtitle": "done"})
    assert again["attachmentCreate"]["attachment"]["id"] == first["id"]
    assert again["attachmentCreate"]["attachment"]["subtitle"] == "done"
    assert [each.subtitle for each in issue.attachments] == ["done"]
    site.linear.add_issue("GRO", "Another")
    other = await site.data(ATTACH, input={**wanted, "issueId": "GRO-45"})
    assert other["attachmentCreate"]["attachment"]["id"] != first["id"]


async def test_an_attachment_leaves_its_issue_alone_unless_set_otherwise(site: Site) -> None:
    issue = site.linear.issue("GRO-44")
    before = issue.updated_at
    site.clock.turn(minutes=1)
    wanted = {"issueId": "GRO-44", "url": "https://a.example/1", "title": "One"}
    await site.data(ATTACH, input=wanted)
    assert issue.updated_at == before
    site.linear.attachments_bump_issue = True
    await site.data(ATTACH, input={**wanted, "url": "https://a.example/2"})
    assert issue.updated_at > before


async def test_an_identical_attachment_changes_nothing(site: Site) -> None:
    wanted = {"issueId": "GRO-44", "url": "https://a.example/1", "title": "One", "subtitle": "s"}
    await site.data(ATTACH, input=wanted)
    (attachment,) = site.linear.attachments.values()
    before = attachment.updated_at
    site.clock.turn(minutes=1)
    await site.data(ATTACH, input=wanted)
    assert attachment.updated_at == before


@pytest.mark.parametrize(
    ("metadata", "taken"),
    [
        ({"key": "PAY-118", "count": 3}, True),
        ({"title": "T", "attributes": [{"name": "Done", "value": "8"}]}, True),
        ({"done": True}, False),
        ({"gone": None}, False),
        ({"nested": {"a": "b"}}, False),
        ({"attributes": [{"name": "Done", "value": 8}]}, False),
    ],
)
async def test_attachment_metadata_holds_strings_and_numbers(
    site: Site, metadata: dict[str, object], taken: bool
) -> None:
    wanted = {"issueId": "GRO-44", "url": "https://a.example/1", "title": "One"}
    answer = await site.send(ATTACH, {"input": {**wanted, "metadata": metadata}})
    if taken:
        assert answer.json()["data"]["attachmentCreate"]["attachment"]["metadata"] == metadata
    else:
        assert code_of(answer) == "INPUT_ERROR"
        assert not site.linear.attachments


async def test_attachments_are_found_by_url_updated_and_deleted(site: Site) -> None:
    linear = site.linear
    made = linear.attach(linear.issue("GRO-44"), "PAY-1", "https://jira.example/browse/PAY-1")
    linear.attach(linear.issue("GRO-44"), "Doc", "https://docs.example/1")
    prefix = "https://jira.example/browse/"
    data = await site.data(
        """query($p: String!, $u: String!) {
          attachments(filter: {url: {startsWith: $p}}) { nodes { id } }
          one: attachments(filter: {url: {eq: $u}}) { nodes { title } }
          attachmentsForURL(url: $u) { nodes { title issue { identifier } } } }""",
        p=prefix,
        u=made.url,
    )
    assert data["attachments"]["nodes"] == [{"id": made.id}]
    assert data["one"]["nodes"] == [{"title": "PAY-1"}]
    assert data["attachmentsForURL"]["nodes"] == [
        {"title": "PAY-1", "issue": {"identifier": "GRO-44"}}
    ]
    change = """mutation($id: String!) { attachmentUpdate(id: $id, input: {title: "New"}) {
      success attachment { title } } }"""
    assert (await site.data(change, id=made.id))["attachmentUpdate"]["attachment"] == {
        "title": "New"
    }
    drop = "mutation($id:String!){attachmentDelete(id:$id){success entityId}}"
    assert (await site.data(drop, id=made.id))["attachmentDelete"]["entityId"] == made.id
    assert await site.refusal(drop, id=made.id) == (200, "INPUT_ERROR", None)


async def test_one_failure_in_a_batch_hides_what_was_done_before_it(site: Site) -> None:
    for number in (1, 2):
        site.linear.add_issue("GRO", f"Task {number}")
    aliases = " ".join(
        f'a{i}: attachmentCreate(input: {{issueId: "{issue}", url: "https://a.example", '
        f'title: "T"}}) {{ success attachment {{ id }} }}'
        for i, issue in enumerate(["GRO-44", "GRO-999", "GRO-45", "GRO-46"])
    )
    answer = await site.send(f"mutation {{{aliases}}}")
    payload = answer.json()
    assert answer.status_code == 200
    assert payload["data"] is None
    assert [each["path"] for each in payload["errors"]] == [["a1"]]
    assert payload["errors"][0]["extensions"]["type"] == "invalid input"
    have = [e.identifier for e in site.linear.issues.values() if e.attachments]
    assert have == ["GRO-44"]


LINK = """mutation($input: EntityExternalLinkCreateInput!) {
  entityExternalLinkCreate(input: $input) { success entityExternalLink { id label url } } }"""


async def test_an_external_link_is_no_upsert(site: Site) -> None:
    project = site.linear.project("Checkout web")
    wanted = {"projectId": project.id, "label": "Roadmap", "url": "https://n.example/1"}
    await site.data(LINK, input=wanted)
    await site.data(LINK, input=wanted)
    assert [each.label for each in project.external_links] == ["Roadmap", "Roadmap"]


async def test_a_client_id_keeps_an_external_link_single(site: Site) -> None:
    project = site.linear.project("Checkout web")
    own = "0b8f5a51-3c1e-4f0a-9d55-1d1c3a8f2b11"
    wanted = {"id": own, "projectId": project.id, "label": "R", "url": "https://n.example/1"}
    made = await site.data(LINK, input=wanted)
    assert made["entityExternalLinkCreate"]["entityExternalLink"]["id"] == own
    assert await site.refusal(LINK, input=wanted) == (200, "INPUT_ERROR", None)
    other = {**wanted, "id": own.replace("-4f0a-", "-1f0a-")}
    assert await site.refusal(LINK, input=other) == (200, "INPUT_ERROR", None)
    assert len(project.external_links) == 1


async def test_an_external_link_has_exactly_one_owner(site: Site) -> None:
    linear = site.linear
    project, initiative = linear.project("Checkout web"), linear.initiative("Checkout")
    plain = {"label": "R", "url": "https://n.example/1"}
    both = {**plain, "projectId": project.id, "initiativeId": initiative.id}
    assert (await site.refusal(LINK, input=plain))[1] == "INPUT_ERROR"
    assert (await site.refusal(LINK, input=both))[1] == "INPUT_ERROR"
    await site.data(LINK, input={**plain, "initiativeId": initiative.id})
    assert [each.label for each in initiative.links] == ["Notes", "R"]


async def test_external_links_are_updated_and_deleted_by_id(site: Site) -> None:
    (link,) = site.linear.initiative("Checkout").links
    change = """mutation($id: String!) {
      entityExternalLinkUpdate(id: $id, input: {label: "New"}) {
        entityExternalLink { label url } } }"""
    changed = (await site.data(change, id=link.id))["entityExternalLinkUpdate"]
    assert changed["entityExternalLink"] == {"label": "New", "url": "https://example.com/notes"}
    drop = "mutation($id:String!){entityExternalLinkDelete(id:$id){success}}"
    assert (await site.data(drop, id=link.id))["entityExternalLinkDelete"] == {"success": True}
    assert site.linear.initiative("Checkout").links == []
    assert (await site.refusal(drop, id=link.id))[1] == "INPUT_ERROR"


async def test_a_project_update_sets_the_projects_health(site: Site) -> None:
    project = site.linear.project("Checkout web")
    create = """mutation($p: String!) { projectUpdateCreate(input: {projectId: $p, body: "Late",
      health: offTrack}) { success projectUpdate { id health } } }"""
    made = (await site.data(create, p=project.id))["projectUpdateCreate"]["projectUpdate"]
    assert made["health"] == "offTrack"
    change = """mutation($id: String!) { projectUpdateUpdate(id: $id, input: {body: "Better",
      health: onTrack}) { projectUpdate { body editedAt } } }"""
    changed = (await site.data(change, id=made["id"]))["projectUpdateUpdate"]["projectUpdate"]
    assert changed["body"] == "Better"
    assert changed["editedAt"] is not None
    data = await site.data(
        """{ projects(first: 1) { nodes { health projectUpdates(first: 5) { nodes { body } } } }
             projectUpdates(first: 5) { nodes { project { name } } } }"""
    )
    assert data["projects"]["nodes"] == [
        {"health": "onTrack", "projectUpdates": {"nodes": [{"body": "Better"}]}}
    ]
    assert data["projectUpdates"]["nodes"] == [{"project": {"name": "Checkout web"}}]


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (TOKEN, 200),
        ("Bearer lin_oauth_sandbox", 200),
        (f"Bearer {TOKEN}", 401),
        ("lin_api_wrong", 401),
        ("", 401),
    ],
)
async def test_a_key_goes_raw_and_an_oauth_token_as_bearer(
    site: Site, authorization: str, status: int
) -> None:
    answer = await site.send("{viewer{id}}", authorization=authorization)
    assert answer.status_code == status
    if status == 401:
        assert code_of(answer) == "AUTHENTICATION_ERROR"


async def test_a_dead_token_is_refused_like_a_wrong_one(site: Site) -> None:
    site.linear.faults.refuse_token = True
    assert (await site.refusal("{viewer{id}}"))[:2] == (401, "AUTHENTICATION_ERROR")


async def test_a_token_without_write_scope_reads_but_does_not_write(site: Site) -> None:
    site.linear.faults.read_only = True
    await site.data("{viewer{id}}")
    wanted = {"issueId": "GRO-44", "url": "https://a.example", "title": "T"}
    assert await site.refusal(ATTACH, input=wanted) == (400, "FORBIDDEN", None)
    assert not site.linear.attachments


async def test_a_lost_answer_was_carried_out(site: Site) -> None:
    site.linear.faults.lose_next_writes = 1
    await site.data("{viewer{id}}")
    wanted = {"issueId": "GRO-44", "url": "https://a.example", "title": "T"}
    answer = await site.send(ATTACH, {"input": wanted})
    assert answer.status_code == 502
    assert [each.title for each in site.linear.attachments.values()] == ["T"]
    await site.data(ATTACH, input=wanted)
    assert len(site.linear.attachments) == 1


async def test_a_refused_write_is_not_a_lost_one(site: Site) -> None:
    site.linear.faults.lose_next_writes = 1
    site.linear.faults.rate_limit_next = 1
    wanted = {"issueId": "GRO-44", "url": "https://a.example", "title": "T"}
    assert (await site.refusal(ATTACH, input=wanted))[:2] == (400, "RATELIMITED")
    assert (await site.send(ATTACH, {"input": wanted})).status_code == 502


async def test_faults_answer_as_a_broken_vendor_does(site: Site) -> None:
    faults = site.linear.faults
    faults.outage = True
    assert (await site.send("{viewer{id}}")).status_code == 503
    faults.outage, faults.html = False, True
    assert (await site.send("{viewer{id}}")).headers["content-type"].startswith("text/html")
    faults.html, faults.cut_next = False, 1
    cut = await site.send("{viewer{id}}")
    with pytest.raises(json.JSONDecodeError):
        cut.json()
    await site.data("{viewer{id}}")


async def test_denied_objects_are_missing_everywhere(site: Site) -> None:
    linear = site.linear
    linear.add_issue("SEC", "Secret", project="Checkout web")
    linear.faults.deny |= {linear.team("SEC").id, linear.initiative("Checkout").id}
    data = await site.data(
        """{ issues(first: 9) { nodes { identifier } } initiatives(first: 9) { nodes { id } }
             projects(first: 9) { nodes { issues(first: 9) { nodes { identifier } } } } }"""
    )
    assert issues_of(data) == ["GRO-44"]
    assert data["initiatives"]["nodes"] == []
    assert data["projects"]["nodes"][0]["issues"]["nodes"] == [{"identifier": "GRO-44"}]
    linear.faults.deny.add(linear.project("Checkout web").id)
    one = await site.data('{issue(id:"GRO-44"){project{id}}}')
    assert one == {"issue": {"project": None}}
    assert await site.refusal('{issue(id:"SEC-1"){id}}') == (200, "INPUT_ERROR", None)
    (link,) = linear.initiative("Checkout").links
    query = "query($id:String!){entityExternalLink(id:$id){label}}"
    assert await site.refusal(query, id=link.id) == (200, "INPUT_ERROR", None)
    linear.faults.deny.clear()
    assert (await site.data(query, id=link.id))["entityExternalLink"] == {"label": "Notes"}


async def test_a_project_of_denied_teams_only_is_denied(site: Site) -> None:
    linear = site.linear
    linear.add_project("Vault", teams=["SEC"])
    linear.add_project("Joint", teams=["SEC", "GRO"])
    linear.faults.deny.add(linear.team("SEC").id)
    data = await site.data("{projects(first:9){nodes{name}} workflowStates(first:50){nodes{id}}}")
    assert {e["name"] for e in data["projects"]["nodes"]} == {"Joint", "Checkout web"}
    assert len(data["workflowStates"]["nodes"]) == 8


@pytest.mark.parametrize(
    ("query", "points"),
    [
        ("{viewer{createdAt}}", 2),
        ("{issues(first:250){nodes{id}}}", 275),
        ("{issues{nodes{id}}}", 55),
        ("{attachments(first:250){nodes{id url title subtitle metadata updatedAt}}}", 400),
        ("{issues(first:10){nodes{id labels(first:5){nodes{name}}}}}", 66),
        ("{issues(first:10){nodes{...f}}} fragment f on Issue{id state{id}}", 22),
        ("query($n:Int=20){issues(first:$n){nodes{id}}}", 22),
        ("query($x:Boolean=false){viewer{id} issues @include(if:$x){nodes{id}}}", 2),
    ],
)
async def test_a_query_costs_what_it_asks_for(site: Site, query: str, points: int) -> None:
    answer = await site.send(query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-complexity"] == str(points)


async def test_a_query_above_ten_thousand_points_is_refused(site: Site) -> None:
    query = "{issues(first:250){nodes{id labels{nodes{id}} }}}"
    assert await site.refusal(query) == (400, "INPUT_ERROR", None)


async def test_budgets_run_dry_and_refill_steadily() -> None:
    site = Site()
    linear = site.linear
    for _ in range(2500):
        linear.requests.take(1)
    answer = await site.send("{viewer{id}}")
    assert (answer.status_code, code_of(answer)) == (400, "RATELIMITED")
    assert answer.headers["x-ratelimit-requests-remaining"] == "0"
    assert answer.headers["x-ratelimit-requests-limit"] == "2500"
    full_at = int(answer.headers["x-ratelimit-requests-reset"]) / 1000
    assert full_at == pytest.approx((START + timedelta(hours=1)).timestamp(), abs=1)
    assert linear.over_budget == 1
    site.clock.turn(seconds=3600 / 2500 + 0.01)
    await site.data("{viewer{id}}")
    linear.points.take(linear.points.remaining)
    site.clock.turn(seconds=2)
    assert (await site.refusal("{issues(first:250){nodes{id labels(first:9){nodes{id}}}}}"))[
        :2
    ] == (
        400,
        "RATELIMITED",
    )


async def test_a_sandbox_may_announce_more() -> None:
    answer = await Site(limit_factor=10).send("{viewer{id}}")
    assert answer.headers["x-ratelimit-requests-limit"] == "25000"
    assert answer.headers["x-ratelimit-complexity-limit"] == "30000000"


async def test_a_rate_limit_fault_is_no_fault_of_the_caller(site: Site) -> None:
    site.linear.faults.rate_limit_next = 1
    answer = await site.send("{viewer{id}}")
    assert (answer.status_code, code_of(answer)) == (400, "RATELIMITED")
    assert answer.headers["x-ratelimit-requests-remaining"] == "0"
    assert site.linear.over_budget == 0
    await site.data("{viewer{id}}")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "INPUT_ERROR"),
        (b'{"variables":{}}', "INPUT_ERROR"),
        (b'{"query":"{"}', "GRAPHQL_PARSE_FAILED"),
        (b'{"query":"{viewer{shoeSize}}"}', "GRAPHQL_VALIDATION_FAILED"),
        (b'{"query":"query($n:Int!){issues(first:$n){nodes{id}}}"}', "INPUT_ERROR"),
        (b'{"query":"query a{viewer{id}} query b{viewer{id}}"}', "OPERATION_RESOLUTION_FAILURE"),
    ],
)
async def test_a_malformed_request_is_a_400_without_data(
    site: Site, content: bytes, code: str
) -> None:
    answer = await site.send("", content=content)
    assert (answer.status_code, code_of(answer)) == (400, code)
    assert "data" not in answer.json()


async def test_a_body_above_ten_mebibytes_is_refused(site: Site) -> None:
    answer = await site.send("", content=b" " * (10 * 1024 * 1024 + 1))
    assert (answer.status_code, code_of(answer)) == (413, "PAYLOAD_TOO_LARGE")


async def test_queries_are_counted_as_reads_and_mutations_as_writes(site: Site) -> None:
    await site.data("{viewer{id}}")
    await site.data(ATTACH, input={"issueId": "GRO-44", "url": "https://a.example", "title": "T"})
    assert (site.linear.read_requests, site.linear.write_requests) == (1, 1)
    assert [each.reads for each in site.linear.exchanges] == [True, False]
    assert site.linear.exchanges[0].path == "/graphql"


def test_a_world_is_built_alike_each_time() -> None:
    def build() -> list[str]:
        linear = LinearWorkspace(now=Hands())
        linear.add_team("GRO", "Growth")
        return [linear.add_issue("GRO", "One").id, linear.add_project("P", teams=["GRO"]).url]

    assert build() == build()
    assert uuid.UUID(build()[0]).version == 4


def test_items_are_found_by_key_url_or_a_piece_of_the_title(site: Site) -> None:
    linear = site.linear
    card, project = linear.issue("GRO-44"), linear.project("Checkout web")
    for item in ("gro-44", card.url, card.id, "card fo"):
        assert linear.find(item) == card.id
    assert linear.find(project.url) == project.id
    assert linear.find("Checkout") == linear.initiative("Checkout").id
    assert linear.find("nothing like it") is None
    with pytest.raises(AmbiguousItem, match="Checkout web"):
        linear.find("checkou")


@pytest.mark.parametrize(
    ("to", "state"),
    [
        ("done", "Done"),
        ("in_progress", "In Progress"),
        ("canceled", "Canceled"),
        ("In Review", "In Review"),
    ],
)
def test_a_poke_moves_an_issue(site: Site, to: str, state: str) -> None:
    told = site.linear.poke_move("GRO-44", to)
    assert told == f"Linear: GRO-44 Card form moved from Todo to {state}."
    assert site.linear.issue("GRO-44").state.name == state


def test_a_poke_to_the_same_status_says_so(site: Site) -> None:
    assert site.linear.poke_move("GRO-44", "todo") == "Linear: GRO-44 Card form is Todo already."


def test_a_poke_moves_projects_and_initiatives(site: Site) -> None:
    site.linear.poke_move("Checkout web", "done")
    assert site.linear.project("Checkout web").status.type == "completed"
    site.linear.poke_move("Checkout", "done")
    assert site.linear.initiative("Checkout").status == "Completed"


def test_a_poke_that_makes_no_sense_is_refused(site: Site) -> None:
    for item in ("GRO-44", "Checkout web", "Checkout"):
        with pytest.raises(ValueError, match="cannot go to 'nowhere'"):
            site.linear.poke_move(item, "nowhere")
    with pytest.raises(LookupError, match="no item 'GRO-1'"):
        site.linear.poke_move("GRO-1", "done")
    for field, value in [("priority", 9), ("estimate", "x"), ("dueDate", "soon"), ("mood", 1)]:
        with pytest.raises(ValueError, match=f"{field}|here"):
            site.linear.poke_edit("GRO-44", field, value)
    with pytest.raises(ValueError, match="cannot be empty"):
        site.linear.poke_edit("Checkout web", "name", " ")


def test_a_poke_edits_issues_and_projects(site: Site) -> None:
    linear = site.linear
    assert linear.poke_edit("GRO-44", "title", "Form") == (
        "Linear: title of GRO-44 Card form is now “Form”."
    )
    for field, value in [
        ("description", "See PAY-1"),
        ("priority", "2"),
        ("estimate", 5),
        ("dueDate", "2026-12-01"),
    ]:
        linear.poke_edit("GRO-44", field, value)
    issue = linear.issue("GRO-44")
    assert (issue.title, issue.description, issue.priority) == ("Form", "See PAY-1", 2)
    assert (issue.estimate, issue.due_date) == (5, date(2026, 12, 1))
    linear.poke_edit("Checkout web", "status", "paused")
    linear.poke_edit("Checkout web", "name", "Web checkout")
    project = linear.project("Web checkout")
    assert project.status.type == "paused"
    assert project.url.startswith("https://linear.app/harbor/project/web-checkout-")


def test_what_is_deleted_for_good_leaves_no_trace(site: Site) -> None:
    linear = site.linear
    linear.add_issue("GRO", "Child", parent="GRO-44", attachments=[("A", "https://a.example")])
    linear.relate("GRO-45", "GRO-44")
    linear.move_issue("GRO-45", "SEC")
    linear.delete_issue("SEC-1")
    card = linear.issue("GRO-44")
    assert (card.children, card.inverse_relations, linear.attachments) == ([], [], {})
    for name in ("SEC-1", "GRO-45"):
        with pytest.raises(KeyError):
            linear.issue(name)


@pytest.mark.parametrize(
    ("type_name", "kind"),
    [
        ("IssueFilter", Issue),
        ("NullableIssueFilter", Issue),
        ("ProjectFilter", Project),
        ("InitiativeFilter", Initiative),
        ("AttachmentFilter", Attachment),
        ("TeamFilter", Team),
        ("UserFilter", User),
    ],
)
def test_each_filter_field_has_something_to_compare(type_name: str, kind: type) -> None:
    filter_type = schema().type_map[type_name]
    assert isinstance(filter_type, GraphQLInputObjectType)
    fields = set(filter_type.fields) - {"and", "or", "null"}
    assert [name for name in sorted(fields) if not hasattr(kind, snake(name))] == []


class Counted(dict[str, Any]):
    """A table that counts the rows that were taken from it by going through it."""

    def __init__(self, rows: Mapping[str, Any]) -> None:
        super().__init__(rows)
        self.taken = 0

    def __iter__(self) -> Iterator[str]:
        for key in super().__iter__():
            self.taken += 1
            yield key

    def values(self) -> Iterator[Any]:  # type: ignore[override]
        return (self[key] for key in self)

    def items(self) -> Iterator[tuple[str, Any]]:  # type: ignore[override]
        return ((key, self[key]) for key in self)


async def test_a_full_page_with_nested_listings_goes_through_the_issues_once_and_no_other_table(
    site: Site,
) -> None:
    for number in range(260):
        site.linear.add_issue(
            "GRO",
            f"Task {number}",
            project="Checkout web",
            labels=["web"],
            attachments=[("A", f"https://a.example/{number}")],
        )
    query = """{ issues(first: 250, orderBy: updatedAt, includeArchived: true) {
      pageInfo { hasNextPage endCursor }
      nodes { id identifier url title description priority estimate dueDate createdAt updatedAt
        startedAt completedAt canceledAt archivedAt trashed previousIdentifiers
        state { id name type } team { id key private } project { id } parent { id }
        assignee { id displayName email } labels(first: 5) { nodes { name } }
        attachments(first: 5) { nodes { id url title } }
        inverseRelations(first: 3) { nodes { type issue { id state { type } } } } } } }"""
    tables = {name: Counted(t) for name, t in vars(site.linear).items() if isinstance(t, dict)}
    vars(site.linear).update(tables)
    listed = (await site.data(query))["issues"]["nodes"]
    assert len(listed) == 250
    tasks = [issue for issue in listed if issue["title"].startswith("Task ")]
    assert all(issue["attachments"]["nodes"] and issue["labels"]["nodes"] for issue in tasks)
    assert {"issues", "attachments", "labels", "nodes"} <= tables.keys()
    taken = {name: table.taken for name, table in tables.items() if table.taken}
    assert taken == {"issues": len(site.linear.issues)}


def real_schema() -> GraphQLSchema:
    """The vendor's own schema; without it the test is skipped."""
    default = Path(__file__).resolve().parents[3] / "shared" / "specs"
    path = Path(os.environ.get("OPSYNC_SPECS_DIR", default)) / "linear-schema.graphql"
    if not path.exists():
        pytest.skip("Linear's own schema is not at hand")
    return build_schema(path.read_text("utf-8"), assume_valid=True)


def described(kind: GraphQLNamedType) -> dict[str, tuple[str, dict[str, str]]]:
    """Each field of a type, with its type and its arguments' types."""
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        return {
            name: (str(field.type), {key: str(arg.type) for key, arg in field.args.items()})
            for name, field in kind.fields.items()
        }
    if isinstance(kind, GraphQLInputObjectType):
        return {name: (str(field.type), {}) for name, field in kind.fields.items()}
    return {name: ("", {}) for name in getattr(kind, "values", {})}


@pytest.mark.slow
def test_the_schema_is_a_part_of_linears_own() -> None:
    real = real_schema()
    compared = 0
    for name, kind in schema().type_map.items():
        if name.startswith("__"):
            continue
        theirs = real.type_map[name]
        assert type(theirs) is type(kind), name
        their_fields = described(theirs)
        for field, (type_text, arguments) in described(kind).items():
            their_type, their_arguments = their_fields[field]
            assert type_text == their_type, f"{name}.{field}"
            assert arguments.items() <= their_arguments.items(), f"{name}.{field}"
            compared += 1
        if isinstance(kind, GraphQLInputObjectType) and isinstance(theirs, GraphQLInputObjectType):
            required = {n for n, f in theirs.fields.items() if str(f.type).endswith("!")}
            assert required <= kind.fields.keys(), name
    assert compared > 400


async def test_answers_that_a_fault_made_are_logged_as_such(site: Site) -> None:
    faults = site.linear.faults
    site.linear.exchanges.clear()
    await site.data("{viewer{id}}")
    await site.send("{nothing}")
    faults.cut_next = 1
    await site.send("{viewer{id}}")
    faults.outage = True
    await site.send("{viewer{id}}")

    assert [each.faulted for each in site.linear.exchanges] == [False, False, True, True]
