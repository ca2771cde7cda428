"""A small company, before and after its first pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The company, never read."""
    return World(tmp_path)


@pytest.fixture
async def settled(world: World) -> World:
    """The company after a pass that wrote everything, and one that had nothing to do."""
    await world.sync()
    await world.silent()
    return world
