"""`opsync aside`: what could not be read or written, and trying it again at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from opsync.cli import words
from opsync.cli.asking import holding_session
from opsync.cli.blank import not_blank
from opsync.cli.common import (
    Opened,
    config_option,
    json_option,
    log_option,
    need_store,
    open_config,
    print_json,
    run_async,
    store_option,
)
from opsync.cli.layout import Column
from opsync.cli.listing import Listing, limit_option, most, show_listing
from opsync.cli.passjson import as_json as pass_json
from opsync.cli.passview import print_pass
from opsync.cli.screen import show_line
from opsync.engine.setaside import Aside, Found, named, set_aside
from opsync.model import Ref
from opsync.report import PassReport
from opsync.runtime import SystemClock
from opsync.store import Store

COMMAND = "opsync aside retry"
COLUMNS = (
    Column("tool"),
    Column("item", "fold", 14),
    Column("", drop=3),
    Column("why", "fold", 20),
    Column("since", drop=2),
    Column("tries", right=True, drop=1),
    Column("next try", "fold", 10),
)


@click.group(invoke_without_command=True, options_metavar="", subcommand_metavar="[COMMAND]")
@limit_option
@json_option
@config_option
@store_option
@click.pass_context
def aside(
    context: click.Context,
    limit: int | None,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
) -> int:
    """What is set aside: items that could not be read, and values that could not be written.

    Each with why, since when, how often it was tried again in vain, and when it is next. The runs
    try it by themselves: after 5 and 30 minutes, 2 and 12 hours, then daily. Asks no tool.

    With --json: [{"what": "read" | "write", "tool", "connection", "item", "about", "place",
    "reason", "since", "tries", "next_try", "refused", "by_itself"}].
    """
    if context.invoked_subcommand is not None:
        return 0
    rows = most(limit, as_json)

    async def gather(opened: Opened, kept: Store) -> Listing:
        found = await set_aside(opened.config, kept, SystemClock().now())
        return _listing(opened, [one.shown for one in found], rows)

    return show_listing(
        config_path,
        store,
        as_json,
        gather,
        nothing="nothing is set aside: all was read, and written where it should be",
        foot="To try them now: opsync aside retry [ITEM]",
    )


def _listing(opened: Opened, found: Sequence[Aside], limit: int) -> Listing:
    zone = opened.config.zone

    def at(time: datetime | None) -> str:
        if time is None:
            return ""
        local = time.astimezone(zone)
        return f"{words.day(local.date())} {local:%H:%M}"

    rows = [
        (
            one.tool,
            words.shown(one.item.label, 48),
            "not read" if one.what == "read" else f"not written: {one.place}",
            words.shown(one.reason, 300),
            at(one.since),
            str(one.tries),
            _next(one, at(one.next_try)),
        )
        for one in found[:limit]
    ]
    return Listing(COLUMNS, rows, found[:limit], full=len(rows) < len(found))


def _next(one: Aside, at: str) -> str:
    if not one.by_itself:
        return f"when it changes, or opsync sync --full --only {one.connection}"
    return at or "next run"


@aside.command()
@click.argument("item", callback=not_blank, required=False)
@json_option
@config_option
@store_option
@log_option
def retry(
    item: str | None,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """Try it again now: all that is set aside, or ITEM.

    That is a run as `opsync sync` is one, over the connections concerned: what is read well by now
    is counted, and what is taken by now is written. A run tries 20 at most; for more, run it
    again.

    With --json: what `opsync sync --json` prints.
    """
    opened = open_config(config_path, store=store, log_level=log_level)
    need_store(opened)
    report = run_async(_retry(opened, item))
    if report is None:
        if as_json:
            print_json(None)
        else:
            show_line("nothing is set aside")
        return 0
    if as_json:
        print_json(pass_json(report))
    else:
        print_pass(report)
    return report.exit_code


async def _retry(opened: Opened, item: str | None) -> PassReport | None:
    """One run in which that is due; None where nothing is set aside."""
    from opsync.cli.progress import progress

    async with holding_session(opened, COMMAND) as session:
        clock = session.runtime.clock
        found = await set_aside(opened.config, session.store, clock.now())
        if item is not None:
            found = named(found, item)
        found = [one for one in found if one.shown.connection in opened.config.instances]
        if not found:
            return None
        await _due(session.store, found)
        with progress(opened.config.plugins, clock, writes=True) as told:
            return await session.sync(
                COMMAND, only=frozenset(one.shown.connection for one in found), progress=told
            )


async def _due(store: Store, found: Sequence[Found]) -> None:
    keys = [one.key for one in found]
    items = [key for key in keys if isinstance(key, Ref)]
    await store.try_now(items, [key for key in keys if not isinstance(key, Ref)])
