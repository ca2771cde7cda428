"""Telling open pages that something changed: server-sent events, a line each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from opsync.errors import OpsyncError
from opsync.runtime import Clock
from opsync.store import Store

MOST = 50
"""So many pages are told at once; further ones are as good without."""
TICK_S = 1.0
"""So often the store is asked whether anything was committed, while anybody listens."""
QUIET_TICKS = 15
"""After so many without news a comment is sent, so that no proxy takes the line for dead."""
LONGEST = 5
"""News wait until the store is still, but no more ticks than these."""

_CHANGED = b"data: changed\n\n"
_HERE = b": here\n\n"
_QUEUE = 4


class Listening:
    """All that listen, and what watches the store for them as long as anybody does."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._queues: set[asyncio.Queue[bytes | None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def count(self) -> int:
        """How many listen."""
        return len(self._queues)

    @property
    def full(self) -> bool:
        """Whether nobody else is taken."""
        return self._closed or self.count >= MOST

    async def listen(self) -> AsyncIterator[bytes]:
        """The lines for one page, until it goes or the service ends."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(_QUEUE)
        self._queues.add(queue)
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name="dashboard-listening")
        try:
            yield b"retry: 5000\n\n"
            while (line := await queue.get()) is not None:
                yield line
        finally:
            self._queues.discard(queue)

    async def close(self) -> None:
        """End all lines, as the service does before it stops: an open one would hold it up."""
        self._closed = True
        for queue in self._queues:
            while not queue.empty():
                queue.get_nowait()
            queue.put_nowait(None)
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        told = seen = await self._revision("")
        quiet = waited = 0
        while self._queues:
            await self._clock.sleep(TICK_S)
            before, seen = seen, await self._revision(seen)
            if seen == told:
                quiet += 1
                if quiet % QUIET_TICKS == 0:
                    self._tell(_HERE)
                continue
            waited += 1
            if seen == before or waited >= LONGEST:
                told, quiet, waited = seen, 0, 0
                self._tell(_CHANGED)

    async def _revision(self, before: str) -> str:
        try:
            return await self._store.revision()
        except OpsyncError:  # a page that is loaded meanwhile tells it
            return before

    def _tell(self, line: bytes) -> None:
        for queue in self._queues:
            if not queue.full():
                queue.put_nowait(line)


async def events(request: Request) -> Response:
    """GET /events: the lines for one page."""
    listening: Listening = request.app.state.listening
    if listening.full:
        return PlainTextResponse("enough pages listen", 429, headers={"Retry-After": "60"})
    return StreamingResponse(
        listening.listen(),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )
