"""What pages need of all delivery summaries at once: how numbers went, and news of the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from opsync.model import Health, Ref
from opsync.store.base import Part
from opsync.store.codec import to_ref, to_text, to_time
from opsync.store.types import TrendPoint

# By the history's own key, so that what is older costs nothing; and for each what held as the time
# began.
_TRENDS = """
SELECT h.rule, h.root, h.at, h.done, h.total, h.health FROM rollups r
CROSS JOIN rollup_history h ON h.rule = r.rule AND h.root = r.root AND h.at > ?
UNION ALL
SELECT h.rule, h.root, h.at, h.done, h.total, h.health FROM rollups r
CROSS JOIN rollup_history h ON h.rule = r.rule AND h.root = r.root AND h.at = (
    SELECT max(b.at) FROM rollup_history b
    WHERE b.rule = r.rule AND b.root = r.root AND b.at <= ?)
"""
_DAY = slice(10)
_HEALTH = {health.value: health for health in Health}


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
    start = to_text(since)
    rows = connection.exec_driver_sql(_TRENDS, (start, start)).all()
    days: dict[tuple[str, str], dict[str, tuple[str, int, int, str]]] = defaultdict(dict)
    for rule, root, at, done, total, health in rows:
        # What held as the time began is no day's, and comes before all of them.
        day = at[_DAY] if at > start else ""
        known = days[rule, root].get(day)
        if known is None or known[0] < at:
            days[rule, root][day] = at, done, total, health
    return {
        (rule, to_ref(root)): [
            TrendPoint(to_time(at), done, total, _HEALTH[health])
            for at, done, total, health in sorted(points.values())
        ]
        for (rule, root), points in days.items()
    }
