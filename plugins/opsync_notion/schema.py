"""A data source's columns, and the part each of them plays for opsync. Pure."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from urllib.parse import unquote

from msgspec import Struct

from opsync import Category, Kind, OwnWords
from opsync_notion.ids import dashed
from opsync_notion.settings import DataSource
from opsync_notion.surfaces import TYPES
from opsync_notion.texts import plain
from opsync_notion.wire import Cell, DataSourceObject, Group, Property

_BY_GROUP = {
    "To-do": Category.todo,
    "In progress": Category.in_progress,
    "Complete": Category.done,
}
_IN_ORDER = tuple(_BY_GROUP.values())
_DUE = re.compile(
    r"\b(due|deadline|target|finish|ship|launch|release|end)\b|fällig|frist|termin", re.IGNORECASE
)
_OWNER = re.compile(r"\b(owner|lead|dri|responsible|assignee)\b|verantwortlich", re.IGNORECASE)
_EDITED = ("last_edited_time", "last_edited_by")
ENGLISH = OwnWords()
LINK_TYPES = frozenset({"rich_text", "url", "relation"})
WHERE_TYPES = frozenset({"select", "status", "multi_select", "checkbox"})
"""The types of columns that a scope can go by."""


class Column(Struct, frozen=True, omit_defaults=True):
    """One column. `categories` are a status column's options by id, by their group; `source` is
    a formula's expression or the name of the column that a rollup looks at."""

    id: str
    name: str
    type: str
    categories: dict[str, Category] = {}
    source: str = ""


class Table(Struct, frozen=True):
    """A data source as far as reading its pages needs it."""

    id: str
    title: str
    columns: tuple[Column, ...]

    def knows(self, cells: Mapping[str, Cell]) -> bool:
        """Whether all of a page's cells are of known columns, and its status a known option."""
        known = {column.name: column for column in self.columns}
        for name, cell in cells.items():
            column = known.get(name)
            if column is None or (column.id, column.type) != (cell.id, cell.type):
                return False
            if cell.status is not None and cell.status.id not in column.categories:
                return False
        return True

    def by_id(self, column_id: str) -> Column | None:
        return next((column for column in self.columns if column.id == column_id), None)

    def named(self, name: str, types: Container[str]) -> Column | None:
        """The column of that name, if it is of one of these types."""
        return next((c for c in self.columns if c.name == name and c.type in types), None)


class View(Struct, frozen=True):
    """How the pages of one data source become records.

    Columns are named by id ("" where there is none). `links` are those whose links make members.
    `own` maps surfaces to opsync's own columns that stand there with the right type; `hidden` are
    all columns whose content follows from what opsync wrote: its own, formulas over them, and the
    last edit. `words` tell what opsync wrote. `where` are the conditions of the scope; `lacking`
    names the columns that the scope or privacy goes by and that are not there: without them
    nothing may be read.
    """

    data_source: str
    space: str
    kind: Kind
    table: Table
    status: str = ""
    due: str = ""
    owner: str = ""
    links: frozenset[str] = frozenset()
    paused: frozenset[str] = frozenset()
    where: dict[str, frozenset[str]] = {}
    private: bool = False
    private_column: str = ""
    lacking: tuple[str, ...] = ()
    own: dict[str, str] = {}
    hidden: frozenset[str] = frozenset()
    categories: dict[str, Category] = {}
    bot: str = ""
    words: OwnWords = ENGLISH


def compact(source: DataSourceObject) -> Table:
    """The table that a data source's schema describes."""
    columns = tuple(_column(name, prop) for name, prop in source.properties.items())
    return Table(dashed(source.id), plain(source.title), columns)


def _column(name: str, prop: Property) -> Column:
    groups = prop.status.groups if prop.status else []
    source = prop.formula.expression if prop.formula else ""
    if prop.rollup:
        source = prop.rollup.rollup_property_name
    return Column(prop.id, name, prop.type, _categories(groups), source)


def _categories(groups: list[Group]) -> dict[str, Category]:
    """Notion has three groups, always in this order; their names stand, whatever the language."""
    found: dict[str, Category] = {}
    for index, group in enumerate(groups):
        by_place = _IN_ORDER[index] if len(groups) == len(_IN_ORDER) else Category.unknown
        category = _BY_GROUP.get(group.name, by_place)
        found |= dict.fromkeys(group.option_ids, category)
    return found


