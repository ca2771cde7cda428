"""A request that passed the gate, and the pages of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from opsync.sandbox.posthog.shapes import Answer

if TYPE_CHECKING:
    from opsync.sandbox.posthog.project import PostHogProject

PAGE = 100


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the gate. `url` is its address without the query."""

    project: PostHogProject
    ids: tuple[str, ...]
    params: dict[str, str]
    body: dict[str, object]
    url: str


def paged(call: Call, shapes: Sequence[Answer], default: int = PAGE) -> Answer:
    """A page by `limit` and `offset`, with the addresses of its neighbours."""
    limit = _number(call.params.get("limit"), default) or default
    offset = _number(call.params.get("offset"), 0)

    def at(place: int) -> str:
        query = {**call.params, "limit": str(limit), "offset": str(place)}
        return f"{call.url}?{urlencode(query)}"

    return {
        "count": len(shapes),
        "next": at(offset + limit) if offset + limit < len(shapes) else None,
        "previous": at(max(0, offset - limit)) if offset else None,
        "results": list(shapes[offset : offset + limit]),
    }


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdecimal() else default
