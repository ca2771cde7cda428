"""What `opsync doctor` says of the store, of rules, metrics and teams."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime

from opsync.cli import words
from opsync.config import Config
from opsync.contract.examining import Check
from opsync.contract.settings import duration_text
from opsync.engine.checkup import RuleFinding, TeamFinding
from opsync.engine.metriccheck import MetricFinding, Unmeasured
from opsync.model.pause import ALL, Pause
from opsync.model.rules import Mode
from opsync.watch import Alarm

NAMED = 5
"""So many items are named."""


ALARMS = {
    "signed out": "Sign-in",
    "refused": "Refused",
    "set aside": "Set aside",
    "out of date": "Freshness",
    "not measured": "Freshness",
    "short": "Completeness",
    "token": "Token",
    "owners": "Owners",
    "configuration": "Configuration",
    "webhook disabled": "Change signals",
    "webhook expires": "Change signals",
    "webhook silent": "Change signals",
    "digest": "Digest",
    "health page": "Health page",
    "interrupted": "Undo",
}
"""What is tested, by the alarm that fails it."""


def pause_check(pause: Pause, now: datetime) -> Check:
    """That nothing is written, and how that ends."""
    whole = pause.instance == ALL
    what = "Nothing is written anywhere" if whole else f"Nothing is written to {pause.instance}"
    off = f"opsync pause {'' if whole else pause.instance + ' '}--off"
    by = words.shown(pause.by, 60)
    return Check("Pause", "warn", f"{what}: paused by {by} {words.ago(pause.at, now)} ago.", off)


def alarm_checks(alarms: Sequence[Alarm], config: Config, *, read: bool) -> Iterator[Check]:
    """Whether all was read in time and whole, by what the store knows (`read`: anything was); and
    whether anybody would hear of it."""
    for one in alarms:
        about = f"{one.connection}: " if one.connection else ""
        since = f", since {one.since:%Y-%m-%d %H:%M} UTC" if one.since is not None else ""
        why = f" ({one.error.rstrip('.')})" if one.error else ""
        yield Check(ALARMS[one.kind], one.state, f"{about}{one.what}{since}{why}.", one.hint)
    if not any(one.state == "fail" for one in alarms):
        within = duration_text(config.general.watch.fresh_within)
        said = f"All was read in time: each connection within {within}, or as its block says."
        yield Check("Freshness", "ok", said if read else "Nothing was read yet.")
    alerts = config.general.alerts
    writes = any(mode is not Mode.observe for mode in config.modes.values())
    if alerts.webhook is None and alerts.alive is None:
        said = "Nobody is told when something goes wrong."
        hint = "Set OPSYNC_ALERTS__WEBHOOK or OPSYNC_ALERTS__ALIVE; then: opsync alerts test"
        yield Check("Alerts", "warn" if writes else "ok", said, hint)
    else:
        to = [
            *(["alarms go to the webhook"] if alerts.webhook is not None else []),
            *(["a good run is told to the watchdog"] if alerts.alive is not None else []),
        ]
        said = f"{' and '.join(to)}. To try it: opsync alerts test"
        yield Check("Alerts", "ok", said[0].upper() + said[1:])


def set_aside(many: int, named: Sequence[str]) -> Check:
    """That some items could not be read."""
    return Check(
        "Set aside",
        "warn",
        f"{words.plural(many, 'item')} could not be read: {'; '.join(named)}",
        "Each is tried again by itself, with growing waits: opsync aside",
    )


def without_item(names: Sequence[str]) -> Check:
    """That people name what no item is called."""
    more = " …" if len(names) > NAMED else ""
    return Check(
        "Names without an item",
        "warn",
        f"{words.plural(len(names), 'key or address', 'keys or addresses')} that no item has: "
        f"{', '.join(names[:NAMED])}{more}",
        f"See who names one: opsync explain {shlex.quote(names[0])}",
    )


def rule_check(found: RuleFinding) -> Check:
    """A rule of the configuration, against what was read."""
    if not found.read:
        return Check(found.rule, "ok", f"Nothing was read from {found.instance} yet.")
    if not found.roots:
        return Check(
            found.rule,
            "warn",
            f"It takes no {found.kind} of {found.instance}.",
            f'Check [rollup.roots] of "{found.rule}"; what there is: '
            f"opsync records --connection {found.instance}",
        )
    if found.unused:
        listed = ", ".join(f'"{one.name}"' for one in found.unused)
        near = ", ".join(dict.fromkeys(f'"{name}"' for one in found.unused for name in one.near))
        return Check(
            found.rule,
            "warn",
            f"No {found.kind} names any work in {listed}.",
            f'Did you mean {near}? It is `properties` of the rule "{found.rule}".',
        )
    named = ", ".join(f'"{name}"' for name in found.properties) or "any column"
    takes = words.plural(found.roots, found.kind)
    return Check(found.rule, "ok", f"Adds up what {named} names, for {takes}.")


def team_check(found: TeamFinding) -> Check:
    """A team of the configuration, against what was read."""
    hint = "Check [[team.scope]]; what there is: opsync records"
    if found.unmatched:
        told = "; ".join(one.partition(": ")[2] for one in found.unmatched)
        return Check(found.team, "warn", f"{told[:1].upper()}{told[1:]}.", hint)
    if not found.items and found.read:
        return Check(
            found.team,
            "warn",
            "No item is this team's: a team before it takes them, or none has its labels.",
            f"The first that fits counts. {hint}",
        )
    if not found.items:
        return Check(found.team, "ok", "Nothing was read of it yet.")
    return Check(found.team, "ok", f"Has {words.plural(found.items, 'item')}.")


def metric_checks(found: MetricFinding) -> Iterator[Check]:
    """What a rule measures and announces, against what was read."""
    for unused in found.unused:
        near = ", ".join(f'"{name}"' for name in unused.near)
        yield Check(
            found.rule,
            "warn",
            f'No {found.kind} has anything in "{unused.name}", from which a metric is taken.',
            f"Did you mean {near}?" if near else "Fill it in, or take it from another property.",
        )
    for astray in found.astray:
        yield Check(
            found.rule,
            "warn",
            f'The address in "{astray.property}" of {_some(astray.initiatives)} is none that was '
            f"read from {astray.tool}: nothing is measured by it.",
            "Paste a link of the connected project, or the name itself.",
        )
    for one in found.unmeasured:
        yield _unmeasured(found.rule, one)
    if found.undated:
        mend = 'Name a date property in the rule: released = "…".'
        if found.released:
            mend = f'Fill in "{found.released}" there.'
        if found.released_near:
            near = ", ".join(f'"{name}"' for name in found.released_near)
            mend = f'Nobody fills in "{found.released}". Did you mean {near}?'
        told = f"{words.plural(len(found.undated), found.kind)}, done before first read"
        yield Check(
            found.rule,
            "warn",
            f"Nobody knows the day of release of {told}: {_some(found.undated)}. Nothing is "
            "compared before and after it, and no annotation tells of it.",
            mend,
        )
    for name in found.unread:
        yield Check(
            found.rule,
            "warn",
            f"The project of {name} was not read yet, so no release is told there.",
            f"opsync doctor --only {name}, then: opsync sync",
        )
    if found.tools and not (found.unused or found.unmeasured or found.astray):
        tools = " and ".join(found.tools)
        takes = words.plural(found.initiatives, found.kind)
        yield Check(found.rule, "ok", f"Measures {found.measured} of {takes} in {tools}.")


def _unmeasured(rule: str, one: Unmeasured) -> Check:
    """A metric without numbers."""
    metric, asking = one.metric.metric, _some(one.initiatives)
    named = f'{metric.noun} "{metric.name}"' if metric.name else metric.noun
    explain = f"opsync explain {shlex.quote(one.initiatives[0])} Adoption"
    if not metric.name:
        explain = "Correct what it names there."
    match one.metric.trouble:
        case "unknown":
            near = ", ".join(f'"{name}"' for name in one.metric.nearest[:NAMED])
            message = f"{metric.tool} has no {named}, which {asking} asks for."
            return Check(rule, "warn", message, f"Nearest: {near}. {explain}" if near else explain)
        case "empty":
            message = f"The project of {metric.instance} has no data yet, for {named} of {asking}."
            return Check(rule, "warn", message, f"opsync doctor --only {metric.instance}")
        case _:
            said = f": {one.metric.message}" if one.metric.message else "."
            message = f"{metric.tool} refused to measure {named} for {asking}{said}"
            return Check(rule, "warn", message, explain)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
