"""What a page says after something was done. The address names it by a word of this list, so that
nobody can have a page say something else by handing out a link."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse

from opsync.engine.phrases import plural

MOST = 99_999

_NEXT = "opsync writes it with the next run."
_SAID = {
    "approved": ("{n} approved. " + _NEXT, "change"),
    "refused": ("{n} refused: it stays as it stands.", "change"),
    "ours": ("{n} settled: opsync writes it with the next run if its rule may write.", "value"),
    "theirs": ("{n} settled: it stays as it stands, for good.", "value"),
    "accepted": ("{n} accepted. It counts after the next run.", "link"),
    "rejected": ("{n} rejected, and not suggested again.", "link"),
    "forgotten": ("{n} taken back: nothing is decided about it any more.", "decision"),
    "undone": ("{n} put back. It stays so until somebody lets go of it.", "value"),
    "nothing": ("Nothing to put back: what stood before stands there already.", ""),
    "paused": ("Writes are paused. Reading goes on.", ""),
    "resumed": ("Writes go on.", ""),
    "reading": ("It is read now. This page follows.", ""),
    "looked": ("{n} found.", "suggestion"),
}


def back(path: str, done: str, count: int = 1, **more: str) -> RedirectResponse:
    """Lead to a page that says what was done: to look at it again does nothing again."""
    query = urlencode({**more, "done": done, **({"n": count} if _SAID[done][1] else {})})
    return RedirectResponse(f"{path}?{query}", status_code=303)


def said(request: Request) -> str:
    """What this page says was done; "" where nothing was."""
    return sentence(request.query_params)


def sentence(query: Mapping[str, str]) -> str:
    """The same of an address's query."""
    text, noun = _SAID.get(query.get("done", ""), ("", ""))
    number = query.get("n", "1")
    count = int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else 1
    return text.format(n=plural(min(count, MOST), noun)) if noun else text
