"""A page of any shape becomes a record, or is set aside with its reason."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import msgspec
import pytest
from tests.plugins.notion.world import Roadmap
from tests.support.connector import read

from opsync import Category, Kind, Record, RecordError
from opsync.sandbox.notion import Computed
from opsync_notion.normalize import normalize
from opsync_notion.pull import Row
from opsync_notion.queries import Broken, decode_rows
from opsync_notion.schema import Column, Table, view
from opsync_notion.settings import DataSource
from opsync_notion.wire import Page

PAGE_ID = "1f0f6a1c-aaaa-4000-8000-000000000001"
SOURCE = "1f0f6a1c-bbbb-4000-8000-000000000002"


def text(words: str, href: str | None = None) -> dict[str, Any]:
    """One run of rich text as Notion answers it."""
    link = {"url": href} if href else None
    return {
        "type": "text",
        "text": {"content": words, "link": link},
        "plain_text": words,
        "href": href,
    }


def page(cells: dict[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A page; `cells` are by name, each with its type and content."""
    properties = {name: {"id": name} | cell for name, cell in cells.items()}
    return {
        "object": "page",
        "id": PAGE_ID,
        "created_time": "2026-11-01T08:00:00.000Z",
        "last_edited_time": "2026-11-22T10:04:00.000Z",
        "in_trash": False,
        "url": f"https://app.notion.com/p/{PAGE_ID.replace('-', '')}",
        "properties": properties,
    } | more


def normalized(payload: dict[str, Any], **block: Any) -> Record:
    """The record of a page, its table being as the page shows it."""
    (row,) = decode_rows(msgspec.Raw(json.dumps([payload]).encode()))
    assert isinstance(row, Page)
    columns = tuple(
        Column(cell.id, name, cell.type, {"o1": Category.todo, "o3": Category.done})
        for name, cell in (row.properties or {}).items()
    )
    chosen = DataSource(id=SOURCE, **block)
    table = Table(SOURCE, "Roadmap", columns)
    return normalize("notion", Row(row, view(table, chosen, {}, {"Parked": Category.canceled}, "")))


def titled(words: str) -> dict[str, Any]:
    return {"type": "title", "title": [text(words)]}


def test_every_property_type_is_read() -> None:
    cells: dict[str, dict[str, Any]] = {
        "Name": titled("Everything"),
        "Words": {
            "type": "rich_text",
            "rich_text": [text("see "), text("it", "https://a.example")],
        },
        "Number": {"type": "number", "number": 3.5},
        "Whole": {"type": "number", "number": 7},
        "Flag": {"type": "checkbox", "checkbox": True},
        "URL": {"type": "url", "url": "https://b.example/x"},
        "Mail": {"type": "email", "email": "ana@harbor.example"},
        "Phone": {"type": "phone_number", "phone_number": "+49 1"},
        "Select": {"type": "select", "select": {"id": "s", "name": "Big", "color": "red"}},
        "Status": {"type": "status", "status": {"id": "o3", "name": "Done", "color": "green"}},
        "Tags": {
            "type": "multi_select",
            "multi_select": [{"id": "a", "name": "web"}, {"id": "b", "name": "q4"}],
        },
        "Due": {
            "type": "date",
            "date": {"start": "2026-12-01", "end": "2026-12-08", "time_zone": None},
        },
        "Team": {
            "type": "people",
            "people": [
                {"object": "user", "id": "u1"},
                {"object": "group", "id": "g1", "name": "All"},
            ],
        },
        "Linked": {"type": "relation", "relation": [{"id": PAGE_ID}], "has_more": False},
        "Files": {
            "type": "files",
            "files": [{"name": "a.pdf", "type": "file", "file": {"url": "https://s3.example/a"}}],
        },
        "Formula": {"type": "formula", "formula": {"type": "string", "string": "PAY-1"}},
        "Formula date": {
            "type": "formula",
            "formula": {"type": "date", "date": {"start": "2026-01-01"}},
        },
        "Formula flag": {"type": "formula", "formula": {"type": "boolean", "boolean": False}},
        "Rollup": {"type": "rollup", "rollup": {"type": "number", "number": 4, "function": "sum"}},
        "Rollup list": {
            "type": "rollup",
            "rollup": {"type": "array", "array": [titled("Child")], "function": "show_original"},
        },
        "Unsupported": {
            "type": "rollup",
            "rollup": {"type": "unsupported", "unsupported": {}, "function": "x"},
        },
        "Number id": {"type": "unique_id", "unique_id": {"prefix": "PRJ", "number": 12}},
        "Made": {"type": "created_time", "created_time": "2026-11-01T08:00:00.000Z"},
        "Maker": {
            "type": "created_by",
            "created_by": {"object": "user", "id": "u2", "name": "Ana"},
        },
        "Edited": {"type": "last_edited_time", "last_edited_time": "2026-11-22T10:04:00.000Z"},
        "Editor": {"type": "last_edited_by", "last_edited_by": {"object": "user", "id": "u2"}},
        "Press": {"type": "button", "button": {}},
        "Verified": {"type": "verification", "verification": {"state": "unverified"}},
        "Place": {"type": "place", "place": {"lat": 1, "lon": 2, "name": "Kiel"}},
        "Unheard of": {"type": "hologram", "hologram": {"depth": 3}},
    }
    record = normalized(page(cells))
    assert (record.title, record.kind, record.category) == (
        "Everything",
        Kind.initiative,
        Category.done,
    )
    assert record.labels == ("web", "q4")
    assert record.due_on == date(2026, 12, 8)
    assert record.owner is not None
    assert record.owner.id == "u1"
    assert {t.field: t.text for t in record.texts if t.property} == {
        "Words": "see it\nhttps://a.example",
        "URL": "https://b.example/x",
        "Linked": f"https://app.notion.com/p/{PAGE_ID.replace('-', '')}",
    }
    assert record.extra == {
        "Words": "see it",
        "Number": "3.5",
        "Whole": "7",
        "Flag": "true",
        "URL": "https://b.example/x",
        "Mail": "ana@harbor.example",
        "Phone": "+49 1",
        "Select": "Big",
        "Status": "Done",
        "Tags": "web, q4",
        "Due": "2026-12-01/2026-12-08",
        "Team": "u1, All",
        "Files": "a.pdf",
        "Formula": "PAY-1",
        "Formula date": "2026-01-01",
        "Formula flag": "false",
        "Rollup": "4",
        "Rollup list": "Child",
        "Number id": "PRJ-12",
        "Made": "2026-11-01T08:00:00.000Z",
        "Maker": "Ana",
        "@data_source": SOURCE,
    }


