"""What vanished from Notion: pages in the trash, archived, moved away, or not shared any more.

A page in the trash is found by its id and says so. One that is not found is not shared any more, or
deleted for good: Notion does not tell which.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

import msgspec

from opsync import BadAnswer, Item, NotFound, RecordError, RefusedError
from opsync_notion import scope
from opsync_notion.pull import STREAM, item_id, items_of
from opsync_notion.queries import Broken, Query, decode_rows, walk
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
    answers = await asyncio.gather(*(_look(tables, id_) for id_ in ids), return_exceptions=True)
    found: list[Item | None] = []
    here: dict[str, list[tuple[int, Page]]] = defaultdict(list)
    for place, one in enumerate(answers):
        if isinstance(one, BaseException):
            raise one
        if not isinstance(one, Page):
            found.append(one)
            continue
        parent = one.parent.data_source_id if one.parent is not None else None
        home = item_id(parent or "")
        if home != data_source and tables.block_of(home) is None:
            view = await tables.view(data_source, fresh=False)
            found.append(Item(STREAM, ids[place], scope.outside(view, one)))
        else:
            here[home].append((place, one))
            found.append(None)
    for home, pages in here.items():
        items = await items_of(tables, home, [page for _, page in pages])
        for (place, _), item in zip(pages, items, strict=True):
            found[place] = item
    return found


async def _look(tables: Tables, id_: str) -> Page | Item | None:
    try:
        answer = await tables.http.read("GET", f"/v1/pages/{id_}")
    except NotFound:
        return None
    except RefusedError as error:
        return Item(STREAM, id_, RecordError(f"Notion page {id_}: {error}"))
    for row in decode_rows(msgspec.Raw(b"[" + answer.body + b"]")):
        if isinstance(row, Page):
            return row
        return Item(STREAM, id_, RecordError(f"Notion page {id_}: {row.reason}."))
    raise BadAnswer(f"{answer.where}: Notion answered something else than the page.")
