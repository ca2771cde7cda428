"""Tracing: passes, stages and requests nest; nothing that is anybody's own is in them."""

from __future__ import annotations

import asyncio
import builtins
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
import respx
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import ValidationError

from opsync.blocks.tracing import TracingBlock
from opsync.errors import ConfigError, OpsyncError
from opsync.http import Policy, Pool
from opsync.observing import NOBODY, Observer
from opsync.runtime import Runtime
from opsync.service.tracing import ENDPOINT, Tracing, tracer, traces_at, tracing_of
from tests.support.clock import FakeClock

POLICY = Policy(
    instance="jira-main",
    vendor="Jira",
    base_url="https://harbor.example",
    headers={"Authorization": "Bearer canary-token-0001"},
    credential="c1",
)


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def observer(spans: InMemorySpanExporter) -> Observer:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return Observer(tracer=Tracing(provider))


def tree(spans: InMemorySpanExporter) -> list[tuple[str, str, dict[str, Any]]]:
    """Each span with the name of the one above it and its attributes."""
    found = spans.get_finished_spans()
    names = {one.context.span_id: one.name for one in found if one.context}
    return sorted(
        (one.name, names[one.parent.span_id] if one.parent else "", dict(one.attributes or {}))
        for one in found
    )


async def test_requests_are_below_their_stage_whatever_task_sends_them(
    observer: Observer, spans: InMemorySpanExporter
) -> None:
    pool = Pool(Runtime(clock=FakeClock(), rng=random.Random(7)), observer=observer)
    with respx.mock(base_url="https://harbor.example") as router:
        router.get("/rest/api/3/issue/PAY-1").mock(
            side_effect=[httpx.Response(503), httpx.Response(200, json={"title": "Secret plan"})]
        )
        with observer.stage("pass", run=12), observer.stage("read", instance="jira-main"):
            client = pool.client(replace(POLICY))
            # In a task of its own, as pages are that are read ahead.
            await asyncio.create_task(
                client.read("GET", "/rest/api/3/issue/PAY-1", params={"jql": "Secret plan"})
            )
    await pool.aclose()
    request = {
        "opsync.instance": "jira-main",
        "http.response.status_code": 200,
        "opsync.attempts": 2,
    }
    assert tree(spans) == [
        ("GET /rest/api/3/issue/{}", "read", request),
        ("pass", "", {"opsync.run": 12}),
        ("read", "pass", {"opsync.instance": "jira-main"}),
    ]


async def test_of_an_error_only_its_kind_is_told(
    observer: Observer, spans: InMemorySpanExporter
) -> None:
    with pytest.raises(OpsyncError), observer.stage("read", run=12):
        raise OpsyncError("Secret plan could not be read")
    (one,) = spans.get_finished_spans()
    assert one.status.is_ok is False
    assert (one.attributes or {})["error.type"] == "OpsyncError"
    assert one.events == ()
    assert "Secret" not in one.to_json()


def test_without_a_collector_there_is_no_tracing() -> None:
    assert tracing_of(TracingBlock(), {}) is None
    assert tracer(None) is NOBODY


def test_nothing_of_it_is_loaded_without_a_collector() -> None:
    script = (
        "import sys\n"
        "from opsync.blocks.tracing import TracingBlock\n"
        "from opsync.service.tracing import tracing_of\n"
        "assert tracing_of(TracingBlock(), {}) is None\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("block", "environ", "named"),
    [
        (TracingBlock(endpoint="http://localhost:4318"), {}, "service.tracing.endpoint"),
        (TracingBlock(), {ENDPOINT: "http://localhost:4318"}, ENDPOINT),
    ],
)
def test_without_its_packages_it_says_what_to_install(
    block: TracingBlock, environ: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ModuleNotFoundError(name)
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigError, match=named) as caught:
        tracing_of(block, environ)
    assert 'pip install "opsync[otel]"' in caught.value.hint


@pytest.mark.parametrize(
    ("endpoint", "sent_to"),
    [
        ("http://localhost:4318", "http://localhost:4318/v1/traces"),
        ("http://localhost:4318/", "http://localhost:4318/v1/traces"),
        ("https://traces.example/otlp/v1/traces", "https://traces.example/otlp/v1/traces"),
    ],
)
def test_traces_are_sent_below_the_collectors_address(endpoint: str, sent_to: str) -> None:
    assert traces_at(TracingBlock(endpoint=endpoint).endpoint) == sent_to


@pytest.mark.parametrize(
    "endpoint",
    ["localhost:4318", "ftp://a", "http://", "http://u:p@a", "http://a?k=secret", "http://a:x"],
)
def test_what_is_no_address_of_a_collector_is_refused(endpoint: str) -> None:
    with pytest.raises(ValidationError, match="is no address of a collector"):
        TracingBlock(endpoint=endpoint)


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A collector on this machine, and what it was sent."""
    got: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Nobody reads it."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
async def test_a_collector_is_sent_what_there_is_until_the_end(
    collector: tuple[str, list[tuple[str, bytes]]],
) -> None:
    endpoint, got = collector
    tracing = tracing_of(TracingBlock(endpoint=endpoint), {})
    assert tracing is not None
    with Observer(tracer=tracing).stage("read", instance="jira-main"):
        pass
    await tracing.aclose()
    ((path, body),) = got
    assert path == "/v1/traces"
    assert b"jira-main" in body
