"""What the last seven days brought, as the digest says it, beside all initiatives. Pure."""

from __future__ import annotations

from datetime import tzinfo
from urllib.parse import quote

from msgspec import Struct

from opsync.engine.digest import About, Week
from opsync.engine.digestwords import Line, known_since, news


class News(Struct, frozen=True):
    """The lines of it. `since` says from when on, where opsync has not looked for a week."""

    since: str
    lines: tuple[Line, ...]


def news_of(week: Week, zone: tzinfo) -> News:
    """What happened in a week; names lead to their pages here."""
    return News(known_since(week, zone), news(week, zone, _here))


def _here(one: About) -> str:
    return f"/initiatives/{quote(one.ref, safe=':')}"
