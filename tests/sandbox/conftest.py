"""A small Jira site under a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from opsync.sandbox.jira import JiraSite

DAY = timedelta(days=1)


class Now:
    """The sandbox's clock; it stands still until told."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 9, 0, 0, 123_000, UTC)

    def __call__(self) -> datetime:
        return self.at

    def tick(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def now() -> Now:
    return Now()


def populate(site: JiraSite, now: Now) -> JiraSite:
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
    born = now() - 30 * DAY
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
        due=(now() + 9 * DAY).date(),
        blocked_by=["PAY-3"],
        key="PAY-118",
    )
    site.add_issue("MOB", "Offline-Modus", status="Offen", created=born)
    return site


@pytest.fixture
def site(now: Now) -> JiraSite:
    return populate(JiraSite(now=now), now)


def client_of(site: JiraSite) -> httpx.AsyncClient:
    auth = None if site.deployment == "Server" else ("ana@harbor.example", "sandbox-jira-token")
    headers = {} if auth else {"Authorization": "Bearer sandbox-jira-token"}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=site.app),
        base_url="http://jira.test",
        auth=auth,
        headers=headers,
    )


@pytest.fixture
async def http(site: JiraSite) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(site) as client:
        yield client
