"""`opsync look` as a Markdown document: to paste into a page, a chat or a mail.

All text from tools is escaped, so that it stays text; only web addresses become links.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from opsync.cli import words
from opsync.cli.looksaid import (
    HEADINGS,
    LookView,
    addition_lines,
    additions_title,
    article,
    headline,
    how_to_write,
    no_roots_line,
    nothing_lines,
    of_kind,
    said,
    said_title,
    spaces_of,
    suggested_line,
    twin_line,
    unseen_line,
)
from opsync.engine.catalog import Item
from opsync.engine.disagreeing import Found
from opsync.engine.looked import Look
from opsync.inert import link_url, markdown_text
from opsync.wording import day

LONGEST = 20
"""So many rows a table has unless all are asked for."""


def escaped(text: str, limit: int = 200) -> str:
    """Text from anywhere on one line, without a meaning in Markdown, HTML or a chat."""
    return markdown_text(text, limit)


def document(view: LookView, *, every: bool) -> str:
    """The whole document."""
    return "\n".join(_lines(view, every=every)).rstrip() + "\n"


def _lines(view: LookView, *, every: bool) -> Iterator[str]:
    look = view.look
    local = look.at.astimezone(view.zone)
    yield f"# What opsync sees, {day(local.date())} {local.year}"
    yield ""
    if look.nothing_read:
        yield from (escaped(line, 400) for line in nothing_lines(view))
        yield from _unseen(look)
        return
    yield f"{headline(look)}. Nothing was changed in any tool."
    yield ""
    yield from _said(look, every=every)
    yield from _share(look)
    for kind, title in HEADINGS.items():
        found = of_kind(look, kind)
        if found:
            yield f"## {title}: {look.counts.get(kind, 0):,}"
            yield ""
            shown = found if every else found[:LONGEST]
            rows = [(_about(one), escaped(one.says), escaped(one.measured)) for one in shown]
            yield from _table(("Item", "People say", "Measured"), rows)
            yield from _rest(len(shown), look.counts.get(kind, 0))
    if look.twins:
        shown_twins = look.twins if every else look.twins[:LONGEST]
        lines = [escaped(twin_line(one), 400) for one in shown_twins]
        yield from _listed(f"Twins, counted once: {look.twins_total:,}", lines, look.twins_total)
    if look.suggestions:
        pairs = look.suggestions if every else look.suggestions[:LONGEST]
        lines = [f"{escaped(suggested_line(p), 400)} `opsync links accept {p.id}`" for p in pairs]
        title = f"May belong together: {look.suggestions_total:,}"
        yield from _listed(title, lines, look.suggestions_total)
    yield from _unseen(look)
    if look.would_add:
        lines = [f"{tool}: {escaped(text, 400)}" for tool, text in addition_lines(look.would_add)]
        yield from _listed(additions_title(look.would_add), lines, len(lines))
        yield f"How: {how_to_write()}"


def _said(look: Look, *, every: bool) -> Iterator[str]:
    if not look.initiatives:
        yield escaped(no_roots_line(look), 400)
        yield ""
        return
    yield f"## {said_title(look)}"
    yield ""
    found = said(look)
    shown = found if every else found[:LONGEST]
    rows = [
        (
            _about(one),
            escaped(one.says) or "–",
            escaped(one.measured),
            f"{words.bar(one.done / one.total)} {one.done}/{one.total}" if one.total else "–",
        )
        for one in shown
    ]
    if rows:
        yield from _table((look.roots.capitalize(), "People say", "Measured", "Done"), rows)
    yield from _rest(len(shown), len(found))


def _share(look: Look) -> Iterator[str]:
    share = look.in_progress
    if share is None or not share.total:
        return
    yield f"## In progress without {article(look.roots)}: {share.without:,} of {share.total:,}"
    yield ""
    spaces = spaces_of(share)
    rows = [
        (escaped(name, 60), f"{words.bar(without / total)} {without}/{total}")
        for name, without, total in spaces[:LONGEST]
    ]
    if rows:
        yield from _table(("Team or project", "Without"), rows)
    yield from _rest(len(rows), len(spaces))
    if share.oldest:
        named = [f"{_item(one.item)} since {day(one.since)}" for one in share.oldest if one.since]
        yield f"The longest: {', '.join(named)}"
        yield ""


def _unseen(look: Look) -> Iterator[str]:
    if look.unseen:
        lines = [
            escaped(unseen_line(one), 400) + (f" ({escaped(one.hint, 300)})" if one.hint else "")
            for one in look.unseen
        ]
        yield from _listed("Not everything is seen", lines, len(lines))


def _listed(title: str, lines: Sequence[str], many: int) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield from (f"- {line}" for line in lines)
    yield ""
    yield from _rest(len(lines), many)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + " --- |" * len(head)
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _rest(shown: int, many: int) -> Iterator[str]:
    if many > shown:
        yield f"… and {many - shown:,} more"
        yield ""


def _about(one: Found) -> str:
    name = _item(one.item) if one.item else ""
    return f"{name} → {_item(one.about)}" if one.about else name


def _item(item: Item) -> str:
    """What an item is called, leading to it where it may be named."""
    label = escaped(item.label, 100)
    url = link_url(item.url)
    return f"[{label}]({url})" if url else label
