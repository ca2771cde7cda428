"""What the running service tells of itself, with the store and the configuration it has by now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from opsync.engine.session import Session
from opsync.engine.webhooks import KNOWN
from opsync.hookfacts import HookFacts
from opsync.model import Ref
from opsync.plugins import PluginInfo
from opsync.service.health import Health
from opsync.service.running import Service
from opsync.service.vital import Vital
from opsync.steps.shared import OWN
from tests.support.world import World


@pytest.fixture
async def session(tmp_path: Path) -> AsyncIterator[Session]:
    """A company that was read and written, a minute ago."""
    world = World(tmp_path)
    await world.sync()
    async with world.session() as session:
        yield session


async def test_a_service_that_is_well_is_ready(session: Session) -> None:
    vital = Vital(Service(session), lambda: "")
    assert await Health(vital).reasons() == []
    found = await vital.standing()
    assert found.ready is True
    assert {one.name for one in found.connections} == set(session.config.instances)
    assert (found.queued, found.deliveries) == (0, {})


async def test_what_broke_is_told(session: Session) -> None:
    service = Service(session)
    vital = Vital(service, lambda: "instances.x: unknown key")
    service.trouble.update(store="The store is full.", decide="KeyError: 'a'")
    session.config.plugins.infos.append(PluginInfo("toy", "here", "failed", why="odd"))
    try:
        assert await Health(vital).reasons() == [
            "The store is full.",
            "a new configuration was refused: instances.x: unknown key",
            "the plugin toy failed",
            "what is to be written cannot be decided: KeyError: 'a'",
        ]
        assert (await vital.standing()).ready is False
    finally:
        session.config.plugins.infos.pop()


async def test_what_was_not_read_in_time_is_told(session: Session, tmp_path: Path) -> None:
    clock = session.runtime.clock
    vital = Vital(Service(session), lambda: "")
    await clock.sleep(timedelta(hours=5).total_seconds())
    assert await Health(vital).reasons() == [
        f"{name} was not read for 5 h" for name in ("jira-main", "linear", "notion")
    ]


async def test_signals_and_deliveries_and_the_end_of_a_webhook_are_told(session: Session) -> None:
    service = Service(session)
    rows = [("accepted", "linear", 3), ("accepted", "notion", 2), ("forged", "", 1)]
    vital = Vital(service, lambda: "", lambda: rows)
    service.nudge("linear", [Ref("linear", "issue", "1"), Ref("linear", "issue", "2")])
    service.nudge("notion", whole=True)
    ends = vital.now() + timedelta(days=2)
    await session.store.put_kept(OWN, {f"{KNOWN}jira-main": HookFacts(expires_at=ends).plain()})

    found = await vital.standing()

    assert found.queued == 3
    assert found.deliveries == {"accepted": 5, "forged": 1}
    assert {one.name: one.webhook_ends for one in found.connections} == {
        "jira-main": ends,
        "linear": None,
        "notion": None,
    }
    assert found.ready is True, "it is read without them too"
