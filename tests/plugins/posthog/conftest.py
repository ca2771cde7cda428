"""A simulated project on virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.plugins.posthog.world import Harbor, build
from tests.support.clock import FakeClock
from tests.support.connector import Connections


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def connections(clock: FakeClock) -> AsyncIterator[Connections]:
    """Makes connectors, and closes what they hold open."""
    made = Connections(clock)
    yield made
    await made.close()


@pytest.fixture
def harbor(clock: FakeClock, connections: Connections) -> Harbor:
    """A project with two events and two flags, in Berlin."""
    return build(clock, connections)
