"""A project with a history, and short ways to measure and to write."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from tests.support.clock import FakeClock
from tests.support.connector import Connections, outcomes_of, readings_of

from opsync import (
    Card,
    Change,
    Counts,
    Kind,
    Metric,
    MetricKind,
    Outcome,
    Reading,
    Record,
    Ref,
    Release,
    ReleaseContent,
    Slot,
    Span,
    Value,
    Verb,
)
from opsync.sandbox.posthog import PostHogProject
from opsync.sandbox.usage import Behaviour, History
from opsync_posthog import PostHog, PostHogSettings

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 3, 2)
YESTERDAY = TODAY - timedelta(days=1)
DAYS = Span.ending(YESTERDAY, 28)
WEEK = Span.ending(YESTERDAY, 7)
BEFORE = Span.ending(WEEK.first - timedelta(days=1), 7)
TARGET = Ref("posthog", "project", "1")


@dataclass
class Harbor:
    """The simulated project, and the connector's memory between passes."""

    project: PostHogProject
    connections: Connections
    kept: dict[str, Value]
    transport: httpx.AsyncBaseTransport | None = None
    """The way to something else than the project."""

    def connect(self, **changes: Any) -> PostHog:
        """A connector as a new pass has it."""
        fitting: dict[str, Any] = {
            "connector": "posthog",
            "token": self.project.token,
            "project": self.project.project_id,
        }
        settings = PostHogSettings(**(fitting | changes))
        transport = self.transport or httpx.ASGITransport(self.project.app)
        return self.connections.connect(PostHog, "posthog", settings, transport, self.kept)

    @property
    def history(self) -> History:
        return self.project.history

    def calls(self) -> list[str]:
        """Method and path of each request so far, without what all share."""
        shared = f"/api/projects/{self.project.project_id}/"
        return [f"{e.method} {e.path.removeprefix(shared)}" for e in self.project.exchanges]


def build(clock: FakeClock, connections: Connections, **changes: Any) -> Harbor:
    """A project with two events and two flags, in Berlin."""
    history = History(
        clock.now,
        BERLIN,
        events={
            "payout sent": Behaviour(40),
            "checkout": Behaviour(90, times=3),
        },
        flags={"instant-payouts": Behaviour(25), "one-tap": Behaviour(12)},
    )
    project = PostHogProject(now=clock.now, limit_factor=100, history=history, **changes)
    return Harbor(project, connections, {})


def event(name: str, counts: Counts = Counts.users) -> Metric:
    return Metric("posthog", MetricKind.event, name, counts)


def flag(key: str, counts: Counts = Counts.users) -> Metric:
    return Metric("posthog", MetricKind.flag, key, counts)


def insight(name: str) -> Metric:
    return Metric("posthog", MetricKind.insight, name)


async def measured(
    connector: PostHog,
    metrics: Iterable[Metric],
    days: Span = DAYS,
    windows: Sequence[Span] = (WEEK, BEFORE),
) -> dict[Metric, Reading]:
    """All readings by metric; each metric has exactly one."""
    return await readings_of(connector, list(metrics), days, windows)


def product() -> Record:
    """The project as a target."""
    return Record(ref=TARGET, kind=Kind.product, title="Harbor")


def release(
    title: str = "Instant payouts",
    on: date | None = date(2026, 2, 11),
    *,
    marker: str = "[opsync:3f2a91c0]",
) -> ReleaseContent:
    """That something was shipped, as the core words it."""
    url = "https://www.notion.so/harbor/1"
    root = Card(Ref("notion", "page", title), Kind.initiative, title, url, "Notion", title=title)
    text = f"Shipped: {title} {url} {marker}"
    return ReleaseContent(root, Release(on, "completed"), text, marker)


def change(
    connector: PostHog, content: ReleaseContent, *, remote_id: str = "", remove: bool = False
) -> Change:
    """What a plan would write for a release."""
    value = connector.render("annotation", product(), content)
    slot = Slot(TARGET, "annotation", "delivery", content.root.ref)
    return Change(
        id=f"1-{content.marker}",
        slot=slot,
        verb=Verb.remove if remove else Verb.update if remote_id else Verb.create,
        desired=None if remove else value,
        before=value if remove else None,
        remote_id=remote_id,
    )


async def write(connector: PostHog, *changes: Change) -> list[Outcome]:
    """Apply changes: one outcome each, in their order."""
    return await outcomes_of(connector, product(), changes)


def answering(answer: object, status: int = 200) -> httpx.MockTransport:
    """A PostHog that answers every request so: JSON, or these very bytes."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    headers = {"content-type": "application/json"}
    return httpx.MockTransport(lambda _: httpx.Response(status, content=body, headers=headers))
