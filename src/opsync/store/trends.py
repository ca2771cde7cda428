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

# The last of each day, and before them what the numbers were as the time began.
_TRENDS = """
SELECT rule, root, max(at) AS at, done, total, health FROM rollup_history
WHERE at > ? GROUP BY rule, root, substr(at, 1, 10)
UNION ALL
SELECT rule, root, max(at), done, total, health FROM rollup_history
WHERE at <= ? GROUP BY rule, root
ORDER BY 1, 2, 3
"""
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
    found: dict[tuple[str, str], list[TrendPoint]] = defaultdict(list)
    start = to_text(since)
    for rule, root, at, done, total, health in connection.exec_driver_sql(_TRENDS, (start, start)):
        found[rule, root].append(TrendPoint(to_time(at), done, total, _HEALTH[health]))
    return {(rule, to_ref(root)): points for (rule, root), points in found.items()}
