"""The settings of a Notion instance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from opsync import BaseUrl, Place, Token, WebhookSettings
from opsync_notion.ids import parse_id

_BLOCK = ConfigDict(
    extra="forbid",
    frozen=True,
    hide_input_in_errors=True,
    use_attribute_docstrings=True,
    validate_default=True,
)

Name = Annotated[str, Field(min_length=1, max_length=200)]


def _as_text(value: object) -> object:
    """A checkbox's value as its word."""
    return str(value).lower() if isinstance(value, bool) else value


Conditions = dict[
    Name,
    Annotated[tuple[Annotated[Name, BeforeValidator(_as_text)], ...], Field(min_length=1)],
]
"""Columns, and the values of which a page must have one in each."""


class Columns(BaseModel):
    """What opsync's own columns are called when they are made. They are found by id later."""

    model_config = _BLOCK

    delivery: Name = "Delivery"
    """The delivery summary, a text."""

    delivery_pct: Name = "Delivery %"
    """The share that is done, a number shown as a percentage."""

    delivery_health: Name = "Delivery health"
    """The health, a select with seven options."""

    work: Name = "Work"
    """The linked containers and items, a text with links."""

    adoption: Name = "Adoption"
    """How much it is used, a text. Made once there is something to say."""

    delivery_changed: Name = "Delivery changed"
    """The day on which the others but Adoption last changed, a date."""

    @model_validator(mode="after")
    def _distinct(self) -> Columns:
        names = [name.casefold() for name in self.model_dump().values()]
        if len(set(names)) != len(names):
            raise ValueError("two columns have the same name")
        return self


class DataSource(BaseModel):
    """One `[[instances.NAME.data_sources]]` block: a database, or one data source of it."""

    model_config = _BLOCK

    id: str
    """The id of a database or of a data source, with or without dashes, or its Notion URL."""

    name: str = ""
    """What people call it; "": its title in Notion."""

    where: Conditions = {}
    """Only pages of which these columns (select, status, multi-select or checkbox) have one of
    these values each: { Quarter = ["Q4", "Q1"] }. Empty: all."""

    private: bool = False
    """Whether its pages are private: counted, and shown elsewhere as `expose` says."""

    private_column: str = ""
    """The checkbox column that says of a page that it is private; "": none."""

    kind: Literal["initiative", "project", "issue", "document"] = "initiative"
    """What each of its pages is. Delivery columns are written on initiatives and projects."""

    status: str = ""
    """The column with the status; "": the first status column."""

    due: str = ""
    """The column with the due date; "": the first date column whose name says so."""

    owner: str = ""
    """The column with the owner; "": the first people column, one called Owner before others."""

    links: tuple[str, ...] = ()
    """The columns in which people paste the links that count; empty: all text, URL and relation
    columns."""

    paused: tuple[str, ...] = ()
    """Status options that say that the work is paused."""

    columns: Columns = Columns()
    """What opsync's own columns are called."""

    write: bool = True
    """Whether opsync may write its own columns here."""

    @field_validator("id")
    @classmethod
    def _an_id(cls, value: str) -> str:
        if not parse_id(value):
            raise ValueError("is no Notion id: open the database as a full page and copy its link")
        return value


class NotionSettings(WebhookSettings):
    """One Notion workspace, as one connection (token) sees it."""

    not_read = WebhookSettings.not_read | {"page_size", "requests_per_minute"}

    parted_by = "data_sources"

    data_sources: tuple[DataSource, ...] = Field(min_length=1)
    """What to read, one block each."""

    base_url: BaseUrl = "https://api.notion.com"
    """Where the API is; another address for a proxy, a gateway or a test server."""

    token: Token
    """The secret of the connection "opsync", or a personal access token."""

    version: Literal["2026-03-11", "2025-09-03"] = "2026-03-11"
    """The version of the API to speak."""

    read_body: bool = False
    """Whether to look for links in the pages' bodies too: one more request a changed page."""

    page_size: Annotated[int, Field(ge=1, le=100)] = 100
    """Rows asked for at once."""

    requests_per_minute: Annotated[float, Field(gt=0)] = 180.0
    """What the workspace's plan allows; opsync uses four fifths of it."""

    @field_validator("data_sources")
    @classmethod
    def _each_once(cls, value: tuple[DataSource, ...]) -> tuple[DataSource, ...]:
        ids = [parse_id(block.id) for block in value]
        if len(set(ids)) != len(ids):
            raise ValueError("the same id is there twice")
        return value

    def places(self) -> Iterable[Place]:
        """The databases and data sources in which opsync may write columns."""
        for block in self.data_sources:
            if block.write:
                id_ = parse_id(block.id) or block.id
                yield Place(id_, f"the data source {block.name or id_}")
