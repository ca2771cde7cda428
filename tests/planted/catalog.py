"""The mistakes, each as the text that it replaces."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


class DoesNotApply(Exception):
    """The text to replace is not there, or there more than once."""


@dataclass(frozen=True)
class Bug:
    """One mistake: what is done wrong, what `harm` it would do to people, `old` text of `file` that
    becomes `new`, and the `tests` near it."""

    name: str
    mistake: str
    harm: str
    file: str
    old: str
    new: str
    tests: list[str]

    def planted(self, source: str) -> str:
        """The file's text with the mistake in it. Raises DoesNotApply."""
        if (times := source.count(self.old)) != 1:
            raise DoesNotApply(f"{self.name}: its text is in {self.file} {times} times, not once")
        return source.replace(self.old, self.new)


def bugs(folder: Path = HERE / "bugs") -> list[Bug]:
    """All of them, in the order in which they are told."""
    return [
        Bug(**block)
        for name in ("reading", "deciding", "writing", "trust")
        for block in tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))["bug"]
    ]
