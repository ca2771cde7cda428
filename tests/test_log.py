"""Log lines: one each, readable, inert, and free of secrets."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from opsync.log import LogFormat, as_json, bind_run, configure, get_logger, one_line
from opsync.redact import Redactor

CANARY = "canary/secret+0001"


@pytest.fixture(autouse=True)
def _as_if_nothing_was_configured() -> Iterator[None]:
    """Whatever test of the command line set logging up in this process before."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def secrets() -> Redactor:
    redactor = Redactor()
    redactor.add(CANARY)
    return redactor


def test_a_line_for_a_pipe_is_one_json_object(out: io.StringIO, secrets: Redactor) -> None:
    configure(json=True, level="info", secrets=secrets, stream=out)
    get_logger().info("record.stored", title="a\nb\x1b[31m\u202e", count=3)
    (line,) = out.getvalue().splitlines()
    entry = json.loads(line)
    assert list(entry)[:3] == ["at", "level", "event"]
    assert entry["at"].endswith("Z")
    assert (entry["level"], entry["event"], entry["count"]) == ("info", "record.stored", 3)
    assert "\x1b" not in line


def test_a_line_for_a_terminal_stays_one_line_without_escapes(
    out: io.StringIO, secrets: Redactor
) -> None:
    configure(json=False, level="info", secrets=secrets, stream=out)
    get_logger().info("record.stored", title="a\r\n12:00:00 error   forged\x1b[2J\x9b\u202e")
    (line,) = out.getvalue().split("\n")[:-1]
    assert re.match(r"\d\d:\d\d:\d\d info ", line)
    assert line.endswith(r"record.stored title=a\r\n12:00:00 error   forged[2J")


def test_a_traceback_is_indented_so_that_it_cannot_pass_for_a_line(
    out: io.StringIO, secrets: Redactor
) -> None:
    configure(json=False, level="info", secrets=secrets, stream=out)
    try:
        raise ValueError("bad\n12:00:00 info    pass.finished")
    except ValueError:
        get_logger().exception("pass.failed")
    first, *rest = out.getvalue().splitlines()
    assert "pass.failed" in first
    assert rest
    assert all(line.startswith("    ") for line in rest)


def test_levels_below_the_one_asked_for_are_silent(out: io.StringIO, secrets: Redactor) -> None:
    configure(json=True, level="warning", secrets=secrets, stream=out)
    get_logger().info("quiet.kept")
    get_logger().warning("loud.kept")
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["loud.kept"]


def test_errors_come_where_only_errors_are_asked_for(out: io.StringIO, secrets: Redactor) -> None:
    configure(json=True, level="error", secrets=secrets, stream=out)
    get_logger().warning("quiet.kept")
    logging.getLogger("some.library").warning("quiet")
    get_logger().error("loud.kept")
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["loud.kept"]


def test_what_was_set_up_before_counts_no_more(secrets: Redactor) -> None:
    first, second = io.StringIO(), io.StringIO()
    configure(json=True, level="info", secrets=secrets, stream=first)
    log = get_logger()
    log.info("pass.started")
    logging.getLogger().setLevel(logging.DEBUG)
    httpx_log = logging.getLogger("httpx")
    httpx_log.setLevel(logging.DEBUG)
    configure(json=True, level="info", secrets=secrets, stream=second)
    log.info("pass.finished")
    httpx_log.info("GET https://host.example/?key=private")
    logging.getLogger("some.library").info("chatter")
    assert len(first.getvalue().splitlines()) == 1
    assert [json.loads(line)["event"] for line in second.getvalue().splitlines()] == [
        "pass.finished"
    ]


