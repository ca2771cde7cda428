"""What a command asks of a running service, over the socket beside the store, and its answers.

One line of JSON each way; while the service works it sends lines of progress. Whoever may write
the store may write to the socket, and nobody else.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import Struct

from opsync.engine.undone import ShownBack
from opsync.errors import ConfigError, OpsyncError, StoreHeld
from opsync.model import Approval, Limits, Slot
from opsync.model.rules import Mode
from opsync.report import PassReport
from opsync.stages.pulling import Progress, silent

LINE_MAX = 64 * 1024 * 1024
"""Bytes of the longest line: the report of a pass that writes to a hundred thousand places."""
_PATH_MAX = 100
"""What every system takes as a socket's path; some end at 104 bytes."""
_NAME_MAX = 64
_HANDLES = "/proc/self/fd"
"""Where Linux has the folders that a process holds open, under short names."""


class AskSync(Struct, frozen=True, tag="sync", kw_only=True):
    """One pass, as `opsync sync`, `apply`, `plan` and `look` want it. `chosen` are a plan's slots,
    each with the digest of its value, and `approvals` are given with it."""

    command: str
    config: str
    only: tuple[str, ...] = ()
    full: bool = False
    write: bool = True
    chosen: tuple[tuple[Slot, str], ...] | None = None
    approvals: tuple[Approval, ...] = ()
    limits: Limits | None = None
    mode: Mode | None = None
    keeps_plan: bool = True


class AskUndo(Struct, frozen=True, tag="undo", kw_only=True):
    """Put back what stood before these changes of the journal, which are called `of`."""

    command: str
    config: str
    of: str
    changes: tuple[str, ...]
    by: str
    dry: bool = False


class AskReload(Struct, frozen=True, tag="reload"):
    """Read the configuration again."""


class AskStore(Struct, frozen=True, tag="store", kw_only=True):
    """Leave the store and the tools to this command, until its connection ends."""

    command: str
    config: str


class AskChanged(Struct, frozen=True, tag="changed"):
    """A command decided something beside the service: plan again soon."""


Ask: TypeAlias = AskSync | AskUndo | AskReload | AskStore | AskChanged


class Reading(Struct, frozen=True, tag="reading"):
    """How far an instance is read."""

    instance: str
    read: int
    expected: int | None


class Failed(Struct, frozen=True, tag="failed"):
    """It could not be done. `exit_code` is that of the command."""

    message: str
    hint: str
    exit_code: int


class Synced(Struct, frozen=True, tag="synced"):
    """The pass that was asked for.

    `seen` has of each held value what stands there and what a write began with, as the ledger keeps
    them: in the report's own JSON, "nothing stands there" and "never looked at" are both `null`.
    """

    report: PassReport
    seen: tuple[tuple[bytes | None, bytes | None], ...] = ()

    @classmethod
    def of(cls, report: PassReport) -> Synced:
        """A report, ready to be sent."""
        held = report.plan.held
        seen = [(_bytes(one.entry.observed), _bytes(one.entry.intent)) for one in held]
        bare = [(None, None)] * len(held)
        return cls(_with_seen(report, bare), tuple(seen))

    def whole(self) -> PassReport:
        """The report that was sent."""
        return _with_seen(self.report, self.seen)


class Undone(Struct, frozen=True, tag="undone"):
    """What was put back."""

    back: ShownBack
    exit_code: int


class Reloaded(Struct, frozen=True, tag="reloaded"):
    """The configuration that is in force now: its connections, and what a restart would change."""

    connections: tuple[str, ...]
    after_restart: tuple[str, ...] = ()


def _bytes(raw: msgspec.Raw | None) -> bytes | None:
    return None if raw is None else bytes(raw)


def _with_seen(report: PassReport, seen: Sequence[tuple[bytes | None, bytes | None]]) -> PassReport:
    held = [
        replace(
            one,
            entry=msgspec.structs.replace(
                one.entry,
                observed=None if observed is None else msgspec.Raw(observed),
                intent=None if intent is None else msgspec.Raw(intent),
            ),
        )
        for one, (observed, intent) in zip(report.plan.held, seen, strict=True)
    ]
    return replace(report, plan=replace(report.plan, held=held))


class Noted(Struct, frozen=True, tag="noted"):
    """It is so from now on."""


Done: TypeAlias = Synced | Undone | Reloaded | Noted
Answer: TypeAlias = Reading | Failed | Done