def test_empty_cells_of_every_type_are_read() -> None:
    kinds = [
        "rich_text",
        "number",
        "checkbox",
        "url",
        "email",
        "phone_number",
        "select",
        "status",
        "multi_select",
        "date",
        "people",
        "relation",
        "files",
        "formula",
        "rollup",
        "unique_id",
        "created_by",
        "verification",
        "place",
        "button",
    ]
    cells = {kind: {"type": kind, kind: None} for kind in kinds} | {
        "Name": {"type": "title", "title": []}
    }
    record = normalized(page(cells), due="date")
    assert (record.title, record.status, record.owner, record.due_on) == ("", None, None, None)
    assert record.extra == {"checkbox": "false", "@data_source": SOURCE}
    assert record.texts == ()


@pytest.mark.parametrize(
    ("status", "category"),
    [
        ({"id": "o1", "name": "Next"}, Category.todo),
        ({"id": "o3", "name": "Shipped"}, Category.done),
        ({"id": "o3", "name": "Parked"}, Category.canceled),
        ({"id": "o3", "name": "parked"}, Category.done),
        ({"id": "o9", "name": "Unknown"}, Category.unknown),
    ],
)
def test_a_status_counts_by_its_group_unless_the_settings_say_otherwise(
    status: dict[str, str], category: Category
) -> None:
    cells = {"Name": titled("A"), "State": {"type": "status", "status": status}}
    assert normalized(page(cells)).category is category


def test_named_columns_win_over_guessed_ones() -> None:
    cells = {
        "Name": titled("A"),
        "Status": {"type": "status", "status": {"id": "o1", "name": "Next"}},
        "Phase": {"type": "select", "select": {"id": "p", "name": "Parked"}},
        "Due": {"type": "date", "date": {"start": "2026-12-01"}},
        "Launch": {"type": "date", "date": {"start": "2026-12-24T18:00:00.000+02:00"}},
        "Team": {"type": "people", "people": [{"id": "u1"}]},
        "Lead": {"type": "people", "people": [{"id": "u2"}]},
        "Notes": {"type": "rich_text", "rich_text": [text("PAY-1")]},
        "Tracked in": {"type": "rich_text", "rich_text": [text("PAY-2")]},
    }
    guessed = normalized(page(cells))
    assert guessed.category is Category.todo
    assert guessed.due_on == date(2026, 12, 1)
    assert guessed.owner is not None
    assert guessed.owner.id == "u2"
    named = normalized(
        page(cells),
        status="Phase",
        due="Launch",
        owner="Team",
        links=("Tracked in",),
        paused=("Parked",),
        kind="project",
        name="Plans",
    )
    assert (named.category, named.paused) == (Category.canceled, True)
    assert named.due_on == date(2026, 12, 24)
    assert named.owner is not None
    assert named.owner.id == "u1"
    assert [t.text for t in named.texts if t.property] == ["PAY-2"]
    assert [t.text for t in named.texts if not t.property] == ["A", "PAY-1"]
    assert (named.kind, named.space) == (Kind.project, "Plans")


