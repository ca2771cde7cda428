"""The blocks of a page's body: listed, added and taken away, by the connection and by people.

Append: https://developers.notion.com/reference/patch-block-children, delete:
https://developers.notion.com/reference/delete-a-block
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opsync.sandbox.notion.call import Answer, Call, listing_of, missing, page_of
from opsync.sandbox.notion.problems import a_list, a_string, an_object, failed, invalid
from opsync.sandbox.notion.shapes import NEW_VERSION, block_shape, block_shapes, list_shape
from opsync.sandbox.notion.state import Block, Page, User, dashed
from opsync.sandbox.notion.values import Run

if TYPE_CHECKING:
    from opsync.sandbox.notion.workspace import NotionWorkspace

MAX_CHILDREN = 100
MAX_RUNS = 100
MAX_CONTENT = 2000
TYPES = ("paragraph", "heading_1", "heading_2", "heading_3", "bulleted_list_item")


def block_children(call: Call) -> Answer:
    return listing_of(call, "block", block_shapes(page_of(call), call.version))


def append_children(call: Call) -> Answer:
    """Add blocks where the position says, all or none of them; answers the new ones."""
    page = _editable(call)
    children = a_list(call.body.get("children"), "children")
    if len(children) > MAX_CHILDREN:
        raise failed("children.length", f"≤ `{MAX_CHILDREN}`", len(children))
    runs = [_read(child, f"children[{at}]") for at, child in enumerate(children)]
    at = _place(call, page)
    ws = call.workspace
    now = ws.now()
    made = [
        Block(ws.state.new_id("block"), kind, text, now, now, ws.bot.id, ws.bot.id)
        for kind, text in runs
    ]
    page.blocks[at:at] = made
    _touch(call, page)
    shapes = [block_shape(page, one, call.version) for one in made]
    return list_shape("block", shapes, None)


def delete_block(call: Call) -> Answer:
    """Move a block to the trash, where it is not found any more."""
    remote_id = dashed(call.ids[0])
    for page in call.workspace.state.pages.values():
        for block in page.blocks:
            if block.id == remote_id and call.workspace.shows(page):
                page.blocks.remove(block)
                _touch(call, page)
                return block_shape(page, block, call.version, trashed=True)
    raise missing(call, "block", remote_id)


def _editable(call: Call) -> Page:
    page = page_of(call)
    if page.trashed:
        raise invalid(
            "Can't edit block that is archived. You must unarchive the block before editing."
        )
    return page


def _read(child: object, path: str) -> tuple[str, tuple[Run, ...]]:
    """The type and the text of a block that is sent. Raises Problem."""
    block = an_object(child, path)
    named = [kind for kind in TYPES if kind in block]
    if len(named) != 1 or block.get("type", named[0]) != named[0]:
        raise failed(path, "a block of one type", sorted(block))
    kind = named[0]
    runs = a_list(an_object(block[kind], f"{path}.{kind}").get("rich_text"), f"{path}.{kind}")
    if len(runs) > MAX_RUNS:
        raise failed(f"{path}.{kind}.rich_text.length", f"≤ `{MAX_RUNS}`", len(runs))
    return kind, tuple(_run(run, f"{path}.{kind}.rich_text[{at}]") for at, run in enumerate(runs))


def _run(run: object, path: str) -> Run:
    text = an_object(an_object(run, path).get("text"), f"{path}.text")
    content = a_string(text.get("content"), f"{path}.text.content")
    if len(content.encode("utf-16-le")) // 2 > MAX_CONTENT:
        raise failed(f"{path}.text.content.length", f"≤ `{MAX_CONTENT}`", len(content))
    link = text.get("link")
    url = a_string(an_object(link, f"{path}.text.link").get("url"), path) if link else None
    return Run(content, url)


def _place(call: Call, page: Page) -> int:
    """Where in the page's blocks new ones go."""
    key, other = ("position", "after") if call.version == NEW_VERSION else ("after", "position")
    if other in call.body:
        raise failed(other, "not present", call.body[other])
    if key not in call.body:
        return len(page.blocks)
    if key == "after":
        return _after(call, page, call.body["after"])
    position = an_object(call.body["position"], "position")
    match position.get("type"):
        case "start":
            return 0
        case "end":
            return len(page.blocks)
        case "after_block":
            block = an_object(position.get("after_block"), "position.after_block")
            return _after(call, page, block.get("id"))
    raise failed("position.type", "`start`, `end` or `after_block`", position.get("type"))


def _after(call: Call, page: Page, raw: object) -> int:
    remote_id = dashed(a_string(raw, "after"))
    for at, block in enumerate(page.blocks):
        if block.id == remote_id:
            return at + 1
    if any(shape["id"] == remote_id for shape in block_shapes(page, call.version)):
        return 0
    raise missing(call, "block", remote_id)


def _touch(call: Call, page: Page) -> None:
    page.updated = call.workspace.now()
    page.updated_by = call.workspace.bot.id


# What people do in the app -------------------------------------------------------------------


def write_block(
    workspace: NotionWorkspace, page: Page, text: str, *, after: Block | None = None
) -> Block:
    """A paragraph that a person adds after a block, or at the end."""
    with workspace.lock:
        person, now = workspace.person().id, workspace.now()
        block_id = workspace.state.new_id("block")
        made = Block(block_id, "paragraph", (Run(text),), now, now, person, person)
        page.blocks.insert(
            len(page.blocks) if after is None else page.blocks.index(after) + 1, made
        )
        page.updated, page.updated_by = now, person
        return made


def edit_block(
    workspace: NotionWorkspace, page: Page, block: Block, text: str, *, by: User | None = None
) -> None:
    """A person gives a block another text."""
    with workspace.lock:
        block.runs = (Run(text),)
        block.updated, block.updated_by = workspace.now(), (by or workspace.person()).id
        page.updated, page.updated_by = block.updated, block.updated_by
