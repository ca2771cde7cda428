"""Backup and restore: the copy is whole, and nothing is lost by putting it back."""

from __future__ import annotations

import sqlite3
import stat
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from opsync.errors import ConfigError, OpsyncError, StoreError
from opsync.runtime import SystemClock
from opsync.store import HEAD, Store, back_up, inline, restore, upgrade
from opsync.store.database import Database
from tests.store.build import put, record, ref

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("stores_by_revisions")


def open_store(path: Path, *, create: bool = False) -> Store:
    return Store.open(path, clock=SystemClock(), executor=inline, create=create)


async def fill(path: Path, *refs: str) -> None:
    store = open_store(path, create=True)
    await put(store, await store.begin_run("sync"), *(record(one) for one in refs))
    await store.close()


async def items(path: Path) -> list[str]:
    store = open_store(path)
    found = await store.records_of([ref(f"jira:{number}") for number in range(10)])
    await store.close()
    return sorted(one.id for one in found)


def files(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if not one.name.endswith(".lock"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def size(path: Path) -> int:
    return path.stat().st_size


def content(path: Path) -> bytes:
    return path.read_bytes()


def overwrite(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def remove(path: Path) -> None:
    path.unlink()


def damage(path: Path) -> None:
    """Break what follows the first page, as a bad disk does."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "away").mkdir()
    return tmp_path / "away" / "copy.db"


async def test_a_copy_is_one_file_for_its_owner_only_with_all_that_was_written(
    path: Path, file: Path
) -> None:
    store = open_store(path, create=True)
    await put(store, await store.begin_run("sync"), record("jira:1"))
    # It is open, and what was written last is still in its log.
    copied = back_up(path, file)
    await store.close()

    assert files(file.parent) == ["copy.db"]
    assert mode(file) == 0o600
    assert (copied.form, copied.older) == (int(HEAD), False)
    assert copied.size == size(file)
    assert await items(file) == ["1"]


async def test_a_copy_beside_a_busy_writer_is_one_moment_of_the_store(
    path: Path, file: Path
) -> None:
    """Each transaction of the writer adds a row to two tables: a copy has as many in both."""
    upgrade(path)
    stop = threading.Event()

    def work() -> None:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as connection:
            number = 0
            while not stop.is_set():
                number += 1
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(
                    "INSERT INTO plans (number, at, body) VALUES (?, '', X'7B7D')", (number,)
                )
                connection.execute("INSERT INTO kept VALUES ('', ?, X'7B7D')", (str(number),))
                connection.execute("COMMIT")

    writer = threading.Thread(target=work)
    writer.start()
    try:
        counts = []
        for _ in range(5):
            back_up(path, file, force=True)
            with closing(sqlite3.connect(file)) as connection:
                one, two = (
                    connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                    for table in ("plans", "kept WHERE key != 'store:id'")
                )
            counts.append((one, two))
    finally:
        stop.set()
        writer.join()
    assert all(one == two for one, two in counts)
    assert counts == sorted(counts)
    assert counts[-1][0] > 0


async def test_a_file_that_is_there_is_kept_unless_it_is_forced(path: Path, file: Path) -> None:
    await fill(path, "jira:1")
    overwrite(file, b"mine")
    with pytest.raises(ConfigError, match="is there already"):
        back_up(path, file)
    assert content(file) == b"mine"

    back_up(path, file, force=True)

    assert await items(file) == ["1"]


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", ".lock"])
async def test_the_store_is_never_overwritten_by_its_own_copy(path: Path, ending: str) -> None:
    await fill(path, "jira:1")
    with pytest.raises(ConfigError, match="is the store itself"):
        back_up(path, Path(f"{path}{ending}"), force=True)
    with pytest.raises(ConfigError, match=r"is the store itself|there is no file"):
        restore(path, Path(f"{path}{ending}"), NOW)
    assert await items(path) == ["1"]


async def test_of_a_damaged_store_no_copy_is_made_and_an_older_one_stays(
    path: Path, file: Path
) -> None:
    await fill(path, "jira:1")
    back_up(path, file)
    damage(path)
    with pytest.raises(StoreError, match=r"opsync\.db is damaged, or"):
        back_up(path, file, force=True)
    assert files(file.parent) == ["copy.db"]
    assert await items(file) == ["1"]


def test_without_a_store_there_is_nothing_to_copy(path: Path, file: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        back_up(path, file)


async def test_a_folder_that_is_not_there_is_told(path: Path, tmp_path: Path) -> None:
    await fill(path, "jira:1")
    with pytest.raises(StoreError, match="cannot be written: No such file"):
        back_up(path, tmp_path / "nowhere" / "copy.db")


async def test_a_restored_store_is_the_copy_and_the_replaced_one_stays(
    path: Path, file: Path
) -> None:
    await fill(path, "jira:1")
    back_up(path, file)
    await fill(path, "jira:2")

    done = restore(path, file, NOW)

    assert await items(path) == ["1"]
    assert mode(path) == 0o600
    assert done.replaced == path.with_name("opsync.db.replaced-20260302-090000")
    assert await items(done.replaced) == ["1", "2"]
    assert await items(file) == ["1"], "the copy stays as it is"


async def test_two_restores_in_one_second_keep_both(path: Path, file: Path) -> None:
    await fill(path, "jira:1")
    back_up(path, file)
    await fill(path, "jira:2")
    first = restore(path, file, NOW)
    second = restore(path, file, NOW)
    assert first.replaced is not None
    assert second.replaced is not None
    assert await items(first.replaced) == ["1", "2"]
    assert await items(second.replaced) == ["1"]


async def test_nothing_of_the_replaced_stores_log_gets_into_the_copy(
    path: Path, file: Path
) -> None:
    await fill(path, "jira:1")
    back_up(path, file)
    reader = Database(path)
    try:
        # Whoever reads keeps the log from being folded in and deleted.
        reader._file.execute("BEGIN")
        reader._file.execute("SELECT count(*) FROM records").fetchone()
        await fill(path, "jira:2", "jira:3")
        assert size(Path(f"{path}-wal")) > 0

        done = restore(path, file, NOW)

        assert await items(path) == ["1"]
    finally:
        reader.close()
    assert done.replaced is not None
    assert await items(done.replaced) == ["1", "2", "3"]


async def test_a_damaged_store_is_replaced_and_kept_as_it_is(path: Path, file: Path) -> None:
    await fill(path, "jira:1")
    back_up(path, file)
    damage(path)
    broken = content(path)

    done = restore(path, file, NOW)

    assert await items(path) == ["1"]
    assert done.replaced is not None
    assert content(done.replaced) == broken


async def test_a_lost_store_is_put_back(path: Path, file: Path) -> None:
    await fill(path, "jira:1")
    back_up(path, file)
    remove(path)
    assert restore(path, file, NOW).replaced is None
    assert await items(path) == ["1"]


def _none(file: Path) -> str:
    file.unlink()
    return "there is no file"


def _text(file: Path) -> str:
    file.write_bytes(b"this is no database" * 1000)
    return "is damaged, or is no opsync store"


def _other(file: Path) -> str:
    file.unlink()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE one (two)")
        connection.commit()
    return "is no opsync store"


def _newer(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    return "was made by a newer opsync"


def _broken(file: Path) -> str:
    damage(file)
    return "is damaged"


@pytest.mark.parametrize("spoil", [_none, _text, _other, _newer, _broken])
async def test_what_is_no_sound_copy_changes_nothing(path: Path, file: Path, spoil: Any) -> None:
    await fill(path, "jira:1")
    back_up(path, file)
    said = spoil(file)
    await fill(path, "jira:2")
    before = files(path.parent)

    with pytest.raises(OpsyncError, match=said):
        restore(path, file, NOW)

    assert files(path.parent) == before
    assert await items(path) == ["1", "2"]


@pytest.mark.parametrize(
    "moment", ["os.link", "pathlib.Path.replace", "opsync.store.copying._settle"]
)
async def test_whenever_a_restore_is_interrupted_one_of_both_stores_is_in_place(
    path: Path, file: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    await fill(path, "jira:1")
    back_up(path, file)
    await fill(path, "jira:2")

    def killed(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as inner:
        inner.setattr(moment, killed)
        with pytest.raises(KeyboardInterrupt):
            restore(path, file, NOW)

    assert await items(path) in (["1"], ["1", "2"])
    restore(path, file, NOW)
    assert await items(path) == ["1"]


async def test_an_older_copy_is_told_and_brought_up_by_the_next_sync(
    path: Path, file: Path
) -> None:
    await fill(path, "jira:1")
    back_up(path, file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()
    done = restore(path, file, NOW)
    assert (done.copy.form, done.copy.older) == (1, True)
