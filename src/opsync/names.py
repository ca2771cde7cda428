"""How texts name things: by an address or by a key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from urllib.parse import unquote

KEY = re.compile(r"(?<![\w/.#@&=-])[A-Z][A-Z0-9_]{1,9}-[1-9][0-9]{0,6}(?![\w-])")
"""A key like PAY-143: in upper case, outside addresses."""
URL = re.compile(r"https?://[^\s<>\"'\]|}]+", re.IGNORECASE)
_TRAILING = ".,;:!?)»”’*_~`"
_SEPARATORS = re.compile(r"[/?#&=]")
_NO_LETTERS = re.compile(r"[\W_]+")
_TELLING = 8
"""So many letters and digits of a title in an address are no chance."""

NEAREST = 3
"""So many names are told in place of one that is not there."""
ALIKE = 0.5
"""How much of two names must be the same, of 1."""


def addresses(text: str) -> Iterator[str]:
    """The addresses in `text`, without the marks that end a sentence."""
    for match in URL.finditer(text):
        yield match.group().rstrip(_TRAILING)


def untitled(url: str, names: Iterable[str], title: str = "") -> str:
    """`url` without the words of a title, which many tools put into it.

    It ends with the first of `names` in it, by which it leads there as well. "" where none of them
    is in it, or where `title` stands before it: then nobody can tell which part is harmless.
    """
    known = {name.casefold() for name in names if name}
    scheme, slashes, rest = url.partition("://")
    path, question, query = rest.partition("#")[0].partition("?")
    segments = path.split("/")
    cut = _cut(segments, known)
    if not cut:
        pairs = (pair for pair in query.split("&") if pair.partition("=")[2].casefold() in known)
        cut = f"{path}{question}{pair}" if (pair := next(pairs, "")) else ""
    squeezed = _squeezed(title)
    if not cut or (len(squeezed) >= _TELLING and squeezed in _squeezed(cut.partition("/")[2])):
        return ""
    return f"{scheme}{slashes}{cut}"


def names_in(url: str) -> set[str]:
    """All pieces of an address by which an item may be known, in upper and lower case too."""
    pieces = {piece for piece in _SEPARATORS.split(url.partition("://")[2]) if piece}
    pieces |= {piece.rpartition("-")[2] for piece in pieces}
    return {form for piece in pieces for form in (piece, piece.upper(), piece.lower()) if piece}


def _cut(segments: list[str], known: set[str]) -> str:
    """The host and the path up to the segment that is a name, or begins or ends with one."""
    for at, segment in enumerate(segments[1:], 1):
        if segment.casefold() in known:
            return "/".join(segments[: at + 1])
    for at, segment in enumerate(segments[1:], 1):
        folded = segment.casefold()
        for name in sorted(known, key=len, reverse=True):
            if folded.endswith(f"-{name}"):
                return "/".join([*segments[:at], segment[-len(name) :]])
            if folded.startswith(f"{name}-"):
                return "/".join([*segments[:at], segment[: len(name)]])
    return ""


def _squeezed(text: str) -> str:
    """Its letters and digits only, as they are found however a tool joins them in an address."""
    return _NO_LETTERS.sub("", unquote(text)).casefold()


def nearest(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """Up to `NEAREST` of `names` that resemble `name`, in any case, the likest first."""
    by_fold: dict[str, str] = {}
    for one in sorted(names):
        by_fold.setdefault(one.casefold(), one)
    close = get_close_matches(name.casefold(), by_fold, NEAREST, ALIKE)
    return tuple(by_fold[one] for one in close)
