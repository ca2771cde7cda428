"""Simulated Jira sites, and connections to them on virtual time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.support.clock import FakeClock
from tests.support.connector import Connections

from opsync.model import Value
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
def connect(connections: Connections) -> Connect:
    """Makes a connector of a simulated site; keyword arguments change its settings."""

    def make(
        simulated: JiraSite,
        /,
        *,
        kept: dict[str, Value] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        **changes: Any,
    ) -> Jira:
        transport = transport or httpx.ASGITransport(simulated.app)
        return connections.connect(Jira, "jira-main", settings(**changes), transport, kept)

    return make
