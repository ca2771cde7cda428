"""What `opsync init` writes: a few answers, laid out as a commented configuration. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from opsync.config import env_name

ModeName = Literal["observe", "apply"]

JIRA, LINEAR, NOTION = "jira-main", "linear", "notion"
"""What the connections are called."""


@dataclass(frozen=True, slots=True)
class JiraAnswers:
    """One Jira. `api` is where its API is asked if not at `site`; `canceled` are resolutions."""

    site: str
    email: str = ""
    api: str = ""
    projects: tuple[str, ...] = ()
    canceled: tuple[str, ...] = ()
    datacenter: bool = False


@dataclass(frozen=True, slots=True)
class LinearAnswers:
    """One Linear workspace."""

    api: str = ""
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotionAnswers:
    """One Notion workspace: its databases, by id or URL, and what people call them."""

    databases: tuple[str, ...]
    api: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """All that a configuration is made of.

    `tracked_in` are the columns in which people paste links. `tokens`, by connection, are written
    into the file: meant for the sandbox, whose tokens open nothing else.
    """

    mode: ModeName = "observe"
    jira: JiraAnswers | None = None
    linear: LinearAnswers | None = None
    notion: NotionAnswers | None = None
    tracked_in: tuple[str, ...] = ()
    time_zone: str = "UTC"
    tokens: Mapping[str, str] | None = None

    @property
    def instances(self) -> tuple[str, ...]:
        """The connections' names, in the order of the file."""
        parts = ((JIRA, self.jira), (LINEAR, self.linear), (NOTION, self.notion))
        return tuple(name for name, part in parts if part is not None)


def render(answers: Answers) -> str:
    """The configuration as TOML text."""
    lines = [
        "# What opsync connects and what it writes. Every setting there is: opsync config schema",
        "# Environment variables win over this file; secrets belong there, not here.",
        "",
        "# Where opsync keeps what it knows; relative to this file.",
        *_key("store", "opsync.db"),
        '# The zone in which days begin, as in "Europe/Berlin".',
        *_key("time_zone", answers.time_zone),
        "",
        "# Items that name each other are linked on both sides.",
        "[links]",
        '# "observe" shows what would be written, "apply" writes it.',
        *_key("mode", answers.mode),
        *_rule(answers),
    ]
    if answers.jira is not None:
        lines += _jira(answers.jira, answers)
    if answers.linear is not None:
        lines += _linear(answers.linear, answers)
    if answers.notion is not None:
        lines += _notion(answers.notion, answers)
    return "\n".join(lines) + "\n"


def _rule(answers: Answers) -> list[str]:
    """Initiatives are the roadmap's pages, else Linear's projects, else Jira's epics."""
    instance, kind = (
        (NOTION, "initiative")
        if answers.notion
        else (LINEAR, "project")
        if answers.linear
        else (JIRA, "epic")
    )
    lines = [
        "",
        "# The delivery summary: what is done, blocked and due over all tools.",
        "[[rollup]]",
        *_key("name", "roadmap"),
        *_key("mode", answers.mode),
    ]
    if answers.tracked_in:
        lines += [
            "# The columns in which people paste links to an initiative's work.",
            *_key("properties", answers.tracked_in),
        ]
    elif answers.notion:
        lines += [
            "# Links in any column count. To count those of some columns only:",
            '# properties = ["Tracked in"]',
        ]
    return [
        *lines,
        "# Where it is written: on the initiative, and on the epics and projects that it names.",
        *_key("write_to", ("root", "containers")),
        "",
        "[rollup.roots]",
        *_key("instance", instance),
        *_key("kind", kind),
    ]


def _jira(jira: JiraAnswers, answers: Answers) -> list[str]:
    lines = [*_head(JIRA, "jira"), *_key("site", jira.site)]
    if jira.api:
        lines += _key("base_url", jira.api)
    if jira.datacenter:
        lines += _key("deployment", "datacenter")
    if jira.email:
        lines += _key("email", jira.email)
    lines += _token(JIRA, answers)
    if jira.projects:
        lines += _key("projects", jira.projects)
    else:
        lines += ["# Every project that the account sees. To read some of them only:"]
        lines += ['# projects = ["PAY", "MOB"]']
    lines += ["", "# Jira has no category for canceled work: name the resolutions that mean it."]
    lines += [f"[instances.{JIRA}.resolutions]"]
    for name in jira.canceled:
        lines += [f'{_quoted(name)} = "canceled"']
    if not jira.canceled:
        lines += ['# "Won\'t Do" = "canceled"']
    return lines


def _linear(linear: LinearAnswers, answers: Answers) -> list[str]:
    lines = _head(LINEAR, "linear")
    if linear.api:
        lines += _key("base_url", linear.api)
    lines += _token(LINEAR, answers)
    if linear.teams:
        return [*lines, *_key("teams", linear.teams)]
    return [
        *lines,
        "# Every team that the token sees. To read some of them only:",
        '# teams = ["GRO"]',
    ]


def _notion(notion: NotionAnswers, answers: Answers) -> list[str]:
    lines = _head(NOTION, "notion")
    if notion.api:
        lines += _key("base_url", notion.api)
    lines += _token(NOTION, answers)
    names = (*notion.names, *("" for _ in notion.databases))
    for database, name in zip(notion.databases, names, strict=False):
        lines += ["", f"[[instances.{NOTION}.data_sources]]", *_key("id", database)]
        if name:
            lines += _key("name", name)
    return lines


def _head(name: str, connector: str) -> list[str]:
    return ["", f"[instances.{name}]", *_key("connector", connector)]


def _token(name: str, answers: Answers) -> list[str]:
    token = (answers.tokens or {}).get(name)
    if token is None:
        return [f"# The token comes from the environment: {env_name(name, 'token')}"]
    return ["# The sandbox's own token: it opens nothing else.", *_key("token", token)]


def _key(key: str, value: str | Iterable[str]) -> list[str]:
    if isinstance(value, str):
        return [f"{key} = {_quoted(value)}"]
    return [f"{key} = [{', '.join(_quoted(one) for one in value)}]"]


def _quoted(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def placeholders(raw: dict[str, Any]) -> dict[str, Any]:
    """The parsed configuration with a stand-in for every token that is not in it.

    With it the rest can be checked before any token is at hand.
    """
    blocks = {
        name: block if "token" in block else {**block, "token": "not-here-yet"}
        for name, block in raw.get("instances", {}).items()
    }
    return {**raw, "instances": blocks}
