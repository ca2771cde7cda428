"""What the simulated tools deliver, through the door, by the bundled connectors."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from hashlib import sha256

import httpx
import pytest

from opsync import Ref
from opsync.contract.webhooks import WebhookSource
from opsync.sandbox.hooks import Hooks, Post
from opsync.sandbox.jira import JiraSite
from opsync.sandbox.linear import LinearWorkspace
from opsync.sandbox.notion import NotionWorkspace
from opsync.sandbox.notion.webhooks import subscribe, verify
from opsync_jira import Jira
from opsync_linear import Linear
from tests.plugins.jira import conftest as of_jira
from tests.plugins.linear import conftest as of_linear
from tests.plugins.notion.world import ROADMAP, Roadmap
from tests.service.hooks.conftest import Hall
from tests.service.hooks.tool import Desk, door
from tests.support.clock import FakeClock
from tests.support.connector import Connections

SECRET = "a-secret-of-more-than-twenty-four-letters"
URL = "https://opsync.example/hooks/tool"


@dataclass
class Tool:
    """A simulated tool with its connector, which has it send signals."""

    source: WebhookSource
    hooks: Hooks
    secret: str
    change: Callable[[], str]
    """Changes something, and answers its id."""


@pytest.fixture
async def connections(clock: FakeClock) -> AsyncIterator[Connections]:
    made = Connections(clock)
    yield made
    await made.close()


async def jira(clock: FakeClock, connections: Connections) -> Tool:
    site = of_jira.harbor(JiraSite(now=clock.now, limit_factor=10))
    connector = connections.connect(
        Jira, "tool", of_jira.settings(), httpx.ASGITransport(site.app), None
    )
    issue = site.add_issue("PAY", "Card form")
    await connector.register(URL, SECRET)

    def change() -> str:
        site.edit(issue.key, summary="Another title")
        return str(issue.id)

    return Tool(connector, site.hooks, SECRET, change)


async def linear(clock: FakeClock, connections: Connections) -> Tool:
    workspace = LinearWorkspace(now=clock.now, limit_factor=10)
    workspace.add_team("GRO", "Growth")
    connector = connections.connect(
        Linear, "tool", of_linear.settings(), httpx.ASGITransport(workspace.app), None
    )
    issue = workspace.add_issue("GRO", "Card form")
    await connector.register(URL, SECRET)

    def change() -> str:
        workspace.edit(issue.identifier, title="Another title")
        return str(issue.id)

    return Tool(connector, workspace.hooks, SECRET, change)


async def notion(clock: FakeClock, connections: Connections) -> Tool:
    workspace = NotionWorkspace(now=clock.now, limit_factor=100)
    database = workspace.add_database("Roadmap", properties=ROADMAP)
    roadmap = Roadmap(workspace, database.data_source, connections, {})
    page = workspace.add_page(database.data_source, {"Name": "Faster checkout"})
    hook = subscribe(workspace, URL)
    workspace.hooks.take()
    verify(workspace, hook.secret)

    def change() -> str:
        workspace.edit_page(page, "Name", "Another title")
        return page.id

    return Tool(roadmap.connect(), workspace.hooks, hook.secret, change)


@pytest.fixture(params=[jira, linear, notion])
async def tool(request: pytest.FixtureRequest, clock: FakeClock, connections: Connections) -> Tool:
    made: Tool = await request.param(clock, connections)
    made.hooks.take()
    return made


async def deliver(hall: Hall, tool: Tool, post: Post) -> int:
    headers, body = tool.hooks.dress(post)
    async with hall.client() as client:
        answer = await client.post("/hooks/tool", content=body, headers=headers)
    tool.hooks.answered(post, answer.status_code)
    return answer.status_code


async def test_a_change_at_the_tool_is_told_by_its_id_and_once(hall: Hall, tool: Tool) -> None:
    hall.doors["tool"] = door(tool.secret.encode(), source=tool.source)
    changed = tool.change()
    posts = tool.hooks.take()
    assert posts
    assert {await deliver(hall, tool, post) for post in posts} == {200}
    assert changed in {ref.id for _, signal in hall.told for ref in signal.refs}
    assert all(isinstance(ref, Ref) for _, signal in hall.told for ref in signal.refs)
    told = len(hall.told)
    assert {await deliver(hall, tool, post) for post in posts} == {200}
    assert len(hall.told) == told
    assert hall.counted()["duplicate", "tool"] == len(posts)
    assert tool.hooks.waiting == [], "the tool counts it as arrived"


async def test_what_another_secret_signed_is_forged(hall: Hall, tool: Tool) -> None:
    hall.doors["tool"] = door(b"another secret of the right length", source=tool.source)
    tool.change()
    for post in tool.hooks.take():
        assert await deliver(hall, tool, post) == 401
    assert hall.told == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b"{}"])
async def test_what_is_signed_and_makes_no_sense_is_no_fault_and_has_no_effect(
    hall: Hall, tool: Tool, body: bytes
) -> None:
    hall.doors["tool"] = door(tool.secret.encode(), source=tool.source)
    digest = hmac.new(tool.secret.encode(), body, sha256).hexdigest()
    headers = {
        "x-hub-signature": f"sha256={digest}",
        "x-notion-signature": f"sha256={digest}",
        "linear-signature": digest,
    }
    async with hall.client() as client:
        answer = await client.post("/hooks/tool", content=body, headers=headers)
    assert answer.status_code in {200, 400}
    assert not [ref for _, signal in hall.told for ref in signal.refs]


async def test_notion_s_hello_is_heard_while_a_person_waits_for_it(
    hall: Hall, clock: FakeClock, connections: Connections
) -> None:
    """W11"""
    tool = await notion(clock, connections)
    workspace = NotionWorkspace(now=clock.now)
    hook = subscribe(workspace, URL)
    desk = Desk()
    hall.doors["tool"] = door(desk=desk, source=tool.source)
    [post] = workspace.hooks.take()
    headers, body = workspace.hooks.dress(post)
    async with hall.client() as client:
        assert (await client.post("/hooks/tool", content=body, headers=headers)).status_code == 404
        desk.armed = True
        assert (await client.post("/hooks/tool", content=body, headers=headers)).status_code == 200
    assert desk.tokens == [hook.secret]
