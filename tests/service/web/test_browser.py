"""In a real browser: what it says of a form, and that pages of others neither decide nor read."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from opsync.service.web.forms import csrf_token
from opsync.service.web.guarded import SERVED, Guarded
from opsync.service.web.routes import Page
from tests.service.web.pages import PASSWORDS, USERS, guarded

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MAPPED = "--host-resolver-rules=MAP *.test 127.0.0.1"
SIGNED = {"username": "ana", "password": PASSWORDS["ana"]}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]


async def form(request: Request) -> Response:
    """A page with a form, and a script that must not run."""
    token = csrf_token(request)
    return HTMLResponse(
        '<!doctype html><title>Form</title><form method="post" action="/approve/7">'
        f'<input type="hidden" name="csrf" value="{token}"><input name="what" value="12">'
        '<button>Approve</button></form><script>document.title = "ran"</script>'
    )


@contextmanager
def served(app: Guarded) -> Iterator[int]:
    """The port at which a thread serves the pages."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    options = {"http": "h11", "ws": "none", "log_config": None, **SERVED}
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", **options))  # type: ignore[arg-type]
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        until = time.monotonic() + 10
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", MAPPED])
        yield made
        made.close()


def sent_by(page: Any) -> str:
    page.click("button")
    page.wait_for_load_state()
    return str(page.inner_text("body"))


def elsewhere(context: Any, action: str, token: str) -> str:
    """What comes of a form with this token on a page of somebody else."""
    page = context.new_page()
    html = f'<form method="post" action="{action}"><input name="csrf" value="{token}"><button>x'
    page.route(
        "http://evil.test/*", lambda route: route.fulfill(body=html, content_type="text/html")
    )
    page.goto("http://evil.test/")
    return sent_by(page)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "opsync.test"])
def test_a_form_of_ours_decides_and_one_of_somebody_else_does_not(browser: Any, host: str) -> None:
    """On opsync.test, in the clear, a browser says the Origin alone and nothing of the site."""
    app = guarded(USERS, hosts=["opsync.test"], more=[Page("/form", form)])
    with served(app) as port:
        context = browser.new_context(http_credentials=SIGNED)
        page = context.new_page()
        page.goto(f"http://{host}:{port}/form")
        token = page.get_attribute("[name=csrf]", "value")
        assert page.title() == "Form", "a script in a page does not run"
        assert '"name":"ana","role":"approve","what":["12"]' in sent_by(page)
        said = elsewhere(context, f"http://{host}:{port}/approve/7", token)
        assert "This was not sent from a page of opsync." in said
        context.close()


def test_a_name_that_was_made_to_lead_here_is_refused(browser: Any) -> None:
    with served(guarded(more=[Page("/form", form)])) as port:
        page = browser.new_page()
        assert page.goto(f"http://localhost:{port}/form").status == 200
        assert page.goto(f"http://rebound.test:{port}/form").status == 421
        page.close()


def test_a_page_of_somebody_else_can_neither_read_nor_frame_ours(browser: Any) -> None:
    with served(guarded(more=[Page("/form", form)])) as port:
        ours = f"http://localhost:{port}/form"
        page = browser.new_page()
        html = f'<title>Evil</title><iframe src="{ours}"></iframe>'
        page.route(
            "http://evil.test/*", lambda route: route.fulfill(body=html, content_type="text/html")
        )
        page.goto("http://evil.test/")
        read = "fetch(url).then(answer => answer.text()).catch(error => 'refused')"
        assert page.evaluate(f"url => {read}", ours) == "refused"
        assert page.frames[1].query_selector("form") is None
        page.close()
