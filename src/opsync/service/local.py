"""The socket beside the store: what a command asks for is done by the service that holds it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import assert_never

import msgspec
import structlog

from opsync.config import in_mode
from opsync.engine.approving import with_approvals
from opsync.engine.fingerprint import config_digest
from opsync.engine.session import Session
from opsync.engine.undoing import undo, writes_of_changes
from opsync.engine.undone import shown_back
from opsync.errors import ConfigError, OpsyncError
from opsync.model.rules import Mode
from opsync.service.asks import (
    LINE_MAX,
    Answer,
    Ask,
    AskChanged,
    AskReload,
    AskStore,
    AskSync,
    AskUndo,
    Failed,
    Noted,
    Reading,
    Reloaded,
    Synced,
    Undone,
    reached,
    socket_path,
)
from opsync.service.commanding import carry_out
from opsync.service.reading import Command
from opsync.service.running import Service

_log = structlog.get_logger(__name__)
_ask = msgspec.json.Decoder[Ask](Ask).decode

Say = Callable[[Answer], None]
Reload = Callable[[], Awaitable[Reloaded]]


@asynccontextmanager
async def listening(service: Service, reload: Reload) -> AsyncIterator[Path]:
    """Take requests for the length of the block. The caller holds the store, so that a socket that
    stands there is one that a process left behind."""
    path = socket_path(service.session.config.store)
    desk = _Desk(service, reload)
    listener = _bound(path)
    server = await asyncio.start_unix_server(desk.serve, sock=listener, limit=LINE_MAX)
    try:
        yield path
    finally:
        server.close()
        await desk.close()
        with suppress(FileNotFoundError):
            path.unlink()


def _bound(path: Path) -> socket.socket:
    """A socket that only its owner may write to, from the moment it stands there."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        with reached(path) as name:
            listener.bind(name)
    except ConfigError:
        listener.close()
        raise
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"{path} cannot be made: {error.strerror or error}",
            hint="Keep the store in a folder that is writable.",
        ) from error
    finally:
        os.umask(before)
    return listener


class _Desk:
    def __init__(self, service: Service, reload: Reload) -> None:
        self._service = service
        self._reload = reload
        self._serving: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """End what is being served; whoever waits is told that it ended."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            line = await reader.readline()
            if not line:
                return
            answer = await self._answer(line, lambda one: _send(writer, one), reader)
            _send(writer, answer)
            await writer.drain()
        except (OSError, ValueError):
            return  # whoever asked is gone: there is nobody to tell
        finally:
            self._serving.discard(task)
            writer.close()

    async def _answer(self, line: bytes, say: Say, reader: asyncio.StreamReader) -> Answer:
        try:
            match _ask(line):
                case AskSync() as wanted:
                    return await self._sync(wanted, say)
                case AskUndo() as wanted:
                    return await self._undo(wanted)
                case AskReload():
                    return await self._reload()
                case AskStore() as wanted:
                    return await self._lend(wanted, say, reader)
                case AskChanged():
                    self._service.decide_again()
                    return Noted()
                case unknown:
                    assert_never(unknown)
        except msgspec.MsgspecError:
            hint = "The service may be of another version: restart it."
            return Failed("the running service does not understand this command", hint, 1)
        except OpsyncError as error:
            return Failed(error.message, error.hint, error.exit_code)
        except Exception as error:  # noqa: BLE001 - a command's fault is not the service's
            _log.error("command.failed", exc_info=error)
            told = self._service.session.pool.redactor.clean(f"{type(error).__name__}: {error}")
            return Failed(f"the running service failed: {told}", "See its log.", 1)

    def _session(self, config: str, mode: Mode | None = None) -> Session:
        session = self._service.session
        if mode is not None:
            session = replace(session, config=in_mode(session.config, mode))
        if config != config_digest(session.config):
            raise ConfigError(
                "the running service has another configuration than this command",
                hint="Have it read the changed one: opsync reload",
            )
        return session

    async def _sync(self, wanted: AskSync, say: Say) -> Synced:
        self._session(wanted.config, wanted.mode)

        def told(instance: str, read: int, expected: int | None) -> None:
            say(Reading(instance, read, expected))

        command = Command(
            name=wanted.command,
            only=frozenset(wanted.only),
            full=wanted.full,
            write=wanted.write,
            chosen=None if wanted.chosen is None else dict(wanted.chosen),
            limits=wanted.limits,
            keeps_plan=wanted.keeps_plan,
            progress=told,
        )
        async with self._service.commanded():
            # Another configuration may be in force by now.
            session = self._session(wanted.config, wanted.mode)
            here = partial(carry_out, self._service, session, command)
            report = await with_approvals(session.store, wanted.approvals, here)
        self._service.say(report)
        return Synced.of(report)

    async def _undo(self, wanted: AskUndo) -> Undone:
        self._session(wanted.config)
        async with self._service.alone(wanted.command) as mine:
            session = self._session(wanted.config)
            _check_all(session, mine)
            rows = await writes_of_changes(session.store, wanted.changes)
            found = await undo(
                session,
                rows,
                why=f"undo of {wanted.of}",
                by=wanted.by,
                command=wanted.command,
                dry=wanted.dry,
            )
            back = await shown_back(session.config, session.store, found)
        return Undone(back, found.exit_code)

    async def _lend(self, wanted: AskStore, say: Say, reader: asyncio.StreamReader) -> Answer:
        session = self._session(wanted.config)
        async with self._service.alone(wanted.command) as mine:
            _check_all(session, mine)
            await self._service.written()
            say(Noted())
            await reader.read()  # until it closes its end, in whatever way
        return Noted()


def _check_all(session: Session, mine: frozenset[str]) -> None:
    """ConfigError where somebody else works with a connection still."""
    if missing := session.config.instances.keys() - mine:
        raise ConfigError(
            f"{', '.join(sorted(missing))}: in use by the running service",
            hint="Try again in a minute.",
        )


def _send(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(msgspec.json.encode(answer) + b"\n")
