"""What the service does besides reading and writing: tells what is wrong, tidies up, sends digests,
and has suggestions searched for.

Each chore is tried by itself, and what fails is told and tried again: none of them stops another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from opsync.contract.pages import WritesPages
from opsync.engine import digestsending, healthpage
from opsync.engine.alerting import tell, tell_alive
from opsync.engine.hooksecrets import HookSecrets
from opsync.engine.housekeeping import prune
from opsync.engine.webhooks import Webhooks, public_url, renew_due, sources_of
from opsync.errors import OpsyncError
from opsync.report import PassReport
from opsync.service.running import Service
from opsync.service.searching import Searching
from opsync.service.surface import Surface
from opsync.steps.shared import OWN

_log = structlog.get_logger(__name__)

EVERY_S = 60.0
RENEWED_AT = "webhooks:renewed-at"
"""When it was looked after the webhooks last."""
DAILY = timedelta(days=1)
HOURLY = timedelta(hours=1)
ALIVE_AGAIN = timedelta(minutes=15)
"""So long after the watchdog heard last it is told that all is still well, if no run tells it."""

Chore = Callable[[datetime], Awaitable[object]]


class Chores:
    """Done once a minute, each as often as it is due."""

    def __init__(self, service: Service, surface: Surface) -> None:
        self._service = service
        self._surface = surface
        self._task: asyncio.Task[None] | None = None
        self._lag: asyncio.Task[None] | None = None
        self._searching = Searching(service)
        self._not_before: dict[str, datetime] = {}
        self._well_at: datetime | None = None
        """When the watchdog was told last that all is well; None once a run was no good one."""
        service.told.append(self._passed)

    def start(self) -> None:
        """Begin."""
        clock = self._service.session.runtime.clock
        self._task = asyncio.create_task(self._for_ever(), name="chores")
        self._lag = asyncio.create_task(self._surface.metrics.watch_loop(clock), name="lag")

    async def stop(self) -> None:
        """End; what is being sent is given up."""
        tasks = [one for one in (self._task, self._lag) if one is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._searching.stop()

    async def _for_ever(self) -> None:
        while True:
            await self._service.session.runtime.clock.sleep(EVERY_S)
            async with self._service.besides:
                await self.once()

    async def once(self) -> None:
        """Do all that is due."""
        now = self._service.session.runtime.clock.now()
        chores: dict[str, Chore] = {
            "signals": self._note_signals,
            "webhooks": self._renew,
            "digest": self._send_digest,
            "health page": self._write_health_page,
            "retention": self._prune,
            "suggestions": self._searching.tend,
        }
        for name, chore in chores.items():
            if now < self._not_before.get(name, now):
                continue
            try:
                await chore(now)
            except OpsyncError as error:
                self._not_before[name] = now + HOURLY
                _log.warning("chore.failed", chore=name, error=str(error))
                continue
            except Exception as error:  # noqa: BLE001 - one chore's fault is not the others'
                self._not_before[name] = now + HOURLY
                _log.error("chore.failed", chore=name, exc_info=error)
                continue
        try:
            await self._tell(now)
        except OpsyncError as error:
            _log.warning("chore.failed", chore="alerts", error=str(error))

    def _passed(self, report: PassReport) -> None:
        """A pass is over. A good one told the watchdog."""
        now = self._service.session.runtime.clock.now()
        self._well_at = now if report.exit_code == 0 else None

    async def _tell(self, now: datetime) -> None:
        """Tell what is wrong although no pass came to its end, since that may be just what it is;
        and that all is well although none begins, since nothing changes."""
        session = self._service.session
        alerts = session.config.general.alerts
        if alerts.webhook is None and alerts.alive is None:
            return
        alarms = await self._surface.alarms()
        why = await tell(alerts, session.store, session.pool, session.runtime.clock, alarms)
        if why:
            _log.warning("chore.failed", chore="alerts", error=why)
        well = not self._service.trouble and not any(one.state == "fail" for one in alarms)
        if well and self._well_at is not None and now - self._well_at >= ALIVE_AGAIN:
            self._well_at = now
            if why := await tell_alive(alerts, session.pool):
                _log.warning("chore.failed", chore="alerts", error=why)

    async def _note_signals(self, now: datetime) -> None:
        # Connectors learn in passes who they are, by which their signals are understood.
        await self._surface.settle()

    async def _renew(self, now: datetime) -> None:
        session = self._service.session
        last = (await session.store.kept(OWN)).get(RENEWED_AT)
        if isinstance(last, str) and timedelta(0) <= now - datetime.fromisoformat(last) < DAILY:
            return
        opened = await session.open_all()
        hooks = HookSecrets(session.config.store, session.runtime.clock)
        base = public_url(session.config)
        found = [
            Webhooks(one, opened[one.name].connector, session.store, hooks, base)
            for one in sources_of(session.config)
        ]
        await renew_due(found, now)  # what it finds to be wrong, watching tells
        await session.store.put_kept(OWN, {RENEWED_AT: now.isoformat()})
        await self._surface.settle()

    async def _send_digest(self, now: datetime) -> None:
        async with self._service.hands.holding(self._with_pages()):
            await digestsending.send_due(self._service.session, now)

    async def _write_health_page(self, now: datetime) -> None:
        async with self._service.hands.holding(self._with_pages()):
            await healthpage.write_due(self._service.session, now)

    def _with_pages(self) -> list[str]:
        """The connections in which pages are kept: nobody else works with them meanwhile."""
        config = self._service.session.config
        pages = config.general.service.digest.notion_page
        pages = pages or config.general.service.health_page.notion_page
        classes = config.plugins.connectors
        return [
            name
            for name, one in config.instances.items()
            if pages and issubclass(classes[one.connector], WritesPages)
        ]

    async def _prune(self, now: datetime) -> None:
        session = self._service.session
        async with self._service.deciding:
            await prune(session.store, now, session.config.general.retention.keep())