def test_a_librarys_line_is_out_at_once(secrets: Redactor) -> None:
    class Watched(io.StringIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed += 1

    stream = Watched()
    configure(json=True, level="info", secrets=secrets, stream=stream)
    before = stream.flushed
    logging.getLogger("some.library").warning("half full")
    assert stream.flushed > before


@pytest.mark.parametrize("as_json", [True, False])
def test_a_secret_is_in_no_part_of_a_line(
    out: io.StringIO, secrets: Redactor, as_json: bool
) -> None:
    configure(json=as_json, level="debug", secrets=secrets, stream=out)
    log = get_logger().bind(token=CANARY)
    local = CANARY
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise ValueError(f"about {quote(local, safe='')}") from error
    except ValueError:
        log.exception(CANARY, nested={CANARY: [CANARY, {"a": CANARY}]}, raw=CANARY.encode())
    log.debug("request.answered", url=f"https://user:pw-{CANARY}@host/?k={CANARY}")
    logging.getLogger("some.library").warning("it said %s", CANARY)
    text = out.getvalue()
    assert text.count("***") >= 8
    assert "canary" not in text
    assert "pw-" not in text


async def test_httpx_tells_nothing_about_its_requests(out: io.StringIO, secrets: Redactor) -> None:
    configure(json=True, level="debug", secrets=secrets, stream=out)
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    async with httpx.AsyncClient(transport=transport) as http:
        await http.get("https://user:pw@host.example/path?key=private")
    assert out.getvalue() == ""


def test_warnings_of_libraries_come_in_the_same_shape(out: io.StringIO, secrets: Redactor) -> None:
    configure(json=True, level="info", secrets=secrets, stream=out)
    logging.getLogger("some.library").warning("half %s", "full")
    logging.getLogger("some.library").info("chatter")
    (entry,) = map(json.loads, out.getvalue().splitlines())
    assert entry["event"] == "half full"
    assert entry["level"] == "warning"
    assert entry["logger"] == "some.library"


def test_logs_go_to_standard_error_as_it_is_when_written(
    capsys: pytest.CaptureFixture[str], secrets: Redactor
) -> None:
    configure(json=True, level="info", secrets=secrets)
    get_logger().info("pass.started")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "pass.started" in captured.err


def test_without_configuration_only_warnings_come_and_not_on_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    get_logger().info("quiet.kept")
    get_logger().warning("loud.kept", url="https://host/?secret=1")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "quiet" not in captured.err
    assert "loud.kept url=https://host/?***" in captured.err


def test_one_line_keeps_breaks_visible_and_drops_other_controls() -> None:
    assert one_line("a\tb\r\nc\x00\x1b[1m\x7f\u2066d\u2028é") == r"a\tb\r\nc[1mdé"


def test_importing_the_module_does_not_load_structlog() -> None:
    code = "import sys, opsync.log; print('structlog' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# A service ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "terminal", "expected"),
    [
        ("auto", False, True),
        ("auto", True, False),
        ("json", True, True),
        ("json", False, True),
        ("console", False, False),
    ],
)
def test_a_service_logs_json_unless_somebody_looks(
    given: LogFormat, terminal: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    assert as_json(given, stream) is expected


async def test_every_line_of_a_pass_tells_its_run_and_instance(
    out: io.StringIO, secrets: Redactor
) -> None:
    configure(json=True, level="info", secrets=secrets, stream=out)

    async def task(name: str) -> None:
        await asyncio.sleep(0)
        get_logger().info(name)
        logging.getLogger("a.dependency").warning(name)

    async def one_pass(run: int, instance: str) -> None:
        with bind_run(run, instance):
            await asyncio.gather(task("inner"), asyncio.create_task(task("task")))

    await asyncio.gather(one_pass(1, "jira"), one_pass(2, "linear"))
    get_logger().info("outside")
    with bind_run(instance="notion"):
        get_logger().info("reading")

    *inside, outside, reading = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(inside) == 8
    assert {(one["run"], one["instance"]) for one in inside} == {(1, "jira"), (2, "linear")}
    assert not {"run", "instance"} & outside.keys()
    assert (reading["instance"], "run" in reading) == ("notion", False)


@given(st.text(st.characters(min_codepoint=0, max_codepoint=0x2100), max_size=40))
def test_whatever_a_text_has_its_json_line_is_one_line_of_plain_characters(text: str) -> None:
    out = io.StringIO()
    configure(json=True, level="info", secrets=Redactor(), stream=out)
    with bind_run(7, "jira"):
        get_logger().info("record.stored", title=text)
        logging.getLogger("a.dependency").warning("%s", text)
    lines = out.getvalue().split("\n")
    assert len(lines) == 3
    assert lines[-1] == ""
    assert all(" " <= char <= "~" for line in lines for char in line)
    assert json.loads(lines[0])["title"] == text
    assert json.loads(lines[1])["event"] == text
