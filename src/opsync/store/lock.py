"""The holder of a store: one process at a time may run passes and write to vendors."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from opsync.errors import StoreError, StoreHeld

SERVICE = "opsync serve"
"""The command that holds a store for good."""
MOST = 4096
"""Bytes of a lock file that are looked at."""


class Holder(Struct, frozen=True):
    """Who holds a store: process id, host, the command it runs, and since when."""

    pid: int
    host: str
    command: str
    since: datetime


def lock_path(path: Path) -> Path:
    """The lock file beside the store at `path`."""
    return path.with_name(path.name + ".lock")


@contextmanager
def hold(path: Path, command: str, now: datetime) -> Iterator[Holder]:
    """Hold the store at `path` for the length of the block, or raise StoreHeld.

    The kernel frees the lock when the process ends in whatever way. The file itself stays: to
    delete it would let two processes lock two files of the same name.
    """
    lock = lock_path(path)
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"{lock} cannot be opened: {error.strerror or error}.",
            hint="Make it and its folder writable, choose another folder, or free space.",
        ) from error
    try:
        holder = _take(handle, path, lock, Holder(os.getpid(), socket.gethostname(), command, now))
        yield holder
    finally:
        os.close(handle)


def is_held_elsewhere(path: Path) -> bool:
    """Whether another process may hold the store at `path`, by what stands in its lock file: one of
    this machine that lives, or one of another. It takes no lock, which would be in others' way."""
    try:
        holder = msgspec.json.decode(lock_path(path).read_bytes()[:MOST], type=Holder)
    except (msgspec.DecodeError, OSError):
        return False
    if holder.host != socket.gethostname():
        return True
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return holder.pid != os.getpid()


def _take(handle: int, path: Path, lock: Path, holder: Holder) -> Holder:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise _held(handle, path) from error
        raise _unusable(lock, error) from error
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, msgspec.json.encode(holder), 0)
    except OSError as error:
        raise _unusable(lock, error) from error
    return holder


def _held(handle: int, path: Path) -> StoreHeld:
    hint = "Wait until it is done, or stop it."
    try:
        holder = msgspec.json.decode(os.pread(handle, MOST, 0), type=Holder)
    except (msgspec.DecodeError, OSError):
        # The other process has the lock and has not written its name yet.
        return StoreHeld(f"{path} is held by another opsync.", hint=hint)
    if holder.command == SERVICE:
        hint = "It does not end by itself: stop it first."
    return StoreHeld(
        f"{path} is held by `{holder.command}`"
        f" (process {holder.pid} on {holder.host}, since {holder.since:%Y-%m-%d %H:%M} UTC).",
        hint=hint,
    )


def _unusable(lock: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{lock} cannot be locked: {error.strerror or error}.",
        hint="Keep the store on a local, writable disk.",
    )
