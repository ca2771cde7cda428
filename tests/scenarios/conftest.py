"""The small company that the scenarios play in."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.support.world")

from tests.support.world import World  # noqa: E402 - its assertions are to be rewritten first


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A company that opsync has never seen."""
    return World(tmp_path)


@pytest.fixture
async def settled(world: World) -> World:
    """The same after its first pass, which wrote everything, and one more, which was silent."""
    first = await world.sync()
    assert first.exit_code == 0
    await world.silent()
    return world
