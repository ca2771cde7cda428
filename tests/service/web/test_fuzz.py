"""Whatever is asked, in whatever way: an answer below 500, and nothing done by who may not."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from opsync.service.web.routes import Action
from tests.service.web.pages import BOTH_TOKENS, PROXY, READ_TOKEN, USERS, guarded

NAMES = (
    *("host", "authorization", "x-forwarded-user", "cookie", "origin", "referer", "accept"),
    *("sec-fetch-site", "sec-fetch-mode", "content-type", "content-length", "content-encoding"),
    *("x-forwarded-for", "forwarded", "x-opsync-csrf", "Host", "AUTHORIZATION", "if-none-match"),
    *("range", "transfer-encoding", "expect", ""),
)
VALUES = (
    *("localhost", "localhost:8484", "[::1]", "evil.example", "null", "same-origin", "none"),
    *("http://localhost:8484", "application/json", "application/x-www-form-urlencoded"),
    *("text/html", "*/*", "bytes=0-1", "Basic", "Basic =", "Basic YW5hOm5v", "Bearer x"),
    *(f"Bearer {READ_TOKEN}", "ana@harbor.example", "127.0.0.1", "65537", "-1", "gzip"),
)
PATHS = (
    "/",
    "/approve/7",
    "/approve/x",
    "/items/x",
    "/healthz",
    "/hooks/x",
    "/static/",
    "/static/x",
)
METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS", "get", "BREW", "")
PEERS = (
    None,
    ("127.0.0.1", 1),
    ("10.1.0.7", 1),
    ("::1", 1),
    ("fe80::1%eth0", 1),
    ("", 0),
    ("x", 1),
)

value = st.sampled_from(VALUES).map(str.encode) | st.binary(max_size=40)
header = st.tuples(st.sampled_from(NAMES).map(str.encode) | st.binary(max_size=12), value)
usual = st.just((b"host", b"localhost:8484"))
request = st.fixed_dictionaries(
    {
        "method": st.sampled_from(METHODS),
        "path": st.sampled_from(PATHS) | st.text(max_size=20).map(lambda text: f"/{text}"),
        "headers": st.tuples(st.lists(usual, max_size=1), st.lists(header, max_size=6)).map(
            lambda parts: [*parts[0], *parts[1]]
        ),
        "client": st.sampled_from(PEERS),
        "body": st.binary(max_size=60) | st.just(b"csrf=x&what=1") | st.just(b'{"csrf": "x"}'),
    }
)

done: list[str] = []


async def do(request: Request) -> Response:
    done.append(request.state.actor.name)
    return Response()


APP = guarded({**BOTH_TOKENS, **USERS, **PROXY}, hosts=["opsync.example"], more=[Action("/do", do)])
HERE = guarded(more=[Action("/do", do)])


async def ask(app: Any, asked: dict[str, Any]) -> int:
    codes = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": asked["body"]}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            codes.append(message["status"])

    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 8484),
        "root_path": "",
        "query_string": b"",
        "raw_path": asked["path"].encode(),
        **{key: asked[key] for key in ("method", "path", "headers", "client")},
    }
    await app(scope, receive, send)
    (code,) = codes
    return int(code)


@settings(max_examples=150)
@given(request)
def test_no_request_breaks_the_pages(asked: dict[str, Any]) -> None:
    for app in (APP, HERE):
        code = asyncio.run(ask(app, asked))
        assert 200 <= code < 500
        if asked["path"].startswith("/hooks/"):
            continue
        if asked["method"] not in ("GET", "HEAD"):
            assert code >= 400
        read = any(READ_TOKEN.encode() in text for _, text in asked["headers"])
        if app is APP and code < 400 and not read and asked["client"] != ("10.1.0.7", 1):
            assert asked["path"] == "/healthz"


@settings(max_examples=150)
@given(request)
def test_nobody_decides_anything_without_a_right_token(asked: dict[str, Any]) -> None:
    done.clear()
    asyncio.run(ask(APP, {**asked, "path": "/do", "method": "POST"}))
    asyncio.run(ask(HERE, {**asked, "path": "/do", "method": "POST"}))
    assert done == []
