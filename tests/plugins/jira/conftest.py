"""Simulated Jira sites, and connections to them on virtual time."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
from tests.support.clock import FakeClock

from opsync.contract.connector import Batch, Context
from opsync.http import Pool
from opsync.model import Record, Value
from opsync.runtime import Runtime
from opsync.sandbox.jira import JiraSite
from opsync_jira import Jira, JiraSettings

SITE = "https://harbor.atlassian.net"

Connect = Callable[..., Jira]


def settings(**changes: Any) -> JiraSettings:
    """Settings of the instance "jira-main" that the simulated site accepts."""
    fitting = {
        "connector": "jira",
        "site": SITE,
        "email": "ana@harbor.example",
        "token": "sandbox-jira-token",
    }
    return JiraSettings(**(fitting | changes))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def harbor(site: JiraSite) -> JiraSite:
    """Two projects and four statuses on `site`."""
    site.add_project("PAY", "Payments")
    site.add_project("MOB", "Mobile")
    site.add_status("To Do", "new")
    site.add_status("Doing", "indeterminate")
    site.add_status("Done", "done")
    site.add_status("Fertig", "done")
    return site


@pytest.fixture
def site(clock: FakeClock) -> JiraSite:
    """A Cloud site without issues."""
    return harbor(JiraSite(now=clock.now, limit_factor=10))


@pytest.fixture
async def connect(clock: FakeClock) -> AsyncIterator[Connect]:
    """Makes a connector of a simulated site; keyword arguments change its settings."""
    runtime = Runtime(clock=clock, rng=random.Random(7))
    pools: list[Pool] = []

    def make(
        simulated: JiraSite, /, *, kept: dict[str, Value] | None = None, **changes: Any
    ) -> Jira:
        pool = Pool(runtime, transport=httpx.ASGITransport(simulated.app))
        pools.append(pool)
        chosen = settings(**changes)
        client = pool.client(Jira.policy("jira-main", chosen))
        return Jira(chosen, Context("jira-main", client, runtime, {} if kept is None else kept))

    yield make
    for pool in pools:
        await pool.aclose()


async def pull(jira: Jira, since: datetime | None = None) -> list[Batch]:
    """All batches of one walk."""
    (feed,) = await jira.feeds()
    return [batch async for batch in jira.pull(feed, since)]


async def read(jira: Jira, since: datetime | None = None) -> dict[str, Record]:
    """All records of one walk, by key."""
    batches = await pull(jira, since)
    records = [
        record
        for batch in batches
        for item in batch.items
        for record in jira.normalize(item.stream, item.raw)
    ]
    return {record.key: record for record in records}
