"""How much work there is: each piece once, however many tools have it."""

from __future__ import annotations

from collections import Counter

from opsync.config import Config
from opsync.disagreements import Share, share_of
from opsync.engine.looked import Work
from opsync.model import Category, Kind, Record, Ref
from opsync.store import Store

WORK = (Kind.issue, Kind.epic)
"""The kinds that count as work."""


class Counting:
    """Counts what one store holds of the configured connections."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config = config
        self._store = store
        self._categories: dict[Ref, Category] = {}
        self._instead: dict[Ref, Ref] = {}

    async def prepare(self) -> None:
        """Find out which items another tool has too, and that do not count for it."""
        groups = [one for one in await self._store.twins() if not one.doubt]
        records = await self._store.records_of([ref for one in groups for ref in one.refs])
        living = {ref: record for ref, record in records.items() if self._counts(record)}
        for sides in groups:
            here = [ref for ref in sides.refs if ref in living]
            if len(here) > 1:
                counted = self._config.preference.counted(sides, here)
                self._instead |= {ref: counted for ref in here if ref != counted}
        self._categories = {ref: living[ref].category for ref in self._instead}

    def _counts(self, record: Record) -> bool:
        """Whether it would count as work if it stood alone."""
        return (
            record.kind in WORK
            and not (record.tombstone or record.detail)
            and record.ref.instance in self._config.instances
        )

    async def share(self) -> Share:
        """How much work in progress has an initiative."""
        working = await self._store.working()
        here = [one for one in working if one.ref.instance in self._config.instances]
        return share_of(here, self._instead)

    async def work(self, share: Share) -> Work:
        """How much work there is; of `share` is how much of it is in progress.

        Left out are the initiatives themselves and parts that their team does not count by
        themselves.
        """
        counts: Counter[Category] = Counter()
        for one in await self._store.tally():
            if one.kind in WORK and one.instance in self._config.instances:
                counts[one.category] += one.items
        for part in await self._store.tally_details(self._teams_without_subtasks()):
            if part.kind in WORK:
                counts[part.category] -= part.items
        counts.subtract(self._categories.values())
        return Work(
            total=counts.total(),
            open=sum(count for category, count in counts.items() if category.open),
            in_progress=share.total,
            done=counts[Category.done],
        )

    def _teams_without_subtasks(self) -> list[str]:
        """The connections in which a team does not count sub-tasks."""
        found = {
            scope.instance
            for team in self._config.teams
            if not team.subtasks
            for scope in team.scope
        }
        return sorted(found & self._config.instances.keys())
