"""opsync's own columns as such: which stand, what is in them, and removing one.

Update data source: https://developers.notion.com/reference/update-a-data-source; a property that
is set to null is removed, with all that stands in it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing

from opsync import Context, MadeColumn, OwnWords, Record, Ref, RefusedError, Value
from opsync_notion import surfaces
from opsync_notion.ids import parse_id
from opsync_notion.normalize import DATA_SOURCE
from opsync_notion.pull import STREAM
from opsync_notion.queries import Chunk, Query, walk
from opsync_notion.schema import Table, looking_at
from opsync_notion.settings import DataSource
from opsync_notion.tables import Tables, configured_name, free_name
from opsync_notion.whose import doubt
from opsync_notion.wire import Page


class Columns:
    """The own columns of one instance's data sources."""

    def __init__(self, tables: Tables, context: Context) -> None:
        self._tables = tables
        self._http = context.http
        self._instance = context.instance
        self._words = context.words

    async def all(self) -> list[MadeColumn]:
        """All that stand there now, with what keeps one there."""
        found = []
        for block in self._tables.settings.data_sources:
            for data_source in await self._tables.resolve(block):
                _, view = await self._tables.look(data_source)
                for surface in view.own:
                    column = self._made(view.table, surface)
                    if column is not None:
                        found.append(column)
        return sorted(set(found))

    def _made(self, table: Table, surface: str) -> MadeColumn | None:
        own = self._tables.memory.columns(table.id)
        column = table.by_id(own[surface].id)
        if column is None:
            return None
        users = looking_at(table, column, frozenset(one.id for one in own.values()))
        within = called(self._tables.block_of(table.id), table.title)
        needed = "people's own columns look at it" if users else ""
        if users and within:
            needed = f"{needed}: {', '.join(users)}"
        return MadeColumn(table.id, column.id, surface, column.name, within, needed)

    async def held(self, column: MadeColumn) -> AsyncGenerator[tuple[Ref, Value], None]:
        """Every value in a column, also of archived pages and of those in the trash."""
        table = self._tables.memory.table(column.table)
        now = table.by_id(column.id) if table else None
        if now is None:
            return
        flags: list[Mapping[str, bool]] = [{}, {"in_trash": True}]
        if self._tables.memory.asks_for_archived:
            flags.append({"is_archived": True})
        filled = {"property": now.name, now.type: {"is_not_empty": True}}
        for flag in flags:
            query = Query(
                column.table,
                "created_time",
                conditions=(filled,),
                flags=flag,
                columns=(column.id,),
            )
            chunks = walk(self._http, query)
            try:
                async with aclosing(chunks):
                    async for chunk in chunks:
                        for found in self._values(chunk, column):
                            yield found
            except RefusedError as error:
                if "is_archived" not in flag or error.status != 400:
                    raise
                self._tables.memory.stop_asking_for_archived()

    def _values(self, chunk: Chunk, column: MadeColumn) -> list[tuple[Ref, Value]]:
        """The values in these rows. One that was emptied just now may be listed still."""
        values: list[tuple[Ref, Value]] = []
        for row in chunk.rows:
            if not isinstance(row, Page):
                values.append((Ref(self._instance, STREAM, row.head.id), None))
                continue
            ref = Ref(self._instance, STREAM, row.id)
            cells = [cell for cell in (row.properties or {}).values() if cell.id == column.id]
            found = [surfaces.canonical(column.surface, cell, self._words) for cell in cells]
            values += [(ref, value) for value in found if value is not None]
            if not cells:
                values.append((ref, None))
        return values

    async def remove(self, column: MadeColumn) -> None:
        """Remove a column, if it is there still."""
        async with self._tables.lock(column.table):
            source = await self._tables.schema(column.table)
            if all(one.id != column.id for one in source.properties.values()):
                return
            answer = await self._http.write(
                "PATCH",
                f"/v1/data_sources/{column.table}",
                json={"properties": {column.id: None}},
                keyed=True,
            )
            self._tables.learn(answer)

    def lost(self, target: Record, surface: str) -> MadeColumn | None:
        """The column that people removed, or made into one of another type."""
        data_source = target.extra.get(DATA_SOURCE, "")
        block, table = self._tables.block_of(data_source), self._tables.memory.table(data_source)
        own = self._tables.memory.columns(data_source).get(surface)
        if own is None or own.given_up or block is None or table is None:
            return None
        column = table.by_id(own.id)
        stands = column is not None and column.type == surfaces.TYPES.get(surface)
        if stands or own.name != configured_name(block, surface):
            return None
        return MadeColumn(table.id, own.id, surface, own.name, called(block, table.title))

    def missing(self, target: Record, wanted: Collection[str]) -> list[MadeColumn]:
        """The columns that a write of these surfaces would make, by what is known without asking,
        under the names that they would get."""
        data_source = target.extra.get(DATA_SOURCE, "")
        block, table = self._tables.block_of(data_source), self._tables.memory.table(data_source)
        if block is None or table is None or not block.write:
            return []
        ready = self._tables.ready(data_source, block)
        if all(key in ready.known for key in wanted):
            return []
        taken = {column.name.casefold() for column in table.columns}
        within = called(block, table.title)
        return [
            MadeColumn(data_source, "", key, free_name(block, key, taken), within)
            for key in to_make(wanted)
            if key not in ready.known
        ]

    def doubts(self) -> list[str]:
        """The columns of which it cannot be told whether they are opsync's, with what to do."""
        found = []
        for block in self._tables.settings.data_sources:
            for data_source in self._tables.memory.resolved(parse_id(block.id)):
                table = self._tables.memory.table(data_source)
                for key, column_id in self._tables.memory.unsure(data_source).items():
                    column = table.by_id(column_id) if table else None
                    if table is None or column is None:
                        continue
                    within = called(block, table.title)
                    where = f"{within}: " if within else ""
                    found.append(f"{where}{doubt(column.name, key, self._words)}")
        return found

    def wanted(self, target: Record, surface: str) -> bool:
        """Whether people will have such a column; not if they removed it for good, nor where it
        cannot be told whose one is that stands in its place."""
        data_source = target.extra.get(DATA_SOURCE, "")
        if surface in self._tables.memory.unsure(data_source):
            return False
        own = self._tables.memory.columns(data_source).get(surface)
        return own is None or not own.away or self.lost(target, surface) is None


def called(block: DataSource | None, title: str) -> str:
    """What a data source may be called: nothing where all its pages are private."""
    return "" if block is None or block.private else title


def to_make(wanted: Collection[str]) -> list[str]:
    """The columns to make, in their order: those that are wanted, and all that come first."""
    return [key for key in surfaces.TYPES if key in wanted or key in surfaces.AT_FIRST]


def by_hand(
    block: DataSource, error: RefusedError, words: OwnWords, wanted: Collection[str]
) -> str:
    """What to tell where opsync may not make its columns, with how people make them."""
    columns = "; ".join(
        f"{configured_name(block, key)} ({surfaces.described(key, words)})"
        for key in to_make(wanted)
    )
    return (
        f"Notion did not let opsync add its columns: {error.message} Allow it: ••• → Connections "
        '→ opsync with "Update content", and unlock the database. Or create these columns by '
        f"hand: {columns}."
    )
