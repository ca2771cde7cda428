"""A simulated project on virtual time."""

from __future__ import annotations

import pytest
from tests.plugins.posthog.world import Harbor, build
from tests.support.clock import FakeClock
from tests.support.connector import Connections


@pytest.fixture
def harbor(clock: FakeClock, connections: Connections) -> Harbor:
    """A project with two events and two flags, in Berlin."""
    return build(clock, connections)
