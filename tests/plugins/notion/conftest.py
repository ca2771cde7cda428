"""A simulated workspace on virtual time."""

from __future__ import annotations

import pytest
from tests.plugins.notion.world import ROADMAP, Roadmap
from tests.support.clock import FakeClock
from tests.support.connector import Connections

from opsync.sandbox.notion import NotionWorkspace


@pytest.fixture
def roadmap(clock: FakeClock, connections: Connections) -> Roadmap:
    """A database "Roadmap" without pages."""
    workspace = NotionWorkspace(now=clock.now, limit_factor=100)
    workspace.add_user("Ana Demo", "ana@harbor.example")
    source = workspace.add_database("Roadmap", properties=ROADMAP).data_source
    return Roadmap(workspace, source, connections, {})
