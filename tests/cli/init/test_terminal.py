"""`opsync init` in a real terminal: prompts come, and a token that is typed does not show."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opsync.sandbox import launch

OPSYNC = (sys.executable, "-P", "-c", "from opsync.cli import main; main()")
WRONG = "canary-of-a-wrong-token"


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, *words: str, folder: Path, environ: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [*OPSYNC, *words],
            cwd=folder,
            env=environ,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = ""

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and type an answer."""
        before = len(self.seen)
        self._read_until(question, before)
        # What is typed before the prompt switched the echo off would show in any terminal.
        time.sleep(0.3)
        os.write(self._master, f"{text}\n".encode())

    def interrupt(self, question: str) -> None:
        """Wait for a question and press Ctrl-C."""
        self._read_until(question, 0)
        asked = len(self.seen)
        # One between the prompt and the wait for an answer is noticed after the answer only.
        for _ in range(10):
            time.sleep(0.3)
            self._process.send_signal(signal.SIGINT)
            # The rest of the prompt, which may come late, ends no line.
            while self._read(3.0):
                if "\n" in self.seen[asked:]:
                    return

    def end(self) -> int:
        """Its exit code, after all that it says."""
        while self._read(30.0):
            pass
        os.close(self._master)
        return self._process.wait(10)

    def _read_until(self, question: str, start: int) -> None:
        deadline = time.monotonic() + 45
        while question not in self.seen[start:]:
            if time.monotonic() > deadline or not self._read(5.0):
                raise AssertionError(f"{question!r} is not asked:\n{self.seen}")

    def _read(self, timeout_s: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], timeout_s)
        if not ready:
            return False
        try:
            found = os.read(self._master, 65536)
        except OSError:  # The other side is closed.
            return False
        self.seen += found.decode(errors="replace")
        return bool(found)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_token_that_is_typed_does_not_show_and_ends_in_its_folder(tmp_path: Path) -> None:
    with launch.harbor() as url:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("OPSYNC_")}
        environ |= {"OPSYNC_LINEAR__BASE_URL": f"{url}/linear", "TERM": "dumb"}
        terminal = Terminal("init", "--linear", "--no-look", folder=tmp_path, environ=environ)
        terminal.answer("Token", WRONG)
        terminal.answer("Another token", launch.TOKENS["linear"])
        terminal.answer("Which teams to read", "growth")
        terminal.answer("Keep them in", "y")
        code = terminal.end()

    assert code == 0, terminal.seen
    assert WRONG not in terminal.seen
    assert launch.TOKENS["linear"] not in terminal.seen
    secret = tmp_path / "secrets" / "OPSYNC_LINEAR__TOKEN"
    assert secret.read_text() == launch.TOKENS["linear"]
    assert 'teams = ["GRO"]' in (tmp_path / "opsync.toml").read_text()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_ctrl_c_at_a_question_leaves_nothing_behind(tmp_path: Path) -> None:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("OPSYNC_")}
    terminal = Terminal("init", folder=tmp_path, environ=environ | {"TERM": "dumb"})
    terminal.interrupt("Do you use Jira?")

    assert terminal.end() == 130
    assert "Traceback" not in terminal.seen
    assert list(tmp_path.iterdir()) == []
