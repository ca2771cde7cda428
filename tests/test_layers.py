"""The shape of the code: layers point down, stages are pure, time and chance are injected."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = sorted((ROOT / "src").rglob("*.py")) + sorted((ROOT / "plugins").rglob("*.py"))

OF_THE_MACHINE = {
    "asyncio.sleep",
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "os.urandom",
    "time.monotonic",
    "time.perf_counter",
    "time.sleep",
    "time.time",
    "uuid.uuid1",
    "uuid.uuid4",
}
"""Calls whose answer differs between two equal passes. Besides: all of `random` and `secrets`."""

JUSTIFIED = {
    # An answer made by hand, without the time it came at: only then is the clock asked.
    ("src/opsync/http/answer.py", "datetime.datetime.now"),
}


def _names(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for: {"sleep": "asyncio.sleep", "dt": "datetime"}."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return ""
    return ".".join([names[node.id], *reversed(parts)])


def machine_calls(source: str) -> Iterator[tuple[int, str]]:
    """The line and name of each call that asks the machine for time, chance or an identifier."""
    tree = ast.parse(source)
    names = _names(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _dotted(node.func, names)
        if name == "asyncio.sleep" and ast.unparse(node.args[0]) == "0":
            continue  # lets others run; no time passes
        if name in OF_THE_MACHINE or name.partition(".")[0] in {"random", "secrets"}:
            yield node.lineno, name


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import time\ntime.time()", ["time.time"]),
        ("from datetime import datetime as dt\ndt.now()", ["datetime.datetime.now"]),
        ("import random\nrandom.random()", ["random.random"]),
        ("import asyncio\nasyncio.sleep(1)", ["asyncio.sleep"]),
        ("import asyncio\nasyncio.sleep(0)", []),
        ("clock.now()", []),
    ],
)
def test_the_lint_sees_calls_by_what_they_are(source: str, found: list[str]) -> None:
    assert [name for _, name in machine_calls(source)] == found


def test_time_chance_and_ids_come_from_the_runtime_only() -> None:
    found: set[tuple[str, str]] = set()
    for path in CODE:
        name = path.relative_to(ROOT).as_posix()
        if name == "src/opsync/runtime.py" or name.startswith("src/opsync/sandbox/"):
            continue
        found |= {(name, call) for _, call in machine_calls(path.read_text(encoding="utf-8"))}
    assert sorted(found - JUSTIFIED) == []
    assert sorted(JUSTIFIED - found) == [], "an exception that nothing needs any more"


@pytest.mark.parametrize("stage", ["normalize", "link", "rollup", "plan"])
def test_a_stage_that_decides_is_plain_synchronous_code(stage: str) -> None:
    tree = ast.parse((ROOT / f"src/opsync/stages/{stage}.py").read_text(encoding="utf-8"))
    asynchronous = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, asynchronous)]
    roots = {name.partition(".")[0] for name in _names(tree).values()}
    assert not roots & {"asyncio", "time", "random", "uuid", "os", "pathlib", "logging", "socket"}


def test_layers_point_down() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
