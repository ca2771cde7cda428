"""Cells in the API's shapes: read out, and written with the vendor's checks.

Limits: https://developers.notion.com/reference/request-limits
"""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime
from typing import cast

from opsync.sandbox.notion.problems import (
    a_bool,
    a_list,
    a_string,
    an_object,
    failed,
    invalid,
)
from opsync.sandbox.notion.schema import Property, Schema
from opsync.sandbox.notion.state import Page, State, User
from opsync.sandbox.notion.values import (
    INLINE_REFERENCES,
    NO_ANNOTATIONS,
    READ_ONLY_TYPES,
    TEXT_TYPES,
    Computed,
    FileLink,
    Run,
    Span,
    Value,
    iso_day,
    pasted,
    round_number,
    run_shape,
    stamp,
)

MAX_TEXT = 2000
"""UTF-16 units of one run's content, and of a URL."""
MAX_ITEMS = 100
"""Runs, choices, people or relations in one cell."""
MAX_EMAIL = 200

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")


def user_shape(user: User) -> dict[str, object]:
    """A user as people cells and `/users` show it."""
    shape: dict[str, object] = {
        "object": "user",
        "id": user.id,
        "name": user.name,
        "avatar_url": None,
    }
    if user.is_bot:
        return shape | {"type": "bot", "bot": {}}
    return shape | {"type": "person", "person": {"email": user.email}}


def cell_shape(state: State, page: Page, prop: Property) -> dict[str, object]:
    """One column of a page's `properties`, as pages and queries answer it."""
    content, more = _content(state, page, prop, INLINE_REFERENCES)
    shape: dict[str, object] = {"id": prop.id, "type": prop.type, prop.type: content}
    if prop.type == "relation":
        shape["has_more"] = more
    return shape


def cell_items(state: State, page: Page, prop: Property) -> list[object]:
    """All items of a text, relation or people cell, for the property endpoint."""
    content, _ = _content(state, page, prop, None)
    return cast("list[object]", content)


def _content(state: State, page: Page, prop: Property, limit: int | None) -> tuple[object, bool]:
    """What stands under the type's key, and whether references were left out."""
    value = page.cells.get(prop.raw_id)
    if prop.type in TEXT_TYPES:
        return [run_shape(run) for run in cast("tuple[Run, ...]", value or ())], False
    if prop.type in ("people", "relation"):
        ids = cast("tuple[str, ...]", value or ())
        shown = ids[:limit]
        if prop.type == "relation":
            return [{"id": i} for i in shown], len(ids) > len(shown)
        known = [state.users.get(i) for i in shown]
        return [user_shape(u) for u in known if u is not None], len(ids) > len(shown)
    if prop.type in ("select", "status"):
        option = prop.option_by_id(value) if isinstance(value, str) else None
        return (option.shape() if option else None), False
    if prop.type == "multi_select":
        chosen = [prop.option_by_id(i) for i in cast("tuple[str, ...]", value or ())]
        return [o.shape() for o in chosen if o is not None], False
    if prop.type == "files":
        files = cast("tuple[FileLink, ...]", value or ())
        return [
            {"name": f.name, "type": "external", "external": {"url": f.url}} for f in files
        ], False
    if isinstance(value, Span):
        return {"start": value.start, "end": value.end, "time_zone": value.time_zone}, False
    if isinstance(value, Computed):
        shape: dict[str, object] = {"type": value.type, value.type: value.value}
        return (shape | {"function": value.function} if value.function else shape), False
    return _derived(state, page, prop, value), False


def _derived(state: State, page: Page, prop: Property, value: Value) -> object:
    """Cells that follow from the page itself, and plain scalars."""
    by = {"created_by": page.created_by, "last_edited_by": page.updated_by}.get(prop.type)
    if by is not None:
        return user_shape(state.users[by])
    empty: dict[str, object] = {
        "created_time": stamp(page.created),
        "last_edited_time": stamp(page.updated),
        "unique_id": {"prefix": dict(prop.settings).get("prefix"), "number": page.number},
        "formula": {"type": "string", "string": None},
        "rollup": {"type": "number", "number": None, "function": "count"},
        "button": {},
        "verification": {"state": "unverified", "verified_by": None, "date": None},
        "checkbox": False,
    }
    return empty.get(prop.type) if value is None else value


