"""A simulated Amplitude project, and connections to it on virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from opsync.model import (
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
from opsync.sandbox.amplitude import AmplitudeProject
from opsync.sandbox.usage import Behaviour, History
from opsync.wording.using import release_content
from opsync_amplitude import Amplitude
from opsync_amplitude.settings import AmplitudeSettings
from tests.support.clock import FakeClock
from tests.support.connector import Connections, outcomes_of, readings_of

Connect = Callable[..., Amplitude]

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 3, 2)
"""The clock's day in Berlin."""
LAST = date(2026, 3, 1)
MONTH = Span.ending(LAST, 28)
BEFORE = Span.ending(date(2026, 2, 1), 28)
WINDOWS = (BEFORE, MONTH)
TWO_MONTHS = Span(BEFORE.first, LAST)
LATELY = Span.ending(LAST, 4)
"""What is asked for on an ordinary day: the last three days again, and a new one."""

PAYOUTS = Ref("notion", "page", "9b1c")
PAGE_URL = "https://www.notion.so/harbor/9b1c"


def settings(**changes: Any) -> AmplitudeSettings:
    """Settings of the instance "amplitude" that the simulated project accepts."""
    fitting: dict[str, Any] = {
        "connector": "amplitude",
        "project": "123456",
        "api_key": "amplitude_sandbox_key",
        "secret_key": "amplitude_sandbox_secret",
        "time_zone": "Europe/Berlin",
    }
    return AmplitudeSettings(**(fitting | changes))


@pytest.fixture
def history(clock: FakeClock) -> History:
    """Four events and two flags in use; the event "Retired" is known and used no more."""
    return History(
        now=clock.now,
        zone=BERLIN,
        events={
            "Checkout": Behaviour(40),
            "Payout": Behaviour(24, released=date(2026, 2, 1), after=38),
            "Refund": Behaviour(9, times=3),
            "Search": Behaviour(120),
            "Retired": Behaviour(0),
        },
        flags={"instant-payouts": Behaviour(20), "dark-mode": Behaviour(60)},
    )


@pytest.fixture
def project(history: History, clock: FakeClock) -> AmplitudeProject:
    return AmplitudeProject(history=history, now=clock.now, limit_factor=10)


@pytest.fixture
def connect(connections: Connections) -> Connect:
    """Makes a connector of a simulated project; keyword arguments change its settings."""

    def make(
        simulated: AmplitudeProject | None = None,
        *,
        kept: dict[str, Value] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        **changes: Any,
    ) -> Amplitude:
        if simulated is not None:
            transport = httpx.ASGITransport(simulated.app)
        return connections.connect(Amplitude, "amplitude", settings(**changes), transport, kept)

    return make


class Answers(httpx.AsyncBaseTransport):
    """Gives one answer to every request for a path, and notes what was asked."""

    def __init__(self, **by_path: object) -> None:
        self.by_path = by_path
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        name = request.url.path.strip("/").replace("/", "_").replace("-", "_")
        answer = self.by_path[name]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, httpx.Response):
            return answer
        if isinstance(answer, str):
            return httpx.Response(200, text=answer, headers={"content-type": "application/json"})
        return httpx.Response(200, json=answer)


def event(name: str, counts: Counts = Counts.users) -> Metric:
    return Metric("amplitude", MetricKind.event, name, counts)


def flag(name: str, counts: Counts = Counts.users) -> Metric:
    return Metric("amplitude", MetricKind.flag, name, counts)


def chart(name: str) -> Metric:
    return Metric("amplitude", MetricKind.insight, name)


async def measured(
    connector: Amplitude,
    *metrics: Metric,
    days: Span = LATELY,
    windows: Iterable[Span] = WINDOWS,
) -> dict[Metric, Reading]:
    """What one call tells of each metric, exactly one reading each."""
    return await readings_of(connector, metrics, days, tuple(windows))


def product() -> Record:
    """The record of the project."""
    return Record(
        ref=Ref("amplitude", "project", "123456"), kind=Kind.product, title="Amplitude project"
    )


def release(
    on: date = date(2026, 2, 3), *, root: Ref = PAYOUTS, title: str = "Instant payouts"
) -> ReleaseContent:
    """That Instant payouts was shipped."""
    card = Card(
        ref=root, kind=Kind.initiative, label=title, title=title, url=PAGE_URL, tool="Notion"
    )
    return release_content(card, Release(on, "completed"))


def change(
    desired: Value, *, before: Value = None, remote_id: str = "", root: Ref = PAYOUTS
) -> Change:
    """A change of the annotation of one initiative; its verb follows from the values."""
    verb = Verb.remove if desired is None else Verb.create if before is None else Verb.update
    return Change(
        id=f"annotation-{root.id}",
        slot=Slot(product().ref, "annotation", "roadmap", root),
        verb=verb,
        desired=desired,
        before=before,
        remote_id=remote_id,
    )


async def apply(connector: Amplitude, *changes: Change) -> list[Outcome]:
    """Write the changes in one call; exactly one outcome each, in their order."""
    target = product()
    return await outcomes_of(connector, target, changes)


def midnight(day: date) -> datetime:
    """When a day begins in Berlin."""
    return datetime(day.year, day.month, day.day, tzinfo=BERLIN)
