"""The service of the small company in a thread, on real sockets, and commands beside it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import structlog
from click.testing import CliRunner

from opsync.cli.root import run
from opsync.config import find, read
from opsync.engine.session import open_session
from opsync.redact import Redactor
from opsync.runtime import Runtime
from opsync.sandbox.notion import Page
from opsync.service.serving import Process, running
from tests.support.clock import FakeClock
from tests.support.processes import write_config
from tests.support.world import World

PATIENCE_S = 20.0
"""Longer than the service takes for anything here, on a busy machine."""

T = TypeVar("T")


class Going(FakeClock):
    """The company's time, which goes on as ours does, and real waiting."""

    def __init__(self) -> None:
        super().__init__()
        self._since = time.monotonic()

    def _real(self) -> float:
        return time.monotonic() - self._since

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._real())

    def monotonic(self) -> float:
        return super().monotonic() + self._real()

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


@dataclass(frozen=True)
class Said:
    """What a command printed on either stream, and how it ended."""

    code: int
    out: str
    err: str


@dataclass
class Beside:
    """A company, its service once it is started, and a terminal beside it."""

    world: World
    process: Process = field(init=False)
    loop: asyncio.AbstractEventLoop = field(init=False)

    def __post_init__(self) -> None:
        self.world.raw["service"] = {"listen": "127.0.0.1:0", "debounce_s": 0, "drain_s": 2}
        self.configure()

    @property
    def runtime(self) -> Runtime:
        return Runtime(clock=self.world.clock)

    @property
    def file(self) -> Path:
        """The configuration file."""
        return self.world.folder / "opsync.toml"

    @property
    def url(self) -> str:
        """Where the pages are."""
        assert self.process.surface.address is not None
        return self.process.surface.address.url

    def configure(self) -> None:
        """Write the file as `world.raw` has it by now."""
        write_config(self.file, self.world.raw)

    @contextmanager
    def serving(self) -> Iterator[Process]:
        """The service, from its start to its stop."""
        begun, stop = threading.Event(), asyncio.Event()
        failed: list[Exception] = []

        async def main() -> None:
            try:
                async with running(
                    read(find(self.file)),
                    lambda: read(find(self.file)),
                    redactor=Redactor(),
                    local="cleo",
                    runtime=self.runtime,
                    transport=self.world.net,
                ) as self.process:
                    self.loop = asyncio.get_running_loop()
                    begun.set()
                    await stop.wait()
            except Exception as error:  # noqa: BLE001 - raised again by the test
                failed.append(error)
            finally:
                begun.set()

        thread = threading.Thread(target=lambda: asyncio.run(main()))
        thread.start()
        try:
            assert begun.wait(PATIENCE_S)
            if not failed:
                yield self.process
        finally:
            if not failed:
                self.loop.call_soon_threadsafe(stop.set)
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
        if failed:
            raise failed[0]

    def settled(self) -> None:
        """Wait until everything was read and written, and nothing is under way any more."""
        service = self.process.service
        until(
            lambda: self.world.project_links() and not service.writing and not service.hands.doing
        )

    def decided(self) -> None:
        """Wait until the service's first round is closed, and nothing is under way any more."""
        service = self.process.service

        def closed() -> bool:
            (run,) = self.do(service.session.store.last_runs(1)) or (None,)
            return run is not None and run.command == "opsync serve" and bool(run.outcome)

        until(closed)
        until(lambda: not (service.writing or service.hands.doing))

    def delivery(self, page: Page) -> str:
        """What stands in its column, "" before there is one."""
        try:
            return str(page.cell("Delivery") or "")
        except KeyError:
            return ""

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Have the service's loop do something."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE_S)

    def opsync(self, *args: str) -> Said:
        """A command at the terminal."""
        codes: list[int] = []
        with CliRunner().isolation() as streams:
            if not _in_a_loop():
                codes.append(run(args))
            else:  # a browser's
                thread = threading.Thread(target=lambda: codes.append(run(args)))
                thread.start()
                thread.join()
            out, err = (stream.getvalue().decode() for stream in streams[:2])
        return Said(codes[0], out, err)

    def see(self, path: str) -> httpx.Response:
        """A page."""
        return httpx.get(f"{self.url}{path}", trust_env=False, timeout=PATIENCE_S)

    def reasons(self) -> list[str]:
        """Why /readyz is red."""
        found: list[str] = self.see("/readyz").json()["reasons"]
        return found


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def until(true: Callable[[], object], what: str = "it never came to pass") -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@contextmanager
def beside(folder: Path) -> Iterator[Beside]:
    """A company whose service can be started, with a terminal in its folder."""
    world = World(folder, clock=Going())
    made = Beside(world)
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        simulated = partial(open_session, transport=world.net, runtime=made.runtime)
        for module in ("onepass", "undo", "asking"):
            patch.setattr(f"opsync.cli.{module}.open_session", simulated)
        try:
            yield made
        finally:
            structlog.reset_defaults()
            logger.handlers = handlers
            logger.setLevel(level)
