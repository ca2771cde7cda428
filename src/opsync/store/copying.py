"""Backup and restore: a copy of the store that is whole, and its return."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from opsync.errors import ConfigError, NoStore, StoreError
from opsync.store.database import BUSY_S, explain
from opsync.store.lock import lock_path
from opsync.store.migrations import HEAD, REVISIONS

_BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside an open file."""
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_READERS_MS = 200
"""How long readers are waited for before a log is kept beside the store that it belongs to."""
_OWN = 0o600
"""A copy holds what the company plans: it is for its owner only, as the store is."""


class Copied(NamedTuple):
    """A copy that was checked: its size in bytes, the number of its form, and whether this program
    brings it to its own form when it is used."""

    size: int
    form: int
    older: bool


class Restored(NamedTuple):
    """A store that was put back, and where the one is that it replaced; None if there was none."""

    copy: Copied
    replaced: Path | None


def back_up(store: Path, file: Path, *, force: bool = False) -> Copied:
    """Copy the store to `file`, also while others read and write it, and check the copy.

    The copy is one moment of the store, in one file. It is made beside `file` and takes its name
    once it is whole. Raises ConfigError for a `file` that is there, unless `force`d.
    """
    if not store.exists():
        raise NoStore(store)
    if _is_part_of(file, store):
        raise ConfigError(f"{file} is the store itself", hint="Name another file.")
    if file.is_dir():
        raise ConfigError(f"{file} is a folder", hint=f"Name a file: {file / 'opsync.backup.db'}")
    if file.exists() and not force:
        raise ConfigError(
            f"{file} is there already", hint="Name another file, or overwrite it with --force."
        )
    with _made_beside(file) as part:
        _copy(store, part, file)
        copied = check_copy(part, called=store)
        part.replace(file)
        _settle(file.parent)
    return copied


def restore(store: Path, file: Path, now: datetime) -> Restored:
    """Put the copy in `file` in the store's place. The caller holds the store.

    The copy is checked before anything else happens. The store that it replaces stays beside it,
    under a name with the time. Whenever this is interrupted, one of both is in place.
    """
    if not file.is_file():
        raise ConfigError(f"there is no file {file}", hint="Make one with: opsync db backup FILE")
    if _is_part_of(file, store):
        raise ConfigError(f"{file} is the store itself", hint="Name the copy.")
    with _made_beside(store) as part:
        _copy(file, part, store)
        copied = check_copy(part, called=file)
        replaced = _put_aside(store, now) if store.exists() else None
        for ending in _BESIDE:
            # Of a store that was there: they must never meet the one that comes.
            Path(f"{store}{ending}").unlink(missing_ok=True)
        part.replace(store)
        _settle(store.parent)
    return Restored(copied, replaced)


def check_copy(file: Path, *, called: Path) -> Copied:
    """That a copy is sound, whole, and an opsync store that this program can use. Raises
    StoreError, which names it as `called`."""
    with _mapped(called), closing(_open(file, "ro")) as connection:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
        if found != ["ok"]:
            raise StoreError(
                f"{called} is damaged ({found[0]}).", hint="Use a sound copy of the store."
            )
        revision = _revision(connection)
    if revision is None:
        raise StoreError(f"{called} is no opsync store.", hint="Name a copy of one.")
    if revision not in REVISIONS:
        raise StoreError(
            f"{called} was made by a newer opsync (revision {revision},"
            f" this program knows {HEAD}).",
            hint="Upgrade opsync.",
        )
    return Copied(file.stat().st_size, int(revision), revision != HEAD)


def _copy(source: Path, target: Path, called: Path) -> None:
    """Copy a store to the empty file `target`. Errors that are none of the source name `called`."""
    mode = "rw" if os.access(source, os.W_OK) else "ro"
    with (
        _mapped(source),
        closing(_open(source, mode)) as from_,
        _mapped(called, damaged=source),
        closing(_open(target, "rw")) as to,
    ):
        # In one step: beside a writer, a copy in several would begin anew with each write.
        from_.backup(to, pages=-1)
        # One file, without a log beside it.
        to.execute("PRAGMA journal_mode=DELETE")


def _put_aside(store: Path, now: datetime) -> Path:
    """Give the store another name besides its own, with its log if that cannot be folded in."""
    kept = _free(store, now)
    folded = _fold(store)
    _second_name(store, kept)
    log = Path(f"{store}-wal")
    if not folded and log.exists():
        _second_name(log, Path(f"{kept}-wal"))
    return kept


def _free(store: Path, now: datetime) -> Path:
    name = f"{store.name}.replaced-{now:%Y%m%d-%H%M%S}"
    places = (store.with_name(name if n == 0 else f"{name}-{n}") for n in range(1000))
    return next(place for place in places if not place.exists())


def _fold(store: Path) -> bool:
    """Write the log into the store. False where that fails: the store may be what is broken."""
    try:
        with closing(_open(store, "rw")) as connection:
            connection.execute(f"PRAGMA busy_timeout={_READERS_MS}")
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error:
        return False
    return not busy


def _second_name(file: Path, name: Path) -> None:
    try:
        os.link(file, name)
    except OSError:
        shutil.copy2(file, name)


def _is_part_of(file: Path, store: Path) -> bool:
    names = [store, lock_path(store), *(Path(f"{store}{ending}") for ending in _BESIDE)]
    return file.resolve() in {name.resolve() for name in names}


@contextmanager
def _made_beside(file: Path) -> Iterator[Path]:
    """An empty file in the same folder, for its owner only, which is gone afterwards."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, _OWN))
        yield part
    except OSError as error:
        raise StoreError(
            f"{file} cannot be written: {error.strerror or error}.",
            hint="Choose a folder that is there and writable, or free space.",
        ) from error
    finally:
        for left in (part, *(Path(f"{part}{ending}") for ending in ("-journal", *_BESIDE))):
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    """Have the new name outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _open(file: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(file.absolute()))}?mode={mode}",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
    )
    # There may be no folder for temporary files: a container's root is read-only.
    connection.execute("PRAGMA temp_store=MEMORY")
    return connection


def _revision(connection: sqlite3.Connection) -> str | None:
    table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    if connection.execute(table).fetchone() is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


@contextmanager
def _mapped(file: Path, damaged: Path | None = None) -> Iterator[None]:
    """Tell of SQLite's errors as those of this file, and of damage as that of `damaged`."""
    try:
        yield
    except sqlite3.Error as error:
        broken = (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGE
        if told := explain(damaged if broken and damaged else file, error):
            raise told from error
        raise
