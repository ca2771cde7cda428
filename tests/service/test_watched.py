"""What whoever runs the service sees of it: requests counted, spans, and lines with their run."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog

from opsync.engine.session import open_session
from opsync.log import configure
from opsync.observing import Attribute, Observer, Sent, Span
from opsync.runtime import Runtime
from opsync.service.running import Service
from tests.service.virtual import Virtual
from tests.simulation.loop import Died, run


@dataclass
class Seen:
    """Notes all that it is told."""

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    spans: list[tuple[str, dict[str, Attribute]]] = field(default_factory=list)

    def sent(self, request: Sent) -> None:
        self.requests[request.instance, request.kind] += 1

    def waited(self, instance: str, seconds: float) -> None:
        """Nothing is waited for here."""

    @contextmanager
    def span(self, name: str, **told: Attribute) -> Iterator[Span]:
        self.spans.append((name, told))
        yield self

    def tell(self, name: str, value: Attribute) -> None:
        """What a request comes to is tried with the client."""


@dataclass
class Watched:
    """A service that ran for ten minutes, and what was seen of it."""

    seen: Seen
    lines: list[dict[str, Any]]
    written: dict[str, int]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    virtual = Virtual(tmp_path_factory.mktemp("watched"))
    seen, out = Seen(), io.StringIO()
    logger = logging.getLogger()
    handlers, level = logger.handlers, logger.level

    async def main() -> None:
        runtime = Runtime(clock=virtual.world.clock, rng=random.Random(7))
        async with open_session(
            virtual.world.config(),
            "opsync serve",
            runtime=runtime,
            transport=virtual.world.net,
            observer=Observer(seen, seen),
        ) as session:
            configure(json=True, level="debug", secrets=session.pool.redactor, stream=out)
            service = Service(session)
            service.start()
            await asyncio.sleep(600)
            assert await service.stop()

    try:
        result, _ = run(main(), virtual.time, virtual.rng)
    finally:
        structlog.reset_defaults()
        logger.handlers = handlers
        logger.setLevel(level)
    assert not isinstance(result, Died)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    return Watched(seen, lines, virtual.world.written())


def test_every_request_is_counted_at_its_connection(watched: Watched) -> None:
    writes = {name: watched.seen.requests[name, "write"] for name in watched.written}
    assert writes == watched.written
    assert all(watched.seen.requests[name, "read"] > 0 for name in watched.written)


def test_each_read_decision_and_round_of_writing_is_a_span_with_what_it_is_of(
    watched: Watched,
) -> None:
    spans = watched.seen.spans
    read = {told["opsync.instance"] for name, told in spans if name == "read"}
    assert read == set(watched.written)
    decided = [told["opsync.run"] for name, told in spans if name == "decide"]
    written = [told["opsync.run"] for name, told in spans if name == "write"]
    assert decided == written
    assert len(set(decided)) == len(decided) >= 1
    shown = {name for name, _ in spans if name not in ("read", "decide", "write")}
    assert "POST /graphql" in shown
    assert all(name.isascii() and "?" not in name for name in shown)


def test_lines_about_requests_tell_their_connection_and_those_that_write_their_run(
    watched: Watched,
) -> None:
    answered = [line for line in watched.lines if line["event"] == "request.answered"]
    assert {line["instance"] for line in answered} == set(watched.written)
    writing = [line for line in answered if line["method"] in ("PUT", "PATCH")]
    assert writing
    assert all(isinstance(line.get("run"), int) for line in writing)
    assert [line for line in answered if "run" not in line], "reading is of no run"
