"""Pages that were set aside, by their ids."""

from __future__ import annotations

from tests.plugins.notion.world import Roadmap

from opsync import Feed, Item, Ref
from opsync.sandbox.notion import Page
from opsync_notion import Notion
from opsync_notion.pull import Row
from opsync_notion.scope import Outside


async def look_up(notion: Notion, roadmap: Roadmap, *pages: Page) -> dict[str, Item]:
    refs = [Ref("notion", "page", page.id) for page in pages]
    found = await notion.look_up(Feed(roadmap.source.id, ("page",)), refs, {}, listed=False)
    return {item.id: item for item in found if isinstance(item, Item)}


async def test_each_costs_a_request_besides_the_one_for_the_columns(roadmap: Roadmap) -> None:
    pages = [roadmap.add(f"Idea {number}") for number in range(3)]
    before = roadmap.workspace.read_requests
    found = await look_up(roadmap.connect(), roadmap, *pages)
    assert found.keys() == {page.id for page in pages}
    assert all(isinstance(item.raw, Row) for item in found.values())
    assert roadmap.workspace.read_requests == before + 1 + 3


async def test_what_a_pass_took_for_complete_is_read_all_the_same(roadmap: Roadmap) -> None:
    page = roadmap.add("Idea")
    notion = roadmap.connect(read_body=True)
    assert (await look_up(notion, roadmap, page)).keys() == {page.id}
    assert (await look_up(notion, roadmap, page)).keys() == {page.id}


async def test_a_page_that_is_hidden_or_elsewhere_by_now_is_not_read(roadmap: Roadmap) -> None:
    here, hidden = roadmap.add("Here"), roadmap.add("Hidden")
    other = roadmap.workspace.add_database("Bets", properties={"Name": {"title": {}}}).data_source
    elsewhere = roadmap.workspace.add_page(other, {"Name": "Elsewhere"})
    roadmap.workspace.faults.deny = {hidden.id}
    found = await look_up(roadmap.connect(), roadmap, here, hidden, elsewhere)
    assert found.keys() == {here.id, elsewhere.id}
    assert isinstance(found[elsewhere.id].raw, Outside)


async def test_what_left_the_scope_is_said_to_be_out_of_it(roadmap: Roadmap) -> None:
    page = roadmap.add("Idea", Status="Done")
    notion = roadmap.connect(block={"where": {"Status": ["In progress"]}})
    assert isinstance((await look_up(notion, roadmap, page))[page.id].raw, Outside)
