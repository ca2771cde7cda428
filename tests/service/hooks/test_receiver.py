"""Deliveries that are right: kept, told on, answered; and the secret that a tool itself sends."""

from __future__ import annotations

import asyncio
import json
from typing import ClassVar

import httpx
import pytest

from opsync.contract.webhooks import Signal
from opsync.errors import StoreError
from opsync.model import Ref
from opsync.service.hooks.receiver import Bounds, beside
from tests.service.hooks.conftest import Hall
from tests.service.hooks.tool import SECRET, Source, body_of, door, signed

TOKEN = "secret_of_the_tools_own_making"
HELLO = json.dumps({"verification_token": TOKEN}).encode()


async def test_a_delivery_is_told_by_names_and_kept_before_it_is_answered(hall: Hall) -> None:
    body, headers = hall.good(7, 8)
    async with hall.client() as client:
        answer = await client.post("/hooks/tool", content=body, headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    refs = (Ref("tool", "issue", "7"), Ref("tool", "issue", "8"))
    assert hall.told == [("tool", Signal(refs))]
    [kept] = await hall.store.deliveries_unread(10)
    assert (kept.instance, kept.refs) == ("tool", refs)


async def test_the_answer_is_the_one_that_the_tool_wants(hall: Hall) -> None:
    class Other(Source):
        answers: ClassVar[int] = 202

    hall.doors["tool"] = door(SECRET, source=Other())
    body, headers = hall.good(1)
    async with hall.client() as client:
        answers = [await client.post("/hooks/tool", content=body, headers=headers) for _ in "ab"]
    assert [one.status_code for one in answers] == [202, 202]


async def test_what_is_of_no_interest_is_known_again_and_told_to_nobody(hall: Hall) -> None:
    body, headers = hall.good()
    async with hall.client() as client:
        for _ in range(2):
            assert (await client.post("/hooks/tool", content=body, headers=headers)).is_success
    assert hall.told == []
    assert hall.counted() == {("accepted", "tool"): 1, ("duplicate", "tool"): 1}


async def test_a_door_may_be_opened_and_shut_while_it_runs(hall: Hall) -> None:
    async with hall.client() as client:
        body, headers = hall.good(1)
        assert (await client.post("/hooks/late", content=body, headers=headers)).status_code == 404
        hall.doors["late"] = hall.doors.pop("tool")
        assert (await client.post("/hooks/late", content=body, headers=headers)).status_code == 200
        assert (await client.post("/hooks/tool", content=body, headers=headers)).status_code == 404


async def test_a_tool_s_own_secret_is_taken_once_while_somebody_waits_for_it(hall: Hall) -> None:
    """W11"""
    hall.doors["tool"] = door(desk=hall.desk)
    async with hall.client() as client:
        assert (await client.post("/hooks/tool", content=HELLO)).status_code == 404
        assert hall.desk.tokens == []
        hall.desk.armed = True
        assert (await client.post("/hooks/tool", content=HELLO)).status_code == 200
        assert hall.desk.tokens == [TOKEN]
        assert (await client.post("/hooks/tool", content=HELLO)).status_code == 404
    assert hall.desk.tokens == [TOKEN]
    assert hall.counted() == {("handshake", "tool"): 1, ("unknown", "tool"): 2}


async def test_of_two_secrets_at_once_the_first_is_taken(hall: Hall) -> None:
    hall.doors["tool"] = door(desk=hall.desk)
    hall.desk.armed = True
    other = json.dumps({"verification_token": "somebody elses secret"}).encode()
    async with hall.client() as client:
        answers = await asyncio.gather(
            *(client.post("/hooks/tool", content=one) for one in (HELLO, other))
        )
    assert sorted(one.status_code for one in answers) == [200, 404]
    assert len(hall.desk.tokens) == 1


@pytest.mark.parametrize("token", ["", "x" * 513, "schlüssel", 3, None])
async def test_what_is_no_secret_is_not_taken(hall: Hall, token: object) -> None:
    hall.doors["tool"] = door(desk=hall.desk)
    hall.desk.armed = True
    async with hall.client() as client:
        hello = json.dumps({"verification_token": token}).encode()
        answer = await client.post("/hooks/tool", content=hello)
    assert answer.status_code in {400, 404}
    assert hall.desk.tokens == []
    assert hall.desk.armed


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff"])
async def test_what_cannot_be_read_is_no_secret(hall: Hall, body: bytes) -> None:
    hall.doors["tool"] = door(desk=hall.desk)
    hall.desk.armed = True
    async with hall.client() as client:
        assert (await client.post("/hooks/tool", content=body)).status_code == 404
    assert hall.desk.armed


async def test_deliveries_count_while_somebody_waits_for_a_new_secret(hall: Hall) -> None:
    hall.desk.armed = True
    body, headers = hall.good(1)
    async with hall.client() as client:
        assert (await client.post("/hooks/tool", content=body, headers=headers)).status_code == 200
        assert (await client.post("/hooks/tool", content=HELLO)).status_code == 200
    assert hall.ids() == ["1"]
    assert hall.desk.tokens == [TOKEN]


async def test_whether_somebody_waits_cannot_be_told_by_a_store_that_fails(hall: Hall) -> None:
    async def fails() -> bool:
        raise StoreError("The store is damaged.")

    async def hangs() -> bool:
        await asyncio.Event().wait()
        return False

    body, headers = hall.good(1)
    for armed in (fails, hangs):
        hall.doors["tool"] = door(SECRET, armed=armed)
        async with hall.client(bounds=Bounds(kept_s=0.01)) as client:
            answer = await client.post("/hooks/tool", content=body, headers=headers)
        assert answer.status_code == 503
    assert hall.told == []


async def test_an_address_with_too_many_refused_is_turned_away_unheard(hall: Hall) -> None:
    """W12"""
    async with hall.client(source="198.51.100.7") as client:
        for _ in range(30):
            assert (await client.post("/hooks/tool", content=b"{}")).status_code == 401
        body, headers = hall.good(1)
        away = await client.post("/hooks/tool", content=body, headers=headers)
        assert (away.status_code, away.headers["retry-after"]) == (429, "3")
        for _ in range(100):
            await client.post("/hooks/tool", content=b"{}")
        hall.clock.advance(3)
        again = await client.post("/hooks/tool", content=body, headers=headers)
        assert again.status_code == 200, "being turned away does not add to it"
    assert hall.counted() == {
        ("accepted", "tool"): 1,
        ("forged", "tool"): 30,
        ("limited", "tool"): 101,
    }


async def test_others_are_heard_meanwhile(hall: Hall) -> None:
    async with hall.client(source="198.51.100.7") as client:
        for _ in range(50):
            await client.post("/hooks/tool", content=b"{}")
    body, headers = hall.good(1)
    async with hall.client(source="198.51.100.8") as client:
        assert (await client.post("/hooks/tool", content=body, headers=headers)).status_code == 200


async def test_forgeries_do_not_shut_a_tool_out_that_sends_from_the_same_address(
    hall: Hall,
) -> None:
    """As behind a proxy, where all come from one."""
    async with hall.client(source="127.0.0.1") as client:
        body, headers = hall.good(1)
        assert (await client.post("/hooks/tool", content=body, headers=headers)).status_code == 200
        for _ in range(100):
            assert (await client.post("/hooks/tool", content=b"{}")).status_code == 401
        body = body_of(2, at=hall.clock.now())
        answer = await client.post("/hooks/tool", content=body, headers=signed(body, "2"))
    assert answer.status_code == 200
    assert hall.ids() == ["1", "2"]


async def test_signals_stand_beside_pages_and_are_not_for_them(hall: Hall) -> None:
    async def pages(scope: object, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 418, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]

    transport = httpx.ASGITransport(beside(hall.app(), pages))
    async with httpx.AsyncClient(transport=transport, base_url="http://opsync") as client:
        found = [
            (await client.post(path)).status_code for path in ("/hooks/x", "/hooks", "/", "/hooksy")
        ]
    assert found == [404, 418, 418, 418]