def test_hostile_text_is_kept_as_data() -> None:
    nasty = "<script>alert(1)</script>\x00\x1b[31m\u202e{{7*7}}" + "x" * 65_536
    cells = {
        "Name": titled(nasty),
        "__proto__": {"type": "rich_text", "rich_text": [text("y", "javascript:alert(1)")]},
        "": {"type": "url", "url": "javascript:alert(2)"},
    }
    record = normalized(page(cells))
    assert record.title == nasty
    assert {t.field for t in record.texts} == {"Name", "__proto__", ""}


def test_mentions_and_relative_links_are_told_with_their_address() -> None:
    mention = {
        "type": "mention",
        "mention": {"type": "page", "page": {"id": PAGE_ID}},
        "plain_text": "Title",
        "href": f"https://app.notion.com/p/{PAGE_ID.replace('-', '')}",
    }
    cells = {
        "Notes": {
            "type": "rich_text",
            "rich_text": [mention, text(" and "), text("b", "/" + "ab" * 16)],
        }
    }
    (notes,) = normalized(page(cells)).texts
    assert notes.text.splitlines() == [
        "Title and b",
        f"https://app.notion.com/p/{PAGE_ID.replace('-', '')}",
        "https://app.notion.com/" + "ab" * 16,
    ]


@pytest.mark.parametrize(
    "more", [{"id": "no-uuid"}, {"created_time": "yesterday"}, {"last_edited_time": "2026-13-01"}]
)
def test_what_cannot_be_understood_is_a_record_error(more: dict[str, str]) -> None:
    with pytest.raises(RecordError):
        normalized(page({"Name": titled("A")}, **more))


def test_a_due_date_that_is_none_is_a_record_error() -> None:
    with pytest.raises(RecordError, match="due date"):
        normalized(page({"Due": {"type": "date", "date": {"start": "+020260-01-01"}}}))


def test_a_broken_row_costs_only_itself() -> None:
    broken = page({}) | {"id": "x", "properties": {"Name": {"id": "title", "title": 7}}}
    rows = decode_rows(msgspec.Raw(json.dumps([page({}), broken, {"id": 5}]).encode()))
    assert [type(row) for row in rows] == [Page, Broken, Broken]
    assert isinstance(rows[1], Broken)
    assert rows[1].head.id == "x"
    assert "Expected" in rows[1].reason


def test_rows_that_are_no_pages_are_left_out() -> None:
    wiki = {"object": "data_source", "id": PAGE_ID, "properties": {}}
    assert decode_rows(msgspec.Raw(json.dumps([wiki]).encode())) == ()


@pytest.mark.parametrize(
    ("flags", "gone"),
    [
        ({"in_trash": True}, True),
        ({"in_trash": False, "archived": True}, False),
        ({"in_trash": None, "archived": True}, True),
        ({"in_trash": None}, False),
    ],
)
def test_the_trash_is_known_in_both_versions(flags: dict[str, bool], gone: bool) -> None:
    assert bool(normalized(page({"Name": titled("A")}, **flags)).tombstone) is gone


async def test_a_status_groups_name_in_another_language_counts_by_its_place(
    roadmap: Roadmap,
) -> None:
    from opsync_notion.schema import compact
    from opsync_notion.wire import Choices, DataSourceObject, Group, Property

    groups = [Group(name, [str(n)]) for n, name in enumerate(("Offen", "In Arbeit", "Fertig"))]
    prop = Property("s", "Status", "status", status=Choices(groups=groups))
    (column,) = compact(DataSourceObject(SOURCE, properties={"Status": prop})).columns
    assert list(column.categories.values()) == [
        Category.todo,
        Category.in_progress,
        Category.done,
    ]


async def test_computed_columns_of_the_sandbox_are_read(roadmap: Roadmap) -> None:
    roadmap.source.schema.add("Score", {"formula": {"expression": "1 + 1"}})
    roadmap.add("A", Score=Computed("number", 2))
    assert (await read(roadmap.connect()))["A"].extra["Score"] == "2"
