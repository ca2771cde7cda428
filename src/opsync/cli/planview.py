"""A plan as people read it: changes by initiative, with the reason of each, and what it costs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from opsync.cli import words
from opsync.cli.layout import Column
from opsync.cli.passjson import change_json, columns_json, held_json, instance_json
from opsync.cli.passview import (
    before_after,
    column_lines,
    edited_lines,
    left_alone_lines,
    nothing_to_do,
)
from opsync.cli.screen import grid, show, show_line, styled
from opsync.engine.estimate import Estimate
from opsync.folding import caseless
from opsync.model import Ref, Slot, Verb
from opsync.report import HELD_KINDS, HeldSlot, OwnColumn, PassReport, Planned

if TYPE_CHECKING:
    from rich.text import Text

GROUPS = 4
"""So many initiatives are shown unless all are asked for."""
UNDO = "undo later: opsync undo"

CHANGE_COLUMNS = (
    Column(),
    Column(),
    Column("", "fold", 16),
    Column("", "fold", 22),
    Column("", "fold", 16),
)
"""Sign, tool, where, what and why."""


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan, as far as it was asked for."""

    report: PassReport
    changes: Sequence[Planned]
    observed: Sequence[Planned]
    proposed: Sequence[Planned]
    held: Sequence[HeldSlot]
    cost: Estimate
    offline: bool
    names: Mapping[Ref, str]
    """What a person types for the items on which something is held that a person settles."""

    @property
    def waiting(self) -> int:
        """All changes that wait, whatever the modes of their rules."""
        return len(self.every)

    @property
    def columns(self) -> list[OwnColumn]:
        """The columns that will be made for these changes, in the tools that these are in."""
        wanted = {one.change.slot.target.instance for one in self.every}
        return [one for one in self.report.plan.columns if one.instance in wanted]

    @property
    def every(self) -> list[Planned]:
        """The same changes, those that may be written first."""
        return [*self.changes, *self.proposed, *self.observed]


def plan_json(view: PlanView) -> dict[str, Any]:
    """`plan`, `instances`, `changes`, `held` and `columns`, as docs/json.md has them."""
    both = view.every
    by_tool: dict[str, int] = {}
    for one in both:
        by_tool[one.tool] = by_tool.get(one.tool, 0) + 1
    return {
        "plan": {
            "run": view.report.run,
            "offline": view.offline,
            "changes": len(view.changes),
            "waiting_for_mode": len(view.observed),
            "waiting_for_approval": len(view.proposed),
            "held": len(view.held),
            "by_tool": dict(sorted(by_tool.items())),
            "removes": _removes(both),
            "requests": view.cost.requests,
            "seconds": round(view.cost.seconds, 1),
            "notifies": list(view.cost.notifies),
            "warnings": list(view.report.remarks),
        },
        "instances": [instance_json(one) for one in view.report.instances],
        "changes": [
            *(change_json(one, "apply") for one in view.changes),
            *(change_json(one, "propose") for one in view.proposed),
            *(change_json(one, "observe") for one in view.observed),
        ],
        "held": [held_json(one) for one in view.held],
        "columns": columns_json((), view.columns),
    }


def print_plan(view: PlanView, *, every: bool) -> None:
    """The screen of `opsync plan`."""
    source = "from the store as it is" if view.offline else f"plan #{view.report.run}"
    show(styled((f"{source} · nothing has been written", "dim")))
    groups = _grouped(view)
    named = list(groups) if every else list(groups)[:GROUPS]
    mixed = sum(map(bool, (view.changes, view.proposed, view.observed))) > 1
    for name in named:
        _print_group(name, groups[name], view.names, mixed=mixed)
    rest = len(groups) - len(named)
    if rest:
        first = list(groups)[GROUPS]
        more = words.plural(rest, "more initiative or item", "more initiatives or items")
        show(styled((f'… {more} (--all, or opsync plan "{words.shown(first, 40)}")', "dim")))
    for line in _footer(view):
        show_line(line)


@dataclass(slots=True)
class _Group:
    changes: list[tuple[Planned, str]]
    held: list[HeldSlot]


def _grouped(view: PlanView) -> dict[str, _Group]:
    """By initiative, those with the most changes first."""
    groups: dict[str, _Group] = {}
    waits = (
        (view.changes, ""),
        (view.proposed, "waits for approval"),
        (view.observed, "waits for mode apply"),
    )
    for changes, why in waits:
        for one in changes:
            groups.setdefault(one.group, _Group([], [])).changes.append((one, why))
    for slot in view.held:
        if slot.kind != "skipped":
            groups.setdefault(slot.group, _Group([], [])).held.append(slot)
    return dict(sorted(groups.items(), key=lambda g: (-len(g[1].changes), -len(g[1].held), g[0])))


