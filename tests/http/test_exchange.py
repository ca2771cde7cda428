"""Bodies that are cut, endless, packed or slow."""

from __future__ import annotations

import asyncio
import gzip
import random
import resource
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from tests.http.conftest import POLICY
from tests.support.clock import FakeClock

from opsync.errors import BadAnswer, RefusedError, TemporaryError
from opsync.http import Client, Pool
from opsync.runtime import Runtime

Body = Callable[[], AsyncIterator[bytes]]


class _Stream(httpx.AsyncByteStream):
    def __init__(self, body: Body) -> None:
        self._body = body
        self.closed = False

    async def aclose(self) -> None:
        self.closed = True

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body()


class Streaming(httpx.AsyncBaseTransport):
    """Answers every request with the stream that `body` makes."""

    def __init__(self, body: Body, **headers: str) -> None:
        self._body = body
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.requests = 0
        self.streams: list[_Stream] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        self.streams.append(_Stream(self._body))
        return httpx.Response(200, headers=self._headers, stream=self.streams[-1])


@asynccontextmanager
async def client_over(
    transport: httpx.AsyncBaseTransport | None, **changes: object
) -> AsyncIterator[Client]:
    pool = Pool(Runtime(clock=FakeClock(), rng=random.Random(1)), transport=transport)
    try:
        yield pool.client(replace(POLICY, **changes))  # type: ignore[arg-type]
    finally:
        await pool.aclose()


async def test_a_connection_that_breaks_inside_the_body_is_a_bad_answer() -> None:
    """F05"""

    async def body() -> AsyncIterator[bytes]:
        yield b'{"items": ['
        raise httpx.ReadError("reset by peer")

    transport = Streaming(body)
    async with client_over(transport) as client:
        with pytest.raises(BadAnswer, match="cut short"):
            await client.read("GET", "/x")
        assert transport.requests == 3
        with pytest.raises(BadAnswer):
            await client.write("POST", "/x", keyed=False)
        assert transport.requests == 4, "an unkeyed write is not repeated"


async def test_an_endless_body_is_refused_at_the_bound() -> None:
    """F13"""
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1024
            yield b"x" * 1024

    transport = Streaming(body)
    async with client_over(transport, max_body=64 * 1024, attempts=1) as client:
        with pytest.raises(BadAnswer, match="more than"):
            await client.read("GET", "/x")
    assert sent <= 66 * 1024
    assert [stream.closed for stream in transport.streams] == [True]


async def test_a_packed_bomb_is_refused_before_it_is_unpacked() -> None:
    """F13"""
    bomb = gzip.compress(b"0" * 64 * 2**20)

    async def body() -> AsyncIterator[bytes]:
        yield bomb

    async with client_over(
        Streaming(body, content_encoding="gzip"), max_body=2**20, attempts=1
    ) as client:
        tracemalloc.start()
        try:
            with pytest.raises(BadAnswer, match="more than"):
                await client.read("GET", "/x")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 8 * 2**20


async def test_a_packed_body_is_unpacked_across_chunks() -> None:
    packed = gzip.compress(b'{"a": "' + b"word " * 10_000 + b'"}')

    async def body() -> AsyncIterator[bytes]:
        for at in range(0, len(packed), 7):
            yield packed[at : at + 7]

    async with client_over(Streaming(body, content_encoding="gzip")) as client:
        answer = await client.read("GET", "/x")
    assert len(answer.decode(dict[str, str])["a"]) == 50_000


