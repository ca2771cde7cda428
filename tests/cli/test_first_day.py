"""docs/first-day.md is what a new user sees: the walk, in real processes, against the page.

The page's recorded blocks are compared with what the commands print, but for ports, dates, times
and durations. After an intended change, record them again:

    RECORD_FIRST_DAY=1 python -m pytest -n0 -m slow tests/cli/test_first_day.py
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from opsync.sandbox import launch

pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parents[2] / "docs" / "first-day.md"
RECORD = "RECORD_FIRST_DAY"
MINUTES = 5
"""What the whole walk may take, the installation included …"""
INSTALL_S = 120
"""… for which so much is set aside."""

_BLOCK = re.compile(r"(<!-- recorded: (\w+) -->\n```\w+\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\d"), "DATE"),
    (re.compile(rf"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?\d{{1,2}} (?:{_MONTHS})\b"), "DATE"),
    (re.compile(r"\b\d\d:\d\d\b"), "TIME"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:s|min|ms)\b"), "SPAN"),
    (re.compile(r"[^\S\n]+"), " "),
)


@dataclass(frozen=True)
class Walk:
    """What was printed, by the name of its block, and how long all of it took."""

    blocks: dict[str, str]
    seconds: float


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """A new user's folder, a sandbox beside it, and every command of the page."""
    folder = tmp_path_factory.mktemp("first-day")
    began = time.monotonic()
    port = launch.free_port(0)
    sandbox = _start("sandbox", "--port", str(port), folder=folder)
    try:
        told = _until(sandbox, "Ctrl-C")
        done = _start("init", "--sandbox", f"http://127.0.0.1:{port}", folder=folder)
        out, err = done.communicate(timeout=120)
        assert done.returncode == 0, out + err
        seconds = time.monotonic() - began
        toml = (folder / "opsync.toml").read_text(encoding="utf-8")
        blocks = {"sandbox": told, "init": out, "toml": toml}
        yield Walk({name: _as_printed(text, port) for name, text in blocks.items()}, seconds)
    finally:
        sandbox.send_signal(signal.SIGTERM)
        sandbox.communicate(timeout=10)


def test_the_walk_takes_less_than_five_minutes(walk: Walk) -> None:
    assert walk.seconds < MINUTES * 60 - INSTALL_S


def test_the_page_shows_what_the_commands_print(walk: Walk) -> None:
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get(RECORD):
        page = _BLOCK.sub(lambda block: f"{block[1]}{walk.blocks[block[2]]}{block[4]}", page)
        PAGE.write_text(page, encoding="utf-8")
    shown = {block[2]: block[3] for block in _BLOCK.finditer(page)}
    assert set(shown) == set(walk.blocks)
    for name, text in walk.blocks.items():
        assert _steady(shown[name]) == _steady(text), f"{name}: record the page again"


def test_no_token_is_printed_or_written_into_the_file(walk: Walk) -> None:
    for name in ("init", "toml"):
        assert not any(token in walk.blocks[name] for token in launch.TOKENS.values())


def test_what_varies_is_told_apart_from_what_does_not() -> None:
    one = "12 of 20 · due 5 Dec  · Sun 22 Nov 14:05 · 0.6 s"
    other = "12 of 20 · due 26 Nov · Mon 1 Dec 09:30 · 3 min"

    assert _steady(one) == _steady(other)
    assert _steady(one) != _steady(one.replace("12", "13"))


def _start(*words: str, folder: Path) -> subprocess.Popen[str]:
    """Run opsync as it is called on the page, in a pipe, which cuts no line."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("OPSYNC_")}
    scripts = Path(sys.executable).parent
    environ |= {"TZ": "UTC", "PATH": f"{scripts}{os.pathsep}{environ.get('PATH', '')}"}
    return subprocess.Popen(
        [str(scripts / "opsync"), *words],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _until(process: subprocess.Popen[str], last: str) -> str:
    """What a process prints up to the line that begins with `last`."""
    told = ""
    assert process.stdout is not None
    for line in process.stdout:
        told += line
        if line.startswith(last):
            return told
    raise AssertionError(told)


def _as_printed(text: str, port: int) -> str:
    """A command's output as the page has it: at the usual port, without blank ends."""
    usual = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{launch.PORT}")
    for option, plain in ((" --url", ""), (" --sandbox", " --sandbox")):
        usual = usual.replace(f"{option} http://127.0.0.1:{launch.PORT}", plain)
    return usual.strip("\n") + "\n"


def _steady(text: str) -> str:
    """The text without what is another on another day, or on another machine."""
    for varies, word in _VARIES:
        text = varies.sub(word, text)
    return text
