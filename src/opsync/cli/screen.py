"""Putting lines and tables on standard output: coloured on a terminal, plain in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from opsync.cli.common import console
from opsync.inert import inert_text

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text


def interactive() -> bool:
    """Whether people look at standard output directly."""
    return sys.stdout.isatty()


def styled(*parts: str | tuple[str, str]) -> Text:
    """A line of pieces, each plain or (piece, style)."""
    from rich.text import Text

    return Text.assemble(*parts)


def grid(*columns: str, headers: Sequence[str] = (), indent: int = 0) -> Table:
    """A table without lines. Each of `columns` is "left", "right" or "fold" (left; the only kind
    that is broken into lines; the others are cut where the terminal is too narrow)."""
    from rich.table import Table

    table = Table(
        box=None,
        show_header=bool(headers),
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style="dim",
        show_edge=False,
    )
    if indent:
        table.add_column("", width=max(indent - 2, 0))
    for number, kind in enumerate(columns):
        header = headers[number] if number < len(headers) else ""
        table.add_column(
            header,
            justify="right" if kind == "right" else "left",
            no_wrap=kind != "fold",
            overflow="fold" if kind == "fold" else "ellipsis",
        )
    return table


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


def show_rows(headers: Sequence[str], rows: Iterable[Sequence[str]], *, right: str = "") -> None:
    """A plain listing: a table on a terminal; in a pipe one row a line, separated by tabs.

    `right` names the headers whose columns are numbers. Cells may hold any text.
    """
    clean = [[inert_text(cell) for cell in row] for row in rows]
    if not interactive():
        for row in clean:
            click.echo("\t".join(row))
        return
    numbers = right.split()
    kinds = ["right" if header in numbers else "left" for header in headers]
    if kinds and kinds[-1] == "left":
        kinds[-1] = "fold"
    table = grid(*kinds, headers=headers)
    for row in clean:
        table.add_row(*(styled(cell) for cell in row))
    show(table)