@pytest.mark.parametrize(
    ("content", "coding"),
    [
        (gzip.compress(b'{"a": 1}')[:-9], "gzip"),
        (b"no gzip at all", "gzip"),
        (b"{}", "br"),
    ],
    ids=["cut short", "not packed", "a coding never asked for"],
)
async def test_what_cannot_be_unpacked_is_a_bad_answer(content: bytes, coding: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield content

    async with client_over(Streaming(body, content_encoding=coding)) as client:
        with pytest.raises(BadAnswer):
            await client.read("GET", "/x")


async def test_a_body_that_drips_is_ended_by_the_total_deadline() -> None:
    """F10"""
    closed = False

    async def body() -> AsyncIterator[bytes]:
        nonlocal closed
        try:
            while True:
                await asyncio.sleep(0.01)
                yield b" "
        finally:
            closed = True

    async with client_over(Streaming(body), total_s=0.05, attempts=1) as client:
        with pytest.raises(TemporaryError, match=r"within 0\.05 s"):
            await client.read("GET", "/x")
    assert closed


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def loopback(handler: Handler) -> AsyncIterator[str]:
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while await reader.readline() not in {b"\r\n", b""}:
                pass
            await handler(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _drip(writer: asyncio.StreamWriter, byte: bytes) -> None:
    while True:
        writer.write(byte)
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("head", "byte"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
    ],
    ids=["in the headers", "in the body"],
)
async def test_a_real_server_that_drips_is_left_and_its_connection_slot_comes_back(
    head: bytes, byte: bytes
) -> None:
    """F10"""
    slow = True

    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if slow:
            writer.write(head)
            await _drip(writer, byte)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()

    async with (
        loopback(handler) as base_url,
        client_over(None, base_url=base_url, total_s=0.1, max_concurrent=1, attempts=1) as client,
    ):
        for _ in range(3):
            with pytest.raises(TemporaryError, match="was not answered in full"):
                await client.read("GET", "/x")
        slow = False
        assert (await client.read("GET", "/x")).body == b"{}"


async def test_closing_ends_what_a_cancelled_caller_left_behind() -> None:
    """F11"""
    arrived = asyncio.Event()

    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.Event().wait()

    async with loopback(handler) as base_url:
        async with client_over(None, base_url=base_url) as client:
            task = asyncio.create_task(client.read("GET", "/x"))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            begun = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - begun < 5


async def test_a_storm_of_cancelled_callers_leaves_every_slot_usable() -> None:
    """F11"""

    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.003)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()

    rng = random.Random(5)
    async with (
        loopback(handler) as base_url,
        client_over(None, base_url=base_url, max_concurrent=4) as client,
    ):
        for _ in range(60):
            task = asyncio.create_task(client.read("GET", "/x"))
            await asyncio.sleep(rng.uniform(0, 0.004))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        answers = await asyncio.gather(*(client.read("GET", "/x") for _ in range(8)))
        assert [answer.status for answer in answers] == [200] * 8


async def test_a_header_that_cannot_be_written_is_refused_without_showing_it() -> None:
    async with (
        loopback(lambda _r, _w: asyncio.sleep(0)) as base_url,
        client_over(None, base_url=base_url) as client,
    ):
        with pytest.raises(RefusedError) as caught:
            await client.read("GET", "/x", headers={"x-other": "canary\r\nevil: 1"})
        assert "canary" not in str(caught.value)
        assert caught.value.__cause__ is None


async def test_a_transport_that_hands_over_whole_bodies_is_bounded_too() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=b"[" + b"1," * 100))
    async with client_over(transport, max_body=100, attempts=1) as client:
        with pytest.raises(BadAnswer, match="more than"):
            await client.read("GET", "/x")


async def test_requests_go_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(await reader.readline())
        writer.write(b"HTTP/1.1 407 Sign in\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for name in ("NO_PROXY", "no_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        async with client_over(None, attempts=1) as client:
            with pytest.raises(TemporaryError, match="the proxy refused") as caught:
                await client.read("GET", "/x")
    assert lines == [b"CONNECT acme.example:443 HTTP/1.1\r\n"]
    assert not caught.value.sent


async def test_this_machine_is_never_asked_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()

    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with loopback(handler) as base_url, client_over(None, base_url=base_url) as client:
        assert (await client.read("GET", "/x")).status == 200


async def test_a_body_of_200_mib_is_refused_while_it_comes_and_memory_stays_bounded() -> None:
    """I13, F13: over a real connection, with the bound that every client has."""
    size, sent = 200 * 2**20, 0

    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(b" " * 2**16)
            await writer.drain()
            sent += 2**16

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with (
        loopback(handler) as base_url,
        client_over(None, base_url=base_url, attempts=1) as client,
    ):
        with pytest.raises(BadAnswer, match="more than 16 MiB"):
            await client.read("GET", "/x")
    assert sent < 40 * 2**20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


async def test_a_redirect_over_a_real_connection_takes_the_credential_nowhere() -> None:
    """F12: to another server, or down to plain http, it is not followed, and the host is named."""
    asked: list[bytes] = []

    async def elsewhere(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(b"reached")

    async with loopback(elsewhere) as target:

        async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = f"HTTP/1.1 301 Moved\r\nLocation: {target}/x\r\nContent-Length: 0\r\n\r\n"
            writer.write(head.encode())
            await writer.drain()

        async with loopback(handler) as base_url, client_over(None, base_url=base_url) as client:
            with pytest.raises(RefusedError, match=r"redirected to '127\.0\.0\.1' \(301\)"):
                await client.read("GET", "/x")
    assert asked == []
