"""Killed at any point: what was committed is there, what was not is not, and an intent is seen."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from opsync.model.ledger import stored
from opsync.runtime import SystemClock
from opsync.store import Store, hold
from opsync.store.lock import lock_path
from tests.store.build import change, put, record, ref, slot

PROGRAM = """
import asyncio, os, signal, sys
from pathlib import Path
from opsync.model import Change, Kind, Record, Ref, Slot, Verb
from opsync.runtime import SystemClock
from opsync.store import Prepared, Store, hold

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

async def main(path, point):
    clock = SystemClock()
    target = Ref("jira", "issue", "1")
    with hold(path, "opsync sync", clock.now()):
        store = Store.open(path, clock=clock)
        run = await store.begin_run("sync")
        one = Prepared(Record(ref=target, kind=Kind.issue, title="Item"), "h", "s")
        await store.put_batch(run, "jira", "all", [one], [], advance_to=None)
        if point == "amid a batch":
            store._database._connection.connection.create_function("fold", 1, die)
            store._database.write(lambda c: (
                c.exec_driver_sql("UPDATE records SET title = 'half'"),
                c.exec_driver_sql("SELECT fold('x')").scalar(),
            ))
        slot = Slot(target, "link", "related", Ref("notion", "issue", "1"))
        change = Change(id="c1", slot=slot, verb=Verb.create, desired="x")
        await store.begin_changes([change])
        die()

asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""


def killed(path: Path, point: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path), point], check=False)
    assert done.returncode == -signal.SIGKILL


async def test_a_begun_write_is_seen_after_a_kill(path: Path) -> None:
    """F46"""
    await asyncio.to_thread(killed, path, "after the intent")
    with hold(path, "opsync sync", SystemClock().now()) as holder:
        assert holder.pid == os.getpid()
        store = Store.open(path, clock=SystemClock())
        found = await store.entry(slot("jira:1"))
        assert found is not None
        assert found.intent == stored("x")
        assert await store.targets_pending(SystemClock().now()) == [ref("jira:1")]
        assert await store.journal() == []
        await store.check()
        await store.close()
    assert lock_path(path).exists()


async def test_a_transaction_that_was_cut_leaves_nothing(path: Path) -> None:
    """F46"""
    await asyncio.to_thread(killed, path, "amid a batch")
    store = Store.open(path, clock=SystemClock())
    assert [one.title for one in await store.records_page()] == ["Item"]
    assert [one.outcome for one in await store.last_runs(1)] == [""]
    await store.close()


async def test_a_batch_is_whole_or_not_there(store: Store) -> None:
    """I9"""
    store._database._connection.exec_driver_sql(
        "CREATE TEMP TRIGGER refuse BEFORE INSERT ON records WHEN new.ref = 'jira:issue:2'"
        " BEGIN SELECT RAISE(ABORT, 'refused'); END"
    )
    store._database._connection.commit()
    with pytest.raises(Exception, match="refused"):
        await put(store, 1, record("jira:1"), record("jira:2"))
    assert await store.records_page() == []


async def test_a_cancelled_caller_leaves_a_whole_transaction(path: Path) -> None:
    store = Store.open(path, clock=SystemClock())
    task = asyncio.ensure_future(store.begin_changes([change("jira:1", "x")]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    found = await store.entry(slot("jira:1"))
    assert found is None or found.intent == stored("x")
    await store.close()


async def test_the_default_executor_runs_transactions_one_after_the_other(path: Path) -> None:
    store = Store.open(path, clock=SystemClock())
    runs = await asyncio.gather(*(store.begin_run("sync") for _ in range(20)))
    assert sorted(runs) == list(range(1, 21))
    await store.close()
