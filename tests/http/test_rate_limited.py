"""429 and its relatives, through the whole client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
import respx
from tests.support.clock import FakeClock

from opsync.errors import RateLimited
from opsync.http import Answer, BudgetHint, Client, Limit

MakeClient = Callable[..., Client]


class FirstEight:
    """Lets go of the first eight requests together, once all of them have arrived."""

    def __init__(self) -> None:
        self.arrived = 0
        self._together = asyncio.Event()

    async def is_one(self) -> bool:
        """Whether this request is among them; then only when they all are here."""
        self.arrived += 1
        if self.arrived > 8:
            return False
        if self.arrived == 8:
            self._together.set()
        await self._together.wait()
        return True


@pytest.fixture
def acme() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url="https://acme.example", assert_all_called=False) as router:
        yield router


async def test_retry_after_in_seconds_is_waited_for(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    """F07"""
    acme.get("/x").mock(
        side_effect=[
            httpx.Response(429, headers={"retry-after": "37"}),
            httpx.Response(200, json={}),
        ]
    )
    client = make_client()
    await client.read("GET", "/x")
    assert clock.elapsed_s == pytest.approx(37)
    assert client.waited_s == pytest.approx(37)


async def test_retry_after_as_a_date_is_measured_by_the_vendors_own_clock(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    """F07"""
    theirs = clock.now() + timedelta(days=1)
    headers = {
        "date": format_datetime(theirs, usegmt=True),
        "retry-after": format_datetime(theirs + timedelta(seconds=42), usegmt=True),
    }
    acme.get("/x").mock(
        side_effect=[httpx.Response(429, headers=headers), httpx.Response(200, json={})]
    )
    await make_client().read("GET", "/x")
    assert clock.elapsed_s == pytest.approx(42)


@pytest.mark.parametrize("value", ["soon", "-5", "nan", "", "0"])
async def test_a_retry_after_that_says_nothing_leaves_it_to_our_own_back_off(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock, value: str
) -> None:
    """F07"""
    acme.get("/x").mock(
        side_effect=[
            httpx.Response(429, headers={"retry-after": value}),
            httpx.Response(200, json={}),
        ]
    )
    await make_client().read("GET", "/x")
    assert 1 <= clock.elapsed_s <= 2


async def test_a_pause_beyond_patience_ends_the_pass_and_holds_for_all_later_requests(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    """F07"""
    route = acme.get("/x").respond(429, headers={"retry-after": "86400"})
    client = make_client()
    for _ in range(3):
        with pytest.raises(RateLimited) as caught:
            await client.read("GET", "/x")
        assert caught.value.retry_after_s == pytest.approx(86400)
    assert route.call_count == 1
    assert clock.elapsed_s == 0


async def test_what_a_pause_refuses_costs_no_retry(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    route = acme.get("/x").respond(429, headers={"retry-after": "86400"})
    client = make_client()
    for _ in range(20):
        with pytest.raises(RateLimited):
            await client.read("GET", "/x")
    clock.advance(86400)
    route.mock(side_effect=[httpx.Response(500), httpx.Response(200, json={})])
    assert (await client.read("GET", "/x")).status == 200


async def test_a_burst_of_429_pauses_the_credential_once(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    """Trouble 10, F08"""
    arrived: list[float] = []
    first_eight = FirstEight()

    async def refuse_the_first_eight(_: httpx.Request) -> httpx.Response:
        arrived.append(clock.elapsed_s)
        if await first_eight.is_one():
            return httpx.Response(429, headers={"retry-after": "30"})
        return httpx.Response(200, json={})

    acme.get("/x").mock(side_effect=refuse_the_first_eight)
    client = make_client()
    answers = await asyncio.gather(*(client.read("GET", "/x") for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert arrived[:8] == [0] * 8
    assert min(arrived[8:]) >= 30, "nothing goes out before the vendor said so"
    assert clock.elapsed_s == pytest.approx(30), "one pause, not one a request"


async def test_a_burst_of_429_that_name_no_time_is_one_short_pause(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    """F08"""
    first_eight = FirstEight()

    async def refuse_the_first_eight(_: httpx.Request) -> httpx.Response:
        return httpx.Response(429 if await first_eight.is_one() else 200, json={})

    acme.get("/x").mock(side_effect=refuse_the_first_eight)
    client = make_client()
    await asyncio.gather(*(client.read("GET", "/x") for _ in range(8)))
    assert 1 <= clock.elapsed_s <= 2
    assert len(clock.slept) == 1


async def test_the_budget_announced_by_headers_is_kept(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    def budget(answer: Answer) -> list[BudgetHint]:
        return [BudgetHint(remaining=float(answer.headers["x-remaining"]), reset_in_s=9.0)]

    acme.get("/x").respond(json={}, headers={"X-Remaining": "20"})
    client = make_client(limits=(Limit("", 100, 60),), budget=budget)
    await client.read("GET", "/x")
    await client.read("GET", "/x")
    assert clock.elapsed_s == pytest.approx(9)


async def test_a_vendor_that_counts_sliding_windows_never_refuses(
    acme: respx.MockRouter, make_client: MakeClient, clock: FakeClock
) -> None:
    taken: list[float] = []
    refused = 0

    def count(_: httpx.Request) -> httpx.Response:
        nonlocal refused
        now = clock.elapsed_s
        if sum(1 for at in taken if now - at < 60) >= 180:
            refused += 1
            return httpx.Response(429)
        taken.append(now)
        return httpx.Response(200, json={})

    acme.get("/x").mock(side_effect=count)
    client = make_client(limits=(Limit("", 180, 60),))
    for _ in range(5):
        await asyncio.gather(*(client.read("GET", "/x") for _ in range(100)))
    assert refused == 0
    assert len(taken) == 500
