"""A part of a page that opsync keeps: its own heading, and its own blocks below that.

Append: https://developers.notion.com/reference/patch-block-children, delete:
https://developers.notion.com/reference/delete-a-block. A block is opsync's by its id, which is
kept; where that was lost, by standing right below the marked heading, made and last edited by the
connection. Whatever else is on the page, people's edits of such blocks too, is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from opsync import BadAnswer, Client, NotFound, PageBlock, RefusedError, Value
from opsync_notion import texts
from opsync_notion.ids import dashed, page_of, parse_id
from opsync_notion.memory import Memory
from opsync_notion.wire import BlockList, Me, PageBody

POSITIONS = "2026-03-11"
"""The version from which on a position says where blocks are put; before, only `after` did."""
MAX_BLOCKS = 100
"""Blocks of one request: https://developers.notion.com/reference/request-limits"""
HEADING = "heading_2"
_TYPES = {"heading": HEADING, "paragraph": "paragraph", "bullet": "bulleted_list_item"}

_OWN_HEADING = re.compile(r"^#{1,3} .*\\?\[opsync:[a-z-]+\\?\]\s*$")
_HEADING = re.compile(r"^#{1,2} ")


def marker_of(part: str) -> str:
    """The end of a heading of opsync's own."""
    return f"[opsync:{part}]"


def without_own(markdown: str) -> str:
    """The text of a page without opsync's own parts, each of which ends at the next heading."""
    kept = []
    own = False
    for line in markdown.splitlines():
        if _OWN_HEADING.match(line):
            own = True
        elif _HEADING.match(line):
            own = False
        if not own:
            kept.append(line)
    return "\n".join(kept)


class Own(Struct, frozen=True):
    """What opsync has on a page: its heading ("" for none) and whether nobody touched that, and its
    blocks that nobody touched."""

    heading: str = ""
    untouched: bool = True
    blocks: tuple[str, ...] = ()


