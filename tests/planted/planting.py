"""Plants a mistake into a copy of the project and runs tests there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from signal import SIGKILL
from threading import Timer
from typing import Literal

from tests.planted.catalog import Bug

NEAR_S = 600.0
ALL_S = 2400.0
"""Seconds for the tests near a mistake, and for all of them. Later than that is not noticed."""
PYTEST = ("-v", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:randomly")
EVERY = ("-m", "slow or not slow")
"""The nearest tests are run also where they are slow."""
WHOLE = ("tests", "--ignore=tests/planted", "--ignore=tests/mutation", "-n2")
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "*_cache", "__pycache__", "dist", "build", "*.egg-info", "mutants"
)

_FAILED = re.compile(
    r"^(?P<one>\S+?::\w+)(?:\[.*\])? (?:FAILED|ERROR)|(?:FAILED|ERROR) (?P<other>\S+?::\w+)"
)
"""A test that did not pass, as pytest tells it at once, by itself or by several processes."""

State = Literal["caught", "survived", "broken"]


@dataclass(frozen=True)
class Found:
    """What came of one mistake: the test that noticed it, where it is `broken` why."""

    bug: Bug
    state: State
    by: str = ""
    near: bool = True
    seconds: float = 0.0


@dataclass(frozen=True)
class Ended:
    """How a run of tests ended: pytest's exit code (1 at the first failure, whatever comes after
    it; below 0: it took too long and was ended), the first failure."""

    code: int
    failed: str
    said: str


class Copy:
    """A copy of the project in which one mistake at a time stands."""

    def __init__(self, root: Path, here: Path) -> None:
        shutil.copytree(root, here, ignore=LEFT_OUT, dirs_exist_ok=True)
        self.here = here

    def passes(self, tests: Sequence[str]) -> Ended:
        """Run these without any mistake."""
        return self._run(tests, ALL_S)

    def plant(self, bug: Bug) -> Found:
        """Run the tests with this mistake. Raises DoesNotApply."""
        path = self.here / bug.file
        source = path.read_text(encoding="utf-8")
        begun = time.monotonic()
        _write(path, bug.planted(source))
        try:
            near = self._run(bug.tests, NEAR_S)
            ended = near if near.code != 0 else self._run(WHOLE, ALL_S)
        finally:
            _write(path, source)
        took = time.monotonic() - begun
        if ended.code == 1 and ended.failed:
            return Found(bug, "caught", ended.failed, ended is near, took)
        if ended.code == 0:
            return Found(bug, "survived", seconds=took)
        return Found(bug, "broken", ended.said, seconds=took)

    def _run(self, tests: Sequence[str], bound_s: float) -> Ended:
        parts = [str(self.here / "src"), str(self.here / "plugins")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(parts)}
        every = () if tests == WHOLE else EVERY
        command = [sys.executable, "-m", "pytest", *PYTEST, *every, *tests]
        process = subprocess.Popen(
            command,
            cwd=self.here,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        bound = Timer(bound_s, partial(_end, process))
        bound.start()
        said: list[str] = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if found := _FAILED.search(line):
                    return Ended(1, found["one"] or found["other"], line)
            return Ended(process.wait(), "", "".join(said)[-600:].strip())
        finally:
            bound.cancel()
            _end(process)
            if process.stdout is not None:
                process.stdout.close()

    def imported(self) -> str:
        """Where the program is imported from in this copy."""
        parts = [str(self.here / "src"), str(self.here / "plugins")]
        return subprocess.run(
            [sys.executable, "-c", "import opsync; print(opsync.__file__)"],
            cwd=self.here,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(parts)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()


def _end(process: subprocess.Popen[str]) -> None:
    """End a run that was started here, with all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, SIGKILL)
    process.wait()


def _write(path: Path, source: str) -> None:
    """Write a module, and drop what was compiled of it: two texts of one size within a second
    would pass for one."""
    path.write_text(source, encoding="utf-8")
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
        compiled.unlink()
