"""A page becomes a record. Pure: all it needs is in the row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import msgspec

from opsync import (
    OUT_OF_SCOPE,
    Category,
    Person,
    Record,
    RecordError,
    Ref,
    Seen,
    Status,
    Text,
)
from opsync_notion import surfaces
from opsync_notion.ids import PAGE_URL, dashed, hex_id
from opsync_notion.pull import STREAM, Row
from opsync_notion.schema import View
from opsync_notion.scope import Outside, is_private
from opsync_notion.texts import plain, text_and_links
from opsync_notion.wire import Cell, Computed, Option, Page, Span, User

DATA_SOURCE = "@data_source"
"""The entry of `extra` that tells the data source's id."""
BODY = "page body"
_EXTRA_TEXT = 200


def normalize(instance: str, row: Row) -> Record:
    """The record of one page. Raises RecordError for one that cannot be understood."""
    page, view = row.page, row.view
    try:
        page_id = dashed(page.id)
    except ValueError:
        raise RecordError(f"Notion page {page.id[:80]!r} has an id that is none.") from None
    cells = page.properties or {}
    visible = {name: cell for name, cell in cells.items() if cell.id not in view.hidden}
    by_id = {cell.id: cell for cell in visible.values()}
    status = _status(by_id.get(view.status), view)
    bot = page.last_edited_by is not None and page.last_edited_by.id == view.bot != ""
    private = is_private(view, page)
    return Record(
        ref=Ref(instance, STREAM, page_id),
        kind=view.kind,
        title=_title(visible),
        # The address that Notion gives may hold the title.
        url=PAGE_URL + hex_id(page_id) if private or not page.url else page.url,
        status=status,
        owner=_owner(by_id.get(view.owner)),
        labels=_labels(visible),
        created_at=_moment(page, page.created_time),
        # The time of opsync's own write is nobody's last word on the page.
        updated_at=None if bot else _moment(page, page.last_edited_time),
        due_on=_due(page, by_id.get(view.due)),
        space=view.space,
        paused=status is not None and status.name in view.paused,
        private=private,
        archived=page.is_archived,
        tombstone="trashed" if page.trashed else "",
        aliases=(hex_id(page_id),),
        texts=tuple(_texts(visible, row)),
        seen=tuple(_seen(cells, view)),
        seen_complete=True,
        extra=dict(_extra(visible)) | {DATA_SOURCE: view.data_source},
    )


def out_of_scope(instance: str, page: Outside) -> Record:
    """That a page is not in scope any more."""
    return Record(
        ref=Ref(instance, STREAM, page.id),
        kind=page.view.kind,
        title="",
        space=page.view.space,  # Its team may make it private by it.
        private=page.private,
        tombstone=OUT_OF_SCOPE,
        aliases=(hex_id(page.id),),
        extra={DATA_SOURCE: page.view.data_source},
    )


def _title(cells: dict[str, Cell]) -> str:
    return next((plain(cell.title) for cell in cells.values() if cell.type == "title"), "")


def _status(cell: Cell | None, view: View) -> Status | None:
    """The settings' word for an option, by id or name, stands before its group's category."""
    if cell is None:
        return None
    option: Option | None = cell.status or cell.select
    if option is None:
        return None
    column = view.table.by_id(cell.id)
    by_group = column.categories.get(option.id) if column else None
    category = (
        view.categories.get(option.id)
        or view.categories.get(option.name)
        or by_group
        or Category.unknown
    )
    return Status(option.id, option.name, category)


def _owner(cell: Cell | None) -> Person | None:
    if cell is None:
        return None
    if cell.people or cell.created_by:
        user = cell.people[0] if cell.people else cell.created_by
        assert user is not None
        email = user.person.email if user.person else None
        return Person(user.id, user.name or "", email or "")
    name = cell.select.name if cell.select else plain(cell.rich_text).strip()
    return Person(name, name) if name else None


def _labels(cells: dict[str, Cell]) -> tuple[str, ...]:
    names = (option.name for cell in cells.values() for option in cell.multi_select or ())
    return tuple(dict.fromkeys(names))


