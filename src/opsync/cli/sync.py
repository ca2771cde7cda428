"""`opsync sync`: one pass over all connections."""

from __future__ import annotations

from collections.abc import Mapping
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
from opsync.cli.passjson import as_json
from opsync.cli.passview import print_pass
from opsync.engine.awaiting import held_in_all
from opsync.engine.fingerprint import config_digest
from opsync.engine.session import open_session
from opsync.errors import StoreHeld
from opsync.model import Limits, Slot
from opsync.model.rules import Mode
from opsync.report import PassReport
from opsync.runtime import SystemClock


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
        from opsync.cli.plan import show_plan

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


async def run_sync(
    opened: Opened,
    command: str,
    *,
    only: tuple[str, ...] = (),
    full: bool = False,
    write: bool = True,
    chosen: Mapping[Slot, str] | None = None,
    limits: Limits | None = None,
    keeps_plan: bool = True,
) -> PassReport:
    """One pass with its progress on standard error: here, or where a service holds the store, by
    that."""
    from opsync.cli.progress import progress

    with progress(opened.config.plugins, SystemClock(), writes=write) as told:
        try:
            async with open_session(opened.config, command, redactor=opened.redactor) as session:
                return await session.sync(
                    command,
                    only=frozenset(only),
                    full=full,
                    write=write,
                    chosen=chosen,
                    limits=limits,
                    keeps_plan=keeps_plan,
                    progress=told,
                )
        except StoreHeld as held:
            from opsync.cli.asking import sync_there
            from opsync.service.asks import AskSync

            wanted = AskSync(
                command=command,
                config=config_digest(opened.config),
                only=only,
                full=full,
                write=write,
                chosen=None if chosen is None else tuple(chosen.items()),
                limits=limits,
                mode=opened.config.forced,
                keeps_plan=keeps_plan,
            )
            return await sync_there(opened, held, wanted, told)
