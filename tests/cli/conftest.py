"""A small company in two connections, "roadmap" and "work", and the command line on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opsync.cli.root import run

CONFIG = """
plugins_dir = "plugins"
time_zone = "Europe/Berlin"

[links]
mode = "{mode}"

[[rollup]]
name = "roadmap"
mode = "{mode}"
properties = ["Tracked in"]
write_to = ["root"]

[rollup.roots]
instance = "roadmap"
kind = "initiative"

[instances.roadmap]
connector = "toy"
file = "{folder}/roadmap.json"

[instances.work]
connector = "toy"
file = "{folder}/work.json"
token = "s3cr3t-t0k3n"
"""

ROADMAP: list[dict[str, Any]] = [
    {
        "id": "checkout",
        "kind": "initiative",
        "title": "One-tap checkout",
        "names": "PAY-100",
        "status": "On track",
        "category": "in_progress",
        "due": "2020-01-01",
    },
    {
        "id": "sso",
        "kind": "initiative",
        "title": "SSO for teams",
        "names": "PAY-200 and PAY-9999",
        "status": "In progress",
        "category": "in_progress",
    },
    {"id": "empty", "kind": "initiative", "title": "Referral programme"},
]
WORK: list[dict[str, Any]] = [
    {
        "id": "100",
        "kind": "epic",
        "key": "PAY-100",
        "title": "Checkout core",
        "category": "in_progress",
    },
    {
        "id": "101",
        "key": "PAY-101",
        "title": "Session token",
        "category": "done",
        "parent": "100",
    },
    {
        "id": "118",
        "key": "PAY-118",
        "title": "Tokenise cards",
        "category": "in_progress",
        "parent": "100",
        "blocked": True,
    },
    {
        "id": "119",
        "key": "PAY-119",
        "title": "Old idea",
        "category": "canceled",
        "parent": "100",
    },
    {"id": "200", "key": "PAY-200", "title": "SSO", "category": "done"},
    {"id": "77", "key": "PAY-77", "title": "Tidy up", "body": "after PAY-101, see UTF-8"},
]


@dataclass
class Result:
    """What one call of the command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@dataclass
class Company:
    """The two tools' files, the configuration, and the command line."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def opsync(self, *args: str) -> Result:
        """Run `opsync` with this company's configuration."""
        return self.bare(*args, "--config", str(self.folder / "opsync.toml"))

    def bare(self, *args: str) -> Result:
        """Run `opsync` as it is."""
        self.capture.readouterr()
        code = run(list(args))
        out, err = self.capture.readouterr()
        return Result(code, out, err)

    def configure(self, *, mode: str = "apply", more: str = "") -> None:
        text = CONFIG.format(mode=mode, folder=self.folder)
        (self.folder / "opsync.toml").write_text(more + text)

    def read(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text())
        return found

    def edit(self, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Change what stands in a tool."""
        state = self.read(name)
        change(state)
        (self.folder / f"{name}.json").write_text(json.dumps(state))

    def fail(self, name: str, how: str) -> None:
        """Have a tool fail from now on: "sign-in", "down", "bug", "writes", "check", ""."""
        self.edit(name, lambda state: state.update(fail=how))

    def move(self, key: str, category: str) -> None:
        """Move an issue."""

        def moved(state: dict[str, Any]) -> None:
            for item in state["items"]:
                if item.get("key") == key:
                    item["category"] = category

        self.edit("work", moved)


@pytest.fixture
def company(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Company:
    """Nothing has been read yet; the rules write."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "toy.py").write_text("from tests.cli.toy import register_connectors\n")
    (tmp_path / "roadmap.json").write_text(json.dumps({"items": ROADMAP}))
    (tmp_path / "work.json").write_text(json.dumps({"items": WORK}))
    company = Company(tmp_path, capsys)
    company.configure()
    return company


@pytest.fixture
def synced(company: Company) -> Company:
    """After one sync that wrote everything."""
    result = company.opsync("sync")
    assert result.code == 0, result.out + result.err
    return company