NUDGE_S = 2.0
"""So long a command waits that decided something, to have it noticed at once and not only soon."""

_answer = msgspec.json.Decoder[Answer](Answer).decode


class AskedInVain(OpsyncError):
    """The service could not do what it was asked for."""

    def __init__(self, message: str, *, hint: str = "", exit_code: int = 1) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


def socket_path(store: Path) -> Path:
    """The socket beside a store: whoever may not write there can put no other in its place."""
    return store.absolute().with_name(store.name + ".sock")


@contextmanager
def reached(path: Path) -> Iterator[str]:
    """A name by which a socket can be bound and reached while the block lasts, which a path that is
    too long for a socket is not. ConfigError: there is none."""
    if len(os.fsencode(path)) <= _PATH_MAX:
        yield str(path)
        return
    if not Path(_HANDLES).is_dir() or len(os.fsencode(path.name)) > _NAME_MAX:
        raise ConfigError(
            f"{path} is too long for a socket",
            hint=f"Keep the store where its path has less than {_PATH_MAX - 5} bytes.",
        )
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"{_HANDLES}/{folder}/{path.name}"
    finally:
        os.close(folder)


async def ask(store: Path, what: Ask, progress: Progress = silent) -> Done:
    """Have the service that holds a store do something, and wait for it.

    Raises StoreHeld where none listens, and AskedInVain with what it says.
    """
    async with _asked(store, what, progress) as (done, _):
        return done


@asynccontextmanager
async def lent(store: Path, what: AskStore) -> AsyncIterator[None]:
    """A block in which the service that holds a store leaves it, and the tools, to this process.
    It is broken off where the service ends meanwhile. Raises as `ask` does."""
    me = asyncio.current_task()
    assert me is not None
    broken_off = over = False

    def end(_: object) -> None:
        nonlocal broken_off
        if not over:
            broken_off = True
            me.cancel()

    async with _asked(store, what, silent) as (_, reader):
        lasting = asyncio.ensure_future(reader.read())
        lasting.add_done_callback(end)
        try:
            yield
        except asyncio.CancelledError:
            if broken_off and me.uncancel() == 0:
                raise _ended(None) from None
            raise
        finally:
            over = True
            lasting.cancel()


async def nudge(store: Path) -> None:
    """Tell the service that holds a store that something was decided. Where there is none, or it
    does not listen, whoever plans next finds it."""
    with suppress(OpsyncError, TimeoutError):
        await asyncio.wait_for(ask(store, AskChanged()), NUDGE_S)


@asynccontextmanager
async def _asked(
    store: Path, what: Ask, progress: Progress
) -> AsyncIterator[tuple[Done, asyncio.StreamReader]]:
    """What the service answers, and what it says after that: the connection lasts as long as the
    block."""
    try:
        with reached(socket_path(store)) as name:
            reader, writer = await asyncio.open_unix_connection(name, limit=LINE_MAX)
    except OSError as error:
        raise StoreHeld(
            f"{store} is held by another opsync, which takes no requests.",
            hint="Wait until it is done, or stop it.",
        ) from error
    try:
        yield await _answered(reader, writer, what, progress), reader
    finally:
        writer.close()


async def _answered(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, what: Ask, progress: Progress
) -> Done:
    try:
        writer.write(msgspec.json.encode(what) + b"\n")
        await writer.drain()
        while line := await reader.readline():
            match _understood(line):
                case Reading(instance, read, expected):
                    progress(instance, read, expected)
                case Failed(message, hint, exit_code):
                    raise AskedInVain(message, hint=hint, exit_code=exit_code)
                case Synced() | Undone() | Reloaded() | Noted() as done:
                    return done
    except (OSError, ValueError) as error:
        raise _ended(error) from error
    raise _ended(None)


def _understood(line: bytes) -> Answer:
    if not line.endswith(b"\n"):
        raise _ended(None)
    try:
        found: Answer = _answer(line)
    except msgspec.MsgspecError as error:
        raise AskedInVain(
            f"The running service answered what this opsync does not understand ({error}).",
            hint="It may be of another version: restart it. What it did: opsync journal",
        ) from error
    return found


def _ended(error: Exception | None) -> AskedInVain:
    why = f" ({error})" if error else ""
    return AskedInVain(
        f"The running service ended before it answered{why}.",
        hint="See what it did: opsync journal",
    )
