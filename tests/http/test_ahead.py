"""The next page is asked for while the current one is in hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from opsync.http import ahead


async def test_all_items_come_in_order() -> None:
    async def pages() -> AsyncIterator[int]:
        for n in range(5):
            await asyncio.sleep(0)
            yield n

    assert [n async for n in ahead(pages())] == [0, 1, 2, 3, 4]


async def test_the_next_item_is_fetched_before_the_current_one_is_done_but_no_more() -> None:
    fetched: list[int] = []

    async def pages() -> AsyncIterator[int]:
        for n in range(5):
            fetched.append(n)
            yield n

    seen = []
    async for n in ahead(pages()):
        for _ in range(5):
            await asyncio.sleep(0)
        seen.append((n, len(fetched)))
    assert seen == [(0, 2), (1, 3), (2, 4), (3, 5), (4, 5)]


async def test_an_error_comes_after_the_items_before_it() -> None:
    async def pages() -> AsyncIterator[int]:
        yield 1
        raise ValueError("page 2")

    items = ahead(pages())
    assert await anext(items) == 1
    with pytest.raises(ValueError, match="page 2"):
        await anext(items)


async def test_leaving_early_stops_the_fetch_and_closes_the_source() -> None:
    closed = False

    async def pages() -> AsyncIterator[int]:
        nonlocal closed
        try:
            yield 1
            await asyncio.Event().wait()
            yield 2
        finally:
            closed = True

    tasks = asyncio.all_tasks()
    async with aclosing(ahead(pages())) as items:
        async for _ in items:
            await asyncio.sleep(0)
            break
    assert closed
    assert asyncio.all_tasks() == tasks
