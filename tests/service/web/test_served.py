"""Over real connections, as uvicorn serves it: what only stands in raw bytes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from opsync.service.web.guarded import SERVED, Guarded
from tests.service.web.pages import BOTH_TOKENS, PROXY, TOKEN, guarded

SIGNED = f"Authorization: Bearer {TOKEN}\r\n"


@asynccontextmanager
async def served(app: Guarded) -> AsyncIterator[int]:
    """The port at which the pages are served."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    options = {"http": "h11", "ws": "none", "log_config": None, **SERVED}
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", **options))  # type: ignore[arg-type]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


async def say(port: int, text: str) -> tuple[int, str]:
    """Send these bytes; the status and all that was answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode("latin-1"))
    raw = (await asyncio.wait_for(reader.read(100_000), 5)).decode("latin-1")
    writer.close()
    await writer.wait_closed()
    return (int(raw.split()[1]) if raw else 0), raw


def get(path: str = "/", host: str = "localhost", more: str = "", method: str = "GET") -> str:
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n"


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (get(more=SIGNED), 200),
        (get(), 401),
        (get(host="evil.example", more=SIGNED), 421),
        (get("http://evil.example/", more=SIGNED), 404),
        (get("//evil.example/", more=SIGNED), 404),
        (get("/%2e%2e/%2e%2e/etc/passwd", more=SIGNED), 404),
        (get("/static/%2e%2e/%2e%2e/%2e%2e/pyproject.toml", more=SIGNED), 404),
        (get("/static/..%5c..%5cpyproject.toml", more=SIGNED), 404),
        (get("/%00", more=SIGNED), 404),
        (get("/%ff%fe", more=SIGNED), 404),
        (get("/" + "a" * 5000, more=SIGNED), 404),
        (get(more=SIGNED, method="get"), 403),
        (get(method="BREW"), 401),
        (get(more=SIGNED + SIGNED), 401),
        (get(more="Host: localhost\r\n" + SIGNED), 400),
        (f"GET / HTTP/1.1\r\n{SIGNED}\r\n", 400),
        (f"GET / HTTP/1.0\r\n{SIGNED}\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n", 400),
        ("nonsense\r\n\r\n", 400),
    ],
)
async def test_odd_requests_are_answered_and_open_nothing(asked: str, code: int) -> None:
    async with served(guarded(BOTH_TOKENS)) as port:
        status, raw = await say(port, asked)
        assert status == code
        assert "\r\nserver:" not in raw.lower()
        assert "Traceback" not in raw
        assert "uvicorn" not in raw.lower()


async def test_nobody_can_say_which_address_they_ask_from() -> None:
    """As SERVED has it: by itself uvicorn believes it of this machine, and so of every proxy."""
    more = "X-Forwarded-For: 10.1.0.7\r\nX-Forwarded-User: ana@harbor.example\r\n"
    async with served(guarded(PROXY)) as port:
        assert (await say(port, get(more=more)))[0] == 403
    trusting = {**PROXY, "proxy_from": ["127.0.0.1"]}
    async with served(guarded(trusting)) as port:
        status, raw = await say(port, get(more=more))
        assert status == 200
        assert '"name":"ana@harbor.example"' in raw


async def test_a_body_that_is_too_long_is_refused_before_it_came() -> None:
    form = "Content-Type: application/json\r\nContent-Length: 1000000000\r\n"
    async with served(guarded(BOTH_TOKENS)) as port:
        status, raw = await say(port, get("/approve/7", more=SIGNED + form, method="POST"))
        assert status == 413
        assert "connection: close" in raw.lower()


async def test_a_body_in_pieces_without_a_length_is_bounded_too() -> None:
    chunk = f"{0x4000:x}\r\n{'x' * 0x4000}\r\n"
    form = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    async with served(guarded(BOTH_TOKENS)) as port:
        asked = get("/approve/7", more=SIGNED + form, method="POST") + chunk * 5
        assert (await say(port, asked))[0] == 413
