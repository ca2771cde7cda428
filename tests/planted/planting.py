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
from pathlib import Path
from signal import SIGKILL
from typing import Literal

from tests.planted.catalog import Bug

NEAR_S = 600.0
ALL_S = 2400.0
"""Seconds for the tests near a mistake, and for all of them. Later than that is not noticed."""
PYTEST = ("-q", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:randomly")
WHOLE = ("tests", "--ignore=tests/planted", "--ignore=tests/mutation", "-n2")
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "*_cache", "__pycache__", "dist", "build", "*.egg-info", "mutants"
)

_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+::\S+?)(?:\[.*)?(?: - .*)?$", re.MULTILINE)

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
    """How a run of tests ended: pytest's exit code (None: it was stopped), the first failure."""

    code: int | None
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
        command = [sys.executable, "-m", "pytest", *PYTEST, *tests]
        process = subprocess.Popen(
            command,
            cwd=self.here,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=bound_s)
        except subprocess.TimeoutExpired:
            _end(process)
            return Ended(None, "", f"not done within {bound_s:.0f} s")
        except BaseException:
            _end(process)
            raise
        found = _FAILED.search(said)
        return Ended(process.returncode, found[1] if found else "", said.strip()[-600:])

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
    with suppress(ProcessLookupError):
        os.killpg(process.pid, SIGKILL)
    process.communicate()


def _write(path: Path, source: str) -> None:
    """Write a module, and drop what was compiled of it: two texts of one size within a second
    would pass for one."""
    path.write_text(source, encoding="utf-8")
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
        compiled.unlink()