class Pages:
    """Keeps parts of one instance's pages."""

    def __init__(self, http: Client, memory: Memory, version: str) -> None:
        self._http = http
        self._memory = memory
        self._version = version

    async def replace(self, page: str, part: str, blocks: Sequence[PageBlock]) -> None:
        """See `WritesPages.replace_page`. What is new stands before what is old is taken away."""
        id_ = _page_id(page)
        listed = await self._listed(id_)
        own = await self._own(id_, part, listed)
        if not blocks:
            for block in (*own.blocks, *([own.heading] if own.heading and own.untouched else [])):
                await self._delete(block)
            self._memory.forget_part(id_, part)
            return
        heading, *rest = [_shape(block) for block in blocks]
        if own.heading:
            self._memory.set_part(id_, part, own.heading, own.blocks)
            after = own.heading
        else:
            _mark(heading, part)
            (after,) = await self._append(id_, [heading], "", listed)
        made: list[str] = []
        heading_id = after
        for at in range(0, len(rest), MAX_BLOCKS):
            made += await self._append(id_, rest[at : at + MAX_BLOCKS], after, listed)
            after = made[-1]
            self._memory.set_part(id_, part, heading_id, (*own.blocks, *made))
        for block in own.blocks:
            await self._delete(block)
        self._memory.set_part(id_, part, heading_id, tuple(made))

    async def _listed(self, page: str) -> list[PageBody]:
        found: list[PageBody] = []
        cursor, used = "", {""}
        while True:
            params = {"page_size": "100"} | ({"start_cursor": cursor} if cursor else {})
            answer = await self._http.read("GET", f"/v1/blocks/{page}/children", params=params)
            part = answer.decode(BlockList)
            found += part.results
            if not part.has_more:
                return found
            cursor = part.next_cursor or ""
            if cursor in used:
                raise BadAnswer(f"{answer.where}: the listing goes in circles.")
            used.add(cursor)

    async def _own(self, page: str, part: str, listed: Sequence[PageBody]) -> Own:
        """What is opsync's, whether it is kept or what was kept is lost."""
        kept_heading, kept = self._memory.part(page, part)
        heading = next((one for one in listed if one.id == kept_heading), None)
        if heading is None:
            marked = marker_of(part)
            heading = next(
                (o for o in listed if o.type == HEADING and o.plain.endswith(marked)), None
            )
        if heading is None and not kept:
            return Own()
        bot = await self._bot()
        # Of what is kept it is known who made it, be it by another connection than today's.
        own = [one.id for one in listed if one.id in kept and _untouched(one, one.created_by.id)]
        if heading is None:
            return Own("", blocks=tuple(own))
        if heading.id != kept_heading and heading.created_by.id != bot:
            raise RefusedError(
                f'A heading on the page has "{marker_of(part)}" and is not opsync\'s.',
                hint="Take that off the heading in Notion, or name another page.",
            )
        below = listed[[one.id for one in listed].index(heading.id) + 1 :]
        for one in below:
            if one.type == HEADING or not _untouched(one, bot):
                break
            if one.id not in own:
                own.append(one.id)
        return Own(heading.id, _untouched(heading, heading.created_by.id), tuple(own))

    async def _bot(self) -> str:
        if not self._memory.bot:
            answer = await self._http.read("GET", "/v1/users/me")
            self._memory.bot = answer.decode(Me).id
        return self._memory.bot

    async def _append(
        self, page: str, blocks: list[dict[str, Value]], after: str, listed: Sequence[PageBody]
    ) -> list[str]:
        """Add blocks after another one, or at the end; returns their ids.

        Not to be sent twice: one that was lost on its way back is found below the heading by the
        next call.
        """
        body: dict[str, object] = {"children": blocks}
        if after and self._version >= POSITIONS:
            body["position"] = {"type": "after_block", "after_block": {"id": after}}
        elif after:
            body["after"] = after
        answer = await self._http.write(
            "PATCH", f"/v1/blocks/{page}/children", keyed=False, json=body
        )
        before = {one.id for one in listed}
        made = [one.id for one in answer.decode(BlockList).results if one.id not in before]
        if len(made) != len(blocks):
            raise BadAnswer(f"{answer.where}: {len(blocks)} blocks were sent, {len(made)} made.")
        return made

    async def _delete(self, block: str) -> None:
        try:
            await self._http.write("DELETE", f"/v1/blocks/{block}", keyed=True)
        except NotFound:
            return


def _page_id(page: str) -> str:
    found = page_of(page) or parse_id(page)
    if not found:
        raise RefusedError(
            f"{page[:80]!r} names no Notion page.",
            hint="Give the page's link, as Notion copies it.",
        )
    return dashed(found)


def _untouched(one: PageBody, bot: str) -> bool:
    """Whether a block is as opsync made it, and nothing of anybody's stands inside."""
    return one.created_by.id == one.last_edited_by.id == bot and not one.has_children


def _shape(block: PageBlock) -> dict[str, Value]:
    runs: list[Value] = []
    for piece in block.text:
        url = texts.canonical_url(piece.url) if piece.url else ""
        link: Value = {"url": url} if url else None
        runs += [
            {"type": "text", "text": {"content": text, "link": link}}
            for text in texts.chunks(piece.text)
        ]
    kind = _TYPES[block.kind]
    return {"type": kind, kind: {"rich_text": runs[: texts.MAX_RUNS]}}


def _mark(heading: dict[str, Value], part: str) -> None:
    """Let the heading say whose it is."""
    inner = heading[HEADING]
    assert isinstance(inner, dict)
    runs = inner["rich_text"]
    assert isinstance(runs, list)
    run: Value = {"type": "text", "text": {"content": f" {marker_of(part)}", "link": None}}
    inner["rich_text"] = [*runs[: texts.MAX_RUNS - 1], run]
