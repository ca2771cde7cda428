"""`opsync pause`: stop all writes at once, of all connections or of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from opsync.cli import words
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
from opsync.cli.linkdecisions import login
from opsync.cli.screen import show_line
from opsync.errors import ConfigError
from opsync.model.pause import ALL, Pause, Pauses
from opsync.report import InstanceReport
from opsync.runtime import SystemClock
from opsync.service.asks import nudge


@click.command()
@click.argument("connection", required=False)
@click.option("--off", is_flag=True, help="Permit writes again.")
@json_option
@config_option
@store_option
def pause(
    connection: str | None,
    off: bool,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
) -> int:
    """Stop all writes at once: of CONNECTION, or of all of them.

    A run that is under way stops before its next write; runs go on reading, and tell what they
    would write. It waits for nothing, and works before the first run too: where there is no store
    yet, one is made that keeps it. --off alone ends every pause, with CONNECTION that one's.

    With --json: {"paused": [{"instance", "by", "at"}]}, where "" is all connections.
    """
    opened = open_config(config_path, store=store)
    if connection is not None and connection not in opened.config.instances:
        raise ConfigError(
            f'no connection "{connection}"',
            hint=f"Configured: {', '.join(opened.config.instances)}.",
        )
    made = not off and not opened.config.store.exists()
    before, found = run_async(_pause(opened, connection, off=off))
    if as_json:
        print_json({"paused": found.found})
        return 0
    none = "nothing is paused any more: writes go on" if before.found else "nothing is paused"
    for line in pause_lines(found.found, SystemClock().now()) or [none]:
        show_line(line)
    if made:
        show_line(f"There was no store yet: {opened.config.store} was made, and keeps the pause.")
        show_line(
            "If one was lost, pause again once its backup is put back: opsync db restore FILE"
        )
    return 0


async def _pause(opened: Opened, connection: str | None, *, off: bool) -> tuple[Pauses, Pauses]:
    """What was paused before, and what is now."""
    async with open_store(opened, make=not off) as store:
        before = await store.pauses()
        if not off:
            await store.pause(connection or ALL, by=login(), at=SystemClock().now())
        elif connection is None:
            for one in before.found:
                await store.unpause(one.instance)
        elif not await store.unpause(connection) and before.whole is not None:
            raise ConfigError(
                f"{connection} is paused with all others", hint="End that: opsync pause --off"
            )
        await nudge(opened.config.store)
        return before, await store.pauses()


def pause_lines(found: Sequence[Pause], now: datetime) -> list[str]:
    """Each pause in a line, with how it ends."""
    return [
        f"Paused       {'all writes' if one.instance == ALL else f'writes to {one.instance}'}, "
        f"by {words.shown(one.by, 60)} {words.ago(one.at, now)} ago: "
        f"opsync pause {one.instance + ' ' if one.instance else ''}--off"
        for one in sorted(found, key=lambda one: one.instance)
    ]


def paused_lines(instances: Sequence[InstanceReport]) -> list[str]:
    """The connections of a run that are not written."""
    names = [one.instance for one in instances if one.paused]
    if not names:
        return []
    if len(names) == len(instances):
        return ["Paused      all writes: opsync pause --off"]
    return [f"Paused      writes to {name}: opsync pause {name} --off" for name in names]
