"""What changed is enough to look at, where initiatives are measured and announced too.

Statuses, properties, flags, the tool's health and the date change by the die, with passes between
them. After each pass the rollups are as in a store that derives everything every time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from msgspec.structs import replace

from opsync.config import Config, build
from opsync.contract.connector import Context
from opsync.errors import RateLimited, TemporaryError
from opsync.model import Category, Kind, Mention, Record, Ref, Status
from tests.steps.deriving import stores
from tests.support.clock import FakeClock
from tests.support.meter import TOOLS, Meter, MeterSettings, MeterTool, add_meter, used
from tests.support.world import World

ROOTS = tuple(Ref("notion", "page", str(n)) for n in range(3))
FLAG, PRODUCT = Ref("meter", "flag", "12"), Ref("meter", "project", "1")
STEPS = 40
HAPPENS = (
    *("status", "status", "status", "flag", "flag", "released", "completed", "day", "day"),
    *("hour", "tool", "tool", "plan", "plan", "list", "product", "gone", "late"),
)


class Roadmap:
    """How things are, and what happens."""

    def __init__(self, seed: int, tool: MeterTool, clock: FakeClock) -> None:
        self.die = Random(seed)
        self.tool = tool
        self.clock = clock
        self.records = {
            ref: Record(ref=ref, kind=Kind.initiative, title="Plan", aliases=(str(ref),))
            for ref in ROOTS
        }
        self.read: dict[Ref, Record] = dict(self.records)

    def put(self, record: Record) -> None:
        self.records[record.ref] = self.read[record.ref] = record

    def turn(self) -> None:
        """One thing happens."""
        root = self.records[self.die.choice(ROOTS)]
        match self.die.choice(HAPPENS):
            case "status":
                new = self.die.choice((Category.todo, Category.done, Category.done))
                self.put(replace(root, status=Status(new.value, new.value, new)))
            case "flag":
                self.put(self._flagged(root))
            case "released":
                told = self.clock.now().date() + timedelta(days=self.die.randrange(-40, 6))
                text = self.die.choice((told.isoformat(), told.isoformat(), "", "soon"))
                self.put(replace(root, extra={**root.extra, "Released": text}))
            case "plan":
                done = Status("done", "done", Category.done)
                soon = self.clock.now().date() + timedelta(days=self.die.randrange(1, 3))
                extra = {**root.extra, "Released": soon.isoformat()}
                self.put(replace(root, status=done, extra=extra, completed_at=None))
            case "completed":
                at = self.clock.now() - timedelta(days=self.die.randrange(-2, 40))
                self.put(replace(root, completed_at=self.die.choice((None, at))))
            case "day":
                self.clock.advance(self.die.choice((1, 1, 3, 30)) * 24 * 3_600)
            case "hour":
                self.clock.advance(3_600)
            case "tool":
                self.tool.before = self.die.choice((_well, _well, _down, _spent))
            case "list":
                title = self.die.choice(("one-tap", "loyalty"))
                self.put(_metric(FLAG, Kind.metric, title, ("flag:12",)))
            case "product":
                self.put(_metric(PRODUCT, Kind.product, "Harbor app", ()))
            case "gone":
                gone = "" if root.tombstone else "trashed"
                self.put(replace(root, tombstone=gone))
            case "late":
                self.tool.history.late = self.die.choice(((), (0.5, 0.2)))

    def _flagged(self, root: Record) -> Record:
        said = self.die.choice(("one-tap", "loyalty", "no-such", "", "https://meter.example/x"))
        named = Mention("flag:12", "meter", "Flag", True, "https://meter.example/flags/12")
        mentions = (named,) if self.die.random() < 0.4 else ()
        return replace(root, extra={**root.extra, "Flag": said}, mentions=mentions)


def _metric(ref: Ref, kind: Kind, title: str, aliases: tuple[str, ...]) -> Record:
    return Record(ref=ref, kind=kind, title=title, aliases=aliases)


def _well(request: str) -> None:
    """All is well."""


def _down(request: str) -> None:
    raise TemporaryError("Meter is down")


def _spent(request: str) -> None:
    raise RateLimited("60 an hour", retry_after_s=7_200)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("world"))
    add_meter(world)
    block: dict[str, Any] = {"metric": [{"instance": "meter", "flag_from": "Flag", "weeks": 2}]}
    block |= {"released": "Released", "announce_in": ["meter"]}
    world.raw["rollup"][0] |= block
    return world


@pytest.fixture(scope="module")
def config(world: World) -> Config:
    return build(world.raw)


@pytest.mark.sampled
@pytest.mark.parametrize("seed", range(4))
async def test_what_changed_is_enough_to_look_at(
    seed: int, config: Config, empty: Path, tmp_path: Path
) -> None:
    clock = FakeClock(datetime.combine(datetime(2026, 3, 2), time(9), UTC))
    key = str(tmp_path)
    tool = TOOLS[key] = MeterTool(clock.now)
    released = clock.now().date() - timedelta(days=19)
    tool.history.flags["one-tap"] = used(24, released=released, after=38)
    tool.history.flags["loyalty"] = used(7)
    settings = MeterSettings(connector="meter", tool=key)
    meter = Meter(settings, Context("meter", cast("Any", None), cast("Any", None)))
    roadmap = Roadmap(seed, tool, clock)
    one, whole = stores(("one", "whole"), empty, tmp_path, config, clock, {"meter": meter})
    seen = set()
    for step in range(STEPS):
        roadmap.turn()
        if roadmap.die.random() < 0.8 or step == STEPS - 1:
            await one.run(roadmap.read.values())
            await whole.run(roadmap.read.values(), again=True)
            assert one.derived() == whole.derived(), f"after step {step}"
            roadmap.read = {}
            clock.advance(60)
            seen |= set(await _what_happened(one.store.rollups()))
    assert {"measured", "released"} <= seen
    for deriving in (one, whole):
        await deriving.store.close()


async def _what_happened(rollups: Any) -> Iterable[str]:
    found = await rollups
    told = {"measured": any(a.measured for one in found for a in one.adoption)}
    told["released"] = any(one.released for one in found)
    return [name for name, happened in told.items() if happened]
