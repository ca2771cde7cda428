"""What a browser may do with an answer, and what is answered where there is no page."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator

import httpx
import pytest
import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from opsync.log import configure
from opsync.redact import Redactor
from opsync.service.web import refusals
from opsync.service.web.actor import Actor
from opsync.service.web.refusals import Refusal
from opsync.service.web.routes import Page
from tests.service.web.pages import BOTH_TOKENS, OURS, TOKEN, asking, bearer, guarded

HTML = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    out = io.StringIO()
    secrets = Redactor()
    secrets.add(TOKEN)
    configure(json=True, level="debug", secrets=secrets, stream=out)
    yield out
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


def check(answer: httpx.Response) -> None:
    """What stands on every answer, whoever made it."""
    given = answer.headers
    assert given["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "object-src 'none'"
    )
    assert "unsafe" not in given["content-security-policy"]
    assert given["x-content-type-options"] == "nosniff"
    assert given["referrer-policy"] == "same-origin"
    assert given["cross-origin-opener-policy"] == "same-origin"
    assert given["cross-origin-resource-policy"] == "same-origin"
    assert given["x-frame-options"] == "DENY"
    assert "server" not in given
    assert "x-powered-by" not in given
    assert "access-control-allow-origin" not in given
    assert "set-cookie" not in given
    names = [name.lower() for name, _ in given.raw]
    assert len(names) == len(set(names))


async def test_every_answer_carries_them() -> None:
    codes = set()
    async with asking(guarded(BOTH_TOKENS)) as client:
        for method, path, headers in (
            ("GET", "/", bearer()),
            ("GET", "/", {}),
            ("GET", "/", {"host": "evil.example"}),
            ("GET", "/", {"host": ""}),
            ("GET", "/nothing", bearer()),
            ("GET", "/approve/7", bearer()),
            ("GET", "/broken", bearer()),
            ("POST", "/fail", bearer() | {"content-type": "application/json"}),
            ("POST", "/approve/7", bearer() | OURS),
            ("POST", "/hooks/jira", {}),
            ("GET", "/healthz", {}),
            ("GET", "/static/pages.py", bearer()),
        ):
            content = b"{}" if method == "POST" and "content-type" in headers else b""
            answer = await client.request(method, path, headers=headers, content=content)
            check(answer)
            codes.add(answer.status_code)
            assert answer.headers["cache-control"] == "no-store"
    assert codes == {200, 400, 401, 403, 404, 405, 421, 500}


async def test_a_route_may_say_how_long_it_is_kept_and_nothing_else() -> None:
    async def loose(request: Request) -> Response:
        headers = {
            "Cache-Control": "max-age=600",
            "Server": "loose",
            "X-Powered-By": "loose",
            "Content-Security-Policy": "default-src *",
            "Referrer-Policy": "unsafe-url",
            "X-Own": "kept",
        }
        return HTMLResponse("loose", headers=headers)

    async with asking(guarded(more=[Page("/loose", loose)])) as client:
        answer = await client.get("/loose")
        check(answer)
        assert answer.headers["cache-control"] == "max-age=600"
        assert answer.headers["x-own"] == "kept"
        assert "loose" not in answer.headers.values()


@pytest.mark.parametrize(
    ("public", "host", "scheme", "told"),
    [
        ("https://opsync.harbor.example", "opsync.harbor.example", "http", True),
        ("https://opsync.harbor.example:444", "opsync.harbor.example:444", "http", True),
        ("https://opsync.harbor.example", "localhost:8484", "http", False),
        ("http://localhost:8484", "localhost:8484", "http", False),
        ("", "localhost:8484", "http", False),
        ("", "localhost:8484", "https", True),
    ],
)
async def test_over_https_a_browser_is_told_to_keep_to_it(
    public: str, host: str, scheme: str, told: bool
) -> None:
    async with asking(guarded(BOTH_TOKENS, public_url=public), host=host) as client:
        answer = await client.get(f"{scheme}://{host}/")
        assert answer.headers.get("strict-transport-security") == (
            "max-age=31536000" if told else None
        )


async def test_a_page_that_breaks_tells_its_reader_nothing_and_the_log_why(
    log: io.StringIO,
) -> None:
    async with asking(guarded(BOTH_TOKENS)) as client:
        for headers in (HTML, {"accept": "application/json"}, {}):
            answer = await client.get("/broken", headers=bearer() | headers)
            assert answer.status_code == 500
            for word in ("Traceback", "RuntimeError", "told to nobody", TOKEN, "pages.py", "Error"):
                assert word not in answer.text
    lines = log.getvalue().splitlines()
    assert len(lines) == 3
    for line in lines:
        assert '"event": "page.failed"' in line
        assert "RuntimeError: told to nobody: Bearer ***" in line
        assert '"path": "/broken"' in line


async def test_half_a_page_does_not_end_as_if_it_were_whole(log: io.StringIO) -> None:
    app = guarded(BOTH_TOKENS)
    sent = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {TOKEN}".encode())]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/half",
        "query_string": b"",
        "scheme": "http",
    }
    with pytest.raises(RuntimeError):
        await app({**scope, "headers": headers, "client": ("127.0.0.1", 1)}, receive, send)  # type: ignore[arg-type]
    assert [one["type"] for one in sent] == ["http.response.start", "http.response.body"]
    assert sent[-1]["more_body"] is True
    assert log.getvalue() == "", "the server tells of it, once"


async def test_a_page_a_program_and_a_terminal_are_told_in_their_own_way() -> None:
    async with asking(guarded(BOTH_TOKENS)) as client:
        page = await client.get("/", headers=HTML)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.text.startswith('<!doctype html><html lang="en">')
        assert "<title>Sign in · opsync</title>" in page.text
        assert "<h1>Sign in</h1><p>This page is for those who sign in.</p>" in page.text
        assert "style" not in page.text, "a page may hold none"
        told = await client.get("/", headers={"accept": "application/json"})
        assert told.json() == {"error": refusals.SIGN_IN.said, "next": refusals.SIGN_IN.hint}
        plain = await client.get("/")
        assert plain.headers["content-type"] == "text/plain; charset=utf-8"
        assert plain.text == f"{refusals.SIGN_IN.said}\n{refusals.SIGN_IN.hint}\n"


async def test_the_dashboard_s_look_is_put_on() -> None:
    def dress(request: Request, refusal: Refusal) -> str:
        actor: Actor | None = request.state.actor
        return f"<b>{actor.name if actor else 'nobody'}: {refusal.status} {refusal.title}</b>"

    async with asking(guarded(BOTH_TOKENS, dress=dress)) as client:
        signed = HTML | bearer()
        for path, headers, said in (
            ("/", HTML, "<b>nobody: 401 Sign in</b>"),
            ("/nothing", signed, "<b>token: 404 Nothing here</b>"),
            ("/approve/7", signed, "<b>token: 405 Not this way</b>"),
            ("/broken", signed, "<b>token: 500 Something broke</b>"),
        ):
            assert (await client.get(path, headers=headers)).text == said
        answer = await client.post("/approve/7", headers=signed)
        assert answer.text == "<b>token: 403 Not for you</b>"


async def test_a_look_that_breaks_leaves_the_bare_page(log: io.StringIO) -> None:
    def dress(request: Request, refusal: Refusal) -> str:
        raise KeyError("no such template")

    async with asking(guarded(BOTH_TOKENS, dress=dress)) as client:
        for path, headers in (("/", HTML), ("/nothing", HTML | bearer())):
            answer = await client.get(path, headers=headers)
            check(answer)
            assert answer.status_code == 500
            assert "opsync could not make this page." in answer.text
            assert "template" not in answer.text


@pytest.mark.parametrize(
    "refusal", [one for one in vars(refusals).values() if isinstance(one, Refusal)], ids=str
)
def test_every_refusal_says_what_is_the_case_in_whole_sentences(refusal: Refusal) -> None:
    assert refusal.title
    assert refusal.said.endswith((".", ":"))
    assert refusal.status >= 400
    if refusal.status not in (405,):
        assert refusal.hint, "and what to do"


def test_what_is_said_is_text_on_a_bare_page() -> None:
    page = refusals.bare_page(Refusal(400, "<script>x</script>", "\"&'<b>"))
    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;x" in page


def test_a_route_that_does_not_say_what_it_needs_is_not_served() -> None:
    from starlette.routing import Mount, Route

    async def shown(request: Request) -> Response:
        return Response()

    strays: list[BaseRoute] = [Route("/x", shown), Mount("/y", routes=[Page("/z", shown)])]
    for stray in strays:
        with pytest.raises(TypeError, match="does not say what it needs"):
            guarded(more=[stray])
