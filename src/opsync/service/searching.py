"""Suggestions that nobody asked for: the service searches what it read, beside all its work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime

from opsync.config import Config
from opsync.engine.searched import is_due
from opsync.runtime import Clock
from opsync.service.running import Service
from opsync.store import Store


class Searching:
    """One search at a time, on a thread and a connection to the store of its own, so that neither
    reading nor deciding, pages nor another configuration wait for it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._task: asyncio.Task[None] | None = None
        self._given_up = threading.Event()

    async def tend(self, now: datetime) -> None:
        """Begin a search if it is due. What the last one met is raised."""
        if self._task is not None:
            if not self._task.done():
                return
            task, self._task = self._task, None
            task.result()
        session = self._service.session
        if await is_due(session.config, session.store, now):
            search = asyncio.to_thread(
                _search, session.config, session.runtime.clock, self._given_up.is_set
            )
            self._task = asyncio.create_task(search, name="suggest")

    async def stop(self) -> None:
        """Give up what is under way; it is begun again after the next start."""
        self._given_up.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _search(config: Config, clock: Clock, given_up: Callable[[], bool]) -> None:
    # Its index of words costs an import that is not needed before the first search.
    from opsync.engine.suggesting import GivenUp, look_anew

    try:
        Store.at_once(
            config.store, clock, lambda store: look_anew(config, store, clock.now(), given_up)
        )
    except GivenUp:
        return
