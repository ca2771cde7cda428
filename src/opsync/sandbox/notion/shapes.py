"""Users, databases, data sources, pages and blocks in the API's shapes.

In 2025-09-03 the trash flag is told twice (`archived`, `in_trash`); 2026-03-11 has `in_trash`.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import NAMESPACE_OID, uuid5

from opsync.sandbox.notion.cells import cell_shape, user_shape
from opsync.sandbox.notion.schema import Property
from opsync.sandbox.notion.state import Block, Database, DataSource, Page, State, User
from opsync.sandbox.notion.values import Run, run_shape, stamp

OLD_VERSION = "2025-09-03"
NEW_VERSION = "2026-03-11"
VERSIONS = (OLD_VERSION, NEW_VERSION)


def bot_shape(bot: User, workspace_id: str, workspace_name: str) -> dict[str, object]:
    """The connection's own user, as `GET /users/me` shows it."""
    return user_shape(bot) | {
        "bot": {
            "owner": {"type": "workspace", "workspace": True},
            "workspace_id": workspace_id,
            "workspace_name": workspace_name,
            "workspace_limits": {"max_file_upload_size_in_bytes": 5_242_880},
        }
    }


def _by(user_id: str) -> dict[str, object]:
    return {"object": "user", "id": user_id}


def _trash(version: str, *, trashed: bool) -> dict[str, object]:
    flags: dict[str, object] = {"in_trash": trashed}
    if version == OLD_VERSION:
        flags["archived"] = trashed
    return flags


def _url(remote_id: str) -> str:
    return f"https://app.notion.com/p/{remote_id.replace('-', '')}"


def _title(text: str) -> list[object]:
    return [run_shape(Run(text))] if text else []


def database_shape(database: Database, version: str) -> dict[str, object]:
    created = database.created.isoformat(timespec="milliseconds")
    return {
        "object": "database",
        "id": database.id,
        "title": _title(database.title),
        "description": [],
        "parent": {"type": "workspace", "workspace": True},
        "is_inline": False,
        "is_locked": False,
        "created_time": created,
        "last_edited_time": created,
        "data_sources": [
            {"id": source.id, "name": source.name}
            for source in database.data_sources
            if not source.trashed
        ],
        "icon": None,
        "cover": None,
        "url": _url(database.id),
        "public_url": None,
    } | _trash(version, trashed=False)


def data_source_shape(source: DataSource, version: str) -> dict[str, object]:
    return {
        "object": "data_source",
        "id": source.id,
        "cover": None,
        "icon": None,
        "created_time": stamp(source.created),
        "created_by": _by(source.created_by),
        "last_edited_by": _by(source.updated_by),
        "last_edited_time": stamp(source.updated),
        "title": _title(source.name),
        "description": [],
        "is_inline": False,
        "properties": source.schema.shape(),
        "parent": {"type": "database_id", "database_id": source.database_id},
        "database_parent": {"type": "workspace", "workspace": True},
        "url": _url(source.database_id),
        "public_url": None,
    } | _trash(version, trashed=source.trashed)


def page_shape(
    state: State, page: Page, version: str, columns: Iterable[Property] | None = None
) -> dict[str, object]:
    """A page; `columns` limits its properties as `filter_properties` asks."""
    source = page.data_source
    shown = source.schema.properties.values() if columns is None else columns
    return {
        "object": "page",
        "id": page.id,
        "created_time": stamp(page.created),
        "last_edited_time": stamp(page.updated),
        "created_by": _by(page.created_by),
        "last_edited_by": _by(page.updated_by),
        "cover": None,
        "icon": None,
        "parent": {
            "type": "data_source_id",
            "data_source_id": source.id,
            "database_id": source.database_id,
        },
        "is_archived": page.archived,
        "is_locked": False,
        "properties": {prop.name: cell_shape(state, page, prop) for prop in shown},
        "url": page.url,
        "public_url": None,
    } | _trash(version, trashed=page.trashed)


def block_shapes(page: Page, version: str) -> list[dict[str, object]]:
    """The body as paragraphs, then what stands below it; a page without a body has none."""
    paragraphs = [line for line in page.body.split("\n") if line.strip()]
    return [
        {
            "object": "block",
            "id": str(uuid5(NAMESPACE_OID, f"{page.id}/{index}")),
            "parent": {"type": "page_id", "page_id": page.id},
            "created_time": stamp(page.created),
            "last_edited_time": stamp(page.updated),
            "created_by": _by(page.created_by),
            "last_edited_by": _by(page.updated_by),
            "has_children": False,
            "type": "paragraph",
            "paragraph": {"rich_text": _title(line), "icon": None, "color": "default"},
        }
        | _trash(version, trashed=page.trashed)
        for index, line in enumerate(paragraphs)
    ] + [block_shape(page, block, version) for block in page.blocks]


def block_shape(
    page: Page, block: Block, version: str, *, trashed: bool = False
) -> dict[str, object]:
    text: dict[str, object] = {"rich_text": [run_shape(run) for run in block.runs]}
    return {
        "object": "block",
        "id": block.id,
        "parent": {"type": "page_id", "page_id": page.id},
        "created_time": stamp(block.created),
        "last_edited_time": stamp(block.updated),
        "created_by": _by(block.created_by),
        "last_edited_by": _by(block.updated_by),
        "has_children": block.has_children,
        "type": block.type,
        block.type: text | {"color": "default"},
    } | _trash(version, trashed=trashed or page.trashed)


_MARKS = {"heading_1": "# ", "heading_2": "## ", "heading_3": "### ", "bulleted_list_item": "- "}


def markdown_shape(page: Page) -> dict[str, object]:
    lines = [page.body] if page.body else []
    lines += [f"{_MARKS.get(block.type, '')}{block.text}" for block in page.blocks]
    return {
        "object": "page_markdown",
        "id": page.id,
        "markdown": "\n".join(lines),
        "truncated": False,
        "unknown_block_ids": [],
    }


def list_shape(kind: str, results: Iterable[object], next_cursor: str | None) -> dict[str, object]:
    """One page of a listing."""
    return {
        "object": "list",
        "results": list(results),
        "next_cursor": next_cursor,
        "has_more": next_cursor is not None,
        "type": kind,
        kind: {},
    }
