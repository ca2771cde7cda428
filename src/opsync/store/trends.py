"""What pages need of all delivery summaries at once: how numbers went, and news of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from opsync.model import Ref
from opsync.store.base import Part
from opsync.store.codec import to_ref, to_text, to_time
from opsync.store.types import TrendPoint

# For each what held as the time began, and then what came, by the history's own key: what is older
# costs nothing, and neither does the order.
_HELD = """
SELECT h.rule, h.root, h.at, h.done, h.total FROM rollups r
CROSS JOIN rollup_history h ON h.rule = r.rule AND h.root = r.root AND h.at = (
    SELECT max(b.at) FROM rollup_history b
    WHERE b.rule = r.rule AND b.root = r.root AND b.at <= ?)
"""
_LATER = """
SELECT h.rule, h.root, h.at, h.done, h.total FROM rollups r
CROSS JOIN rollup_history h ON h.rule = r.rule AND h.root = r.root AND h.at > ?
ORDER BY r.rule, r.root, h.at
"""
_DAY = slice(10)


class Trends(Part):
    """Reading numbers over time."""

    async def trends(self, since: datetime) -> Mapping[tuple[str, Ref], Sequence[TrendPoint]]:
        """By rule and root how each delivery summary's numbers went, oldest first: the last of
        each day after `since`, and before them those that held at that time, if there were any."""
        return await self._read(lambda c: _trends(c, since))

    async def revision(self) -> str:
        """A text that differs once anything was committed to the store, by whomever. Between two
        readings of one open store only: it means nothing to another one."""
        return await self._run(self._database.revision)


def _trends(connection: Connection, since: datetime) -> dict[tuple[str, Ref], list[TrendPoint]]:
    start = (to_text(since),)
    found: dict[tuple[str, str], list[TrendPoint]] = {
        (rule, root): [TrendPoint(to_time(at), done, total)]
        for rule, root, at, done, total in connection.exec_driver_sql(_HELD, start).all()
    }
    known, points, day = ("", ""), [], ""
    for rule, root, at, done, total in connection.exec_driver_sql(_LATER, start).all():
        if (rule, root) != known:
            known, day = (rule, root), ""
            points = found.setdefault(known, [])
        # What held as the time began is no day's, and stays.
        if at[_DAY] == day:
            points.pop()
        day = at[_DAY]
        points.append(TrendPoint(to_time(at), done, total))
    return {(rule, to_ref(root)): points for (rule, root), points in found.items()}
