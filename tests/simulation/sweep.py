"""A reference run that dies at every step it makes, one after the other, and is repaired."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsync.report import PassReport
from tests.simulation.again import moment
from tests.simulation.commands import Opsync, OwnClock
from tests.simulation.company import START_AT, Company, Place, Twins, doubled, human, owned
from tests.simulation.line import line_to
from tests.simulation.loop import Died, Time, run
from tests.support.world import jira_url

SEED = 7
REPAIRED_IN = 3
READ = ("jira-main", "linear")
MOST_STEPS = 300
"""A reference run is so long at most."""


def _link(company: Company) -> None:
    company.linear.poke_edit("GRO-2", "description", f"Waits for {jira_url('PAY-4')}")


def _unlink(company: Company) -> None:
    company.linear.poke_edit("GRO-3", "description", "Waits for nobody")


EDITS: dict[str, Callable[[Company], None]] = {"link": _link, "unlink": _unlink}
"""What people did before the run that dies."""


Command = Callable[[Opsync], Coroutine[Any, Any, Any]]
"""What a process does."""


@dataclass
class Mortal:
    """A company, and the opsync that looks after it, of whose processes one dies."""

    folder: Path

    def __post_init__(self) -> None:
        self.time = Time()
        self.twins = Twins.build(self.folder, self.time, START_AT[0], SEED, "Europe/Berlin")
        self.clock = OwnClock(self.time, START_AT[0])
        self.line = line_to(self.twins.real, self.time, random.Random(SEED))
        self.line.calm = True

    def process(self, command: Command, *, dies_at: int | None = None) -> tuple[Any, int]:
        """One process; returns what came of it, and how many steps it took."""
        opsync = Opsync(self.twins.real, self.line, self.clock, SEED)
        return run(command(opsync), self.time, random.Random(SEED), dies_at=dies_at)

    def dies(self, command: Command, step: int) -> None:
        """One that dies. What was sent then arrives nevertheless at every other step."""
        result, _ = self.process(command, dies_at=step)
        assert isinstance(result, Died)
        for arrive in self.line.lost():
            if step % 2 == 1:
                run(arrive(), self.time, random.Random(SEED))
        self.time.now += 7200


@dataclass
class Reference(Mortal):
    """It is just before the run that dies."""

    edit: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sync()
        self.time.now += 7200
        for company in self.twins.both:
            EDITS[self.edit](company)

    def sync(self, *, only: tuple[str, ...] = ()) -> tuple[PassReport, int]:
        """A run to its end."""
        report, steps = self.process(_reading(only))
        assert isinstance(report, PassReport)
        return report, steps

    def die(self, step: int) -> None:
        """The run that dies."""
        self.dies(_reading(READ), step)

    def repair(self, wanted: dict[Place, str]) -> int:
        """The runs that it takes until all is as it should be, once; the next one is silent."""
        number = 0
        while owned(self.twins.real) != wanted or number == 0:
            assert number < REPAIRED_IN, f"{owned(self.twins.real)} instead of {wanted}"
            self.sync()
            self.time.now += 7200
            number += 1
        before = dict(self.line.writes)
        report, _ = self.sync()
        assert self.line.writes == before, "a run with nothing new sent writes"
        assert report.exit_code == 0, report
        assert doubled(self.twins.real) == []
        assert human(self.twins.real) == human(self.twins.people)
        return number


def _reading(only: tuple[str, ...]) -> Command:
    asked = {"only": frozenset(only)} if only else {}
    return lambda opsync: opsync.sync(asked)


@contextmanager
def reference(folder: Path, edit: str) -> Iterator[Reference]:
    """A company of its own, which is gone afterwards."""
    folder.mkdir()
    try:
        yield Reference(folder, edit)
    finally:
        shutil.rmtree(folder)


def sweep(folder: Path, edit: str, first: int, every: int) -> tuple[int, int]:
    """Die at the first of these steps, and at every so many after it. Returns how many the run has
    when nothing goes wrong, and the most runs that a repair took."""
    place = folder / "reference"
    with reference(place, edit) as world, moment(place) as before:

        def undisturbed() -> tuple[int, dict[Place, str]]:
            report, steps = world.sync(only=READ)
            assert report.applied > 0
            return steps, owned(world.twins.real)

        def dying(step: int) -> int:
            world.die(step)
            return world.repair(wanted)

        steps, wanted = before.then(undisturbed)
        return steps, max(before.at_each(range(first, steps + 1, every), dying))
