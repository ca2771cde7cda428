"""`opsync links`: which items belong together, which ones look so, and what people decide."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from opsync.cli import words
from opsync.cli.blank import not_blank
from opsync.cli.common import (
    Opened,
    config_option,
    json_option,
    store_option,
)
from opsync.cli.layout import Column
from opsync.cli.linkdecisions import accept, add, reject, remove
from opsync.cli.linkfiles import export, import_
from opsync.cli.listing import Listing, limit_option, most, one_item, show_listing
from opsync.engine.belonging import Pair, Suggested, pairs, suggested
from opsync.engine.lookup import Lookup
from opsync.errors import ConfigError
from opsync.model import Record
from opsync.runtime import SystemClock
from opsync.store import Store

DEFAULT = "list"
"""What `opsync links` does with what is no command of its own."""

KINDS = {"member": "part of it", "same": "same work", "related": "related"}
"""What the second item is to the first, in few words."""

SUGGESTED = (
    Column("id"),
    Column("score", right=True),
    Column("tool", drop=1),
    Column("item", "fold", 14),
    Column("tool", drop=1),
    Column("belongs with", "fold", 14),
    Column("as"),
    Column("why", "fold", 16),
)
"""The columns of suggestions: at 80 cells the tools are left out, and nothing is cut."""


class Links(click.Group):
    """Its commands; anything else is an item to list the links of."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Lead everything but a command or a call for help to the listing."""
        first = args[0] if args else ""
        if first not in self.commands and first not in ctx.help_option_names:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


@click.group(cls=Links, options_metavar="", subcommand_metavar="[ITEM] | COMMAND [ARGS]...")
def links() -> None:
    """Which items belong together, and why: all, or those of ITEM.

    What people named in their tools, and what somebody accepted here. `opsync links suggest` finds
    more; nothing counts before it is accepted.
    """


@links.command(DEFAULT, short_help="What belongs together, and why; the default.")
@click.argument("item", callback=not_blank, required=False)
@limit_option
@json_option
@config_option
@store_option
def list_(
    item: str | None,
    limit: int | None,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
) -> int:
    """Which items belong together, and why: all, or those of ITEM.

    With --json: [{"one", "two", "evidence": [{"source", "target", "field", "text"}], "decision",
    "why", "why_not"}].
    """
    rows = most(limit, as_json)
    return show_listing(config_path, store, as_json, lambda o, s: _list(o, s, item, rows))


@links.command(short_help="What looks as if it belonged together.")
@click.argument("item", callback=not_blank, required=False)
@limit_option
@json_option
@config_option
@store_option
def suggest(
    item: str | None,
    limit: int | None,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
) -> int:
    """Items that look as if they belonged together, with reasons: all, or those of ITEM.

    Looked for anew in what was read; asks no tool. A suggestion counts once somebody accepts it;
    what somebody rejected does not come back.

    With --json: [{"id", "one", "two", "kind", "score", "reasons"}].
    """
    return show_listing(
        config_path,
        store,
        as_json,
        lambda o, s: _suggest(o, s, item, most(limit, as_json)),
        nothing="nothing to suggest",
        foot="none of them counts until it is accepted: opsync links accept ID, or reject ID",
    )


for command in (accept, reject, add, remove, import_, export):
    links.add_command(command)


async def _list(opened: Opened, store: Store, item: str | None, limit: int) -> Listing:
    ref = None if item is None else (await _meant(opened, store, item)).ref
    found = await pairs(Lookup(opened.config, store), ref, limit)
    columns = (
        Column("tool"),
        Column("item", "fold", 16),
        Column("tool"),
        Column("belongs with", "fold", 16),
        Column("why", "fold", 18),
    )
    return Listing(columns, [_row(one) for one in found], found, full=len(found) == limit)


def _row(pair: Pair) -> tuple[str, ...]:
    why = "; ".join(pair.why)
    return (
        pair.one.tool,
        words.shown(pair.one.label, 60),
        pair.two.tool,
        words.shown(pair.two.label, 60),
        words.shown(f"{why}: {pair.why_not}" if pair.why_not else why, 200),
    )


async def _suggest(opened: Opened, store: Store, item: str | None, limit: int) -> Listing:
    # Its index of words costs an import that no other command needs.
    from opsync.engine.suggesting import look_anew

    ref = None if item is None else (await one_item(opened, store, item)).ref
    await look_anew(opened.config, store, SystemClock().now())
    open_ = await store.suggestions(ref)
    found = await suggested(Lookup(opened.config, store), open_[:limit])
    rows = [_suggested_row(one) for one in found]
    return Listing(SUGGESTED, rows, found, full=len(found) < len(open_))


def _suggested_row(one: Suggested) -> tuple[str, ...]:
    return (
        one.id,
        words.percent(one.score),
        one.one.tool,
        words.shown(one.one.label, 60),
        one.two.tool,
        words.shown(one.two.label, 60),
        KINDS[one.kind],
        words.shown("; ".join(one.reasons), 200),
    )


async def _meant(opened: Opened, store: Store, item: str) -> Record:
    """The item, or an error that knows that it may be a command that was misspelt."""
    try:
        return await one_item(opened, store, item)
    except ConfigError as error:
        near = difflib.get_close_matches(item, links.commands, 1)
        if not near or len(error.problems) > 1:
            raise
        hint = f"Did you mean: opsync links {near[0]}"
        raise ConfigError(error.message, hint=hint) from error
