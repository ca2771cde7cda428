"""Cases of the planner by seed: `python -m tests.properties.cases 1234` replays one.

`--count 2000000 --workers 2` runs so many, beginning at the seed, and prints what came up.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.properties.choices import Choices, Seeded
from tests.properties.hands import DAYS, DISTURBANCES, SET, disturb, edit
from tests.properties.loop import FATES, settle, step
from tests.properties.rules import Violation
from tests.properties.scene import make
from tests.support.quick import be_quick

ENOUGH = 20
"""A run in which something of `KINDS` came up less often proves too little, and fails."""
SPAN = 5_000
"""Cases that one process is given at once."""

KINDS = (
    *(f"disturbance: {one.__name__}" for one in DISTURBANCES),
    *(f"hold: {kind.value}" for kind in SET),
    *(f"held: {kind.value}" for kind in SET),
    *(f"outcome: {fate}" for fate in dict.fromkeys((*FATES, "conflicted"))),
    *(f"change: {what}" for what in ("create", "update", "remove", "interrupted", "over an edit")),
    *(f"found: {what}" for what in ("skipped", "conflict", "resting", "proposed", "observed")),
    *(f"end: {what}" for what in ("as wanted", "gone", "left alone", "asked about")),
    "held: waiting",
    "crash: written",
    "limit: refused",
    "outcome: over an edit",
    "recovered",
)
"""All that a run has to bring about."""


class TooRare(AssertionError):
    """Something hardly came up, so that the run proves little about it."""


@dataclass
class Counts:
    """What a run of cases came to."""

    cases: int = 0
    plans: int = 0
    iterations: Counter[int] = field(default_factory=Counter)
    """How many cases took so many plans to settle."""
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Count another part of the run in."""
        self.cases += other.cases
        self.plans += other.plans
        self.iterations.update(other.iterations)
        self.kinds.update(other.kinds)

    def rare(self) -> dict[str, int]:
        """What came up less than often enough."""
        return {kind: self.kinds[kind] for kind in KINDS if self.kinds[kind] < ENOUGH}

    def lines(self) -> list[str]:
        """The counts as people read them."""
        told = [f"{self.cases} cases, {self.plans} plans"]
        told += [f"settled after {n} plans: {self.iterations[n]}" for n in sorted(self.iterations)]
        return told + [f"{kind}: {self.kinds[kind]}" for kind in sorted(self.kinds)]


def case(choices: Choices, counts: Counts) -> None:
    """One world: made, disturbed two or three times, and healed. Raises whatever is wrong."""
    scene = make(choices)
    if choices.chance(33):
        # An edit of some days ago, which was seen.
        edit(scene, choices.pick(sorted(scene.book.rows) or scene.slots()))
        step(scene, healing=False)
        scene.now += choices.pick(DAYS)
    for _ in range(choices.pick((2, 2, 3))):
        disturb(scene)
        step(scene, healing=False)
    taken = settle(scene)
    counts.cases += 1
    counts.iterations[taken] += 1
    counts.plans += scene.counts.pop("plans")
    counts.kinds.update(scene.counts)


def replay(seed: int) -> str:
    """The command that runs one case again."""
    return f"python -m tests.properties.cases {seed}"


def run_span(first_seed: int, count: int) -> Counts:
    """So many cases in this process. Violation names the seed and the command that replays it."""
    counts = Counts()
    for seed in range(first_seed, first_seed + count):
        try:
            case(Seeded(seed), counts)
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise Violation(f"seed {seed}: {what}\nreplay it: {replay(seed)}") from error
    return counts


def run_cases(first_seed: int, count: int, *, workers: int = 1) -> Counts:
    """So many cases, each of the next seed. Raises Violation, or TooRare where something that the
    cases are there for came up less than 20 times."""
    counts = Counts()
    ends = range(first_seed, first_seed + count, SPAN)
    spans = [(at, min(SPAN, first_seed + count - at)) for at in ends]
    if workers == 1:
        for span in spans:
            counts.add(run_span(*span))
    else:
        with ProcessPoolExecutor(workers, get_context("spawn"), initializer=be_quick) as pool:
            for part in pool.map(run_span, *zip(*spans, strict=True)):
                counts.add(part)
    if rare := counts.rare():
        raise TooRare(f"in {count} cases these came up less than {ENOUGH} times: {rare}")
    return counts


def main() -> int:
    """Replay one case, or run many."""
    parser = argparse.ArgumentParser(prog="python -m tests.properties.cases", description=__doc__)
    parser.add_argument("seed", type=int, help="the (first) case's seed")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    if given.count == 1:
        case(Seeded(given.seed), Counts())
        print(f"seed {given.seed}: nothing is wrong")
        return 0
    begun = time.monotonic()
    counts = run_cases(given.seed, given.count, workers=given.workers)
    took = time.monotonic() - begun
    print(*counts.lines(), f"{counts.cases / took:.0f} cases a second", sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
