"""The tools as a test wants them: they answer from a script, without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import click

from opsync import (
    Change,
    Check,
    Choice,
    Connector,
    Content,
    Diagnosable,
    Explorable,
    FirstRead,
    Grant,
    Guess,
    Kind,
    Measurable,
    Metric,
    OpsyncError,
    Outcome,
    Reading,
    Record,
    Ref,
    Seen,
    SignInError,
    Span,
    StatusWord,
    Surface,
    Value,
    Writable,
)
from opsync.cli.init.table import credentials
from opsync_amplitude.settings import AmplitudeSettings
from opsync_jira.settings import JiraSettings
from opsync_linear.settings import LinearSettings
from opsync_mixpanel.settings import MixpanelSettings
from opsync_notion.settings import NotionSettings
from opsync_posthog.settings import PostHogSettings

TOKEN = "t0ken-that-works"

looks: list[Path] = []
"""The configurations that were looked at in this test, in turn."""
look_ends_with = [0]
"""The exit code of looking."""


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path))
def look(path: Path) -> int:
    """Stands in for `opsync look`, which has tests of its own."""
    looks.append(path)
    click.echo("41 of 96 in progress without an initiative")
    return look_ends_with[0]


@dataclass
class Script:
    """What one tool answers. `down` errors are raised first, one a sign-in."""

    tokens: tuple[str, ...] = (TOKEN,)
    grants: tuple[Grant, ...] = ()
    choices: tuple[Choice, ...] | OpsyncError = ()
    guesses: Callable[[Any], Sequence[Guess]] = lambda settings: ()
    words: tuple[StatusWord, ...] = ()
    first_read: FirstRead | OpsyncError = field(default_factory=lambda: FirstRead(100, 4, 2.0))
    checks: Callable[[Any], Sequence[Check]] = lambda settings: (
        Check("Sign-in", "ok", "Signed in as Ana Reyes."),
    )
    down: list[OpsyncError] = field(default_factory=list)
    afterwards: Callable[[Script], None] = lambda script: None
    """Is called once the rights were told."""
    tried: list[str] = field(default_factory=list)
    """The tokens that were tried, in turn."""
    looked_at: list[Any] = field(default_factory=list)
    """The settings with which the first read was estimated, in turn."""
    zone: str | OpsyncError = ""
    """The time zone that it tells."""


class Scripted(Connector[Any], Explorable, Diagnosable):
    """Answers from its class's script."""

    script: ClassVar[Script]

    def _sign_in(self) -> None:
        token = " ".join(
            getattr(self.settings, key).get_secret_value() for key in credentials(self.name)
        )
        self.script.tried.append(token)
        if self.script.down:
            raise self.script.down.pop(0)
        if token not in self.script.tokens:
            raise SignInError(
                f"{self.title} refused the token {token}.", hint=f"{self.title} → Keys → New."
            )

    async def grants(self) -> AsyncIterator[Grant]:
        self._sign_in()
        for grant in self.script.grants:
            yield grant
        self.script.afterwards(self.script)

    async def choices(self) -> Sequence[Choice]:
        if isinstance(self.script.choices, OpsyncError):
            raise self.script.choices
        return self.script.choices

    async def guesses(self) -> Sequence[Guess]:
        return self.script.guesses(self.settings)

    async def first_read(self) -> FirstRead:
        self.script.looked_at.append(self.settings)
        if isinstance(self.script.first_read, OpsyncError):
            raise self.script.first_read
        return self.script.first_read

    async def status_words(self) -> Sequence[StatusWord]:
        return self.script.words

    async def doctor(self) -> AsyncIterator[Check]:
        for check in self.script.checks(self.settings):
            yield check


class ScriptedAnalytics(Scripted, Measurable, Writable):
    """The same for a tool that tells how much is used, and that could be told of releases."""

    surfaces = (Surface("annotation", "release", frozenset({Kind.product}), ("text",)),)

    def render(self, surface: str, target: Record, content: Content) -> Value:
        return None

    async def observe(self, target: Record) -> Sequence[Seen]:
        return ()

    async def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        raise AssertionError("nothing is written while a tool is tried out")
        yield

    async def zone(self) -> str:
        if isinstance(self.script.zone, OpsyncError):
            raise self.script.zone
        return self.settings.time_zone or self.script.zone

    async def measure(
        self, metrics: Sequence[Metric], days: Span, windows: Sequence[Span]
    ) -> AsyncIterator[Reading]:
        for metric in metrics:
            yield Reading(metric=metric, span=days)


def scripted(
    name: str, title: str, settings: type[Any], base: type[Scripted] = Scripted
) -> type[Scripted]:
    """A connector class with a script of its own."""
    return type(
        f"Scripted{title}",
        (base,),
        {"name": name, "title": title, "settings_type": settings, "script": Script()},
    )


class Tools:
    """The tools of one test, and their scripts."""

    def __init__(self) -> None:
        self.classes = {
            "jira": scripted("jira", "Jira", JiraSettings),
            "linear": scripted("linear", "Linear", LinearSettings),
            "notion": scripted("notion", "Notion", NotionSettings),
            "posthog": scripted("posthog", "PostHog", PostHogSettings, ScriptedAnalytics),
            "amplitude": scripted("amplitude", "Amplitude", AmplitudeSettings, ScriptedAnalytics),
            "mixpanel": scripted("mixpanel", "Mixpanel", MixpanelSettings, ScriptedAnalytics),
        }

    @property
    def jira(self) -> Script:
        return self.classes["jira"].script

    @property
    def linear(self) -> Script:
        return self.classes["linear"].script

    @property
    def notion(self) -> Script:
        return self.classes["notion"].script

    @property
    def posthog(self) -> Script:
        return self.classes["posthog"].script

    @property
    def amplitude(self) -> Script:
        return self.classes["amplitude"].script

    @property
    def mixpanel(self) -> Script:
        return self.classes["mixpanel"].script
