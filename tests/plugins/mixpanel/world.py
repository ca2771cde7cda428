"""A simulated Mixpanel project with some use, and short ways to ask it and to write to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
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
    Seen,
    Slot,
    Span,
    Value,
    Verb,
)
from opsync.sandbox.mixpanel import MixpanelProject
from opsync_mixpanel import Mixpanel, MixpanelSettings

DAYS = Span(date(2026, 2, 2), date(2026, 3, 1))
"""Four whole weeks up to the day before the clock's."""
ROOT = Ref("notion", "page", "9b1c")
PRODUCT = Record(ref=Ref("mixpanel", "project", "3141592"), kind=Kind.product, title="Harbor")


def settings(**changes: Any) -> MixpanelSettings:
    """Settings that the simulated project accepts."""
    fitting: dict[str, Any] = {
        "connector": "mixpanel",
        "project": 3141592,
        "username": "opsync.000000.mp-service-account",
        "secret": "mixpanel-sandbox-secret",
    }
    return MixpanelSettings(**(fitting | changes))


@dataclass
class World:
    """A project, and the connector's memory between passes."""

    project: MixpanelProject
    connections: Connections
    kept: dict[str, Value]

    def connect(
        self, transport: httpx.AsyncBaseTransport | None = None, **changes: Any
    ) -> Mixpanel:
        """A connector as a new pass has it."""
        transport = transport or httpx.ASGITransport(self.project.app)
        made = settings(**changes)
        return self.connections.connect(Mixpanel, "mixpanel", made, transport, self.kept)

    @property
    def asked(self) -> list[str]:
        """What was asked for so far: method and last part of the path."""
        return [f"{e.method} {e.path.rpartition('/')[2]}" for e in self.project.exchanges]

    async def measure(self, *metrics: Metric, days: Span = DAYS) -> dict[Metric, Reading]:
        """What a new pass reads."""
        return await measured(self.connect(), metrics, days)


def event(name: str, counts: Counts = Counts.users) -> Metric:
    return Metric("mixpanel", MetricKind.event, name, counts)


def flag(name: str, counts: Counts = Counts.users) -> Metric:
    return Metric("mixpanel", MetricKind.flag, name, counts)


def report(name: str) -> Metric:
    return Metric("mixpanel", MetricKind.insight, name)


async def measured(
    mixpanel: Mixpanel, metrics: Iterable[Metric], days: Span = DAYS
) -> dict[Metric, Reading]:
    """The readings by metric: exactly one each."""
    return await readings_of(mixpanel, list(metrics), days)


def marker(number: int = 1) -> str:
    return f"[opsync:{number:08x}]"


def shipped(
    on: date | None = date(2026, 2, 20), *, number: int = 1, title: str = "Instant payouts"
) -> ReleaseContent:
    """That an initiative was shipped."""
    url = f"https://app.notion.com/p/{number}"
    return ReleaseContent(
        root=Card(ROOT, Kind.initiative, title, url, "Notion"),
        release=Release(on, "completed"),
        text=f"Shipped: {title} {url} {marker(number)}",
        marker=marker(number),
    )


def desired(mixpanel: Mixpanel, content: ReleaseContent) -> Value:
    """What should stand for a release."""
    value = mixpanel.render("annotation", PRODUCT, content)
    assert value is not None
    return value


def change(value: Value, *, before: Value = None, remote_id: str = "", number: int = 1) -> Change:
    """A change of one release's annotation; its verb follows from the values."""
    verb = Verb.remove if value is None else Verb.create if before is None else Verb.update
    slot = Slot(PRODUCT.ref, "annotation", "roadmap", Ref("notion", "page", str(number)))
    return Change(
        id=f"1-{number}", slot=slot, verb=verb, desired=value, before=before, remote_id=remote_id
    )


async def write(mixpanel: Mixpanel, *changes: Change) -> list[Outcome]:
    """Look, as before every write, and write; one outcome a change, in their order."""
    await mixpanel.observe(PRODUCT)
    return await outcomes_of(mixpanel, PRODUCT, changes)


async def seen(mixpanel: Mixpanel) -> Sequence[Seen]:
    return await mixpanel.observe(PRODUCT)


def standing(project: MixpanelProject) -> Mapping[int, tuple[str, str]]:
    """Day and text of every annotation by id."""
    return {one.id: (one.date[:10], one.description) for one in project.annotations.values()}