def _moment(page: Page, text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RecordError(f"Notion page {page.id}: {text[:40]!r} is no time.") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _due(page: Page, cell: Cell | None) -> date | None:
    """The end of a range, else its start: the day as it is written, whatever the time zone."""
    span = cell.date if cell else None
    text = (span.end or span.start) if span else None
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise RecordError(f"Notion page {page.id}: {text[:40]!r} is no due date.") from None


def _texts(cells: dict[str, Cell], row: Row) -> Iterator[Text]:
    """Where people name other records. Formulas and rollups are not theirs, emails no links."""
    for name, cell in cells.items():
        counts = cell.id in row.view.links
        if cell.type == "title":
            text, counts = text_and_links(cell.title), False
        elif cell.type == "rich_text":
            text = text_and_links(cell.rich_text)
        elif cell.type == "url":
            text = cell.url or ""
        elif cell.type == "relation":
            text = "\n".join(PAGE_URL + hex_id(page.id) for page in cell.relation or ())
        else:
            continue
        if text:
            yield Text(name, text, property=counts)
    if row.body:
        yield Text(BODY, row.body)


def _seen(cells: dict[str, Cell], view: View) -> Iterator[Seen]:
    return seen_in({cell.id: cell for cell in cells.values()}, view)


def seen_in(by_id: dict[str, Cell], view: View) -> Iterator[Seen]:
    """What stands in opsync's own columns.

    Beside a delivery summary, values in opsync's form are its own words, also where the store knows
    of no write: after its loss, and on a copy of a page. A day of the last change always is.
    """
    words = view.words
    here = {
        key: (column_id, surfaces.canonical(key, by_id[column_id], words))
        for key, column_id in view.own.items()
        if column_id in by_id
    }
    _, summary = here.get(surfaces.DELIVERY, ("", None))
    worded = summary is not None and surfaces.looks_ours(surfaces.DELIVERY, summary, words)
    for key, (column_id, value) in here.items():
        ours = value is not None and surfaces.looks_ours(key, value, words)
        ours = ours and (worded or key == surfaces.CHANGED)
        yield Seen.of(key, value, remote_id=column_id, ours=ours)


def _extra(cells: dict[str, Cell]) -> Iterator[tuple[str, str]]:
    for name, cell in cells.items():
        if text := as_text(cell):
            yield name, text


def as_text(cell: Cell) -> str:
    """A cell in one line, for filters; "" for an empty one."""
    match cell.type:
        case "select" | "status":
            option = cell.select or cell.status
            return option.name if option else ""
        case "multi_select":
            return ", ".join(option.name for option in cell.multi_select or ())
        case "number":
            return _number(cell.number)
        case "checkbox":
            return "true" if cell.checkbox else "false"
        case "date":
            return _span(cell.date)
        case "people":
            return ", ".join(_name(user) for user in cell.people or ())
        case "created_by":
            return _name(cell.created_by) if cell.created_by else ""
        case "unique_id":
            found = cell.unique_id
            if found is None or found.number is None:
                return ""
            return f"{found.prefix}-{found.number}" if found.prefix else str(found.number)
        case "rich_text":
            return plain(cell.rich_text)[:_EXTRA_TEXT]
        case "files":
            return ", ".join(file.name or "" for file in cell.files or ())
        case "formula":
            return _computed(cell.formula)
        case "rollup":
            return _computed(cell.rollup)
    return cell.url or cell.email or cell.phone_number or cell.created_time or ""


def _computed(raw: msgspec.Raw) -> str:
    """A formula's or rollup's result; one of a kind that opsync does not know says nothing."""
    try:
        result = msgspec.json.decode(raw, type=Computed | None)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    if result is None:
        return ""
    match result.type:
        case "string":
            return (result.string or "")[:_EXTRA_TEXT]
        case "number":
            return _number(result.number)
        case "boolean":
            return "true" if result.boolean else "false"
        case "date":
            return _span(result.date)
        case "array":
            parts = (_title_or_text(cell) for cell in result.array)
            return ", ".join(part for part in parts if part)[:_EXTRA_TEXT]
    return ""


def _title_or_text(cell: Cell) -> str:
    return plain(cell.title) if cell.type == "title" else as_text(cell)


def _number(number: float | None) -> str:
    if number is None:
        return ""
    return str(int(number)) if number.is_integer() else str(number)


def _span(span: Span | None) -> str:
    return "/".join(end for end in (span.start, span.end) if end) if span else ""


def _name(user: User) -> str:
    return user.name or user.id
