"""The simulated Notion takes, places and gives up blocks as the vendor does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from opsync.sandbox.notion import NotionWorkspace, Page
from opsync.sandbox.notion.bodies import write_block

NEW, OLD = "2026-03-11", "2025-09-03"


@pytest.fixture
def workspace() -> NotionWorkspace:
    made = NotionWorkspace(now=lambda: datetime(2026, 11, 22, 10, tzinfo=UTC))
    made.add_user("Ana Reyes", "ana@harbor.example")
    return made


@pytest.fixture
def page(workspace: NotionWorkspace) -> Page:
    source = workspace.add_database("Roadmap", properties={"Name": {"title": {}}}).data_source
    return workspace.add_page(source, {"Name": "This week"}, body="above")


@pytest.fixture
async def client(workspace: NotionWorkspace) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(workspace.app),
        base_url="https://api.notion.com",
        headers={"Authorization": f"Bearer {workspace.token}", "Notion-Version": NEW},
    ) as made:
        yield made


def bullet(text: str) -> dict[str, Any]:
    return {"bulleted_list_item": {"rich_text": [{"text": {"content": text}}]}}


async def append(
    client: httpx.AsyncClient, page: Page, *texts: str, version: str = NEW, **how: Any
) -> httpx.Response:
    return await client.patch(
        f"/v1/blocks/{page.id}/children",
        json={"children": [bullet(text) for text in texts], **how},
        headers={"Notion-Version": version},
    )


async def test_blocks_are_put_where_the_position_says(
    client: httpx.AsyncClient, page: Page
) -> None:
    answer = (await append(client, page, "b")).json()
    first = answer["results"][0]["id"]
    await append(client, page, "d", position={"type": "end"})
    await append(client, page, "a", position={"type": "start"})
    after = {"type": "after_block", "after_block": {"id": first}}
    await append(client, page, "c", position=after)
    await append(client, page, "b2", version=OLD, after=first)

    assert [block.text for block in page.blocks] == ["a", "b", "b2", "c", "d"]
    listed = (await client.get(f"/v1/blocks/{page.id}/children")).json()["results"]
    assert [one["type"] for one in listed][:2] == ["paragraph", "bulleted_list_item"]
    assert listed[1]["created_by"] == listed[1]["last_edited_by"]


@pytest.mark.parametrize(
    ("version", "how"), [(NEW, {"after": "x"}), (OLD, {"position": {"type": "end"}})]
)
async def test_each_version_has_its_own_way_to_say_where(
    client: httpx.AsyncClient, page: Page, version: str, how: dict[str, Any]
) -> None:
    answer = await append(client, page, "a", version=version, **how)
    assert (answer.status_code, page.blocks) == (400, [])


@pytest.mark.parametrize(
    "children",
    [
        [bullet("x")] * 101,
        [bullet("x" * 2001)],
        [bullet("\U0001f600" * 1001)],
        [{"paragraph": {"rich_text": [{"text": {"content": "x"}}] * 101}}],
        [{"table": {}}],
        [{"paragraph": {"rich_text": "x"}}],
        "x",
    ],
)
async def test_what_is_over_a_limit_or_misshapen_is_refused_whole(
    client: httpx.AsyncClient, page: Page, children: Any
) -> None:
    answer = await client.patch(f"/v1/blocks/{page.id}/children", json={"children": children})
    assert (answer.status_code, page.blocks) == (400, [])


async def test_a_block_is_given_up_once(
    client: httpx.AsyncClient, workspace: NotionWorkspace, page: Page
) -> None:
    await append(client, page, "a")
    kept = write_block(workspace, page, "Ana's")
    block = page.blocks[0].id

    answer = await client.delete(f"/v1/blocks/{block}")
    again = await client.delete(f"/v1/blocks/{block}")

    assert (answer.status_code, answer.json()["in_trash"]) == (200, True)
    assert again.status_code == 404
    assert page.blocks == [kept]


async def test_the_capabilities_count_and_so_does_the_trash(
    client: httpx.AsyncClient, workspace: NotionWorkspace, page: Page
) -> None:
    workspace.faults.missing_scopes = ("insert content",)
    assert (await append(client, page, "a")).status_code == 403
    workspace.faults.missing_scopes = ()
    workspace.trash(page)
    assert (await append(client, page, "a")).status_code == 400
    workspace.restore(page)
    assert (await append(client, page, "a")).status_code == 200
    workspace.faults.missing_scopes = ("update content",)
    assert (await client.delete(f"/v1/blocks/{page.blocks[0].id}")).status_code == 403


async def test_the_markdown_has_what_stands_below(client: httpx.AsyncClient, page: Page) -> None:
    await append(client, page, "a")
    found = (await client.get(f"/v1/pages/{page.id}/markdown")).json()
    assert found["markdown"] == "above\n- a"
