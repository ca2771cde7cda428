"""What the tests of every connector start from: virtual time, and connectors on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

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
