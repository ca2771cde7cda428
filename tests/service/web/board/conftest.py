"""The small company, as the dashboard shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.service.web.board.office import Visitor, visiting
from tests.support.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A company that opsync has never seen."""
    return World(tmp_path)


@pytest.fixture
async def proposing(world: World) -> World:
    """The same, whose rules propose, after a first pass: everything waits."""
    world.raw["links"]["mode"] = "propose"
    world.raw["rollup"][0]["mode"] = "propose"
    await world.sync()
    return world


@pytest.fixture
async def ana(world: World) -> AsyncIterator[Visitor]:
    """Somebody who may decide, after a first pass that wrote everything."""
    await world.sync()
    async with visiting(world) as visitor:
        yield visitor


@pytest.fixture
async def ben(proposing: World) -> AsyncIterator[Visitor]:
    """Somebody who may decide, where everything waits for approval."""
    async with visiting(proposing) as visitor:
        yield visitor
