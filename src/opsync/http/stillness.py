"""Leave a connector that does nothing: it may wait for its vendor, and for nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TypeVar

from opsync.errors import TemporaryError
from opsync.http.client import Client

STILL_S = 600.0
"""A connector that asked its vendor for nothing so long, nor waits for an answer, hangs."""

T = TypeVar("T")

Watch = Callable[[], AbstractAsyncContextManager[None]]
"""Makes a block around one step of a connector."""


def unwatched() -> AbstractAsyncContextManager[None]:
    """For a step that may take as long as it likes."""
    return nullcontext()


@asynccontextmanager
async def watched(client: Client, who: str) -> AsyncIterator[None]:
    """Bound the block: TemporaryError once it did nothing for `STILL_S` seconds.

    Whatever goes through `client`, waiting for a limit or an answer included, has bounds of its
    own and counts as doing something. A block that never gives way cannot be ended.
    """
    loop = asyncio.get_running_loop()
    asked = client.asked

    looking = loop.call_later(STILL_S, lambda: look())

    def look() -> None:
        nonlocal asked, looking
        if client.under_way or client.asked != asked:
            asked = client.asked
            looking = loop.call_later(STILL_S, look)
        else:
            timer.reschedule(loop.time())

    try:
        async with asyncio.timeout(None) as timer:
            yield
    except TimeoutError as error:
        if not timer.expired():
            raise
        raise TemporaryError(
            f"{who}: its connector did nothing for {STILL_S:g} s, and was left.",
            hint="Tell whoever made the plugin. Everything else goes on.",
        ) from error
    finally:
        looking.cancel()


async def each(steps: AsyncIterator[T], watch: Watch) -> AsyncGenerator[T, None]:
    """What `steps` yields, with each step watched by itself: whoever takes it may take long."""
    try:
        while True:
            async with watch():
                try:
                    step = await anext(steps)
                except StopAsyncIteration:
                    return
            yield step
    finally:
        if isinstance(steps, AsyncGenerator):
            await steps.aclose()
