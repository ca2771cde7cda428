"""The service over the small company, in virtual time: hours pass in a second."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from opsync.engine.session import open_session
from opsync.runtime import Runtime
from opsync.service.running import Service
from tests.simulation.loop import Died, Time, run
from tests.support.clock import FakeClock
from tests.support.world import World


class LoopClock(FakeClock):
    """Goes with the seeded loop's time."""

    def __init__(self, time: Time) -> None:
        super().__init__()
        self.time = time

    def now(self):  # type: ignore[no-untyped-def]
        return self.start + timedelta(seconds=self.time.now)

    def monotonic(self) -> float:
        return 1000.0 + self.time.now

    def advance(self, delay_s: float) -> None:
        self.time.now += delay_s

    async def sleep(self, delay_s: float) -> None:
        self.slept.append(delay_s)
        await asyncio.sleep(max(0.0, delay_s))


class Virtual:
    """A company, and a service that keeps it in step for as long as a story lasts."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.time = Time()
        self.rng = random.Random(seed)
        self.world = World(folder, clock=LoopClock(self.time))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Service]:
        """The service, from its start to its stop."""
        runtime = Runtime(clock=self.world.clock, rng=random.Random(self.rng.random()))
        async with open_session(
            self.world.config(), "opsync serve", runtime=runtime, transport=self.world.net
        ) as session:
            service = Service(session)
            service.start()
            try:
                yield service
            finally:
                assert await service.stop()

    def play(self, story: Callable[[Service], Awaitable[None]]) -> None:
        """Run a story beside the service."""

        async def main() -> None:
            async with self.serving() as service:
                await story(service)

        result, _ = run(main(), self.time, self.rng)
        assert not isinstance(result, Died)
