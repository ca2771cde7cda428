"""A simulated workspace on virtual time."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest
from tests.plugins.notion.world import ROADMAP, Roadmap
from tests.support.clock import FakeClock

from opsync.runtime import Runtime
from opsync.sandbox.notion import NotionWorkspace


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def roadmap(clock: FakeClock) -> AsyncIterator[Roadmap]:
    """A database "Roadmap" without pages."""
    workspace = NotionWorkspace(now=clock.now, limit_factor=100)
    workspace.add_user("Ana Demo", "ana@harbor.example")
    source = workspace.add_database("Roadmap", properties=ROADMAP).data_source
    made = Roadmap(workspace, source, Runtime(clock=clock, rng=random.Random(7)), {}, [])
    yield made
    for pool in made.pools:
        await pool.aclose()
