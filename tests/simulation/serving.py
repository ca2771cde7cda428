"""`opsync serve` on the seeded loop: the whole process but for its sockets."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from opsync.engine import undoing
from opsync.redact import Redactor
from opsync.runtime import Runtime
from opsync.service import metrics, running, serving, surface
from opsync.service.asks import Answer, Ask
from opsync.service.hands import Hands
from opsync.service.local import Reload, _Desk
from opsync.service.running import Service
from opsync.service.server import Address
from tests.simulation.commands import OwnClock
from tests.simulation.company import Company
from tests.simulation.line import Call, Line

Story = Callable[["Served"], Awaitable[None]]
MANAGING = ("webhook",)
"""What the paths and bodies of requests for webhooks themselves have."""


class WatchedHands(Hands):
    """Notes where two have one instance at once."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(names)
        self.held: dict[str, str] = {}
        self.breaches: list[str] = []

    async def take(self, name: str, doing: str) -> None:
        await super().take(name, doing)
        self._note(name, doing)

    def take_free(self, doing: str) -> frozenset[str]:
        found = super().take_free(doing)
        for name in sorted(found):
            self._note(name, doing)
        return found

    def release(self, name: str) -> None:
        self.held.pop(name, None)
        super().release(name)

    def _note(self, name: str, doing: str) -> None:
        if name in self.held:
            self.breaches.append(f"{name}: {doing} while it is {self.held[name]}")
        self.held[name] = doing


@dataclass
class Served:
    """One process that serves, while it lasts."""

    process: serving.Process
    desk: _Desk

    @property
    def service(self) -> Service:
        return self.process.service

    async def ask(self, what: Ask) -> Answer:
        """Have it carry out a command, as another process would over the socket."""
        reader, writer = asyncio.StreamReader(), _Heard()
        reader.feed_data(msgspec.json.encode(what) + b"\n")
        await asyncio.ensure_future(self.desk.serve(reader, writer))  # type: ignore[arg-type]
        return _decode(writer.lines[-1])


_decode = msgspec.json.Decoder[Answer](Answer).decode


class _Heard:
    """The other end of a connection: all lines that came over it."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.lines.append(data)

    async def drain(self) -> None:
        """It takes everything at once."""

    def close(self) -> None:
        """There is nothing to close."""


@dataclass
class Sockets:
    """What stands in for them: the app that is served, and who carries out commands."""

    transport: httpx.AsyncBaseTransport | None = None
    desk: _Desk | None = None
    hands: list[WatchedHands] = field(default_factory=list)
    undo: Callable[..., Awaitable[Any]] = undoing.undo
    """Takes back what pages ask for."""

    def app(self) -> httpx.AsyncBaseTransport | None:
        """Where deliveries go; None while nothing listens."""
        return self.transport

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """For the length of the block, processes use these."""

        @asynccontextmanager
        async def serving_(app: ASGIApp, host: str, port: int, **more: Any) -> AsyncIterator[Any]:
            transport = _Cut(_from_header(app))
            self.transport = transport
            try:
                yield Address(host, port)
            finally:
                self.transport = None
                await transport.end(more["drain_s"])

        @asynccontextmanager
        async def listening(service: Service, reload: Reload) -> AsyncIterator[Path]:
            self.desk = desk = _Desk(service, reload)
            try:
                yield Path("unused.sock")
            finally:
                await desk.close()

        def hands(names: Iterable[str]) -> WatchedHands:
            self.hands.append(WatchedHands(names))
            return self.hands[-1]

        with (
            patch.object(surface, "serving", serving_),
            patch.object(serving, "listening", listening),
            patch.object(running, "Hands", hands),
            patch.object(surface, "undo", self.undo),
            patch.object(metrics, "LAG_EVERY_S", 300.0),
        ):
            yield


class _Cut(httpx.AsyncBaseTransport):
    """Leads to an app, until it ends: what is under way then has some seconds more."""

    def __init__(self, app: ASGIApp) -> None:
        self._inner = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._tasks: set[asyncio.Task[httpx.Response]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        task = asyncio.ensure_future(self._inner.handle_async_request(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise httpx.RemoteProtocolError("Server disconnected", request=request) from None
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            raise

    async def end(self, drain_s: float) -> None:
        """Nothing is answered any more."""
        tasks = set(self._tasks)
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=drain_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _from_header(app: ASGIApp) -> ASGIApp:
    """The app, with each request coming from the address that its header `x-from` has."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        named = headers.get(b"x-from", b"127.0.0.1").decode()
        await app({**scope, "client": (named, 40_000)}, receive, send)

    return wrapped


@dataclass
class Serve:
    """Makes processes that serve a company."""

    company: Company
    line: Line
    clock: OwnClock
    seed: float
    sockets: Sockets = field(default_factory=Sockets)
    unheld: list[str] = field(default_factory=list)
    """Requests to an instance that nobody held, or that wrote while it was read."""
    read_config: Callable[[], Any] | None = None

    async def __call__(
        self,
        story: Story,
        courier: Callable[[Callable[[], httpx.AsyncBaseTransport | None]], Awaitable[None]],
    ) -> None:
        """Serve for the length of a story. Nothing is sent after it: whoever calls it checks."""
        self.line.looked = self._looked
        runtime = Runtime(clock=self.clock, rng=random.Random(self.seed))
        delivering = asyncio.ensure_future(courier(self.sockets.app))
        try:
            async with serving.running(
                self.company.config(),
                self.read_config or self.company.config,
                redactor=Redactor(),
                local="local",
                runtime=runtime,
                transport=self.line,
            ) as process:
                desk = self.sockets.desk
                assert desk is not None
                await story(Served(process, desk))
            before = self.line.requests
            await asyncio.sleep(120)
            assert self.line.requests == before, "after its stop it sent something"
        finally:
            self.line.looked = lambda _: None
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)

    def breaches(self) -> list[str]:
        """Where two worked with one instance at once."""
        return [*self.unheld, *(one for each in self.sockets.hands for one in each.breaches)]

    def _looked(self, call: Call) -> None:
        if any(mark in f"{call.request.url.path}{call.content!r}" for mark in MANAGING):
            return
        doing = [each.held[call.vendor] for each in self.sockets.hands if call.vendor in each.held]
        if len(doing) != 1:
            self.unheld.append(f"{call.vendor}: asked while {doing or 'nobody'} had it")
        elif not call.reads and doing == ["read"]:
            self.unheld.append(f"{call.vendor}: written while it was read")
