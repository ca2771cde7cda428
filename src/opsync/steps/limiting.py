"""Limit: refuse what would do too much at once, before anything of it is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from opsync.current import Pass
from opsync.model import Change, Excess, Limits, Measure, Slot, Verb
from opsync.report import OVER_LIMIT
from opsync.stages.apply import TargetWork
from opsync.stages.limit import footprint, over

DAY = timedelta(hours=24)
"""How far back the writes of one value are counted."""


async def within_limits(
    this: Pass, work: Mapping[str, list[TargetWork]]
) -> dict[str, list[TargetWork]]:
    """The plans that may be written. One that is over a limit is left out whole, and its instance
    is in trouble for it; its changes stay planned, and are judged again in the next pass."""
    limits = this.limits or this.config.limits
    planned = {name: [c for one in targets for c in one.changes] for name, targets in work.items()}
    approved = {name: list(changes) for name, changes in planned.items()}
    for one in this.report.plan.proposed:
        approved.setdefault(one.change.slot.target.instance, []).append(one.change)
    written = await _written(this, approved, limits)
    owned = await _owned(this, approved, limits)

    def judged(name: str, changes: list[Change]) -> tuple[Excess, ...]:
        return over(footprint(changes, owned=owned.get(name, 0), written=written), limits)

    kept = dict(work)
    for name, changes in approved.items():
        this.of(name).over_once_approved = judged(name, changes)
    for name, changes in planned.items():
        if excesses := judged(name, changes):
            kept.pop(name)
            report = this.of(name)
            report.over = excesses
            report.trouble = OVER_LIMIT
            report.message = _told(this, excesses, changes, written)
    command = this.report.command if this.chosen is not None else "opsync sync"
    for report in this.report.instances:
        if report.over:
            report.hint = (
                "See what it is: opsync plan --all. If all of it is meant, for one run: "
                f"{command} {this.report.allowing}"
            )
    return kept


async def _written(
    this: Pass, planned: Mapping[str, list[Change]], limits: Limits
) -> Mapping[Slot, int]:
    """The values that were written as often as they may be, and how often."""
    if not planned:
        return {}
    since = this.clock.now() - DAY
    return await this.store.written_often(since, limits.rewrites_a_day)


async def _owned(
    this: Pass, planned: Mapping[str, list[Change]], limits: Limits
) -> Mapping[str, int]:
    """How many values opsync has in each instance: counted only where it may matter."""
    for changes in planned.values():
        if sum(one.verb is Verb.remove for one in changes) > limits.removals:
            return await this.store.owned_counts()
    return {}


def _told(
    this: Pass, excesses: tuple[Excess, ...], changes: list[Change], written: Mapping[Slot, int]
) -> str:
    parts = []
    for one in excesses:
        match one.what:
            case Measure.removals:
                parts.append(f"remove {one.count} of {one.of} values, where {one.limit} may go")
            case Measure.creates:
                parts.append(f"write {one.count} new values, where {one.limit} may be new")
            case Measure.rewrites:
                most = max(changes, key=lambda change: written.get(change.slot, 0))
                parts.append(
                    f"write one value for the {_th(one.count)} time within 24 hours, where "
                    f"{one.limit} times are usual{_called(this, most.slot)}"
                )
            case Measure.vanished:
                pass  # judged where it is read
    return f"this run would {' and '.join(parts)}; nothing is written there"


def _th(count: int) -> str:
    if count % 100 in (11, 12, 13):
        return f"{count}th"
    return f"{count}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(count % 10, 'th') }"


def _called(this: Pass, slot: Slot) -> str:
    """What people call the value's place."""
    for one in this.report.plan.changes:
        if one.change.slot == slot:
            return f" ({one.place} of {one.of})"
    return ""
