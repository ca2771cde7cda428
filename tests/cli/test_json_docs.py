"""docs/json.md against what the commands print: no key is missing from the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Company
from tests.cli.measuring import measured

PAGE = Path(__file__).resolve().parents[2] / "docs" / "json.md"

# What these hold is named by people or by connectors, not by the page.
FREE = frozenset(
    {
        "by_tool",
        "before",
        "after",
        "should_be",
        "wrote",
        "is_now",
        "inputs",
        "counts",
        "value",
        "in_teams",
    }
)


def _keys(found: Any) -> Iterator[str]:
    if isinstance(found, list):
        for one in found:
            yield from _keys(one)
    elif isinstance(found, dict):
        for key, value in found.items():
            yield key
            if key not in FREE:
                yield from _keys(value)


def _doubtful(company: Company) -> None:
    """Give two items an owner of one name, who may be two."""
    for name in ("roadmap", "work"):
        owner = {"id": "u1", "name": "Ana Reyes", "email": f"ana@{name}.example"}
        company.edit(name, lambda state, who=owner: state["items"][0].update(owner=who))
    company.opsync("sync")


@pytest.mark.parametrize(
    "command",
    [
        "sync",
        "plan --offline",
        "status",
        "digest",
        "look",
        "look --offline",
        "explain|One-tap checkout",
        "explain|One-tap checkout|Delivery",
        "explain PAY-118",
        "explain PAY-9999",
        "explain checkout",
        "links",
        "records",
        "statuses",
        "people",
        "rollups",
        "journal",
        "doctor",
        "plugins",
        "config show",
        "config check",
        "db check",
        "db prune",
        "owned",
        "aside",
        "undo",
        "release --all --remove",
        "pause",
    ],
)
def test_every_key_is_documented(synced: Company, command: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    synced.move("PAY-118", "done")
    if command == "people":
        _doubtful(synced)
    if command == "aside":
        synced.edit("work", lambda state: state["items"][-1].update(broken=True))
        synced.fail("roadmap", "writes")
        synced.opsync("sync")
    if command == "undo":
        synced.edit("roadmap", lambda state: state["written"]["sso"].update(delivery="Ask Dana"))
    args = command.split("|") if "|" in command else command.split()
    found = synced.opsync(*args, "--json").json
    missing = {key for key in _keys(found) if f"`{key}`" not in page and f'"{key}"' not in page}
    assert not missing


def test_every_key_of_what_is_settled_is_documented(synced: Company) -> None:
    page = PAGE.read_text(encoding="utf-8")
    synced.opsync("undo")
    found = synced.opsync("resolve", "one-tap", "--ours", "--json").json
    missing = {key for key in _keys(found) if f"`{key}`" not in page and f'"{key}"' not in page}
    assert found["values"]
    assert not missing


def test_every_key_of_what_is_approved_is_documented(synced: Company) -> None:
    page = PAGE.read_text(encoding="utf-8")
    synced.configure(mode="propose")
    synced.move("PAY-118", "done")
    synced.opsync("plan")
    synced.opsync("apply")
    found = synced.opsync("apply", "--approvals", "--json").json
    missing = {key for key in _keys(found) if f"`{key}`" not in page and f'"{key}"' not in page}
    assert found
    assert not missing


def test_every_key_of_copies_is_documented(synced: Company) -> None:
    page = PAGE.read_text(encoding="utf-8")
    copy = str(synced.folder / "copy.db")
    for command in ("backup", "restore"):
        found = synced.opsync("db", command, copy, "--json").json
        assert {key for key in _keys(found) if f"`{key}`" not in page} == set()


@pytest.mark.parametrize(
    "command", ["status", "explain|Early bird", "explain|Linked one", "doctor"]
)
def test_every_key_of_what_is_measured_is_documented(company: Company, command: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    found = measured(company).opsync(*command.split("|"), "--json").json
    missing = {key for key in _keys(found) if f"`{key}`" not in page and f'"{key}"' not in page}
    assert not missing
