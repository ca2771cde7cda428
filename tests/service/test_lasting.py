"""What the service owes survives what else happens: a store that fails, another configuration, a
tool that hangs, a stop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

from opsync.engine.session import Session
from opsync.errors import ConfigError, StoreError
from opsync.model import Ref
from opsync.sandbox.notion import Page
from opsync.service.running import Service
from opsync.store import Store
from tests.service.virtual import Virtual

HOUR = {"every": "1h"}


@pytest.fixture
def virtual(tmp_path: Path) -> Virtual:
    return Virtual(tmp_path)


@pytest.fixture
def seldom(virtual: Virtual) -> Virtual:
    """Each instance is read once an hour, so that what happens sooner has another reason."""
    for instance in virtual.world.raw["instances"].values():
        instance.update(HOUR)
    return virtual


@contextmanager
def full(store: Store, *, reads: bool = False) -> Iterator[None]:
    """The store takes nothing, or answers nothing either."""

    def fail(work: object) -> NoReturn:
        raise StoreError("The store is full.", hint="Free space on its disk.")

    database = store._database
    database.write = fail  # type: ignore[method-assign]
    if reads:
        database.read = fail  # type: ignore[method-assign]
    try:
        yield
    finally:
        del database.write
        if reads:
            del database.read


class Hanging(httpx.AsyncBaseTransport):
    """A tool whose answers take minutes, or never come, while it is `on`."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, answers: bool) -> None:
        self.inner = inner
        self.answers = answers
        self.on = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.on and self.answers:
            await asyncio.sleep(240)
        elif self.on:
            await asyncio.sleep(request.extensions["timeout"]["read"])
            raise httpx.ReadTimeout("", request=request)
        return await self.inner.handle_async_request(request)


def hanging(virtual: Virtual, host: str, *, answers: bool) -> Hanging:
    hosts = virtual.world.net.hosts
    found = hosts[host] = Hanging(hosts[host], answers=answers)
    return found


def shown(page: Page) -> str:
    """What stands in an initiative's own column."""
    return str(page.cell("Delivery"))


def delivery(virtual: Virtual) -> str:
    return shown(virtual.world.loyalty)


async def fresh(service: Service, virtual: Virtual) -> Session:
    """A session like the service's own, with the configuration as it is by now."""
    old = service.session
    return Session(virtual.world.config(), old.store, old.runtime, old.pool.another())


async def nothing() -> None:
    """Nothing else goes by the configuration."""


def jira(number: str) -> Ref:
    return Ref("jira-main", "issue", number)


def test_what_was_signalled_while_the_store_failed_is_looked_at_after_it(seldom: Virtual) -> None:
    world = seldom.world

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        with full(service.session.store):
            world.jira.poke_move("MOB-3", "done")
            service.nudge("jira-main", [jira(world.jira.issue("MOB-3").id)])
            await asyncio.sleep(20)
            assert "store" in service.trouble
        await asyncio.sleep(60)
        assert "2 of 2" in delivery(seldom), delivery(seldom)
        assert service.trouble == {}

    seldom.play(story)


def test_what_a_person_decided_while_the_store_failed_is_planned_after_it(
    seldom: Virtual,
) -> None:
    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        store = service.session.store
        before = (await store.last_runs(1))[0].seq
        with full(store, reads=True):
            service.decide_again()
            await asyncio.sleep(1)
        await asyncio.sleep(60)
        assert (await store.last_runs(1))[0].seq > before

    seldom.play(story)


def test_what_was_signalled_before_a_reload_is_looked_at_after_it(seldom: Virtual) -> None:
    world = seldom.world
    slow = hanging(seldom, "harbor.atlassian.net", answers=True)

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        slow.on = True
        world.jira.poke_move("MOB-3", "done")
        service.nudge("jira-main", [jira(world.jira.issue("MOB-3").id)])
        await asyncio.sleep(30)
        assert service.hands.doing == {"jira-main": "read"}
        slow.on = False
        await service.use(await fresh(service, seldom), nothing)
        await asyncio.sleep(60)
        assert "2 of 2" in delivery(seldom), delivery(seldom)

    seldom.play(story)


