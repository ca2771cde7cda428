"""`opsync apply`: write what a plan has, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any

import click

from opsync.cli.approvals import show_approvals
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
from opsync.cli.limits import ALLOWS, Allowed, limit_options
from opsync.cli.linkdecisions import login
from opsync.cli.onepass import run_sync
from opsync.cli.passjson import as_json as pass_json
from opsync.cli.passview import print_pass
from opsync.cli.planfile import read_plan
from opsync.cli.planview import names_it
from opsync.cli.screen import hanging, show_line
from opsync.cli.words import day, plural, shown, value
from opsync.engine.approving import (
    Unwritten,
    approvals_of,
    chosen,
    rule_named,
    unwritten,
)
from opsync.engine.undoing import is_run
from opsync.errors import ConfigError
from opsync.model import Approval, KeptChange, KeptPlan
from opsync.model.rules import Mode
from opsync.report import PassReport
from opsync.runtime import SystemClock
from opsync.service.asks import nudge

MOST = 12
"""So many changes that were not written are named."""
_WHOLE = frozenset({"unread", "stopped", "paused", "over limit", "observed", "proposed"})
"""Why not, where it concerns all of a connection or a rule."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a plan: the pass that carried it out, and what it did not write."""

    plan: KeptPlan
    report: PassReport
    unwritten: Sequence[Unwritten]

    @property
    def exit_code(self) -> int:
        """1 where something of the plan was not written that was to be."""
        left = [one for one in self.unwritten if one.fate != "stands"]
        return self.report.exit_code or (1 if left else 0)


