"""Finds the configured data sources and their columns, with as few requests as can be.

What was learned is kept; it is read again on a full read and when a page shows a column or an
option that is not known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from itertools import chain, count

import msgspec
from msgspec import Struct

from opsync import Answer, Context, NotFound, OwnWords, RefusedError, Value
from opsync_notion import surfaces
from opsync_notion.dialect import SHARE_HINT
from opsync_notion.ids import dashed, parse_id
from opsync_notion.memory import Memory, OwnColumn
from opsync_notion.queries import Query, walk
from opsync_notion.schema import Table, View, compact, view
from opsync_notion.settings import DataSource, NotionSettings
from opsync_notion.wire import DatabaseObject, DataSourceObject, Page, Property

SUFFIX = " (opsync"
"""What follows the configured name in that of a column of ours, up to the closing bracket."""


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
        return view(table, block, owned, self.settings.statuses, self.memory.bot, self.words)

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

    # Whose columns --------------------------------------------------------------------------

    async def adopt(
        self,
        source: DataSourceObject,
        block: DataSource,
        *,
        rejudge: bool = False,
        interrupted: bool = False,
    ) -> None:
        """Find the columns that opsync made and, after a lost store, does not know of.

        Taken for ours is what has the name, the type and opsync's description, whatever people
        wrote into it since. Where no column has that: what has, in every row that is not empty, a
        value that opsync could have written; and only beside proof that some person's table would
        hardly give: "(opsync)" in the name, the seven health options, or a delivery summary.
        Everything else stays somebody else's.

        An empty column "Adoption" proves nothing by the others, as those may stand without one.
        It is only ours where a write into one was `interrupted`, if it came meanwhile, and if the
        description is on none of our columns; until then it is left open whose it is.
        """
        data_source = dashed(source.id)
        # What was given up is not there any more, and may have been made anew since.
        kept = self.memory.columns(data_source)
        known = {key: own for key, own in kept.items() if not own.given_up}
        foreign = frozenset() if rejudge else self.memory.foreign(data_source)
        candidates = {
            key: found
            for key in surfaces.TYPES
            if key not in known and (found := _candidates(source, block, key, foreign, self.words))
        }
        looked_at = {prop.id for found in candidates.values() for prop in found}
        if not looked_at:
            return
        judged = await self._judge(data_source, candidates)
        marked = {p.id for p in source.properties.values() if surfaces.marked(p, self.words)}
        said = marked & looked_at
        came = self.memory.appeared(data_source)
        left_open: set[str] = set()
        adopted: dict[str, OwnColumn] = {}
        for key, found in candidates.items():
            for prop in found:
                if prop.id not in said if said else prop.id in judged.refuted:
                    continue
                if key in surfaces.AT_FIRST or (
                    prop.id in said | judged.worded
                    or SUFFIX in prop.name
                    or (interrupted and prop.id in came and not marked)
                ):
                    adopted[key] = OwnColumn(prop.id, configured_name(block, key))
                    break
                if prop.id in came and not interrupted:
                    left_open.add(prop.id)
        if not (said or judged.proven):
            # Beside known columns no other proof is needed for what speaks for itself.
            adopted = {k: own for k, own in adopted.items() if known and k not in surfaces.AT_FIRST}
        self.memory.add_columns(data_source, adopted)
        ours = {own.id for own in adopted.values()}
        theirs = (foreign | looked_at) - ours - left_open
        self.memory.set_foreign(data_source, frozenset(theirs))

    async def _judge(self, data_source: str, candidates: Mapping[str, list[Property]]) -> _Judged:
        """What stands in columns that may be ours."""
        keys = {prop.id: key for key, found in candidates.items() for prop in found}
        props = [prop for found in candidates.values() for prop in found]
        refuted: set[str] = set()
        worded: set[str] = set()
        filled = [{"property": prop.name, prop.type: {"is_not_empty": True}} for prop in props]
        query = Query(
            data_source,
            "created_time",
            conditions=(filled[0] if len(filled) == 1 else {"or": filled},),
            columns=tuple(keys),
        )
        async for chunk in walk(self.http, query):
            for row in chunk.rows:
                for column_id, value in self._values(row, keys):
                    ours = surfaces.looks_ours(keys[column_id], value, self.words)
                    (worded if ours else refuted).add(column_id)
        proven = any(
            prop.id not in refuted
            and (
                (keys[prop.id] == surfaces.DELIVERY and prop.id in worded)
                or SUFFIX in prop.name
                or (keys[prop.id] == surfaces.HEALTH and surfaces.has_our_options(prop, self.words))
            )
            for prop in props
        )
        return _Judged(frozenset(refuted), frozenset(worded), proven)

    def _values(self, row: object, keys: Mapping[str, str]) -> list[tuple[str, Value]]:
        if not isinstance(row, Page):
            return []
        cells = [cell for cell in (row.properties or {}).values() if cell.id in keys]
        values = [(c.id, surfaces.canonical(keys[c.id], c, self.words)) for c in cells]
        return [(column_id, value) for column_id, value in values if value is not None]


class _Judged(Struct, frozen=True):
    """The ids of columns with a value that is not opsync's, and of those with one that could be;
    whether any column is proof that opsync wrote here."""

    refuted: frozenset[str]
    worded: frozenset[str]
    proven: bool


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


def _candidates(
    source: DataSourceObject,
    block: DataSource,
    key: str,
    foreign: frozenset[str],
    words: OwnWords,
) -> list[Property]:
    """Columns with a name and type of ours, the most telling first."""
    configured = configured_name(block, key)
    found = [
        msgspec.structs.replace(prop, name=name)
        for name, prop in source.properties.items()
        if (name == configured or name.startswith(configured + SUFFIX))
        and prop.type == surfaces.TYPES[key]
        and prop.id not in foreign
        and (key != surfaces.PERCENT or (prop.number and prop.number.format == "percent"))
    ]
    return sorted(
        found, key=lambda prop: (not surfaces.marked(prop, words), prop.name == configured)
    )


def _called(block: DataSource) -> str:
    return f'"{block.name}" ({block.id})' if block.name else block.id
