"""What each address of the simulated Notion API does. All run with the workspace's lock held."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from opsync.sandbox.notion import query, webhooks
from opsync.sandbox.notion.bodies import append_children, block_children, delete_block
from opsync.sandbox.notion.call import (
    Answer,
    Call,
    columns_of,
    listing_of,
    missing,
    page_of,
    size_of,
    source_of,
)
from opsync.sandbox.notion.cells import cell_items, cell_shape, user_shape, written
from opsync.sandbox.notion.problems import (
    Problem,
    a_bool,
    a_string,
    an_object,
    failed,
    invalid,
)
from opsync.sandbox.notion.schema import Property, Schema
from opsync.sandbox.notion.shapes import (
    NEW_VERSION,
    bot_shape,
    data_source_shape,
    database_shape,
    list_shape,
    markdown_shape,
    page_shape,
)
from opsync.sandbox.notion.state import Database, DataSource, Page, dashed
from opsync.sandbox.notion.values import LIST_TYPES, Value


def me(call: Call) -> Answer:
    ws = call.workspace
    return bot_shape(ws.bot, ws.workspace_id, ws.workspace_name)


def users(call: Call) -> Answer:
    return listing_of(call, "user", [user_shape(u) for u in call.workspace.state.users.values()])


def user(call: Call) -> Answer:
    remote_id = dashed(call.ids[0])
    found = call.workspace.state.users.get(remote_id)
    if found is None:
        raise missing(call, "user", remote_id)
    return user_shape(found)


def database(call: Call) -> Answer:
    remote_id = dashed(call.ids[0])
    found: Database | None = call.workspace.state.databases.get(remote_id)
    if found is None or call.workspace.denies(found.id):
        raise missing(call, "database", remote_id)
    return database_shape(found, call.version)


def data_source(call: Call) -> Answer:
    return data_source_shape(source_of(call, call.ids[0]), call.version)


def update_data_source(call: Call) -> Answer:
    """Add, change, rename and remove columns, all or none of them."""
    source = source_of(call, call.ids[0])
    schema = source.schema
    changes = an_object(call.body.get("properties", {}), "properties")
    before = dict(schema.properties)
    try:
        for key, definition in changes.items():
            _change_column(schema, key, definition)
    except Problem:
        schema.properties = before
        raise
    for page in call.workspace.state.pages_of(source):
        for raw_id, old in before.items():
            new = schema.by_id(raw_id)
            if new is not old and raw_id in page.cells:
                page.cells[raw_id] = _kept(page.cells[raw_id], old, new)
    source.updated = call.workspace.now()
    source.updated_by = call.workspace.bot.id
    webhooks.tell_columns(call.workspace, source, source.updated_by)
    return data_source_shape(source, call.version)


def _change_column(schema: Schema, key: str, definition: object) -> None:
    prop = schema.find(key)
    if definition is None:
        if prop is None:
            raise invalid(f"Could not find property with name or id: {key}")
        schema.remove(prop)
    elif prop is None:
        schema.add(key, an_object(definition, f"properties.{key}"))
    else:
        schema.change(prop, an_object(definition, f"properties.{key}"))


def _kept(value: Value, old: Property, new: Property | None) -> Value:
    """What a cell still holds after its column changed."""
    if new is None or new.type != old.type:
        return None
    ids = {option.id for option in new.options}
    if new.type in ("select", "status"):
        return value if value in ids else None
    if new.type == "multi_select" and isinstance(value, tuple):
        return tuple(i for i in value if isinstance(i, str) and i in ids)
    return value


def query_data_source(call: Call) -> Answer:
    """Rows of one data source; trashed and archived ones only when asked for."""
    source = source_of(call, call.ids[0])
    ws, body = call.workspace, call.body
    columns = columns_of(call, source)
    trashed = _trash_flag(call) or False
    archived = a_bool(body.get("is_archived", False), "is_archived")
    if body.get("result_type", "page") not in ("page", "data_source"):
        raise failed("result_type", "`page` or `data_source`", body["result_type"])
    test = (
        query.build_filter(source.schema, ws.now(), body["filter"])
        if body.get("filter") is not None
        else None
    )
    order = query.build_order(source.schema, body.get("sorts") or [])
    listing = f"query/{source.id}/{body.get('filter')}/{body.get('sorts')}/{trashed}/{archived}"
    after = ws.cursors.open(body.get("start_cursor"), listing)
    rows = (
        page
        for page in ws.state.pages_of(source)
        if page.trashed == trashed
        and (trashed or page.archived == archived)
        and body.get("result_type") != "data_source"
        and not ws.denies(page.id)
        and (test is None or test(page))
    )
    part = query.cut(rows, order, after, size_of(body.get("page_size")), ws.result_limit)
    cursor = ws.cursors.give(part.next, listing, ws.state)
    shapes = [page_shape(ws.state, page, call.version, columns) for page in part.pages]
    answer = list_shape("page_or_data_source", shapes, cursor)
    if part.capped:
        answer["request_status"] = {
            "type": "incomplete",
            "incomplete_reason": "query_result_limit_reached",
        }
    return answer


def search(call: Call) -> Answer:
    """Pages and data sources by title, the last edited first."""
    ws, body = call.workspace, call.body
    wanted = a_string(body.get("query", ""), "query").casefold()
    only = an_object(body.get("filter", {}), "filter").get("value")
    sort = an_object(body.get("sort", {}), "sort")
    found: list[tuple[float, str, Answer]] = []
    for page in ws.state.pages.values():
        if (
            only != "data_source"
            and not page.trashed
            and ws.shows(page)
            and (wanted in page.title.casefold())
        ):
            shape = page_shape(ws.state, page, call.version)
            found.append((page.updated.timestamp(), page.id, shape))
    for source in ws.state.data_sources.values():
        shared = not ws.denies(source.id, source.database_id)
        if only != "page" and wanted in source.name.casefold() and shared:
            shape = data_source_shape(source, call.version)
            found.append((source.updated.timestamp(), source.id, shape))
    found.sort(key=lambda item: item[:2], reverse=sort.get("direction") != "ascending")
    return listing_of(call, "page_or_data_source", [shape for _, _, shape in found])


def page(call: Call) -> Answer:
    found = page_of(call)
    columns = columns_of(call, found.data_source)
    return page_shape(call.workspace.state, found, call.version, columns)


def update_page(call: Call) -> Answer:
    """Write the listed cells and flags, all or none of them; the rest stays."""
    found = page_of(call)
    columns_of(call, found.data_source)  # What it asks for is looked at before anything is written.
    trashed = _trash_flag(call)
    if found.trashed and trashed is not False:
        raise invalid(
            "Can't edit block that is archived. You must unarchive the block before editing."
        )
    cells = _written_cells(call, found.data_source)
    found.cells.update(cells)
    if trashed is not None:
        found.trashed = trashed
    found.updated = call.workspace.now()
    found.updated_by = call.workspace.bot.id
    if trashed is not None:
        event = "page.deleted" if trashed else "page.undeleted"
        webhooks.tell_page(call.workspace, event, found, found.updated_by)
    if cells:
        ids = [prop.id for raw, prop in found.data_source.schema.properties.items() if raw in cells]
        webhooks.tell_page(call.workspace, "page.properties_updated", found, found.updated_by, ids)
    # The columns as they are now, with the choices that this request made.
    columns = columns_of(call, found.data_source)
    return page_shape(call.workspace.state, found, call.version, columns)


def create_page(call: Call) -> Answer:
    """A new row. Bodies and templates are left out."""
    parent = an_object(call.body.get("parent"), "parent")
    source = source_of(call, a_string(parent.get("data_source_id"), "parent.data_source_id"))
    ws = call.workspace
    columns_of(call, source)
    cells = _written_cells(call, source)
    source.numbered += 1
    now = ws.now()
    page_id = ws.state.new_id("page")
    made = Page(page_id, source, cells, now, now, ws.bot.id, ws.bot.id, number=source.numbered)
    ws.state.pages[page_id] = made
    webhooks.tell_page(ws, "page.created", made, ws.bot.id)
    return page_shape(ws.state, made, call.version, columns_of(call, source))


def _written_cells(call: Call, source: DataSource) -> dict[str, Value]:
    """The cells of a request; choices created on the way stay only when all are fine."""
    schema = source.schema
    before = dict(schema.properties)
    cells: dict[str, Value] = {}
    try:
        for key, payload in an_object(call.body.get("properties", {}), "properties").items():
            prop = schema.find(key)
            if prop is None:
                raise invalid(f"{key} is not a property that exists.")
            cells[prop.raw_id] = written(call.workspace.state, schema, prop, payload)
    except Problem:
        schema.properties = before
        raise
    return cells


def _trash_flag(call: Call) -> bool | None:
    if call.version == NEW_VERSION and "archived" in call.body:
        raise invalid("body failed validation: body.archived should be not present.")
    for key in ("in_trash", "archived"):
        if key in call.body:
            return a_bool(call.body[key], key)
    return None


def page_property(call: Call) -> Answer:
    """One cell in full: a paginated list for texts, relations and people, else one item."""
    found = page_of(call)
    key = call.ids[1]
    prop = found.data_source.schema.find(key)
    if prop is None:
        raise Problem("object_not_found", f"Could not find property with ID: {key}.")
    state = call.workspace.state
    if prop.type not in LIST_TYPES:
        return {"object": "property_item"} | cell_shape(state, found, prop)
    items = [
        {"object": "property_item", "type": prop.type, "id": prop.id, prop.type: item}
        for item in cell_items(state, found, prop)
    ]
    answer = listing_of(call, "property_item", items)
    answer["property_item"] = {
        "id": prop.id,
        "next_url": None,
        "type": prop.type,
        prop.type: {},
    }
    return answer


def markdown(call: Call) -> Answer:
    return markdown_shape(page_of(call))


@dataclass(frozen=True, slots=True)
class Route:
    """One address; `reads` is False where the request changes something. `needs` is the
    capability without which the connection is refused ("": none)."""

    method: str
    pattern: re.Pattern[str]
    answer: Callable[[Call], Answer]
    reads: bool = True
    needs: str = "read content"


def _route(
    method: str,
    path: str,
    answer: Callable[[Call], Answer],
    *,
    reads: bool = True,
    needs: str = "read content",
) -> Route:
    return Route(method, re.compile(path.replace("{id}", "([^/]+)")), answer, reads, needs)


ROUTES = (
    _route("GET", "/v1/users/me", me, needs=""),
    _route("GET", "/v1/users", users, needs="user information"),
    _route("GET", "/v1/users/{id}", user, needs="user information"),
    _route("GET", "/v1/databases/{id}", database),
    _route("GET", "/v1/data_sources/{id}", data_source),
    _route(
        "PATCH", "/v1/data_sources/{id}", update_data_source, reads=False, needs="update content"
    ),
    _route("POST", "/v1/data_sources/{id}/query", query_data_source),
    _route("POST", "/v1/search", search),
    _route("POST", "/v1/pages", create_page, reads=False, needs="insert content"),
    _route("GET", "/v1/pages/{id}", page),
    _route("PATCH", "/v1/pages/{id}", update_page, reads=False, needs="update content"),
    _route("GET", "/v1/pages/{id}/properties/{id}", page_property),
    _route("GET", "/v1/pages/{id}/markdown", markdown),
    _route("GET", "/v1/blocks/{id}/children", block_children),
    _route(
        "PATCH", "/v1/blocks/{id}/children", append_children, reads=False, needs="insert content"
    ),
    _route("DELETE", "/v1/blocks/{id}", delete_block, reads=False, needs="update content"),
)
