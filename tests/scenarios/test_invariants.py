"""What holds whatever the order and the clocks: the same work comes to the same end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from tests.support.world import World, linear_url, troubles

TOOLS = ("jira-main", "linear", "notion")
KEYS = ("PAY-1", "PAY-2", "PAY-3", "PAY-4", "MOB-1", "MOB-2", "MOB-3")


def shown(world: World) -> dict[str, object]:
    """All that people see of what opsync wrote, without the ids that tools give."""
    return {
        "jira": {
            key: sorted((link["title"], link["url"]) for link in world.remote_links(key))
            for key in KEYS
        },
        "linear": {key: sorted(world.attachments(key)) for key in ("GRO-1", "GRO-2", "GRO-3")},
        "projects": sorted(world.project_links()),
        "notion": {
            page.title: {p.name: page.text(p.name) for p in world.source.schema.properties.values()}
            for page in (world.checkout, world.loyalty)
        },
    }


def work_on(world: World) -> None:
    """People do something in each tool that concerns another one."""
    world.jira.set_status("PAY-4", "Done")
    world.linear.edit("GRO-3", title="Card form v2")
    world.jira.edit("MOB-3", description=f"See {linear_url('GRO-1')}")
    world.notion.edit_page(world.loyalty, "Name", "Loyalty, again")


async def came_to(folder: Path, order: Sequence[str], *, one_by_one: bool) -> dict[str, object]:
    """What stands in the tools after a first run and one over new work, in this order."""
    world = World(folder)
    world.raw["instances"] = {name: world.raw["instances"][name] for name in order}
    runs = [frozenset({name}) for name in order] if one_by_one else [frozenset[str]()]
    for only in runs:
        await world.sync(only=only)
    work_on(world)
    for only in runs:
        await world.sync(only=only)
    await world.silent()
    return shown(world)


@pytest.mark.slow
async def test_the_order_in_which_tools_are_read_makes_no_difference(tmp_path: Path) -> None:
    """I4"""
    folders = [tmp_path / str(number) for number in range(8)]
    for folder in folders:
        folder.mkdir()
    at_once = await came_to(folders.pop(), TOOLS, one_by_one=False)
    assert "Roadmap: One-tap checkout · 3/5" in str(at_once["projects"])
    assert await came_to(folders.pop(), TOOLS[::-1], one_by_one=False) == at_once
    for folder, order in zip(folders, permutations(TOOLS), strict=True):
        assert await came_to(folder, order, one_by_one=True) == at_once, order


class Wrong(FakeClock):
    """opsync's machine tells another time than the tools do; time passes alike."""

    def __init__(self, right: FakeClock, off: timedelta) -> None:
        super().__init__(right.start)
        self.right = right
        self.off = off

    def now(self) -> datetime:
        return self.right.now() + self.off

    def monotonic(self) -> float:
        return self.right.monotonic()

    def advance(self, delay_s: float) -> None:
        self.right.advance(delay_s)

    async def sleep(self, delay_s: float) -> None:
        await self.right.sleep(delay_s)


@pytest.mark.slow
@pytest.mark.parametrize("days", [(1, 0), (-1, 0), (1, -1), (-1, 1)])
async def test_a_machine_whose_clock_jumps_a_day_decides_the_same(
    settled: World, days: tuple[int, int]
) -> None:
    """I17, F27: nothing is written for it, nothing is missed, and no person's edit is lost."""
    right = settled.clock
    done = 2
    for off, (key, status) in zip(days, (("PAY-4", "Done"), ("PAY-3", "Done")), strict=True):
        settled.clock = Wrong(right, timedelta(days=off))
        before = settled.written()
        await settled.sync()
        assert settled.written() == before
        settled.jira.set_status(key, status)
        settled.notion.edit_page(settled.loyalty, "Delivery", f"Ana's words, {key}")
        report = await settled.sync()
        done += 1
        assert report.applied > 0, troubles(report)
        assert settled.checkout.text("Delivery").startswith(f"{done} of 5 done")
        assert settled.loyalty.text("Delivery") == f"Ana's words, {key}"
        before = settled.written()
        await settled.sync()
        assert settled.written() == before
