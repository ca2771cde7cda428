"""What vanished from Notion: pages in the trash, archived, moved away, or not shared any more.

A page in the trash is found by its id and says so. One that is not found is not shared any more, or
deleted for good: Notion does not tell which.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from opsync import BadAnswer, Item, NotFound, RefusedError
from opsync_notion import scope
from opsync_notion.ids import dashed
from opsync_notion.pull import STREAM, item_id, item_of
from opsync_notion.queries import Broken, Query, walk
from opsync_notion.tables import Tables
from opsync_notion.wire import Page

TITLE = "title"
"""The id of every table's title column: with it alone a row is as small as Notion makes it."""


async def listing(tables: Tables, data_source: str) -> AsyncGenerator[list[str], None]:
    """The ids of the pages in scope, 100 a request."""
    view = await tables.view(data_source, fresh=False)
    conditions: tuple[Mapping[str, object], ...] = ()
    if view.where:
        source, view = await tables.look(data_source)
        scope.check(view)
        conditions = scope.conditions(view, source)
    flags: list[dict[str, bool]] = [{}]
    if tables.memory.asks_for_archived:
        flags.append({"is_archived": True})
    for flag in flags:
        size = tables.settings.page_size
        query = Query(data_source, "created_time", "", size, conditions, flag, columns=(TITLE,))
        try:
            async with aclosing(walk(tables.http, query)) as chunks:
                async for chunk in chunks:
                    heads = (row.head if isinstance(row, Broken) else row for row in chunk.rows)
                    yield [item_id(head.id) for head in heads]
        except RefusedError as error:
            if not flag or error.status != 400:
                raise
            tables.memory.stop_asking_for_archived()


async def look_up(tables: Tables, data_source: str, ids: Sequence[str]) -> list[Item | None]:
    """The pages with these ids, in their order; None for one that is not found."""
    looks = (_look(tables, data_source, id_) for id_ in ids)
    found: list[Item | None] = []
    for one in await asyncio.gather(*looks, return_exceptions=True):
        if isinstance(one, BaseException):
            raise one
        found.append(one)
    return found


async def _look(tables: Tables, data_source: str, id_: str) -> Item | None:
    try:
        page = (await tables.http.read("GET", f"/v1/pages/{id_}")).decode(Page)
    except NotFound:
        return None
    if page.properties is None:
        raise BadAnswer(f"Notion page {id_} came without its columns.")
    parent = page.parent.data_source_id if page.parent is not None else None
    home = dashed(parent) if parent else ""
    if home != data_source and tables.block_of(home) is None:
        view = await tables.view(data_source, fresh=False)
        return Item(STREAM, id_, scope.outside(view, page))
    return await item_of(tables, await tables.view(home, fresh=False), page)