@click.command()
@excludes("--rule", "PLAN", "--item", *ALLOWS.values())
@excludes("--approvals", "PLAN", "--item", "--rule", "--revoke", *ALLOWS.values())
@click.argument("plan", callback=not_blank, required=False)
@click.option(
    "--item",
    callback=not_blank,
    multiple=True,
    metavar="TEXT",
    help="Only changes of this initiative. Repeat.",
)
@click.option("--rule", metavar="NAME", help="Approve all values of this rule, later ones too.")
@click.option("--revoke", is_flag=True, help="With --rule: take that approval back.")
@click.option("--approvals", is_flag=True, help="List what is approved, by whom and when.")
@limit_options
@json_option
@config_option
@store_option
@log_option
def apply(
    plan: str | None,
    item: tuple[str, ...],
    rule: str | None,
    revoke: bool,
    approvals: bool,
    allowed: Allowed,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """Write the changes of PLAN, a plan's number or a file of `opsync plan --out`.

    All tools are read first. A change is written only if the very same value should still stand
    there; what has moved since is left, and told. With it, values of rules in mode propose are
    approved; an approval is for one value, and another one waits again. Without PLAN: the newest
    that a person was told of, which is named first.

    --rule, --revoke and --approvals write nothing.

    With --json: {"plan": {number, changes, unwritten}, "pass": ..., "changes": [...], ...}; with
    --approvals: [{"rule", "tool", "place", "item", "about", "value", "state", "approved"}].
    """
    if approvals:
        return show_approvals(config_path, store, as_json=as_json)
    if revoke and rule is None:
        raise click.UsageError("--revoke goes with --rule NAME.")
    opened = open_config(config_path, store=store, log_level=log_level)
    if rule is not None:
        return run_async(_approve_rule(opened, rule, revoke=revoke))
    done = run_async(_apply(opened, plan, item, allowed))
    if as_json:
        print_json(applied_json(done))
    else:
        print_applied(done)
    return done.exit_code


async def _approve_rule(opened: Opened, name: str, *, revoke: bool) -> int:
    if revoke:
        async with open_store(opened) as store:
            if not await store.disapprove(name):
                raise ConfigError(
                    f'rule "{name}" is not approved as a whole',
                    hint="What is approved, and by whom: opsync apply --approvals",
                )
        await nudge(opened.config.store)
        click.echo(f'Values of rule "{name}" wait for approval again.')
        return 0
    rule = rule_named(opened.config, name)
    approval = Approval(scope=rule, desired_hash="", by=login(), at=SystemClock().now())
    async with open_store(opened) as store:
        await store.approve([approval])
    await nudge(opened.config.store)
    click.echo(
        f'Rule "{rule}" is approved: its values are written from the next run on.\n'
        f"Take it back: opsync apply --rule {rule} --revoke"
    )
    return 0


async def _apply(
    opened: Opened, named: str | None, items: Sequence[str], allowed: Allowed
) -> Applied:
    plan = await _plan(opened, named)
    changes = _wanted(plan, items)
    if named is None:
        click.echo(_which(plan, len(changes), opened.config.zone), err=True)
    async with open_store(opened) as store:
        if (await store.pauses()).whole is not None:
            raise ConfigError("all writes are paused", hint="Permit them again: opsync pause --off")
    report = await run_sync(
        opened,
        f"opsync apply {plan.number}",
        chosen=chosen(changes),
        approvals=list(approvals_of(changes, plan.number, by=login(), at=SystemClock().now())),
        limits=allowed.limits(opened),
    )
    async with open_store(opened) as store:
        return Applied(plan, report, await unwritten(store, changes, report, opened.config))


async def _plan(opened: Opened, named: str | None) -> KeptPlan:
    """The plan of a number or of a file; without either the newest that a person was told of, and
    none that a service made since for itself. ConfigError: there is none."""
    config = opened.config
    async with open_store(opened) as store:
        if named is not None and not named.isdecimal():
            id_ = await store.store_id()
            given = read_plan(
                Path(named), store_id=id_, store=config.store, instances=config.instances
            )
            return given.completed(await store.kept_plan(given.number))
        if named is None:
            found = await store.newest_plan(told=True)
        else:
            found = await store.kept_plan(int(named)) if is_run(named) else None
    if found is None:
        which = "no plan is kept" if named is None else f"no plan #{shown(named, 40)} is kept"
        raise ConfigError(which, hint="Make one with: opsync plan")
    return found


def _which(plan: KeptPlan, count: int, zone: tzinfo) -> str:
    """Which plan is carried out where nobody named one, and how much of it."""
    local = plan.at.astimezone(zone)
    whole = plural(len(plan.changes), "change")
    much = whole if count == len(plan.changes) else f"{count} of {whole}"
    return f"plan #{plan.number}, made on {day(local.date())} {local:%H:%M}: {much}"


def _wanted(plan: KeptPlan, items: Sequence[str]) -> list[KeptChange]:
    """The changes of a plan that are asked for. ConfigError: there are none."""
    if not items:
        return list(plan.changes)
    found = [
        one for one in plan.changes if any(names_it(item, one.group, one.target) for item in items)
    ]
    if not found:
        groups = ", ".join(sorted({shown(one.group, 40) for one in plan.changes})[:6])
        raise ConfigError(
            f'plan #{plan.number} has nothing of "{shown(items[0], 60)}"',
            hint=f"It has changes of: {groups}." if groups else "It has no changes.",
        )
    return found


def print_applied(done: Applied) -> None:
    """What `sync` ends with, and what of the plan was not written."""
    if not done.plan.changes:
        show_line(f"plan #{done.plan.number} has no changes: nothing is to be written")
        if done.report.exit_code:
            print_pass(done.report, whole=False)
        return
    print_pass(done.report, whole=False)
    left = [one for one in done.unwritten if one.fate != "stands"]
    stands = len(done.unwritten) - len(left)
    if stands:
        show_line(f"{plural(stands, 'value')} of plan #{done.plan.number} stood there already")
    if not left:
        return
    show_line(f"Not written of plan #{done.plan.number}: {plural(len(left), 'change')}")
    lines = _left_lines(left)
    for where, why in lines[:MOST]:
        hanging("  ! ", f"{shown(where, 120)}: {shown(why, 300)}")
    if len(lines) > MOST:
        show_line(f"  … {len(lines) - MOST} more (--json has all)")
    if any(one.fate == "moved" for one in left):
        show_line("See what they should be now: opsync plan")
    if any(one.fate == "proposed" for one in left):
        show_line("Approve what waits: opsync plan, then opsync apply")


def _left_lines(left: Sequence[Unwritten]) -> list[tuple[str, str]]:
    """Where and why, value by value; those of a connection that all have one reason in one."""
    alike: dict[str, list[Unwritten]] = {}
    for one in left:
        whole = one.fate in _WHOLE
        alike.setdefault(one.why if whole else str(one.change.slot), []).append(one)
    lines = []
    for each in alike.values():
        one, change = each[0], each[0].change
        elsewhere = change.slot.target != change.slot.other
        named = [change.group, change.target if elsewhere else ""]
        of = ": ".join(dict.fromkeys(filter(None, named))) or change.target
        where = f"{change.tool} {of}, {change.place}"
        more = f", and {len(each) - 1} more" if len(each) > 1 else ""
        should = one.now is not None
        why = f"should be {value(one.now, change.place)} by now" if should else one.why
        lines.append((f"{where}{more}", why))
    return lines


def applied_json(done: Applied) -> dict[str, Any]:
    """`plan`, and the whole pass, as docs/json.md has them."""
    return {
        "plan": {
            "number": done.plan.number,
            "made_at": done.plan.at,
            "changes": len(done.plan.changes),
            "to_approve": sum(1 for one in done.plan.changes if one.mode is Mode.propose),
            "unwritten": [
                {
                    "tool": one.change.tool,
                    "place": one.change.place,
                    "target": one.change.target,
                    "group": one.change.group,
                    "ref": str(one.change.slot.target),
                    "about": str(one.change.slot.other),
                    "rule": one.change.slot.rule,
                    "fate": one.fate,
                    "why": one.why,
                    "should_be": one.now,
                }
                for one in done.unwritten
            ],
        },
        **pass_json(done.report),
    }
