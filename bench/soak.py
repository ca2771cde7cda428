"""Has `opsync serve` keep Harbor in step for a while, under edits, faults and bad luck, and checks
that nothing is lost, nothing is doubled and nothing grows.

python -m bench.soak                  30 minutes
python -m bench.soak --minutes 1      what CI runs
python -m bench.soak --seed 11 --keep soak-files

It ends with 1 where a promise is broken.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.live import Live, living, load, until
from bench.soaking import checks
from bench.soaking.around import Around, Slowness, ended
from bench.soaking.company import Company
from bench.soaking.figures import Figures
from opsync.sandbox.harbor import Harbor
from opsync.sandbox.vendor import Vendor

SIGNALS = {
    "webhooks_lost": 10,
    "webhooks_twice": 15,
    "webhooks_forged": 10,
    "webhooks_reordered": True,
    "webhooks_late_s": 1,
}
"""What goes wrong with change signals all the time."""
EVERY_MIN = 1
"""Each connection is read so often besides: what a lost signal would have told is found then."""
STILL_S = 8.0
PATIENCE_S = 300.0
LIMITS = "\n[limits]\nrewrites_a_day = 100000\nrewrite_pause_minutes = 0\ncreates = 100000\n"
"""Months of edits in minutes: the limits of a day would end it, as they should."""


class Fate:
    """What goes wrong with the tools, one thing at a time each."""

    def __init__(self, world: Harbor, slowness: Slowness, rng: random.Random) -> None:
        self._vendors = world.vendors
        self._slowness = slowness
        self._rng = rng
        self.met: dict[str, int] = {}

    def strike(self) -> None:
        """Make something go wrong somewhere."""
        name = self._rng.choice(["jira", "linear", "notion", "posthog"])
        vendor = self._vendors[name]
        kinds: dict[str, Callable[[Vendor], None]] = {
            "outage": lambda one: one.start_outage(self._rng.uniform(1, 12)),
            "too many requests": lambda one: _set(one, rate_limit_next=2),
            "an answer cut off": lambda one: _set(one, cut_next=2),
            "a lost answer to a write": lambda one: _set(one, lose_next_writes=1),
            "slow": lambda one: self._slowness.strike(one.name, self._rng.uniform(0.2, 3.0), 6.0),
        }
        kind = self._rng.choice(sorted(kinds))
        with vendor.lock:
            kinds[kind](vendor)
        self.met[kind] = self.met.get(kind, 0) + 1

    def heal(self) -> None:
        """End all of it."""
        self._slowness.heal()
        for vendor in self._vendors.values():
            vendor.end_outage()
            with vendor.lock:
                _set(vendor, rate_limit_next=0, cut_next=0, lose_next_writes=0)
                for name in SIGNALS:
                    setattr(vendor.faults, name, type(getattr(vendor.faults, name))())


def _set(vendor: Vendor, **faults: int) -> None:
    for name, value in faults.items():
        setattr(vendor.faults, name, value)


def soak(live: Live, world: Harbor, around: Around, fate: Fate, given: Given) -> Figures:
    """Press on for as long as is given; what was measured meanwhile."""
    rng, company = given.rng, given.company
    figures = Figures(live)
    ends = time.monotonic() + given.minutes * 60
    calm_s = min(60.0, given.minutes * 20)
    """At the end nothing goes wrong any more, so that little waits for another try."""
    next_sample = 0.0
    next_fault = time.monotonic() + 5.0
    next_hang_up = time.monotonic() + 12.0
    restarts = time.monotonic() + given.minutes * 15
    around.start()
    while (now := time.monotonic()) < ends:
        company.edit()
        if now >= next_fault and ends - now > calm_s:
            fate.strike()
            next_fault = now + rng.uniform(3.0, 10.0)
        if now >= restarts:
            around.restart()
            restarts = ends
        if now >= next_hang_up:
            around.hang_up()
            next_hang_up = now + rng.uniform(15.0, 40.0)
        if now >= next_sample:
            figures.take()
            next_sample = now + min(10.0, given.minutes)
        time.sleep(rng.uniform(0.2, 2.0))
    around.stop()
    return figures


class Given:
    """What was asked for."""

    def __init__(self, minutes: float, seed: int) -> None:
        self.minutes = minutes
        self.rng = random.Random(seed)
        self.company: Company
        self.long = minutes >= 5


def run(folder: Path, given: Given) -> list[str]:
    """One soak in a folder; the promises that were broken."""
    slowness = Slowness()
    with living(folder, prepare=slowness.before) as (world, sandbox, live):
        live.every(EVERY_MIN)
        live.configure(LIMITS)
        live.start()
        live.register(sandbox)
        company = given.company = Company(world, given.rng)
        if not until(company.stands, PATIENCE_S):
            raise SystemExit("the first run did not come to its end")
        for vendor in world.vendors.values():
            for name, value in SIGNALS.items():
                setattr(vendor.faults, name, value)
        fate = Fate(world, slowness, given.rng)
        around = Around(live, random.Random(given.rng.random()))
        with ExitStack() as stack:
            stack.callback(around.stop)
            figures = soak(live, world, around, fate, given)
        fate.heal()
        began = time.monotonic()
        if not given.long:
            live.opsync("sync")  # Instead of the next read, which would take its minute.
        quiet = until(lambda: company.stands() and _is_still(world), PATIENCE_S)
        figures.take()
        print(f"edits                 {company.edits:8d}")
        print(f"faults                {sum(fate.met.values()):8d}  {_listed(fate.met)}")
        print(
            f"pages, commands       {around.pages:8d}  {around.commands}, {around.reloads} reloads"
        )
        print(f"still after           {time.monotonic() - began:8.1f} s")
        broken = [] if quiet else ["it did not come to rest: " + "; ".join(company.missing())]
        broken += around.broken
        broken += checks.beside(live, company)
        broken += figures.judged(long=given.long)
        figures.show()
        seconds, code = live.stop()
        print(f"ended by SIGTERM in   {seconds:8.1f} s with {code}")
        broken += ended(seconds, code)
        broken += checks.log(live.log)
        broken += checks.afterwards(live, world)
        print(f"load                  {load():>8}")
    return broken


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _is_still(world: Harbor) -> bool:
    """Whether nothing is written any more."""
    before = sum(one.write_requests for one in world.vendors.values())
    time.sleep(STILL_S)
    return before == sum(one.write_requests for one in world.vendors.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep", type=Path, help="A folder to leave store and log in.")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="opsync-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        broken = run(folder, Given(given.minutes, given.seed))
    finally:
        if given.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    for text in broken:
        print(f"BROKEN: {text}")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
