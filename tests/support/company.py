"""Whole passes over simulated vendors, without a socket."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from opsync.config import build
from opsync.engine.session import Session, open_session
from opsync.report import PassReport
from opsync.runtime import Runtime
from opsync.sandbox.harbor import Harbor
from opsync.sandbox.jira import JiraSite
from opsync.sandbox.linear import LinearWorkspace
from opsync.sandbox.notion import NotionWorkspace
from opsync.sandbox.vendor import Vendor
from tests.support.clock import FakeClock

ADDRESS = "http://127.0.0.1:1"
"""Loopback, where plain http is allowed; nothing listens there."""
SITE = "https://harbor.atlassian.net"


ANALYTICS: dict[str, dict[str, Any]] = {
    "posthog": {"project": "1", "token": "phx_sandbox"},
    "amplitude": {
        "project": "123456",
        "api_key": "amplitude_sandbox_key",
        "secret_key": "amplitude_sandbox_secret",
        "management_key": "amplitude_sandbox_management",
    },
    "mixpanel": {
        "project": 3141592,
        "username": "opsync.000000.mp-service-account",
        "secret": "mixpanel-sandbox-secret",
    },
}
"""By connector what tells Harbor's project there."""


def settings(
    url: str,
    store: Path,
    data_source: str,
    *,
    mode: str = "apply",
    tracked_in: str = "Tracked in",
    analytics: str = "posthog",
) -> dict[str, Any]:
    """A configuration for the vendors below `url`, as its TOML would parse; use is measured in
    `analytics`."""
    return {
        "store": str(store),
        "links": {"mode": mode},
        "rollup": [
            {
                "name": "roadmap",
                "mode": mode,
                "properties": [tracked_in],
                "roots": {"instance": "notion"},
                "released": "Released",
                "announce_in": [analytics],
                "metric": [
                    {"instance": analytics, "flag_from": "Flag"},
                    {"instance": analytics, "event_from": "Event"},
                ],
            }
        ],
        "instances": {
            "jira-main": {
                "connector": "jira",
                "site": SITE,
                "base_url": f"{url}/jira",
                "email": "ana@harbor.example",
                "token": "sandbox-jira-token",
                "resolutions": {"Won't do": "canceled"},
            },
            "linear": {
                "connector": "linear",
                "base_url": f"{url}/linear",
                "token": "lin_api_sandbox",
            },
            "notion": {
                "connector": "notion",
                "base_url": f"{url}/notion",
                "token": "ntn_sandbox",
                "data_sources": [{"id": data_source}],
            },
            analytics: {
                "connector": analytics,
                "base_url": f"{url}/{analytics}",
                **ANALYTICS[analytics],
            },
        },
    }


class Wire(httpx.AsyncBaseTransport):
    """Hands `/{vendor}/…` to the vendor's app, without the prefix."""

    def __init__(self, vendors: Mapping[str, Vendor]) -> None:
        self.vendors = vendors
        self._apps = {name: httpx.ASGITransport(vendor.app) for name, vendor in vendors.items()}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name, _, rest = request.url.raw_path.removeprefix(b"/").partition(b"/")
        inner = request.url.copy_with(raw_path=b"/" + rest)
        headers, stream = request.headers, request.stream
        sent = httpx.Request(request.method, inner, headers=headers, stream=stream)
        sent.extensions = request.extensions
        return await self._apps[name.decode()].handle_async_request(sent)


@dataclass
class Company:
    """Harbor, or a world like it, and the opsync that looks after it: one store for all passes."""

    jira: JiraSite
    linear: LinearWorkspace
    notion: NotionWorkspace
    measured: Vendor
    data_source: str
    store: Path
    clock: FakeClock

    @classmethod
    def of(
        cls, harbor: Harbor, folder: Path, clock: FakeClock, *, analytics: str = "posthog"
    ) -> Company:
        """Harbor with a new store in `folder`; `clock` is the one that Harbor goes by. Its use is
        measured in `analytics`."""
        measured = harbor.vendors[analytics]
        source, store = harbor.roadmap.id, folder / "opsync.db"
        return cls(harbor.jira, harbor.linear, harbor.notion, measured, source, store, clock)

    @property
    def vendors(self) -> dict[str, Vendor]:
        """By the name below which each is served."""
        return {
            "jira": self.jira,
            "linear": self.linear,
            "notion": self.notion,
            self.measured.name: self.measured,
        }

    def tick(self, minutes: float = 1) -> None:
        """Let time pass, so that what people do next is newer than what opsync did."""
        self.clock.advance(60 * minutes)

    def settings(self, mode: str = "apply") -> dict[str, Any]:
        """The configuration, as its TOML would parse."""
        return settings(
            ADDRESS, self.store, self.data_source, mode=mode, analytics=self.measured.name
        )

    @asynccontextmanager
    async def session(
        self, mode: str = "apply", wire: Wire | None = None
    ) -> AsyncIterator[Session]:
        """An open session over the vendors' apps, with virtual time."""
        config = build(self.settings(mode))
        runtime = Runtime(clock=self.clock, rng=random.Random(7))
        wire = wire or Wire(self.vendors)
        async with open_session(config, "sync", runtime=runtime, transport=wire) as session:
            yield session

    async def sync(
        self, *, full: bool = False, mode: str = "apply", wire: Wire | None = None
    ) -> PassReport:
        """One pass in a session of its own, as one command runs it."""
        async with self.session(mode, wire) as session:
            return await session.sync("sync", full=full)

    def forget_requests(self) -> None:
        """Count and log from here on."""
        for vendor in self.vendors.values():
            vendor.read_requests = vendor.write_requests = vendor.over_budget = 0
            vendor.exchanges.clear()

    def requests(self) -> dict[str, tuple[int, int]]:
        """Reads and writes of each vendor since `forget_requests`."""
        return {n: (v.read_requests, v.write_requests) for n, v in self.vendors.items()}
