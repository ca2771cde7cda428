"""Serving over real sockets: what is slow, odd or too much ends, and what is right is answered."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from opsync.errors import ConfigError
from opsync.service.protocol import CONNECTIONS, HEAD_BYTES, Settings
from opsync.service.server import Address, serving

GET = b"GET /who HTTP/1.1\r\nhost: opsync\r\n\r\n"


class App:
    """Answers at once, or when it is let."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.gone = asyncio.Event()
        self.app = Starlette(
            routes=[
                Route("/who", self.who),
                Route("/wait", self.wait),
                Route("/unread", self.unread, methods=["POST"]),
                Route("/read", self.read, methods=["POST"]),
                Route("/much", self.much),
            ]
        )

    async def who(self, request: Request) -> Response:
        assert request.client is not None
        return PlainTextResponse(f"{request.client.host} {request.url.scheme}")

    async def wait(self, request: Request) -> Response:
        self.begun.set()
        await self.go_on.wait()
        return PlainTextResponse("waited")

    async def unread(self, request: Request) -> Response:
        return Response(status_code=413)

    async def read(self, request: Request) -> Response:
        self.begun.set()
        try:
            await request.body()
        except ClientDisconnect:
            self.gone.set()
        return PlainTextResponse("read")

    async def much(self, request: Request) -> Response:
        async def endless() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 65536
                    await asyncio.sleep(0)
            finally:
                self.gone.set()

        return StreamingResponse(endless())


class Client:
    """A connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[bytes, bytes]:
        """The head and the body of one answer."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return head, await self.reader.readexactly(int(line.split(b":")[1]))
        return head, b""

    async def rest(self) -> bytes:
        """All until the connection ends."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little patience."""
    for name in ("head_s", "body_s", "linger_s", "stall_s"):
        monkeypatch.setattr(Settings, name, 0.05)


