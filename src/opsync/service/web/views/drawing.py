"""What is drawn, as numbers in the units of its own box: bars, lines and plots. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from opsync.store import TrendPoint

BAR = 100.0
"""The width of a bar in its own units."""
GAP = 0.2
"""Kept free between the pieces of a bar."""
WIDTH, HEIGHT, EDGE = 1120, 280, 30
"""The box of a small line in its own units, and what is kept free for strokes at its edges."""


class Piece(Struct, frozen=True):
    """One part of a bar."""

    x: float
    width: float
    tone: str


class Progress(Struct, frozen=True):
    """How far a bar is filled: by what is done, and by that and what is under way."""

    done: float
    begun: float


class Line(Struct, frozen=True):
    """Two lines over time as the `d` of paths, and the height at which that of done ends."""

    scope: str
    done: str
    area: str
    end: int


def pieces(parts: Iterable[tuple[int, str]]) -> tuple[Piece, ...]:
    """A stacked bar of counts, each with its tone; what counts nothing has no piece."""
    counted = [(count, tone) for count, tone in parts if count > 0]
    total = sum(count for count, _ in counted)
    gap = min(GAP, BAR / max(1, 4 * total))
    found, before = [], 0
    for count, tone in counted:
        x, before = BAR * before / total, before + count
        end = BAR if before == total else BAR * before / total - gap
        found.append(Piece(round(x, 2), round(end - x, 2), tone))
    return tuple(found)


def progress(done: int, doing: int, total: int) -> Progress:
    """How far a delivery summary is."""
    if not total:
        return Progress(0, 0)
    begun = min(done + doing, total)
    return Progress(round(BAR * done / total, 1), round(BAR * begun / total, 1))


def spark(points: Sequence[TrendPoint], since: datetime, now: datetime) -> Line | None:
    """Done and scope from `since` to `now`; None where there is nothing to draw. Numbers hold until
    they change, so that lines go in steps."""
    most = max([point.total for point in points], default=0)
    if not most:
        return None
    start = since.timestamp()
    wide = (WIDTH - 2 * EDGE) / ((now.timestamp() - start) or 1.0)
    high = (HEIGHT - 2 * EDGE) / most
    floor, end = HEIGHT - EDGE, WIDTH - EDGE
    first, scope_y, done_y = -1, 0, 0
    scope, done = "", ""
    for at, is_done, is_total in points:
        x = EDGE + max(0, int(wide * (at.timestamp() - start)))
        y, z = floor - int(high * is_total), floor - int(high * is_done)
        if first < 0:
            first, scope, done = x, f"M{x} {y}", f"M{x} {z}"
        else:
            if y != scope_y:
                scope += f"H{x}V{y}"
            if z != done_y:
                done += f"H{x}V{z}"
        scope_y, done_y = y, z
    done += f"H{end}"
    return Line(f"{scope}H{end}", done, f"{done}V{floor}H{first}Z", done_y)


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