def typed_by_person(state: State, schema: Schema, prop: Property, value: object) -> Value:
    """A cell as the app stores it from a simple Python value.

    Text: a str (its URLs become links) or a list of str and (text, url) pairs. Choices: names,
    created when missing. People: User. Relations: Page. Dates: date, datetime or a (start, end)
    pair. Files: (name, url) pairs. Computed cells: Computed. None empties the cell.
    """
    if value is None or isinstance(value, Computed):
        return value
    if prop.type in TEXT_TYPES:
        return _typed_text(value)
    if prop.type in ("select", "status"):
        return _choice(schema, prop, str(value))
    items = cast("list[object]", list(value) if isinstance(value, list | tuple) else [value])
    if prop.type == "multi_select":
        return tuple(_choice(schema, schema.properties[prop.raw_id], str(i)) for i in items)
    if prop.type == "people":
        return tuple(item.id for item in items if isinstance(item, User))
    if prop.type == "relation":
        return tuple(item.id if isinstance(item, Page) else str(item) for item in items)
    if prop.type == "files":
        return tuple(FileLink(*i) for i in items if isinstance(i, tuple))
    if prop.type == "date":
        ends = [iso_day(i) if isinstance(i, date | datetime) else str(i) for i in items]
        return Span(ends[0], ends[1] if len(ends) > 1 else None)
    if prop.type == "number" and isinstance(value, int | float):
        return round_number(value)
    if prop.type == "checkbox":
        return bool(value)
    return str(value)


def _typed_text(value: object) -> tuple[Run, ...]:
    if isinstance(value, str):
        return pasted(value)
    runs: list[Run] = []
    for part in cast("list[object]", value):
        if isinstance(part, tuple):
            runs.append(Run(str(part[0]), str(part[1])))
        else:
            runs.extend(pasted(str(part)))
    return tuple(runs)


def _choice(schema: Schema, prop: Property, name: str) -> str:
    return (prop.option(name) or schema.add_option(prop, name)).id


def written(state: State, schema: Schema, prop: Property, payload: object) -> Value:
    """A cell from a request's property value. Raises Problem as the vendor would refuse it."""
    path = f"properties.{prop.name}"
    if prop.type in READ_ONLY_TYPES:
        raise invalid(f"Cannot update property {prop.name!r}: {prop.type} values are read only.")
    body = an_object(payload, path)
    if prop.type not in body:
        raise invalid(f"{prop.name} is expected to be {prop.type}.")
    value = body[prop.type]
    path = f"{path}.{prop.type}"
    if prop.type in TEXT_TYPES:
        return _runs(value, path)
    if prop.type in ("people", "relation", "multi_select", "files"):
        return _several(state, schema, prop, value, path)
    if value is None:
        if prop.type == "checkbox":
            raise failed(path, "a boolean", value)
        return None
    if prop.type in ("select", "status"):
        return _written_choice(schema, prop, value, path)
    if prop.type == "checkbox":
        return a_bool(value, path)
    if prop.type == "number":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise failed(path, "a number", value)
        return round_number(value)
    if prop.type == "date":
        return _span(value, path)
    if prop.type in ("url", "email", "phone_number"):
        return _short(value, path, MAX_TEXT if prop.type == "url" else MAX_EMAIL)
    raise invalid(f"Cannot update property {prop.name!r} of type {prop.type}.")


