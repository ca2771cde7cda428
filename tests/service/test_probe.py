"""The image's health check: what it asks, what it says, and that it loads nothing for that."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from opsync.service.probe import LISTEN, address, main

STATUS = {"now": 200}


@pytest.fixture
def listen() -> Iterator[str]:
    """Where something answers /healthz with the status set."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(STATUS["now"] if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Nobody reads it."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (421, 1)])
def test_only_who_says_that_all_is_well_is_healthy(
    listen: str, status: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    STATUS["now"] = status
    assert main({"OPSYNC_SERVICE__LISTEN": listen}) == code
    assert (f"answered {status}" in capsys.readouterr().err) is bool(code)


def test_where_nobody_listens_it_is_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main({"OPSYNC_SERVICE__LISTEN": "127.0.0.1:1"}) == 1
    assert "does not answer at 127.0.0.1:1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "environ", "asked"),
    [
        ("", {}, LISTEN),
        ('[service]\nlisten = "127.0.0.1:9000"', {}, "127.0.0.1:9000"),
        ('[service]\nlisten = "0.0.0.0:9000"', {}, "127.0.0.1:9000"),
        ('[service]\nlisten = "[::]:9000"', {}, "::1:9000"),
        ('[service]\nlisten = "[::1]:9"', {"OPSYNC_SERVICE__LISTEN": "0.0.0.0:1"}, "127.0.0.1:1"),
        ("not = = toml", {}, LISTEN),
    ],
)
def test_it_asks_where_the_service_listens(
    text: str, environ: dict[str, str], asked: str, tmp_path: Path
) -> None:
    path = tmp_path / "opsync.toml"
    path.write_text(text, encoding="utf-8")
    host, port = address({"OPSYNC_CONFIG": str(path), **environ})
    assert f"{host}:{port}" == asked


def test_it_loads_none_of_what_the_service_needs() -> None:
    script = (
        "import sys, opsync.service.probe\n"
        "heavy = {'pydantic', 'sqlalchemy', 'httpx', 'starlette', 'prometheus_client', 'click'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
