"""Putting lines and tables on standard output: coloured on a terminal, plain in a pipe."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from opsync.cli.common import console
from opsync.cli.layout import Column, table
from opsync.inert import inert_text

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

ELSEWHERE = "a pipe and --json show all"
"""Where the columns are that a narrow terminal leaves out."""
_LABEL = re.compile(r"\s*(?:[!+~-] |\S+(?: \S+)?\s{2,})?")
"""What a line begins with before its text: blanks, a sign or a label."""


SIGNS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}
"""What a finding begins with, and its colour."""


def interactive() -> bool:
    """Whether people look at standard output directly."""
    return sys.stdout.isatty()


def styled(*parts: str | tuple[str, str]) -> Text:
    """A line of pieces, each plain or (piece, style)."""
    from rich.text import Text

    return Text.assemble(*parts)


def grid(columns: Sequence[Column], rows: Sequence[Sequence[Text]], *, indent: int = 0) -> None:
    """Print a table that fits the terminal; in a pipe it is as wide as it needs to be.

    Columns that a narrow terminal leaves out are named below it, where they have a header.
    """
    if not rows:
        return
    made, left_out = table(columns, rows, room=console().width, indent=indent)
    show(made)
    named = ", ".join(dict.fromkeys(header for header in left_out if header))
    if named:
        show(styled((f"{' ' * indent}no room here for: {named} ({ELSEWHERE})", "dim")))


def hanging(first: str, *rest: str | tuple[str, str], style: str = "") -> None:
    """Print `first` and then the text beside it, its further lines under its own beginning."""
    from rich.table import Table

    if not first:
        show(styled(*rest))
        return
    if len(first) > console().width // 2:
        show(styled((first, style)))
        first = " " * 4
    made = Table.grid(padding=0)
    made.add_column(no_wrap=True, width=len(first))
    made.add_column(overflow="fold")
    made.add_row(styled((first, style)), styled(*rest))
    show(made)


def signed(state: str, text: str, hints: Sequence[str] = ()) -> None:
    """Print a finding behind the sign of its state ("ok", "warn", "fail"), and below it what mends
    it."""
    sign, style = SIGNS[state]
    hanging(f"  {sign} ", text, style=style)
    for hint in hints:
        hanging(" " * 6, hint)


def show_line(line: str) -> None:
    """Print a line; on a terminal it goes on under its own text, after its label or sign."""
    if not interactive():
        click.echo(line)
        return
    sign = _LABEL.match(line)
    hang = " " * (sign.end() if sign else 0)
    wide = max(console().width, len(hang) + 20)
    click.echo(
        textwrap.fill(
            line, wide, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False
        )
    )


def show(*things: RenderableType) -> None:
    """Print; in a pipe without colours, and without blanks at the ends of lines."""
    out = console()
    for thing in things:
        if interactive():
            out.print(thing)
            continue
        with out.capture() as captured:
            out.print(thing)
        for line in captured.get().splitlines():
            click.echo(line.rstrip())


def show_rows(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """A plain listing: a table on a terminal; in a pipe one row a line, separated by tabs.

    Cells may hold any text.
    """
    clean = [[inert_text(cell) for cell in row] for row in rows]
    if interactive():
        grid(columns, [[styled(cell) for cell in row] for row in clean])
        return
    for row in clean:
        click.echo("\t".join(row))
