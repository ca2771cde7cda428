"""The digest in words: at most eight lines, in English, and laid out for Markdown and for Slack.

Pure: a week in, lines out. A line is a label and items, an item pieces of text, each of which may
lead somewhere. All text from tools is made harmless where a line is laid out: it stays text, and
pings nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, tzinfo
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import quote

from msgspec import Struct

from opsync.engine.digest import (
    About,
    AtRisk,
    Contradicted,
    Delivered,
    Moved,
    ScopeAdded,
    Slipped,
    Week,
)
from opsync.inert import inert_text, link_url, markdown_text, safe_url
from opsync.wording import day

LINES = 8
"""So many lines a digest has at most, its heading among them."""
NAMED = 4
"""So many initiatives a line names; the rest is counted."""
TITLE = 80
SAID = 160

_WAITS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "to_approve": ("change to approve", "changes to approve"),
        "edited": ("value edited by a person", "values edited by a person"),
        "removed": ("value removed by a person", "values removed by a person"),
        "failed": ("write that failed", "writes that failed"),
        "set_aside": ("item set aside", "items set aside"),
        "suggested": ("link suggested", "links suggested"),
    }
)

_BLANK = "\u200b"
_IN_SLACK = (
    ("&", "&amp;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    ("|", "¦"),
    *((mark, mark + _BLANK) for mark in "@*_~`"),
)
"""What is put for characters that mean something to Slack; a mark is kept from its word."""

T = TypeVar("T", bound=About)

Leads = Callable[[About], str]
"""Where the name of an initiative leads."""


class Piece(Struct, frozen=True):
    """Some text; `url` is where it leads, "" for nowhere."""

    text: str
    url: str = ""


class Line(Struct, frozen=True):
    """One line: what it is about, its items, and how many more there are."""

    label: str
    items: tuple[tuple[Piece, ...], ...]
    more: int = 0


def in_tool(one: About) -> str:
    """To the initiative in its own tool."""
    return safe_url(one.url)


def on_page(public_url: str) -> Leads:
    """To the initiative's page of the dashboard at this address, or into its tool where there is
    none."""
    if not public_url:
        return in_tool
    return lambda one: safe_url(f"{public_url}/initiatives/{quote(one.ref, safe=':')}")


def told(week: Week, zone: tzinfo, leads: Leads = in_tool) -> tuple[Line, ...]:
    """The digest of a week; days are those of `zone`. The first line is its heading."""
    return tuple(_lines(week, zone, leads))[:LINES]


def news(week: Week, zone: tzinfo, leads: Leads = in_tool) -> tuple[Line, ...]:
    """The lines of what happened in the week itself: what moved, grew, slipped and was shipped."""
    last = week.until.astimezone(zone).date()
    shipped = [one for one in week.shipped if one.in_week]
    return (*_moving(week, last, leads), *_some("Shipped", shipped, leads, _shipped, last))


def known_since(week: Week, zone: tzinfo) -> str:
    """ "known since 24 Nov" of a week that opsync did not see whole, else ""."""
    if week.known_since is None:
        return ""
    last = week.until.astimezone(zone).date()
    return f"known since {day(week.known_since.astimezone(zone).date(), last)}"


def _lines(week: Week, zone: tzinfo, leads: Leads) -> Iterator[Line]:
    last = week.until.astimezone(zone).date()
    yield _heading(week, last, zone)
    if week.still:
        yield Line("Moved", ((Piece("nothing"),),))
    else:
        yield from _moving(week, last, leads)
    yield from _some("At risk", week.at_risk, leads, _at_risk, last)
    yield from _some("Shipped", week.shipped, leads, _shipped, last)
    yield from _some("Contradicts", week.contradicts, leads, _contradicts, last)
    waits = waits_of(week.waiting)
    if week.alarms:
        waits.append(_count(week.alarms, "problem (opsync status)", "problems (opsync status)"))
    if waits:
        yield Line("Waits for you", tuple((Piece(one),) for one in waits))


def _moving(week: Week, last: date, leads: Leads) -> Iterator[Line]:
    yield from _some("Moved", week.moved, leads, _moved, last)
    yield from _some("Scope", week.scope, leads, _scope, last)
    yield from _some("Slipped", week.slipped, leads, _slipped, last)


def waits_of(waiting: Mapping[str, int]) -> list[str]:
    """What waits for a person, by why, each in a few words."""
    return [_count(waiting[why], *words) for why, words in _WAITS.items() if waiting.get(why)]


def _heading(week: Week, last: date, zone: tzinfo) -> Line:
    weeks = round((week.until - week.since).days / 7)
    span = "The week" if weeks == 1 else f"The {weeks} weeks"
    name = f"{span} to {day(last)} {last.year}"
    if week.team:
        name = f"{inert_text(week.team, TITLE)}: {name[0].lower()}{name[1:]}"
    said = [_count(week.initiatives, "initiative", "initiatives")]
    if week.total:
        said.append(f"{week.done:,} of {week.total:,} done")
    if week.written:
        said.append(_count(week.written, "write by opsync", "writes by opsync"))
    if since := known_since(week, zone):
        said.append(since)
    return Line(name, tuple((Piece(one),) for one in said))


def _count(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _some(
    label: str, found: Sequence[T], leads: Leads, word: Callable[[T, date], str], last: date
) -> Iterator[Line]:
    """The line of these initiatives, each with what `word` says of it on the `last` day."""
    if found:
        items = tuple(
            (Piece(inert_text(one.title, TITLE), leads(one)), Piece(word(one, last)))
            for one in found[:NAMED]
        )
        yield Line(label, items, max(0, len(found) - NAMED))


def _moved(one: Moved, last: date) -> str:
    said = f" {one.done_before} of {one.total_before} → {one.done} of {one.total}"
    if (one.done_before, one.total_before) == (one.done, one.total):
        said = ""
    if one.health is not one.health_before:
        said = f"{said}{',' if said else ''} now {one.health.value.lower()}"
    return said


def _scope(one: ScopeAdded, last: date) -> str:
    return f" grew by {one.added} to {one.total}"


def _slipped(one: Slipped, last: date) -> str:
    if one.how == "moved" and one.due_before is not None:
        return f" from {day(one.due_before, last)} to {day(one.due_on, last)}"
    return f" was due {day(one.due_on, last)}"


def _at_risk(one: AtRisk, last: date) -> str:
    new = "now " if one.since_this_week else ""
    said = f" {new}{one.health.value.lower()}"
    return f"{said}: {inert_text(one.reason, SAID)}" if one.reason else said


def _shipped(one: Delivered, last: date) -> str:
    on = one.released.on
    said = f" on {day(on, last)}" if on is not None else ""
    return f"{said}: {inert_text(one.use, SAID)}" if one.use else said


def _contradicts(one: Contradicted, last: date) -> str:
    return f" says “{inert_text(one.says, TITLE)}”, measured: {inert_text(one.measured, SAID)}"


# Layouts ---------------------------------------------------------------------------------------


def as_markdown(lines: Sequence[Line]) -> str:
    """The lines as Markdown: the heading in bold, and a list."""
    return "\n".join(_laid_out(lines, "**", "- ", _markdown))


def as_slack(lines: Sequence[Line]) -> str:
    """The lines as Slack's mrkdwn: https://api.slack.com/reference/surfaces/formatting"""
    return "\n".join(_laid_out(lines, "*", "• ", _slack))


