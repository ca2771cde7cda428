"""`opsync sync`: one pass over all connections."""

from __future__ import annotations

from pathlib import Path

import click

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
from opsync.cli.limits import Allowed, limit_options
from opsync.cli.onepass import run_sync
from opsync.cli.passjson import as_json
from opsync.cli.passview import print_pass
from opsync.cli.plan import show_plan
from opsync.engine.awaiting import held_in_all
from opsync.model import Limits
from opsync.model.rules import Mode
from opsync.report import PassReport


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Read this connection only. Repeat.")
@click.option("--full", is_flag=True, help="Read everything again and check for deletions.")
@click.option("--dry-run", is_flag=True, help="Write nothing: the same as `opsync plan`.")
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    help="For this run: only report, wait for approval, or write, whatever the rules' modes are.",
)
@limit_options
@json_option
@config_option
@store_option
@log_option
def sync(
    only: tuple[str, ...],
    full: bool,
    dry_run: bool,
    mode: str | None,
    allowed: Allowed,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """Read all tools, find what belongs together, and write what is missing.

    What opsync wrote before is brought up to date, what is right is left alone, and what a person
    edited stays theirs. Rules in mode observe write nothing and are reported; what rules in mode
    propose would write waits for `opsync apply`. A connection where too much would change at once
    gets nothing: the run says so, and with which --allow it would.

    With --json: {"pass": {run, records, links, rollups, planned, applied, failed, ...},
    "instances": [...], "changes": [...], "held": [...], "columns": [...]}.
    """
    if dry_run:
        return show_plan(
            config_path,
            store,
            mode,
            log_level,
            only=only,
            full=full,
            allowed=allowed,
            as_json=as_json,
        )
    opened = open_config(config_path, store=store, mode=mode, log_level=log_level)
    limits = allowed.limits(opened)
    report = run_async(_sync(opened, only, limits, full=full))
    if as_json:
        _print(report)
    else:
        print_pass(report)
    return report.exit_code


async def _sync(opened: Opened, only: tuple[str, ...], limits: Limits, *, full: bool) -> PassReport:
    """The pass, and how many values are held after it."""
    report = await run_sync(opened, "opsync sync", only=only, full=full, limits=limits)
    async with open_store(opened) as store:
        report.held_in_all = await held_in_all(opened.config, store, report.plan.held)
    return report


def _print(report: PassReport) -> None:
    print_json(as_json(report))
