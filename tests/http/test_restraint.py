"""What a client holds back of outlives its process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
import respx
from tests.http.conftest import POLICY
from tests.support.clock import FakeClock

from opsync.errors import RateLimited, TemporaryError
from opsync.http import Client, Pool
from opsync.runtime import Runtime

MakeClient = Callable[..., Client]


@pytest.fixture
def acme() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url="https://acme.example", assert_all_called=False) as router:
        yield router


def next_process(client: Client, clock: FakeClock, **changes: object) -> Client:
    """A client of a new process, which is told what the one before it kept."""
    policy = replace(POLICY, **changes)  # type: ignore[arg-type]
    fresh = Pool(Runtime(clock=clock)).client(policy)
    fresh.restrain(client.restraint)
    return fresh


async def test_in_good_weather_nothing_is_kept(
    acme: respx.MockRouter, make_client: MakeClient
) -> None:
    acme.get("/x").respond(json={})
    client = make_client()
    await client.read("GET", "/x")
    assert client.restraint is None


@pytest.mark.slow
async def test_an_outage_is_retried_into_once_whatever_number_of_processes_ask(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    """F09"""
    route = acme.get("/x").respond(503)
    client = make_client()
    for _ in range(40):
        with pytest.raises(TemporaryError):
            await client.read("GET", "/x")
        client = next_process(client, clock)
    assert route.call_count == 42


async def test_after_the_outage_a_hiccup_is_tried_again(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    acme.get("/x").mock(
        side_effect=[
            *[httpx.Response(503)] * 3,
            httpx.Response(200, json={}),
            httpx.Response(503),
            httpx.Response(200, json={}),
        ]
    )
    client = make_client()
    with pytest.raises(TemporaryError):
        await client.read("GET", "/x")
    for _ in range(2):
        client = next_process(client, clock)
        assert (await client.read("GET", "/x")).status == 200


async def test_a_pause_of_a_day_is_kept_by_the_next_process(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    """Trouble 10, I15, F07"""
    route = acme.get("/x").respond(429, headers={"retry-after": "86400"})
    client = make_client()
    with pytest.raises(RateLimited):
        await client.read("GET", "/x")
    clock.advance(86_000)
    with pytest.raises(RateLimited):
        await next_process(client, clock).read("GET", "/x")
    assert route.call_count == 1
    clock.advance(401)
    route.respond(json={})
    assert (await next_process(client, clock).read("GET", "/x")).status == 200


async def test_another_credential_is_not_held_back(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    route = acme.get("/x").respond(429, headers={"retry-after": "86400"})
    client = make_client()
    with pytest.raises(RateLimited):
        await client.read("GET", "/x")
    route.respond(json={})
    other = next_process(client, clock, credential="c2")
    assert (await other.read("GET", "/x")).status == 200


@pytest.mark.parametrize("length_s", ["172800", "315360000"])
async def test_a_pause_is_remembered_for_a_day_at_most(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock, length_s: str
) -> None:
    route = acme.get("/x").respond(429, headers={"retry-after": length_s})
    client = make_client()
    with pytest.raises(RateLimited):
        await client.read("GET", "/x")
    kept = next_process(client, clock)
    clock.advance(86_401)
    route.respond(json={})
    assert (await kept.read("GET", "/x")).status == 200


async def test_a_clock_that_was_set_back_makes_no_pause_longer(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    """I17"""
    route = acme.get("/x").respond(429, headers={"retry-after": "600"})
    client = make_client()
    with pytest.raises(RateLimited):
        await client.read("GET", "/x")
    clock.start = datetime(2020, 1, 1, tzinfo=UTC)
    kept = next_process(client, clock)
    clock.advance(601)
    route.respond(json={})
    assert (await kept.read("GET", "/x")).status == 200


@pytest.mark.parametrize("kept", [None, 3, {}, {"credential": 1}, {"credential": "c1", "down": 7}])
async def test_what_cannot_be_read_of_it_holds_nothing_back(
    acme: respx.MockRouter, make_client: MakeClient, kept: object
) -> None:
    acme.get("/x").mock(side_effect=[httpx.Response(503), httpx.Response(200, json={})])
    client = make_client()
    client.restrain(kept)  # type: ignore[arg-type]
    assert (await client.read("GET", "/x")).status == 200
