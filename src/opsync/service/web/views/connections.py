"""How each connection stands: health, freshness, signals, limits, and what is set aside. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from opsync.engine.overview import Connection, LastRun
from opsync.engine.phrases import ago, day, percent, plural, shown
from opsync.engine.setaside import Aside
from opsync.model.pause import ALL, Pause
from opsync.service.desk import Budget, Signals, Standing
from opsync.service.web.views.frame import state
from opsync.service.web.views.signs import CONNECTION, Badge
from opsync.service.web.views.values import Named, moment, named
from opsync.watch import TOKEN_WARNING, Alarm

MOST = 50
"""So many things that are set aside are listed of each connection."""
MOST_UNFIT = 8
"""So many reasons are listed why the configuration does not fit; the command line has all."""
LOW = 0.15
"""A limit of which no more is left is told as scarce."""

_SIGNALS: Mapping[str, tuple[str, str]] = {
    "on": ("on", ""),
    "off": ("off: changes are found by reading", ""),
    "unverified": ("wait to be verified: see opsync webhooks list", "warn"),
    "silent": ("silent: {untold} found changes that none told", "warn"),
    "expired": ("expired", "bad"),
}
"""How change signals stand, and how that is meant."""


class Fact(Struct, frozen=True):
    """One line: what, how it stands, and a tone ("" for plain)."""

    name: str
    text: str
    tone: str = ""


class Left(Struct, frozen=True, kw_only=True):
    """Something that is set aside."""

    item: Named
    place: str
    why: str
    since: str
    next_try: str


class Card(Struct, frozen=True, kw_only=True):
    """One connection. `alarms` are sentences, `paused` says who stopped its writes."""

    name: str
    tool: str
    badge: Badge
    facts: tuple[Fact, ...]
    alarms: tuple[tuple[str, str], ...]
    paused: str
    reading: bool
    aside: tuple[Left, ...]
    aside_count: int


class ConnectionsPage(Struct, frozen=True, kw_only=True):
    """The page. `paused` says who stopped all writes, "" where nobody did; `unfit` is why the
    configuration does not fit what was read."""

    state: Badge
    run: str
    cards: tuple[Card, ...]
    alarms: tuple[tuple[str, str], ...]
    paused: str
    unfit: tuple[str, ...]


_UNFIT = "configuration"
"""The alarm of which the reasons are a list of their own."""
_REFUSED = "The changed configuration is refused, and the former one stays in force: "


def connections(
    found: Sequence[Connection],
    alarms: Sequence[Alarm],
    pauses: Sequence[Pause],
    aside: Sequence[Aside],
    standing: Mapping[str, Standing],
    expires: Mapping[str, date | None],
    run: LastRun | None,
    now: datetime,
    zone: tzinfo,
    refused: str = "",
) -> ConnectionsPage:
    """The page; `expires` has the days on which tokens expire, as far as they are known, `refused`
    is why the configuration could not be read again."""
    by_name = {one.instance: one for one in pauses}
    return ConnectionsPage(
        state=state(found, alarms),
        run=_run(run, now),
        cards=tuple(
            _card(
                one,
                [each for each in alarms if each.connection == one.instance],
                by_name.get(one.instance),
                [each for each in aside if each.connection == one.instance],
                standing.get(one.instance, Standing()),
                expires.get(one.instance),
                now,
                zone,
            )
            for one in found
        ),
        alarms=(
            *([("bad", f"{_REFUSED}{shown(refused, 500)}")] if refused else []),
            *(_of_none(one) for one in alarms if not one.connection),
        ),
        paused=_paused(by_name.get(ALL), now),
        unfit=tuple(
            shown(why, 400)
            for one in alarms
            if one.kind == _UNFIT
            for why in one.error.splitlines()[:MOST_UNFIT]
        ),
    )


def _run(run: LastRun | None, now: datetime) -> str:
    if run is None:
        return "No run yet"
    if run.finished_at is None:
        return f"Run {run.run} began {ago(run.started_at, now)} ago" + (
            f", {run.outcome}" if run.outcome else ""
        )
    return f"Run {run.run} ended {ago(run.finished_at, now)} ago, {run.outcome}"


def _card(
    one: Connection,
    alarms: Sequence[Alarm],
    pause: Pause | None,
    aside: Sequence[Aside],
    standing: Standing,
    expires: date | None,
    now: datetime,
    zone: tzinfo,
) -> Card:
    facts = [Fact("Read", f"{ago(one.read_at, now)} ago" if one.read_at else "never")]
    if one.failing_since is not None:
        facts.append(Fact("Incomplete for", ago(one.failing_since, now), "warn"))
    if why := one.error or standing.failing:
        facts.append(Fact("It said", shown(why, 300), "warn"))
    if standing.next_read_at is not None and not standing.reading:
        facts.append(Fact("Next read", _until(standing.next_read_at, now)))
    facts.append(Fact("Holds", plural(one.items, "item")))
    if one.measured_at is not None:
        facts.append(Fact("Measured", f"{ago(one.measured_at, now)} ago"))
    if standing.signals is not None:
        facts += _signals(standing.signals, now, zone)
    facts += [_budget(each, now) for each in standing.budgets]
    if expires is not None:
        facts.append(_token(expires, now.astimezone(zone).date()))
    return Card(
        name=one.instance,
        tool=one.tool,
        badge=CONNECTION.get(one.state, Badge("·", one.state, "calm")),
        facts=tuple(facts),
        alarms=tuple(_alarm(each) for each in alarms),
        paused=_paused(pause, now),
        reading=standing.reading,
        aside=tuple(_left(each, now, zone) for each in aside[:MOST]),
        aside_count=len(aside),
    )


def _signals(one: Signals, now: datetime, zone: tzinfo) -> list[Fact]:
    text, tone = _SIGNALS[one.state]
    facts = [Fact("Change signals", text.format(untold=plural(one.untold, "read")), tone)]
    if one.last_at is not None:
        facts.append(Fact("Last signal", f"{ago(one.last_at, now)} ago"))
    if one.expires_at is not None:
        soon = one.expires_at - now < timedelta(days=3)
        facts.append(Fact("Signals until", moment(one.expires_at, zone), "warn" if soon else ""))
    return facts


def _budget(one: Budget, now: datetime) -> Fact:
    again = f", full in {_span(one.full_at, now)}" if one.full_at and one.full_at > now else ""
    low = one.left <= LOW
    text = f"{percent(one.left)} left{again}{', scarce' if low else ''}"
    return Fact(f"Limit: {shown(one.name, 40)}", text, "warn" if low else "")


def _token(on: date, today: date) -> Fact:
    left = (on - today).days
    if left < 0:
        return Fact("Token", f"expired {day(on)} {on.year}", "bad")
    tone = "warn" if timedelta(days=left) <= TOKEN_WARNING else ""
    return Fact("Token expires", f"{day(on)} {on.year}, in {plural(left, 'day')}", tone)


def _until(when: datetime, now: datetime) -> str:
    return "now" if when <= now else f"in {_span(when, now)}"


def _span(when: datetime, now: datetime) -> str:
    return ago(now, when)


def _of_none(one: Alarm) -> tuple[str, str]:
    """What is of no single connection: a sentence by itself, without reasons that are listed."""
    tone, text = _alarm(replace(one, error="") if one.kind == _UNFIT else one)
    return tone, text[0].upper() + text[1:]


def _alarm(one: Alarm) -> tuple[str, str]:
    why = f" ({shown(one.error, 240).rstrip('.')})" if one.error else ""
    return ("bad" if one.state == "fail" else "warn", f"{one.what}{why}. {one.hint}")


def _paused(one: Pause | None, now: datetime) -> str:
    return f"by {shown(one.by, 60)} {ago(one.at, now)} ago" if one is not None else ""


def _left(one: Aside, now: datetime, zone: tzinfo) -> Left:
    return Left(
        item=named(one.item),
        place=shown(one.place, 60),
        why=shown(one.reason, 300),
        since=moment(one.since, zone) if one.since else "",
        next_try=_until(one.next_try, now) if one.next_try else "with the next run",
    )
