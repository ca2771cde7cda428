"""A request that passed the gate, and what several endpoints need from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from opsync.sandbox.notion import query
from opsync.sandbox.notion.problems import Problem, failed, invalid
from opsync.sandbox.notion.schema import Property
from opsync.sandbox.notion.shapes import list_shape
from opsync.sandbox.notion.state import DataSource, Page, dashed

if TYPE_CHECKING:
    from opsync.sandbox.notion.workspace import NotionWorkspace

Answer: TypeAlias = dict[str, object]

MAX_FILTER_PROPERTIES = 100


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the gate. `params` are the query's pairs, in order."""

    workspace: NotionWorkspace
    version: str
    ids: tuple[str, ...]
    params: tuple[tuple[str, str], ...]
    body: dict[str, object]

    def param(self, name: str) -> str | None:
        return next((value for key, value in self.params if key == name), None)

    def params_of(self, name: str) -> list[str]:
        return [value for key, value in self.params if key == name]


def missing(call: Call, kind: str, remote_id: str) -> Problem:
    """A 404: the vendor does not tell what is missing from what is not shared."""
    return Problem(
        "object_not_found",
        f"Could not find {kind} with ID: {remote_id}. Make sure the relevant pages and databases "
        f'are shared with your integration "{call.workspace.bot.name}".',
        integration_id=call.workspace.bot.id,
    )


def page_of(call: Call) -> Page:
    """The page that the address names. Raises Problem."""
    remote_id = dashed(call.ids[0])
    page = call.workspace.state.pages.get(remote_id)
    if page is None or not call.workspace.shows(page):
        raise missing(call, "page", remote_id)
    return page


def source_of(call: Call, raw: str) -> DataSource:
    """The data source with this id, dashed or not. Raises Problem."""
    remote_id = dashed(raw)
    source = call.workspace.state.data_sources.get(remote_id)
    if source is None or call.workspace.denies(source.id, source.database_id):
        raise missing(call, "data_source", remote_id)
    return source


def columns_of(call: Call, source: DataSource) -> list[Property] | None:
    """The columns of `filter_properties`, which are ids; None for all."""
    keys = call.params_of("filter_properties")
    if len(keys) > MAX_FILTER_PROPERTIES:
        raise failed("filter_properties.length", f"≤ `{MAX_FILTER_PROPERTIES}`", len(keys))
    if not keys:
        return None
    columns = [source.schema.by_id(key) for key in keys]
    unknown = [key for key, column in zip(keys, columns, strict=True) if column is None]
    if unknown:
        raise invalid(f"Could not find property with id: {unknown[0]}")
    return [column for column in columns if column is not None]


def size_of(raw: object) -> int:
    """A page size within the vendor's limit. Raises Problem."""
    if raw is None:
        return query.MAX_PAGE_SIZE
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < 1:
        raise failed("page_size", "a positive integer", raw)
    if raw > query.MAX_PAGE_SIZE:
        raise failed("page_size", f"≤ `{query.MAX_PAGE_SIZE}`", raw)
    return raw


def listing_of(call: Call, kind: str, items: list[Answer]) -> Answer:
    """A page of `items`; the cursor and the size stand in the query, or in a search's body."""
    ws = call.workspace
    raw_size: object = call.param("page_size") or call.body.get("page_size")
    if isinstance(raw_size, str):
        raw_size = int(raw_size) if raw_size.isdecimal() else -1
    size = size_of(raw_size)
    name = f"{kind}/{call.ids}/{call.body.get('query')}"
    cursor = ws.cursors.open(call.param("start_cursor") or call.body.get("start_cursor"), name)
    start = cursor.given if cursor else 0
    end = start + size
    following = query.Cursor((), end) if end < len(items) else None
    return list_shape(kind, items[start:end], ws.cursors.give(following, name, ws.state))
