"""A simulated workspace on virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.plugins.notion.world import ROADMAP, Roadmap
from tests.support.clock import FakeClock
from tests.support.connector import Connections

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
    connections = Connections(clock)
    yield Roadmap(workspace, source, connections, {})
    await connections.close()
