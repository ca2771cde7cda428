"""Tables that fit: which columns a narrow terminal leaves out, and how wide the others are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

GAP = 2
"""Blanks between two columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    A "whole" one is never narrower than its widest cell; a "cut" one may be shortened and a "fold"
    one broken into lines, both down to `least`. Where that is not enough, columns with a `drop`
    are left out, the greatest first.
    """

    header: str = ""
    fit: Literal["whole", "cut", "fold"] = "whole"
    least: int = 0
    drop: int = 0
    right: bool = False


def widths(columns: Sequence[Column], natural: Sequence[int], room: int) -> list[int | None]:
    """How wide each column is, in cells; None for one that is left out.

    `natural` are the widths of the widest cells. What room there is goes to those that can do with
    less than they want, evenly. Columns without any text are left out.
    """
    kept = [number for number, wide in enumerate(natural) if wide]
    while _room(kept, room) < sum(_least(columns[n], natural[n]) for n in kept):
        worst = max(kept, key=lambda n: columns[n].drop, default=None)
        if worst is None or not columns[worst].drop:
            break
        kept.remove(worst)
    found: list[int | None] = [None] * len(columns)
    for number in kept:
        found[number] = _least(columns[number], natural[number])
    spare = _room(kept, room) - sum(wide for wide in found if wide)
    while spare > 0:
        tight = [n for n in kept if (found[n] or 0) < natural[n]]
        if not tight:
            break
        smallest = min(tight, key=lambda n: found[n] or 0)
        found[smallest] = (found[smallest] or 0) + 1
        spare -= 1
    return found


def _least(column: Column, natural: int) -> int:
    return natural if column.fit == "whole" else min(natural, column.least)


def _room(kept: Sequence[int], room: int) -> int:
    return room - GAP * (len(kept) - 1)


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[Text]], *, room: int, indent: int = 0
) -> tuple[Table, list[str]]:
    """A table without lines that is at most `room` cells wide, and the headers it leaves out."""
    from rich.cells import cell_len
    from rich.table import Table

    headed = any(column.header for column in columns)
    natural = [
        max([cell_len(column.header), *(row[number].cell_len for row in rows)])
        for number, column in enumerate(columns)
    ]
    found = widths(columns, natural, room - indent)
    made = Table(
        box=None,
        show_header=headed,
        pad_edge=False,
        padding=(0, GAP, 0, 0),
        header_style="dim",
        show_edge=False,
    )
    if indent:
        made.add_column("", width=max(indent - GAP, 0))
    chosen = [number for number, wide in enumerate(found) if wide is not None]
    for number in chosen:
        column, wide = columns[number], found[number]
        made.add_column(
            _header(column, wide or 0),
            justify="right" if column.right else "left",
            width=wide,
            no_wrap=column.fit != "fold",
            overflow="fold" if column.fit == "fold" else "ellipsis",
        )
    for row in rows:
        made.add_row(*([""] if indent else []), *(row[number] for number in chosen))
    return made, [columns[n].header for n in range(len(columns)) if found[n] is None and natural[n]]


def _header(column: Column, wide: int) -> str:
    """The header, without what stands in parentheses where that does not fit."""
    if len(column.header) <= wide:
        return column.header
    return column.header.partition(" (")[0]
