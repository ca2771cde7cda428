"""Reads pages: those that changed, or all of them with what lies in the trash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from opsync import Answer, BadAnswer, Batch, Item, RecordError, RefusedError
from opsync_notion import scope
from opsync_notion.ids import dashed
from opsync_notion.pages import without_own
from opsync_notion.queries import Broken, Chunk, Query, walk
from opsync_notion.schema import View
from opsync_notion.tables import Tables
from opsync_notion.wire import Cell, Markdown, Page, PropertyItem, PropertyItems

STREAM = "page"
INLINE = 25
"""References that a page shows of one property (https://developers.notion.com/reference/
retrieve-a-page); the rest is asked for by property."""
INDEX_LAG = timedelta(minutes=2)
"""How far a query may lag behind the edits; Notion's own guide to synchronizing waits up to one
minute."""
MAX_WHOLE = 500
"""Pages that are remembered as complete; what was edited before them is read again."""
_LONG_TYPES = frozenset({"relation", "people", "rich_text", "title"})


class Row(Struct, frozen=True):
    """A page with all that its record is made of. `body` is "" where bodies are not read;
    `completed` says that the listing alone did not suffice."""

    page: Page
    view: View
    body: str = ""
    completed: bool = False


async def pull(
    tables: Tables, data_source: str, since: datetime | None
) -> AsyncGenerator[Batch, None]:
    """The pages of a data source that changed at or after the minute of `since`; None: all.

    The times of pages are cut to the minute, so the minute of `since` is read again whole.
    """
    full = since is None
    conditions: tuple[Mapping[str, object], ...] = ()
    if full:
        source, view = await tables.look(data_source, rejudge=True)
        scope.check(view)
        conditions = scope.conditions(view, source)
    else:
        view = await tables.view(data_source, fresh=False)
        scope.check(view)
    reader = _Reader(tables, view, full=full)
    for query in _queries(tables, data_source, since, conditions):
        chunks = walk(tables.http, query)
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    batch = await reader.batch(chunk)
                    if batch.items or not chunk.rows:  # rows that are known bring nothing new
                        yield batch
        except RefusedError as error:
            if "is_archived" not in query.flags or error.status != 400:
                raise
            # Listing archived pages is younger than both versions of the API: where it is not
            # understood, archived pages keep the state in which they were last seen.
            tables.memory.stop_asking_for_archived()
    reader.remember()


def _queries(
    tables: Tables,
    data_source: str,
    since: datetime | None,
    conditions: tuple[Mapping[str, object], ...],
) -> list[Query]:
    size = tables.settings.page_size
    if since is not None:
        minute = since.astimezone(UTC).replace(second=0, microsecond=0)
        bound = minute.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return [Query(data_source, "last_edited_time", bound, size)]
    flags: list[dict[str, bool]] = [{}]
    if tables.memory.asks_for_archived:
        flags.append({"is_archived": True})
    flags.append({"in_trash": True})
    return [Query(data_source, "created_time", "", size, conditions, flag) for flag in flags]


class _Reader:
    """Turns answers into batches, and keeps the view in step with the schema."""

    def __init__(self, tables: Tables, view: View, *, full: bool) -> None:
        self._tables = tables
        self._view = view
        self._full = full
        self._fresh = full
        self._begun: datetime | None = None
        self._taken = {} if full else tables.memory.whole(view.data_source)
        """When the pages were edited of which all was read."""

    async def batch(self, chunk: Chunk) -> Batch:
        pages = [row for row in chunk.rows if isinstance(row, Page)]
        if not self._fresh and not all(self._view.table.knows(p.properties or {}) for p in pages):
            self._fresh = True
            self._view = await self._tables.view(self._view.data_source, fresh=True)
            scope.check(self._view)
        items = await self.items([row for row in chunk.rows if not self._is_known(row)])
        self._note(items, chunk.answer)
        return Batch(items, high=self._high(pages, chunk.answer), resumable=not self._full)

    def _note(self, items: Sequence[Item], answer: Answer) -> None:
        """Note the pages that were completed, but for those of this very minute, which may be
        edited again without showing another time."""
        minute = answer.server_now.replace(second=0, microsecond=0)
        for item in items:
            if isinstance(item.raw, Row) and item.raw.completed:
                page = item.raw.page
                edited = _moment(page.last_edited_time)
                if edited is not None and edited < minute:
                    self._taken[page.id] = page.last_edited_time
        if len(self._taken) > 4 * MAX_WHOLE:
            self._taken = self._late()

    def remember(self) -> None:
        """Keep which pages the next runs need not complete again; only once all was stored."""
        self._tables.memory.set_whole(self._view.data_source, self._late())

    def _late(self) -> dict[str, str]:
        """The pages among those taken that the overlap will list again, the latest if many."""
        moments = {id_: at for id_, text in self._taken.items() if (at := _moment(text))}
        if not moments:
            return {}
        overlap = timedelta(seconds=self._tables.settings.overlap_s)
        since = max(moments.values()) - overlap - 2 * INDEX_LAG
        late = sorted((at, id_) for id_, at in moments.items() if at >= since)
        return {id_: self._taken[id_] for _, id_ in late[-MAX_WHOLE:]}

    def _is_known(self, row: Page | Broken) -> bool:
        """Whether a page that takes further requests stands as it was completed and stored.

        The overlap lists the last changes again in every run.
        """
        if self._fresh or isinstance(row, Broken):
            return False
        return self._taken.get(row.id) == row.last_edited_time

    def _high(self, pages: Sequence[Page], answer: Answer) -> datetime | None:
        """The latest change in the batch, but never one of the last minutes, in which others may
        not be listed yet. A full read goes by creation, so that what changes while it runs may lie
        behind it: it never claims to be later than its own begin."""
        edited = [at for page in pages if (at := _moment(page.last_edited_time)) is not None]
        settled = answer.server_now.replace(second=0, microsecond=0) - INDEX_LAG
        if not self._full:
            return min(max(edited), settled) if edited else None
        if self._begun is None:
            self._begun = settled
            return min(max(edited, default=self._begun), self._begun)
        return min(max(edited), self._begun) if edited else None

    async def items(self, rows: Sequence[Page | Broken]) -> list[Item]:
        long = [row for row in rows if isinstance(row, Page) and self._needs_more(row)]
        fetched = dict(zip((page.id for page in long), await self._fetch(long), strict=True))
        items = []
        for row in rows:
            if isinstance(row, Broken):
                why = RecordError(f"Notion page {row.head.id}: {row.reason}.")
                items.append(Item(STREAM, item_id(row.head.id), why))
            elif not scope.has(self._view, row):
                items.append(Item(STREAM, item_id(row.id), scope.outside(self._view, row)))
            else:
                raw = fetched.get(row.id, Row(row, self._view))
                items.append(Item(STREAM, item_id(row.id), raw))
        return items

    def _needs_more(self, page: Page) -> bool:
        if page.trashed or not scope.has(self._view, page):
            return False
        return self._tables.settings.read_body or any(self._long_cells(page))

    async def _fetch(self, pages: Sequence[Page]) -> list[Row | RecordError]:
        """What the listing left out of these pages. The client bounds how many are under way."""
        done = await asyncio.gather(*map(self._whole, pages), return_exceptions=True)
        rows: list[Row | RecordError] = []
        for page, one in zip(pages, done, strict=True):
            if isinstance(one, RefusedError):
                rows.append(RecordError(f"Notion page {page.id}: {one}"))
            elif isinstance(one, BaseException):
                raise one
            else:
                rows.append(one)
        return rows

    async def _whole(self, page: Page) -> Row:
        cells = dict(page.properties or {})
        for name, cell in self._long_cells(page):
            cells[name] = await self._long_cell(page.id, cell)
        body = ""
        if self._tables.settings.read_body:
            answer = await self._tables.http.read("GET", f"/v1/pages/{page.id}/markdown")
            # What opsync wrote is never evidence.
            body = without_own(answer.decode(Markdown).markdown)
        return Row(
            msgspec.structs.replace(page, properties=cells), self._view, body, completed=True
        )

    def _long_cells(self, page: Page) -> list[tuple[str, Cell]]:
        return [
            (name, cell)
            for name, cell in (page.properties or {}).items()
            if cell.type in _LONG_TYPES and cell.id not in self._view.hidden and is_cut(cell)
        ]

    async def _long_cell(self, page_id: str, cell: Cell) -> Cell:
        """A cell with all its references (retrieve-a-page-property-item)."""
        http = self._tables.http
        found: list[PropertyItem] = []
        cursor = ""
        used = {cursor}
        while True:
            params = {"page_size": "100"} | ({"start_cursor": cursor} if cursor else {})
            answer = await http.read(
                "GET", f"/v1/pages/{page_id}/properties/{cell.id}", params=params
            )
            part = answer.decode(PropertyItems)
            found.extend(part.results)
            if not part.has_more:
                return _with_items(cell, found)
            cursor = part.next_cursor or ""
            if cursor in used:
                raise BadAnswer(f"{answer.where}: the listing goes in circles.")
            used.add(cursor)


def is_cut(cell: Cell) -> bool:
    """Whether a page may have shown only the first of a cell's references."""
    match cell.type:
        case "relation":
            count = len(cell.relation or ())
            return cell.has_more is True or (cell.has_more is None and count >= INLINE)
        case "people":
            return len(cell.people or ()) >= INLINE
        case "rich_text" | "title":
            runs = cell.rich_text or cell.title or ()
            return sum(run.type != "text" for run in runs) >= INLINE
    return False


def _with_items(cell: Cell, items: Sequence[PropertyItem]) -> Cell:
    match cell.type:
        case "relation":
            return Cell(
                id=cell.id,
                type=cell.type,
                relation=[item.relation for item in items if item.relation],
                has_more=False,
            )
        case "people":
            return Cell(
                id=cell.id, type=cell.type, people=[item.people for item in items if item.people]
            )
        case "title":
            return Cell(
                id=cell.id, type=cell.type, title=[item.title for item in items if item.title]
            )
    runs = [item.rich_text for item in items if item.rich_text]
    return Cell(id=cell.id, type=cell.type, rich_text=runs)


async def items_of(tables: Tables, data_source: str, pages: Sequence[Page]) -> list[Item]:
    """Pages of a data source that were read by id, each with what its answer leaves out."""
    view = await tables.view(data_source, fresh=False)
    if not all(view.table.knows(page.properties or {}) for page in pages):
        view = await tables.view(data_source, fresh=True)
    scope.check(view)
    return await _Reader(tables, view, full=False).items(pages)


def item_id(remote_id: str) -> str:
    """A page's id as records have it."""
    try:
        return dashed(remote_id)
    except ValueError:
        return remote_id


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
