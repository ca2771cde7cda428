"""A simulated project on virtual time."""

from __future__ import annotations

from datetime import date

import pytest
from tests.plugins.mixpanel.world import World
from tests.support.clock import FakeClock
from tests.support.connector import Connections

from opsync.sandbox.mixpanel import MixpanelProject
from opsync.sandbox.usage import Behaviour, History


@pytest.fixture
def world(clock: FakeClock, connections: Connections) -> World:
    """Two events and two flags; one event began only lately."""
    history = History(clock.now)
    history.events = {
        "Checkout": Behaviour(40, pool=300),
        "Invoice paid": Behaviour(9, pool=90, since=date(2026, 2, 25)),
    }
    history.flags = {"one-tap": Behaviour(12, pool=80, times=1), "sso": Behaviour(5, pool=60)}
    project = MixpanelProject(now=clock.now, history=history)
    return World(project, connections, {})
