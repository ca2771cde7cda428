"""The footers that mirrors of work write below their copies, and what they name. Pure.

Unito ends a copy with lines that begin with its own bar: "┆Issue is synchronized with this [Jira
Task](…) by [Unito](…)" and, as an option, "┆Issue Number: PAY-143". Exalate writes no footer of
its own; what its scripts are told to write is for `[twins] footers`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from opsync.names import KEY, URL, addresses

LAST_LINES = 3
"""A general form counts in so many last lines of a text: further up people may have written it."""
LONGEST = 400
"""Characters between a footer's words and the end of what it names."""

_BAR = "┆"
_MARKERS = ("ynchroni", "irrored from", "ynced from")
"""Parts of the known forms, in any case of their first letter: most texts have none of them."""

_BEGIN = r"^(?!\s*>)[\W_]*(?:<\w{1,6}>[\W_]*)?"
"""The begin of a line that is no quotation."""
_WITH = re.compile(_BEGIN + r"\w+ is synchroni[sz]ed with this\b(?P<item>.*)$", re.IGNORECASE)
_FROM = re.compile(
    _BEGIN + r"(?:mirrored|synced|synchroni[sz]ed) from\b(?P<item>.*)$", re.IGNORECASE
)
_NUMBER = re.compile(rf"^\s*{_BAR}\s*Issue Number:(?P<item>.*)$", re.IGNORECASE)
_BY = re.compile(r"\s(?:by|via)\s", re.IGNORECASE)
_MARKDOWN_LINK = re.compile(r"\[([^\[\]\n]*)\]\(<?([^\s)>]+)>?\)")
_EMPHASIS = re.compile(r"[*~`]+|(?<!\w)_|_(?!\w)")


class Footers(NamedTuple):
    """A text without its footers, and the address or key that each of them names."""

    rest: str
    items: tuple[str, ...]


class Mirrors:
    """Finds footers: those that are known, and `footers`, patterns with {item} for the original's
    key or address."""

    def __init__(self, footers: Sequence[str] = ()) -> None:
        self._patterns = tuple(_pattern(footer) for footer in footers)
        self._words = tuple(_longest_word(footer) for footer in footers)

    def split(self, text: str) -> Footers | None:
        """`text` parted from its footers; None if it has none.

        A line that names several things, or nothing, is no footer.
        """
        if not self._may_have(text):
            return None
        lines = text.split("\n")
        written = [at for at, line in enumerate(lines) if line.strip()]
        last = frozenset(written[-LAST_LINES:])
        found: dict[int, str] = {}
        synchronized = False
        for at in written:
            item, bar = self._item(lines[at], last=at in last)
            synchronized = synchronized or bar
            if item:
                found[at] = item
        if synchronized:
            for at in written:
                if (match := _NUMBER.match(lines[at])) and (item := _only_name(match["item"])):
                    found[at] = item
        if not found:
            return None
        rest = "\n".join(line for at, line in enumerate(lines) if at not in found)
        return Footers(rest, tuple(dict.fromkeys(found.values())))

    def _may_have(self, text: str) -> bool:
        if any(marker in text for marker in _MARKERS):
            return True
        if not self._words:
            return False
        folded = text.casefold()
        return any(word in folded for word in self._words)

    def _item(self, line: str, *, last: bool) -> tuple[str, bool]:
        """What a line names as a footer ("": it is none), and whether it is Unito's own."""
        plain = _plain(line)
        for pattern in self._patterns:
            if (match := pattern.search(plain)) and (item := _only_name(match["item"])):
                return item, False
        bar = line.lstrip().startswith(_BAR)
        for form in (_WITH, _FROM):
            if (bar or last) and (match := form.match(plain)):
                return _only_name(_before_by(match["item"])), bar
        return "", False


def _plain(line: str) -> str:
    """A line without Markdown: the address behind a link follows its text."""
    return _EMPHASIS.sub("", _MARKDOWN_LINK.sub(r"\1 \2 ", line))


def _before_by(text: str) -> str:
    """What stands before the name of the mirror, which may be a link itself."""
    ends = [match.start() for match in _BY.finditer(text)]
    return text[: ends[-1]] if ends else text


def _only_name(text: str) -> str:
    """The one address in `text`, or without any the one key; "" if there are several."""
    if len(text) > LONGEST:
        return ""
    found = set(addresses(text)) or set(KEY.findall(URL.sub(" ", text)))
    return found.pop() if len(found) == 1 else ""


def _pattern(footer: str) -> re.Pattern[str]:
    head, _, tail = footer.partition("{item}")
    item = rf"(?P<item>.{{1,{LONGEST}}}" + ("?)" if tail.strip() else ")")
    return re.compile(_literal(head) + r"\s*" + item + r"\s*" + _literal(tail), re.IGNORECASE)


def _literal(words: str) -> str:
    return r"\s+".join(re.escape(word) for word in _plain(words).split())


def _longest_word(footer: str) -> str:
    words: Iterable[str] = _plain(footer.replace("{item}", " ")).casefold().split()
    return max(words, key=len)
