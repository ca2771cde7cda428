"""Killed amid SQLite's own work, and files that end where no transaction does."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic import command

from opsync.errors import StoreError
from opsync.runtime import SystemClock
from opsync.store import HEAD, Store, database, inline, upgrade
from opsync.store.migrations import REVISIONS
from opsync.store.migrations.upgrade import config
from tests.store.build import put, record

OLDER = REVISIONS[:-1]


def made_at(path: Path, revision: str) -> None:
    """Make the store as an opsync of that revision would have."""

    def to_it(connection: object) -> None:
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)

    path.touch()
    opened = database.Database(path)
    opened.write(to_it)
    opened.close()


def revision_of(path: Path) -> str:
    """Which revision a store is of."""
    connection = sqlite3.connect(path)
    [[found]] = connection.execute("SELECT version_num FROM alembic_version")
    connection.close()
    return str(found)


def tables_of(path: Path) -> list[tuple[str, str]]:
    """The tables and indexes of a store."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    found = sorted((name, " ".join(sql.split())) for name, sql in rows)
    connection.close()
    return found


async def is_whole(path: Path) -> list[str]:
    """The titles in a store, once its check has found nothing."""
    store = Store.open(path, clock=SystemClock(), executor=inline)
    await store.check()
    titles = [one.title for one in await store.records_page()]
    await store.close()
    return titles


@pytest.mark.parametrize("revision", OLDER)
async def test_a_store_of_each_older_revision_is_brought_to_this_one(
    path: Path, revision: str
) -> None:
    """F50"""
    made_at(path, revision)
    with pytest.raises(StoreError, match="is of an older opsync"):
        Store.open(path, clock=SystemClock(), create=False)
    assert revision_of(path) == revision
    assert upgrade(path) == HEAD == revision_of(path)
    assert await is_whole(path) == []


def test_a_newer_store_is_refused_and_left_as_it_is(path: Path) -> None:
    """F50: a program that is older than its store ends before it writes."""
    upgrade(path)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="made by a newer opsync") as told:
        Store.open(path, clock=SystemClock())
    assert told.value.exit_code == 5
    assert "9999" in told.value.message
    assert told.value.hint == "Upgrade opsync."
    assert path.read_bytes() == before


DIES = """
import os, signal, sys
from pathlib import Path
from opsync.store import database

left = int(sys.argv[2])

def count(statement):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

connect = database.Database._connect

def traced(self):
    connection = connect(self)
    connection.set_trace_callback(count)
    return connection

database.Database._connect = traced
database.upgrade(Path(sys.argv[1]))
print(sys.maxsize - left if left < 0 else int(sys.argv[2]) - left)
"""


def dies_at(path: Path, statement: int) -> subprocess.CompletedProcess[str]:
    """Upgrade the store in a process that is killed at its so manieth statement."""
    return subprocess.run(
        [sys.executable, "-c", DIES, str(path), str(statement)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
async def test_a_kill_amid_the_migration_leaves_the_old_store_or_the_new_one(
    path: Path, tmp_path: Path
) -> None:
    """F46, F50"""
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    made_at(old, REVISIONS[0])
    made_at(new, HEAD)
    shutil.copy(old, path)
    whole = dies_at(path, 1_000_000)
    assert whole.returncode == 0, whole.stderr
    statements = int(whole.stdout)
    rng = random.Random(4)
    for at in sorted(rng.sample(range(2, statements + 1), 6)):
        for one in path.parent.glob("opsync.db*"):
            one.unlink()
        shutil.copy(old, path)
        assert dies_at(path, at).returncode == -signal.SIGKILL
        assert (revision_of(path), tables_of(path)) in [
            (REVISIONS[0], tables_of(old)),
            (HEAD, tables_of(new)),
        ], at
        assert upgrade(path) == HEAD
        assert tables_of(path) == tables_of(new)
        assert await is_whole(path) == []


CHECKPOINTS = """
import asyncio, sys
from pathlib import Path
from opsync.runtime import SystemClock
from opsync.store import Store, inline
from tests.store.build import put, record

async def main(path):
    store = Store.open(path, clock=SystemClock(), executor=inline)
    run = await store.begin_run("sync")
    for number in range(100_000):
        await put(store, run, record(f"jira:{number}", title=f"{number:06d}" + "x" * 3000))
        print(number, flush=True)
        raw = store._database._connection.connection.driver_connection
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.slow
def test_a_kill_amid_a_checkpoint_loses_nothing_that_was_committed(path: Path) -> None:
    """F46: killed five times while it moves its log into the file, after each commit."""
    rng = random.Random(3)
    for number in range(5):
        place = path.with_name(f"{number}.db")
        with subprocess.Popen(
            [sys.executable, "-c", CHECKPOINTS, str(place)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            for _ in range(rng.randint(3, 30)):
                committed = int(child.stdout.readline())
            time.sleep(rng.uniform(0, 0.004))
            child.send_signal(signal.SIGKILL)
            committed = max([committed, *map(int, child.stdout.read().split())])
        titles = sorted(title[:6] for title in asyncio.run(is_whole(place)))
        assert titles[: committed + 1] == [f"{n:06d}" for n in range(committed + 1)]
        assert len(titles) <= committed + 2, "what was not committed is not there"


@pytest.mark.parametrize("seed", range(3))
async def test_a_log_that_is_torn_anywhere_is_a_beginning_of_what_happened(
    path: Path, store: Store, seed: int
) -> None:
    """I10, F46, F47: copied at any moment, cut or overwritten from any byte on, and opened."""
    rng = random.Random(seed)
    run = await store.begin_run("sync")
    # What a checkpoint has moved was synced before, and is in no log that can tear.
    store._database._connection.exec_driver_sql("PRAGMA wal_autocheckpoint = 0")
    store._database._connection.commit()
    lengths = set()
    for number in range(24):
        both = [f"{number:02d} a", f"{number:02d} b"]
        await put(store, run, *(record(f"jira:{title}", title=title) for title in both))
        if rng.random() < 0.5:
            copy = path.with_name(f"copy-{number}.db")
            shutil.copy(path, copy)
            log = bytearray(path.with_name(path.name + "-wal").read_bytes())
            at = rng.randint(0, len(log))
            log[at:] = b"" if rng.random() < 0.5 else rng.randbytes(len(log) - at)
            copy.with_name(copy.name + "-wal").write_bytes(log)
            titles = sorted(await is_whole(copy))
            happened = [f"{n:02d} {half}" for n in range(number + 1) for half in "ab"]
            assert titles == happened[: len(titles)]
            assert len(titles) % 2 == 0, "half of a transaction"
            lengths.add(len(happened) - len(titles))
    assert len(lengths) > 1, "some copies lost something, some nothing"
