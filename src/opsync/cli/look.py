"""`opsync look`: what is true of a company's work, without touching it."""

from __future__ import annotations

from pathlib import Path

import click

from opsync.cli.blank import not_blank
from opsync.cli.common import (
    Opened,
    config_option,
    json_option,
    log_option,
    open_config,
    open_store,
    print_json,
    run_async,
    store_option,
)
from opsync.cli.excluding import excludes
from opsync.cli.lookdoc import document
from opsync.cli.looksaid import LookView
from opsync.cli.lookview import print_look
from opsync.cli.onepass import run_sync
from opsync.engine.look import look as look_at
from opsync.engine.look import unread
from opsync.engine.offline import offline_plan
from opsync.errors import ConfigError
from opsync.runtime import SystemClock

STDOUT = "-"
COMMAND = "opsync look"


@click.command()
@excludes("--markdown", "--json")
@click.option("--offline", is_flag=True, help="Ask no tool: tell of what was read last.")
@click.option("--all", "every", is_flag=True, help="Show everything that was found.")
@click.option(
    "--markdown",
    callback=not_blank,
    metavar="FILE",
    is_flag=False,
    flag_value=STDOUT,
    help="A document to paste into a page or a mail, into FILE; alone or as -: print it.",
)
@json_option
@config_option
@store_option
@log_option
def look(
    offline: bool,
    every: bool,
    markdown: str | None,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """See what people say, what is measured, and what nobody knew.

    Reads all tools and writes nothing into any, whatever the configuration says: tokens that may
    only read are enough. With --offline it takes what was read last, and works beside a running
    sync.

    With --json: {"look": {...}, "pass": {...}, "instances": [...]}.
    """
    opened = open_config(config_path, store=store, mode="observe", log_level=log_level)
    view = run_async(_offline(opened) if offline else _online(opened))
    if as_json:
        print_json(view.as_json())
    elif markdown == STDOUT:
        click.echo(document(view, every=every), nl=False)
    elif markdown is not None:
        _write(Path(markdown), document(view, every=every))
    else:
        print_look(view, every=every)
    return view.report.exit_code if view.report is not None else 0


async def _online(opened: Opened) -> LookView:
    """Read all tools, and look at what the store has then."""
    config = opened.config
    report = await run_sync(opened, COMMAND, write=False, keeps_plan=False)
    async with open_store(opened) as store:
        found = await look_at(config, store, SystemClock().now(), report)
    return LookView(found, report, config.zone, offline=False)


async def _offline(opened: Opened) -> LookView:
    config, now = opened.config, SystemClock().now()
    if not config.store.exists():
        return LookView(unread(config, now), None, config.zone, offline=True)
    report = await offline_plan(config, f"{COMMAND} --offline")
    async with open_store(opened) as store:
        return LookView(await look_at(config, store, now, report), report, config.zone, True)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror or error}", hint="Name another file."
        ) from None
    click.echo(f"written: {path}")
