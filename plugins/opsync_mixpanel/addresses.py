"""The addresses under which people know what a project holds.

`/project/N[/view/N]/app/APP`, and what is opened in the fragment: `#report/N` (also
`#segmentation-report/N` and, of a funnel, `#view/N`), a title and overrides after it; on a board
`#id=N&editor-card-id="report-N"`. Older ones begin with `/report/N`. Of flags and experiments the
id stands in the path or in the fragment. An annotation has no page, only its place in the API.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, unquote, urlsplit

REPORT, BOARD, FLAG, EXPERIMENT, ANNOTATION = "report", "board", "flag", "experiment", "annotation"

_REPORTS = frozenset({"insights", "funnels", "retention", "flows", "impact"})
_THINGS = {"feature-flags": FLAG, "experiments": EXPERIMENT}
_OPENED = re.compile(r"(?:segmentation-report|report|view)/(\d+)(?:/|$)")
_CARD = re.compile(r'"?report-(\d+)"?')
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+", re.IGNORECASE)


def project(page: str, number: int) -> str:
    """The address of a project behind `page`, a scheme and host."""
    return f"{page}/project/{number}"


def of_report(page: str, number: int, report: str) -> str:
    """The address of a saved report."""
    return f"{project(page, number)}/app/insights#report/{report}"


def of_board(page: str, number: int, board: str) -> str:
    """The address of a board."""
    return f"{project(page, number)}/app/boards#id={board}"


def alias(url: str, pages: Sequence[str], number: int) -> str | None:
    """The alias ("report:123") of what `url` leads to in this project; None for all else."""
    try:
        parts = urlsplit(url.replace("&amp;", "&"))
        path = _behind(pages, parts.scheme, parts.hostname, parts.port, parts.path)
    except ValueError:
        return None
    if path is None:
        return None
    fragment = unquote(parts.fragment)
    if not fragment and "%23" in path:
        path, _, fragment = unquote(path).partition("#")
    segments = [part for part in path.split("/") if part]
    if segments[:3] == ["api", "app", "projects"]:
        return _annotation(segments[3:], number)
    app, rest = _app(segments, number)
    if app in _REPORTS:
        opened = _OPENED.match(fragment)
        return f"{REPORT}:{int(opened[1])}" if opened else None
    if app == "boards":
        return _on_board(fragment, rest)
    if app in _THINGS:
        found = next((part for part in (*rest, fragment) if _ID.search(part)), None)
        match = _ID.search(found) if found else None
        return f"{_THINGS[app]}:{match[0].lower()}" if match else None
    return None


def _behind(
    pages: Sequence[str], scheme: str, host: str | None, port: int | None, path: str
) -> str | None:
    """The path behind the first of `pages` that an address lies at."""
    if scheme.lower() not in ("http", "https") or host is None:
        return None
    for page in pages:
        own = urlsplit(page)
        standard = {None, 443 if scheme.lower() == "https" else 80}
        same_port = port == own.port or {port, own.port} <= standard
        if host == own.hostname and same_port and path.startswith(f"{own.path}/"):
            return path.removeprefix(own.path)
    return None


def _app(segments: Sequence[str], number: int) -> tuple[str, Sequence[str]]:
    """What is open, and the rest of the path; "" for another project or another page."""
    rest = list(segments)
    if len(rest) < 3 or rest[0] not in ("project", "report") or rest[1] != str(number):
        return "", ()
    older = rest[0] == "report"
    rest = rest[2:]
    if rest[0] == "view":
        rest = rest[2:]
    if not older:
        if not rest or rest[0] != "app":
            return "", ()
        rest = rest[1:]
    return (rest[0], rest[1:]) if rest else ("", ())


def _on_board(fragment: str, rest: Sequence[str]) -> str | None:
    """The report that is open on a board, else the board."""
    named = dict(parse_qsl(fragment))
    card = _CARD.fullmatch(named.get("editor-card-id", ""))
    if card:
        return f"{REPORT}:{int(card[1])}"
    board = named.get("id", rest[0] if rest else "")
    return f"{BOARD}:{int(board)}" if board.isdecimal() else None


def _annotation(segments: Sequence[str], number: int) -> str | None:
    match segments:
        case [project_, "annotations", id_] if project_ == str(number) and id_.isdecimal():
            return f"{ANNOTATION}:{int(id_)}"
    return None
