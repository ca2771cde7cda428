"""What the last seven days brought: what moved, was shipped, slipped, and grew. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo

from msgspec import Struct

from opsync.engine.overview import URGENCY, Initiative
from opsync.engine.phrases import ago, day
from opsync.model import Health, Ref
from opsync.store import TrendPoint

WEEK = timedelta(days=7)
MOST = 5
"""So many initiatives are named for each sort of news; the rest is counted."""

_WELL = frozenset({Health.on_track, Health.done, Health.not_started})
_LATE = frozenset({Health.at_risk, Health.off_track})

Trends = Mapping[tuple[str, Ref], Sequence[TrendPoint]]


class News(Struct, frozen=True):
    """One initiative's news."""

    ref: str
    title: str
    text: str


class Sort(Struct, frozen=True):
    """News of one sort; `more` have the same and are not named."""

    title: str
    tone: str
    news: tuple[News, ...]
    more: int


class Week(Struct, frozen=True):
    """All of it. `since` says from when on, where that is not a week; `quiet` that nothing is."""

    since: str
    sorts: tuple[Sort, ...]


def week(rows: Sequence[Initiative], trends: Trends, now: datetime, zone: tzinfo) -> Week:
    """What happened to these initiatives."""
    since = now - WEEK
    today = now.astimezone(zone).date()
    moved, shipped, slipped, grown = [], [], [], []
    first: datetime | None = None
    for one in rows:
        points = trends.get((one.rule, Ref.parse(one.ref)), ())
        if points:
            first = points[0].at if first is None else min(first, points[0].at)
        before = _at(points, since)
        if released := _shipped(one, today, before):
            shipped.append(News(one.ref, one.title, released))
        if before is None:
            continue
        if (more := one.done - before.done) > 0:
            moved.append((more, News(one.ref, one.title, f"+{more} done")))
        if said := _slipped(one, before, today):
            slipped.append(News(one.ref, one.title, said))
        if change := one.total - before.total:
            text = f"{change:+d} ({before.total} → {one.total})".replace("-", "−")
            grown.append((abs(change), News(one.ref, one.title, text)))
    young = first is not None and first > since
    return Week(
        since=f"since the first read, {ago(first, now)} ago" if young else "",
        sorts=tuple(
            _sort(title, tone, found)
            for title, tone, found in (
                ("Shipped", "done", shipped),
                ("Moved", "good", _heaviest(moved)),
                ("Slipped", "bad", slipped),
                ("Scope", "calm", _heaviest(grown)),
            )
            if found
        ),
    )


def _at(points: Sequence[TrendPoint], when: datetime) -> TrendPoint | None:
    """What the numbers were then; of what was first read since, what they were at first."""
    held = [one for one in points if one.at <= when]
    return held[-1] if held else points[0] if points else None


def _shipped(one: Initiative, today: date, before: TrendPoint | None) -> str:
    if one.released is not None and one.released.on is not None:
        return day(one.released.on) if timedelta() <= today - one.released.on < WEEK else ""
    if one.health is Health.done and before is not None and before.health is not Health.done:
        return f"all {one.done} done"
    return ""


def _slipped(one: Initiative, before: TrendPoint, today: date) -> str:
    worse = one.health in _LATE and (
        before.health in _WELL or URGENCY.index(one.health) < URGENCY.index(before.health)
    )
    if worse:
        return f"{one.health.value.lower()} now"
    late = one.due_on is not None and timedelta() < today - one.due_on <= WEEK
    if late and one.health is not Health.done and one.total:
        return f"past its due date, {day(one.due_on)}"
    return ""


def _heaviest(found: list[tuple[int, News]]) -> list[News]:
    return [news for _, news in sorted(found, key=lambda each: (-each[0], each[1].title))]


def _sort(title: str, tone: str, found: list[News]) -> Sort:
    return Sort(title, tone, tuple(found[:MOST]), max(0, len(found) - MOST))
