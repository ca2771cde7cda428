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
EVENT, FLAG, INSIGHT, RELEASED = USE = ("event", "flag", "insight", "released")
NAMING = frozenset({"rich_text", "url", "select"})
"""The types of columns that can hold an event's name, a flag's key or an insight's link."""
CELL_MAX = 60
"""A name has no more characters; what is longer is prose."""

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
_EVENT = re.compile(r"\bevents?\b|ereignis", re.IGNORECASE)
_CALLED = {
    EVENT: re.compile(rf"{_EVENT.pattern}|\bmetrics?\b|\bmetrik", re.IGNORECASE),
    FLAG: re.compile(r"\b(feature[ _-]?)?flags?\b|\btoggle\b|\bexperiments?\b", re.IGNORECASE),
    INSIGHT: re.compile(r"\binsights?\b|\bcharts?\b|\breports?\b|auswertung", re.IGNORECASE),
    RELEASED: re.compile(
        r"\b(released?|shipped|launch(ed)?|go[ -]?live|live (since|on)|rolled out)\b"
        r"|veröffentlicht|ausgeliefert",
        re.IGNORECASE,
    ),
}
_KEY = re.compile(r"[\w.$:/-]*[^\W\d][\w.$:/-]*")
"""What a flag's key looks like: no blanks, and a letter in it."""


def guesses(view: View, pages: Sequence[Page]) -> list[Guess]:
    """One guess a role; the examples are of the same rows for all of them."""
    links = _links(view, pages)
    title = next((column.id for column in view.table.columns if column.type == "title"), "")
    chosen = {TITLE: title, STATUS: view.status, DUE: view.due, OWNER: view.owner, LINKS: links}
    fitting = {role: _fitting(view, role) for role in USE}
    used = {
        role: _called(role, [c for c in fitting[role] if c.id not in chosen.values()], pages)
        for role in USE
    }
    rows = _telling(pages, [id_ for id_ in (*chosen.values(), *used.values()) if id_])
    found = [
        Guess(view.data_source, role, _name(view, id_), _examples(rows, id_))
        for role, id_ in chosen.items()
    ]
    for role, id_ in used.items():
        others = {one.name: _examples(rows, one.id) for one in fitting[role] if one.id != id_}
        found.append(Guess(view.data_source, role, _name(view, id_), _examples(rows, id_), others))
    return found


def _fitting(view: View, role: str) -> list[Column]:
    """The columns that can hold it: dates for the day of a release, else texts, links, options."""
    types = frozenset({"date"}) if role == RELEASED else NAMING
    return [c for c in view.table.columns if c.type in types and c.id not in view.hidden]


def _called(role: str, columns: Sequence[Column], pages: Sequence[Page]) -> str:
    """The first column that is called so, and of which no cell says otherwise; "" if none is."""
    named = [column for column in columns if _CALLED[role].search(column.name)]
    if role != RELEASED:
        named = [c for c in named if all(_is_name(c, cell) for cell in _cells(pages, c.id))]
    return named[0].id if named else ""


def _is_name(column: Column, cell: Cell) -> bool:
    """Whether a cell holds the name of something that can be measured, a link, or nothing.

    Only events are called with blanks; a column "Metric" with blanks in it holds prose.
    """
    text = _whole(cell).strip()
    if not text or "://" in text:
        return True
    if _EVENT.search(column.name):
        return len(text) <= CELL_MAX and "\n" not in text
    return len(text) <= CELL_MAX and _KEY.fullmatch(text) is not None


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
