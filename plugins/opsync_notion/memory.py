"""What an instance keeps from pass to pass. All of it can be learned again from Notion."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TypeVar, cast

import msgspec
from msgspec import Struct

from opsync import Value
from opsync_notion.schema import Table

T = TypeVar("T")


class OwnColumn(Struct, frozen=True, omit_defaults=True):
    """A column that opsync made: its id, and the name the configuration then asked for. `away`
    says that people removed it for good; `given_up` that it is opsync's while it stands, and made
    anew once it is gone."""

    id: str
    name: str
    away: bool = False
    given_up: bool = False


class OwnPart(Struct, frozen=True):
    """A part of a page that opsync keeps: its heading, and the blocks below it."""

    heading: str
    blocks: tuple[str, ...] = ()


class Memory:
    """Typed access to the core's map for the instance. What cannot be read counts as absent."""

    def __init__(self, kept: MutableMapping[str, Value]) -> None:
        self._kept = kept
        self._resolved = self._load("resolved", dict[str, tuple[str, ...]])
        self._tables = self._load("tables", dict[str, Table])
        self._columns = self._load("columns", dict[str, dict[str, OwnColumn]])
        self._foreign = self._load("foreign", dict[str, tuple[str, ...]])
        self._appeared = self._load("appeared", dict[str, tuple[str, ...]])
        self._unsure = self._load("unsure", dict[str, dict[str, str]])
        self._whole = self._load("whole", dict[str, dict[str, str]])
        self._parts = self._load("parts", dict[str, OwnPart])

    def _load(self, key: str, type_: type[dict[str, T]]) -> dict[str, T]:
        try:
            return msgspec.convert(self._kept.get(key) or {}, type_)
        except msgspec.ValidationError:
            return {}

    def _save(self, key: str, values: Mapping[str, object]) -> None:
        self._kept[key] = cast("Value", msgspec.to_builtins(values))

    def resolved(self, configured: str) -> tuple[str, ...]:
        """The data sources that a configured id stands for; () where not known."""
        return self._resolved.get(configured, ())

    def set_resolved(self, configured: str, data_sources: tuple[str, ...]) -> None:
        self._resolved[configured] = data_sources
        self._save("resolved", self._resolved)

    def table(self, data_source: str) -> Table | None:
        """The columns of a data source as they were last read."""
        return self._tables.get(data_source)

    def set_table(self, table: Table) -> None:
        if self._tables.get(table.id) != table:
            self._tables[table.id] = table
            self._save("tables", self._tables)

    def columns(self, data_source: str) -> dict[str, OwnColumn]:
        """opsync's own columns by surface, also those that a person has removed since."""
        return dict(self._columns.get(data_source, {}))

    def add_columns(self, data_source: str, columns: Mapping[str, OwnColumn]) -> None:
        if columns:
            self._columns[data_source] = self.columns(data_source) | dict(columns)
            self._save("columns", self._columns)

    def forget_column(
        self, data_source: str, surface: str, column_id: str, *, for_good: bool = False
    ) -> None:
        """Give a column up; or, `for_good`, note that people will have none. One that was made in
        its place since stays."""
        own = self.columns(data_source).get(surface)
        if own is not None and own.id == column_id:
            after = OwnColumn(own.id, own.name, away=for_good, given_up=not for_good)
            self.add_columns(data_source, {surface: after})

    def foreign(self, data_source: str) -> frozenset[str]:
        """Ids of columns that were looked at and belong to somebody else."""
        return frozenset(self._foreign.get(data_source, ()))

    def set_foreign(self, data_source: str, ids: frozenset[str]) -> None:
        if self.foreign(data_source) != ids:
            self._foreign[data_source] = tuple(sorted(ids))
            self._save("foreign", self._foreign)

    def unsure(self, data_source: str) -> dict[str, str]:
        """By surface the id of a column of which it cannot be told whether it is opsync's."""
        return dict(self._unsure.get(data_source, {}))

    def set_unsure(self, data_source: str, ids: Mapping[str, str]) -> None:
        if self.unsure(data_source) != ids:
            self._unsure[data_source] = dict(ids)
            self._save("unsure", self._unsure)

    def appeared(self, data_source: str) -> frozenset[str]:
        """Ids of columns that came since the schema was first read, and that nobody spoke for."""
        return frozenset(self._appeared.get(data_source, ()))

    def set_appeared(self, data_source: str, ids: frozenset[str]) -> None:
        if self.appeared(data_source) != ids:
            self._appeared[data_source] = tuple(sorted(ids))
            self._save("appeared", self._appeared)

    def whole(self, data_source: str) -> dict[str, str]:
        """Late pages of which all was read that a listing leaves out: when each was edited."""
        return dict(self._whole.get(data_source, {}))

    def set_whole(self, data_source: str, edited: Mapping[str, str]) -> None:
        if self.whole(data_source) != edited:
            self._whole[data_source] = dict(edited)
            self._save("whole", self._whole)

    def part(self, page: str, part: str) -> tuple[str, tuple[str, ...]]:
        """The heading and the blocks of an own part of a page; "" and () where not known."""
        found = self._parts.get(f"{page}:{part}")
        return (found.heading, found.blocks) if found else ("", ())

    def set_part(self, page: str, part: str, heading: str, blocks: tuple[str, ...]) -> None:
        self._parts[f"{page}:{part}"] = OwnPart(heading, blocks)
        self._save("parts", self._parts)

    def forget_part(self, page: str, part: str) -> None:
        if self._parts.pop(f"{page}:{part}", None) is not None:
            self._save("parts", self._parts)

    @property
    def bot(self) -> str:
        """The id under which opsync's own edits appear; "" until the first one."""
        bot = self._kept.get("bot")
        return bot if isinstance(bot, str) else ""

    @bot.setter
    def bot(self, user_id: str) -> None:
        if user_id and user_id != self.bot:
            self._kept["bot"] = user_id

    @property
    def asks_for_archived(self) -> bool:
        """Whether this version of the API lists archived pages when asked to."""
        return self._kept.get("no_archived") is not True

    def stop_asking_for_archived(self) -> None:
        self._kept["no_archived"] = True
