"""A disk that fails or is read-only, and a store that somebody else is writing."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from opsync.errors import StoreError
from opsync.store import database
from tests.crash.standing import Standing, Tools, standing
from tests.support.world import World


def what_stands(world: World) -> Standing:
    return standing(Tools(world.jira, world.linear, world.notion, world.source))


@pytest.fixture
async def undisturbed(tmp_path: Path) -> World:
    """The same company after a run that nothing disturbed."""
    (tmp_path / "undisturbed").mkdir()
    world = World(tmp_path / "undisturbed")
    await world.sync()
    return world


async def repaired(world: World, undisturbed: World) -> None:
    """The next run brings everything about, once, and the one after it writes nothing."""
    await world.sync()
    assert what_stands(world) == what_stands(undisturbed)
    assert what_stands(world).doubled == []
    await world.silent()
    async with world.session() as session:
        await session.store.check()


class Failing:
    """Has the `nth` write transaction fail, before it or at its commit, and all after it."""

    def __init__(self, nth: int, *, at_commit: bool, code: int) -> None:
        self.left = nth
        self.at_commit = at_commit
        self.code = code
        self.real = database.Database._transact

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Put it before every store."""

        def transact(at: database.Database, begin: str, work: Callable[[Connection], Any]) -> Any:
            self.left -= begin == "BEGIN IMMEDIATE"
            if self.left > 0:
                return self.real(at, begin, work)
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = self.code

            def fail(connection: Connection) -> Any:
                if self.at_commit:
                    work(connection)
                raise error

            return self.real(at, begin, fail)

        patch.setattr(database.Database, "_transact", transact)


@pytest.mark.sampled
@pytest.mark.parametrize("at_commit", [False, True], ids=["before", "at its end"])
@pytest.mark.parametrize("nth", [1, 7, 16, 24])
async def test_a_disk_that_fails_ends_the_run_and_the_next_repairs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: World, nth: int, at_commit: bool
) -> None:
    """F47: EIO at some write and at all after it."""
    world = World(tmp_path)
    async with world.session():
        pass  # makes the store
    with monkeypatch.context() as broken:
        Failing(nth, at_commit=at_commit, code=sqlite3.SQLITE_IOERR_WRITE).install(broken)
        with pytest.raises(StoreError) as told:
            await world.sync()
    assert told.value.exit_code == 5
    assert (
        told.value.message
        == f"The store {world.store_path} cannot be read or written (disk I/O error)."
    )
    assert told.value.hint == "Check its disk."
    await repaired(world, undisturbed)


async def test_a_store_that_became_read_only_ends_the_run_and_the_next_repairs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: World
) -> None:
    """F47: a file system that the system has mounted anew for reading only."""
    world = World(tmp_path)
    async with world.session():
        pass
    with monkeypatch.context() as broken:
        Failing(12, at_commit=False, code=sqlite3.SQLITE_READONLY_DBMOVED).install(broken)
        with pytest.raises(StoreError, match="is read-only") as told:
            await world.sync()
    assert told.value.hint == "Make the file and its folder writable."
    await repaired(world, undisturbed)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
async def test_a_folder_that_may_not_be_written_is_told_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """F47"""
    world = World(tmp_path)
    real = os.open

    def refuse(path: Any, flags: int, *args: Any, **options: Any) -> int:
        if str(path).startswith(str(tmp_path / "opsync.db")):
            raise OSError(code, os.strerror(code))
        return real(path, flags, *args, **options)

    with monkeypatch.context() as broken:
        broken.setattr(os, "open", refuse)
        with pytest.raises(StoreError, match=os.strerror(code)) as told:
            await world.sync()
    assert told.value.exit_code == 5
    assert told.value.hint
    assert sum(vendor.read_requests for vendor in world.vendors.values()) == 0


HOLDS = """
import sqlite3, sys, time
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
other.execute("ROLLBACK")
"""
BACKS_UP = """
import sqlite3, sys
source, copy = sqlite3.connect(sys.argv[1]), sqlite3.connect(sys.argv[2])
print("held", flush=True)
for _ in range(20):
    source.backup(copy, pages=1, sleep=0.001)
"""


@contextmanager
def beside(program: str, *arguments: str | Path) -> Iterator[None]:
    """Another process at work on the store, for the length of the block."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield
        finally:
            process.kill()


@pytest.mark.slow
async def test_a_run_waits_for_another_process_that_is_writing_and_loses_nothing(
    tmp_path: Path, undisturbed: World
) -> None:
    """F48"""
    world = World(tmp_path)
    async with world.session():
        pass
    with beside(HOLDS, world.store_path, 0.4):
        report = await world.sync()
    assert report.exit_code == 0
    assert what_stands(world) == what_stands(undisturbed)
    await world.silent()


async def test_a_run_waits_a_bounded_time_for_it_and_the_next_repairs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: World
) -> None:
    """F48"""
    world = World(tmp_path)
    async with world.session():
        pass
    with monkeypatch.context() as short, beside(HOLDS, world.store_path, 60):
        short.setattr(database, "BUSY_S", 0.1)
        with pytest.raises(StoreError, match="being written by another process") as told:
            await world.sync()
    assert told.value.exit_code == 5
    assert told.value.hint == "End that process or backup, and run again."
    await repaired(world, undisturbed)


async def test_a_backup_beside_a_run_is_a_whole_store_and_disturbs_nothing(
    tmp_path: Path, undisturbed: World
) -> None:
    """F48"""
    world = World(tmp_path)
    async with world.session():
        pass
    copy = tmp_path / "copy.db"
    with beside(BACKS_UP, world.store_path, copy):
        report = await world.sync()
    assert report.exit_code == 0
    assert what_stands(world) == what_stands(undisturbed)
    await world.silent()
