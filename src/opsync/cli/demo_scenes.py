"""The demo's five scenes, told from what really happened. Pure.

Each is one sentence and at most eight lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsync.inert import inert_text
from opsync.model import Category, Health, Record, Ref, Rollup, Value, Verb
from opsync.model.rules import LINKS_RULE
from opsync.report import PassReport, Planned
from opsync.store import JournalRow
from opsync.wording import day

LINES = 8
WIDTH = 64

SHOWN = "One-tap checkout"
"""The initiative whose page the demo shows."""
MOVED = "PAY-118"
"""The issue that is closed in the last scene."""
PEOPLES_COLUMN = "Status"
OWN_COLUMNS = ("Delivery", "Delivery %", "Delivery health", "Work")

_COUNTED = {1: "One", 2: "Two", 3: "Three", 4: "Four", 5: "Five"}
_SIGNS = {Verb.create: "+", Verb.update: "~", Verb.remove: "-"}


@dataclass(frozen=True, slots=True)
class Scene:
    """One sentence, and the lines that show it."""

    sentence: str
    lines: tuple[str, ...]


def contradictions(rollups: Sequence[Rollup], records: Mapping[Ref, Record]) -> Scene:
    """What people say against what the work says. `records` are the rollups' roots."""
    found = [rollup for rollup in rollups if disagree(records[rollup.root], rollup)]
    lines = [_columns("", "people say", "the work says")]
    for rollup in found[: LINES - 1]:
        record = records[rollup.root]
        said = record.status.name if record.status else "–"
        facts = f"{rollup.health.value}: {rollup.done} of {rollup.total} done"
        if rollup.blocked:
            facts += f", {rollup.blocked} blocked"
        if rollup.due_on and rollup.health is not Health.done:
            facts += f", due {day(rollup.due_on)}"
        lines.append(_columns(inert_text(record.title, 21), said, facts))
    number = _COUNTED.get(len(found), str(len(found)))
    stand = "stands" if len(found) == 1 else "stand"
    return Scene(
        f"{number} of {len(rollups)} initiatives {stand} otherwise than the roadmap says.",
        tuple(lines),
    )


def disagree(record: Record, rollup: Rollup) -> bool:
    """Whether people's own status says otherwise: done or not done, or another health by name."""
    if rollup.health is Health.no_linked_work or record.status is None:
        return False
    if (record.status.category is Category.done) != (rollup.health is Health.done):
        return True
    said = record.status.name.casefold()
    named = {health.value.casefold() for health in Health}
    return said in named and said != rollup.health.value.casefold()


def the_plan(report: PassReport) -> Scene:
    """What is to be written, by the example of one initiative."""
    changes = report.plan.changes
    tools = Counter(one.tool for one in changes)
    own = [one for one in changes if one.group == SHOWN]
    shown = _one_a_place(own)[: LINES - 3]
    rest = len(own) - len(shown)
    others = {one.group for one in changes if one.change.slot.rule != LINKS_RULE} - {SHOWN}
    links = sum(one.change.slot.rule == LINKS_RULE for one in changes)
    removed = sum(one.change.verb is Verb.remove for one in changes)
    by_tool = " · ".join(f"{tool} {count}" for tool, count in sorted(tools.items()))
    return Scene(
        f"The plan has {len(changes)} changes, each with its reason.",
        (
            f"{SHOWN}: {len(own)} changes",
            *(_line(one) for one in shown),
            f"… {rest} more here, {len(others)} more initiatives, {links} links between items",
            f"{by_tool} · removes {removed} · notifies nobody",
        ),
    )


def the_page(before: Mapping[str, str], after: Mapping[str, str]) -> Scene:
    """A page before and after the first run: column to text, as Notion has it."""
    return Scene(
        f'The page "{SHOWN}" in Notion, before and after.',
        (
            _columns("", "before", "after"),
            *(
                _columns(name, before.get(name) or "–", after.get(name) or "–")
                for name in (PEOPLES_COLUMN, *OWN_COLUMNS)
            ),
            "Status is people's own: read, never written.",
        ),
    )


def second_run(report: PassReport) -> Scene:
    """That nothing is left to do."""
    took = f"{_requests(report)}, {report.seconds:.1f} s"
    return Scene(
        f"The second run finds nothing to do: {report.write_requests} writes.",
        (f"{took}: what changed is read, what is right is left alone.",),
    )


def closed(did: str, report: PassReport, row: JournalRow | None) -> Scene:
    """What one closed issue sets in motion, and why. `row`: the write of the page's Delivery."""
    changes = report.plan.changes
    tools = " and ".join(", ".join(sorted({one.tool for one in changes})).rsplit(", ", 1))
    lines = [
        f"$ opsync sandbox move {MOVED} done",
        f"  {inert_text(did)}",
        "$ opsync sync --only jira-main",
    ]
    if row is not None:
        lines += [_line(one) for one in changes if one.change.slot == row.slot]
        lines += [
            f"$ opsync explain '{SHOWN}'",
            f"  Delivery  was {short(row.before)}",
            f"            is  {short(row.after)}",
            f"            run {row.run}, {', '.join(reversed(row.evidence))}; {row.reason}",
        ]
    return Scene(
        f"Ana closes {MOVED}: one sync, {_requests(report)}, {report.applied} values in "
        f"{tools} follow.",
        tuple(lines),
    )


def _requests(report: PassReport) -> str:
    reads, writes = report.read_requests, report.write_requests
    return f"{reads} {'read' if reads == 1 else 'reads'}, {writes} " + (
        "write" if writes == 1 else "writes"
    )


def _columns(first: str, second: str, third: str) -> str:
    return f"{first:22}{second:14}{third}".rstrip()


def _one_a_place(changes: Iterable[Planned]) -> list[Planned]:
    """Texts before numbers and dates, Notion's first, and of each place one."""
    places: dict[tuple[str, str], Planned] = {}
    for one in sorted(changes, key=lambda one: (one.tool != "Notion", one.change.slot.surface)):
        if not one.change.slot.surface.endswith(("_pct", "_changed")):
            places.setdefault((one.tool, one.place), one)
    return list(places.values())


def _line(planned: Planned) -> str:
    change = planned.change
    at_root = change.slot.target == change.slot.other
    where = planned.place if at_root else planned.target
    what = short(change.desired)
    if change.verb is Verb.update:
        what = f"{inert_text(_seen(change.before), 14)} → {what}"
    return f"  {_SIGNS[change.verb]} {planned.tool:8}{inert_text(where, 22):24}{what}"


def short(value: Value) -> str:
    """A value on one line: a text as it is, of anything richer what people see of it."""
    return inert_text(_seen(value), WIDTH)


def _seen(value: Value) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        texts = [value.get(name) for name in ("title", "label", "summary", "subtitle")]
        return ", ".join(text for text in texts if isinstance(text, str) and text)
    if isinstance(value, Sequence):
        # A text in runs: each is its text and where it leads.
        return " · ".join(str(run[0]) if isinstance(run, Sequence) else str(run) for run in value)
    return str(value)
