"""`/metrics`: how the service works, for Prometheus. docs/operations.md has the table.

Labels are names out of the configuration and words of opsync's own: nothing that a tool or a person
wrote. An instance is the label `connection`: Prometheus calls what it asks itself `instance`.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from opsync.__about__ import __version__
from opsync.errors import OpsyncError
from opsync.log import get_logger
from opsync.observing import Sent
from opsync.report import InstanceReport, PassReport
from opsync.runtime import Clock
from opsync.service.standing import Standing, Stands
from opsync.service.web.routes import Page

LAG_EVERY_S = 1.0
"""How often the loop's lag is measured."""
STANDING_WITHIN_S = 2.0
"""So long a scrape waits for the store."""

PASS_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
LAG_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)

DELIVERIES = frozenset(
    {
        "accepted",
        "duplicate",
        "forged",
        "stale",
        "oversized",
        "slow",
        "malformed",
        "unknown",
        "method",
        "limited",
        "handshake",
        "failed",
    }
)
"""What can become of a delivery; whatever else the receiver counts is told as "other"."""


# Series of when each was made would double all; prometheus-client leaves this untyped.
disable_created_metrics()  # type: ignore[no-untyped-call]

_NEVER = datetime.min.replace(tzinfo=UTC)


class Metrics:
    """The numbers of one service, in a registry of its own.

    It hears of passes, counts requests (it is an `opsync.observing.Counter`), measures the loop's
    lag, and shows how the service stands as it was told last.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._passes = self._counter("passes", "Passes over a connection.", "connection", "outcome")
        self._seconds = Histogram(
            "opsync_pass_seconds",
            "How long passes took.",
            ["connection"],
            buckets=PASS_S,
            registry=self.registry,
        )
        self._changes = self._counter("changes", "Changes carried out.", "connection", "outcome")
        self._requests = self._counter(
            "requests", "Requests sent, each attempt.", "connection", "connector", "kind", "status"
        )
        self._waits = self._counter(
            "wait_seconds", "Waited for limits and before another attempt.", "connection"
        )
        self._lag = Histogram(
            "opsync_loop_lag_seconds",
            "How late the event loop wakes what is due.",
            buckets=LAG_S,
            registry=self.registry,
        )
        self._connectors: dict[str, str] = {}
        build = Gauge(
            "opsync_build_info",
            "The running version.",
            ["version", "python"],
            registry=self.registry,
        )
        build.labels(__version__, platform.python_version()).set(1)
        ProcessCollector(registry=self.registry)
        self._standing = _StandingCollector()
        self.registry.register(self._standing)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"opsync_{name}", about, labels, registry=self.registry)

    def configured(self, connectors: dict[str, str]) -> None:
        """Learn which connector each configured instance is of; again after a reload."""
        self._connectors = dict(connectors)

    def passed(self, report: PassReport) -> None:
        """A pass is over."""
        for one in report.instances:
            if one.pulled:
                self._passes.labels(one.instance, outcome_of(one)).inc()
                self._seconds.labels(one.instance).observe(report.seconds)
        for change, outcome in report.outcomes:
            self._changes.labels(change.slot.target.instance, outcome.kind.value).inc()

    def broke(self, instance: str) -> None:
        """A pass ended with an error and without a report, as where the store cannot be used."""
        self._passes.labels(instance, "broke").inc()

    def sent(self, request: Sent) -> None:
        """A request was sent."""
        instance = request.instance
        status = f"{request.status // 100}xx" if 100 <= request.status < 600 else "none"
        connector = self._connectors.get(instance, "other")
        self._requests.labels(instance, connector, request.kind, status).inc()

    def waited(self, instance: str, seconds: float) -> None:
        """So long was waited for a limit."""
        self._waits.labels(instance).inc(seconds)

    def stand(self, standing: Standing | None) -> None:
        """Show this from now on; None where it is not known."""
        self._standing.standing = standing

    async def watch_loop(self, clock: Clock) -> None:
        """Measure the loop's lag until this is cancelled."""
        while True:
            due = clock.monotonic() + LAG_EVERY_S
            await clock.sleep(LAG_EVERY_S)
            self._lag.observe(max(0.0, clock.monotonic() - due))

    def shown(self, accept: str) -> tuple[bytes, str]:
        """All of it, and its media type: OpenMetrics where that is accepted, else plain text."""
        if "application/openmetrics-text" in accept:
            # It is not typed where it comes from.
            body: bytes = openmetrics.generate_latest(self.registry)  # type: ignore[no-untyped-call]
            return body, openmetrics.CONTENT_TYPE_LATEST
        return generate_latest(self.registry), CONTENT_TYPE_PLAIN_0_0_4


