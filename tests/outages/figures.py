"""The figures about limits and outages, measured over whole passes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from opsync.sandbox.harbor import build_harbor
from tests.outages.weather import OUTAGES, PARTIAL, Sky, Weather, skies
from tests.support.clock import FakeClock
from tests.support.company import ANALYTICS, Company
from tests.support.world import HOSTS, World

STORM_S = 600.0
"""An outage lasts ten minutes of virtual time, …"""
EVERY_S = 15.0
"""… and a run begins so often in it: more often than anybody starts one."""
ENOUGH = 20
"""So many requests make an outage one that the figure is taken of: it has been told from a hiccup
by then."""
AMPLIFICATION = 1.1
"""At most so many attempts a request in an outage."""


@dataclass(frozen=True)
class Storm:
    """What one vendor was sent in one outage."""

    vendor: str
    weather: str
    requests: int
    attempts: int
    runs: int
    healed_after: int
    """Runs after the outage until one had nothing left to do."""

    @property
    def amplification(self) -> float:
        """Attempts a request."""
        return self.attempts / max(1, self.requests)


async def _pass(world: World) -> int:
    async with world.session() as session:
        return (await session.sync("sync")).exit_code


async def storm(folder: Path, instance: str, name: str, weather: Weather) -> Storm:
    """An outage of one vendor, with a run every few seconds, and the runs that repair it."""
    world = World(folder)
    await world.sync()
    world.jira.poke_move("PAY-3", "done")
    world.linear.poke_move("GRO-2", "done")
    async with skies(world.net.hosts, world.clock) as over:
        sky = over[HOSTS[instance]]
        sky.weather = weather
        began, runs = world.clock.elapsed_s, 0
        while (since := world.clock.elapsed_s - began) < STORM_S:
            runs += 1
            await _pass(world)
            world.clock.advance(max(0.0, EVERY_S * runs - since))
        sky.weather = None
        healed = await healed_after(world)
    return Storm(instance, name, sky.requests, sky.attempts, runs, healed)
