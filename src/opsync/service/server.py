"""Serving an app over HTTP to whoever can reach the address, for as long as a block runs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

from opsync.errors import ConfigError
from opsync.service.protocol import HEAD_BYTES, PatientProtocol, Settings

BACKLOG = 512
"""Connections that the kernel keeps until they are accepted. Linux bounds it by somaxconn."""
KEEP_ALIVE_S = 15
"""How long a connection may be idle between two requests."""
DRAIN_S = 8.0
"""How long requests that run may go on when serving ends."""
_ABORTED_S = 1.0


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """Without a trailing slash."""
        return f"http://{self}"


@asynccontextmanager
async def serving(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    on_slow: Callable[[], None] | None = None,
    drain_s: float = DRAIN_S,
    head_s: float | None = None,
) -> AsyncIterator[Address]:
    """Serve `app` while the block runs, and answer where: `port` 0 takes a free one.

    The app sees who is at the other end of the connection; what a proxy says of others, it judges
    itself. `on_slow` is called for each request whose head came too slowly. At the end nobody is
    accepted any more, and requests that run get `drain_s` seconds. It takes no signals.

    Raises ConfigError when the address cannot be taken.
    """
    listener = _listen(host, port)
    settings = Settings(
        app,
        loop="none",
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # what anybody can provoke from outside is told at warnings
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        h11_max_incomplete_event_size=HEAD_BYTES,
    )
    settings.on_slow = on_slow
    if head_s is not None:
        settings.head_s = head_s
    server = _Server(settings, drain_s)
    task = asyncio.create_task(server.serve([listener]), name=f"opsync-http-{port}")
    try:
        await server.until_started(task)
        bound = listener.getsockname()
        yield Address(bound[0], bound[1])
    finally:
        server.stop()
        await task


class _Server(uvicorn.Server):
    """uvicorn's server, led by events: idle it does not wake, and it ends at once."""

    def __init__(self, settings: Settings, drain_s: float) -> None:
        super().__init__(settings)
        self._drain_s = drain_s
        self._began = asyncio.Event()
        self._end = asyncio.Event()

    def stop(self) -> None:
        """Have it end."""
        self.should_exit = True
        self._end.set()

    async def until_started(self, task: asyncio.Task[None]) -> None:
        """Return once connections are accepted; raise what the task raised instead."""
        began = asyncio.create_task(self._began.wait())
        try:
            await asyncio.wait([began, task], return_when=asyncio.FIRST_COMPLETED)
        finally:
            began.cancel()
        if task.done():
            task.result()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the service."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections."""
        await super().startup(sockets)
        self._began.set()

    async def main_loop(self) -> None:
        """Wait until it is told to end."""
        await self._end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nobody any more, let what runs end, and cut off what does not."""
        state = self.server_state
        for server in self.servers:
            server.close()
        for connection in list(state.connections):
            connection.shutdown()
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=self._drain_s)
        for connection in list(state.connections):
            connection.transport.abort()
        if state.tasks:
            # Without their connection they come to an end by themselves, or are ended.
            _, left = await asyncio.wait(state.tasks, timeout=_ABORTED_S)
            for task in left:
                task.cancel()
        for server in self.servers:
            await server.wait_closed()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"Cannot listen on {Address(host, port)}: {error.strerror or error}.",
            hint="End what listens there, or choose another address in `[service]`.",
        ) from error
