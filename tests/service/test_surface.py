"""The service's own pages: what is undone there, and what is answered where nothing can be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from opsync.redact import Redactor
from opsync.service.metrics import Metrics
from opsync.service.running import Service
from opsync.service.surface import Surface
from tests.service.virtual import Virtual
from tests.service.web.pages import TOKEN, asking, bearer
from tests.support.world import World

Undo = Callable[[str], Awaitable[httpx.Response]]
"""Asks to undo a run or a change, as the journal's buttons do."""


@pytest.fixture
def virtual(tmp_path: Path) -> Virtual:
    found = Virtual(tmp_path)
    found.world.raw["service"] = {"access": {"token": TOKEN}}
    return found


def play(virtual: Virtual, story: Callable[[Service, Undo], Awaitable[None]]) -> World:
    """Run a story at the service's pages, once everything was read and written."""

    async def beside(service: Service) -> None:
        await asyncio.sleep(60)
        surface = Surface(service, Metrics(), Redactor(), local="cleo")
        async with asking(surface.app, **bearer(TOKEN)) as client:

            async def undo(what: str) -> httpx.Response:
                headers = {"accept": "text/html"}
                return await client.post("/journal/undo", json={"what": what}, headers=headers)

            await story(service, undo)

    virtual.play(beside)
    return virtual.world


async def wrote(service: Service) -> str:
    """The run that wrote, by its number."""
    return str((await service.session.store.journal(limit=1))[0].run)


def test_a_run_is_put_back(virtual: Virtual) -> None:
    async def story(service: Service, undo: Undo) -> None:
        answer = await undo(await wrote(service))
        assert answer.status_code == 303
        assert "done=undone" in answer.headers["location"]

    assert play(virtual, story).source.schema.find("Delivery") is None


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("999999", "999999 wrote nothing"),
        ("999999-0a1b2c3d", "999999-0a1b2c3d wrote nothing"),
        ("everything", "this names no run and no change"),
    ],
)
def test_what_wrote_nothing_cannot_be_undone(virtual: Virtual, what: str, said: str) -> None:
    async def story(service: Service, undo: Undo) -> None:
        answer = await undo(what)
        assert answer.status_code == 409
        assert said in answer.text

    play(virtual, story)


def test_nothing_is_undone_while_writes_are_paused(virtual: Virtual) -> None:
    async def story(service: Service, undo: Undo) -> None:
        await service.session.store.pause("", by="ana", at=virtual.world.clock.now())
        answer = await undo(await wrote(service))
        assert answer.status_code == 409
        assert "all writes are paused" in answer.text

    assert play(virtual, story).checkout.text("Delivery").startswith("2 of 5 done")


def test_what_is_in_use_for_long_is_named(virtual: Virtual) -> None:
    async def story(service: Service, undo: Undo) -> None:
        async with service.hands.holding(["notion"]):
            answer = await undo(await wrote(service))
        assert answer.status_code == 409
        assert "notion: in use just now" in answer.text
        assert "Try again in a minute." in answer.text

    assert play(virtual, story).checkout.text("Delivery").startswith("2 of 5 done")


def test_where_all_is_left_as_it_stands_it_is_said_why(virtual: Virtual) -> None:
    async def story(service: Service, undo: Undo) -> None:
        (change,) = {
            row.change
            for row in await service.session.store.journal(limit=1000)
            if row.slot.surface == "delivery" and row.slot.target.id == virtual.world.checkout.id
        }
        virtual.world.notion.edit_page(virtual.world.checkout, "Delivery", "Mine")
        answer = await undo(change)
        assert answer.status_code == 409
        assert "nothing was put back: edited by a person" in answer.text

    assert play(virtual, story).checkout.text("Delivery") == "Mine"
