"""The first page: all initiatives, those that need a look first. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from urllib.parse import quote

from msgspec import Struct

from opsync.engine.digest import Week
from opsync.engine.overview import Connection, Initiative, Overview
from opsync.engine.phrases import ago, day, percent, plural, shown, some_not_counted
from opsync.engine.usewords import brief
from opsync.model import Health, Ref
from opsync.service.web.links import safe_url
from opsync.service.web.views.drawing import Line, Piece, Progress, pieces, progress, spark
from opsync.service.web.views.signs import HEALTH, Badge
from opsync.service.web.views.week import News, news_of
from opsync.store import TrendPoint

Trends = Mapping[tuple[str, Ref], Sequence[TrendPoint]]

SHOWN_WEEKS = 6
SPAN = timedelta(weeks=SHOWN_WEEKS)
"""So far back goes the line of each initiative."""
TITLE_LIMIT = 120
SOON = timedelta(days=14)
STALE = timedelta(hours=1)
"""A tool that was not read for so long is named in each row that rests on it."""
YOUNG = timedelta(days=1)
"""A line that is not longer would be a dot."""
_LATE = (Health.off_track, Health.at_risk)
_EXPLAINED = (*_LATE, Health.paused, Health.not_started)
"""Those of which a row says why: of the others the numbers beside say it."""


_day = lru_cache(512)(day)
"""Days as they are said: a page says some of them many times."""


class Trend(Struct, frozen=True):
    """Six weeks of one initiative, drawn and in words."""

    line: Line
    told: str


class Row(Struct, frozen=True, kw_only=True):
    """One initiative. `stale` says since when a tool that it rests on was not read, "" where all
    were; `due_tone` is "late" for what is past its day and not done."""

    ref: str
    title: str
    owner: str
    url: str | None
    tool: str
    count: str
    percent: str
    bar: Progress
    told: str
    trend: Trend | None
    health: Badge
    reason: str
    says: str
    disagrees: bool
    due: str
    due_at: str
    due_tone: str
    adoption: str
    adoption_tone: str
    notes: tuple[str, ...]
    stale: str


class Share(Struct, frozen=True):
    """So many initiatives of one health."""

    badge: Badge
    count: int


class Choice(Struct, frozen=True):
    """One entry of the filter."""

    name: str
    count: int
    chosen: bool


class Waiting(Struct, frozen=True):
    """Something that waits for a person, and the page where it is settled."""

    count: int
    text: str
    page: str


class Initiatives(Struct, frozen=True, kw_only=True):
    """The page. `drawn` says that there are lines over time. `suggested` counts links to review; it
    leads on where nothing is linked yet. `digest` is where the week is as a text."""

    sentence: str
    portfolio: tuple[Piece, ...]
    shares: tuple[Share, ...]
    rows: tuple[Row, ...]
    teams: tuple[Choice, ...]
    team: str
    says: str
    measured: bool
    drawn: bool
    week: News | None
    digest: str
    waiting: tuple[Waiting, ...]
    suggested: int
    linked: bool
    read: bool


def initiatives(
    found: Overview, trends: Trends, week: Week | None, zone: tzinfo, team: str = ""
) -> Initiatives:
    """The page as of `found.at`, of one team if asked for; `week` is that team's, None where
    nothing is told of it."""
    chosen = [one for one in found.initiatives if not team or team in one.teams]
    counts = Counter(one.health for one in chosen)
    shares = tuple(Share(badge, counts[health]) for health, badge in HEALTH.items())
    shares = tuple(one for one in shares if one.count)
    today = found.at.astimezone(zone).date()
    old = {one.instance: one for one in found.connections if one.failing_since is not None}
    tools = sorted({one.tool for one in chosen})
    rows = tuple(_row(one, trends, old, found.at, today, zone) for one in chosen)
    return Initiatives(
        sentence=_state(found) or _sentence(chosen, team),
        portfolio=pieces((one.count, one.badge.tone) for one in shares),
        shares=shares,
        rows=rows,
        teams=_teams(found.initiatives, team),
        team=shown(team, TITLE_LIMIT),
        says=f"{tools[0]} says" if len(tools) == 1 else "Stated",
        measured=any(one.adoption for one in chosen),
        drawn=any(row.trend for row in rows),
        week=news_of(week, zone) if week else None,
        digest=_digest(team) if week else "",
        waiting=waiting(_waits(found, week, team)),
        suggested=found.waiting.get("suggested", 0),
        linked=any(one.total or one.canceled for one in found.initiatives),
        read=found.run is not None,
    )


def _digest(team: str) -> str:
    return f"/export/digest.md?team={quote(team, safe='')}" if team else "/export/digest.md"


def _waits(found: Overview, week: Week | None, team: str) -> Mapping[str, int]:
    """What waits for a person: all of it, or what is about a team's initiatives."""
    if not team:
        return found.waiting
    return week.waiting if week else {}


_WAITING = (
    ("to_approve", "change", "to approve", "plan"),
    ("edited", "value", "edited by a person", "plan"),
    ("removed", "value", "removed by a person", "plan"),
    ("suggested", "link", "suggested", "links"),
    ("failed", "write", "failed, tried again", "connections"),
    ("set_aside", "item", "set aside", "connections"),
    ("changes", "change", "for the next run to write", "plan"),
)


