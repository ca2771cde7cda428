"""The health of a root by its numbers, and why it is so. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from opsync.model import Category, Health, Record, Rollup
from opsync.model.rules import RollupRule


def health_of(root: Record, rollup: Rollup, rule: RollupRule, as_of: date) -> tuple[Health, str]:
    """The default health and its reason. The first that holds, in this order."""
    limits = rule.thresholds
    open_ = rollup.total - rollup.done
    percent = percent_of(rollup)
    if rollup.total == 0:
        if rollup.missing:
            return Health.no_linked_work, f"{len(rollup.missing)} linked, none of it readable"
        return Health.no_linked_work, "nothing counted" if rollup.canceled else "nothing linked"
    if open_ == 0:
        return Health.done, f"all {rollup.total} done"
    if root.paused:
        return Health.paused, f"{root.status.name if root.status else 'paused'} says so"
    if rollup.overdue:
        return Health.off_track, "past its due date"
    if rollup.blocked > limits.blocked_off_track * open_:
        return Health.off_track, f"{rollup.blocked} of {open_} open blocked"
    started = rollup.done + rollup.counts.get(Category.in_progress, 0)
    due_soon = rollup.due_on is not None and (
        as_of >= rollup.due_on - timedelta(days=limits.due_within_days)
    )
    if due_soon and percent is not None and percent < limits.due_progress:
        return Health.at_risk, (
            f"under {limits.due_progress:.0%} within {limits.due_within_days} days of due".replace(
                "%", " %"
            )
        )
    if rollup.blocked and rollup.blocked >= limits.blocked_at_risk * open_:
        return Health.at_risk, f"{rollup.blocked} of {open_} open blocked"
    if started == 0:
        return Health.not_started, "nothing begun"
    return Health.on_track, "nothing speaks against it"


def percent_of(rollup: Rollup) -> float | None:
    """Progress in steps of 0.01; never 1 before everything is done, None where nothing counts."""
    if rollup.progress is None:
        return None
    return min(round(rollup.progress, 2), 0.99) if rollup.done < rollup.total else 1.0
