"""Open pages hear of changes, few at a time, and hold nothing up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opsync.service.web import listening
from opsync.service.web.listening import Listening
from opsync.store import Store, inline
from tests.service.web.board.office import Visitor
from tests.support.clock import FakeClock


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store.open(tmp_path / "opsync.db", clock=FakeClock(), executor=inline)
    yield store
    await store.close()


async def begun(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    assert await anext(lines) == b"retry: 5000\n\n"
    return lines


async def test_a_change_is_told_to_all_that_listen(store: Store) -> None:
    clock = FakeClock()
    heard = Listening(store, clock)
    both = [await begun(heard.listen()), await begun(heard.listen())]
    waits = [asyncio.ensure_future(anext(one)) for one in both]
    await asyncio.sleep(0)
    await store.pause("linear", by="ana", at=clock.now())

    assert await asyncio.gather(*waits) == [b"data: changed\n\n"] * 2
    await heard.close()
    assert [line async for line in both[0]] == []


async def test_silence_is_broken_before_a_proxy_takes_it_for_the_end(store: Store) -> None:
    clock = FakeClock()
    heard = Listening(store, clock)
    lines = await begun(heard.listen())

    assert await anext(lines) == b": here\n\n"
    assert clock.elapsed_s == pytest.approx(listening.TICK_S * listening.QUIET_TICKS)
    await heard.close()


async def test_news_without_end_are_told_all_the_same(store: Store) -> None:
    clock = FakeClock()
    heard = Listening(store, clock)
    lines = await begun(heard.listen())

    async def go_on() -> None:
        while True:
            await store.pause("linear", by="ana", at=clock.now())
            await asyncio.sleep(0)

    busy = asyncio.ensure_future(go_on())
    assert await anext(lines) == b"data: changed\n\n"
    assert clock.elapsed_s <= listening.TICK_S * (listening.LONGEST + 1)
    busy.cancel()
    await heard.close()


async def test_only_so_many_listen(ana: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "MOST", 0)

    answer = await ana.client.get("/events")

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "60"


async def test_who_goes_is_forgotten_and_nobody_watches_for_nobody(store: Store) -> None:
    clock = FakeClock()
    heard = Listening(store, clock)
    lines = heard.listen()
    await anext(lines)
    assert heard.count == 1

    await lines.aclose()  # type: ignore[attr-defined]  # a generator, as it is closed by the server

    assert heard.count == 0
    for _ in range(5):
        await asyncio.sleep(0)
    asked = len(clock.slept)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(clock.slept) == asked


async def test_after_the_end_nobody_is_taken(ana: Visitor) -> None:
    await ana.app.pages.state.listening.close()

    assert (await ana.client.get("/events")).status_code == 429