def test_who_holds_an_instance_over_a_reload_has_it_alone(seldom: Virtual) -> None:
    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        async with service.hands.holding(["notion"]):
            await service.use(await fresh(service, seldom), nothing)
            service.nudge("notion", whole=True)
            await asyncio.sleep(30)
            assert service.hands.doing == {"notion": "written"}
        await asyncio.sleep(30)
        assert service.hands.doing == {}
        assert service.nudges.waiting["notion"] == 0

    seldom.play(story)


def test_a_stop_amid_a_reload_is_a_stop(virtual: Virtual) -> None:
    world = virtual.world
    refused: list[ConfigError] = []

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        waits = asyncio.Event()

        async def reload() -> None:
            try:
                await service.use(await fresh(service, virtual), settle)
            except ConfigError as error:
                refused.append(error)

        async def settle() -> None:
            waits.set()
            await asyncio.sleep(5)

        reloading = asyncio.create_task(reload())
        await waits.wait()
        assert await service.stop()
        await reloading
        before = world.written()
        world.jira.poke_move("MOB-3", "done")
        await asyncio.sleep(1800)
        assert service.stopping
        assert world.written() == before

    virtual.play(story)
    assert [one.message for one in refused] == ["the service is being stopped"]


@pytest.mark.parametrize("answers", [True, False], ids=["minutes late", "never answers"])
@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3))]
)
def test_a_tool_that_hangs_holds_up_no_other(tmp_path: Path, answers: bool, seed: int) -> None:
    """What rests on Jira and Notion alone is written within five minutes, while Linear is being
    read and written and hangs in both."""
    virtual = Virtual(tmp_path, seed)
    world, slow = virtual.world, hanging(virtual, "api.linear.app", answers=answers)

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        slow.on = True
        world.linear.poke_edit("GRO-2", "description", "Waits for PAY-4")
        world.jira.edit("PAY-3", summary="Tokenise all cards")
        await asyncio.sleep(200)
        for status, told in (("done", "2 of 2"), ("todo", "1 of 2"), ("done", "2 of 2")):
            world.jira.poke_move("MOB-3", status)
            await asyncio.sleep(300)
            assert told in delivery(virtual), delivery(virtual)

    virtual.play(story)


def test_while_one_instance_is_written_the_next_round_writes_the_others(seldom: Virtual) -> None:
    """Two rounds at once: neither takes what the other has, nothing of either is lost."""
    world = seldom.world
    slow = hanging(seldom, "harbor.atlassian.net", answers=True)

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        slow.on = True
        world.linear.edit("GRO-3", title="Card form, new")
        service.nudge("linear", whole=True)
        await asyncio.sleep(30)
        assert service.hands.doing == {"jira-main": "written"}
        world.linear.poke_move("GRO-2", "done")
        service.nudge("linear", whole=True)
        await asyncio.sleep(30)
        assert service.hands.doing == {"jira-main": "written"}
        both = shown(world.checkout)
        assert "3 of 5" in both, both
        slow.on = False
        await asyncio.sleep(900)
        assert service.hands.doing == {}
        titles = [link["title"] for link in world.remote_links("PAY-3")]
        assert any("Card form, new" in title for title in titles), titles
        summaries = [link["summary"] for link in world.remote_links("PAY-1")]
        assert any("3/5" in text for text in summaries), summaries
        outcomes = [run.outcome for run in await service.session.store.last_runs(50)]
        assert set(outcomes) == {"done"}, outcomes

    seldom.play(story)


def test_what_waits_while_writes_are_paused_is_not_decided_over_and_over(seldom: Virtual) -> None:
    world = seldom.world

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        store = service.session.store
        await store.pause("notion", by="ana", at=seldom.world.clock.now())
        world.jira.poke_move("MOB-3", "done")
        service.nudge("jira-main", whole=True)
        before = (await store.last_runs(1))[0].seq
        await asyncio.sleep(600)
        assert (await store.last_runs(1))[0].seq - before <= 3
        assert "1 of 2" in delivery(seldom)
        await store.unpause("notion")
        service.decide_again()
        await asyncio.sleep(60)
        assert "2 of 2" in delivery(seldom)

    seldom.play(story)
