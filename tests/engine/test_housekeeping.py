"""Housekeeping: once a day, and not more often."""

from __future__ import annotations

from pathlib import Path

from opsync.engine.housekeeping import EVERY, prune
from opsync.model.retention import Keep, Pruned
from opsync.store import Store, inline
from tests.support.clock import FakeClock


async def test_the_store_is_pruned_once_a_day(tmp_path: Path) -> None:
    clock = FakeClock()
    store = Store.open(tmp_path / "opsync.db", clock=clock, executor=inline)
    every = EVERY.total_seconds()
    found = []
    for wait_s in (0, 1, every - 2, 1, every - 1, 1):
        clock.advance(wait_s)
        found.append(await prune(store, clock.now(), Keep()))
    await store.close()
    assert found == [Pruned(), None, None, Pruned(), None, Pruned()]


async def test_a_clock_that_was_set_back_does_not_stop_it(tmp_path: Path) -> None:
    clock = FakeClock()
    store = Store.open(tmp_path / "opsync.db", clock=clock, executor=inline)
    await prune(store, clock.now(), Keep())
    clock.advance(-3600)
    assert await prune(store, clock.now(), Keep()) == Pruned()
    await store.close()
