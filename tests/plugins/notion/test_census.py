"""The list of ids, and what became of pages that are not in it."""

from __future__ import annotations

import pytest
from tests.plugins.notion.world import Roadmap
from tests.support.connector import read

from opsync import Absent, Feed, Item, Record, Ref, SignInError
from opsync_notion import Notion


def feed(roadmap: Roadmap) -> Feed:
    return Feed(roadmap.source.id, ("page",))


async def known_of(connector: Notion) -> dict[Ref, Record]:
    return {one.ref: one for one in (await read(connector)).values()}


async def listed(connector: Notion, roadmap: Roadmap) -> set[Ref]:
    return {ref async for refs in connector.listing(feed(roadmap)) for ref in refs}


async def test_ids_come_100_a_request_with_one_column_and_archived_ones_besides(
    roadmap: Roadmap,
) -> None:
    pages = [roadmap.add(f"Plan {n}") for n in range(250)]
    pages[0].archived = True
    roadmap.workspace.trash(pages[1])
    connector = roadmap.connect()
    known = await known_of(connector)
    roadmap.workspace.exchanges.clear()

    found = await listed(connector, roadmap)

    assert found == {ref for ref, one in known.items() if not one.tombstone}
    assert len(found) == 249
    asked = roadmap.workspace.exchanges
    assert len(asked) == 4
    assert all(b'"Tracked in"' not in each.answer_body for each in asked)


async def test_a_scope_lists_what_a_full_read_brings(roadmap: Roadmap) -> None:
    for status in ("Done", "In progress"):
        roadmap.add(f"Is {status}", Status=status)
    connector = roadmap.connect(block={"where": {"Status": ["Done"]}})
    known = await known_of(connector)
    assert [one.title for one in known.values()] == ["Is Done"]
    assert await listed(connector, roadmap) == known.keys()


async def test_each_kind_of_absence_is_told_apart(roadmap: Roadmap) -> None:
    other = roadmap.workspace.add_database("Attic", properties={"Name": {"title": {}}}).data_source
    names = ("trashed", "archived", "hidden", "moved", "here")
    pages = {name: roadmap.add(name) for name in names}
    connector = roadmap.connect()
    known = await known_of(connector)
    titles = {ref: one.title for ref, one in known.items()}
    roadmap.workspace.trash(pages["trashed"])
    pages["archived"].archived = True
    roadmap.workspace.faults.deny = {pages["hidden"].id}
    pages["moved"].data_source = other
    roadmap.workspace.exchanges.clear()

    found = await connector.look_up(feed(roadmap), list(known), known, listed=True)

    assert {titles[one.ref]: one.why for one in found if isinstance(one, Absent)} == {
        "hidden": "not visible"
    }
    there = {
        titles[record.ref]: (record.tombstone, record.archived)
        for one in found
        if isinstance(one, Item)
        for record in connector.normalize(one.stream, one.raw)
    }
    assert there == {
        "trashed": ("trashed", False),
        "archived": ("", True),
        "moved": ("out of scope", False),
        "here": ("", False),
    }
    assert len(roadmap.workspace.exchanges) == len(names)


async def test_where_it_may_not_be_read_no_page_is_absent(roadmap: Roadmap) -> None:
    roadmap.add("here")
    connector = roadmap.connect()
    known = await known_of(connector)
    roadmap.workspace.faults.missing_scopes = {"read content"}

    with pytest.raises(SignInError):
        await connector.look_up(feed(roadmap), list(known), known, listed=True)
