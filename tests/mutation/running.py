"""Runs tests against one changed module, each change in a process of its own, and no file changes.

Where a change is inside a function, pytest collects the tests once, and a process is forked for
each change that swaps the function's code and runs what was collected. Else (a constant of a
module, a default) the process is forked from one that has nothing of the program loaded yet.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from ast import Module
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTEST = (
    "-q", "-x", "-n0", "--no-header", "-p", "no:cacheprovider", "-p", "no:randomly",
    "-m", "slow or not slow",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip
BROKEN = 70
"""The exit code of a process that could not run the tests at all."""
LEAST_S = 60.0
SLOWER = 15.0
"""A run may take so many times what it takes without a change: the machine may be busy."""
LONGEST_S = 1200.0
_UNCHANGED = ""
_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Ran:
    """How one run of tests ended: `passed`, `failed` (some test did not pass), `late`, or `broken`
    where no test could be run."""

    state: str
    seconds: float


@dataclass(frozen=True)
class Job:
    """A change to judge: of `module`, which is `tree` with it, in the function `path`."""

    name: str
    module: str
    source: str
    path: tuple[str, ...]
    tree: Callable[[], Module]


def module_of(file: str) -> str:
    """The name under which a file's module is imported: "src/opsync/log.py" is `opsync.log`."""
    parts = Path(file).with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def judge(jobs: Sequence[Job], tests: Sequence[str], at_once: int) -> dict[str, Ran]:
    """Run these tests with each change. Raises RuntimeError where they fail without any."""
    with tempfile.TemporaryDirectory(
        prefix="mutation-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None
    ) as scratch:
        here = Path(scratch)
        server = here / "swapped.json"
        swapped = [job for job in jobs if swap(job) is not None]
        serving = partial(_serve, swapped, tests, at_once, here, server)
        ended = _Children(here, 1).all([("server", serving)], lambda: LONGEST_S * len(jobs) + 600)
        if ended["server"].state != "passed" or not server.exists():
            raise RuntimeError(f"the tests fail without any change: {' '.join(tests)}")
        found = {name: Ran(*ran) for name, ran in json.loads(server.read_text()).items()}
        plain = found.pop(_UNCHANGED)
        bound_s = max(LEAST_S, SLOWER * plain.seconds)
        anew = [(job.name, partial(_anew, job, tests)) for job in jobs if job.name not in found]
        return found | _Children(here, at_once).all(anew, lambda: bound_s)


def swap(job: Job) -> tuple[tuple[str, ...], CodeType] | None:
    """The function to swap the code of, and its code; None where the change is in none."""
    before = compile(job.source, job.module, "exec", dont_inherit=True)
    after = compile(job.tree(), job.module, "exec", dont_inherit=True)
    for depth in range(1, len(job.path) + 1):
        found = [_inside(code, job.path[depth - 1]) for code in (before, after)]
        if found[0] is None or found[1] is None:
            return None
        before, after = found[0], found[1]
        if before.co_flags & 0x2:  # CO_NEWLOCALS: a function, no class
            return None if before == after else (job.path[:depth], after)
    return None


def _inside(code: CodeType, name: str) -> CodeType | None:
    found = [one for one in code.co_consts if isinstance(one, CodeType) and one.co_name == name]
    return found[0] if len(found) == 1 else None


def _function(module: str, path: Sequence[str]) -> FunctionType:
    """The function of a module, whatever is wrapped around it."""
    found: object = importlib.import_module(module)
    for name in path:
        found = vars(found)[name]
    if isinstance(found, property):
        found = found.fget
    found = getattr(found, "__func__", found)
    while hasattr(found, "__wrapped__"):
        found = found.__wrapped__
    assert isinstance(found, FunctionType), f"{module}.{'.'.join(path)} is no function"
    return found


