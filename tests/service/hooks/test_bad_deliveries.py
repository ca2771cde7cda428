"""Whatever is not a delivery that is right: refused as it should be, counted, without effect."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping

import pytest
from structlog.testing import capture_logs

from opsync.errors import RecordError, StoreError
from opsync.service.hooks.reading import LARGE_AT_ONCE, SMALL
from opsync.service.hooks.receiver import Bounds
from tests.service.hooks.conftest import Hall
from tests.service.hooks.tool import OLDER, SECRET, Source, body_of, door, signed


async def refused(hall: Hall, status: int, body: bytes, headers: Mapping[str, str | bytes]) -> None:
    """The door answers so and without a word; nothing is told and nothing kept."""
    async with hall.client() as client:
        given = [(name, value) for name, value in headers.items()]
        answer = await client.post("/hooks/tool", content=body, headers=given)  # type: ignore[arg-type]
    assert (answer.status_code, answer.content) == (status, b"")
    assert hall.told == []
    assert await hall.store.deliveries_unread(10) == []


@pytest.mark.parametrize(
    "given",
    ["", "0" * 64, "none", "sha1=" + "0" * 40, "ü", "a, b", "%00", "0" * 5000],
)
async def test_forged(hall: Hall, given: str) -> None:
    body, headers = hall.good(1)
    await refused(hall, 401, body, {**headers, "x-signature": given.encode()})
    assert hall.counted() == {("forged", "tool"): 1}


async def test_a_body_that_differs_by_a_space_is_forged(hall: Hall) -> None:
    body, headers = hall.good(1)
    await refused(hall, 401, body.replace(b", ", b",", 1), headers)


async def test_two_signatures_are_forged_whichever_of_them_is_right(hall: Hall) -> None:
    body, headers = hall.good(1)
    for pair in (("x", headers["x-signature"]), (headers["x-signature"], "x")):
        async with hall.client() as client:
            both = [("x-signature", one) for one in pair]
            answer = await client.post("/hooks/tool", content=body, headers=both)
        assert answer.status_code == 401
    assert hall.told == []


async def test_nothing_is_parsed_before_the_signature_was_right(hall: Hall) -> None:
    class Curious(Source):
        def affected(self, headers: object, body: bytes) -> object:  # type: ignore[override]
            raise AssertionError("it was read")

    hall.doors["tool"] = door(SECRET, source=Curious())
    await refused(hall, 401, b"{}", {"x-signature": "wrong"})


async def test_replayed(hall: Hall) -> None:
    body, headers = hall.good(1)
    async with hall.client() as client:
        answers = [await client.post("/hooks/tool", content=body, headers=headers) for _ in "abc"]
        # Its id is not within what is signed.
        renamed = headers | {"x-delivery": "another"}
        answers.append(await client.post("/hooks/tool", content=body, headers=renamed))
    assert [one.status_code for one in answers] == [200] * 4
    assert hall.ids() == ["1"]
    assert hall.counted() == {("accepted", "tool"): 1, ("duplicate", "tool"): 3}


@pytest.mark.parametrize("by_s", [-301.0, 301.0])
async def test_stale(hall: Hall, by_s: float) -> None:
    body, headers = hall.good(1)
    hall.clock.advance(by_s)
    await refused(hall, 200, body, headers)
    assert hall.counted() == {("stale", "tool"): 1}


@pytest.mark.parametrize("by_s", [-300.0, 300.0])
async def test_just_in_time_is_not_stale(hall: Hall, by_s: float) -> None:
    body, headers = hall.good(1)
    hall.clock.advance(by_s)
    async with hall.client() as client:
        assert (await client.post("/hooks/tool", content=body, headers=headers)).status_code == 200


async def test_oversized_with_its_length(hall: Hall) -> None:
    """Refused by what it says, before any of it is read."""

    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    async with hall.client() as client:
        length = {"content-length": str(1024 * 1024 + 1)}
        answer = await client.post("/hooks/tool", content=never(), headers=length)
    assert answer.status_code == 413
    assert hall.counted() == {("oversized", "tool"): 1}


async def test_oversized_without_its_length(hall: Hall) -> None:
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while True:
            given += 64 * 1024
            yield b"x" * 64 * 1024

    async with hall.client() as client:
        answer = await client.post("/hooks/tool", content=endless())
    assert answer.status_code == 413
    assert given <= 1024 * 1024 + 64 * 1024, "it stops reading where the bound is"
    assert hall.counted() == {("oversized", "tool"): 1}


async def test_a_body_of_just_the_bound_is_not_oversized(hall: Hall) -> None:
    body = body_of(1, at=hall.clock.now(), fill="")
    body = body_of(1, at=hall.clock.now(), fill="x" * (1024 * 1024 - len(body)))
    assert len(body) == 1024 * 1024
    async with hall.client() as client:
        answer = await client.post("/hooks/tool", content=body, headers=signed(body))
    assert answer.status_code == 200


async def test_many_large_bodies_are_read_a_few_at_a_time(hall: Hall) -> None:
    """Small ones pass meanwhile, and those that waited are read in the end."""
    held = asyncio.Event()
    begun: list[int] = []

    async def large(number: int) -> AsyncIterator[bytes]:
        yield b"x" * (SMALL + 1)
        begun.append(number)
        await held.wait()

    async with hall.client() as client:
        tasks = [
            asyncio.create_task(client.post("/hooks/tool", content=large(number)))
            for number in range(LARGE_AT_ONCE + 5)
        ]
        body, headers = hall.good(1)
        small = await client.post("/hooks/tool", content=body, headers=headers)
        assert small.status_code == 200
        assert len(begun) == LARGE_AT_ONCE
        held.set()
        assert {one.status_code for one in await asyncio.gather(*tasks)} == {401}
    assert len(begun) == LARGE_AT_ONCE + 5


async def test_slow_body(hall: Hall) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with hall.client(bounds=Bounds(body_s=0.02)) as client:
        answer = await client.post("/hooks/tool", content=slow())
    assert answer.status_code == 408
    assert hall.counted() == {("slow", "tool"): 1}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b"1", b'"x"', b'{"issues": 1}', b"NaN", b'{"issues": ["\\ud800"]}'],
)
async def test_malformed(hall: Hall, body: bytes) -> None:
    await refused(hall, 400, body, signed(body))
    assert hall.counted() == {("malformed", "tool"): 1}


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
async def test_too_deep(hall: Hall, opening: bytes) -> None:
    body = opening * 100_000
    await refused(hall, 400, body, signed(body))
    assert hall.counted() == {("malformed", "tool"): 1}


async def test_bad_utf_8(hall: Hall) -> None:
    body = b'{"issues": ["\xff\xfe"]}'
    await refused(hall, 400, body, signed(body))
    assert hall.counted() == {("malformed", "tool"): 1}


async def test_odd_headers(hall: Hall) -> None:
    body, headers = hall.good(1, id_="\x01\xff" + "i" * 300)
    odd = {
        "content-length": "٣",
        "content-encoding": "gzip",
        "content-type": "multipart/form-data",
        "transfer-encoding": "chunked",
        "X-SIGNATURE": headers.pop("x-signature"),
        "expect": "100-continue",
    }
    given = [(k.encode(), v.encode("latin-1", "ignore")) for k, v in (headers | odd).items()]
    async with hall.client() as client:
        request = client.build_request("POST", "/hooks/tool", content=body)
        request.headers = type(request.headers)(given)
        answer = await client.send(request)
    assert answer.status_code == 200
    assert hall.ids() == ["1"]


@pytest.mark.parametrize("path", ["/hooks/nobody", "/hooks/shut", "/hooks/", "/hooks", "/", "/x"])
async def test_unknown_instance_and_unset_secret_are_one_answer(hall: Hall, path: str) -> None:
    body, headers = hall.good(1)
    async with hall.client() as client:
        answer = await client.post(path, content=body, headers=headers)
    assert (answer.status_code, answer.content, dict(answer.headers)) == (
        404,
        b"",
        {"content-length": "0"},
    )
    assert hall.told == []


async def test_unknown_instances_are_counted_without_their_names(hall: Hall) -> None:
    async with hall.client() as client:
        for name in ("a", "b", "c"):
            await client.post(f"/hooks/{name}")
        await client.post("/hooks/shut")
    assert hall.counted() == {("unknown", ""): 3, ("unknown", "shut"): 1}


async def test_an_empty_secret_is_none(hall: Hall) -> None:
    hall.doors["tool"] = door(b"")
    body, _ = hall.good(1)
    await refused(hall, 404, body, signed(body, secret=b""))


async def test_a_slash_more_is_another_path(hall: Hall) -> None:
    async with hall.client() as client:
        assert (await client.post("/hooks/tool/")).status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
async def test_a_wrong_method_tells_nothing_of_what_is_there(hall: Hall, method: str) -> None:
    async with hall.client() as client:
        answers = [await client.request(method, f"/hooks/{one}") for one in ("tool", "nobody")]
    assert [(one.status_code, one.content) for one in answers] == [(405, b"")] * 2
    assert answers[0].headers == answers[1].headers
    assert hall.counted() == {("method", "tool"): 1, ("method", ""): 1}


async def test_a_path_below_a_connection_is_counted_as_unknown(hall: Hall) -> None:
    body, headers = hall.good(1)
    async with hall.client() as client:
        for path in ("/hooks/tool/", "/hooks/tool/more"):
            answer = await client.post(path, content=body, headers=headers)
            assert (answer.status_code, answer.content) == (404, b"")
    assert hall.counted() == {("unknown", ""): 2}


async def test_one_id_a_hundred_times_at_once_has_one_effect(hall: Hall) -> None:
    """W4, F43"""
    body, headers = hall.good(1)
    async with hall.client() as client:
        answers = await asyncio.gather(
            *(client.post("/hooks/tool", content=body, headers=headers) for _ in range(100))
        )
    assert {one.status_code for one in answers} == {200}
    assert hall.ids() == ["1"]
    assert hall.counted() == {("accepted", "tool"): 1, ("duplicate", "tool"): 99}


async def test_a_fault_of_this_side_has_the_tool_repeat_it(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is 503 while the store cannot be written; the same delivery counts afterwards."""

    async def full(*args: object) -> list[int]:
        raise StoreError("The store is full.")

    body, headers = hall.good(1)
    with monkeypatch.context() as patch:
        patch.setattr(hall.store, "put_deliveries", full)
        await refused(hall, 503, body, headers)
    assert hall.counted() == {("failed", "tool"): 1}
    async with hall.client() as client:
        assert (await client.post("/hooks/tool", content=body, headers=headers)).status_code == 200
    assert hall.ids() == ["1"]


