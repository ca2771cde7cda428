"""A reference run that dies at every step it makes, one after the other, and is repaired."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opsync.report import PassReport
from tests.simulation.commands import Opsync, OwnClock
from tests.simulation.company import START_AT, Place, Twins, doubled, human, owned
from tests.simulation.line import line_to
from tests.simulation.loop import Died, Time, run
from tests.support.world import jira_url

SEED = 7
REPAIRED_IN = 3


@dataclass
class Reference:
    """A company, and the opsync that looks after it, just before the run that dies."""

    folder: Path
    late: bool
    """Whether what was sent when the process died arrives nevertheless."""

    def __post_init__(self) -> None:
        self.time = Time()
        self.twins = Twins.build(self.folder, self.time, START_AT[0], SEED, "Europe/Berlin")
        self.clock = OwnClock(self.time, START_AT[0])
        self.line = line_to(self.twins.real, self.time, random.Random(SEED))
        self.line.calm = True
        self.sync()
        self.time.now += 7200
        for company in self.twins.both:
            company.jira.poke_move("PAY-3", "done")
            company.linear.poke_edit("GRO-2", "description", f"Waits for {jira_url('PAY-4')}")

    def sync(self, *, dies_at: int | None = None) -> tuple[PassReport | Died, int]:
        """One process."""

        opsync = Opsync(self.twins.real, self.line, self.clock, SEED)
        return run(opsync.sync({}), self.time, random.Random(SEED), dies_at=dies_at)

    def die(self, step: int) -> None:
        """The run that dies, and what of it still arrives."""
        result, _ = self.sync(dies_at=step)
        assert isinstance(result, Died)
        for arrive in self.line.lost():
            if self.late:
                run(arrive(), self.time, random.Random(SEED))
        self.time.now += 7200

    def repair(self, wanted: dict[Place, str]) -> int:
        """The runs that it takes until all is as it should be, once; the next one is silent."""
        for number in range(1, REPAIRED_IN + 1):
            self.sync()
            self.time.now += 7200
            if owned(self.twins.real) == wanted:
                break
        else:
            raise AssertionError(f"not repaired: {owned(self.twins.real)} instead of {wanted}")
        before = dict(self.line.writes)
        report, _ = self.sync()
        assert isinstance(report, PassReport)
        assert self.line.writes == before, "a run with nothing new sent writes"
        assert report.exit_code == 0, report
        assert doubled(self.twins.real) == []
        assert human(self.twins.real) == human(self.twins.people)
        return number


@contextmanager
def reference(folder: Path, *, late: bool) -> Iterator[Reference]:
    """A company of its own, which is gone afterwards."""
    folder.mkdir()
    try:
        yield Reference(folder, late)
    finally:
        shutil.rmtree(folder)


def undisturbed(folder: Path) -> tuple[int, dict[Place, str]]:
    """How many steps the run takes when nothing goes wrong, and what stands then."""
    with reference(folder / "undisturbed", late=False) as world:
        report, steps = world.sync()
        assert isinstance(report, PassReport)
        assert report.applied > 0
        return steps, owned(world.twins.real)


def sweep(folder: Path, steps: range, wanted: dict[Place, str]) -> int:
    """Die at each of these steps. Returns the most runs that a repair took."""
    most = 0
    for step in steps:
        for late in (False, True) if step % 2 else (False,):
            try:
                with reference(folder / f"{step}-{late}", late=late) as world:
                    world.die(step)
                    most = max(most, world.repair(wanted))
            except AssertionError as error:
                error.add_note(f"it died at step {step}, late={late}")
                raise
    return most
