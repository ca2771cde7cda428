"""The small company, served."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.served import Served, WallClock, serve_world
from tests.crash.standing import Standing, Tools, standing
from tests.support.world import World


@pytest.fixture
def company(tmp_path: Path) -> World:
    """The small company that opsync has never seen, in the time of day."""
    folder = tmp_path / "company"
    folder.mkdir()
    return World(folder, WallClock())


@pytest.fixture
def served(company: World) -> Iterator[Served]:
    """The same over HTTP."""
    with serve_world(company) as served:
        yield served


@pytest.fixture
def wanted(tmp_path: Path) -> Standing:
    """What stands in the same company after a first run that nothing disturbed."""
    folder = tmp_path / "undisturbed"
    folder.mkdir()
    world = World(folder, WallClock())
    report = asyncio.run(world.sync())
    assert report.exit_code == 0
    return standing(Tools(world.jira, world.linear, world.notion, world.source))