def view(
    table: Table,
    block: DataSource,
    owned: Mapping[str, str],
    statuses: Mapping[str, Category],
    bot: str,
    words: OwnWords = ENGLISH,
    *,
    unsure: Mapping[str, str] | None = None,
) -> View:
    """Choose each column's part. `owned` are the ids of all columns that opsync ever made here;
    `unsure` those of which it cannot be told: what stands in them is no evidence either."""
    hidden = _hidden(table, frozenset({*owned.values(), *(unsure or {}).values()}))
    columns = [column for column in table.columns if column.id not in hidden]
    kinds = {column.id: column.type for column in table.columns}
    linked = {
        column.id
        for column in columns
        if (column.name in block.links if block.links else column.type in LINK_TYPES)
    }
    where = {name: table.named(name, WHERE_TYPES) for name in block.where}
    private = table.named(block.private_column, ("checkbox",)) if block.private_column else None
    lacking = [f'"{name}" in `where`' for name, column in where.items() if column is None]
    if block.private_column and private is None:
        lacking.append(f'"{block.private_column}" in `private_column`')
    return View(
        data_source=table.id,
        space=block.name or table.title,
        kind=Kind(block.kind),
        table=table,
        status=find_status(columns, block.status),
        due=find_due(columns, block.due),
        owner=find_owner(columns, block.owner),
        links=frozenset(linked),
        paused=frozenset(block.paused),
        where={c.id: frozenset(block.where[name]) for name, c in where.items() if c is not None},
        private=block.private,
        private_column=private.id if private else "",
        lacking=tuple(lacking),
        own={key: own for key, own in owned.items() if kinds.get(own) == TYPES.get(key)},
        hidden=hidden,
        categories=dict(statuses),
        bot=bot,
        words=words,
    )


def find_status(columns: Iterable[Column], wanted: str) -> str:
    """The column with that name, else the first status column, else a select called Status."""
    columns = list(columns)
    if wanted:
        return _named(columns, wanted, ("status", "select"))
    first = next((c.id for c in columns if c.type == "status"), "")
    return first or next(
        (c.id for c in columns if c.type == "select" and c.name.casefold() == "status"), ""
    )


def find_due(columns: Iterable[Column], wanted: str) -> str:
    """The column with that name, else the first date column whose name says that it is due."""
    columns = list(columns)
    if wanted:
        return _named(columns, wanted, ("date",))
    return next((c.id for c in columns if c.type == "date" and _DUE.search(c.name)), "")


def find_owner(columns: Iterable[Column], wanted: str) -> str:
    """The column with that name, else the first people column called so, else the first one."""
    columns = list(columns)
    if wanted:
        return _named(columns, wanted, ("people", "created_by", "select", "rich_text"))
    people = [c for c in columns if c.type == "people"]
    return next((c.id for c in [*(c for c in people if _OWNER.search(c.name)), *people]), "")


def _named(columns: list[Column], name: str, types: tuple[str, ...]) -> str:
    return next((c.id for c in columns if c.name == name and c.type in types), "")


def _hidden(table: Table, own: frozenset[str]) -> frozenset[str]:
    """Own columns, the last edit, and every formula or rollup that looks at one of them."""
    hidden = {c.id for c in table.columns if c.id in own or c.type in _EDITED}
    while True:
        names = {c.name for c in table.columns if c.id in hidden}
        more = {c.id for c in table.columns if c.id not in hidden and _looks_at(c, names, hidden)}
        if not more:
            return frozenset(hidden | own)
        hidden |= more


def looking_at(table: Table, column: Column, own: frozenset[str]) -> list[str]:
    """The names of the formulas and rollups of people's that look at a column."""
    names, ids = {column.name}, {column.id}
    return [c.name for c in table.columns if c.id not in own and _looks_at(c, names, ids)]


def _looks_at(column: Column, names: set[str], ids: set[str]) -> bool:
    if column.type == "rollup":
        return column.source in names
    if column.type != "formula":
        return False
    return any(f'"{name}"' in column.source for name in names) or any(
        f":{spelling}:" in column.source for key in ids for spelling in (key, unquote(key))
    )
