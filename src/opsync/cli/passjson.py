"""A pass as programs read it. The JSON is in docs/json.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opsync.model import Change, Outcome
from opsync.model.ledger import plain
from opsync.report import HeldSlot, InstanceReport, OwnColumn, PassReport, Planned


def as_json(report: PassReport) -> dict[str, Any]:
    """The whole pass: `pass`, `alarms`, `instances`, `changes`, `held` and `columns`."""
    outcomes = {change.slot: outcome for change, outcome in report.outcomes}
    return {
        "pass": {
            "run": report.run,
            "plan": report.kept_as or None,
            "command": report.command,
            "writes": report.applied_mode,
            "exit_code": report.exit_code,
            **report.summary(),
            "waiting_for_mode": len(report.plan.observed),
            "waiting_for_approval": len(report.plan.proposed),
            "withheld": report.withheld,
            "held": len(report.plan.held),
            "held_in_all": report.held_in_all,
            "kept": list(report.stale),
            "set_aside": report.aside,
            "warnings": list(report.remarks),
            "untold": list(report.untold),
        },
        "alarms": list(report.alarms),
        "instances": [instance_json(one) for one in report.instances],
        "changes": [
            *(change_json(one, "apply", outcomes) for one in report.plan.changes),
            *(change_json(one, "propose", outcomes) for one in report.plan.proposed),
            *(change_json(one, "observe", outcomes) for one in report.plan.observed),
        ],
        "held": [held_json(one) for one in report.plan.held],
        "columns": columns_json(report.columns_made, report.plan.columns),
    }


def columns_json(made: Iterable[OwnColumn], needed: Iterable[OwnColumn]) -> list[dict[str, Any]]:
    """The columns of opsync's own that were made, and those that changes still need."""
    found = {one.place: (one, False) for one in needed} | {one.place: (one, True) for one in made}
    return [
        {
            "tool": one.tool,
            "instance": one.instance,
            "within": one.column.within,
            "name": one.column.title,
            "place": one.column.surface,
            "made": is_made,
        }
        for one, is_made in found.values()
    ]


def instance_json(one: InstanceReport) -> dict[str, Any]:
    """One connection in a pass."""
    return {
        "instance": one.instance,
        "tool": one.tool,
        "pulled": one.pulled,
        "in_use": one.in_use,
        "complete": one.complete,
        "read": one.read,
        "changed": one.changed,
        "set_aside": one.set_aside,
        "missing": one.missing,
        "gone": dict(sorted(one.gone.items())),
        "census": {
            "listed": one.counted,
            "looked_up": one.looked_up,
            "waiting": one.waiting,
            "requests": one.census_requests,
        },
        "paused": one.paused,
        "withheld": one.withheld,
        "trouble": one.trouble,
        "message": one.message,
        "hint": one.hint,
        "over": [
            {"what": each.what.value, "count": each.count, "limit": each.limit} for each in one.over
        ],
        "read_requests": one.read_requests,
        "write_requests": one.write_requests,
        "waited_s": round(one.waited_s, 3),
    }


def change_json(
    one: Planned, mode: str, outcomes: Mapping[Any, Outcome] | None = None
) -> dict[str, Any]:
    """One change of a plan, with what came of it if it was tried."""
    outcome = (outcomes or {}).get(one.change.slot)
    return {
        "tool": one.tool,
        "place": one.place,
        "target": one.target,
        "target_url": one.target_url,
        "group": one.group,
        "mode": mode,
        **_change(one.change),
        "outcome": None if outcome is None else _outcome(outcome),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "id": change.id,
        "instance": change.slot.target.instance,
        "ref": str(change.slot.target),
        "about": str(change.slot.other),
        "rule": change.slot.rule,
        "verb": change.verb.value,
        "before": change.before,
        "after": change.desired,
        "reason": change.reason,
        "evidence": list(change.evidence),
        "over_edit": change.over_edit,
    }


def _outcome(outcome: Outcome) -> dict[str, str]:
    return {
        "kind": outcome.kind.value,
        "message": outcome.message,
        "request_id": outcome.request_id,
    }


def held_json(one: HeldSlot) -> dict[str, Any]:
    """One value that is not written, and why."""
    slot = one.entry.slot
    return {
        "tool": one.tool,
        "place": one.place,
        "target": one.target,
        "group": one.group,
        "kind": one.kind,
        "why": one.why,
        "instance": slot.target.instance,
        "ref": str(slot.target),
        "about": str(slot.other),
        "rule": slot.rule,
        "should_be": plain(one.entry.desired),
        "wrote": plain(one.entry.applied),
        "is_now": plain(one.entry.observed),
        "held_since": one.entry.hold.at if one.entry.hold is not None else None,
        "held_until": one.entry.hold.until if one.entry.hold is not None else None,
    }
