"""`opsync serve`, from its start to its stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import structlog

from opsync.config import Config
from opsync.engine.session import Session, open_session
from opsync.errors import ConfigError, OpsyncError
from opsync.http import Pool
from opsync.redact import Redactor
from opsync.runtime import Runtime
from opsync.service.asks import Reloaded
from opsync.service.chores import Chores
from opsync.service.local import listening
from opsync.service.reading import COMMAND
from opsync.service.running import Service
from opsync.service.surface import Surface, surfaces

_log = structlog.get_logger(__name__)

Reader = Callable[[], Config]
"""Reads and checks the configuration as it is by now. Raises ConfigError."""


@dataclass
class Process:
    """The one process that holds a store: its service, its pages, and what it does besides."""

    service: Service
    read_config: Reader
    redactor: Redactor
    surface: Surface
    refused: str = ""
    """Why the configuration was not read again, when it was last asked for; "" if it was."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def reload(self) -> Reloaded:
        """Go on with the configuration as it is by now. ConfigError: it is wrong, or needs a
        restart; the one in force stays so."""
        try:
            config = self.read_config()
            before = self.service.session.config
            if config.store != before.store:
                raise ConfigError(
                    "store: another one is used after a restart only",
                    hint="Restart opsync serve, or put the former value back.",
                )
        except OpsyncError as error:
            self.refused = str(error)
            _log.error("config.refused", error=str(error))
            raise
        for secret in config.secrets:
            self.redactor.add(secret)
        old = self.service.session
        runtime = old.runtime
        pool = Pool(runtime, transport=old.pool.transport, redactor=old.pool.redactor)
        await self.service.use(Session(config, old.store, runtime, pool))
        await old.pool.aclose()
        self.surface.settle(config)
        self.refused = ""
        later = _after_restart(before, config)
        _log.info("config.reloaded", connections=list(config.instances), after_restart=later)
        return Reloaded(tuple(config.instances), later)

    def reload_soon(self) -> None:
        """The same for a signal, which nobody waits for."""
        task = asyncio.get_running_loop().create_task(self._reload_quietly(), name="reload")
        self._reloading = task

    async def _reload_quietly(self) -> None:
        try:
            await self.reload()
        except OpsyncError:
            return  # told in the log, and kept for the pages


async def serve(
    config: Config,
    read_config: Reader,
    *,
    redactor: Redactor,
    announce: Callable[[Surface], None],
    runtime: Runtime | None = None,
) -> None:
    """Hold the store and keep everything in step, until SIGTERM or SIGINT."""
    async with running(config, read_config, redactor=redactor, runtime=runtime) as process:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, process.ended.set)
        loop.add_signal_handler(signal.SIGHUP, process.reload_soon)
        announce(process.surface)
        await process.ended.wait()


@asynccontextmanager
async def running(
    config: Config, read_config: Reader, *, redactor: Redactor, runtime: Runtime | None = None
) -> AsyncIterator[Process]:
    """The process, for as long as the block lasts. At its end nothing is begun any more, and what
    is being written has `drain_s` seconds."""
    settings = config.general.service
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            open_session(config, COMMAND, runtime=runtime, redactor=redactor)
        )
        service = Service(session, debounce_s=settings.debounce_s, jitter=settings.jitter)
        surface = Surface(service, redactor)
        process = Process(service, read_config, redactor, surface)
        surface.process = process
        await stack.enter_async_context(surfaces(surface, settings))
        await stack.enter_async_context(listening(service, process.reload))
        chores = Chores(service)
        service.start()
        stack.push_async_callback(service.stop, settings.drain_s)
        stack.push_async_callback(chores.stop)
        chores.start()
        _log.info("service.started", store=str(config.store), listen=str(surface.address))
        yield process
        _log.info("service.stopping")


def _after_restart(before: Config, after: Config) -> tuple[str, ...]:
    """The settings that another value of which counts after a restart only."""
    names = ("listen", "webhooks_listen", "debounce_s", "jitter", "drain_s")
    old, new = before.general.service, after.general.service
    return tuple(f"service.{n}" for n in names if getattr(old, n) != getattr(new, n))