class _Children:
    """Processes that were forked here, so many at once, each with a folder of its own."""

    def __init__(self, scratch: Path, at_once: int) -> None:
        self._scratch = scratch
        self._at_once = at_once
        self._count = 0

    def all(
        self, works: Iterable[tuple[str, Callable[[], int]]], bound_s: Callable[[], float]
    ) -> dict[str, Ran]:
        """Run each of these; its result is the process's exit code."""
        waiting = iter(works)
        running: dict[int, tuple[str, float, Path]] = {}
        done: dict[str, Ran] = {}
        try:
            while True:
                while len(running) < self._at_once and (one := next(waiting, None)) is not None:
                    folder = self._folder()
                    running[_fork(one[1], folder)] = one[0], time.monotonic(), folder
                if not running:
                    return done
                for process in list(running):
                    name, begun, folder = running[process]
                    took = time.monotonic() - begun
                    if (state := _ended(process)) is None and took > bound_s():
                        _kill(process)
                        state = "late"
                    if state is not None:
                        del running[process]
                        shutil.rmtree(folder, ignore_errors=True)
                        done[name] = Ran(state, took)
                time.sleep(0.005)
        finally:
            for process in running:
                _kill(process)

    def _folder(self) -> Path:
        self._count += 1
        folder = self._scratch / f"{os.getpid()}-{self._count}"
        folder.mkdir()
        return folder


def _ended(process: int) -> str | None:
    found, status = os.waitpid(process, os.WNOHANG)
    if not found:
        return None
    code = os.waitstatus_to_exitcode(status)
    return {0: "passed", BROKEN: "broken"}.get(code, "failed")


def _kill(process: int) -> None:
    """End a process that was forked here, with all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(process, 0)


def _fork(work: Callable[[], int], folder: Path) -> int:
    sys.stdout.flush()
    process = os.fork()
    if process:
        with suppress(ProcessLookupError, PermissionError):
            os.setpgid(process, process)
        return process
    code = BROKEN
    try:
        os.setpgid(0, 0)
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)
        os.chdir(ROOT)
        _be_quiet()
        code = work()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _be_quiet() -> None:
    if "OPSYNC_MUTATION_OUTPUT" not in os.environ:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)


class _Server:
    """A pytest plugin that runs what was collected once for each change, in a process each."""

    def __init__(self, jobs: Sequence[Job], at_once: int, scratch: Path) -> None:
        self._jobs = jobs
        self._at_once = at_once
        self._scratch = scratch
        self.found: dict[str, Ran] = {}
        self.is_child = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Fork; a child goes on to pytest's own loop."""
        if session.testsfailed:
            return None
        children = _Children(self._scratch, self._at_once)
        works = [(job.name, partial(self._child, session, swap(job), job)) for job in self._jobs]
        plain = children.all(
            [(_UNCHANGED, partial(self._child, session, None, None))], lambda: LONGEST_S
        )
        self.found |= plain
        if plain[_UNCHANGED].state == "passed":
            bound_s = max(LEAST_S, SLOWER * plain[_UNCHANGED].seconds)
            self.found |= children.all(works, lambda: bound_s)
        return True

    def _child(
        self,
        session: pytest.Session,
        change: tuple[tuple[str, ...], CodeType] | None,
        job: Job | None,
    ) -> int:
        if change is not None and job is not None:
            path, code = change
            _function(job.module, path).__code__ = code
        items = session.items
        for at, item in enumerate(items):
            following = items[at + 1] if at + 1 < len(items) else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail or session.testsfailed:
                return 1
        return 0


def _serve(
    jobs: Sequence[Job], tests: Sequence[str], at_once: int, scratch: Path, result: Path
) -> int:
    server = _Server(jobs, at_once, scratch)
    pytest.main([*PYTEST, *tests], plugins=[server])
    if not server.found or server.found[_UNCHANGED].state != "passed":
        return 1
    said = {name: (ran.state, ran.seconds) for name, ran in server.found.items()}
    result.write_text(json.dumps(said))
    return 0


def _anew(job: Job, tests: Sequence[str]) -> int:
    """Import the module as it is with the change, and run the tests."""
    sys.meta_path.insert(0, _Finder(job.module, job.tree()))
    return int(pytest.main([*PYTEST, *tests]))


class _Changed(SourceFileLoader):
    """Loads a module from a tree instead of from its file."""

    def __init__(self, name: str, path: str, tree: Module) -> None:
        super().__init__(name, path)
        self._tree = tree

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = compile(self._tree, self.path, "exec", dont_inherit=True)
        return code


class _Finder(MetaPathFinder):
    def __init__(self, module: str, tree: Module) -> None:
        self._module = module
        self._tree = tree

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        spec = PathFinder.find_spec(fullname, path)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Changed(fullname, spec.origin, self._tree)
        return spec
