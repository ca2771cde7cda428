"""Looking at the store as it stands: one state, one transaction, nothing written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opsync.errors import StoreError
from opsync.runtime import SystemClock
from opsync.store import Store


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[tuple[Store, Store]]:
    """One file, opened twice."""
    path = tmp_path / "opsync.db"
    clock = SystemClock()
    first, second = Store.open(path, clock=clock), Store.open(path, clock=clock)
    yield first, second
    await first.close()
    await second.close()


@pytest.mark.usefixtures("stores_have_threads")
async def test_all_that_is_read_is_of_one_state(stores: tuple[Store, Store]) -> None:
    mine, other = stores
    await mine.put_kept("x", {"is": "before"})

    async def twice(store: Store) -> tuple[object, object]:
        first = await store.kept("x")
        # On this thread, and so between the two readings.
        asyncio.run(other.put_kept("x", {"is": "after"}))
        return first, await store.kept("x")

    assert await mine.look(twice) == ({"is": "before"}, {"is": "before"})
    assert await mine.kept("x") == {"is": "after"}


async def test_nothing_is_written_by_who_looks(stores: tuple[Store, Store]) -> None:
    mine, _ = stores
    with pytest.raises(RuntimeError, match="nothing is written"):
        await mine.look(lambda store: store.put_kept("x", {"is": "written"}))
    assert await mine.kept("x") == {}


async def test_it_may_not_be_kept(stores: tuple[Store, Store]) -> None:
    mine, _ = stores

    async def keep(store: Store) -> Store:
        return store

    kept = await mine.look(keep)
    with pytest.raises(RuntimeError, match="is over"):
        await kept.kept("x")


async def test_it_may_wait_for_nothing_else(stores: tuple[Store, Store]) -> None:
    mine, _ = stores

    async def wait(store: Store) -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="may wait for nothing else"):
        await mine.look(wait)
    assert await mine.kept("x") == {}


async def test_what_fails_is_told_and_the_store_goes_on(stores: tuple[Store, Store]) -> None:
    mine, _ = stores

    async def fail(store: Store) -> None:
        await store.kept("x")
        raise StoreError("odd")

    with pytest.raises(StoreError, match="odd"):
        await mine.look(fail)
    await mine.put_kept("x", {"is": "written"})
    assert await mine.kept("x") == {"is": "written"}
