"""An empty folder to work in, tools that answer as scripted, and a person at the keyboard."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from opsync import Category, Check, Choice, FirstRead, Grant, Guess, StatusWord
from opsync.cli.init import journey
from opsync.cli.init.text import placeholders
from opsync.cli.root import run
from opsync.config import Config, build, env_name
from opsync.plugins import Plugins, load
from tests.cli.init import scripted
from tests.cli.init.scripted import Tools

ROADMAP = "0123456789abcdef0123456789abcdef"
TASKS = "fedcba9876543210fedcba9876543210"


@dataclass
class Said:
    """What one run of `opsync init` came to, and all that it printed."""

    code: int
    text: str


@dataclass
class Init:
    """Runs `opsync init` in an empty folder."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def alone(self, *options: str, stdin: str = "") -> Said:
        """Nobody is there to be asked."""
        return self._run(options, stdin)

    def asked(self, *options: str, answers: tuple[str, ...]) -> Said:
        """A person gives the answers, one after the other; "" is Enter."""
        self.monkeypatch.setattr(journey, "attended", lambda: True)
        return self._run(options, "".join(f"{answer}\n" for answer in answers))

    def token(self, name: str, value: str, setting: str = "token") -> None:
        """Put a connection's token into the environment."""
        self.monkeypatch.setenv(env_name(name, setting), value)

    def written(self, name: str = "opsync.toml") -> dict[str, Any]:
        return tomllib.loads((self.folder / name).read_text(encoding="utf-8"))

    def config(self, name: str = "opsync.toml") -> Config:
        """What was written, checked as every command does."""
        return build(placeholders(self.written(name)), path=self.folder / name)

    def settings(self, instance: str) -> dict[str, Any]:
        found: dict[str, Any] = self.config().instances[instance].settings.model_dump(mode="json")
        return found

    def _run(self, options: tuple[str, ...], stdin: str) -> Said:
        with CliRunner().isolation(input=stdin) as streams:
            code = run(["init", *options])
            text = streams[2].getvalue().decode()
        return Said(code, text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, on a machine that has no secrets and lives in Berlin."""
    for name in list(os.environ):
        if name.startswith("OPSYNC_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TZ", "Europe/Berlin")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def init(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Init:
    """The command, on a machine on which looking costs nothing."""
    monkeypatch.setattr("opsync.cli.look.look", scripted.look)
    monkeypatch.setattr(scripted, "look_ends_with", [0])
    scripted.looks.clear()
    return Init(folder, monkeypatch)


@pytest.fixture
def tools(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """Harbor's tools, scripted; each takes the token that works."""
    tools = Tools()

    def loaded(**given: Any) -> Plugins:
        plugins = load(wanted=())
        plugins.connectors.update(tools.classes)
        return plugins

    monkeypatch.setattr("opsync.config.load", loaded)
    write = Grant("Write", "write", None, "links on issues", "Keys → Write.")
    tools.jira.grants = (
        Grant("read:jira-work", "read", True, "projects and issues", "Tokens → Scopes."),
        Grant("write:jira-work", "write", None, "links on work", "Tokens → Scopes."),
    )
    tools.jira.choices = (
        Choice("MOB", "Mobile"),
        Choice("PAY", "Payments"),
        Choice("SEC", "Security", private=True),
    )
    tools.jira.words = (
        StatusWord(id="1", name="Done", category=Category.done, counts_as=Category.done),
        StatusWord(
            id="2",
            name="Won't do",
            category=Category.done,
            counts_as=Category.done,
            table="resolutions",
        ),
        StatusWord(
            id="3",
            name="Abgelehnt",
            category=Category.done,
            counts_as=Category.done,
            where=("MOB",),
        ),
    )
    tools.linear.grants = (Grant("Read", "read", True, "issues and projects", "Keys."), write)
    tools.linear.choices = (Choice("GRO", "Growth"), Choice("SEC", "Security", private=True))
    tools.linear.first_read = FirstRead(50, 2, 1.0, more=True)
    tools.notion.grants = (Grant("Read content", "read", True, "pages", "Capabilities."), write)
    tools.notion.choices = (Choice(ROADMAP, "Roadmap"),)
    tools.notion.first_read = FirstRead(None, 3, 5.0)
    tools.notion.guesses = roadmap_columns
    for name in ("posthog", "amplitude", "mixpanel"):
        script = tools.classes[name].script
        script.grants = (
            Grant("Query", "read", True, "how much things are used", "Keys → Scopes."),
            Grant("Annotations", "write", None, "annotations on charts", "Keys → Scopes."),
        )
        script.choices = (Choice("7", "Harbor"),)
        script.first_read = FirstRead(None, 1, 0.5)
        script.zone = "America/New_York"
    return tools


def roadmap_columns(settings: Any) -> list[Guess]:
    """What Notion guesses about each data source in scope; a column that is named is taken."""
    titles = ("One-tap checkout", "Instant payouts", "SSO for teams", "A fourth row")
    found = []
    for block in settings.data_sources:
        table = block.id if block.id in (ROADMAP, TASKS) else ROADMAP
        found += [
            Guess(table, "title", "Name", titles),
            Guess(
                table,
                "status",
                {"": "Status", "Nope": ""}.get(block.status, block.status),
                ("On track", "Done", "In progress"),
            ),
            Guess(table, "due", block.due or "Due", ("2026-12-01", "", "2026-11-01")),
            Guess(table, "owner", block.owner or "Owner", ("Ana Reyes", "Ben Okafor", "")),
            Guess(
                table,
                "links",
                block.links[0] if block.links else "Tracked in",
                ("PAY-100", "PAY-60", "PAY-200") if not block.links else ("", "PAY-60", ""),
            ),
        ]
    return found


@pytest.fixture
def ready(init: Init, tools: Tools) -> Init:
    """All three tokens are in the environment."""
    for name in ("jira-main", "linear", "notion"):
        init.token(name, tools.jira.tokens[0])
    return init


def taken(name: str) -> Callable[[Any], list[Check]]:
    """Doctor's checks where a person has a column called like opsync's."""

    def checks(settings: Any) -> list[Check]:
        ours = settings.data_sources[0].columns.delivery
        found = [Check("Sign-in", "ok", "Signed in.")]
        if ours == name:
            found.append(
                Check(
                    f"Roadmap: {name}",
                    "warn",
                    f'A person has a column "{name}"; opsync\'s will be "{name} (opsync)".',
                    "Or set columns.delivery to another name.",
                    setting="data_sources.0.columns.delivery",
                )
            )
        return found

    return checks


def with_use(settings: Any) -> list[Guess]:
    """The same for a roadmap that has columns for flags and for the day of the release."""
    text = {"Flag": ("", "instant-payouts", ""), "Team": ("Web", "Payments", "")}
    date = {"Released": ("", "2026-11-07", ""), "Kick-off": ("2026-09-01", "", "")}

    def guess(role: str, column: str, fitting: dict[str, tuple[str, ...]]) -> Guess:
        others = {name: shown for name, shown in fitting.items() if name != column}
        return Guess(ROADMAP, role, column, fitting.get(column, ()), others)

    return [
        *roadmap_columns(settings),
        guess("event", "", text),
        guess("flag", "Flag", text),
        guess("insight", "", text),
        guess("released", "Released", date),
    ]
