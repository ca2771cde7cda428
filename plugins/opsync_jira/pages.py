"""Decoding pages of issues: whole, or issue by issue where one of them is broken."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Raw, Struct

from opsync import Answer, BadAnswer, Batch, Item, RecordError
from opsync_jira import wire
from opsync_jira.normalize import STREAM, as_record_error

_TAIL = 4096
_TOKEN_IN_TAIL = re.compile(rb'"nextPageToken"\s*:\s*"([^"\\]+)"[^\[\]{}]*\}\s*\Z')


_TURNS_TO_SEND = 5
"""Turns of the event loop from starting a request to its first byte on the wire, and one more."""


class _Bare(Struct):
    id: object = None
    key: object = None


def next_token(answer: Answer) -> str | None:
    """The token of the next page, cut from the end of the body so that it is known at once.

    Without one at the end the whole answer is looked at. `isLast` is not trusted: sites have been
    seen that set it wrongly (JRACLOUD-95477).
    """
    match = _TOKEN_IN_TAIL.search(answer.body, max(0, len(answer.body) - _TAIL))
    if match is not None:
        return match[1].decode("ascii", "replace")
    return answer.decode(wire.PageEnd).token or None


async def let_next_leave() -> None:
    """Let the request for the next page go out before decoding this one keeps the loop busy."""
    for _ in range(_TURNS_TO_SEND):
        await asyncio.sleep(0)


def read_page(answer: Answer, page_type: type[wire.Page]) -> tuple[list[Item], int]:
    """The items of a page and the total that the vendor told (0: it did not).

    An issue that has not the documented shape becomes an item with the reason.
    """
    try:
        page = answer.decode(page_type)
    except BadAnswer:
        return _read_singly(answer, page_type)
    items = [Item(STREAM, issue.id, issue) for issue in page.issues]
    return items + _missing(page.errors), page.total


def batch_of(
    items: Sequence[Item],
    *,
    resumable: bool,
    expected: int | None = None,
    not_after: datetime,
) -> Batch:
    """A batch with the latest change in it, but never later than `not_after`.

    An import can leave issues that were changed in the future: a cursor at such a time would miss
    all that changes until then.
    """
    high = max(changes(items), default=None)
    return Batch(items, None if high is None else min(high, not_after), resumable, expected)


def changes(items: Iterable[Item]) -> Iterator[datetime]:
    """When the readable issues among `items` changed, in UTC."""
    for item in items:
        raw = item.raw
        if isinstance(raw, wire.Issue) and raw.fields.updated is not None:
            updated = raw.fields.updated
            yield updated if updated.tzinfo is UTC else updated.astimezone(UTC)


def _missing(errors: Sequence[wire.IssueError]) -> list[Item]:
    return [
        Item(
            STREAM, error.id, RecordError(f"Jira could not give issue {error.id}: {error.message}")
        )
        for error in errors
    ]


def _read_singly(answer: Answer, page_type: type[wire.Page]) -> tuple[list[Item], int]:
    page = answer.decode(wire.RawPage)
    field = next(field for field in msgspec.structs.fields(page_type) if field.name == "issues")
    decoder: msgspec.json.Decoder[list[wire.Issue]] = msgspec.json.Decoder(field.type)
    items = [_read_one(raw, decoder, place) for place, raw in enumerate(page.issues)]
    return items + _missing(page.errors), page.total


def _read_one(raw: Raw, decoder: msgspec.json.Decoder[list[wire.Issue]], place: int) -> Item:
    try:
        (issue,) = decoder.decode(b"[" + bytes(raw) + b"]")
    except (msgspec.ValidationError, RecursionError, UnicodeDecodeError) as error:
        name = _name(raw) or f"number {place + 1} of its page"
        return Item(STREAM, name, as_record_error(name, error))
    return Item(STREAM, issue.id, issue)


def _name(raw: Raw) -> str:
    try:
        bare = msgspec.json.decode(raw, type=_Bare)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    return str(bare.id or bare.key or "")
