"""`opsync status`: everything at a glance, from the store alone."""

from __future__ import annotations

from pathlib import Path

import click

from opsync.cli.common import (
    Opened,
    config_option,
    json_option,
    open_config,
    open_store,
    print_json,
    run_async,
    store_option,
)
from opsync.cli.statusview import print_status
from opsync.engine.overview import Overview, overview, unread
from opsync.runtime import SystemClock


@click.command()
@click.option("--all", "every", is_flag=True, help="Show every initiative.")
@json_option
@config_option
@store_option
def status(every: bool, as_json: bool, config_path: Path | None, store: Path | None) -> int:
    """All initiatives and connections at a glance.

    Asks no tool: it shows what the last run found, and works beside a running sync. "!" marks a
    status that people gave and that the numbers contradict.

    With --json: {"at", "healthy", "run", "initiatives": [...], "connections": [...],
    "waiting": {...}, "disagreements": {...}}.
    """
    opened = open_config(config_path, store=store)
    found = run_async(_overview(opened))
    if as_json:
        print_json(found)
    else:
        print_status(found, opened.config.zone, every=every)
    return 0


async def _overview(opened: Opened) -> Overview:
    now = SystemClock().now()
    if not opened.config.store.exists():
        return unread(opened.config, now)
    async with open_store(opened) as store:
        return await overview(opened.config, store, now)