def outcome_of(one: InstanceReport) -> str:
    """A connection's outcome in a pass as a label: "done", "sign_in", "over_limit"."""
    return one.trouble.replace("-", "_").replace(" ", "_") or "done"


def metrics_route(metrics: Metrics, stands: Stands) -> Page:
    """`GET /metrics`, for whoever may read."""

    async def show(request: Request) -> Response:
        try:
            metrics.stand(await asyncio.wait_for(stands.standing(), STANDING_WITHIN_S))
        except (OpsyncError, TimeoutError) as error:
            # What is counted is shown all the same, and that it is not ready.
            metrics.stand(None)
            get_logger().warning("metrics.incomplete", error=str(error) or "the store is busy")
        body, media_type = metrics.shown(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": media_type, "cache-control": "no-store"})

    return Page("/metrics", show, name="metrics")


class _StandingCollector(Collector):
    """Turns the last standing into families, so that what is not configured any more goes."""

    def __init__(self) -> None:
        self.standing: Standing | None = None

    def collect(self) -> Iterator[Metric]:
        now = self.standing or Standing(at=_NEVER, ready=False)
        ages = {
            one.name: (now.at - one.read_at).total_seconds()
            for one in now.connections
            if one.read_at is not None
        }
        tokens = {one.name: one.token_ends for one in now.connections}
        webhooks = {one.name: one.webhook_ends for one in now.connections}
        yield _gauge("freshness_seconds", "Since a connection was read to its end.", ages)
        yield _gauge("token_expires_seconds", "Until a token expires.", _until(tokens, now.at))
        yield _gauge(
            "webhook_expires_seconds", "Until a webhook expires.", _until(webhooks, now.at)
        )
        yield _gauge("set_aside", "What could not be read or written.", now.aside)
        yield _gauge("values_waiting", "Values that wait, by why.", now.waiting, label="why")
        yield GaugeMetricFamily(
            "opsync_signals_queued", "Change signals that no pass has taken up.", value=now.queued
        )
        yield GaugeMetricFamily("opsync_store_bytes", "The store's size.", value=now.store_bytes)
        yield GaugeMetricFamily(
            "opsync_ready", "Whether /readyz says that all is well.", value=int(now.ready)
        )
        yield _deliveries(now)


def _until(ends: Mapping[str, datetime | None], now: datetime) -> dict[str, float]:
    return {name: (at - now).total_seconds() for name, at in ends.items() if at is not None}


def _gauge(
    name: str, about: str, values: Mapping[str, float], *, label: str = "connection"
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"opsync_{name}", about, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def _deliveries(now: Standing) -> CounterMetricFamily:
    family = CounterMetricFamily(
        "opsync_deliveries", "Deliveries to the receiver of change signals.", labels=["outcome"]
    )
    found = dict.fromkeys(sorted(DELIVERIES), 0)
    for outcome, count in now.deliveries.items():
        known = outcome if outcome in DELIVERIES else "other"
        found[known] = found.get(known, 0) + count
    for outcome, count in found.items():
        family.add_metric([outcome], count)
    return family