@pytest.fixture
def silent(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that a client does comes into the log."""
    yield
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == []


pytestmark = pytest.mark.usefixtures("silent")


async def test_an_answer_tells_nothing_of_who_gives_it() -> None:
    async with serving(App().app, "127.0.0.1", 0) as address, connected(address) as client:
        assert address.port > 0
        assert address.url == f"http://127.0.0.1:{address.port}"
        await client.send(GET)
        head, body = await client.answer()
        assert head.splitlines() == [
            b"HTTP/1.1 200 OK",
            b"content-length: 14",
            b"content-type: text/plain; charset=utf-8",
            b"",
        ]
        assert body == b"127.0.0.1 http"
        await client.send(GET)
        assert (await client.answer())[1] == body, "the connection is kept"
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)


async def test_an_address_of_ip_6() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        async with serving(App().app, "::1", 0) as address:
            assert address.url == f"http://[::1]:{address.port}"
            async with connected(address) as client:
                await client.send(GET)
                assert (await client.answer())[1] == b"::1 http"
    except ConfigError:
        pytest.skip("this machine has no address ::1")


async def test_an_address_that_is_taken_is_told() -> None:
    async with serving(App().app, "127.0.0.1", 0) as address:
        with pytest.raises(ConfigError, match=r"Cannot listen on 127\.0\.0\.1:") as told:
            async with serving(App().app, "127.0.0.1", address.port):
                pass
    assert "choose another address" in told.value.hint


async def test_slow_headers(quick: None) -> None:
    """Byte by byte: each buys no time. Answered, counted, closed."""
    late: list[None] = []
    heard = asyncio.Event()

    def on_slow() -> None:
        late.append(None)
        heard.set()

    async with (
        serving(App().app, "127.0.0.1", 0, on_slow=on_slow) as address,
        connected(address) as client,
    ):
        sending = asyncio.create_task(dribble(client, heard))
        assert (await client.rest()).startswith(b"HTTP/1.1 408 ")
        await sending
    assert len(late) == 1


async def dribble(client: Client, until: asyncio.Event) -> None:
    for byte in GET[:-1]:
        if until.is_set():
            return
        await client.send(bytes([byte]))
        await asyncio.sleep(0.005)


async def test_slow_headers_of_a_second_request(quick: None) -> None:
    async with serving(App().app, "127.0.0.1", 0) as address, connected(address) as client:
        await client.send(GET + GET[:10])
        await client.answer()
        assert (await client.rest()).startswith(b"HTTP/1.1 408 ")


async def test_silence_is_closed_without_a_word(quick: None) -> None:
    late: list[None] = []
    async with (
        serving(App().app, "127.0.0.1", 0, on_slow=lambda: late.append(None)) as address,
        connected(address) as client,
    ):
        assert await client.rest() == b""
    assert late == []


async def test_a_body_that_never_ends_is_cut_off_although_its_reader_is_patient(
    quick: None,
) -> None:
    app = App()
    async with serving(app.app, "127.0.0.1", 0) as address, connected(address) as client:
        await client.send(b"POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1")
        assert await client.rest() == b""
        await app.gone.wait()


async def test_who_was_answered_before_the_end_of_a_large_body_reads_the_answer() -> None:
    """Cut off at once, it would see a connection that broke."""
    async with serving(App().app, "127.0.0.1", 0) as address, connected(address) as client:
        size = 3 * 1024 * 1024
        await client.send(b"POST /unread HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size)
        await client.send(b"x" * size)
        head, _ = await client.answer()
        assert head.startswith(b"HTTP/1.1 413 ")
        await client.send(GET)
        assert (await client.answer())[1] == b"127.0.0.1 http"


@pytest.mark.parametrize("chunk", [b"", b"1\r\nx\r\n"])
async def test_a_body_that_was_answered_is_not_read_for_ever(quick: None, chunk: bytes) -> None:
    async with serving(App().app, "127.0.0.1", 0) as address, connected(address) as client:
        await client.send(b"POST /unread HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        await client.answer()
        if chunk:
            await client.send(chunk)
        assert await client.rest() == b""


async def test_a_body_that_was_answered_and_goes_wrong_then_is_no_defect() -> None:
    async with serving(App().app, "127.0.0.1", 0) as address, connected(address) as client:
        await client.send(b"POST /unread HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        await client.answer()
        await client.send(b"this is no chunk\r\n")
        assert await client.rest() == b""


async def test_a_client_that_takes_no_answer_is_cut_off(quick: None) -> None:
    app = App()
    async with serving(app.app, "127.0.0.1", 0) as address, connected(address) as client:
        await client.send(b"GET /much HTTP/1.1\r\nhost: x\r\n\r\n")
        await app.gone.wait()


ODD = [
    b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET  /  HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /%ff%00 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
    b"POST /read HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
    b"CONNECT opsync:443 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nx" + b"y" * HEAD_BYTES + b": 1\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nx: a\r\n b\r\n\r\n",
]


async def test_odd_requests_are_refused_and_the_next_one_is_answered() -> None:
    async with serving(App().app, "127.0.0.1", 0) as address:
        for odd in ODD:
            async with connected(address) as client:
                await client.send(odd)
                with suppress(OSError):  # it was closed before
                    client.writer.write_eof()
                answer = await client.rest()
                assert answer[:11] in {b"", b"HTTP/1.1 40"}, odd
        async with connected(address) as client:
            await client.send(GET)
            assert (await client.answer())[1] == b"127.0.0.1 http"


async def test_connections_that_say_nothing_shut_nobody_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert CONNECTIONS >= 2 * 50
    monkeypatch.setattr(Settings, "connections", 5)
    app = App()
    async with serving(app.app, "127.0.0.1", 0) as address:
        async with connected(address) as busy:
            await busy.send(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
            await app.begun.wait()
            idle = [await asyncio.open_connection(*address) for _ in range(20)]
            for _, writer in idle[:10]:
                writer.write(b"GET /")
            async with connected(address) as client:
                await client.send(GET)
                assert (await client.answer())[1] == b"127.0.0.1 http"
            app.go_on.set()
            assert (await busy.answer())[1] == b"waited", "who is being served keeps its place"
        for reader, _ in idle[:16]:
            with suppress(ConnectionError):
                assert await reader.read() == b"", "those that were silent longest made room"
        for _, writer in idle:
            writer.close()


async def test_a_request_that_runs_is_finished_at_the_end_and_nobody_else_is_let_in() -> None:
    app = App()
    ending = asyncio.Event()

    async def serve() -> None:
        async with serving(app.app, "127.0.0.1", 0) as address:
            found.append(address)
            ready.set()
            await ending.wait()

    found: list[Address] = []
    ready = asyncio.Event()
    task = asyncio.create_task(serve())
    await ready.wait()
    async with connected(found[0]) as client, connected(found[0]) as idle:
        await client.send(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        await app.begun.wait()
        ending.set()
        assert await idle.rest() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*found[0])
        app.go_on.set()
        assert (await client.answer())[1] == b"waited"
        await task


async def test_what_does_not_end_is_cut_off() -> None:
    app = App()
    async with serving(app.app, "127.0.0.1", 0, drain_s=0.02) as address:
        client = await asyncio.open_connection(*address)
        client[1].write(b"POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1")
        await app.begun.wait()
    await app.gone.wait()
    client[1].close()


async def test_what_fails_in_the_block_ends_the_server_too() -> None:
    with pytest.raises(ZeroDivisionError):
        async with serving(App().app, "127.0.0.1", 0) as address:
            raise ZeroDivisionError
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)


async def test_what_a_header_says_of_the_other_end_counts_for_nothing() -> None:
    told = b"x-forwarded-for: 192.0.2.9\r\nx-forwarded-proto: https\r\n\r\n"
    async with serving(App().app, "127.0.0.1", 0) as address, connected(address) as client:
        await client.send(GET[:-2] + told)
        assert (await client.answer())[1] == b"127.0.0.1 http"
