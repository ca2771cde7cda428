"""Notion's JSON, as far as opsync reads it.

Page properties: https://developers.notion.com/reference/page-property-values, schemas:
https://developers.notion.com/reference/property-object. The maps are Notion's own: properties are
keyed by name. What opsync has no use for is not decoded; what is rare stays raw.
"""

from __future__ import annotations

from msgspec import Raw, Struct

NOTHING = Raw(b"null")


class Run(Struct, frozen=True):
    """A piece of rich text; `href` is where it leads."""

    plain_text: str = ""
    href: str | None = None
    type: str = "text"


class Option(Struct, frozen=True):
    """A choice of a select, multi-select or status column."""

    name: str = ""
    id: str = ""


class Span(Struct, frozen=True):
    """A date or a range; each end is a date, or a datetime with its offset."""

    start: str | None = None
    end: str | None = None


class PersonEmail(Struct, frozen=True):
    email: str | None = None


class User(Struct, frozen=True):
    """A person, group or bot; only the id is always told."""

    id: str = ""
    name: str | None = None
    person: PersonEmail | None = None


class Reference(Struct, frozen=True):
    id: str


class File(Struct, frozen=True):
    name: str | None = None


class UniqueId(Struct, frozen=True):
    prefix: str | None = None
    number: int | None = None


class Cell(Struct, frozen=True, omit_defaults=True):
    """One property of a page: its id, its type, and the content under the type's key."""

    id: str = ""
    type: str = ""
    title: list[Run] | None = None
    rich_text: list[Run] | None = None
    number: float | None = None
    checkbox: bool | None = None
    url: str | None = None
    email: str | None = None
    phone_number: str | None = None
    select: Option | None = None
    status: Option | None = None
    multi_select: list[Option] | None = None
    date: Span | None = None
    people: list[User] | None = None
    relation: list[Reference] | None = None
    has_more: bool | None = None
    files: list[File] | None = None
    unique_id: UniqueId | None = None
    created_time: str | None = None
    created_by: User | None = None
    formula: Raw = NOTHING
    rollup: Raw = NOTHING


class Parent(Struct, frozen=True):
    type: str = ""
    data_source_id: str = ""
    database_id: str = ""


class Page(Struct, frozen=True, omit_defaults=True):
    """A row of a data source. `properties` is None in the partial pages that Notion answers to a
    connection without the capability to read content; the trash is told by `in_trash`, by
    `archived` too before version 2026-03-11."""

    id: str
    object: str = "page"
    url: str = ""
    created_time: str = ""
    last_edited_time: str = ""
    last_edited_by: User | None = None
    in_trash: bool | None = None
    archived: bool | None = None
    is_archived: bool = False
    parent: Parent | None = None
    properties: dict[str, Cell] | None = None

    @property
    def trashed(self) -> bool:
        return bool(self.archived if self.in_trash is None else self.in_trash)


class PageHead(Struct, frozen=True):
    """What names a row that cannot be read whole, and where it stands in the order."""

    id: str = ""
    object: str = "page"
    created_time: str = ""
    last_edited_time: str = ""


class RequestStatus(Struct, frozen=True):
    type: str = ""
    incomplete_reason: str = ""


class QueryAnswer(Struct, frozen=True):
    """One answer of a query, its rows not decoded yet."""

    results: Raw
    next_cursor: str | None = None
    has_more: bool = False
    request_status: RequestStatus | None = None


class PropertyItem(Struct, frozen=True):
    """One item of a long cell."""

    type: str = ""
    title: Run | None = None
    rich_text: Run | None = None
    relation: Reference | None = None
    people: User | None = None


class PropertyItems(Struct, frozen=True):
    results: list[PropertyItem]
    next_cursor: str | None = None
    has_more: bool = False


class Markdown(Struct, frozen=True):
    markdown: str = ""


class BlockText(Struct, frozen=True):
    rich_text: list[Run] = []


class PageBody(Struct, frozen=True):
    """One block of a page's body."""

    id: str
    type: str = ""
    created_by: Reference = Reference("")
    last_edited_by: Reference = Reference("")
    has_children: bool = False
    heading_2: BlockText | None = None

    @property
    def plain(self) -> str:
        """The text of a heading; "" of all else."""
        runs = self.heading_2.rich_text if self.heading_2 else []
        return "".join(run.plain_text for run in runs).rstrip()


class BlockList(Struct, frozen=True):
    results: list[PageBody] = []
    next_cursor: str | None = None
    has_more: bool = False


class Group(Struct, frozen=True):
    """A status column's group of options: To-do, In progress, Complete."""

    name: str = ""
    option_ids: list[str] = []


class Choices(Struct, frozen=True):
    options: list[Option] = []
    groups: list[Group] = []


class NumberFormat(Struct, frozen=True):
    format: str = ""


class Expression(Struct, frozen=True):
    expression: str = ""


class RollupOf(Struct, frozen=True):
    rollup_property_name: str = ""


class Property(Struct, frozen=True):
    """One column of a data source."""

    id: str
    name: str = ""
    type: str = ""
    description: str | None = None
    status: Choices | None = None
    select: Choices | None = None
    multi_select: Choices | None = None
    number: NumberFormat | None = None
    formula: Expression | None = None
    rollup: RollupOf | None = None


class Computed(Struct, frozen=True):
    """What a formula or a rollup came to; a rollup's array holds cells."""

    type: str = ""
    string: str | None = None
    number: float | None = None
    boolean: bool | None = None
    date: Span | None = None
    array: list[Cell] = []


class DataSourceObject(Struct, frozen=True):
    id: str
    title: list[Run] = []
    properties: dict[str, Property] = {}
    parent: Parent | None = None


class DatabaseObject(Struct, frozen=True):
    id: str
    title: list[Run] = []
    data_sources: list[Reference] = []


class BotWorkspace(Struct, frozen=True):
    workspace_name: str | None = None


class Me(Struct, frozen=True):
    """The connection's own user."""

    id: str = ""
    name: str | None = None
    type: str = ""
    bot: BotWorkspace | None = None


class ErrorBody(Struct, frozen=True):
    code: str
    message: str = ""
