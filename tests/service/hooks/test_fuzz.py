"""Whatever is sent: never an answer that says the fault is on this side, and never an effect."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsync.service.server import Address, serving
from opsync.store import Store, inline
from tests.service.hooks.conftest import Hall
from tests.service.hooks.tool import SECRET, signed
from tests.support.clock import FakeClock

SETTINGS = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
things = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)
told = st.fixed_dictionaries(
    {}, optional={"at": things, "issues": things | st.lists(leaves, max_size=4)}
)
bodies = (
    st.binary(max_size=200)
    | things.map(lambda one: json.dumps(one).encode())
    | told.map(lambda one: json.dumps(one).encode())
)
names = st.sampled_from(["x-signature", "x-delivery", "content-type", "content-length", "expect"])
headers = st.lists(
    st.tuples(names | st.from_regex(r"\A[a-z-]{1,12}\Z"), st.binary(max_size=40)), max_size=5
)
paths = st.sampled_from(["/hooks/tool", "/hooks/shut", "/hooks/nobody", "/hooks/"]) | st.text(
    st.characters(codec="utf-8"), max_size=20
).map(lambda text: f"/hooks/{quote(text, safe='/')}")


def a_hall(path: Path) -> Hall:
    clock = FakeClock()
    return Hall(Store.open(path / "opsync.db", clock=clock, executor=inline), clock)


@pytest.mark.slow
@SETTINGS
@given(
    method=st.sampled_from(["POST"] * 5 + ["GET", "HEAD", "PUT"]),
    path=paths,
    body=bodies,
    given=headers,
    right=st.booleans(),
    armed=st.booleans(),
)
def test_no_delivery_is_answered_by_a_fault(
    tmp_path: Path,
    method: str,
    path: str,
    body: bytes,
    given: list[tuple[str, bytes]],
    right: bool,
    armed: bool,
) -> None:
    async def send() -> None:
        hall = a_hall(tmp_path)
        hall.desk.armed = armed
        sent = [(name.encode(), value) for name, value in given]
        if right:
            sent += [(name.encode(), value.encode()) for name, value in signed(body, "1").items()]
        async with hall.client() as client:
            request = httpx.Request(method, f"http://opsync{path}", headers=sent, content=body)
            answer = await client.send(request)
        assert answer.status_code < 500
        assert answer.content == b""
        assert not hall.told or (right and answer.status_code == 200)
        assert not hall.counters.failed
        await hall.store.close()

    asyncio.run(send())


pieces = st.sampled_from(
    [
        b"POST /hooks/tool HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\n",
        b"host: x\r\n",
        b"content-length: 5\r\n",
        b"content-length: 99999999\r\n",
        b"transfer-encoding: chunked\r\n",
        b"expect: 100-continue\r\n",
        b"connection: close\r\n",
        b"connection: upgrade\r\nupgrade: h2c\r\n",
        b"\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"ffffffffffff\r\n",
        b"hello",
        b"\x00",
        b"\xff\xfe",
    ]
)
streams = st.lists(pieces | st.binary(max_size=12), min_size=1, max_size=12)


async def test_no_bytes_are_answered_by_a_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hall = a_hall(tmp_path)

    async def talk(address: Address, parts: list[bytes]) -> bytes:
        reader, writer = await asyncio.open_connection(*address)
        try:
            for part in parts:
                writer.write(part)
                await asyncio.sleep(0)
            writer.write_eof()
            return await reader.read()
        except OSError:  # it was closed before
            return b""
        finally:
            writer.close()

    found: list[list[bytes]] = []

    @settings(max_examples=150, deadline=None, database=None)
    @given(streams)
    def collect(parts: list[bytes]) -> None:
        found.append(parts)

    collect()
    async with serving(hall.app(), "127.0.0.1", 0, head_s=0.5) as address:
        for parts in found:
            said = await talk(address, parts)
            assert b"HTTP/1.1 5" not in said, parts
        body, right = hall.good(1)
        async with httpx.AsyncClient() as client:
            url = f"{address.url}/hooks/tool"
            answer = await client.post(url, content=body, headers=right)
            assert answer.status_code in {200, 429}
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []
    assert SECRET.decode() not in caplog.text
    await hall.store.close()
