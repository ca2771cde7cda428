"""The figures about limits and outages, measured over whole passes.

An outage is measured where it begins between two runs and a run starts every few seconds of it.
What was sent into it is counted at the transport: every attempt, and every request, which is the
first attempt of what a connector asked for. Telling an outage from a hiccup takes a few more tries
(`TELLING`), whatever the length of the outage; from 40 requests on, that is within a tenth. Where
a share of the requests gets through, each failure is a hiccup to be retried; ten retries and a
twentieth of the answered requests are all there are: within a tenth from 200 requests on.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from opsync.http.retry import RETRY_REFUND, RETRY_TOKENS
from opsync.sandbox.harbor import build_harbor
from tests.outages.weather import DAY, OUTAGES, PARTIAL, Weather, skies
from tests.support.clock import FakeClock
from tests.support.company import ANALYTICS, Company
from tests.support.world import HOSTS, World

STORM_S = 600.0
"""An outage lasts ten minutes of virtual time, …"""
EVERY_S = 15.0
"""… and a run begins so often in it: more often than anybody starts one."""
PARTIAL_EVERY_S = 10.0
AMPLIFICATION = 1.1
"""At most so many attempts a request in an outage."""
TELLING = 4
"""Retries by which an outage is told from a hiccup. Two tries and a breaker's five failures: no way
of failing needs more."""
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


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
    early: int = 0
    """Attempts within a pause that the vendor had asked for."""

    @property
    def amplification(self) -> float:
        """Attempts a request."""
        return self.attempts / max(1, self.requests)

    @property
    def holds(self) -> bool:
        """Whether it is within the figure."""
        most = max(AMPLIFICATION * self.requests, self.requests + TELLING)
        if self.weather in PARTIAL:
            most = self.requests * (1 + RETRY_REFUND) + RETRY_TOKENS
        return self.attempts <= most and not self.early and self.healed_after <= 3


async def storm(
    folder: Path, instance: str, name: str, weather: Weather, every_s: float = EVERY_S
) -> Storm:
    """An outage of one vendor, with a run every few seconds, and the runs that repair it."""
    world = World(folder)
    await world.sync()
    world.jira.poke_move("PAY-3", "done")
    world.linear.poke_move("GRO-2", "done")
    every_s = PARTIAL_EVERY_S if name in PARTIAL else every_s
    async with skies(world.net.hosts, world.clock) as over:
        sky = over[HOSTS[instance]]
        sky.weather = weather
        began, runs = world.clock.elapsed_s, 0
        while world.clock.elapsed_s - began < STORM_S:
            runs += 1
            before = world.clock.elapsed_s
            async with world.session() as session:
                await session.sync("sync")
            world.clock.advance(max(0.0, before + every_s - world.clock.elapsed_s))
        sky.weather = None
        if name == DAY:
            world.clock.advance(86_400)
        healed = await _healed_after(world)
    return Storm(instance, name, sky.requests, sky.attempts, runs, healed, sky.early)


async def _healed_after(world: World) -> int:
    """How many runs it takes until one has nothing to do and writes nothing; 99 for too many."""
    for number in range(4):
        before = world.written()
        report = await world.sync()
        if report.exit_code == 0 and world.written() == before and not report.plan.changes:
            return number
    return 99


@dataclass(frozen=True)
class Spent:
    """What one vendor was asked within its limits."""

    vendor: str
    requests: int
    over_budget: int


async def limits(folder: Path, *, full: int = 3) -> list[Spent]:
    """A first run over Harbor and some more that read everything again, with what the vendors
    really permit; the analytics tools one after the other."""
    found: dict[str, Spent] = {}
    for analytics in ANALYTICS:
        clock = FakeClock(NOON)
        harbor = build_harbor(now=clock.now, limit_factor=1)
        (folder / analytics).mkdir()
        company = Company.of(harbor, folder / analytics, clock, analytics=analytics)
        await company.sync()
        for _ in range(full):
            await company.sync(full=True)
        for name, vendor in company.vendors.items():
            asked = vendor.read_requests + vendor.write_requests
            known = found.get(name, Spent(name, 0, 0))
            found[name] = Spent(
                name, known.requests + asked, known.over_budget + vendor.over_budget
            )
    return list(found.values())


def measure(say: Callable[[str], object] = print) -> bool:
    """Measure both figures for every vendor, and say them; whether they hold."""
    begun = time.monotonic()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        spent = asyncio.run(limits(Path(folder)))
        for one in spent:
            say(f"limits: {one.vendor}: {one.requests} requests, {one.over_budget} over its budget")
            good &= one.over_budget == 0
        for number, instance in enumerate(HOSTS):
            storms = []
            for each, (name, weather) in enumerate({**OUTAGES, **PARTIAL}.items()):
                place = Path(folder) / f"{number}-{each}"
                place.mkdir()
                storms.append(asyncio.run(storm(place, instance, name, weather)))
            for one_storm in storms:
                good &= one_storm.holds
                say(_line(one_storm))
    say(f"outages and limits: {'held' if good else 'NOT HELD'}, {time.monotonic() - begun:.0f} s")
    return good


def _line(one: Storm) -> str:
    return (
        f"outages: {one.vendor}: {one.weather}: {one.requests} requests, {one.attempts} attempts "
        f"({one.amplification:.2f} a request) in {one.runs} runs, {one.early} too early, healed "
        f"{one.healed_after} runs later{'' if one.holds else ' NOT HELD'}"
    )


if __name__ == "__main__":
    raise SystemExit(0 if measure() else 1)
