"""The screen of `opsync status`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, tzinfo

from opsync.cli import words
from opsync.cli.common import console
from opsync.cli.layout import Column
from opsync.cli.pause import pause_lines
from opsync.cli.screen import grid, hanging, show, styled
from opsync.disagreements import DisagreementKind
from opsync.engine.overview import Connection, Initiative, Overview
from opsync.engine.usewords import brief
from opsync.watch import Alarm

SHOWN = 8
"""So many initiatives are shown unless all are asked for."""

TITLE_WIDTH = 32

_WAITING = {
    "changes": ("change", "to write (opsync plan --offline)"),
    "to_approve": ("change", "to approve (opsync plan)"),
    "failed": ("write", "failed, tried again (opsync aside)"),
    "edited": ("value", "edited by a person (opsync plan --offline)"),
    "removed": ("value", "removed by a person"),
    "settled": ("value", "left as people decided"),
    "set_aside": ("item", "set aside (opsync aside)"),
    "suggested": ("link", "suggested (opsync links suggest)"),
}
"""What is counted for each reason to wait, and what is said of it."""

_SIGNS = {"ok": ("●", "green"), "incomplete": ("▲", "yellow"), "out of date": ("✗", "red")}
"""The sign and colour of a connection's state."""

_ALSO = {
    DisagreementKind.no_work: ("initiative without work", "initiatives without work"),
    DisagreementKind.one_side: (
        "item names an initiative, not counted",
        "items name an initiative, not counted",
    ),
    DisagreementKind.owner_left: ("owner left", "owners left"),
}
"""What is said of the disagreements besides those of status."""


SAID = {
    "signed out": "signed out",
    "refused": "refused",
    "set aside": "set aside",
    "out of date": "out of date",
    "not measured": "not measured",
    "short": "not complete",
    "token": "token expired",
    "owners": "owners left",
    "configuration": "configuration does not fit",
    "webhook disabled": "webhook switched off",
    "webhook expires": "webhook ends",
    "webhook silent": "no change signals",
    "digest": "digest not sent",
    "health page": "health page not written",
    "interrupted": "undo or release interrupted",
}
"""What a red alarm comes to, in two words."""


def print_status(found: Overview, zone: tzinfo, *, every: bool) -> None:
    """Print it; days and times are in `zone`."""
    if found.run is None:
        show(styled("no sync yet: opsync sync"))
        hanging("Connections  ", ", ".join(one.instance for one in found.connections) or "none")
        return
    tally, state = _tally(found), _state(found)
    beside = styled(*tally, *(("      ", state) if state else ()))
    above = state and beside.cell_len > console().width
    show(styled((_head(found, zone), "dim"), *(("   ", state) if above and state else ())))
    show(styled(*tally) if above else beside)
    if found.initiatives:
        _print_initiatives(found.initiatives, every=every)
        if also := _also(found):
            show(styled((f"! {also}: opsync look", "dim")))
    _print_foot(found)


def _head(found: Overview, zone: tzinfo) -> str:
    local = found.at.astimezone(zone)
    now = f"{local:%a} {local.day} {local:%b %H:%M}"
    run = found.run
    if run is None:
        return now
    if run.finished_at is None:
        state = run.outcome or "not finished: still running, or it was ended"
        return f"{now} · run {run.run} began {words.ago(run.started_at, found.at)} ago, {state}"
    return f"{now} · last run {words.ago(run.finished_at, found.at)} ago, {run.outcome}"


def _tally(found: Overview) -> list[str | tuple[str, str]]:
    counts = Counter(one.health for one in found.initiatives)
    parts: list[str | tuple[str, str]] = [words.plural(len(found.initiatives), "initiative")]
    for health, (_, color) in words.HEALTH_SIGNS.items():
        if counts[health]:
            parts += ["  ", (f"{counts[health]} {health.value.lower()}", color)]
    return parts


def _state(found: Overview) -> tuple[str, str] | None:
    bad = [one.instance for one in found.connections if one.state != "ok"]
    if found.healthy:
        return "● healthy", "green"
    if red := [one for one in found.alarms if one.state == "fail"]:
        about = dict.fromkeys(f"{one.connection} {SAID[one.kind]}".strip() for one in red)
        return f"✗ {', '.join(about)}", "red"
    stopped = all(one.state in ("ok", "over limit") for one in found.connections)
    how = "not written" if stopped else "incomplete"
    if bad:
        return f"▲ {how}: {', '.join(bad)}", "yellow"
    aside = found.waiting.get("set_aside", 0) + found.waiting.get("failed", 0)
    return (f"▲ {aside} set aside", "yellow") if aside else None


