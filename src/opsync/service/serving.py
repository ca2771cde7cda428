"""`opsync serve`, from its start to its stop."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

import structlog

from opsync.config import Config
from opsync.engine.session import Session, open_session
from opsync.errors import ConfigError, OpsyncError
from opsync.observing import Observer
from opsync.redact import Redactor
from opsync.runtime import Runtime
from opsync.service.asks import Reloaded
from opsync.service.chores import Chores
from opsync.service.local import listening
from opsync.service.metrics import Metrics
from opsync.service.reading import COMMAND
from opsync.service.running import Service
from opsync.service.surface import Surface
from opsync.service.tracing import tracing_of

if TYPE_CHECKING:
    import httpx

_log = structlog.get_logger(__name__)

ANSWERS_S = 2.0
"""So long requests may go on when the service stops: what is being written has the rest."""

Reader = Callable[[], Config]
"""Reads and checks the configuration as it is by now. Raises ConfigError."""


class Process:
    """The one process that holds a store: its service, what it shows, and what it does besides."""

    def __init__(
        self, service: Service, surface: Surface, read_config: Reader, redactor: Redactor
    ) -> None:
        self.service = service
        self.surface = surface
        self._read_config = read_config
        self._redactor = redactor
        self._reloading = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def reload(self) -> Reloaded:
        """Go on with the configuration as it is by now. ConfigError: it is wrong, or needs a
        restart; the one in force stays so."""
        async with self._reloading:
            before = self.service.session.config
            try:
                config = await asyncio.to_thread(self._read_config)
                _check(before, config)
            except OpsyncError as error:
                self.surface.refused = self._redactor.clean(str(error))
                _log.error("config.refused", error=str(error))
                raise
            for secret in config.secrets:
                self._redactor.add(secret)
            old = self.service.session
            fresh = Session(config, old.store, old.runtime, old.pool.another())
            await self.service.use(fresh, self.surface.settle)
            await old.pool.aclose()
            self.surface.refused = ""
            later = _after_restart(before, config)
            _log.info("config.reloaded", connections=list(config.instances), after_restart=later)
            return Reloaded(tuple(config.instances), later)

    def reload_soon(self) -> None:
        """The same for a signal, which nobody waits for."""
        task = asyncio.get_running_loop().create_task(self._reload_quietly(), name="reload")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reload_quietly(self) -> None:
        with suppress(OpsyncError):  # told in the log, and kept for the pages
            await self.reload()


async def serve(
    config: Config,
    read_config: Reader,
    *,
    redactor: Redactor,
    local: str,
    announce: Callable[[Surface], None],
) -> None:
    """Hold the store and keep everything in step, until SIGTERM or SIGINT."""
    ended, changed = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    # Before anything else: a signal that comes while it starts would kill it, or, to the first
    # process of a container, be lost.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    loop.add_signal_handler(signal.SIGHUP, changed.set)
    async with running(config, read_config, redactor=redactor, local=local) as process:
        loop.add_signal_handler(signal.SIGHUP, process.reload_soon)
        if changed.is_set():
            process.reload_soon()
        spare_what_stays()
        announce(process.surface)
        await ended.wait()
        _log.info("service.stopping")


def spare_what_stays() -> None:
    """Have the garbage collector pass over what is in memory by now: that is programs mostly, stays
    for good, and looked through again and again it doubles what every other large page takes."""
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def running(
    config: Config,
    read_config: Reader,
    *,
    redactor: Redactor,
    local: str,
    runtime: Runtime | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Process]:
    """The process, for as long as the block lasts. At its end nothing is begun any more, and what
    is being written has `drain_s` seconds. `transport` replaces the network, for tests."""
    settings = config.general.service
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        observer = Observer(counter=metrics)
        if (tracing := tracing_of(settings.tracing)) is not None:
            observer = Observer(counter=metrics, tracer=tracing)
            stack.push_async_callback(tracing.aclose)
        session = await stack.enter_async_context(
            open_session(
                config,
                COMMAND,
                runtime=runtime,
                transport=transport,
                redactor=redactor,
                observer=observer,
            )
        )
        service = Service(session, debounce_s=settings.debounce_s, jitter=settings.jitter)
        surface = Surface(service, metrics, redactor, local=local)
        process = Process(service, surface, read_config, redactor)
        await stack.enter_async_context(surface.open(settings, min(settings.drain_s, ANSWERS_S)))
        await stack.enter_async_context(listening(service, process.reload))
        chores = Chores(service, surface)
        stack.push_async_callback(service.stop, settings.drain_s)
        stack.push_async_callback(chores.stop)
        service.start()
        chores.start()
        _log.info("service.started", store=str(config.store), listen=str(surface.address))
        yield process


def _check(before: Config, after: Config) -> None:
    """Refuse what cannot be changed while the process runs. ConfigError."""
    if after.store != before.store:
        raise ConfigError(
            "store: another one is used after a restart only",
            hint="Restart opsync serve, or put the former value back.",
        )
    if not after.instances:
        raise ConfigError("no connection is configured", hint="Add an [instances.NAME] block.")


def _after_restart(before: Config, after: Config) -> tuple[str, ...]:
    """The settings that another value of which counts after a restart only."""
    names = (
        "listen",
        "webhooks_listen",
        "debounce_s",
        "jitter",
        "drain_s",
        "log_format",
        "tracing",
    )
    old, new = before.general.service, after.general.service
    return tuple(f"service.{n}" for n in names if getattr(old, n) != getattr(new, n))
