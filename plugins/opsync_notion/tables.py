"""Finds the configured data sources and their columns, with as few requests as can be.

What was learned is kept; it is read again on a full read and when a page shows a column or an
option that is not known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count

from opsync import Answer, Context, NotFound, RefusedError, Value
from opsync_notion import surfaces
from opsync_notion.dialect import SHARE_HINT
from opsync_notion.ids import dashed, parse_id
from opsync_notion.memory import Memory, OwnColumn
from opsync_notion.queries import Query, walk
from opsync_notion.schema import Table, View, compact, view
from opsync_notion.settings import DataSource, NotionSettings
from opsync_notion.whose import SUFFIX, Tally, candidates, judge
from opsync_notion.wire import DatabaseObject, DataSourceObject, Page, Property


@dataclass(frozen=True, slots=True)
class Ready:
    """Own columns that can be written, by surface, and why the others cannot: those that people
    removed, those of which it cannot be told whose they are, and what Notion `refused`."""

    ids: Mapping[str, str]
    gone: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    refused: str = ""

    @property
    def known(self) -> frozenset[str]:
        """The surfaces for which no column is to be made."""
        return self.gone | self.unsure | self.ids.keys()


class Tables:
    """The data sources of one instance."""

    def __init__(self, settings: NotionSettings, context: Context) -> None:
        self.settings = settings
        self.http = context.http
        self.memory = Memory(context.kept)
        self.words = context.words
        self._locks: dict[str, asyncio.Lock] = {}

    def lock(self, data_source: str) -> asyncio.Lock:
        """Held while columns of a data source are looked for or made."""
        return self._locks.setdefault(data_source, asyncio.Lock())

    # Which data sources ---------------------------------------------------------------------

    async def resolve(self, block: DataSource, *, again: bool = False) -> tuple[str, ...]:
        """The data sources that a block names: itself, or all of its database.

        NotFound when the connection sees neither.
        """
        configured = parse_id(block.id)
        known = self.memory.resolved(configured)
        if known and not again:
            return known
        try:
            answer = await self.http.read("GET", f"/v1/databases/{configured}")
        except RefusedError:
            # It may be a data source's id; what that answers decides.
            found = (await self._read(configured, block)).id
            sources: tuple[str, ...] = (dashed(found),)
        else:
            database = answer.decode(DatabaseObject)
            sources = tuple(dashed(source.id) for source in database.data_sources)
            if not sources:
                raise NotFound(f"{_called(block)} shows no data source.", hint=SHARE_HINT)
        self.memory.set_resolved(configured, sources)
        return sources

    def block_of(self, data_source: str) -> DataSource | None:
        """The settings of a data source; None for one that no block has resolved to."""
        for block in self.settings.data_sources:
            configured = parse_id(block.id)
            if data_source == configured or data_source in self.memory.resolved(configured):
                return block
        return None

    async def _read(self, data_source: str, block: DataSource) -> DataSourceObject:
        try:
            answer = await self.http.read("GET", f"/v1/data_sources/{data_source}")
        except NotFound as error:
            raise NotFound(
                f"{_called(block)} is missing in Notion, or not shared with the connection.",
                hint=SHARE_HINT,
                status=error.status,
            ) from error
        return answer.decode(DataSourceObject)

    # Columns --------------------------------------------------------------------------------

    async def view(self, data_source: str, *, fresh: bool) -> View:
        """How to read a data source's pages; `fresh` asks for its schema."""
        table = self.memory.table(data_source)
        if fresh or table is None:
            return (await self.look(data_source))[1]
        return self.view_of(table, self._block(data_source))

    async def look(
        self, data_source: str, *, rejudge: bool = False
    ) -> tuple[DataSourceObject, View]:
        """The schema as it is now, and how to read its pages.

        `rejudge` looks again at columns that were once taken for somebody else's.
        """
        block = self._block(data_source)
        async with self.lock(data_source):
            source = await self.schema(data_source)
            await self.adopt(source, block, rejudge=rejudge)
        return source, self.view_of(compact(source), block)

    def view_of(self, table: Table, block: DataSource) -> View:
        """The view by what is known now."""
        owned = {key: own.id for key, own in self.memory.columns(table.id).items()}
        return view(
            table,
            block,
            owned,
            self.settings.statuses,
            self.memory.bot,
            self.words,
            unsure=self.memory.unsure(table.id),
        )

    async def schema(self, data_source: str) -> DataSourceObject:
        """Read the schema, and keep what reading pages needs of it."""
        source = await self._read(data_source, self._block(data_source))
        table, before = compact(source), self.memory.table(data_source)
        if before is not None:
            came = {column.id for column in table.columns} - {c.id for c in before.columns}
            self.memory.set_appeared(data_source, self.memory.appeared(data_source) | came)
        self.memory.set_table(table)
        return source

    def learn(self, answer: Answer) -> DataSourceObject:
        """Keep the schema that a schema update answered."""
        source = answer.decode(DataSourceObject)
        self.memory.set_table(compact(source))
        self.memory.set_appeared(dashed(source.id), frozenset())
        return source

    def _block(self, data_source: str) -> DataSource:
        block = self.block_of(data_source)
        if block is None:
            raise NotFound(f"Notion data source {data_source} is not configured.")
        return block

    def ready(self, data_source: str, block: DataSource) -> Ready:
        """What is known of own columns without asking. One that was there and is not any more
        stays gone, unless the configuration now asks for another name."""
        table = self.memory.table(data_source)
        ids: dict[str, str] = {}
        gone = set()
        for key, own in self.memory.columns(data_source).items():
            column = table.by_id(own.id) if table else None
            if table is None or (column and column.type == surfaces.TYPES.get(key)):
                ids[key] = own.id
            elif own.name == configured_name(block, key) and not own.given_up:
                gone.add(key)
        return Ready(ids, frozenset(gone), frozenset(self.memory.unsure(data_source)))

    # Whose columns --------------------------------------------------------------------------

    async def adopt(
        self,
        source: DataSourceObject,
        block: DataSource,
        *,
        rejudge: bool = False,
        interrupted: bool = False,
    ) -> None:
        """Find the columns that opsync made and, after a lost store, does not know of, as `whose`
        tells them. All others with such a name are somebody else's, or nobody can tell.

        `rejudge` looks again at those. Rows that were read before show nothing of what becomes
        ours by that: they are to be read again.
        """
        data_source = dashed(source.id)
        # What was given up is not there any more, and may have been made anew since.
        kept = self.memory.columns(data_source)
        known = {key: own for key, own in kept.items() if not own.given_up}
        unsure = {} if rejudge else self._still_unsure(source, block)
        foreign = frozenset() if rejudge else self.memory.foreign(data_source)
        found = {
            key: named
            for key in surfaces.TYPES
            if key not in known
            and key not in unsure
            and (named := candidates(source, configured_name(block, key), key, foreign, self.words))
        }
        looked_at = {prop.id for props in found.values() for prop in props}
        if not looked_at:
            self.memory.set_unsure(data_source, unsure)
            return
        verdict = judge(
            found,
            await self._tally(data_source, found),
            self.words,
            marked={p.id for p in source.properties.values() if surfaces.marked(p, self.words)},
            beside=bool(known),
            open_before=self.memory.unsure(data_source),
            came=self.memory.appeared(data_source),
            interrupted=interrupted,
        )
        self.memory.add_columns(
            data_source,
            {
                key: OwnColumn(prop.id, configured_name(block, key))
                for key, prop in verdict.own.items()
            },
        )
        unsure |= {key: prop.id for key, prop in verdict.unsure.items()}
        self.memory.set_unsure(data_source, unsure)
        ours = {prop.id for prop in verdict.own.values()}
        theirs = (foreign | looked_at) - ours - verdict.left_open - set(unsure.values())
        self.memory.set_foreign(data_source, frozenset(theirs))

    def _still_unsure(self, source: DataSourceObject, block: DataSource) -> dict[str, str]:
        """Those of which it could not be told, and that people did not rename since."""
        return {
            key: column_id
            for key, column_id in self.memory.unsure(dashed(source.id)).items()
            if any(
                prop.id == column_id
                for prop in candidates(source, configured_name(block, key), key, (), self.words)
            )
        }

    async def _tally(self, data_source: str, found: Mapping[str, Sequence[Property]]) -> Tally:
        """What stands in columns that may be ours."""
        keys = {prop.id: key for key, props in found.items() for prop in props}
        filled = [
            {"property": prop.name, prop.type: {"is_not_empty": True}}
            for props in found.values()
            for prop in props
        ]
        query = Query(
            data_source,
            "created_time",
            conditions=(filled[0] if len(filled) == 1 else {"or": filled},),
            columns=tuple(keys),
        )
        values: list[tuple[str, Value]] = []
        async for chunk in walk(self.http, query):
            for row in chunk.rows:
                values += self._values(row, keys)
        return Tally.of(values, keys, self.words)

    def _values(self, row: object, keys: Mapping[str, str]) -> list[tuple[str, Value]]:
        if not isinstance(row, Page):
            return []
        cells = [cell for cell in (row.properties or {}).values() if cell.id in keys]
        values = [(c.id, surfaces.canonical(keys[c.id], c, self.words)) for c in cells]
        return [(column_id, value) for column_id, value in values if value is not None]


def configured_name(block: DataSource, key: str) -> str:
    """What the configuration calls opsync's column."""
    name: str = getattr(block.columns, key)
    return name


def free_name(block: DataSource, key: str, taken: Collection[str]) -> str:
    """What a new column is called: another name where a person has the configured one in use.

    `taken` are the names in use, case-folded.
    """
    name = configured_name(block, key)
    names = chain((name, f"{name}{SUFFIX})"), (f"{name}{SUFFIX} {n})" for n in count(2)))
    return next(candidate for candidate in names if candidate.casefold() not in taken)


def _called(block: DataSource) -> str:
    return f'"{block.name}" ({block.id})' if block.name else block.id
