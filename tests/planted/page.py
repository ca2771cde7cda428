"""docs/planted-bugs.md: the table of the mistakes and of the tests that noticed them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tests.planted.catalog import ROOT, Bug

PAGE = ROOT / "docs" / "planted-bugs.md"
_HEAD = """\
# Planted bugs

Tests that never fail prove nothing. Here are {count} mistakes of the kind that people make, each
with what it would do to you. `python -m tests.planted` puts one at a time into a copy of opsync and
runs its tests: every one of them is noticed, or the command ends with 1. So it does where a text
that a mistake replaces is not there any more.

{run}

| name | the mistake | what it would do to you | noticed by |
|---|---|---|---|
"""
_RUN = re.compile(r"^The last full run, .*?\.$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `([\w-]+)` \| (.*?) \| (.*?) \| `(\S+?)` \|$", re.MULTILINE)


def rows(page: str) -> dict[str, tuple[str, str, str]]:
    """What the page says of each: the mistake, what it would do, and the test."""
    return {name: (mistake, harm, by) for name, mistake, harm, by in _ROW.findall(page)}


def last_run(page: str) -> str:
    """What the page says of the last full run."""
    found = _RUN.search(page)
    return found[0] if found else ""


def of_run(day: str, commit: str, count: int, seconds: float) -> str:
    """The sentence about a full run."""
    return (
        f"The last full run, on {day} at {commit}, planted all {count}; it took "
        f"{max(1, round(seconds / 60))} minutes."
    )


def written(bugs: Sequence[Bug], by: Mapping[str, str], run: str) -> str:
    """The page. `by` has the test that noticed each."""
    lines = [
        f"| `{one.name}` | {_cell(one.mistake)} | {_cell(one.harm)} | `{by[one.name]}` |\n"
        for one in bugs
        if one.name in by
    ]
    return _HEAD.format(count=len(bugs), run=run) + "".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
