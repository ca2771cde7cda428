"""One SQLite file: how it is opened, how a transaction runs, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from opsync.errors import NoStore, StoreError
from opsync.folding import caseless
from opsync.store.migrations import HEAD, REVISIONS

T = TypeVar("T")

BUSY_S = 5.0
"""How long a write waits for another process's short transaction."""
CACHE_KIB = 16 * 1024
"""SQLite's page cache; enough for the inner pages of all indexes of 100,000 records."""
READ_ONCE_KIB = 1024

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # A committed intent must outlive a power cut, or its write would be forgotten and repeated.
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA cache_size=-{CACHE_KIB}",
    # There may be no folder for temporary files: a container's root is read-only.
    "PRAGMA temp_store=MEMORY",
)

_opening: ContextVar[sqlite3.Connection] = ContextVar("opening")
"""The file of the store that is being opened."""


class Database:
    """An open store file with its one connection; used by one thread at a time."""

    def __init__(self, path: Path, *, mode: Literal["rw", "memory"] = "rw") -> None:
        self.path = path
        self._mode = mode
        self._file, self._connection = self._guarded(self._open)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction that sees one state of the store and changes nothing."""
        return self._guarded(lambda: self._transact("BEGIN", work))

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction: all of it is durable afterwards, or nothing of it."""
        return self._guarded(lambda: self._transact("BEGIN IMMEDIATE", work))

    def revision(self) -> str:
        """What differs once anything was committed, by this connection or by any other."""
        others = self._guarded(lambda: self._file.execute("PRAGMA data_version").fetchone())
        return f"{others[0]}.{self._file.total_changes}"

    def read_once(self) -> None:
        """Keep few pages in memory: for whoever reads each of them once."""
        self._guarded(lambda: self._file.execute(f"PRAGMA cache_size=-{READ_ONCE_KIB}"))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def still(self, work: Callable[[Still], T]) -> T:
        """Run `work` on the store as it stands, in one transaction that changes nothing."""

        def within(connection: Connection) -> T:
            still = Still(self.path, self._file, connection)
            try:
                return work(still)
            finally:
                still.over = True

        return self.read(within)

    def _open(self) -> tuple[sqlite3.Connection, Connection]:
        file = self._connect()
        token = _opening.set(file)
        try:
            connection = _engine().connect()
            # SQLAlchemy, and Alembic on it, see one transaction that others began and end.
            connection.begin()
            return file, connection
        except BaseException:
            file.close()
            raise
        finally:
            _opening.reset(token)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self.path.absolute()))}?mode={self._mode}",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            for pragma in PRAGMAS:
                connection.execute(pragma)
            connection.create_function("caseless", 1, caseless, deterministic=True)
        except BaseException:
            connection.close()
            raise
        return connection

    def _transact(self, begin: str, work: Callable[[Connection], T]) -> T:
        # On the driver's own connection: SQLAlchemy's transaction costs more than a short read.
        self._file.execute(begin)
        try:
            result = work(self._connection)
            self._file.execute("COMMIT")
        except BaseException:
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
            raise
        return result

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except DBAPIError as error:
            if isinstance(error.orig, sqlite3.Error) and (told := explain(self.path, error.orig)):
                raise told from error
            raise
        except sqlite3.Error as error:
            if told := explain(self.path, error):
                raise told from error
            raise


class Still(Database):
    """An open store within one transaction: all reads see one state, and nothing is written."""

    def __init__(self, path: Path, file: sqlite3.Connection, connection: Connection) -> None:
        self.path = path
        self._file, self._connection = file, connection
        self.over = False

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in the transaction that goes on."""
        if self.over:
            raise RuntimeError("the look at the store is over")
        return self._guarded(lambda: work(self._connection))

    def write(self, work: Callable[[Connection], T]) -> T:
        """Nothing is written by somebody who looks."""
        raise RuntimeError("nothing is written while the store is looked at")


@cache
def _engine() -> Engine:
    """One for all stores of a process: a statement that it compiled for one serves the next."""
    return create_engine(
        "sqlite://",
        creator=lambda: _opening.get(),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
    )


def explain(path: Path, error: sqlite3.Error) -> StoreError | None:
    """What the reader can do about a SQLite error; None for those that are a defect of ours."""
    # The low byte is the primary code: https://www.sqlite.org/rescode.html
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return StoreError(
                f"The store {path} is full.", hint="Free space on its disk and run again."
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return StoreError(
                f"The store {path} is read-only.", hint="Make the file and its folder writable."
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StoreError(
                f"The store {path} is damaged, or is no opsync store ({error}).",
                hint="Restore a copy, or move it away: the next sync builds a new one.",
            )
        case sqlite3.SQLITE_IOERR:
            return StoreError(
                f"The store {path} cannot be read or written ({error}).", hint="Check its disk."
            )
        case sqlite3.SQLITE_CANTOPEN:
            return StoreError(
                f"The store {path} cannot be opened.",
                hint="Check that the file and its folder exist and are writable.",
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreError(
                f"The store {path} is being written by another process for over {BUSY_S:.0f} s.",
                hint="End that process or backup, and run again.",
            )
        case _:
            return None


def open_database(path: Path, *, create: bool) -> Database:
    """Open the store at `path`, at this program's revision, or raise StoreError.

    With `create` a missing store is made and an older one upgraded.
    """
    if not path.exists():
        if not create:
            raise NoStore(path)
        _touch(path)
    database = Database(path)
    try:
        revision = database.read(_revision)
        if revision is not None and revision not in REVISIONS:
            raise StoreError(
                f"The store {path} was made by a newer opsync (revision {revision},"
                f" this program knows {HEAD}).",
                hint="Upgrade opsync.",
            )
        if revision != HEAD:
            if not create:
                raise StoreError(
                    f"The store {path} is of an older opsync.", hint="Run `opsync db upgrade`."
                )
            _upgrade(database)
    except BaseException:
        database.close()
        raise
    return database


def open_blank(path: Path) -> Database:
    """A store with nothing in it that is in memory only, in place of the one at `path`."""
    database = Database(path, mode="memory")
    _upgrade(database)
    return database


def upgrade(path: Path) -> str:
    """Create or upgrade the store at `path`; returns its revision."""
    open_database(path, create=True).close()
    return HEAD


def _touch(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Readable by its owner only: it holds what the company plans.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(
            f"The store {path} cannot be made: {error.strerror or error}.",
            hint="Choose a folder that is writable, or free space.",
        ) from error


def _revision(connection: Connection) -> str | None:
    table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    if connection.exec_driver_sql(table).first() is None:
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return None if row is None else str(row[0])


def _upgrade(database: Database) -> None:
    # Alembic takes long to import and is needed once in a store's life.
    from opsync.store.migrations.upgrade import run

    database.write(run)
