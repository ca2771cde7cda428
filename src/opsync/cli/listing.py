"""What listings share: rows for people, in a pipe and as JSON; and the item asked about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from opsync.cli.common import Opened, open_config, open_store, print_json, run_async
from opsync.cli.layout import Column
from opsync.cli.screen import interactive, show_rows
from opsync.engine.deciding import unclear
from opsync.engine.explain import Explainer
from opsync.model import Record
from opsync.store import EVERY, Store

LIMIT = 100
"""Rows on a terminal unless told otherwise."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows for people, and the same as JSON."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    objects: Sequence[Any]
    full: bool = False
    """Whether the limit cut something off, as far as is known."""


Gather = Callable[[Opened, Store], Awaitable[Listing]]


def limit_option(function: F) -> F:
    """`--limit N`."""
    return click.option(
        "--limit",
        type=click.IntRange(1),
        help=f"At most so many rows. Default: {LIMIT} on a terminal; all in a pipe and as JSON.",
    )(function)


def most(limit: int | None, as_json: bool) -> int:
    """How many rows: programs get all of them unless they ask for fewer."""
    return min(limit or (LIMIT if interactive() and not as_json else EVERY), EVERY)


def show_listing(
    config_path: Path | None,
    store: Path | None,
    as_json: bool,
    gather: Gather,
    *,
    nothing: str = "nothing to show",
    foot: str = "",
) -> int:
    """Gather a listing from the store and print it; people are told when there is `nothing`, and
    read `foot` below the rows."""
    opened = open_config(config_path, store=store)
    found = run_async(_gather(opened, gather))
    if as_json:
        print_json(found.objects)
        return 0
    if interactive() and not found.rows:
        click.echo(nothing)
        return 0
    show_rows(found.columns, found.rows)
    if found.full and interactive():
        click.echo(f"… more (--limit {2 * len(found.rows)})")
    if foot and interactive():
        click.echo(foot)
    return 0


async def _gather(opened: Opened, gather: Gather) -> Listing:
    async with open_store(opened) as store:
        return await gather(opened, store)


async def one_item(opened: Opened, store: Store, text: str) -> Record:
    """The one record that a person means. Raises ConfigError when that is not plain."""
    explainer = Explainer(opened.config, store)
    found = await explainer.find(text)
    if len(found) == 1:
        return found[0]
    items = [explainer.item(record) for record in found]
    raise unclear(text, items, await explainer.more(text, found))
