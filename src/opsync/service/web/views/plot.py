"""The history of one delivery summary, drawn to a scale with dates. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from math import ceil

from msgspec import Struct

from opsync.engine.phrases import day
from opsync.service.web.views.drawing import steps
from opsync.store import HistoryRow

LEFT, RIGHT, TOP, BOTTOM = 32.0, 14.0, 14.0, 26.0
"""The margins, which hold the numbers and the dates."""
SIZES = (("wide", 1180.0, 240.0), ("middle", 720.0, 220.0), ("narrow", 340.0, 180.0))
"""Width and height of the drawing by how much room there is: its text keeps its size."""
LEAST = timedelta(days=7)
DATES_APART = 90.0
LISTED = 60
"""So many days the table lists, the latest."""


class Tick(Struct, frozen=True):
    """A mark on an axis: where, and what it says."""

    at: float
    text: str


class Plot(Struct, frozen=True, kw_only=True):
    """One drawing. `due` is the x of the due date, None where that lies outside."""

    name: str
    width: float
    height: float
    left: float
    right: float
    bottom: float
    counts: tuple[Tick, ...]
    dates: tuple[Tick, ...]
    scope: str
    done: str
    area: str
    end_x: float
    end_done: float
    end_scope: float
    due: float | None


class Day(Struct, frozen=True):
    """The numbers at the end of one day."""

    on: str
    at: str
    done: int
    total: int
    blocked: int
    health: str


class History(Struct, frozen=True):
    """The drawings of one history, the same as a table, and in a sentence. Of a single day there is
    the sentence alone."""

    plots: tuple[Plot, ...]
    days: tuple[Day, ...]
    more: int
    told: str


def history(
    rows: Sequence[HistoryRow], now: datetime, zone: tzinfo, due_on: date | None = None
) -> History | None:
    """The history from its first row to `now`; None where nothing was ever counted."""
    if not any(row.total for row in rows):
        return None
    first, last = rows[0], rows[-1]
    days = _days(rows, zone)
    began = first.at.astimezone(zone).date()
    if began == now.astimezone(zone).date():
        return History((), (), 0, f"Kept since {day(began)}. From tomorrow on it is drawn here.")
    told = (
        f"Since {day(began)}: done {first.done} → {last.done}, scope {first.total} → {last.total}."
    )
    return History(
        plots=tuple(
            _plot(name, rows, now, zone, due_on, width, height) for name, width, height in SIZES
        ),
        days=days[:LISTED],
        more=max(0, len(days) - LISTED),
        told=told,
    )


def _days(rows: Iterable[HistoryRow], zone: tzinfo) -> tuple[Day, ...]:
    by_day = {row.at.astimezone(zone).date(): row for row in rows}
    return tuple(
        Day(f"{day(on)} {on.year}", on.isoformat(), row.done, row.total, row.blocked, row.health)
        for on, row in sorted(by_day.items(), reverse=True)
    )


def _plot(
    name: str,
    rows: Sequence[HistoryRow],
    now: datetime,
    zone: tzinfo,
    due_on: date | None,
    width: float,
    height: float,
) -> Plot:
    start = min(rows[0].at, now - LEAST)
    seconds = (now - start).total_seconds()
    wide, high = width - LEFT - RIGHT, height - TOP - BOTTOM
    most = max(row.total for row in rows)
    step = _step(most)
    top = step * ceil(most / step)

    def x(at: datetime) -> float:
        return round(LEFT + wide * (at - start).total_seconds() / seconds, 1)

    def y(count: int) -> float:
        return round(TOP + high * (1 - count / top), 1)

    end = x(now)
    floor = y(0)
    done = steps([(x(row.at), y(row.done)) for row in rows], end)
    due = None
    if due_on is not None:
        at = datetime(due_on.year, due_on.month, due_on.day, tzinfo=zone)
        due = x(at) if start < at < now else None
    return Plot(
        name=name,
        width=width,
        height=height,
        left=LEFT,
        right=width - RIGHT,
        bottom=floor,
        counts=tuple(Tick(y(count), str(count)) for count in range(0, top + 1, step)),
        dates=tuple(_dates(start, now, zone, x, int(wide // DATES_APART))),
        scope=steps([(x(row.at), y(row.total)) for row in rows], end),
        done=done,
        area=f"{done}V{floor:g}H{x(rows[0].at):g}Z",
        end_x=end,
        end_done=y(rows[-1].done),
        end_scope=y(rows[-1].total),
        due=due,
    )


def _step(most: int) -> int:
    """The distance of the lines: 1, 2 or 5 times a power of ten, about four of them."""
    power = 1
    while True:
        for each in (1, 2, 5):
            if most <= 4 * each * power:
                return each * power
        power *= 10


def _dates(
    start: datetime, now: datetime, zone: tzinfo, x: Callable[[datetime], float], most: int
) -> Iterable[Tick]:
    span = now - start
    every = max(1, ceil(span / timedelta(days=1) / max(1, most)))
    on = now.astimezone(zone).date()
    while True:
        at = datetime(on.year, on.month, on.day, tzinfo=zone)
        if at < start:
            return
        yield Tick(x(at), day(on))
        on -= timedelta(days=every)
