"""What people have opsync do: each is one process, as the command line would start it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opsync.engine.approving import approvals_of, chosen
from opsync.engine.owning import owned_entries, remove_released
from opsync.engine.session import Session, open_session
from opsync.engine.taken import TakenBack
from opsync.engine.undoing import undo, writes_of
from opsync.model import WRITTEN, Change, Limits, OutcomeKind
from opsync.report import PassReport
from opsync.runtime import Runtime
from tests.simulation.company import Company
from tests.simulation.line import Line
from tests.simulation.loop import Time
from tests.support.clock import FakeClock

WHO = "ana"


class OwnClock(FakeClock):
    """The clock of opsync's machine, which may be wrong."""

    def __init__(self, time: Time, start: datetime) -> None:
        super().__init__(start)
        self.time = time
        self.wrong_by_s = 0.0
        self.latest = start

    def now(self) -> datetime:
        now = self.start + timedelta(seconds=self.time.now + self.wrong_by_s)
        self.latest = max(self.latest, now)
        return now

    @property
    def behind_s(self) -> float:
        """By how much it is behind what it once told."""
        now = self.now()
        return (self.latest - now).total_seconds()

    def monotonic(self) -> float:
        return 1000.0 + self.time.now

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


@dataclass
class TookBack:
    """What an undo or a release put back, in which run, and how much it left."""

    places: list[Change]
    run: int
    left: int


@dataclass
class Opsync:
    """An opsync and the company that it looks after, over a line."""

    company: Company
    line: Line
    clock: OwnClock
    seed: float

    def _session(self, command: str) -> Any:
        runtime = Runtime(clock=self.clock, rng=random.Random(self.seed))
        return open_session(self.company.config(), command, runtime=runtime, transport=self.line)

    async def sync(self, options: Mapping[str, Any]) -> PassReport:
        """`opsync sync`, `sync --full` or `plan`; `allow` has the limits that it lifts."""
        allow = dict(options.get("allow") or {})
        limits: Limits = self.company.config().limits.raised(**allow)
        given = {key: value for key, value in options.items() if key != "allow"}
        session: Session
        async with self._session("sync") as session:
            return await session.sync("sync", limits=limits, **given)

    async def apply(self) -> PassReport | None:
        """`opsync apply` of the newest plan, but for what would replace a person's text."""
        session: Session
        async with self._session("apply") as session:
            plan = await session.store.newest_plan()
            if plan is None:
                return None
            changes = [one for one in plan.changes if not one.over_edit]
            given = approvals_of(changes, plan.number, by=WHO, at=self.clock.now())
            await session.store.approve(list(given))
            return await session.sync(f"opsync apply {plan.number}", chosen=chosen(changes))

    async def undo(self, number: int) -> TookBack:
        """`opsync undo` of a run."""
        session: Session
        async with self._session("undo") as session:
            rows = await writes_of(session.store, run=number)
            why, command = f"undo of run {number}", f"opsync undo {number}"
            found = await undo(session, rows, why=why, by=WHO, command=command)
            return _took(found)

    async def release(self) -> TookBack:
        """`opsync release --all --remove`."""
        command = "opsync release --all --remove"
        session: Session
        async with self._session("release") as session:
            found = await remove_released(
                session,
                await owned_entries(session.store),
                by=WHO,
                command=command,
                columns_of=set(session.config.instances),
            )
            return _took(found)


def _took(found: TakenBack) -> TookBack:
    """What was put back, or stood so already; that nothing else was."""
    kinds = {*WRITTEN, OutcomeKind.unchanged}
    places = [change for change, outcome in found.done if outcome.kind in kinds]
    return TookBack(places, found.run, len(found.left) + len(found.columns_left))
