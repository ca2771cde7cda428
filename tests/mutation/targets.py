"""What is changed, by which tests it is judged, and which changes are none."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Target:
    """A part of the program. `near` and `further` are tests, `mended` that none may survive."""

    name: str
    files: list[str]
    near: list[str]
    further: list[str] = field(default_factory=list)
    mended: bool = False


def targets() -> dict[str, Target]:
    """All targets by name."""
    found = tomllib.loads((HERE / "targets.toml").read_text(encoding="utf-8"))
    return {name: Target(name, **block) for name, block in found.items()}


def equivalents() -> dict[str, str]:
    """The names of changes after which the program does the same, and why."""
    found = tomllib.loads((HERE / "equivalent.toml").read_text(encoding="utf-8"))
    return {
        f"{one['file']} | {one['where']} | {change}": one["why"]
        for one in found.get("same", [])
        for change in one["changes"]
    }
