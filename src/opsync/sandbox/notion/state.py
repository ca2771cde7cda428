"""The simulated workspace's ground truth: people, databases, data sources and pages."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from opsync.sandbox.notion.problems import invalid
from opsync.sandbox.notion.schema import Property, Schema
from opsync.sandbox.notion.values import Run, Value, plain

SEED = 20_250_903


@dataclass(frozen=True, slots=True)
class User:
    """A person, or the bot that stands for the connection (no email)."""

    id: str
    name: str
    email: str = ""

    @property
    def is_bot(self) -> bool:
        return not self.email


@dataclass
class DataSource:
    """One table of a database."""

    id: str
    database_id: str
    name: str
    schema: Schema
    created: datetime
    updated: datetime
    created_by: str
    updated_by: str
    trashed: bool = False
    numbered: int = 0
    """The last number given out for a `unique_id` column."""

    def prop(self, name: str) -> Property:
        """The column called `name`; KeyError when there is none."""
        found = self.schema.find(name)
        if found is None:
            raise KeyError(name)
        return found


@dataclass
class Database:
    """A database as people see it: a title over one or more data sources."""

    id: str
    title: str
    created: datetime
    data_sources: list[DataSource] = field(default_factory=list)

    @property
    def data_source(self) -> DataSource:
        """The first data source, the one a new database has."""
        return self.data_sources[0]


@dataclass(eq=False)
class Block:
    """One block of a page's body, with its text."""

    id: str
    type: str
    runs: tuple[Run, ...]
    created: datetime
    updated: datetime
    created_by: str
    updated_by: str
    has_children: bool = False

    @property
    def text(self) -> str:
        return plain(self.runs)


@dataclass(eq=False)
class Page:
    """A row. `cells` is keyed by the column's raw id; a missing key is an empty cell."""

    id: str
    data_source: DataSource
    cells: dict[str, Value]
    created: datetime
    updated: datetime
    created_by: str
    updated_by: str
    body: str = ""
    trashed: bool = False
    archived: bool = False
    number: int = 0
    blocks: list[Block] = field(default_factory=list)
    """What stands below `body`."""

    @property
    def url(self) -> str:
        return f"https://app.notion.com/p/{self.id.replace('-', '')}"

    @property
    def title(self) -> str:
        return self.text("title")

    def cell(self, name: str) -> Value:
        """What the column called `name` holds (None or an empty tuple: nothing)."""
        return self.cells.get(self.data_source.prop(name).raw_id)

    def text(self, name: str) -> str:
        """The text of a text column or the name of a select's choice; "" when empty."""
        prop = self.data_source.prop(name)
        value = self.cells.get(prop.raw_id)
        if isinstance(value, tuple):
            return plain(tuple(r for r in value if isinstance(r, Run)))
        if isinstance(value, str):
            option = prop.option_by_id(value)
            return option.name if option else value
        return ""


def dashed(remote_id: str) -> str:
    """An id in the spelling answers use. Raises Problem when it is no UUID."""
    try:
        return str(uuid.UUID(remote_id))
    except ValueError:
        raise invalid(
            "path failed validation: path.id should be a valid uuid, "
            f"instead was `{remote_id[:60]}`."
        ) from None


@dataclass
class State:
    """All objects by id, and the deterministic source of new ids."""

    seed: int = SEED
    rng: random.Random = field(init=False)
    users: dict[str, User] = field(default_factory=dict)
    databases: dict[str, Database] = field(default_factory=dict)
    data_sources: dict[str, DataSource] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    _issued: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)  # noqa: S311 -- repeatable ids, not secrets

    def new_id(self, kind: str) -> str:
        """The next id of a kind of object; the same sequence of calls gives the same ids."""
        self._issued[kind] += 1
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.seed}/{kind}/{self._issued[kind]}"))

    def new_schema(self) -> Schema:
        return Schema(random.Random(self.rng.random()), lambda: self.new_id("option"))  # noqa: S311 -- repeatable ids

    def pages_of(self, source: DataSource) -> Iterator[Page]:
        """Every row of a data source, trashed and archived ones too."""
        return (page for page in self.pages.values() if page.data_source is source)
