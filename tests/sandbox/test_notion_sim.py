"""The simulated Notion behaves like the vendor where a connector could stumble."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest

from opsync.sandbox.notion import Computed, DataSource, NotionWorkspace, Page
from opsync.sandbox.vendor import AmbiguousItem

START = datetime(2026, 11, 22, 10, 4, 37, 250_000, UTC)


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
def workspace(clock: Hands) -> NotionWorkspace:
    ws = NotionWorkspace(now=clock)
    ws.add_user("Ana Reyes", "ana@harbor.example")
    return ws


@pytest.fixture
def roadmap(workspace: NotionWorkspace) -> DataSource:
    database = workspace.add_database(
        "Roadmap",
        properties={
            "Name": {"title": {}},
            "Status": {"status": {}},
            "Tags": {"multi_select": {"options": [{"name": "Q4", "color": "blue"}]}},
            "Stage": {"select": {"options": [{"name": "Alpha"}, {"name": "Beta"}]}},
            "Due": {"date": {}},
            "Owner": {"people": {}},
            "Tracked in": {"rich_text": {}},
            "Site": {"url": {}},
            "Score": {"number": {"format": "percent"}},
            "Live": {"checkbox": {}},
        },
    )
    return database.data_source


@pytest.fixture
def page(workspace: NotionWorkspace, roadmap: DataSource) -> Page:
    return workspace.add_page(
        roadmap,
        {"Name": "Dark mode", "Status": "In progress", "Tracked in": "see https://x.example/A-1."},
        created=START - timedelta(days=3),
        body="First.\n\nSecond.",
    )


def client_of(
    ws: NotionWorkspace, version: str = "2026-03-11", **headers: str
) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=ws.app),
        base_url="http://notion.test/v1",
        headers={"Authorization": "Bearer ntn_sandbox", "Notion-Version": version} | headers,
    )


@pytest.fixture
async def http(workspace: NotionWorkspace) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(workspace) as client:
        yield client


async def write(http: httpx.AsyncClient, page: Page, **cells: Any) -> httpx.Response:
    return await http.patch(f"/pages/{page.id}", json={"properties": cells})


async def query(http: httpx.AsyncClient, source: DataSource, **body: Any) -> Any:
    answer = await http.post(f"/data_sources/{source.id}/query", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(listing: Any) -> list[str]:
    return [row["properties"]["Name"]["title"][0]["plain_text"] for row in listing["results"]]


async def test_the_own_bot_is_told(http: httpx.AsyncClient, workspace: NotionWorkspace) -> None:
    me = (await http.get("/users/me")).json()
    assert (me["id"], me["type"]) == (workspace.bot.id, "bot")


async def test_a_dead_token_is_refused(workspace: NotionWorkspace) -> None:
    async with client_of(workspace, Authorization="Bearer other") as client:
        answer = await client.get("/users/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["x-notion-request-id"] == answer.json()["request_id"]


async def test_a_request_without_version_is_refused(workspace: NotionWorkspace) -> None:
    async with client_of(workspace, version="") as client:
        answer = await client.get("/users/me")
    assert (answer.status_code, answer.json()["code"]) == (400, "missing_version")


async def test_an_unknown_address_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.get("/nothing")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request_url")


async def test_a_database_leads_to_its_data_sources(
    http: httpx.AsyncClient, workspace: NotionWorkspace, roadmap: DataSource
) -> None:
    database = workspace.state.databases[roadmap.database_id]
    other = workspace.add_data_source(database, "Archive", {})
    found = (await http.get(f"/databases/{database.id.replace('-', '')}")).json()
    assert [s["id"] for s in found["data_sources"]] == [roadmap.id, other.id]


async def test_property_ids_are_percent_encoded_and_filter_decoded(
    http: httpx.AsyncClient, roadmap: DataSource, page: Page
) -> None:
    properties = (await http.get(f"/data_sources/{roadmap.id}")).json()["properties"]
    ids = {name: prop["id"] for name, prop in properties.items()}
    assert ids["Name"] == "title"
    odd = next(name for name, i in ids.items() if "%" in i)
    assert quote(unquote(ids[odd]), safe="") == ids[odd]
    url = f"/data_sources/{roadmap.id}/query"
    params = {"filter_properties": ["title", unquote(ids[odd])]}
    rows = (await http.post(url, params=params, json={})).json()["results"]
    assert set(rows[0]["properties"]) == {"Name", odd}
    twice = await http.post(url, params={"filter_properties": [ids[odd]]}, json={})
    assert twice.json()["code"] == "validation_error"
    item = await http.get(f"/pages/{page.id}/properties/{ids[odd]}")
    assert item.json()["object"] in ("list", "property_item")


async def test_times_are_rounded_down_to_the_minute(
    http: httpx.AsyncClient, workspace: NotionWorkspace, page: Page
) -> None:
    workspace.edit_page(page, "Live", True)
    read = (await http.get(f"/pages/{page.id}")).json()
    assert read["last_edited_time"] == "2026-11-22T10:04:00.000Z"
    assert read["last_edited_by"]["id"] == workspace.person().id


async def test_a_pasted_url_is_a_link(http: httpx.AsyncClient, page: Page) -> None:
    runs = (await http.get(f"/pages/{page.id}")).json()["properties"]["Tracked in"]["rich_text"]
    assert [r["plain_text"] for r in runs] == ["see ", "https://x.example/A-1", "."]
    assert [r["href"] for r in runs] == [None, "https://x.example/A-1", None]
    assert runs[1]["annotations"]["color"] == "default"


@pytest.mark.parametrize(("version", "told"), [("2025-09-03", True), ("2026-03-11", False)])
async def test_the_versions_spell_the_trash_differently(
    workspace: NotionWorkspace, page: Page, version: str, told: bool
) -> None:
    workspace.trash(page)
    async with client_of(workspace, version) as client:
        read = (await client.get(f"/pages/{page.id}")).json()
        assert read["in_trash"] is True
        assert ("archived" in read) is told
        back = await client.patch(f"/pages/{page.id}", json={"archived": False})
    assert back.is_success is told


async def test_trashed_and_archived_pages_leave_the_default_query(
    http: httpx.AsyncClient, workspace: NotionWorkspace, roadmap: DataSource, page: Page
) -> None:
    workspace.add_page(roadmap, {"Name": "Old"}, archived=True)
    workspace.add_page(roadmap, {"Name": "Binned"}, trashed=True)
    assert names(await query(http, roadmap)) == ["Dark mode"]
    assert names(await query(http, roadmap, in_trash=True)) == ["Binned"]
    assert names(await query(http, roadmap, is_archived=True)) == ["Old"]


async def test_every_property_type_has_its_read_shape(
    http: httpx.AsyncClient, workspace: NotionWorkspace, roadmap: DataSource, page: Page
) -> None:
    database = workspace.state.databases[roadmap.database_id]
    ana = workspace.person()
    columns: dict[str, dict[str, Any]] = {
        "email": {"email": {}},
        "phone": {"phone_number": {}},
        "files": {"files": {}},
        "formula": {"formula": {"expression": "1"}},
        "relation": {"relation": {"data_source_id": roadmap.id}},
        "rollup": {"rollup": {}},
        "number": {"unique_id": {"prefix": "PRJ"}},
        "made": {"created_time": {}},
        "by": {"last_edited_by": {}},
        "button": {"button": {}},
        "place": {"place": {}},
        "seal": {"verification": {}},
    }
    source = workspace.add_data_source(database, "All", columns)
    made = workspace.add_page(
        source,
        {
            "email": "a@x.example",
            "files": [("a.txt", "https://x.example/a.txt")],
            "formula": Computed("number", 3),
            "rollup": Computed("date", None, "latest_date"),
            "relation": [page],
        },
    )
    cells = (await http.get(f"/pages/{made.id}")).json()["properties"]
    assert cells["email"]["email"] == "a@x.example"
    assert cells["phone"]["phone_number"] is None
    assert cells["files"]["files"][0]["external"]["url"] == "https://x.example/a.txt"
    assert cells["formula"]["formula"] == {"type": "number", "number": 3}
    assert cells["rollup"]["rollup"]["function"] == "latest_date"
    assert cells["relation"] == {
        "id": cells["relation"]["id"],
        "type": "relation",
        "relation": [{"id": page.id}],
        "has_more": False,
    }
    assert cells["number"]["unique_id"] == {"prefix": "PRJ", "number": 1}
    assert cells["made"]["created_time"] == "2026-11-22T10:04:00.000Z"
    assert cells["by"]["last_edited_by"]["person"]["email"] == ana.email
    assert all(cell["type"] in cell for cell in cells.values())


async def test_more_than_25_relations_need_the_property_endpoint(
    http: httpx.AsyncClient, workspace: NotionWorkspace, roadmap: DataSource
) -> None:
    rows = [workspace.add_page(roadmap, {"Name": f"R{i}"}) for i in range(30)]
    database = workspace.state.databases[roadmap.database_id]
    schema = {"Rows": {"relation": {"data_source_id": roadmap.id}}}
    source = workspace.add_data_source(database, "Related", schema)
    page = workspace.add_page(source, {"Rows": rows})
    cell = (await http.get(f"/pages/{page.id}")).json()["properties"]["Rows"]
    assert (len(cell["relation"]), cell["has_more"]) == (25, True)
    url = f"/pages/{page.id}/properties/{cell['id']}"
    first = (await http.get(url, params={"page_size": 20})).json()
    rest = (await http.get(url, params={"start_cursor": first["next_cursor"]})).json()
    ids = [item["relation"]["id"] for item in first["results"] + rest["results"]]
    assert ids == [row.id for row in rows]
    assert not rest["has_more"]


async def test_bodies_are_blocks_and_markdown(http: httpx.AsyncClient, page: Page) -> None:
    blocks = (await http.get(f"/blocks/{page.id}/children")).json()["results"]
    texts = [b["paragraph"]["rich_text"][0]["plain_text"] for b in blocks]
    assert texts == ["First.", "Second."]
    assert (await http.get(f"/pages/{page.id}/markdown")).json()["markdown"] == page.body


async def test_search_looks_at_titles(http: httpx.AsyncClient, page: Page) -> None:
    found = (await http.post("/search", json={"query": "dark"})).json()
    assert [row["id"] for row in found["results"]] == [page.id]
    kind = {"filter": {"property": "object", "value": "data_source"}}
    assert (await http.post("/search", json=kind)).json()["results"][0]["object"] == "data_source"


async def test_the_boundary_minute_is_read_again(
    http: httpx.AsyncClient, workspace: NotionWorkspace, roadmap: DataSource, page: Page
) -> None:
    workspace.edit_page(page, "Live", True)

    async def edited(operator: str) -> list[str]:
        when = {operator: "2026-11-22T10:04:00.000Z"}
        test = {"timestamp": "last_edited_time", "last_edited_time": when}
        return names(await query(http, roadmap, filter=test))

    assert await edited("on_or_after") == ["Dark mode"]
    assert await edited("after") == []
    assert await edited("before") == []


async def test_conditions_combine_in_two_levels(
    http: httpx.AsyncClient, workspace: NotionWorkspace, roadmap: DataSource, page: Page
) -> None:
    workspace.add_page(roadmap, {"Name": "B", "Status": "Done", "Stage": "Beta", "Live": True})
    workspace.add_page(roadmap, {"Name": "C", "Status": "Done", "Stage": "Alpha"})
    live = {"property": "Live", "checkbox": {"equals": True}}
    alpha = {"property": "Stage", "select": {"equals": "alpha"}}
    done = {"property": "Status", "status": {"equals": ["Done"]}}
    text = {"property": "Tracked in", "rich_text": {"contains": "A-1"}}
    both = {"or": [{"and": [done, alpha]}, text]}
    sorts = [{"property": "Name", "direction": "descending"}]
    assert names(await query(http, roadmap, filter=both, sorts=sorts)) == ["Dark mode", "C"]
    assert names(await query(http, roadmap, filter=live)) == ["B"]
    deep = {"and": [{"or": [{"and": [live]}]}]}
    answer = await http.post(f"/data_sources/{roadmap.id}/query", json={"filter": deep})
    assert answer.json()["code"] == "validation_error"
    wrong = {"property": "Live", "select": {"equals": "x"}}
    answer = await http.post(f"/data_sources/{roadmap.id}/query", json={"filter": wrong})
    assert answer.json()["code"] == "validation_error"


async def test_a_row_edited_while_paging_comes_again_and_none_is_lost(
    http: httpx.AsyncClient, workspace: NotionWorkspace, roadmap: DataSource
) -> None:
    rows = [
        workspace.add_page(roadmap, {"Name": f"R{i}"}, created=START - timedelta(hours=9 - i))
        for i in range(5)
    ]
    order = [{"timestamp": "last_edited_time", "direction": "ascending"}]
    first = await query(http, roadmap, sorts=order, page_size=2)
    assert names(first) == ["R0", "R1"]
    workspace.edit_page(rows[0], "Live", True)
    seen = names(first)
    cursor = first["next_cursor"]
    while cursor:
        part = await query(http, roadmap, sorts=order, page_size=2, start_cursor=cursor)
        seen += names(part)
        cursor = part["next_cursor"]
    assert seen == ["R0", "R1", "R2", "R3", "R4", "R0"]


async def test_a_made_up_cursor_is_refused(http: httpx.AsyncClient, roadmap: DataSource) -> None:
    body = {"start_cursor": "00000000-0000-0000-0000-000000000000"}
    answer = await http.post(f"/data_sources/{roadmap.id}/query", json=body)
    assert answer.json()["code"] == "validation_error"
    answer = await http.post(f"/data_sources/{roadmap.id}/query", json={"page_size": 101})
    assert answer.json()["code"] == "validation_error"


async def test_the_result_limit_ends_a_query_and_says_so(
    http: httpx.AsyncClient, workspace: NotionWorkspace, roadmap: DataSource
) -> None:
    workspace.result_limit = 3
    for index in range(5):
        workspace.add_page(roadmap, {"Name": f"R{index}"})
    first = await query(http, roadmap, page_size=2)
    assert "request_status" not in first
    last = await query(http, roadmap, page_size=2, start_cursor=first["next_cursor"])
    assert (len(last["results"]), last["has_more"]) == (1, False)
    assert last["request_status"]["incomplete_reason"] == "query_result_limit_reached"


async def test_only_listed_cells_change_and_the_bot_is_named(
    http: httpx.AsyncClient, workspace: NotionWorkspace, page: Page, clock: Hands
) -> None:
    clock.go(120)
    answer = await write(http, page, Score={"number": 1 / 3}, Due={"date": {"start": "2026-12-01"}})
    read = answer.json()
    assert read["properties"]["Score"]["number"] == 0.333333333333
    assert read["properties"]["Due"]["date"]["end"] is None
    assert page.text("Tracked in") == "see https://x.example/A-1."
    assert read["last_edited_by"]["id"] == workspace.bot.id
    assert read["last_edited_time"] == "2026-11-22T10:06:00.000Z"


async def test_text_runs_come_back_as_sent_with_defaults(
    http: httpx.AsyncClient, page: Page
) -> None:
    runs = [
        {"text": {"content": " PAY-1 "}},
        {"text": {"content": "core", "link": {"url": "https://x.example"}}},
    ]
    cell = (await write(http, page, **{"Tracked in": {"rich_text": runs}})).json()
    read = cell["properties"]["Tracked in"]["rich_text"]
    assert [r["plain_text"] for r in read] == [" PAY-1 ", "core"]
    assert read[1]["href"] == "https://x.example"
    assert read[0]["annotations"]["bold"] is False


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Tracked in", {"rich_text": [{"text": {"content": "x" * 2001}}]}),
        ("Tracked in", {"rich_text": [{"text": {"content": "😀" * 1001}}]}),
        ("Tracked in", {"rich_text": [{"text": {"content": "x"}}] * 101}),
        ("Tracked in", {"rich_text": [{"text": {"content": "x", "link": {"url": "no url"}}}]}),
        ("Site", {"url": "https://x.example/" + "a" * 2000}),
        ("Site", {"url": ""}),
        ("Stage", {"select": {"name": "A, B"}}),
        ("Status", {"status": {"name": "Never heard of"}}),
        ("Score", {"number": "1"}),
        ("Score", {"rich_text": []}),
        ("Live", {"checkbox": None}),
        ("Due", {"date": {"start": "tomorrow"}}),
        ("Owner", {"people": [{"id": "00000000-0000-0000-0000-000000000000"}]}),
        ("Nowhere", {"number": 1}),
    ],
)
async def test_values_are_checked(
    http: httpx.AsyncClient, page: Page, column: str, value: Any
) -> None:
    cells = {"Live": {"checkbox": True}} | {column: value}
    answer = await write(http, page, **cells)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert not page.cell("Live")


async def test_a_missing_select_choice_is_created(
    http: httpx.AsyncClient, roadmap: DataSource, page: Page
) -> None:
    answer = await write(http, page, Stage={"select": {"name": "Gamma"}})
    assert answer.json()["properties"]["Stage"]["select"]["name"] == "Gamma"
    assert page.text("Stage") == "Gamma"
    assert [o.name for o in roadmap.prop("Stage").options] == ["Alpha", "Beta", "Gamma"]


async def test_a_trashed_page_is_not_edited(
    http: httpx.AsyncClient, workspace: NotionWorkspace, page: Page
) -> None:
    workspace.trash(page)
    assert (await write(http, page, Live={"checkbox": True})).status_code == 400
    back = await http.patch(f"/pages/{page.id}", json={"in_trash": False})
    assert back.json()["in_trash"] is False


async def test_a_page_can_be_made(http: httpx.AsyncClient, roadmap: DataSource) -> None:
    body = {
        "parent": {"type": "data_source_id", "data_source_id": roadmap.id},
        "properties": {"Name": {"title": [{"text": {"content": "New"}}]}},
    }
    assert (await http.post("/pages", json=body)).is_success
    assert names(await query(http, roadmap)) == ["New"]


async def test_one_update_adds_renames_and_keeps_columns(
    http: httpx.AsyncClient, roadmap: DataSource, page: Page
) -> None:
    site_id = roadmap.prop("Site").id
    changes = {
        "Delivery": {"rich_text": {}},
        "Delivery %": {"number": {"format": "percent"}},
        site_id: {"name": "Home page"},
    }
    answer = await http.patch(f"/data_sources/{roadmap.id}", json={"properties": changes})
    properties = answer.json()["properties"]
    assert properties["Home page"]["id"] == site_id
    assert properties["Delivery %"]["number"] == {"format": "percent"}
    assert "Tracked in" in properties
    assert page.text("Delivery") == ""


async def test_a_name_clash_changes_nothing(http: httpx.AsyncClient, roadmap: DataSource) -> None:
    changes = {"Delivery": {"rich_text": {}}, "Site": {"name": "status"}}
    answer = await http.patch(f"/data_sources/{roadmap.id}", json={"properties": changes})
    assert answer.json()["code"] == "validation_error"
    assert roadmap.schema.find("Delivery") is None


async def test_choices_left_out_are_deleted_with_their_values(
    http: httpx.AsyncClient, workspace: NotionWorkspace, roadmap: DataSource, page: Page
) -> None:
    workspace.edit_page(page, "Stage", "Beta")
    stage = {"select": {"options": [{"name": "Alpha"}]}}
    await http.patch(f"/data_sources/{roadmap.id}", json={"properties": {"Stage": stage}})
    assert page.text("Stage") == ""
    color = {"select": {"options": [{"name": "Alpha", "color": "red"}]}}
    answer = await http.patch(f"/data_sources/{roadmap.id}", json={"properties": {"Stage": color}})
    assert answer.json()["code"] == "validation_error"


async def test_null_removes_a_column_but_not_the_title(
    http: httpx.AsyncClient, roadmap: DataSource
) -> None:
    url = f"/data_sources/{roadmap.id}"
    assert (await http.patch(url, json={"properties": {"Site": None}})).is_success
    assert roadmap.schema.find("Site") is None
    assert (await http.patch(url, json={"properties": {"Name": None}})).status_code == 400


async def test_the_budget_is_announced_by_429_only(
    workspace: NotionWorkspace, http: httpx.AsyncClient, clock: Hands
) -> None:
    workspace.budget.per_window = 2
    answers = [await http.get("/users/me") for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "60"
    assert answers[2].json()["additional_data"]["rate_limit_reason"]
    assert workspace.over_budget == 1
    clock.go(60)
    assert (await http.get("/users/me")).status_code == 200


async def test_limits_follow_the_factor() -> None:
    assert NotionWorkspace(limit_factor=10).budget.per_window == 1800


async def test_each_fault_is_honoured(
    workspace: NotionWorkspace, http: httpx.AsyncClient, page: Page, roadmap: DataSource
) -> None:
    faults = workspace.faults
    faults.read_only = True
    refused = await write(http, page, Live={"checkbox": True})
    assert (refused.status_code, refused.json()["code"]) == (403, "restricted_resource")
    faults.read_only = False
    faults.lose_next_writes = 1
    assert (await http.get("/users/me")).status_code == 200
    assert (await write(http, page, Live={"checkbox": True})).status_code == 502
    assert page.cell("Live") is True
    faults.rate_limit_next = 1
    assert (await http.get("/users/me")).headers["retry-after"] == "1"
    faults.cut_next = 1
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        (await http.get("/users/me")).json()
    faults.deny = {page.id.replace("-", "")}
    gone = await http.get(f"/pages/{page.id}")
    assert (gone.status_code, gone.json()["code"]) == (404, "object_not_found")
    assert names(await query(http, roadmap)) == []
    faults.refuse_token = True
    assert (await http.get("/users/me")).status_code == 401
    faults.refuse_token = False
    faults.html = True
    assert "Sign in" in (await http.get("/users/me")).text
    faults.outage = True
    assert (await http.get("/users/me")).status_code == 503


async def test_queries_and_searches_count_as_reads(
    workspace: NotionWorkspace, http: httpx.AsyncClient, page: Page, roadmap: DataSource
) -> None:
    await query(http, roadmap)
    await http.post("/search", json={})
    await write(http, page, Live={"checkbox": True})
    assert (workspace.read_requests, workspace.write_requests) == (2, 1)
    assert workspace.exchanges[0].path == f"/v1/data_sources/{roadmap.id}/query"


def test_pages_are_found_by_id_url_and_title(workspace: NotionWorkspace, page: Page) -> None:
    for item in (page.id, page.url, page.url + "?v=1", "dark mode", "Dark"):
        assert workspace.find(item) == page.id
    assert workspace.find("nothing") is None
    workspace.add_page(page.data_source, {"Name": "Dark matter"})
    with pytest.raises(AmbiguousItem):
        workspace.find("Dark")


def test_people_move_and_edit_pages(workspace: NotionWorkspace, page: Page, clock: Hands) -> None:
    clock.go(60)
    assert workspace.poke_move("Dark mode", "done") == "Notion: Ana Reyes set Dark mode to Done."
    assert page.text("Status") == "Done"
    workspace.poke_edit(page.url, "Due", date(2026, 12, 1))
    assert (page.updated, page.updated_by) == (clock.at, workspace.person().id)
    with pytest.raises(ValueError, match="no status"):
        workspace.poke_move("Dark mode", "canceled")
    with pytest.raises(ValueError, match="no column"):
        workspace.poke_edit("Dark mode", "Nowhere", "x")
    with pytest.raises(LookupError):
        workspace.poke_move("Nothing", "done")


def test_the_same_calls_give_the_same_ids() -> None:
    def build() -> str:
        ws = NotionWorkspace(now=lambda: START)
        return ws.add_page(ws.add_database("D", properties={}).data_source, {"Name": "x"}).id

    assert build() == build()
