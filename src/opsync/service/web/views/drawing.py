"""What is drawn, as numbers in the units of its own box: bars, lines and plots. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from opsync.store import TrendPoint

BAR = 100.0
"""The width of a bar in its own units."""
SPARK_WIDTH, SPARK_HEIGHT = 112.0, 28.0
_EDGE = 3.0
"""Kept free around a line, for its stroke and the dot at its end."""


class Piece(Struct, frozen=True):
    """One part of a bar."""

    x: float
    width: float
    tone: str


class Line(Struct, frozen=True):
    """Two lines over time as the `d` of paths: `scope` and `done`, and where the latter ends."""

    scope: str
    area: str
    done: str
    end_x: float
    end_y: float


def pieces(parts: Iterable[tuple[int, str]]) -> tuple[Piece, ...]:
    """A stacked bar of counts, each with its tone; what counts nothing has no piece."""
    counted = [(count, tone) for count, tone in parts if count > 0]
    total = sum(count for count, _ in counted)
    found, x = [], 0.0
    for count, tone in counted:
        width = BAR * count / total
        found.append(Piece(round(x, 2), round(width, 2), tone))
        x += width
    return tuple(found)


def progress(done: int, doing: int, total: int) -> tuple[Piece, ...]:
    """How far a delivery summary is: done, in progress, and the rest."""
    doing = min(doing, total - done)
    return pieces(((done, "done"), (doing, "doing"), (total - done - doing, "rest")))


def spark(points: Sequence[TrendPoint], since: datetime, now: datetime) -> Line | None:
    """Done and scope from `since` to `now`; None where there is nothing to draw. Numbers hold until
    they change, so that lines go in steps."""
    most = max((point.total for point in points), default=0)
    if not most:
        return None
    span = (now - since).total_seconds() or 1.0
    wide, high = SPARK_WIDTH - 2 * _EDGE, SPARK_HEIGHT - 2 * _EDGE

    def x(at: datetime) -> float:
        return round(_EDGE + wide * max(0.0, (at - since).total_seconds()) / span, 1)

    def y(count: int) -> float:
        return round(_EDGE + high * (1 - count / most), 1)

    scope = steps([(x(one.at), y(one.total)) for one in points], x(now))
    done = steps([(x(one.at), y(one.done)) for one in points], x(now))
    first = x(points[0].at)
    floor = SPARK_HEIGHT - _EDGE
    return Line(
        scope=scope,
        area=f"{done}V{floor:g}H{first:g}Z",
        done=done,
        end_x=x(now),
        end_y=y(points[-1].done),
    )


def steps(points: Sequence[tuple[float, float]], end: float) -> str:
    """The `d` of a path that holds each height until the next point."""
    (x0, y0), *rest = points
    drawn = [f"M{x0:g} {y0:g}"]
    at = y0
    for x, y in rest:
        if y != at:
            drawn.append(f"H{x:g}V{y:g}")
            at = y
    return "".join([*drawn, f"H{end:g}"])
