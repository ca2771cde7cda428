"""The doors of a configured company: by its connectors, its secrets and what a person armed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import structlog

from opsync.contract.webhooks import Signal
from opsync.engine.hooksecrets import HookSecrets
from opsync.engine.session import Session
from opsync.engine.webhooks import LAST, arm
from opsync.errors import PluginError, StoreError
from opsync.sandbox.hooks import Hooks
from opsync.sandbox.notion.webhooks import subscribe
from opsync.service.hooks import doors as module
from opsync.service.hooks.counting import Counters
from opsync.service.hooks.doors import NOTED_S, Doors
from opsync.service.hooks.memory import Memory
from opsync.service.hooks.receiver import receiver
from opsync.steps.shared import OWN
from tests.service.hooks.tool import signed
from tests.support.world import World

URL = "https://opsync.example/hooks/"
SECRET = "a-secret-of-more-than-twenty-four-letters"


class House:
    """A company whose signals come in."""

    def __init__(self, world: World, session: Session) -> None:
        self.world = world
        self.session = session
        self.secrets = HookSecrets(world.store_path, world.clock)
        self.doors = Doors(session, self.secrets)
        self.told: list[tuple[str, Signal]] = []
        self.app = receiver(
            self.doors.open,
            Memory(session.store),
            Counters(),
            world.clock,
            lambda name, signal: self.told.append((name, signal)),
        )

    async def deliver(self, name: str, hooks: Hooks) -> list[int]:
        """Everything that a tool has to deliver; how each was answered."""
        transport = httpx.ASGITransport(self.app)
        found = []
        async with httpx.AsyncClient(transport=transport, base_url="http://opsync") as client:
            for post in hooks.take():
                headers, body = hooks.dress(post)
                answer = await client.post(f"/hooks/{name}", content=body, headers=headers)
                hooks.answered(post, answer.status_code)
                found.append(answer.status_code)
        return found

    async def post(self, name: str, headers: Mapping[str, str], body: bytes) -> int:
        """One delivery; how it was answered."""
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://opsync") as client:
            answer = await client.post(f"/hooks/{name}", content=body, headers=dict(headers))
        return answer.status_code

    async def last(self, name: str) -> object:
        await self.doors.close()
        return (await self.session.store.kept(OWN)).get(LAST + name)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    world = World(tmp_path)
    async with world.session() as session:
        house = House(world, session)
        await house.doors.settle()
        yield house
        await house.doors.close()


async def test_a_secret_opens_a_door_at_once_and_its_end_shuts_it(house: House) -> None:
    jira = house.world.jira
    await house.doors.open["jira-main"].source.register(URL, SECRET)  # type: ignore[attr-defined]
    jira.edit("PAY-3", summary="Other words")
    assert await house.deliver("jira-main", jira.hooks) == [404]

    house.secrets.put("jira-main", SECRET)
    house.world.clock.advance(1)
    jira.edit("PAY-3", summary="Once more")
    assert await house.deliver("jira-main", jira.hooks) == [200]
    [(name, signal)] = house.told
    assert (name, [ref.instance for ref in signal.refs]) == ("jira-main", ["jira-main"])

    house.secrets.forget("jira-main")
    jira.edit("PAY-3", summary="And again")
    assert await house.deliver("jira-main", jira.hooks) == [404]


async def test_notion_s_secret_is_taken_while_somebody_waits_and_is_hidden_from_then_on(
    house: House,
) -> None:
    notion = house.world.notion
    hook = subscribe(notion, URL)
    assert await house.deliver("notion", notion.hooks) == [404]
    await arm(house.session.store, "notion", house.world.clock.now())
    house.world.clock.advance(60)
    assert await house.deliver("notion", notion.hooks) == [200]
    assert house.secrets.told("notion") == hook.secret
    assert hook.secret not in house.session.pool.redactor.clean(f"it is {hook.secret}")
    subscribe(notion, URL)
    assert await house.deliver("notion", notion.hooks) == [401], "nobody waits for another"
    assert house.secrets.load()["notion"].secret == "", "nothing was signed with it"


def dressed(token: str, body: bytes) -> dict[str, str]:
    """The headers of what Notion signs with a token."""
    return {"X-Notion-Signature": f"sha256={signed(body, secret=token.encode())['x-signature']}"}


def event(token: str, id_: str) -> tuple[dict[str, str], bytes]:
    """What Notion sends, signed with a token."""
    body = json.dumps({"id": id_, "type": "comment.created"}).encode()
    return dressed(token, body), body


async def test_a_token_is_proven_by_the_first_delivery_that_it_signs(house: House) -> None:
    now = house.world.clock.now()
    for first, token in ((True, "secret_old"), (False, "secret_new")):
        await arm(house.session.store, "notion", now)
        hello = json.dumps({"verification_token": token}).encode()
        assert await house.post("notion", {}, hello) == 200
        assert house.secrets.told("notion") == token
        # Said again, and signed with itself as Notion's is: this proves nothing.
        headers = dressed(token, hello)
        assert await house.post("notion", headers, hello) == 200
        assert house.secrets.told("notion") == token
        if not first:
            assert await house.post("notion", *event("secret_old", "e1")) == 200
            assert house.secrets.load()["notion"].secret == "secret_old"
            assert house.secrets.told("notion") == token, "the one before signed that"
        assert await house.last("notion") == (None if first else now.isoformat())
        assert await house.post("notion", *event(token, f"by {token}")) == 200
        assert house.secrets.told("notion") == ""
        assert house.secrets.load()["notion"].secret == token
    assert await house.post("notion", *event("secret_old", "e2")) == 200, "for a day more"
    house.world.clock.advance(24 * 3600)
    assert await house.post("notion", *event("secret_old", "e3")) == 401


async def test_a_proof_that_cannot_be_kept_is_told_and_kept_with_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise StoreError("The disk is full.")

    house.secrets.tell("notion", "secret_of_notion")
    with monkeypatch.context() as patch, structlog.testing.capture_logs() as logged:
        patch.setattr(HookSecrets, "prove", full)
        assert await house.post("notion", *event("secret_of_notion", "e1")) == 200
    assert [one["event"] for one in logged] == ["token.not_kept"]
    assert house.secrets.told("notion") == "secret_of_notion"
    assert await house.post("notion", *event("secret_of_notion", "e2")) == 200
    assert house.secrets.told("notion") == ""


async def test_when_the_last_one_came_is_kept_once_a_minute(house: House) -> None:
    jira, clock = house.world.jira, house.world.clock
    await house.doors.open["jira-main"].source.register(URL, SECRET)  # type: ignore[attr-defined]
    house.secrets.put("jira-main", SECRET)
    assert await house.last("jira-main") is None
    first = clock.now().isoformat()
    for wait_s in (0.0, NOTED_S - 1):
        clock.advance(wait_s)
        jira.edit("PAY-3", summary=f"After {wait_s}")
        assert await house.deliver("jira-main", jira.hooks) == [200]
        assert await house.last("jira-main") == first
    clock.advance(1)
    jira.edit("PAY-3", summary="A minute later")
    await house.deliver("jira-main", jira.hooks)
    assert await house.last("jira-main") == clock.now().isoformat()


async def test_when_it_could_not_be_kept_the_next_one_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*args: object) -> None:
        raise StoreError("The store is full.")

    door = house.doors.open["jira-main"]
    with monkeypatch.context() as patch:
        patch.setattr(module, "note_delivery", full)
        door.took()
        await house.doors.close()
    await asyncio.sleep(0)
    door.took()
    assert await house.last("jira-main") == house.world.clock.now().isoformat()


async def test_a_connection_that_is_gone_has_no_door(house: House) -> None:
    assert sorted(house.doors.open) == ["jira-main", "linear", "notion"]
    same = house.doors.open
    config = house.session.config
    left = {name: one for name, one in config.instances.items() if name != "notion"}
    await house.doors.settle(replace(house.session, config=replace(config, instances=left)))
    assert sorted(house.doors.open) == ["jira-main", "linear"]
    assert house.doors.open is same


async def test_a_connector_that_cannot_be_made_shuts_no_door_that_is_open(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.open_instance

    async def broken(instance: object, session: Session) -> object:
        if getattr(instance, "name", "") == "linear":
            raise PluginError("it does not load")
        return await real(instance, session)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "open_instance", broken)
    before = house.doors.open["linear"]
    await house.doors.settle()
    assert house.doors.open["linear"] is before
    first = Doors(house.session, house.secrets)
    await first.settle()
    assert sorted(first.open) == ["jira-main", "notion"]
