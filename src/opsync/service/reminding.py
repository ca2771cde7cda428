"""Reminders: what waits for a time is taken up then, however seldom anything is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog

from opsync.engine.session import Session
from opsync.errors import StoreError
from opsync.report import PassReport
from opsync.runtime import Clock
from opsync.store import Store

_log = structlog.get_logger(__name__)

LOOK_S = 30.0
"""So often the store is asked what comes due: less than anything waits at least."""
APART_S = 5.0
"""So long after one reminder the next one comes at the earliest: what is due together goes
together."""


class Reminders:
    """Tells when something is due that waits for a time: a write that failed, a rewrite that rests,
    an edit that was held for long enough, an item that could not be read.

    Each time is told once, whatever comes of it: what cannot be done then waits for another reason.
    """

    def __init__(self) -> None:
        self._times: set[datetime] = set()
        """Until when the last passes left something as it is. After a start the first tells."""

    def learn(self, report: PassReport) -> None:
        """A pass is over."""
        self._times.update(one.until for one in report.plan.held if one.until is not None)

    async def for_ever(
        self, session: Session, decide: Callable[[], None], read: Callable[[str], None]
    ) -> None:
        """Have it decided whenever a value is due, and an instance read whenever an item is. What
        is due by now is not told: whoever begins this begins with all there is."""
        store, clock = session.store, session.runtime.clock
        since = clock.now()
        while True:
            try:
                since = await self._once(store, clock, since, decide, read)
            except StoreError as error:
                _log.warning("reminders.failed", error=str(error))
                await clock.sleep(LOOK_S)

    async def _once(
        self,
        store: Store,
        clock: Clock,
        since: datetime,
        decide: Callable[[], None],
        read: Callable[[str], None],
    ) -> datetime:
        """Wait for the next time, or for a while, and tell what is due by then and was not
        `since`; returns until when all was told."""
        # A clock that was put back owes nothing, and loses nothing.
        since = min(since, clock.now())
        writes, items = await store.due_next(since)
        self._times = {at for at in self._times if at > since}
        values = {*self._times, *([writes] if writes is not None else [])}
        wait_s = _wait_s([*values, *items.values()], clock.now())
        if wait_s > 0:
            await clock.sleep(wait_s)
            return since
        now = clock.now()
        if any(at <= now for at in values):
            decide()
        for name, at in items.items():
            if at <= now:
                read(name)
        await clock.sleep(APART_S)
        return now


def _wait_s(times: Iterable[datetime], now: datetime) -> float:
    """The seconds until the first of these, at most until it is looked again."""
    left = min((at - now for at in times), default=timedelta(seconds=LOOK_S))
    return max(0.0, min(left.total_seconds(), LOOK_S))
