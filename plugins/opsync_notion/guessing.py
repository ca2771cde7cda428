"""Which column means what, by name, type and content, with examples of real rows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from opsync import Guess
from opsync_notion.normalize import as_text
from opsync_notion.schema import LINK_TYPES, Column, View
from opsync_notion.texts import clean, plain, text_and_links
from opsync_notion.wire import Cell, Page

LOOKED_AT = 25
"""So many rows, those that were edited last, are looked at for links."""
SHOWN = 3
"""So many of them are shown."""
WIDTH = 80
"""Characters of an example."""

TITLE, STATUS, DUE, OWNER, LINKS = ROLES = ("title", "status", "due", "owner", "links")

_WORK = re.compile(
    r"https?://[^\s/]+(?:/[^\s/]+)?/(?:browse|issues)/[A-Za-z][A-Za-z0-9_]+-\d+"
    r"|https?://[^\s/]+/\S*[?&]selectedIssue=[A-Za-z][A-Za-z0-9_]+-\d+"
    r"|https?://linear\.app/[^\s/]+/(?:issue|project|initiative)/"
    r"|(?<![\w/.#@&=-])[A-Z][A-Z0-9_]{1,9}-[1-9]\d{0,6}(?![\w-])"
)
"""Addresses of work in Jira and Linear, and what looks like a key."""
_NAMED = re.compile(
    r"track|link|jira|linear|epic|issue|ticket|\burl\b|verfolgt|aufgabe", re.IGNORECASE
)


def guesses(view: View, pages: Sequence[Page]) -> list[Guess]:
    """One guess a role; the examples are of the same rows for all of them."""
    links = _links(view, pages)
    title = next((column.id for column in view.table.columns if column.type == "title"), "")
    chosen = {TITLE: title, STATUS: view.status, DUE: view.due, OWNER: view.owner, LINKS: links}
    rows = _telling(pages, [id_ for id_ in chosen.values() if id_])
    return [
        Guess(view.data_source, role, _name(view, chosen[role]), _examples(rows, chosen[role]))
        for role in ROLES
    ]


def _links(view: View, pages: Sequence[Page]) -> str:
    """The column in which most rows name work; where none does, one that is called so.

    Content goes before names: a column "Jira" may hold a project's name, one "Notes" the links.
    """
    candidates = [
        column
        for column in view.table.columns
        if column.type in LINK_TYPES and column.id not in view.hidden
    ]
    if configured := [column for column in candidates if column.id in view.links]:
        candidates = configured
    named = [column for column in candidates if _NAMED.search(column.name)]
    best = max(candidates, key=lambda c: (*_hits(c, pages), c in named), default=None)
    if best is not None and _hits(best, pages)[0]:
        return best.id
    return named[0].id if named else ""


def _hits(column: Column, pages: Iterable[Page]) -> tuple[int, int]:
    """How many rows name work in a column, and how often they do."""
    counts = [len(_WORK.findall(_whole(cell))) for cell in _cells(pages, column.id)]
    return sum(1 for count in counts if count), sum(counts)


def _cells(pages: Iterable[Page], column_id: str) -> Iterable[Cell]:
    for page in pages:
        for cell in (page.properties or {}).values():
            if cell.id == column_id:
                yield cell


def _telling(pages: Sequence[Page], columns: Sequence[str]) -> list[Page]:
    """The rows in which most of these columns are filled, in the order they came."""

    def filled(page: Page) -> int:
        cells = (page.properties or {}).values()
        return sum(1 for cell in cells if cell.id in columns and _whole(cell))

    best = sorted(pages, key=filled, reverse=True)[:SHOWN]
    return [page for page in pages if page in best]


def _examples(rows: Sequence[Page], column_id: str) -> tuple[str, ...]:
    if not column_id:
        return ()
    texts = []
    for page in rows:
        found = [_whole(cell) for cell in (page.properties or {}).values() if cell.id == column_id]
        text = clean(found[0]) if found else ""
        texts.append(text if len(text) <= WIDTH else f"{text[: WIDTH - 1].rstrip()}…")
    return tuple(texts)


def _whole(cell: Cell) -> str:
    """All that a cell says, links included."""
    if cell.type == "title":
        return plain(cell.title)
    if cell.type == "rich_text":
        return text_and_links(cell.rich_text)
    if cell.type == "relation":
        count = len(cell.relation or ())
        return f"{count} pages" if count > 1 else "1 page" if count else ""
    return as_text(cell)


def _name(view: View, column_id: str) -> str:
    column = view.table.by_id(column_id) if column_id else None
    return column.name if column else ""
