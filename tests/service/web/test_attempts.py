"""Failed sign-ins: counted, slowed, told without the value, and forgotten."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from opsync.log import configure
from opsync.redact import Redactor
from opsync.service.web.attempts import FORGET_S, REMEMBERED, WAITING, WAITING_HERE, Attempts
from opsync.service.web.peers import address_of
from tests.service.web.pages import BOTH_TOKENS, PASSWORDS, USERS, asking, basic, bearer, guarded
from tests.support.clock import FakeClock

ONE, TWO = address_of("203.0.113.5"), address_of("203.0.113.6")


class Held(FakeClock):
    """A clock whose sleepers sleep until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def sleep(self, delay_s: float) -> None:
        self.slept.append(delay_s)
        await self.go.wait()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    out = io.StringIO()
    configure(json=True, level="debug", secrets=Redactor(), stream=out)
    yield out
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


async def test_the_first_three_are_answered_at_once_and_the_others_ever_later() -> None:
    clock = FakeClock()
    attempts = Attempts(clock)
    for _ in range(10):
        await attempts.fail(ONE)
    assert clock.slept == [0.25, 0.5, 1, 2, 4, 4, 4]
    assert attempts.failed == 10
    await attempts.fail(TWO)
    assert len(clock.slept) == 7, "another address begins anew"


async def test_whoever_makes_no_mistake_for_a_while_begins_anew() -> None:
    clock = FakeClock()
    attempts = Attempts(clock)
    for _ in range(4):
        await attempts.fail(ONE)
    clock.advance(FORGET_S - 1)
    await attempts.fail(ONE)
    assert clock.slept == [0.25, 0.5]
    clock.advance(FORGET_S + 1)
    for _ in range(4):
        await attempts.fail(ONE)
    assert clock.slept == [0.25, 0.5, 0.25]


async def test_an_address_in_ipv6_is_its_network() -> None:
    clock = FakeClock()
    attempts = Attempts(clock)
    for number in range(5):
        await attempts.fail(address_of(f"2001:db8::{number}"))
    assert clock.slept == [0.25, 0.5]
    assert len(attempts) == 1
    await attempts.fail(address_of("2001:db8:0:1::1"))
    assert len(attempts) == 2


async def test_no_more_places_are_remembered_than_fit() -> None:
    attempts = Attempts(FakeClock())
    await attempts.fail(ONE)
    for number in range(REMEMBERED):
        await attempts.fail(address_of(f"10.0.{number // 256}.{number % 256}"))
        if number == REMEMBERED // 2:
            await attempts.fail(TWO)
    assert len(attempts) == REMEMBERED
    assert attempts.failed == REMEMBERED + 2
    assert str(ONE) not in attempts._places
    assert str(TWO) in attempts._places, "who was quiet longest goes first"


async def test_many_at_once_are_not_faster_than_one_after_the_other() -> None:
    clock = Held()
    attempts = Attempts(clock)
    for _ in range(3):
        await attempts.fail(ONE)
    waiting = [asyncio.create_task(attempts.fail(ONE)) for _ in range(WAITING_HERE)]
    assert not attempts.full(ONE)
    await asyncio.sleep(0)
    assert attempts.full(ONE)
    assert not attempts.full(TWO)
    assert attempts.turned_away == 1
    clock.go.set()
    await asyncio.gather(*waiting)
    assert not attempts.full(ONE)


async def test_nor_from_many_addresses() -> None:
    clock = Held()
    attempts = Attempts(clock)
    waiting = []
    for number in range(WAITING):
        peer = address_of(f"10.0.0.{number}")
        for _ in range(3):
            await attempts.fail(peer)
        assert not attempts.full(TWO)
        waiting.append(asyncio.create_task(attempts.fail(peer)))
        await asyncio.sleep(0)
    assert attempts.full(TWO)
    for task in waiting[1:]:
        task.cancel()
    await asyncio.gather(*waiting[1:], return_exceptions=True)
    assert not attempts.full(TWO), "who goes away waits no more"
    clock.go.set()
    await waiting[0]


async def test_a_wrong_password_waits_and_a_right_one_does_not() -> None:
    clock = FakeClock()
    async with asking(guarded(USERS, clock=clock)) as client:
        for _ in range(5):
            answer = await client.get("/", headers=basic("ana", "a-wrong-one-012345"))
            assert answer.status_code == 401
        assert clock.slept == [0.25, 0.5]
        assert (await client.get("/", headers=basic("ana", PASSWORDS["ana"]))).status_code == 200
        assert (await client.get("/")).status_code == 401, "nothing was tried"
        assert clock.slept == [0.25, 0.5]


async def test_while_too_many_wait_no_password_is_looked_at() -> None:
    clock = Held()
    app = guarded(USERS, clock=clock)
    async with asking(app) as client:
        for _ in range(3):
            await client.get("/", headers=basic("ana", "no"))
        waiting = [
            asyncio.create_task(client.get("/", headers=basic("ana", "no")))
            for _ in range(WAITING_HERE)
        ]
        for _ in range(1000):
            await asyncio.sleep(0)
        assert len(clock.slept) == WAITING_HERE
        for given in (basic("ana", "no"), basic("ana", PASSWORDS["ana"])):
            answer = await client.get("/", headers=given)
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "5"
        async with asking(app, peer="10.9.9.9") as other:
            assert (await other.get("/", headers=basic("ana", PASSWORDS["ana"]))).is_success
        clock.go.set()
        assert {one.status_code for one in await asyncio.gather(*waiting)} == {401}
    assert app.access.attempts.failed == 3 + WAITING_HERE
    assert app.access.attempts.turned_away == 2


async def test_it_is_told_by_address_and_number_and_without_what_was_tried(
    log: io.StringIO,
) -> None:
    async with asking(guarded(BOTH_TOKENS), peer="203.0.113.5") as client:
        for number in range(9):
            await client.get("/", headers=bearer(f"tried-this-{number}"))
            await client.get("/", headers=basic("tried-name", "tried-word"))
    lines = log.getvalue().splitlines()
    assert [line.partition('"times": ')[2] for line in lines] == ["1}", "2}", "4}", "8}", "16}"]
    assert all('"event": "signin.failed"' in line for line in lines)
    assert all('"address": "203.0.113.5"' in line for line in lines)
    assert "tried" not in log.getvalue()