async def test_a_store_that_takes_long_is_answered_for_in_time_and_nothing_is_lost(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = asyncio.Event()
    put = hall.store.put_deliveries

    async def waits(*args: object) -> list[int]:
        await free.wait()
        return await put(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(hall.store, "put_deliveries", waits)
    body, headers = hall.good(1)
    async with hall.client(bounds=Bounds(kept_s=0.01)) as client:
        assert (await client.post("/hooks/tool", content=body, headers=headers)).status_code == 503
        free.set()
        await hall.memory.close()
        assert hall.ids() == ["1"], "it is told although nobody waits for the answer"
        assert (await client.post("/hooks/tool", content=body, headers=headers)).status_code == 200
    assert hall.ids() == ["1"]


async def test_a_connector_s_defect_is_answered_for_and_told(hall: Hall) -> None:
    class Broken(Source):
        def affected(self, headers: object, body: bytes) -> object:  # type: ignore[override]
            raise KeyError("no such field")

    hall.doors["tool"] = door(SECRET, source=Broken())
    body, headers = hall.good(1)
    with capture_logs() as lines:
        await refused(hall, 503, body, headers)
    [line] = lines
    assert (line["event"], line["instance"], line["log_level"]) == (
        "delivery.failed",
        "tool",
        "error",
    )
    assert isinstance(line["exc_info"], KeyError)


async def test_a_connector_that_finds_it_malformed_in_its_own_words(hall: Hall) -> None:
    class Strict(Source):
        def affected(self, headers: object, body: bytes) -> object:  # type: ignore[override]
            raise RecordError("it has no type")

    hall.doors["tool"] = door(SECRET, source=Strict())
    body, headers = hall.good(1)
    with capture_logs() as lines:
        await refused(hall, 400, body, headers)
    assert [(one["reason"], one["why"]) for one in lines] == [("malformed", "it has no type")]


async def test_both_secrets_count_while_they_are_changed(hall: Hall) -> None:
    """W8"""
    hall.doors["tool"] = door(SECRET, OLDER)
    async with hall.client() as client:
        for number, secret in enumerate((SECRET, OLDER, b"a third one")):
            body = body_of(number, at=hall.clock.now())
            headers = signed(body, str(number), secret)
            await client.post("/hooks/tool", content=body, headers=headers)
    assert hall.ids() == ["0", "1"]
    assert hall.counted() == {("accepted", "tool"): 2, ("forged", "tool"): 1}


async def test_a_flood_of_forgeries_is_a_few_lines(hall: Hall) -> None:
    with capture_logs() as lines:
        for number in range(200):
            async with hall.client(source=f"192.0.2.{number}") as client:
                await client.post("/hooks/tool", content=b"{}", headers={"x-signature": "no"})
        hall.clock.advance(60)
        async with hall.client(source="198.51.100.1") as client:
            await client.post("/hooks/tool", content=b"{}")
    assert [(one["event"], one["reason"], one["left_out"]) for one in lines] == [
        ("delivery.refused", "forged", 0),
        ("delivery.refused", "forged", 199),
    ]
    assert lines[1]["source"] == "198.51.100.1"
    assert hall.counted() == {("forged", "tool"): 201}


async def test_no_secret_and_no_body_comes_into_the_log(hall: Hall) -> None:
    hall.desk.armed = True
    with capture_logs() as lines:
        async with hall.client() as client:
            body, headers = hall.good("a name of the company's")
            await client.post("/hooks/tool", content=body, headers=headers | {"x-signature": "x"})
            hello = json.dumps({"verification_token": "secret_of_the_tool"}).encode()
            assert (await client.post("/hooks/tool", content=hello)).status_code == 200
            assert (await client.post("/hooks/tool", content=hello)).status_code == 401
    assert lines
    told = repr(lines)
    for word in ("company's", "secret_of_the_tool", SECRET.decode(), "verification_token"):
        assert word not in told
