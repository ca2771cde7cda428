"""An undo or a release that dies at every step it makes, one after the other, and is repeated."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from opsync.report import PassReport
from tests.simulation.again import moment
from tests.simulation.commands import TookBack
from tests.simulation.company import Place, human, owned
from tests.simulation.sweep import Command, Mortal

MOST_STEPS = 900
"""A command is so long at most."""

FIRST = 1
"""The run that wrote everything."""

COMMANDS: dict[str, Command] = {
    "undo": lambda opsync: opsync.undo(FIRST),
    "undo of an undo": lambda opsync: opsync.undo(FIRST + 1),
    "release": lambda opsync: opsync.release(),
}
"""What dies, and is repeated."""


@dataclass(frozen=True)
class Stands:
    """What there is when the command has come to its end."""

    places: dict[Place, str]
    columns: list[str]
    holds: dict[str, str]
    """By slot what holds it."""


@dataclass
class Reference(Mortal):
    """It is just before the command that dies."""

    command: str

    def __post_init__(self) -> None:
        super().__post_init__()
        report = self._sync()
        assert report.run == FIRST
        self.time.now += 7200
        if self.command == "undo of an undo":
            self.process(COMMANDS["undo"])
            self.time.now += 7200

    def _sync(self) -> PassReport:
        report, _ = self.process(lambda opsync: opsync.sync({}))
        assert isinstance(report, PassReport)
        return report

    def whole(self) -> int:
        """The command to its end; returns how many steps it took."""
        found, steps = self.process(COMMANDS[self.command])
        assert isinstance(found, TookBack)
        assert found.left == 0, found
        self.time.now += 7200
        return steps

    def die(self, step: int) -> None:
        """The command that dies."""
        self.dies(COMMANDS[self.command], step)

    def rest(self, *, whole: bool = True) -> None:
        """A run that has nothing to write. It tells where the command is not `whole`, unless that
        died before it began, or after it ended."""
        before = dict(self.line.writes)
        report = self._sync()
        assert self.line.writes == before, "a run writes what was taken back"
        told = [one.kind for one in report.alarms]
        assert not whole or (told, report.exit_code) == ([], 0), (told, report.exit_code)
        assert report.exit_code == (1 if told else 0)
        self.time.now += 7200

    def stands(self) -> Stands:
        """What there is now. Nothing of people's is other than they have it."""
        real = self.twins.real
        assert human(real) == human(self.twins.people)
        columns = sorted(one.name for one in real.source.schema.properties.values())
        return Stands(owned(real), columns, self._holds())

    def _holds(self) -> dict[str, str]:
        with closing(sqlite3.connect(self.twins.real.store_path)) as connection:
            rows = connection.execute(
                "SELECT target, surface, rule, other, hold, intent FROM ledger"
                " WHERE hold IS NOT NULL OR intent IS NOT NULL"
            ).fetchall()
        assert [row for row in rows if row[5] is not None] == [], "a write is of unknown outcome"
        holds = {"|".join(row[:4]): json.loads(row[4]) for row in rows}
        assert not any("begun" in hold for hold in holds.values()), holds
        return {slot: hold["kind"] for slot, hold in holds.items()}


@contextmanager
def reference(folder: Path, command: str) -> Iterator[Reference]:
    """A company of its own, which is gone afterwards."""
    folder.mkdir()
    try:
        yield Reference(folder, command)
    finally:
        shutil.rmtree(folder)


def sweep(folder: Path, command: str, first: int, every: int) -> int:
    """Die at the first of these steps, and at every so many after it; at every third step a run
    comes before the command is repeated. Returns how many the command has when nothing goes
    wrong."""
    place = folder / "reference"
    with reference(place, command) as world, moment(place) as before:

        def undisturbed() -> tuple[int, Stands]:
            steps = world.whole()
            stands = world.stands()
            world.rest()
            assert world.stands() == stands
            return steps, stands

        def dying(step: int) -> None:
            world.die(step)
            if step % 3 == 0:
                world.rest(whole=False)
            world.whole()
            assert world.stands() == wanted
            world.rest()
            assert world.stands() == wanted

        steps, wanted = before.then(undisturbed)
        before.at_each(range(first, steps + 1, every), dying)
        return steps
