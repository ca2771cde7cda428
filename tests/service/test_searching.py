"""The service searches for suggestions by itself, beside its work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsync.engine import suggesting
from opsync.errors import StoreError
from opsync.service import chores
from opsync.service.running import Service
from opsync.service.searching import Searching
from tests.service.beside import Beside, until
from tests.service.virtual import Virtual

DAY_S = 86_400


@pytest.fixture
def virtual(tmp_path: Path) -> Virtual:
    """A company that is read seldom: days pass quickly."""
    virtual = Virtual(tmp_path)
    for instance in virtual.world.raw["instances"].values():
        instance["every"] = "6h"
    return virtual


def unlinked(virtual: Virtual) -> None:
    """A page and an epic that look as if they belonged together."""
    virtual.world.page("Wallet refunds", "")
    virtual.world.jira.add_issue("PAY", "Wallet refunds", issue_type="Epic")


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A mark for each search."""
    made: list[str] = []
    look = suggesting.look_anew

    async def counted(*given: Any) -> None:
        made.append("searched")
        await look(*given)

    monkeypatch.setattr(suggesting, "look_anew", counted)
    return made


async def tended(searching: Searching, service: Service, times: int = 1) -> None:
    """So many minutes of chores, and what they began."""
    for _ in range(times):
        await searching.tend(service.session.runtime.clock.now())
        await asyncio.sleep(60)


def test_the_first_page_leads_to_suggestions_that_nobody_asked_for(
    company: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chores, "EVERY_S", 0.05)
    world = company.world
    for page in (world.checkout, world.loyalty):
        world.notion.edit_page(page, "Tracked in", "")
    world.jira.add_issue("PAY", "One-tap checkout", issue_type="Epic")
    with company.serving():
        until(lambda: "No links yet: review 2 suggestions" in company.see("/").text)
        assert "2 pairs look as if they belonged together" in company.see("/links").text


@pytest.mark.slow
def test_it_is_searched_after_the_first_read_and_then_once_a_day(
    virtual: Virtual, searches: list[str]
) -> None:
    unlinked(virtual)

    async def story(service: Service) -> None:
        searching = Searching(service)
        await searching.tend(service.session.runtime.clock.now())
        assert searches == [], "nothing was read yet"
        await asyncio.sleep(600)
        await tended(searching, service, 5)
        assert searches == ["searched"]
        assert await service.session.store.suggested() == 1

        virtual.world.jira.poke_move("PAY-3", "done")
        await asyncio.sleep(DAY_S / 2)
        await tended(searching, service, 5)
        assert searches == ["searched"], "it was searched half a day ago"
        await asyncio.sleep(DAY_S / 2)
        await tended(searching, service, 5)
        assert searches == ["searched"] * 2

        await asyncio.sleep(2 * DAY_S)
        await tended(searching, service, 5)
        assert searches == ["searched"] * 2, "nothing has changed"

    virtual.play(story)


def test_what_is_private_is_not_suggested(virtual: Virtual) -> None:
    unlinked(virtual)
    world = virtual.world
    world.page("Vault keys", "")
    world.linear.add_team("SEC", "Security", private=True)
    world.linear.add_issue("SEC", "Vault keys")

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        store, searching = service.session.store, Searching(service)
        await tended(searching, service)
        (one,) = await store.suggestions()
        assert one.one.instance == "notion"
        assert one.two.instance == "jira-main"

    virtual.play(story)


def test_a_search_that_fails_is_told_and_begun_again(
    virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlinked(virtual)
    look = suggesting.look_anew

    async def failing(*given: Any) -> None:
        raise StoreError("The store is full.", hint="Free space.")

    async def story(service: Service) -> None:
        await asyncio.sleep(600)
        searching = Searching(service)
        monkeypatch.setattr(suggesting, "look_anew", failing)
        await tended(searching, service)
        with pytest.raises(StoreError):
            await searching.tend(service.session.runtime.clock.now())
        monkeypatch.setattr(suggesting, "look_anew", look)
        await tended(searching, service)
        assert await service.session.store.suggested() == 1

    virtual.play(story)


def test_pages_are_answered_during_a_search_and_a_stop_gives_it_up(
    company: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chores, "EVERY_S", 0.05)
    begun, ended = threading.Event(), threading.Event()

    async def endless(config: object, store: object, now: object, given_up: Callable[[], bool]):  # type: ignore[no-untyped-def]
        begun.set()
        while not given_up():
            ended.wait(0.01)
        ended.set()
        raise suggesting.GivenUp

    monkeypatch.setattr(suggesting, "look_anew", endless)
    with company.serving():
        assert begun.wait(20)
        assert company.see("/").status_code == 200
        assert company.opsync("reload").code == 0, "it waits for no search"
        assert not ended.is_set()
    assert ended.wait(5)
