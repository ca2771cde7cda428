"""Each proof: what it runs, how much of it in the small and in the full form, and what it says."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.crash.kills import kill_many
from tests.outages.figures import measure
from tests.properties.cases import TooRare, Violation, run_cases
from tests.simulation import taking
from tests.simulation.again import alone
from tests.simulation.playing import play_all, quiet
from tests.simulation.sweep import EDITS, sweep

Say = Callable[[str], object]

SEEDS = {"small": 300, "full": 10_000}
SERVED = {"small": 160, "full": 1_000}
CASES = {"small": 200_000, "full": 2_000_000}
KILLS = {"small": 10, "full": 100}


@dataclass(frozen=True)
class Given:
    """How it is run: in which form, on how many processes, from which seed on."""

    form: str
    workers: int
    seed: int
    seeds: int | None = None
    """So many episodes instead of those of the form."""


def simulation(given: Given, say: Say) -> bool:
    """Whole episodes under faults."""
    count = given.seeds or SEEDS[given.form]
    seeds = range(given.seed, given.seed + count)
    totals, failed = play_all(seeds, workers=given.workers, say=say)
    say(totals.report(len(failed)))
    short = totals.shortfalls()
    for one in short:
        say(f"TOO LITTLE: {one}")
    if failed:
        say(f"VIOLATIONS in {len(failed)} seeds: {[one.seed for one in failed]}")
    return not failed and not short


def service(given: Given, say: Say) -> bool:
    """Whole episodes with the long-running service and its change signals."""
    count = given.seeds or SERVED[given.form]
    seeds = range(given.seed, given.seed + count)
    totals, failed = play_all(seeds, workers=given.workers, served=True, say=say)
    say(totals.report(len(failed)))
    short = totals.shortfalls()
    for one in short:
        say(f"TOO LITTLE: {one}")
    if failed:
        say(f"VIOLATIONS in {len(failed)} seeds: {[one.seed for one in failed]}")
    return not failed and not short


def planner(given: Given, say: Say) -> bool:
    """The planner over generated worlds."""
    try:
        counts = run_cases(given.seed, CASES[given.form], workers=given.workers)
    except (Violation, TooRare) as error:
        say(str(error))
        return False
    for line in counts.lines():
        say(line)
    return True


def steps(given: Given, say: Say) -> bool:
    """Death at the steps of the reference runs, of an undo, and of a release."""
    good = True
    every = 1 if given.form == "full" else 11
    with tempfile.TemporaryDirectory() as folder:
        for edit in EDITS:
            try:
                many, most = alone(sweep, Path(folder), edit, 1, 1)
                say(f"{edit}: died at each of {many} steps, repaired in {most} run(s) at most")
            except AssertionError as error:
                say(f"{edit}: {error} {getattr(error, '__notes__', '')}")
                good = False
        for command in taking.COMMANDS:
            try:
                many = alone(taking.sweep, Path(folder), command, 1, every)
                which = "each" if every == 1 else f"every {every}th"
                say(f"{command}: died at {which} of {many} steps, whole once repeated")
            except AssertionError as error:
                say(f"{command}: {error} {getattr(error, '__notes__', '')}")
                good = False
    return good


def kills(given: Given, say: Say) -> bool:
    """Real processes, killed."""
    return kill_many(KILLS[given.form], given.seed, say)


def limits(given: Given, say: Say) -> bool:
    """Requests over a vendor's budget, and attempts a request in an outage."""
    with quiet():
        return measure(say)


def secrets(given: Given, say: Say) -> bool:
    """Canaries in every output."""
    return _pytest(["tests/security/test_secrets.py", "-rP"], "secrets: ", say)


def planted(given: Given, say: Say) -> bool:
    """Each planted mistake is noticed."""
    return _module(["tests.planted", "--docs", "--jobs", str(given.workers)], say)


def mutation(given: Given, say: Say) -> bool:
    """How many changes of the code that decides the tests notice."""
    return _module(["tests.mutation", "--jobs", str(given.workers)], say)


def _pytest(arguments: list[str], mark: str, say: Say) -> bool:
    asked = [sys.executable, "-m", "pytest", "-q", "-n0", "-m", "slow or not slow", *arguments]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith(mark):
            say(line)
    return done.returncode == 0


def _module(arguments: list[str], say: Say) -> bool:
    asked = [sys.executable, "-m", *arguments]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    for line in (done.stdout + done.stderr).splitlines():
        say(line)
    return done.returncode == 0


PARTS: dict[str, Callable[[Given, Say], bool]] = {
    "simulation": simulation,
    "service": service,
    "planner": planner,
    "steps": steps,
    "kills": kills,
    "limits": limits,
    "secrets": secrets,
    "planted": planted,
    "mutation": mutation,
}
ONLY_IN_FULL = {"planted", "mutation"}
