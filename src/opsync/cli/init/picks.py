"""Picking from a list by number, range, key, name or a piece of a name. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from opsync.contract.examining import Choice

ALL = "all"

_RANGE = re.compile(r"(\d+)\s*[-–]\s*(\d+)")


class NotPicked(ValueError):
    """An answer that picks nothing for certain. `near`: the rows that it may mean."""

    def __init__(self, message: str, near: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.near = tuple(near)


def pick(answer: str, rows: Sequence[Choice]) -> tuple[int, ...]:
    """The rows that an answer like "1, 3-5, PAY, growth" means, in their order, from 0.

    Raises NotPicked.
    """
    found = {
        row for part in answer.split(",") if part.strip() for row in _meant(part.strip(), rows)
    }
    if not found:
        raise NotPicked("that picks nothing.")
    return tuple(sorted(found))


def _meant(part: str, rows: Sequence[Choice]) -> Iterator[int]:
    if part.casefold() == ALL:
        yield from range(len(rows))
        return
    if part.isdecimal() and 1 <= int(part) <= len(rows):
        yield int(part) - 1
        return
    named = matching(part, rows)
    bounds = _RANGE.fullmatch(part)
    if len(named) == 1:
        yield named[0]
    elif not named and (bounds or part.isdecimal()):
        first, last = map(int, bounds.groups()) if bounds else (int(part), int(part))
        if not 1 <= first <= last <= len(rows):
            raise NotPicked(f"{part}: the numbers go from 1 to {len(rows)}.")
        yield from range(first - 1, last)
    elif not named and (several := _words(part, rows)):
        yield from several
    elif named:
        raise NotPicked(f'"{part}" is in {len(named)} of the names.', named)
    else:
        names = {name.casefold(): n for n, row in enumerate(rows) for name in (row.id, row.name)}
        near = difflib.get_close_matches(part.casefold(), list(names), 3)
        raise NotPicked(f'there is no "{part}".', sorted({names[name] for name in near}))


def _words(part: str, rows: Sequence[Choice]) -> list[int]:
    """What "PAY MOB" means, if each of its words means something for certain; else nothing."""
    words = part.split()
    if len(words) < 2:
        return []
    try:
        return [row for word in words for row in _meant(word, rows)]
    except NotPicked:
        return []


def matching(text: str, rows: Sequence[Choice]) -> list[int]:
    """The rows that are called so, by id or name; if none is, those with `text` in the name."""
    wanted = text.casefold()
    bare = wanted.replace("-", "")
    exact = [
        number
        for number, row in enumerate(rows)
        if wanted in (row.id.casefold(), row.name.casefold())
        or (len(bare) == 32 and bare == row.id.casefold().replace("-", ""))
    ]
    return exact or [n for n, row in enumerate(rows) if wanted in row.name.casefold()]