def _print_initiatives(initiatives: Sequence[Initiative], *, every: bool) -> None:
    shown = initiatives if every else initiatives[:SHOWN]
    tools = sorted({one.tool for one in initiatives})
    says = f"says ({tools[0]})" if len(tools) == 1 else "says"
    measured = any(one.adoption for one in initiatives)
    columns = (
        Column("", "cut", 16),
        Column("", drop=5),
        Column("done", right=True),
        Column("blocked", right=True, drop=3),
        Column("due", right=True, drop=1),
        Column("health"),
        Column(says, "cut", 6, drop=4),
        Column(""),
        Column("adoption" if measured else "", drop=2),
        Column("", "fold", 9),
    )
    rows = []
    for one in shown:
        sign, color = words.HEALTH_SIGNS[one.health]
        row = (
            styled((words.shown(one.title, TITLE_WIDTH), "bold")),
            styled((words.bar(one.percent), color)),
            styled(f"{one.done}/{one.total}" if one.total else "–"),
            styled(str(one.blocked) if one.total else "–"),
            styled(words.day(one.due_on)),
            styled((f"{sign} {one.health.value.lower()}", color)),
            styled(words.shown(one.says, 20) or "–"),
            styled(("!", "red") if one.disagrees else ""),
            styled(_use(one) if measured else ""),
            styled(_notes(one)),
        )
        rows.append(row)
    grid(columns, rows)
    rest = [f"… {len(initiatives) - len(shown)} more (--all)"] if not every else []
    rest = rest if len(shown) < len(initiatives) else []
    disagree = sum(1 for one in initiatives if one.disagrees)
    if disagree:
        verb = "disagrees" if disagree == 1 else "disagree"
        rest.append(f"! {disagree} {verb} with what people say: opsync look")
    if rest:
        show(styled(("      ".join(rest), "dim")))


def _use(one: Initiative) -> tuple[str, str]:
    text, tone = brief(one.adoption)
    return text, {"": "", "quiet": "dim", "warning": "yellow"}[tone]


def _also(found: Overview) -> str:
    """The other disagreements, in few words."""
    counts = ((found.disagreements.get(kind, 0), one, many) for kind, (one, many) in _ALSO.items())
    return " · ".join(words.plural(count, one, many) for count, one, many in counts if count)


def _notes(one: Initiative) -> str:
    """What the numbers leave out, in few words."""
    parts = []
    if one.canceled:
        parts.append(f"{one.canceled} canceled")
    if one.private:
        parts.append(f"{one.private} private")
    if one.scope_added:
        parts.append(f"scope +{one.scope_added}")
    if one.missing:
        parts.append(words.some_not_counted(len(one.missing)))
    return ", ".join(parts)


def _print_foot(found: Overview) -> None:
    parts: list[str | tuple[str, str]] = []
    for number, one in enumerate(found.connections):
        parts += ["   "] if number else []
        parts += _connection(one, found)
    hanging("Connections  ", *parts)
    for one in found.connections:
        if one.state == "incomplete":
            since = f", for {words.ago(one.failing_since, found.at)}"
            hanging("! ", f"{one.instance}{since}: {words.shown(one.error, 300)}", style="red")
        if one.state == "over limit":
            why = f"{one.instance}: {words.shown(one.error, 300)} (opsync plan)"
            hanging("! ", why, style="red")
    for alarm in found.alarms:
        if alarm.kind == "owners":
            continue  # they stand among what disagrees
        style = "red" if alarm.state == "fail" else "yellow"
        hanging("! ", words.shown(alarm_line(alarm, found.at), 600), style=style)
    hanging("Waiting      ", _waiting(found))
    for line in pause_lines(found.paused, found.at):
        hanging("! ", line, style="yellow")


def alarm_line(one: Alarm, now: datetime) -> str:
    """An alarm with since when and what to do."""
    since = f", for {words.ago(one.since, now)}" if one.since is not None else ""
    about = f"{one.connection}{since}: " if one.connection else ""
    why = f" ({one.error.rstrip('.')})" if one.error else ""
    return f"{about}{one.what}{why}. {one.hint}"


def _connection(one: Connection, found: Overview) -> list[str | tuple[str, str]]:
    if one.state == "never read":
        return [f"{one.instance} ", ("○", "dim"), " never read"]
    sign = _SIGNS.get(one.state, ("▲", "yellow"))
    return [f"{one.instance} ", sign, f" {words.ago(one.read_at, found.at)}"]


def _waiting(found: Overview) -> str:
    counts = ((found.waiting.get(why, 0), one, rest) for why, (one, rest) in _WAITING.items())
    parts = [f"{words.plural(count, one)} {rest}" for count, one, rest in counts if count]
    return " · ".join(parts) or "nothing"
