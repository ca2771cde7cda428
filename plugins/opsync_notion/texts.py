"""Text and links within Notion's limits, and the canonical form in which they are compared.

Limits: https://developers.notion.com/reference/request-limits (2,000 characters a run and a URL,
100 runs). Characters are counted as UTF-16 does, the strictest reading of that page.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from opsync_notion.ids import PAGE_URL, page_of
from opsync_notion.wire import Run

MAX_RUN = 2000
MAX_RUNS = 100
MAX_URL = 2000
MAX_TEXT = 60_000
"""UTF-16 units of a whole cell: two such texts stay within the 500 KB of one request."""
MAX_ITEM = 300
"""UTF-16 units of one entry of a list of links."""
MAX_ITEMS = MAX_RUNS // 2
"""Entries of a list of links: each is a run, with a separator before it or "…" at the end."""
MAX_DESCRIPTION = 280
"""UTF-16 units of a column's description."""
MAX_OPTION = 100
"""Characters of a select option's name."""

SEPARATOR = " · "
_SEPARATOR = re.compile(r"(?:^|\s)·(?=\s|$)")
_SPACES = re.compile(r"\s+")
_UNSAFE = re.compile(r"[\s\x00-\x20\x7f-\xa0\\]")

Item = tuple[str, str]
"""The text of an entry, and where it leads ("": nowhere)."""


def units(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text) + sum(char > "\uffff" for char in text)


def clean(text: str) -> str:
    """`text` on one line, without control, direction and half characters."""
    if not text.isprintable():
        text = "".join(_keep(char) for char in text)
    return _SPACES.sub(" ", text).strip()


def _keep(char: str) -> str:
    if char.isprintable() or char in "\u200c\u200d":  # joiners are part of words and emoji
        return char
    return " " if char.isspace() or unicodedata.category(char) == "Cc" else ""


def clip(text: str, limit: int) -> str:
    """`text` in at most `limit` UTF-16 units, ending with "…" where it was cut."""
    if units(text) <= limit:
        return text
    return next(chunks(text, limit - 1)).rstrip() + "…"


def chunks(text: str, limit: int = MAX_RUN) -> Iterator[str]:
    """`text` in pieces of at most `limit` UTF-16 units, never cutting a character in two."""
    start = used = 0
    for index, char in enumerate(text):
        size = 2 if char > "\uffff" else 1
        if used + size > limit:
            yield text[start:index]
            start, used = index, 0
        used += size
    if start < len(text):
        yield text[start:]


def canonical_url(url: str) -> str:
    """`url` as opsync writes and compares it; "" for what is no absolute http or https URL.

    Links to Notion pages change their host and slug, and may be told relative to the site.
    """
    if url.startswith("/") and not url.startswith("//"):
        url = f"https://app.notion.com{url}"
    if not url or len(url) > MAX_URL or _UNSAFE.search(url):
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not host or "@" in parts.netloc:
        return ""
    page = page_of(url)
    if page and not parts.fragment:
        return PAGE_URL + page
    return url if parts.path or parts.query or parts.fragment else f"{url}/"


def plain(runs: Iterable[Run] | None) -> str:
    """The text of `runs` without links and looks."""
    return "".join(run.plain_text for run in runs or ())


def text_and_links(runs: Iterable[Run] | None) -> str:
    """The text of `runs`, and below it each link's address that the text does not show."""
    runs = list(runs or ())
    text = plain(runs)
    hidden = dict.fromkeys(
        f"https://app.notion.com{run.href}" if run.href.startswith("/") else run.href
        for run in runs
        if run.href and run.href not in text
    )
    return "\n".join([text, *hidden]).strip()


def parse_items(runs: Iterable[Run] | None) -> tuple[Item, ...]:
    """The entries of a list of links, however Notion or a person cut it into runs."""
    items: list[Item] = []
    for text, url in _merged(runs or ()):
        if url:
            if shown := _SPACES.sub(" ", text).strip():
                items.append((shown, url))
        else:
            parts = (_SPACES.sub(" ", part).strip() for part in _SEPARATOR.split(text))
            items.extend((part, "") for part in parts if part)
    return tuple(items)


def _merged(runs: Iterable[Run]) -> Iterator[Item]:
    text, at = "", ""
    for run in runs:
        url = canonical_url(run.href or "")
        if url != at:
            yield text, at
            text, at = "", url
        text += run.plain_text
    yield text, at


def lay_out(items: Sequence[Item]) -> list[Run]:
    """The runs for a list of links: one an entry, none longer than a run, and separators.

    Of more than fit into 100 runs the rest is left out, which "…" says.
    """
    runs: list[Run] = []
    for text, url in items[:MAX_ITEMS]:
        if runs:
            runs.append(Run(SEPARATOR))
        runs.append(Run(text, url or None))
    return [*runs, Run(f"{SEPARATOR}…")] if len(items) > MAX_ITEMS else runs


def written(runs: Iterable[Run]) -> list[object]:
    """`runs` as a request carries them. A run without a link has no `link` at all."""
    return [
        {"text": {"content": run.plain_text, "link": {"url": run.href}}}
        if run.href
        else {"text": {"content": run.plain_text}}
        for run in runs
    ]
