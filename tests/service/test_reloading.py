"""Another configuration, and the end, while something is under way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from opsync.errors import ConfigError, OpsyncError, StoreError
from opsync.service.running import Service
from tests.service.virtual import Virtual


@pytest.fixture
def virtual(tmp_path: Path) -> Virtual:
    return Virtual(tmp_path)


def read_at(service: Service) -> list[datetime | None]:
    """When each connection was read last."""
    return [one.read_at for one in service.schedule.turns.values()]


async def _nothing() -> None:
    """There are no pages to settle here."""


def test_a_store_that_fails_during_a_reload_does_not_end_the_reading(virtual: Virtual) -> None:
    world = virtual.world

    async def full() -> None:
        raise StoreError("the disk is full")

    async def story(service: Service) -> None:
        await asyncio.sleep(60)
        await service.use(replace(service.session), full)
        world.jira.edit("PAY-3", status="Done")
        await asyncio.sleep(300)

    virtual.play(story)
    assert "3/5" in world.remote_links("PAY-1")[0]["summary"], world.remote_links("PAY-1")


def test_a_reload_waits_for_what_is_written_besides(virtual: Virtual) -> None:
    order: list[str] = []

    async def story(service: Service) -> None:
        await asyncio.sleep(60)

        async def digest() -> None:
            async with service.besides, service.hands.holding(service.session.config.instances):
                await asyncio.sleep(20)
                order.append("written")

        writing = asyncio.create_task(digest())
        await asyncio.sleep(5)
        await service.use(replace(service.session), _nothing)
        order.append("reloaded")
        await writing
        await asyncio.sleep(60)
        assert not service.hands.doing, service.hands.doing

    virtual.play(story)
    assert order == ["written", "reloaded"]


def test_a_reload_begins_nothing_once_the_service_has_stopped(virtual: Virtual) -> None:
    async def story(service: Service) -> None:
        await asyncio.sleep(60)
        ending: list[bool] = []

        async def settle() -> None:
            ending.append(await service.stop())

        with pytest.raises(ConfigError, match="being stopped"):
            await service.use(replace(service.session), settle)
        assert ending == [True]
        before = virtual.world.written(), read_at(service)
        virtual.world.jira.edit("PAY-3", status="Done")
        await asyncio.sleep(600)
        assert (virtual.world.written(), read_at(service)) == before

    virtual.play(story)


def test_a_persons_command_may_end_before_the_service_does(virtual: Virtual) -> None:
    ended: list[str] = []

    async def story(service: Service) -> None:
        await asyncio.sleep(60)

        async def command() -> None:
            async with service.alone("opsync sync"):
                await asyncio.sleep(3)
                ended.append("command")

        async def late() -> None:
            async with service.alone("opsync sync"):
                ended.append("late")

        first = asyncio.create_task(command())
        await asyncio.sleep(1)
        second = asyncio.create_task(late())
        await asyncio.sleep(1)
        assert await service.stop(10)
        ended.append("service")
        with pytest.raises(OpsyncError, match="stopping"):
            await second
        await first

    virtual.play(story)
    assert ended == ["command", "service"]


def test_a_command_that_takes_too_long_is_given_up(virtual: Virtual) -> None:
    async def story(service: Service) -> None:
        await asyncio.sleep(60)

        async def command() -> None:
            async with service.alone("opsync sync"):
                await asyncio.sleep(3600)

        first = asyncio.create_task(command())
        await asyncio.sleep(1)
        before = virtual.time.now
        assert not await service.stop(10)
        assert virtual.time.now - before == pytest.approx(10)
        assert first.cancelled()

    virtual.play(story)