def _laid_out(
    lines: Sequence[Line], bold: str, bullet: str, piece: Callable[[Piece], str]
) -> Iterator[str]:
    for number, line in enumerate(lines):
        items = ["".join(map(piece, item)) for item in (*line.items, *more_of(line))]
        begin = bullet if number else ""
        label = piece(Piece(line.label))
        yield f"{begin}{bold}{label}:{bold} {' · '.join(items)}"


def more_of(line: Line) -> tuple[tuple[Piece, ...], ...]:
    """The item that counts those which are not named, if there are any."""
    return ((Piece(f"{line.more} more"),),) if line.more else ()


def plain(line: Line) -> str:
    """A line without its label, and without where it leads."""
    found = (*line.items, *more_of(line))
    return " · ".join("".join(piece.text for piece in item) for item in found)


def _markdown(piece: Piece) -> str:
    blank = " " if piece.text.startswith(" ") else ""
    text = blank + markdown_text(piece.text)
    url = link_url(piece.url)
    return f"[{text}]({url})" if url else text


def _slack(piece: Piece) -> str:
    blank = " " if piece.text.startswith(" ") else ""
    text = blank + inert_text(piece.text)
    # Who is called stands in <…>, and "@" begins a name: neither may come from a title.
    for char, instead in _IN_SLACK:
        text = text.replace(char, instead)
    url = link_url(piece.url).replace("&", "&amp;")
    return f"<{url}|{text}>" if url else text
