"""The demo's five scenes, told from what really happened. Pure.

Each is one sentence and at most eight lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsync.cli.passview import summary_lines
from opsync.cli.words import VERB_SIGNS, plural, shown, tallied, value
from opsync.engine.overview import Initiative
from opsync.model import Health, Value, Verb
from opsync.model.rules import LINKS_RULE
from opsync.report import PassReport, Planned
from opsync.wording import day

LINES = 8
WIDTH = 68
CUT = 14
COLUMNS = (18, 14)

SHOWN = "One-tap checkout"
"""The initiative whose page the demo shows."""
MOVED = "PAY-118"
"""The issue that is closed in the last scene."""
PEOPLES_COLUMN = "Status"
WHY = ("because ", "rule ", "members ")
"""How those lines of `opsync explain` begin that say where a value comes from."""
OWN_COLUMNS = ("Delivery", "Delivery %", "Delivery health", "Work", "Adoption")
SHIPPED = "Instant payouts"
"""The initiative that was shipped, and is used more since then."""

_COUNTED = {1: "One", 2: "Two", 3: "Three", 4: "Four", 5: "Five"}


@dataclass(frozen=True, slots=True)
class Scene:
    """One sentence, and the lines that show it.

    A line that is too wide is continued `hanging` characters from the left; None: it is cut.
    """

    sentence: str
    lines: tuple[str, ...]
    hanging: int | None = None


def contradictions(initiatives: Sequence[Initiative]) -> Scene:
    """What people say against what the work says."""
    found = [one for one in initiatives if one.disagrees]
    lines = [_columns("", "people say", "the work says")]
    for one in found[: LINES - 1]:
        facts = f"{one.health.value}: {one.done} of {one.total} done"
        if one.blocked:
            facts += f", {one.blocked} blocked"
        if one.due_on and one.health is not Health.done:
            facts += f", due {day(one.due_on)}"
        lines.append(_columns(shown(one.title, COLUMNS[0] - 1), one.says, facts))
    number = _COUNTED.get(len(found), str(len(found)))
    stand = "stands" if len(found) == 1 else "stand"
    return Scene(
        f"{number} of {len(initiatives)} initiatives {stand} otherwise than the roadmap says.",
        tuple(lines),
    )


def the_plan(report: PassReport) -> Scene:
    """What is to be written, by the example of one initiative."""
    changes = report.plan.changes
    own = [one for one in changes if one.group == SHOWN]
    examples = _one_a_place(own)[: LINES - 3]
    others = {one.group for one in changes if one.change.slot.rule != LINKS_RULE} - {SHOWN}
    links = sum(one.change.slot.rule == LINKS_RULE for one in changes)
    removed = sum(one.change.verb is Verb.remove for one in changes)
    rest = (
        f"… {len(own) - len(examples)} more here",
        plural(len(others), "more initiative"),
        f"{plural(links, 'link')} between items",
    )
    return Scene(
        f"The plan has {plural(len(changes), 'change')}, each with its reason.",
        (
            f"{SHOWN}: {plural(len(own), 'change')}",
            *(_line(one) for one in examples),
            ", ".join(rest),
            f"{tallied(one.tool for one in changes)} · removes {removed} · notifies nobody",
        ),
    )


def the_page(
    before: Mapping[str, str], after: Mapping[str, str], shipped: Mapping[str, str]
) -> Scene:
    """A page before and after the first run: column to text, as Notion has it. Of what is
    `shipped` it is told what that changed."""
    return Scene(
        f'The page "{SHOWN}" in Notion: opsync fills its own columns only.',
        (
            _columns("", "before", "after"),
            *(
                _columns(name, before.get(name) or "–", after.get(name) or "–")
                for name in (PEOPLES_COLUMN, *OWN_COLUMNS)
            ),
            _columns(f"{SHIPPED}:", "–", shipped.get(OWN_COLUMNS[-1]) or "–"),
        ),
        hanging=sum(COLUMNS),
    )


def second_run(report: PassReport) -> Scene:
    """That nothing is left to do."""
    took = f"{_requests(report)}, {report.seconds:.1f} s"
    return Scene(
        f"The second run finds nothing to do: {report.write_requests} writes.",
        (f"{took}: what changed is read, what is right is left alone.",),
    )


def closed(did: str, report: PassReport, explained: Sequence[str]) -> Scene:
    """What one closed issue sets in motion, and why.

    `did` is what the sandbox answered, `explained` what `opsync explain` prints of the page's
    Delivery; of both commands' output the telling lines are shown, as they are.
    """
    tools = {one.tool for one in report.plan.changes}
    wrote = [line for line in explained if f"run {report.run}," in line]
    why = [line for line in explained[1:] if line.lstrip().startswith(WHY)]
    values = plural(report.applied, "value")
    return Scene(
        f"Ana closes {MOVED}: one sync, {plural(report.write_requests, 'write')}, {values} in "
        f"{plural(len(tools), 'tool')}.",
        (
            shown(did),
            summary_lines(report)[-1],
            f'$ opsync explain "{SHOWN}" Delivery    # in part',
            *[*explained[:1], *why, *wrote][: LINES - 3],
        ),
        hanging=6,
    )


def _requests(report: PassReport) -> str:
    return f"{plural(report.read_requests, 'read')}, {plural(report.write_requests, 'write')}"


def _columns(first: str, second: str, third: str) -> str:
    one, two = COLUMNS
    return f"{first:{one}}{second:{two}}{third}".rstrip()


def _one_a_place(changes: Iterable[Planned]) -> list[Planned]:
    """Texts, Notion's first, and of each place one."""
    places: dict[tuple[str, str], Planned] = {}
    for one in sorted(changes, key=lambda one: (one.tool != "Notion", one.change.slot.surface)):
        surface, desired = one.change.slot.surface, one.change.desired
        if not isinstance(desired, int | float) and not surface.endswith("_changed"):
            places.setdefault((one.tool, one.place), one)
    return list(places.values())


def _line(planned: Planned) -> str:
    change = planned.change
    at_root = change.slot.target == change.slot.other
    where = planned.place if at_root else planned.target
    what = short(change.desired)
    if change.verb is Verb.update:
        what = f"{value(change.before)[:CUT]}… → {what}"
    return f"  {VERB_SIGNS[change.verb][0]} {planned.tool:8}{shown(where, 20):22}{what}"


def short(found: Value) -> str:
    """A value on one line."""
    return shown(value(found), WIDTH)
