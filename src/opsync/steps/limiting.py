"""Limit: refuse what would do too much at once, before anything of it is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from opsync.current import Pass
from opsync.model import Change, Excess, Limits, Measure, Slot, Value, Verb
from opsync.report import OVER_LIMIT
from opsync.stages.apply import TargetWork
from opsync.stages.limit import footprint, over
from opsync.steps.shared import OWN
from opsync.store import Lately

DAY = timedelta(hours=24)
"""How far back writes are counted."""
ALLOWED = "limits:allowed"
"""Kept: by instance and measure when a run last did more than a limit because it was told to.
What was done until then does not count any more."""


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
    lately = await _lately(this, approved)
    owned = await _owned(this, approved, limits, lately)

    def judged(name: str, changes: list[Change], limits: Limits) -> tuple[Excess, ...]:
        before = lately[name]
        found = footprint(
            changes,
            owned=owned.get(name, 0),
            written=written,
            removed=before.removed,
            created=before.created,
        )
        return over(found, limits)

    kept = dict(work)
    for name, changes in approved.items():
        this.of(name).over_once_approved = judged(name, changes, limits)
    for name, changes in planned.items():
        if excesses := judged(name, changes, limits):
            kept.pop(name)
            report = this.of(name)
            report.over = excesses
            report.trouble = OVER_LIMIT
            report.message = _told(this, excesses, changes, written)
        elif allowed := judged(name, changes, this.config.limits):
            this.allowed[name] = {one.what for one in allowed}
    command = this.report.command if this.chosen is not None else "opsync sync"
    for report in this.report.instances:
        if report.over:
            report.hint = (
                "See what it is: opsync plan --all. If all of it is meant, for one run: "
                f"{command} {this.report.allowing}"
            )
    return kept


async def count_anew(this: Pass) -> None:
    """Once more than a limit was done because a person said so, it is not held against the next
    runs."""
    if not this.allowed or not this.write:
        return
    now = this.clock.now().isoformat()
    kept = (await this.store.kept(OWN)).get(ALLOWED)
    after: dict[str, Value] = dict(kept) if isinstance(kept, Mapping) else {}
    for name, measures in this.allowed.items():
        earlier = after.get(name)
        before = dict(earlier) if isinstance(earlier, Mapping) else {}
        after[name] = before | {what.value: now for what in measures}
    await this.store.put_kept(OWN, {ALLOWED: after})


async def _lately(this: Pass, planned: Mapping[str, list[Change]]) -> Mapping[str, Lately]:
    """By instance what runs removed and created there within 24 hours, as far as it counts."""
    if not planned:
        return {}
    day = this.clock.now() - DAY
    kept = (await this.store.kept(OWN)).get(ALLOWED)
    allowed = kept if isinstance(kept, Mapping) else {}
    told: dict[datetime, Mapping[str, Lately]] = {}

    async def since(name: str, what: Measure) -> Lately:
        times = allowed.get(name)
        text = times.get(what.value) if isinstance(times, Mapping) else None
        at = max(day, datetime.fromisoformat(text)) if isinstance(text, str) else day
        if at not in told:
            told[at] = await this.store.done_lately(at)
        return told[at].get(name, Lately())

    return {
        name: Lately(
            (await since(name, Measure.removals)).removed,
            (await since(name, Measure.creates)).created,
        )
        for name in planned
    }


async def _written(
    this: Pass, planned: Mapping[str, list[Change]], limits: Limits
) -> Mapping[Slot, int]:
    """The values that were written as often as they may be, and how often."""
    if not planned:
        return {}
    since = this.clock.now() - DAY
    return await this.store.written_often(since, limits.rewrites_a_day)


async def _owned(
    this: Pass,
    planned: Mapping[str, list[Change]],
    limits: Limits,
    lately: Mapping[str, Lately],
) -> Mapping[str, int]:
    """How many values opsync has in each instance: counted only where it may matter."""
    least = min(limits.removals, this.config.limits.removals)
    for name, changes in planned.items():
        removals = sum(one.verb is Verb.remove for one in changes)
        if removals and removals + lately[name].removed > least:
            return await this.store.owned_counts()
    return {}


def _told(
    this: Pass, excesses: tuple[Excess, ...], changes: list[Change], written: Mapping[Slot, int]
) -> str:
    parts = []
    for one in excesses:
        match one.what:
            case Measure.removals:
                how = f"{one.count} of {one.of} values"
                if one.before:
                    now = one.count - one.before
                    how = f"{_values(now)}, {one.count} of {one.of} within 24 hours"
                parts.append(f"remove {how}, where {one.limit} may go")
            case Measure.creates:
                how = _values(one.count - one.before, "new ")
                if one.before:
                    how += f", {one.count} within 24 hours"
                parts.append(f"write {how}, where {one.limit} may be new")
            case Measure.rewrites:
                most = max(changes, key=lambda change: written.get(change.slot, 0))
                parts.append(
                    f"write one value for the {_th(one.count)} time within 24 hours, where "
                    f"{one.limit} times are usual{_called(this, most.slot)}"
                )
            case Measure.vanished:
                pass  # judged where it is read
    return f"this run would {' and '.join(parts)}; nothing is written there"


def _values(count: int, which: str = "") -> str:
    return f"{count} {which}value{'' if count == 1 else 's'}"


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
