"""Ask for the next page while the current one is being worked on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def ahead(pages: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """Yield what `pages` yields, fetching one item ahead of the consumer.

    An exception of `pages` is raised after the items before it. Whoever may leave the loop early
    wraps this in `contextlib.aclosing`: closing stops the fetch under way and closes `pages`.
    """

    async def step() -> tuple[T] | None:
        try:
            return (await anext(pages),)
        except StopAsyncIteration:
            return None

    fetch = asyncio.create_task(step())
    try:
        while (got := await fetch) is not None:
            fetch = asyncio.create_task(step())
            yield got[0]
    finally:
        fetch.cancel()
        await asyncio.gather(fetch, return_exceptions=True)
        if isinstance(pages, AsyncGenerator):
            await pages.aclose()
