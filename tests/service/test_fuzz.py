"""Whatever is asked of the running service, on every route it has: nothing breaks in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service.beside import Beside, beside
from tests.service.web.pages import OURS
from tests.service.web.test_fuzz import header

HERE = [(b"host", b"localhost:8484")]
BROWSER = [
    *HERE,
    *((name.encode(), value.encode()) for name, value in OURS.items()),
    (b"content-type", b"application/x-www-form-urlencoded"),
]
WORDS = (
    *("1", "0", "-1", "99999999999999999999", "linear", "notion:page:x", "jira-main:issue:1"),
    *("x:y", ":", "..", "%00", "ours", "theirs", "all", "csv", "json", "é", "\u202e", "' OR 1=1"),
)
NAMES = (
    *("from", "run", "before", "team", "item", "done", "n", "slot", "side", "what", "change"),
    *("change", "plan", "rule", "connection", "id", "kind", "csrf", "number", "next", "q"),
    *("of", "seen", "one", "two"),
)
word = st.sampled_from(WORDS) | st.text(max_size=12)
fields = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=6), word), max_size=5)


@pytest.fixture(scope="module")
def open_all_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    """A service that all these requests go to."""
    with beside(tmp_path_factory.mktemp("fuzzed")) as company, company.serving():
        company.settled()
        yield company


def paths(company: Beside) -> list[str]:
    """Every route, with its holes."""
    app: Any = company.process.surface.app
    found = {getattr(one, "path", "") for one in app.pages.routes} | {"/hooks/{instance}"}
    assert {"/plan", "/links", "/readyz", "/metrics"} <= found
    return sorted(found)


async def ask(app: Any, scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
    """The answer's status and what it begins with."""
    code, said = 0, b""
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if scope["asked"]:
            await gone.wait()
            return {"type": "http.disconnect"}
        scope["asked"] = True
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        nonlocal code, said
        if message["type"] == "http.response.start":
            code = message["status"]
        else:
            said += message.get("body", b"")[:20_000]
        gone.set()

    await asyncio.wait_for(app(scope, receive, send), 10)
    return code, said


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_request_breaks_the_service(open_all_day: Beside, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(paths(open_all_day)))
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + data.draw(word) + rest.partition("}")[2]
    query, form = (urlencode(data.draw(fields)).encode() for _ in range(2))
    body = data.draw(st.just(form) | st.binary(max_size=60))
    usual = data.draw(st.sampled_from([HERE, BROWSER]))
    scope = {
        "type": "http",
        "asked": False,
        "http_version": "1.1",
        "method": data.draw(st.sampled_from(["GET", "GET", "POST", "POST", "HEAD", "PUT"])),
        "scheme": "http",
        "server": ("127.0.0.1", 8484),
        "client": ("127.0.0.1", 40_000),
        "root_path": "",
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": query,
        "headers": [*usual, *data.draw(st.lists(header, max_size=3))],
    }

    code, said = open_all_day.do(ask(open_all_day.process.surface.app, scope, body))

    # What is told of readiness is a 503, and no defect.
    assert 200 <= code < 500 or (path == "/readyz" and code == 503), (path, code)
    assert b"Traceback" not in said
    assert b"Something went wrong" not in said