def utf16_length(text: str) -> int:
    """Length as JavaScript counts it, which is how the vendor's limits are enforced here."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _short(value: object, path: str, limit: int) -> str:
    text = a_string(value, path)
    if not text:
        raise failed(f"{path}.length", "≥ `1`", 0)
    if utf16_length(text) > limit:
        raise failed(f"{path}.length", f"≤ `{limit}`", utf16_length(text))
    return text


def _runs(value: object, path: str) -> tuple[Run, ...]:
    items = a_list(value, path)
    if len(items) > MAX_ITEMS:
        raise failed(f"{path}.length", f"≤ `{MAX_ITEMS}`", len(items))
    runs = (_run(item, f"{path}[{index}]") for index, item in enumerate(items))
    return tuple(run for run in runs if run.text)


def _run(item: object, path: str) -> Run:
    entry = an_object(item, path)
    text = an_object(entry.get("text"), f"{path}.text")
    content = a_string(text.get("content"), f"{path}.text.content")
    if utf16_length(content) > MAX_TEXT:
        raise failed(f"{path}.text.content.length", f"≤ `{MAX_TEXT}`", utf16_length(content))
    link: str | None = None
    if text.get("link") is not None:
        target = an_object(text["link"], f"{path}.text.link")
        link = _short(target.get("url"), f"{path}.text.link.url", MAX_TEXT)
        if not re.match(r"(https?://|mailto:|/)", link):
            raise invalid("Invalid URL for link.")
    looks = an_object(entry.get("annotations", {}), f"{path}.annotations")
    kept = tuple((k, v) for k, v in looks.items() if NO_ANNOTATIONS.get(k, v) != v)
    return Run(content, link, kept)


def _written_choice(schema: Schema, prop: Property, value: object, path: str) -> str:
    entry = an_object(value, path)
    if "id" in entry:
        option = prop.option_by_id(str(entry["id"]))
        if option is None:
            raise invalid(f"Invalid {prop.type} option. Option ID {entry['id']} does not exist.")
        return option.id
    name = a_string(entry.get("name"), f"{path}.name")
    option = prop.option(name)
    if option is not None:
        return option.id
    if prop.type == "status":
        raise invalid(f'Invalid status option. Status option "{name}" does not exist".')
    if utf16_length(name) > MAX_ITEMS:
        raise failed(f"{path}.name.length", f"≤ `{MAX_ITEMS}`", utf16_length(name))
    return schema.add_option(prop, name).id


def _several(state: State, schema: Schema, prop: Property, value: object, path: str) -> Value:
    items = a_list(value, path)
    if len(items) > MAX_ITEMS:
        raise failed(f"{path}.length", f"≤ `{MAX_ITEMS}`", len(items))
    if prop.type == "multi_select":
        ids: list[str] = []
        for index, item in enumerate(items):
            current = schema.properties[prop.raw_id]
            ids.append(_written_choice(schema, current, item, f"{path}[{index}]"))
        return tuple(dict.fromkeys(ids))
    if prop.type == "files":
        return tuple(_file(item, f"{path}[{i}]") for i, item in enumerate(items))
    wanted = [_id_of(item, f"{path}[{i}]") for i, item in enumerate(items)]
    known = state.users if prop.type == "people" else state.pages
    for remote_id in wanted:
        if remote_id not in known:
            raise invalid(f"Could not find the {prop.type} target with ID: {remote_id}.")
    return tuple(dict.fromkeys(wanted))


def _id_of(item: object, path: str) -> str:
    raw = a_string(an_object(item, path).get("id"), f"{path}.id")
    try:
        return str(uuid.UUID(raw))
    except ValueError:
        raise failed(f"{path}.id", "a valid uuid", raw) from None


def _file(item: object, path: str) -> FileLink:
    entry = an_object(item, path)
    external = an_object(entry.get("external"), f"{path}.external")
    return FileLink(
        a_string(entry.get("name"), f"{path}.name"),
        _short(external.get("url"), f"{path}.external.url", MAX_TEXT),
    )


def _span(value: object, path: str) -> Span:
    entry = an_object(value, path)
    ends: list[str | None] = []
    for key in ("start", "end"):
        end = entry.get(key)
        if end is None:
            ends.append(None)
            continue
        text = a_string(end, f"{path}.{key}")
        if not _ISO.fullmatch(text):
            raise failed(f"{path}.{key}", "a valid ISO 8601 date string", text)
        ends.append(text)
    if ends[0] is None:
        raise failed(f"{path}.start", "defined", None)
    zone = entry.get("time_zone")
    return Span(ends[0], ends[1], None if zone is None else a_string(zone, f"{path}.time_zone"))
