"""Nothing is lost or doubled under any fault: whole episodes on a seeded loop."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.playing import Failure, play, play_all, quick_stores, quiet
from tests.simulation.tally import Tally
from tests.support.processors import spare_processors

SEEDS = 300
"""As many as each run of the whole suite plays."""
SERVED = 8
"""Episodes with the service are longer; each run of the whole suite plays so many."""
SERVED_FIRST = 400


def _regressions(name: str) -> list[int]:
    lines = (Path(__file__).parent / name).read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


REGRESSIONS = _regressions("regressions.txt")
SERVED_REGRESSIONS = _regressions("served_regressions.txt")


def _played(seed: int, *, served: bool = False) -> Tally:
    with quiet(), quick_stores():
        found = play(seed, served=served)
    assert not isinstance(found, Failure), str(found)
    return found


@pytest.mark.parametrize(
    "seed",
    [1_000_000, *(pytest.param(1_000_000 + one, marks=pytest.mark.slow) for one in range(1, 4))],
)
def test_an_episode_ends_well(seed: int) -> None:
    """I1, I2, I5, I6, I7, I9, I12: whatever goes wrong, all is as it should be in the end."""
    one = _played(seed)
    assert one.runs >= 8
    assert one.checks > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", [400])
def test_an_episode_with_the_service_ends_well(seed: int) -> None:
    """The same where one process serves: it converges within its own intervals, with change
    signals that are lost, doubled, late, forged and replayed, reloads, stops and deaths."""
    one = _played(seed, served=True)
    assert one.runs >= 4
    assert one.checks > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", SERVED_REGRESSIONS)
def test_what_once_failed_with_the_service_ends_well(seed: int) -> None:
    _played(seed, served=True)


@pytest.mark.slow
@pytest.mark.reckons
@pytest.mark.timeout(3_000)
def test_nothing_is_lost_or_doubled_while_the_service_runs() -> None:
    """I1, I2, I5, I6, I7, I9, I10, I12, I17, F15, F43, F44: in whole episodes with the service."""
    seeds = range(SERVED_FIRST, SERVED_FIRST + SERVED)
    totals, failed = play_all(seeds, workers=spare_processors(), served=True)
    assert failed == [], "\n".join(map(str, failed))
    assert totals.fired.keys() >= {"F43 lost", "F43 late", "F43 doubled", "F44 forged"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", REGRESSIONS)
def test_what_once_failed_ends_well(seed: int) -> None:
    _played(seed)


@pytest.mark.slow
@pytest.mark.reckons
@pytest.mark.timeout(3_000)
def test_nothing_is_lost_or_doubled_under_any_fault() -> None:
    """I1, I2, I5, I6, I7, I8, I9, I10, I11, I12, I14, I15, I17: in whole episodes with the faults
    of the catalogue, death at any step, and people at work."""
    totals, failed = play_all(range(SEEDS), workers=spare_processors())
    assert failed == [], "\n".join(map(str, failed))
    assert totals.shortfalls() == []


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "how"), [("7", []), ("400", ["--service"])])
def test_a_seed_tells_the_same_story_in_any_process(seed: str, how: list[str]) -> None:
    """Also where strings hash otherwise, on which the order of sets depends."""

    def told(hash_seed: str) -> str:
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        asked = [sys.executable, "-m", "tests.simulation", *how, seed]
        done = subprocess.run(asked, capture_output=True, text=True, env=environment, check=True)
        return done.stdout

    first = told("1")
    assert len(first.splitlines()) > 20
    assert told("2") == first
