"""What an observer is told of requests: each attempt, its status, the waits; nothing else."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import httpx
import pytest
import respx
from tests.http.conftest import POLICY
from tests.support.clock import FakeClock

from opsync.errors import OpsyncError
from opsync.http import Client, Pool
from opsync.observing import Attribute, Observer, Sent, Span
from opsync.runtime import Runtime


@dataclass
class Seen:
    """Notes all that it is told."""

    requests: list[Sent] = field(default_factory=list)
    waits: list[tuple[str, float]] = field(default_factory=list)
    spans: list[tuple[str, dict[str, Attribute]]] = field(default_factory=list)

    def sent(self, request: Sent) -> None:
        self.requests.append(request)

    def waited(self, instance: str, seconds: float) -> None:
        self.waits.append((instance, seconds))

    @contextmanager
    def span(self, name: str, **told: Attribute) -> Iterator[Span]:
        self.spans.append((name, told))
        yield self

    def tell(self, name: str, value: Attribute) -> None:
        self.spans[-1][1][name] = value


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
async def client(seen: Seen, clock: FakeClock) -> AsyncIterator[Client]:
    observer = Observer(seen, seen)
    pool = Pool(Runtime(clock=clock, rng=random.Random(7)), observer=observer)
    yield pool.client(replace(POLICY))
    await pool.aclose()


@pytest.fixture
def acme() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url="https://acme.example") as router:
        yield router


async def test_each_attempt_is_counted_and_the_request_is_one_span(
    acme: respx.MockRouter, client: Client, seen: Seen
) -> None:
    acme.get("/issue/PAY-1").mock(
        side_effect=[httpx.ConnectError("no"), httpx.Response(503), httpx.Response(200, json={})]
    )
    await client.read("GET", "/issue/PAY-1", params={"q": "private"})
    assert seen.requests == [Sent("eng", "read", status) for status in (0, 503, 200)]
    told = {"opsync.instance": "eng", "http.response.status_code": 200, "opsync.attempts": 3}
    assert seen.spans == [("GET /issue/{}", told)]
    assert client.waited_s > 0
    assert sum(seconds for _, seconds in seen.waits) == pytest.approx(client.waited_s)
    assert {instance for instance, _ in seen.waits} == {"eng"}


async def test_what_is_refused_is_told_too(
    acme: respx.MockRouter, client: Client, seen: Seen
) -> None:
    acme.post("/issue").respond(403)
    with pytest.raises(OpsyncError):
        await client.write("POST", "/issue", keyed=False, json={"title": "private"})
    assert seen.requests == [Sent("eng", "write", 403)]
    assert seen.spans[0][1]["http.response.status_code"] == 403
    assert "private" not in repr(seen)