def _print_group(name: str, group: _Group, names: Mapping[Ref, str], *, mixed: bool) -> None:
    counts = [words.plural(len(group.changes), "change")] if group.changes else []
    counts += [f"{len(group.held)} held"] if group.held else []
    show(styled(""), styled((words.shown(name, 80), "bold"), f"   {', '.join(counts)}"))
    rows: list[Sequence[Text]] = []
    said: set[tuple[str, str]] = set()
    for one, waits in group.changes:
        why = ""
        if (one.change.slot.rule, one.change.reason) not in said and one.change.reason:
            said.add((one.change.slot.rule, one.change.reason))
            why = f"why: {words.shown(one.change.reason)}"
        if one.change.over_edit:
            why = "edited by a person"
        if waits and (mixed or one.change.over_edit):
            why = f"{why} · {waits}".removeprefix(" · ")
        rows.append(change_row(one, why))
    for slot in group.held:
        row = (
            styled(("!", "red")),
            styled(slot.tool),
            styled(_where(slot, slot.entry.slot)),
            styled(f"held: {words.shown(slot.why, 200)}"),
            styled((_settling(slot, names), "dim")),
        )
        rows.append(row)
    grid(CHANGE_COLUMNS, rows, indent=2)


def _settling(slot: HeldSlot, names: Mapping[Ref, str]) -> str:
    """How a person settles it; "" where nobody does."""
    name = names.get(slot.entry.slot.target) if a_persons(slot) else None
    return f"opsync resolve {shlex.quote(name)}" if name else ""


def a_persons(slot: HeldSlot) -> bool:
    """Whether a person settles it."""
    return slot.kind in ("conflict", "settled") or slot.entry.hold is not None


def change_row(one: Planned, why: str = "") -> Sequence[Text]:
    """One change under `CHANGE_COLUMNS`."""
    change = one.change
    return (
        styled(words.VERB_SIGNS[change.verb]),
        styled(one.tool),
        styled(_where(one, change.slot)),
        styled(before_after(one)),
        styled((why, "dim")),
    )


def _where(one: Planned | HeldSlot, slot: Slot) -> str:
    """The place on the initiative itself, or where its release is told; else which item."""
    own = slot.target == slot.other or one.release
    return one.place if own else words.shown(one.target, 36)


def _removes(changes: Iterable[Planned]) -> int:
    return sum(1 for one in changes if one.change.verb is Verb.remove)


def _footer(view: PlanView) -> list[str]:
    both = view.every
    lines = [""]
    if not both:
        held = sum(one.kind in HELD_KINDS for one in view.held)
        said = nothing_to_do(view.report, view.held, held)
        verb = "is" if held == 1 else "are"
        lines.append(
            f"0 changes{said}" + (f"; {words.plural(held, 'value')} {verb} held" if held else "")
        )
    else:
        cost = view.cost
        lines.append(
            f"{words.plural(len(both), 'change')}: {words.tallied(one.tool for one in both)}"
            f"     about {words.plural(cost.requests, 'request')}, "
            f"{_about(cost.seconds)}     removes {_removes(both)}"
        )
        told = f"notifies: {', '.join(cost.notifies)}" if cost.notifies else "notifies nobody"
        lines.append(f"{told}    {_how(view)}")
        lines += column_lines(view.columns, "will be made")
    return [*lines, *edited_lines(view.held), *left_alone_lines(view.held)]


def _about(seconds: float) -> str:
    """An estimate, in whole seconds."""
    return words.span(seconds) if seconds >= 10 else f"{max(1, ceil(seconds))} s"


def _how(view: PlanView) -> str:
    """How to have it written. Of a plan that has more than is shown, no more than that."""
    # What is kept under a number is applied; from the store alone there is none.
    how, written = "apply", view.report.applying
    if view.report.oversteps:
        how = "write"
    if view.offline:
        how, written = "write", f"opsync sync {view.report.allowing}".rstrip()
    ready = len(view.changes) + len(view.proposed)
    if ready and view.observed:
        return (
            f"{how} {ready}: {written}    the other {len(view.observed)} wait for mode apply: "
            f"opsync sync --mode apply    {UNDO}"
        )
    if view.report.only_observed:
        return "told to observe only; as the rules' own modes say: opsync sync"
    if view.observed:
        return "the rules only observe; write: opsync sync --mode apply"
    if view.offline and view.proposed:
        return "they wait for approval: opsync plan, then opsync apply"
    whole = [*view.report.plan.changes, *view.report.plan.proposed]
    if not view.offline and ready < len(whole):
        return f"{_only_these(view, whole, written)}    {UNDO}"
    return f"{how}: {written}    {UNDO}"


def _only_these(view: PlanView, whole: Sequence[Planned], written: str) -> str:
    """How to have written what is shown, of a plan that has more; where that has no name of its
    own, it is said that the command writes all of it."""
    shown = {one.change.slot for one in view.every}
    names = list(dict.fromkeys(one.group for one in view.every))
    if len(names) == 1 and names[0] == words.shown(names[0], 80) and '"' not in names[0]:
        named = {one.change.slot for one in whole if names_it(names[0], one.group, one.target)}
        if named == shown:
            return f'apply: {written} --item "{names[0]}"'
    return f"apply all {len(whole)} of this plan: {written}"


def names_it(item: str, group: str, target: str) -> bool:
    """Whether a change is one of those that `opsync apply --item` takes."""
    return caseless(item) in caseless(f"{group} {target}")
