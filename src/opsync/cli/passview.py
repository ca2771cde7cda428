"""A pass as people read it after `sync`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from opsync.cli.layout import Column
from opsync.cli.pause import paused_lines
from opsync.cli.screen import grid, show_line, styled
from opsync.cli.words import VERB_SIGNS, plural, shown, span, tallied, value
from opsync.errors import SignInError
from opsync.model import OutcomeKind, Verb, gone_as
from opsync.model.ledger import plain
from opsync.report import (
    HELD_KINDS,
    HeldSlot,
    InstanceReport,
    OwnColumn,
    PassReport,
    Planned,
)

MOST = 10
"""So many failures, edits and gaps are named one by one; the rest is counted."""
LONG = 600
"""Room for a message with the click that mends it, so that none is cut within the click."""
MOST_WRITTEN = 12
"""So many writes likewise."""
SHORT = 44
"""Characters of what was and what is now; of a longer pair only what is now is shown."""
LABEL_WIDTH = 11

_WRITTEN = (OutcomeKind.created, OutcomeKind.updated, OutcomeKind.removed)
_WRITTEN_COLUMNS = (
    Column(),
    Column(),
    Column("", "fold", 16),
    Column("", "fold", 10),
    Column("", "fold", 22),
)
_TROUBLE = {
    "sign-in": "sign-in refused",
    "incomplete": "incomplete",
    "stopped": "stopped",
    "plugin": "its plugin failed",
    "over limit": "over a limit",
}
MET = frozenset({"out of date", "not measured", "signed out", "refused"})
"""The alarms that say no more than the trouble of a connection that was read now."""
ELSEWHERE = frozenset({"owners", "configuration"})
"""Those that are told in other lines: owners in `status`, and what does not fit among warnings."""
_KEY = re.compile(r"[A-Z][A-Z0-9_]*-\d+(?= )")


def print_pass(report: PassReport, *, whole: bool = True) -> None:
    """What `sync` ends with: each connection, what was written, and what was not and why. Of a run
    that is not about the `whole` of what should stand anywhere it is not said that all is well."""
    for line in _head_lines(report, whole=whole):
        show_line(line)
    _print_written(report)
    for line in _tail_lines(report, whole=whole):
        show_line(line)


def summary_lines(report: PassReport) -> list[str]:
    """The same, line by line, without naming what was written."""
    return [*_head_lines(report), *_tail_lines(report)]


def _head_lines(report: PassReport, *, whole: bool = True) -> list[str]:
    tools = [one.tool for one in report.instances]
    wide = max([LABEL_WIDTH, *(len(tool) for tool in tools)])
    lines = [_labelled(one.tool, _instance(one), wide) for one in report.instances]
    lines += [line for one in report.instances for line in trouble_lines(one)]
    lines += alarm_lines(report)
    lines += warning_lines(report)
    lines += paused_lines(report.instances)
    stand = (
        f"{plural(report.links, 'link')} · "
        f"{plural(report.rollups, 'delivery summary', 'delivery summaries')}"
    )
    lines.append(_labelled("Stand", stand, wide))
    if written := _written(report, whole=whole):
        lines.append(_labelled("Written", written, wide))
    lines += [
        _labelled("Columns", line, wide) for line in column_lines(report.columns_made, "made")
    ]
    return lines


def _tail_lines(report: PassReport, *, whole: bool = True) -> list[str]:
    return [
        *_failed_lines(report),
        *_held_lines(report),
        *_kept_lines(report),
        _end_line(report),
        *(_withheld(report) if whole else ()),
        *next_steps(report),
    ]


def _labelled(label: str, text: str, wide: int = LABEL_WIDTH) -> str:
    return f"{label:<{wide}} {text}"


def _instance(one: InstanceReport) -> str:
    if not one.pulled:
        return f"{one.instance}: not read{', in use' if one.in_use else ' this time'}"
    parts = [f"{one.read:,} read", f"{one.changed:,} changed"]
    if one.missing:
        parts.append(_gone(one))
    if one.set_aside:
        parts.append(f"{one.set_aside:,} set aside")
    if checked := _checked(one):
        parts.append(checked)
    if one.trouble:
        parts.append(_TROUBLE[one.trouble])
    return f"{one.instance}: {', '.join(parts)}"


def _gone(one: InstanceReport) -> str:
    """How many are gone, and why where the tool says so: "3 gone (2 deleted, 1 in the trash)"."""
    why = [f"{count:,} {gone_as(word)}" for word, count in sorted(one.gone.items()) if count]
    return f"{one.missing:,} gone ({', '.join(why)})" if why else f"{one.missing:,} gone"


def _checked(one: InstanceReport) -> str:
    """That it was looked for what vanished, and what that took."""
    parts = []
    if one.counted:
        parts.append(f"checked for deletions ({plural(one.census_requests, 'request')})")
    elif one.looked_up:
        parts.append(f"{one.looked_up:,} looked up ({plural(one.census_requests, 'request')})")
    if one.waiting:
        parts.append(f"{one.waiting:,} to look up in the next run")
    return ", ".join(parts)


def warning_lines(report: PassReport) -> list[str]:
    """What looks wrong in the configuration."""
    return [f"! {shown(warning, 400)}" for warning in report.remarks]


def alarm_lines(report: PassReport) -> list[str]:
    """What is wrong besides what this pass met itself, and what could not be told to others."""
    told = {one.instance for one in report.instances if one.trouble}
    lines = []
    for one in report.alarms:
        if one.kind in ELSEWHERE or (one.connection in told and one.kind in MET):
            continue
        about = f"{one.connection}: " if one.connection else ""
        since = f", since {one.since:%Y-%m-%d %H:%M} UTC" if one.since is not None else ""
        lines.append(f"! {shown(f'{about}{one.what}{since}', 300)}")
        lines.append(f"    {shown(one.hint, LONG)}")
    return [*lines, *(f"! {shown(one, 300)}" for one in report.untold)]


def trouble_lines(one: InstanceReport) -> list[str]:
    """What keeps a connection from being read to its end, or written, and what mends it."""
    lines = []
    if one.trouble:
        lines.append(f"! {one.instance} {_state(one)}: {shown(one.message, 300)}")
        if one.hint:
            lines.append(f"    {shown(one.hint, LONG)}")
    if one.in_use:
        lines.append(f"! {one.instance} was left out: the running service is at work with it")
        lines.append("    The service does what is left; or run this again in a minute.")
    return lines


def all_is_well(report: PassReport, held: Iterable[HeldSlot]) -> bool:
    """Whether what stands in the tools is what should: nothing failed, is unread or is held."""
    troubled = any(one.trouble or one.paused for one in report.instances) or report.exit_code
    unsettled = any(one.kind not in ("skipped", "settled") for one in held)
    return not (troubled or unsettled or report.stale or report.retrying)


def nothing_to_do(report: PassReport, held: Iterable[HeldSlot], in_all: int) -> str:
    """What is said beside "nothing" or "0 changes"; "" for no more than that. Where values are
    held, `in_all` so many, it is not said that all is well."""
    if all_is_well(report, held) and not in_all:
        return ": all is as it should be"
    if report.retrying and not report.failed:
        failed = plural(report.retrying, "write")
        return f": {failed} failed earlier, tried again by a later run (opsync aside)"
    return ""


def _state(one: InstanceReport) -> str:
    words = {
        "sign-in": "was refused",
        "stopped": "is stopped",
        "plugin": "is broken",
        "over limit": "is over a limit",
    }
    return words.get(one.trouble, "is incomplete")


def _written(report: PassReport, *, whole: bool) -> str:
    """How much was written where; "" where there is nothing to say."""
    tools = {one.instance: one.tool for one in report.instances}
    done = [change for change, outcome in report.outcomes if outcome.kind in _WRITTEN]
    if done:
        removed = report.count(OutcomeKind.removed)
        by_tool = tallied(tools.get(change.slot.target.instance, "") for change in done)
        return by_tool + (f" · {removed} of them removed" if removed else "")
    if not report.applied_mode or report.plan.observed:
        return ""
    if withheld := report.withheld:
        verb = "waits" if withheld == 1 else "wait"
        return f"nothing: {plural(withheld, 'change')} {verb} until writes are permitted again"
    if waiting := len(report.plan.proposed):
        verb = "waits" if waiting == 1 else "wait"
        return f"nothing: {plural(waiting, 'change')} {verb} for approval"
    if not whole and all_is_well(report, report.plan.held):
        return "nothing"
    return f"nothing{nothing_to_do(report, report.plan.held, report.held_in_all)}"


def column_lines(columns: Iterable[OwnColumn], verb: str) -> list[str]:
    """The columns of opsync's own by where they stand: "Notion Roadmap: 2 columns made: …"."""
    where: dict[tuple[str, str], list[OwnColumn]] = {}
    for one in columns:
        where.setdefault((one.instance, one.where), []).append(one)
    return [
        f"{shown(name, 80)}: {plural(len(each), 'column')} {verb}: "
        f"{', '.join(shown(one.column.title, 60) for one in each)}"
        for (_, name), each in where.items()
    ]