def waiting(counts: Mapping[str, int]) -> tuple[Waiting, ...]:
    """What waits, what needs a person first."""
    return tuple(
        Waiting(count, f"{noun if count == 1 else noun + 's'} {rest}", page)
        for why, noun, rest, page in _WAITING
        if (count := counts.get(why, 0))
    )


def _state(found: Overview) -> str:
    """What is to be said before there is anything to count; "" where there is."""
    if found.run is None:
        return "Nothing was read yet"
    if not found.initiatives:
        return "No initiatives yet"
    if any(one.total or one.canceled for one in found.initiatives):
        return ""
    suggested = found.waiting.get("suggested", 0)
    more = f": review {plural(suggested, 'suggestion')}" if suggested else ""
    return f"No links yet{more}"


def _sentence(chosen: Sequence[Initiative], team: str) -> str:
    late = sum(one.health in _LATE for one in chosen)
    disagree = sum(one.disagrees for one in chosen)
    head = plural(len(chosen), "initiative")
    head = f"{shown(team, 60)}: {head}" if team else head
    parts = []
    if late:
        parts.append(f"{late} {'needs' if late == 1 else 'need'} a look")
    if disagree:
        verb = "disagrees" if disagree == 1 else "disagree"
        parts.append(f"{disagree} {verb} with what people say")
    if not chosen:
        return head
    joint = "," if team else ":"
    return f"{head}{joint} {'; '.join(parts) or 'none needs a look'}"


def _teams(found: Sequence[Initiative], team: str) -> tuple[Choice, ...]:
    """The teams that the initiatives know, those with most first."""
    counts = Counter(name for one in found for name in one.teams)
    if len(counts) < 2 and not team:
        return ()
    every = Choice("", len(found), chosen=not team)
    names = sorted(counts, key=lambda name: (-counts[name], name.casefold()))
    return (every, *(Choice(name, counts[name], chosen=name == team) for name in names))


def _row(
    one: Initiative,
    trends: Trends,
    old: Mapping[str, Connection],
    now: datetime,
    today: date,
    zone: tzinfo,
) -> Row:
    use, tone = brief(one.adoption)
    points = trends.get((one.rule, Ref.parse(one.ref)), ())
    open_ = one.health not in (Health.done, Health.no_linked_work)
    late = one.due_on is not None and one.due_on < today and open_
    soon = one.due_on is not None and one.due_on - today <= SOON and open_
    return Row(
        ref=one.ref,
        title=shown(one.title, TITLE_LIMIT),
        owner=shown(one.owner, 60),
        url=safe_url(one.url),
        tool=one.tool,
        count=f"{one.done}/{one.total}" if one.total else "",
        percent=percent(one.percent) if one.total else "",
        bar=progress(one.done, one.in_progress, one.total),
        told=_told(one),
        trend=_trend(points, now, zone),
        health=HEALTH[one.health],
        reason=shown(one.reason, 160) if one.health in _EXPLAINED else "",
        says=shown(one.says, 40),
        disagrees=one.disagrees,
        due=_day(one.due_on) if one.due_on else "",
        due_at=one.due_on.isoformat() if one.due_on else "",
        due_tone="late" if late else "soon" if soon else "",
        adoption=use,
        adoption_tone=tone,
        notes=_notes(one),
        stale=_stale(one, old, now),
    )


def _told(one: Initiative) -> str:
    """The bar in words."""
    if not one.total:
        return "nothing is counted"
    doing = f", {one.in_progress} in progress" if one.in_progress else ""
    return f"{one.done} of {one.total} done{doing}"


def _trend(points: Sequence[TrendPoint], now: datetime, zone: tzinfo) -> Trend | None:
    if not points or now - points[0].at < YOUNG:
        return None
    since = now - SPAN
    line = spark(points, since, now)
    if line is None:
        return None
    first, last = points[0], points[-1]
    began = max(first.at, since).astimezone(zone).date()
    told = f"since {_day(began)}: done {first.done} → {last.done}"
    scope = f", scope {first.total} → {last.total}"
    return Trend(line, told + (scope if first.total != last.total else f" of {last.total}"))


def _notes(one: Initiative) -> tuple[str, ...]:
    """What the numbers hold besides, in few words."""
    parts = (
        (one.blocked, f"{one.blocked} blocked"),
        (one.canceled, f"{one.canceled} canceled"),
        (one.private, f"{one.private} private"),
        (one.scope_added, f"scope +{one.scope_added}"),
        (len(one.missing), some_not_counted(len(one.missing))),
    )
    return tuple(text for count, text in parts if count)


def _stale(one: Initiative, old: Mapping[str, Connection], now: datetime) -> str:
    """For how long something that it rests on was not read to the end, once that is long."""
    failing = [old[name] for name in one.instances if name in old]
    if not failing:
        return ""
    worst = min(failing, key=lambda each: each.read_at or now)
    since = worst.read_at or worst.failing_since
    if since is None or now - since < STALE:
        return ""
    return f"{worst.tool} not read for {ago(since, now)}"
