"""Reads all rows of a data source that a condition asks for, however many there are.

Query: https://developers.notion.com/reference/query-a-data-source. A query answers at most 10,000
rows over all its pages and then says that it is incomplete; the walk goes on with a new query from
the last row's time, which its order is by.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

import msgspec

from opsync import Answer, BadAnswer, ahead
from opsync_notion.dialect import READ_HINT, MissingCapability
from opsync_notion.wire import Page, PageHead, QueryAnswer

if TYPE_CHECKING:
    from opsync import Client

Order = Literal["created_time", "last_edited_time"]

CAPPED = "query_result_limit_reached"


@dataclass(frozen=True, slots=True)
class Query:
    """What to ask of a data source, in ascending `order` from `since` (ISO 8601; "": all).

    `conditions` are further filters that must all hold, `flags` are `in_trash` and `is_archived`,
    `columns` limit the answer to columns by id (empty: all).
    """

    data_source: str
    order: Order
    since: str = ""
    page_size: int = 100
    conditions: tuple[Mapping[str, object], ...] = ()
    flags: Mapping[str, bool] = field(default_factory=dict)
    columns: tuple[str, ...] = ()

    def params(self) -> list[tuple[str, str]]:
        """Ids come percent-encoded and are encoded again on their way."""
        return [("filter_properties", unquote(column)) for column in self.columns]

    def body(self, since: str, cursor: str) -> dict[str, object]:
        parts = list(self.conditions)
        if since:
            parts.append({"timestamp": self.order, self.order: {"on_or_after": since}})
        body: dict[str, object] = {
            "sorts": [{"timestamp": self.order, "direction": "ascending"}],
            "page_size": self.page_size,
            "result_type": "page",
            **self.flags,
        }
        if parts:
            body["filter"] = parts[0] if len(parts) == 1 else {"and": parts}
        if cursor:
            body["start_cursor"] = cursor
        return body


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that is not what Notion documents, and why."""

    head: PageHead
    reason: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows, as one answer brought them."""

    rows: tuple[Page | Broken, ...]
    answer: Answer


async def walk(http: Client, query: Query) -> AsyncGenerator[Chunk, None]:
    """All rows, each once. The next answer is asked for before the last one is decoded.

    Raises BadAnswer when the answers go in circles or cannot be completed.
    """
    since = query.since
    edge: frozenset[str] = frozenset()
    while True:
        last, at_last, capped = "", set[str](), False
        async with aclosing(ahead(_answers(http, query, since))) as answers:
            async for answer, found in answers:
                rows = tuple(row for row in decode_rows(found.results) if _head(row).id not in edge)
                for row in rows:
                    head = _head(row)
                    at = head.created_time if query.order == "created_time" else _edited(head)
                    if at != last:
                        last, at_last = at, set()
                    at_last.add(head.id)
                capped = capped or _is_capped(found, answer)
                yield Chunk(rows, answer)
        if not capped:
            return
        if not last or last == since:
            raise BadAnswer(
                f"{query.data_source} has more rows in one minute than Notion lists at once.",
                hint="Move some of the rows that were imported together to another database.",
            )
        since, edge = last, frozenset(at_last)


def _edited(head: Page | PageHead) -> str:
    return head.last_edited_time


def _head(row: Page | Broken) -> Page | PageHead:
    return row.head if isinstance(row, Broken) else row


def _is_capped(found: QueryAnswer, answer: Answer) -> bool:
    status = found.request_status
    if status is None or status.type != "incomplete":
        return False
    if status.incomplete_reason != CAPPED:
        raise BadAnswer(
            f"{answer.where}: Notion could not answer in full: {status.incomplete_reason[:80]}.",
            hint="Try again in a few minutes.",
        )
    return True


async def _answers(
    http: Client, query: Query, since: str
) -> AsyncGenerator[tuple[Answer, QueryAnswer], None]:
    cursor = ""
    used = {cursor}
    while True:
        answer = await http.read(
            "POST",
            f"/v1/data_sources/{query.data_source}/query",
            params=query.params(),
            json=query.body(since, cursor),
        )
        found = answer.decode(QueryAnswer)
        yield answer, found
        if not found.has_more:
            return
        cursor = found.next_cursor or ""
        if cursor in used:
            raise BadAnswer(f"{answer.where}: the listing goes in circles.")
        used.add(cursor)


def decode_rows(results: msgspec.Raw) -> tuple[Page | Broken, ...]:
    """The rows of an answer. One that is broken costs only itself.

    Raises MissingCapability for rows without properties, which is all that a connection sees that
    may not read content.
    """
    try:
        rows: list[Page | Broken] = list(msgspec.json.decode(results, type=list[Page]))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        rows = _one_by_one(results)
    for row in rows:
        if isinstance(row, Page) and row.object == "page" and row.properties is None:
            raise MissingCapability(
                "Notion lists pages without their content: the connection may not read it.",
                hint=READ_HINT,
            )
    return tuple(row for row in rows if _head(row).object == "page")


def _one_by_one(results: msgspec.Raw) -> list[Page | Broken]:
    try:
        items = msgspec.json.decode(results, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadAnswer(f"Notion's list of pages cannot be read: {error}.") from None
    rows: list[Page | Broken] = []
    for item in items:
        try:
            rows.append(msgspec.json.decode(item, type=Page))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            rows.append(Broken(_head_of(item), str(error)))
    return rows


def _head_of(item: msgspec.Raw) -> PageHead:
    try:
        return msgspec.json.decode(item, type=PageHead)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return PageHead()
