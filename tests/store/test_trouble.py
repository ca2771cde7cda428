"""Disks that are full, files that break, and other processes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection

from opsync.errors import StoreError
from opsync.runtime import SystemClock
from opsync.store import Store, database, inline
from tests.store.build import put, record


def spoil(path: Path) -> None:
    """Overwrite the second half of the file's pages."""
    content = bytearray(path.read_bytes())
    for page in range(len(content) // 2, len(content) - 4096, 4096):
        content[page : page + 2000] = b"\xff" * 2000
    path.write_bytes(content)


async def test_a_full_disk_is_told_and_the_batch_leaves_nothing_behind(
    store: Store,
) -> None:
    """F47"""
    run = await store.begin_run("sync")
    store._database.write(
        lambda c: c.exec_driver_sql(
            f"PRAGMA max_page_count = {c.exec_driver_sql('PRAGMA page_count').scalar()}"
        )
    )
    big = [record(f"jira:{n}", title="x" * 4000) for n in range(50)]
    with pytest.raises(StoreError, match="is full"):
        await put(store, run, *big)
    assert await store.records_page() == []
    store._database.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 100000"))
    await put(store, run, *big)
    assert len(await store.records_page()) == 50


async def test_a_read_only_store_is_told(store: Store) -> None:
    """F47"""
    store._database._connection.exec_driver_sql("PRAGMA query_only = ON")
    store._database._connection.rollback()
    with pytest.raises(StoreError, match="is read-only"):
        await store.begin_run("sync")


async def test_a_damaged_page_is_found_by_the_check(path: Path, store: Store) -> None:
    run = await store.begin_run("sync")
    await put(store, run, *(record(f"jira:{n}", title="x" * 500) for n in range(200)))
    await store.check()
    await store.close()
    spoil(path)
    broken = Store.open(path, clock=SystemClock(), executor=inline)
    with pytest.raises(StoreError, match="is damaged"):
        await broken.check()
    await broken.close()


async def test_a_write_waits_a_bounded_time_for_another_process(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F48"""
    monkeypatch.setattr(database, "BUSY_S", 0.05)
    store = Store.open(path, clock=SystemClock())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="being written by another process"):
        await store.begin_run("sync")
    other.execute("ROLLBACK")
    assert await store.begin_run("sync") == 1
    other.close()
    await store.close()


async def test_a_reader_works_beside_a_writer_and_sees_what_was_committed(
    path: Path, store: Store
) -> None:
    run = await store.begin_run("sync")
    reader = Store.open(path, clock=SystemClock(), create=False)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE runs SET command = 'uncommitted'")
    assert [one.command for one in await reader.last_runs(5)] == ["sync"]
    other.execute("ROLLBACK")
    other.close()
    await put(store, run, record("jira:1"))
    assert [one.title for one in await reader.records_page()] == ["Item jira:1"]
    await reader.close()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_FULL, "is full"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "is read-only"),
        (sqlite3.SQLITE_CORRUPT_VTAB, "is damaged"),
        (sqlite3.SQLITE_NOTADB, "no opsync store"),
        (sqlite3.SQLITE_IOERR_FSYNC, "cannot be read or written"),
        (sqlite3.SQLITE_CANTOPEN, "cannot be opened"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "being written by another process"),
    ],
)
def test_each_kind_of_trouble_says_what_it_is_and_what_to_do(code: int, words: str) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    told = database.explain(Path("opsync.db"), error)
    assert told is not None
    assert words in told.message
    assert told.hint
    assert told.exit_code == 5


async def test_a_defect_of_ours_is_not_called_a_store_error(store: Store) -> None:
    def wrong(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT 1 FROM nowhere")

    with pytest.raises(Exception, match="no such table") as caught:
        store._database.read(wrong)
    assert not isinstance(caught.value, StoreError)
