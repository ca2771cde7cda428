"""A small Jira site under a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.support.clock import FakeClock

from opsync.sandbox.jira import JiraSite

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> FakeClock:
    """The sandbox's clock; it stands still until told."""
    return FakeClock(datetime(2026, 11, 22, 9, 0, 0, 123_000, UTC))


def populate(site: JiraSite, now: datetime) -> JiraSite:
    """PAY-1 is an epic over PAY-2 (done), PAY-3 (to do) and PAY-118 (blocked by PAY-3)."""
    site.add_project("PAY", "Payments")
    site.add_project("MOB", "Mobile", statuses=("Offen", "In Arbeit", "Fertig"))
    site.add_status("To Do", "new")
    site.add_status("In Progress", "indeterminate")
    site.add_status("Done", "done")
    site.add_status("Offen", "new")
    site.add_status("In Arbeit", "indeterminate")
    site.add_status("Fertig", "done")
    ben = site.add_user("Ben Ode")
    born = now - 30 * DAY
    site.add_issue("PAY", "Checkout core", issue_type="Epic", created=born)
    site.add_issue(
        "PAY",
        "Tokenise cards",
        status="Done",
        parent="PAY-1",
        assignee=ben,
        points=3,
        created=born,
        started=born + DAY,
        resolved=born + 4 * DAY,
        labels=["api"],
    )
    site.add_issue(
        "PAY", "Vault", status="To Do", parent="PAY-1", created=born, updated=born + 5 * DAY
    )
    site.add_issue(
        "PAY",
        "  Card form ",
        status="In Progress",
        parent="PAY-1",
        created=born,
        updated=born + 6 * DAY,
        description="See https://linear.app/harbor/issue/GRO-44.\n\nThen ship.",
        flagged=True,
        security="Finance",
        due=(now + 9 * DAY).date(),
        blocked_by=["PAY-3"],
        key="PAY-118",
    )
    site.add_issue("MOB", "Offline-Modus", status="Offen", created=born)
    return site


@pytest.fixture
def make_site(clock: FakeClock) -> Callable[..., JiraSite]:
    """A populated site with the given settings."""
    return lambda **settings: populate(JiraSite(now=clock.now, **settings), clock.now())


@pytest.fixture
def site(make_site: Callable[..., JiraSite]) -> JiraSite:
    return make_site()


def _client(site: JiraSite) -> httpx.AsyncClient:
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=site.app), base_url="http://jira.test"
    )
    if site.cloud:
        client.auth = httpx.BasicAuth("ana@harbor.example", "sandbox-jira-token")
    else:
        client.headers["Authorization"] = "Bearer sandbox-jira-token"
    return client


@pytest.fixture
async def client_of() -> AsyncIterator[Callable[[JiraSite], httpx.AsyncClient]]:
    """A signed-in client for a site, closed at the end."""
    opened: list[httpx.AsyncClient] = []

    def client(site: JiraSite) -> httpx.AsyncClient:
        opened.append(_client(site))
        return opened[-1]

    yield client
    for one in opened:
        await one.aclose()


@pytest.fixture
async def http(
    site: JiraSite, client_of: Callable[[JiraSite], httpx.AsyncClient]
) -> httpx.AsyncClient:
    return client_of(site)
