"""What waits for a time is done then, although nothing is read for hours."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from opsync.errors import StoreError
from opsync.service.running import Service
from tests.service.virtual import Virtual
from tests.support.world import HOSTS, spoiler


@pytest.fixture
def still(tmp_path: Path) -> Virtual:
    """Nothing is read by itself for hours."""
    virtual = Virtual(tmp_path)
    for instance in virtual.world.raw["instances"].values():
        instance["every"] = "12h"
    return virtual


def refusing(virtual: Virtual, host: str) -> list[float]:
    """The tool refuses each write; returns when it was asked, as that goes on."""
    tries: list[float] = []

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.method not in ("PATCH", "PUT"):
            return None
        tries.append(virtual.time.now)
        body = {"object": "error", "status": 400, "code": "validation_error", "message": "no"}
        return httpx.Response(400, content=json.dumps(body), request=request)

    virtual.world.net.before[host] = refuse
    return tries


async def runs(service: Service) -> int:
    return (await service.session.store.last_runs(1))[0].seq


async def delivery_refused(virtual: Virtual, service: Service) -> list[float]:
    """Something changes, and its page refuses to be written."""
    await asyncio.sleep(600)
    tries = refusing(virtual, HOSTS["notion"])
    virtual.world.jira.set_status("MOB-3", "Done")
    service.nudge("jira-main", whole=True)
    await asyncio.sleep(30)
    assert tries, "it was tried"
    return tries


def told(virtual: Virtual) -> str:
    return virtual.world.loyalty.text("Delivery")


def test_a_write_that_was_refused_is_tried_again_when_it_was_said_to_be(still: Virtual) -> None:
    async def story(service: Service) -> None:
        await delivery_refused(still, service)
        failed = await service.session.store.failed_writes()
        due = min(one.entry.next_try_at for one in failed if one.entry.next_try_at)
        del still.world.net.before[HOSTS["notion"]]
        left = (due - still.world.clock.now()).total_seconds()
        await asyncio.sleep(left - 1)
        assert "1 of 2" in told(still)
        await asyncio.sleep(6)
        assert "2 of 2" in told(still)

    still.play(story)


def test_what_is_refused_over_and_over_is_tried_less_and_less_and_costs_a_run_each(
    still: Virtual,
) -> None:
    async def story(service: Service) -> None:
        tries = await delivery_refused(still, service)
        before, count = await runs(service), len(tries)
        await asyncio.sleep(3 * 3600)
        # After 5 minutes, 30 minutes and 2 hours.
        assert len(tries) == 4 * count
        waits = [round((b - a) / 60) for a, b in pairwise(tries)]
        assert [wait for wait in waits if wait] == [5, 30, 120]
        assert await runs(service) - before == 3

    still.play(story)


def test_what_cannot_be_tried_when_it_is_due_is_not_decided_over_and_over(still: Virtual) -> None:
    async def story(service: Service) -> None:
        await delivery_refused(still, service)
        store = service.session.store
        await store.pause("notion", by="ana", at=still.world.clock.now())
        before = await runs(service)
        await asyncio.sleep(3600)
        assert await runs(service) - before == 1

    still.play(story)


def test_a_rewrite_that_rests_is_written_when_its_hour_is_over(still: Virtual) -> None:
    world = still.world

    def subtitles() -> str:
        return str(world.linear.issue("GRO-3").attachments[0].subtitle).lower()

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        for status in ("Done", "To Do"):
            world.jira.set_status("PAY-3", status)
            service.nudge("jira-main", whole=True)
            await asyncio.sleep(60)
            assert "done" in subtitles()
        before = await runs(service)
        await asyncio.sleep(3600 - 150)
        assert "done" in subtitles(), "it rests"
        assert await runs(service) == before
        await asyncio.sleep(100)
        assert "to do" in subtitles()
        assert await runs(service) == before + 1

    still.play(story)


def _unreadable(node: dict[str, Any]) -> None:
    node["fields"]["summary"] = 7


def test_an_item_that_could_not_be_read_is_looked_up_when_it_is_due(still: Virtual) -> None:
    world = still.world

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        world.net.spoil[HOSTS["jira-main"]] = spoiler("PAY-4", _unreadable)
        world.jira.edit("PAY-4", summary="Receipts")
        service.nudge("jira-main", whole=True)
        await asyncio.sleep(60)
        (aside,) = await service.session.store.quarantine()
        world.net.spoil.clear()
        assert aside.next_try_at is not None
        left = (aside.next_try_at - world.clock.now()).total_seconds()
        await asyncio.sleep(left - 1)
        assert await service.session.store.quarantine()
        await asyncio.sleep(6)
        assert not await service.session.store.quarantine()

    still.play(story)


def test_while_the_store_fails_it_is_asked_again_later(
    still: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(service: Service) -> None:
        await delivery_refused(still, service)
        store = service.session.store

        async def fails(since: object) -> None:
            raise StoreError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(store, "due_next", fails)
            await asyncio.sleep(120)
        del still.world.net.before[HOSTS["notion"]]
        await asyncio.sleep(300)
        assert "2 of 2" in told(still)

    still.play(story)


def test_a_clock_that_was_put_back_puts_nothing_off(
    still: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = still.world.clock
    times: list[datetime] = []

    async def due_next(since: datetime) -> tuple[datetime | None, dict[str, datetime]]:
        return min((at for at in times if at > since), default=None), {}

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        with monkeypatch.context() as patch:
            patch.setattr(service.session.store, "due_next", due_next)
            clock.start -= timedelta(hours=1)
            times.append(clock.now() + timedelta(minutes=2))
            before = await runs(service)
            await asyncio.sleep(110)
            assert await runs(service) == before
            await asyncio.sleep(20)
            assert await runs(service) == before + 1
            await asyncio.sleep(600)
            assert await runs(service) == before + 1

    still.play(story)