def _print_written(report: PassReport) -> None:
    """Name what was written, as far as it is not too much."""
    names = {one.change.slot: one for one in report.plan.changes}
    done = [change for change, outcome in report.outcomes if outcome.kind in _WRITTEN]
    rows = []
    for change in done[:MOST_WRITTEN]:
        one = names[change.slot]
        own = one.release or change.slot.target == change.slot.other
        said = before_after(one)
        short = len(said) <= SHORT or change.verb is Verb.remove
        row = (
            styled(VERB_SIGNS[change.verb]),
            styled(one.tool),
            styled(shown(one.group if own and one.group else one.target, 48)),
            styled(one.place),
            styled(said if short else value(change.desired, one.place)),
        )
        rows.append(row)
    grid(_WRITTEN_COLUMNS, rows, indent=2)
    if len(done) > MOST_WRITTEN:
        more = len(done) - MOST_WRITTEN
        show_line(f"  … {more} more: opsync journal --run {report.run}")


def before_after(one: Planned) -> str:
    """What stands there and what should."""
    change = one.change
    after = value(change.desired, one.place)
    if change.verb is Verb.update:
        return f"{value(change.before, one.place)} → {after}"
    if change.verb is Verb.remove:
        return f"remove {value(change.before, one.place)}"
    return after


