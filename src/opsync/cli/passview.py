"""A pass as people read it after `sync`, and as programs do. The JSON is in docs/json.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsync.cli.words import plural, shown, span, tallied
from opsync.model import Change, Outcome, OutcomeKind
from opsync.model.ledger import plain
from opsync.report import HeldSlot, InstanceReport, PassReport, Planned

MOST = 10
"""So many failures, edits and gaps are named one by one; the rest is counted."""

_WRITTEN = (OutcomeKind.created, OutcomeKind.updated, OutcomeKind.removed)
_TROUBLE = {
    "sign-in": "sign-in refused",
    "incomplete": "incomplete",
    "stopped": "stopped",
    "plugin": "its plugin failed",
}


def as_json(report: PassReport) -> dict[str, Any]:
    """The whole pass: `pass`, `instances`, `changes` and `held`."""
    outcomes = {change.slot: outcome for change, outcome in report.outcomes}
    planned = {one.change.slot for one in report.plan.changes}
    return {
        "pass": {
            "run": report.run,
            "command": report.command,
            "writes": report.applied_mode,
            "exit_code": report.exit_code,
            **report.summary(),
            "waiting_for_mode": len(report.plan.observed),
            "held": len(report.plan.held),
            "kept": list(report.stale),
        },
        "instances": [instance_json(one) for one in report.instances],
        "changes": [
            *(change_json(one, "apply", outcomes) for one in report.plan.changes),
            *(change_json(one, "observe", outcomes) for one in report.plan.observed),
            # Places that were read just before the write may have asked for something else.
            *(
                _unplanned(change, outcome)
                for change, outcome in report.outcomes
                if change.slot not in planned
            ),
        ],
        "held": [held_json(one) for one in report.plan.held],
    }


def instance_json(one: InstanceReport) -> dict[str, Any]:
    """One connection in a pass."""
    return {
        "instance": one.instance,
        "tool": one.tool,
        "pulled": one.pulled,
        "complete": one.complete,
        "read": one.read,
        "changed": one.changed,
        "set_aside": one.set_aside,
        "missing": one.missing,
        "trouble": one.trouble,
        "message": one.message,
        "hint": one.hint,
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


def _unplanned(change: Change, outcome: Outcome) -> dict[str, Any]:
    return {
        "tool": "",
        "place": change.slot.surface,
        "target": "",
        "target_url": "",
        "group": "",
        "mode": "apply",
        **_change(change),
        "outcome": _outcome(outcome),
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
    }


def summary_lines(report: PassReport) -> list[str]:
    """What `sync` ends with, line by line."""
    lines = [_instance_line(one) for one in report.instances]
    lines += [line for one in report.instances for line in trouble_lines(one)]
    lines.append(
        f"Stand       {plural(report.links, 'link')} · "
        f"{plural(report.rollups, 'delivery summary', 'delivery summaries')}"
    )
    lines += _written_lines(report)
    lines += _held_lines(report)
    lines += _kept_lines(report)
    lines.append(_end_line(report))
    lines += next_steps(report)
    return lines


def _instance_line(one: InstanceReport) -> str:
    head = f"{one.tool:<11} {one.instance}: "
    if not one.pulled:
        return f"{head}not read this time"
    parts = [f"{one.read:,} read", f"{one.changed:,} changed"]
    if one.missing:
        parts.append(f"{one.missing:,} gone")
    if one.set_aside:
        parts.append(f"{one.set_aside:,} set aside")
    if one.trouble:
        parts.append(_TROUBLE[one.trouble])
    return head + ", ".join(parts)


def trouble_lines(one: InstanceReport) -> list[str]:
    """What keeps a connection from being read to its end, and what mends it."""
    if not one.trouble:
        return []
    lines = [f"! {one.instance} is {_state(one)}: {shown(one.message, 300)}"]
    if one.hint:
        lines.append(f"    {shown(one.hint, 300)}")
    return lines


def _state(one: InstanceReport) -> str:
    words = {"sign-in": "signed out", "stopped": "stopped", "plugin": "broken"}
    return words.get(one.trouble, "incomplete")


def _written_lines(report: PassReport) -> list[str]:
    tools = {one.instance: one.tool for one in report.instances}
    lines = []
    done = [c for c, outcome in report.outcomes if outcome.kind in _WRITTEN]
    if done:
        removed = sum(1 for _, o in report.outcomes if o.kind is OutcomeKind.removed)
        by_tool = tallied(tools.get(c.slot.target.instance, "") for c in done)
        lines.append(
            f"Written     {by_tool}" + (f" · {removed} of them removed" if removed else "")
        )
    elif report.applied_mode and not report.plan.observed:
        lines.append("Written     nothing: all is as it should be" if not report.failed else "")
    failed = [(c, o) for c, o in report.outcomes if o.kind is OutcomeKind.failed]
    if failed:
        by_tool = tallied(tools.get(c.slot.target.instance, "") for c, _ in failed)
        lines.append(f"Failed      {by_tool}")
        names = {one.change.slot: one for one in report.plan.changes}
        for change, outcome in failed[:MOST]:
            one = names.get(change.slot)
            where = f"{one.tool} {one.target}, {one.place}" if one else str(change.slot.target)
            lines.append(f"  ! {shown(where)}: {shown(outcome.message, 300)}")
        lines += _more(len(failed))
    return [line for line in lines if line]


def _held_lines(report: PassReport) -> list[str]:
    lines = []
    telling = [one for one in report.plan.held if one.kind != "skipped"]
    if telling:
        lines.append(f"Not written {plural(len(telling), 'value')}")
        lines += [
            f"  ! {shown(f'{one.tool} {one.target}, {one.place}')}: {shown(one.why, 300)}"
            for one in telling[:MOST]
        ]
        lines += _more(len(telling))
    already = len(report.plan.held) - len(telling)
    if already:
        lines.append(f"Left alone  {plural(already, 'link')} that somebody made already")
    if report.quarantined:
        lines.append(
            f"Set aside   {plural(report.quarantined, 'item')} could not be read: opsync doctor"
        )
    return lines


def _kept_lines(report: PassReport) -> list[str]:
    if not report.stale:
        return []
    names = ", ".join(shown(title, 40) for title in report.stale[:5])
    more = f" and {len(report.stale) - 5} more" if len(report.stale) > 5 else ""
    return [f"Kept        numbers of {names}{more}: what they rest on could not be read"]


def _more(count: int) -> list[str]:
    return [f"  … {count - MOST} more (--json has all)"] if count > MOST else []


def _end_line(report: PassReport) -> str:
    said = {0: "done", 1: "done in part", 3: "done in part: a sign-in was refused"}
    how = said.get(report.exit_code, "done in part")
    return (
        f"Run {report.run} {how} in {span(report.seconds)} · "
        f"{plural(report.read_requests, 'read')}, {plural(report.write_requests, 'write')}"
    )


def next_steps(report: PassReport) -> list[str]:
    """How to go on where rules only observe."""
    waiting = report.plan.observed
    if not waiting:
        return []
    by_tool = tallied(one.tool for one in waiting)
    return [
        "",
        f"Would write {plural(len(waiting), 'change')}: {by_tool}. Nothing of that was written:",
        "the rules are in mode observe.",
        "  see each    opsync plan",
        "  write once  opsync sync --mode apply",
        '  for good    mode = "apply" in the configuration, rule by rule',
    ]
