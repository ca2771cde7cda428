"""What the service does besides: it tells what is wrong, and that all is well."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from opsync.blocks.digesting import DAYS
from opsync.redact import Redactor
from opsync.service.chores import Chores
from opsync.service.metrics import Metrics
from opsync.service.running import Service
from opsync.service.surface import Surface
from tests.scenarios.test_watching import Hooks, down, up
from tests.service.virtual import Virtual

JIRA = "harbor.atlassian.net"
SLACK = "hooks.slack.example"
HOUR = 3600


@pytest.fixture
def virtual(tmp_path: Path) -> Virtual:
    return Virtual(tmp_path)


def play(virtual: Virtual, story: Callable[[Service], Awaitable[None]]) -> None:
    """Run a story beside the service and its chores, once everything was read and written."""

    async def beside(service: Service) -> None:
        chores = Chores(service, Surface(service, Metrics(), Redactor(), local="cleo"))
        chores.start()
        try:
            await asyncio.sleep(600)
            await story(service)
        finally:
            await chores.stop()

    virtual.play(beside)


@pytest.mark.slow
def test_while_nothing_changes_the_watchdog_hears_every_quarter_of_an_hour(
    virtual: Virtual,
) -> None:
    hooks = Hooks(virtual.world)

    async def story(service: Service) -> None:
        [before] = await service.session.store.last_runs(1)
        hooks.pings.clear()
        await asyncio.sleep(HOUR)
        [after] = await service.session.store.last_runs(1)
        assert after.seq == before.seq, "no run began that could have told it"
        assert 3 <= len(hooks.pings) <= 4

    play(virtual, story)
    assert hooks.messages == []


@pytest.mark.slow
def test_from_a_run_that_was_no_good_one_to_the_next_good_one_the_watchdog_hears_nothing(
    virtual: Virtual,
) -> None:
    hooks = Hooks(virtual.world)
    virtual.world.raw["watch"] = {"fresh_within": "45m"}

    async def story(service: Service) -> None:
        down(virtual.world, JIRA)
        await asyncio.sleep(HOUR / 2)
        hooks.pings.clear()
        await asyncio.sleep(HOUR)
        assert hooks.pings == []
        assert hooks.changes() == [[("new", "out of date", "jira-main")]]
        up(virtual.world, JIRA)
        await asyncio.sleep(HOUR / 2)
        assert hooks.pings
        assert hooks.changes()[1:] == [[("over", "out of date", "jira-main")]]

    play(virtual, story)


@pytest.mark.slow
def test_a_digest_that_could_not_be_sent_is_told_once_whatever_runs_meanwhile(
    virtual: Virtual,
) -> None:
    world = virtual.world
    hooks, status = Hooks(world), 500
    due = world.clock.now() + timedelta(hours=1)
    world.raw["service"] = {
        "digest": {
            "slack_webhook": f"https://{SLACK}/services/T0/B0/s3cret",
            "day": DAYS[due.weekday()],
            "hour": due.hour,
        }
    }
    world.net.before[SLACK] = lambda request: httpx.Response(status)

    async def story(service: Service) -> None:
        nonlocal status
        await asyncio.sleep(HOUR)
        for done in ("Done", "To Do"):
            world.jira.edit("PAY-3", status=done)
            await asyncio.sleep(HOUR / 4)
        assert hooks.changes() == [[("new", "digest", "")]]
        status = 200
        await asyncio.sleep(HOUR)
        assert hooks.changes()[1:] == [[("over", "digest", "")]]

    play(virtual, story)
