"""A part of a page is opsync's own, below its own heading; whatever people wrote stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.plugins.notion.world import Roadmap

from opsync import NotFound, PageBlock, PageText, RefusedError, SignInError, TemporaryError
from opsync.sandbox.notion import Page
from opsync.sandbox.notion.bodies import edit_block, write_block
from opsync.sandbox.validate import validate_notion
from opsync_notion.pages import marker_of, without_own

MARK = "[opsync:digest]"


@pytest.fixture
def page(roadmap: Roadmap) -> Page:
    made = roadmap.add("This week")
    made.body = "What Ana wrote above."
    return made


def blocks(*texts: str, heading: str = "The week") -> list[PageBlock]:
    return [
        PageBlock("heading", (PageText(heading),)),
        *(PageBlock("bullet", (PageText(text),)) for text in texts),
    ]


def stands(page: Page) -> list[str]:
    return [block.text for block in page.blocks]


async def put(roadmap: Roadmap, page: Page, *texts: str, part: str = "digest") -> None:
    await roadmap.connect().replace_page(page.url, part, blocks(*texts))


async def test_the_part_stands_below_a_marked_heading_at_the_end(
    roadmap: Roadmap, page: Page
) -> None:
    await put(roadmap, page, "one", "two")

    assert stands(page) == [f"The week {MARK}", "one", "two"]
    assert [block.type for block in page.blocks] == [
        "heading_2",
        "bulleted_list_item",
        "bulleted_list_item",
    ]
    assert page.body == "What Ana wrote above."


async def test_it_is_replaced_where_it_stands(roadmap: Roadmap, page: Page) -> None:
    await put(roadmap, page, "one", "two")
    write_block(roadmap.workspace, page, "Ana's own below")

    await put(roadmap, page, "three")

    assert stands(page) == [f"The week {MARK}", "three", "Ana's own below"]


async def test_links_and_long_texts_fit_what_notion_takes(roadmap: Roadmap, page: Page) -> None:
    text = (PageText("x" * 2500, "https://harbor.example/a"), PageText("y", "javascript:1"))
    wanted = [*blocks(), PageBlock("paragraph", text * 60)]

    await roadmap.connect().replace_page(page.id, "digest", wanted)

    runs = page.blocks[1].runs
    assert len(runs) == 100
    assert [(len(run.text), run.link) for run in runs[:3]] == [
        (2000, "https://harbor.example/a"),
        (500, "https://harbor.example/a"),
        (1, None),
    ]


async def test_more_than_one_request_takes_is_sent_in_several_in_order(
    roadmap: Roadmap, page: Page
) -> None:
    texts = [f"line {number}" for number in range(230)]

    await put(roadmap, page, *texts)
    assert stands(page)[1:] == texts
    await put(roadmap, page, *texts[:3])
    assert stands(page)[1:] == texts[:3]


async def test_what_people_edited_or_put_below_is_left(roadmap: Roadmap, page: Page) -> None:
    await put(roadmap, page, "one", "two", "three")
    _, one, two, _ = page.blocks
    edit_block(roadmap.workspace, page, one, "one, says Ana")
    write_block(roadmap.workspace, page, "and this too", after=two)

    await put(roadmap, page, "new")

    assert stands(page) == [f"The week {MARK}", "new", "one, says Ana", "and this too"]


async def test_a_block_with_something_inside_is_left(roadmap: Roadmap, page: Page) -> None:
    await put(roadmap, page, "one")
    page.blocks[1].has_children = True

    await put(roadmap, page, "new")

    assert stands(page)[1:] == ["new", "one"]


async def test_without_what_was_kept_it_is_found_by_its_heading(
    roadmap: Roadmap, page: Page
) -> None:
    await put(roadmap, page, "one", "two")
    write_block(roadmap.workspace, page, "Ana's own below")
    roadmap.kept.clear()

    await put(roadmap, page, "three")

    assert stands(page) == [f"The week {MARK}", "three", "Ana's own below"]


async def test_a_heading_that_a_person_marked_so_is_not_taken_over(
    roadmap: Roadmap, page: Page
) -> None:
    made = write_block(roadmap.workspace, page, f"My week {MARK}")
    made.type = "heading_2"

    with pytest.raises(RefusedError, match="not opsync's"):
        await put(roadmap, page, "one")
    assert stands(page) == [f"My week {MARK}"]


async def test_a_heading_that_people_worded_anew_keeps_its_words_and_its_place(
    roadmap: Roadmap, page: Page
) -> None:
    await put(roadmap, page, "one")
    edit_block(roadmap.workspace, page, page.blocks[0], "Our week")

    await put(roadmap, page, "two")

    assert stands(page) == ["Our week", "two"]


async def test_a_heading_that_people_removed_is_made_again(roadmap: Roadmap, page: Page) -> None:
    await put(roadmap, page, "one")
    del page.blocks[0]

    await put(roadmap, page, "two")

    assert stands(page) == [f"The week {MARK}", "two"]


async def test_two_parts_of_one_page_do_not_touch_each_other(roadmap: Roadmap, page: Page) -> None:
    await put(roadmap, page, "one")
    await put(roadmap, page, "well", part="health")
    roadmap.kept.clear()

    await put(roadmap, page, "two")

    assert stands(page) == [f"The week {MARK}", "two", "The week [opsync:health]", "well"]


async def test_no_blocks_take_the_part_away_and_nothing_else(roadmap: Roadmap, page: Page) -> None:
    await put(roadmap, page, "one", "two")
    edit_block(roadmap.workspace, page, page.blocks[2], "two, says Ana")
    write_block(roadmap.workspace, page, "Ana's own below")

    await roadmap.connect().replace_page(page.id, "digest", ())

    assert stands(page) == ["two, says Ana", "Ana's own below"]
    await roadmap.connect().replace_page(page.id, "digest", ())
    assert "parts" not in roadmap.kept or roadmap.kept["parts"] == {}


async def test_an_answer_that_was_lost_doubles_nothing(roadmap: Roadmap, page: Page) -> None:
    await put(roadmap, page, "one")
    roadmap.workspace.faults.lose_next_writes = 1
    with pytest.raises(TemporaryError):
        await put(roadmap, page, "two")
    assert stands(page)[1:] == ["two", "one"], "what is old stays until what is new is known"

    await put(roadmap, page, "two")

    assert stands(page) == [f"The week {MARK}", "two"]


async def test_a_first_heading_of_which_the_answer_was_lost_is_found_again(
    roadmap: Roadmap, page: Page
) -> None:
    roadmap.workspace.faults.lose_next_writes = 1
    with pytest.raises(TemporaryError):
        await put(roadmap, page, "one")

    await put(roadmap, page, "one")

    assert stands(page) == [f"The week {MARK}", "one"]


async def test_the_older_version_of_the_api_places_blocks_as_well(
    roadmap: Roadmap, page: Page
) -> None:
    write_block(roadmap.workspace, page, "Ana's own")
    for texts in (("one", "two"), ("three",)):
        connector = roadmap.connect(version="2025-09-03")
        await connector.replace_page(page.id, "digest", blocks(*texts))
    assert stands(page) == ["Ana's own", f"The week {MARK}", "three"]


async def test_errors_name_the_click(roadmap: Roadmap, page: Page) -> None:
    roadmap.workspace.faults.missing_scopes = ("insert content",)
    with pytest.raises(SignInError, match="Insert content"):
        await put(roadmap, page, "one")
    roadmap.workspace.faults.missing_scopes = ()
    roadmap.workspace.faults.deny = (page.id,)
    with pytest.raises(NotFound, match="Share"):
        await put(roadmap, page, "one")
    with pytest.raises(RefusedError, match="names no Notion page"):
        await roadmap.connect().replace_page("https://example.org/week", "digest", blocks("one"))


def test_what_opsync_wrote_on_a_page_is_not_read_as_somebodys_words() -> None:
    own = f"## The week {marker_of('digest')}\n- Moved: PAY-100"
    escaped = "## The week \\[opsync:health\\]\nPAY-101"
    text = f"Ana: PAY-1\n{own}\n# Ana's heading\nPAY-2\n{escaped}\n## Another\nPAY-3"
    assert without_own(text).splitlines() == [
        "Ana: PAY-1",
        "# Ana's heading",
        "PAY-2",
        "## Another",
        "PAY-3",
    ]


async def test_requests_and_answers_fit_the_vendors_spec(
    roadmap: Roadmap, page: Page, specs_dir: Path, tmp_path: Path
) -> None:
    """The spec has two kinds of blocks only; a heading has the same shape as they."""
    spec = json.loads((specs_dir / "notion-openapi-2025-09-03-mcp-server.json").read_text())
    schemas = spec["components"]["schemas"]
    paragraph = json.dumps(schemas["paragraphBlockRequest"])
    schemas["headingBlockRequest"] = json.loads(paragraph.replace("paragraph", "heading_2"))
    schemas["blockObjectRequest"]["anyOf"].append(
        {"$ref": "#/components/schemas/headingBlockRequest"}
    )
    (tmp_path / "spec.json").write_text(json.dumps(spec))

    for texts in (("one", "two"), ("three",)):
        connector = roadmap.connect(version="2025-09-03")
        await connector.replace_page(page.id, "digest", blocks(*texts))
    await roadmap.connect().replace_page(page.id, "digest", ())

    report = validate_notion(roadmap.workspace.exchanges, tmp_path / "spec.json")
    assert report.problems == []
    assert report.requests >= 8