def _failed_lines(report: PassReport) -> list[str]:
    tools = {one.instance: one.tool for one in report.instances}
    failed = [(c, o) for c, o in report.outcomes if o.kind is OutcomeKind.failed]
    if not failed:
        return []
    by_tool = tallied(tools.get(c.slot.target.instance, "") for c, _ in failed)
    lines = [_labelled("Failed", by_tool)]
    names = {one.change.slot: one for one in report.plan.changes}
    alike: dict[str, list[str]] = {}
    for change, outcome in failed:
        one = names[change.slot]
        where = f"{one.tool} {one.of}, {one.place}"
        alike.setdefault(outcome.message, []).append(shown(where))
    for message, places in list(alike.items())[:MOST]:
        more = f", and {len(places) - 1} more" if len(places) > 1 else ""
        lines.append(f"  ! {places[0]}{more}: {shown(message, LONG)}")
    return [*lines, *_more(len(alike))]


def _held_lines(report: PassReport) -> list[str]:
    lines = []
    telling = [one for one in report.plan.held if one.kind not in ("skipped", "settled")]
    if telling:
        lines.append(_labelled("Not written", plural(len(telling), "value")))
        lines += [
            f"  ! {shown(f'{one.tool} {one.of}, {one.place}')}: {shown(one.why, 300)}"
            for one in telling[:MOST]
        ]
        lines += _more(len(telling))
    lines += edited_lines(report.plan.held)
    if report.held_in_all > sum(one.kind in HELD_KINDS for one in telling):
        lines.append(_labelled("Held", f"{plural(report.held_in_all, 'value')}: opsync plan"))
    lines += left_alone_lines(report.plan.held)
    if report.aside:
        aside = f"{plural(report.aside, 'item')} could not be read: opsync aside"
        lines.append(_labelled("Set aside", aside))
    return lines


