"""`opsync plan`: what a sync would write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from opsync.cli.blank import FilePath, not_blank
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
from opsync.cli.limits import Allowed
from opsync.cli.onepass import run_sync
from opsync.cli.passview import alarm_lines, trouble_lines, warning_lines
from opsync.cli.pause import paused_lines
from opsync.cli.planview import PlanView, a_persons, plan_json, print_plan
from opsync.cli.screen import show_line
from opsync.engine.estimate import estimate
from opsync.engine.explain import Explainer
from opsync.engine.finding import find
from opsync.engine.offline import offline_plan
from opsync.errors import ConfigError
from opsync.model import Limits, Ref, Slot
from opsync.report import PassReport

CHANGES_WAIT = 10
"""The exit code of `--exit-code` where changes wait and all else is well."""


@click.command()
@excludes("--offline", "--only", "--out")
@click.argument("item", callback=not_blank, required=False)
@click.option("--offline", is_flag=True, help="Ask no tool: plan from what was read last.")
@click.option("--all", "every", is_flag=True, help="Show every initiative's changes.")
@click.option("--exit-code", is_flag=True, help=f"Exit with {CHANGES_WAIT} when changes wait.")
@click.option(
    "--out",
    type=FilePath(path_type=Path, dir_okay=False),
    help="Also write the whole plan to this file, for `opsync apply FILE`.",
)
@click.option("--only", multiple=True, metavar="NAME", help="Read this connection only. Repeat.")
@json_option
@config_option
@store_option
@log_option
def plan(
    item: str | None,
    offline: bool,
    every: bool,
    exit_code: bool,
    out: Path | None,
    only: tuple[str, ...],
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """Show what a sync would write, and write nothing.

    Reads all tools and plans; no write is sent. With --offline it takes what was read last and
    works beside a running sync. ITEM (a URL, a key, a piece of a title) shows what concerns it.
    Changes of rules in mode observe are shown too. A plan is kept under its number: `opsync apply`
    writes what it has, and nothing else.

    With --json: {"plan": {changes, waiting_for_mode, held, by_tool, requests, ...},
    "instances": [...], "changes": [...], "held": [...], "columns": [...]}.
    """
    return show_plan(
        config_path,
        store,
        None,
        log_level,
        item=item,
        offline=offline,
        every=every or item is not None,
        exit_code=exit_code,
        out=out,
        only=only,
        as_json=as_json,
    )


def show_plan(
    config_path: Path | None,
    store: Path | None,
    mode: str | None,
    log_level: str | None,
    *,
    item: str | None = None,
    offline: bool = False,
    every: bool = False,
    exit_code: bool = False,
    out: Path | None = None,
    only: tuple[str, ...] = (),
    full: bool = False,
    allowed: Allowed | None = None,
    as_json: bool = False,
) -> int:
    """Plan and show it; returns the exit code. `sync --dry-run` is the same."""
    opened = open_config(config_path, store=store, mode=mode, log_level=log_level)
    limits = allowed.limits(opened) if allowed is not None else None
    asked = _plan(opened, item=item, offline=offline, only=only, full=full, limits=limits)
    view = run_async(asked)
    if out is not None:  # before anything is printed: who reads may leave early
        run_async(_write_out(opened, view.report.run, out))
    if as_json:
        print_json(plan_json(view))
    else:
        print_plan(view, every=every)
        trouble = [line for one in view.report.instances for line in trouble_lines(one)]
        paused = paused_lines(view.report.instances)
        alarms, warnings = alarm_lines(view.report), warning_lines(view.report)
        for line in [*trouble, *alarms, *warnings, *paused]:
            show_line(line)
    code = view.report.exit_code
    return CHANGES_WAIT if exit_code and code == 0 and view.waiting else code


async def _plan(
    opened: Opened,
    *,
    item: str | None,
    offline: bool,
    only: tuple[str, ...],
    full: bool,
    limits: Limits | None,
) -> PlanView:
    if offline:
        report = await offline_plan(opened.config, "opsync plan --offline")
    else:
        report = await run_sync(
            opened, "opsync plan", only=only, full=full, write=False, limits=limits
        )
    held_before = [] if offline else (await offline_plan(opened.config, "")).plan.held
    wanted = None if item is None else await _wanted(opened, item, report)

    def concerns(slot: Slot, group: str) -> bool:
        if wanted is None or item is None:
            return True
        return bool({slot.target, slot.other} & wanted) or item.casefold() in group.casefold()

    found = report.plan
    changes = [one for one in found.changes if concerns(one.change.slot, one.group)]
    observed = [one for one in found.observed if concerns(one.change.slot, one.group)]
    proposed = [one for one in found.proposed if concerns(one.change.slot, one.group)]
    # A pass looks at what changed; what is held since earlier ones is shown besides.
    known = {one.entry.slot for one in found.held}
    every = [*found.held, *(one for one in held_before if one.entry.slot not in known)]
    held = [one for one in every if concerns(one.entry.slot, one.group)]
    cost = estimate(opened.config, [*changes, *proposed, *observed])
    names = await _names(opened, {one.entry.slot.target for one in held if a_persons(one)})
    return PlanView(report, changes, observed, proposed, held, cost, offline, names)


async def _names(opened: Opened, items: Iterable[Ref]) -> dict[Ref, str]:
    """What a person may type for each of these items."""
    async with open_store(opened) as store:
        explainer = Explainer(opened.config, store)
        return {ref: await explainer.naming(ref) for ref in items}


async def _write_out(opened: Opened, number: int, path: Path) -> None:
    from opsync.cli.planfile import write_plan

    async with open_store(opened) as store:
        kept, id_ = await store.kept_plan(number), await store.store_id()
    assert kept is not None  # it was made just now
    write_plan(path, kept, store_id=id_)


async def _wanted(opened: Opened, item: str, report: PassReport) -> set[Ref]:
    async with open_store(opened) as store:
        found = {record.ref for record in await find(opened.config, store, item)}
    plan = report.plan
    waiting = (*plan.changes, *plan.proposed, *plan.observed)
    groups = {one.group.casefold() for one in waiting}
    if not found and not any(item.casefold() in group for group in groups):
        raise ConfigError(
            f'nothing is called "{item}"', hint="Name it by URL, key or a piece of its title."
        )
    return found
