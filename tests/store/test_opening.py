"""Opening a store: made, upgraded, refused."""

from __future__ import annotations

import re
import sqlite3
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from opsync.errors import StoreError
from opsync.runtime import SystemClock
from opsync.store import HEAD, Store, inline, upgrade
from opsync.store.database import Database
from opsync.store.migrations import REVISIONS
from opsync.store.migrations.upgrade import config
from opsync.store.schema import metadata

pytestmark = pytest.mark.usefixtures("stores_by_revisions")


def open_store(path: Path, *, create: bool = True) -> Store:
    return Store.open(path, clock=SystemClock(), executor=inline, create=create)


async def test_a_missing_store_is_made_with_its_folder_and_only_its_owner_may_read_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "data" / "opsync.db"
    store = open_store(path)
    assert await store.counts() == {
        "links": 0,
        "rollups": 0,
        "slots": 0,
        "pending": 0,
        "held": 0,
        "quarantine": 0,
    }
    await store.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_revisions_make_exactly_the_tables_that_the_program_uses(path: Path) -> None:
    assert upgrade(path) == HEAD
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_the_revisions_sql_is_the_schemas_sql(path: Path, tmp_path: Path) -> None:
    upgrade(path)
    engine = create_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    metadata.create_all(engine)
    engine.dispose()

    def tables(file: Path) -> dict[str, str]:
        connection = sqlite3.connect(file)
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        found = {name: "".join(sql.split()) for name, sql in rows if name != "alembic_version"}
        connection.close()
        return found

    assert tables(path) == tables(tmp_path / "plain.db")


def test_the_list_of_revisions_is_the_one_that_alembic_finds() -> None:
    script = ScriptDirectory.from_config(config())
    assert tuple(one.revision for one in script.walk_revisions())[::-1] == REVISIONS


async def test_each_store_has_an_id_of_its_own_that_stays(path: Path, tmp_path: Path) -> None:
    async def id_of(one: Path) -> str:
        store = open_store(one)
        found = await store.store_id()
        await store.close()
        return found

    first = await id_of(path)
    assert re.fullmatch("[0-9a-f]{12}", first)
    assert await id_of(path) == first
    assert await id_of(tmp_path / "other.db") != first


def test_upgrading_twice_changes_nothing(path: Path) -> None:
    assert upgrade(path) == upgrade(path) == HEAD


def test_a_reading_command_does_not_make_a_store(path: Path) -> None:
    with pytest.raises(StoreError, match="There is no store at"):
        open_store(path, create=False)
    assert not path.exists()


async def test_a_blank_store_has_all_tables_and_is_in_no_file(path: Path) -> None:
    store = Store.blank(path, clock=SystemClock())
    assert await store.begin_run("opsync doctor") == 1
    assert (store.path, set((await store.counts()).values())) == (path, {0})
    await store.close()
    assert not list(path.parent.iterdir())


def test_a_reading_command_does_not_upgrade_a_store(path: Path) -> None:
    sqlite3.connect(path).close()
    path.touch()
    with pytest.raises(StoreError, match="is of an older opsync"):
        open_store(path, create=False)


@pytest.mark.parametrize("create", [True, False])
def test_a_store_newer_than_the_program_is_refused(path: Path, create: bool) -> None:
    upgrade(path)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="made by a newer opsync"):
        open_store(path, create=create)


def test_a_file_that_is_no_store_is_named_damaged(path: Path) -> None:
    path.write_bytes(b"this is a text, and by no means a database " * 100)
    with pytest.raises(StoreError, match="is damaged, or is no opsync store"):
        open_store(path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        open_store(tmp_path / "file" / "opsync.db")


async def test_a_path_with_odd_characters_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "50% of ?mode=ro #1.db"
    await open_store(path).close()
    assert path.exists()


def test_the_pragmas_keep_what_was_committed(path: Path) -> None:
    upgrade(path)
    database = Database(path)

    def pragma(name: str) -> object:
        return database.read(lambda c: c.exec_driver_sql(f"PRAGMA {name}").scalar())

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2
    assert pragma("foreign_keys") == 1
    assert pragma("busy_timeout") == 5000
    database.close()


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("approvals", {"scope", "desired_hash", "by", "at"}),
        ("ledger", {"desired", "applied", "observed", "intent", "hold", "pending"}),
    ],
)
def test_approvals_and_holds_have_their_place(table: str, columns: set[str]) -> None:
    assert columns <= set(metadata.tables[table].columns.keys())