def edited_lines(held: Iterable[HeldSlot]) -> list[str]:
    """How many values people edited, and how to look at one."""
    edited = [one for one in held if one.kind == "conflict"]
    if not edited:
        return []
    one = edited[0]
    own = one.release or one.entry.slot.target == one.entry.slot.other
    key = _KEY.match(one.target)
    name = shown(one.group if own else key[0] if key else one.target, 60)
    look = f'opsync explain "{name}" "{one.place}"'
    return [f"{plural(len(edited), 'value')} edited by a person ({look})"]


def left_alone_lines(held: Iterable[HeldSlot]) -> list[str]:
    """The links that somebody made before opsync did."""
    already = [one for one in held if one.kind == "skipped"]
    if not already:
        return []
    lines = [_labelled("Left alone", f"{plural(len(already), 'link')} that somebody made already")]
    lines += [
        f"    {one.tool} {shown(one.target)}, {one.place}: {value(plain(one.entry.desired))}"
        for one in already[:MOST]
    ]
    return [*lines, *_more(len(already))]


def _kept_lines(report: PassReport) -> list[str]:
    if not report.stale:
        return []
    names = ", ".join(shown(title, 40) for title in report.stale[:5])
    more = f" and {len(report.stale) - 5} more" if len(report.stale) > 5 else ""
    return [_labelled("Kept", f"numbers of {names}{more}: what they rest on could not be read")]


def _more(count: int) -> list[str]:
    return [f"  … {count - MOST} more (--json has all)"] if count > MOST else []


def _end_line(report: PassReport) -> str:
    how = "done in part" if report.exit_code else "done"
    why = " · a sign-in was refused" if report.exit_code == SignInError.exit_code else ""
    return (
        f"Run {report.run} {how} in {span(report.seconds)} · "
        f"{plural(report.read_requests, 'read')}, {plural(report.write_requests, 'write')}{why}"
    )


def _withheld(report: PassReport) -> list[str]:
    """What would be written if nothing was paused, and how to have it written."""
    if not report.withheld:
        return []
    by_tool = tallied(one.tool for one in report.instances for _ in range(one.withheld))
    names = [one.instance for one in report.instances if one.paused]
    if len(names) == len(report.instances):
        names = [""]
    which = " and ".join(f" to {name}" if name else "" for name in names)
    off = "; ".join(f"opsync pause {name + ' ' if name else ''}--off" for name in names)
    return [
        "",
        f"Would write {plural(report.withheld, 'change')}: {by_tool}. Nothing of that was written:",
        f"writes{which} are paused.",
        "  see each    opsync plan",
        f"  go on       {off}; opsync sync",
    ]


def next_steps(report: PassReport) -> list[str]:
    """How to go on where rules only observe, or wait for approval."""
    return [*_to_approve(report), *_observed(report)]


def _to_approve(report: PassReport) -> list[str]:
    waiting = report.plan.proposed
    if not waiting:
        return []
    verb = "waits" if len(waiting) == 1 else "wait"
    edited = sum(one.change.over_edit for one in waiting)
    over = f" · {edited} would replace what a person wrote" if edited else ""
    return [
        "",
        f"{plural(len(waiting), 'change')} {verb}: {report.applying}",
        f"  of these    {tallied(one.tool for one in waiting)}{over}",
        *(f"  new         {line}" for line in column_lines(report.plan.columns, "will be made")),
        "  see each    opsync plan",
        *([] if report.oversteps else ["  for good    opsync apply --rule NAME, rule by rule"]),
    ]


def _observed(report: PassReport) -> list[str]:
    waiting = report.plan.observed
    if not waiting:
        return []
    would = f"Would write {plural(len(waiting), 'change')}: {tallied(one.tool for one in waiting)}."
    if report.only_observed:
        return [
            "",
            f"{would} Nothing of that was written:",
            "this run was told so (--mode observe).",
            "  see each    opsync plan",
            "  as usual    opsync sync, as the rules' own modes say",
        ]
    return [
        "",
        f"{would} Nothing of that was written:",
        "the rules are in mode observe.",
        "  see each    opsync plan",
        "  write once  opsync sync --mode apply",
        '  for good    mode = "apply" in the configuration, rule by rule',
    ]
