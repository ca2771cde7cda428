"""The configuration that fits the sandbox: Harbor's tools, below one address."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from opsync.cli.init.answers import (
    AnalyticsAnswers,
    Answers,
    JiraAnswers,
    LinearAnswers,
    NotionAnswers,
    Source,
    Use,
    Word,
)
from opsync.cli.init.files import FOLDER, Secrets, put
from opsync.cli.init.options import Options
from opsync.cli.init.table import ANALYTICS, JIRA, LINEAR, NOTION, TOOLS
from opsync.cli.init.text import render
from opsync.config import env_name
from opsync.model import MetricKind
from opsync.sandbox import launch

ROADMAP = "Roadmap"
"""Harbor's data source with the initiatives."""
TRACKED_IN = "Tracked in"
"""Its column in which people paste links."""
USE_COLUMNS = ((MetricKind.flag, "Flag"), (MetricKind.event, "Event"))
RELEASED = "Released"
"""Its columns that say by what an initiative's use is measured, and when it was released."""
SERVED = tuple(tool for tool in TOOLS if tool.connector in launch.TOKENS)
"""The tools that the sandbox has."""
APIS = {tool.name: f"/{tool.connector}" for tool in SERVED}
"""Where the tools are below the sandbox's address, by connection."""
MEASURED_IN = next((tool.name for tool in SERVED if tool in ANALYTICS), "")
"""The one in which Harbor's use is measured; "": in none."""


UNWATCHED = """
# Nothing runs this by a schedule, so that nothing is out of date either.
[watch]
fresh_within = "365d"
measured_within = "365d"
"""


def tokens() -> dict[str, str]:
    """The sandbox's own tokens, which open nothing else, by connection."""
    return {tool.name: launch.TOKENS[tool.connector] for tool in SERVED}


def options_for(url: str, roadmap: str, options: Options) -> Options:
    """Options that connect the sandbox at `url`, whose roadmap has the id `roadmap`."""
    return replace(
        options,
        jira=launch.JIRA_SITE,
        jira_email=launch.JIRA_EMAIL,
        jira_api=url + APIS[JIRA],
        jira_project=launch.JIRA_PROJECTS,
        jira_canceled=launch.JIRA_CANCELED,
        linear=True,
        notion=(roadmap,),
        tracked_in=options.tracked_in or (TRACKED_IN,),
        analytics=MEASURED_IN,
    )


def write_config(path: Path, url: str, roadmap: str) -> None:
    """Write a configuration for the sandbox at `url` to `path`, in mode apply, and its tokens
    beside it. Raises ConfigError."""
    answers = Answers(
        mode="apply",
        jira=JiraAnswers(
            site=launch.JIRA_SITE,
            email=launch.JIRA_EMAIL,
            api=url + APIS[JIRA],
            projects=launch.JIRA_PROJECTS,
            canceled=tuple(Word(name) for name in launch.JIRA_CANCELED),
        ),
        linear=LinearAnswers(api=url + APIS[LINEAR]),
        notion=NotionAnswers((Source(roadmap, name=ROADMAP),), api=url + APIS[NOTION]),
        analytics=(
            AnalyticsAnswers(
                tool=MEASURED_IN, project=launch.POSTHOG_PROJECT, api=url + APIS[MEASURED_IN]
            ),
        ),
        tracked_in=(TRACKED_IN,),
        use=Use(columns=USE_COLUMNS, released=RELEASED),
        secrets_dir=FOLDER,
    )
    secrets = {env_name(name, "token"): token for name, token in tokens().items()}
    put(path, render(answers) + UNWATCHED, Secrets(path.absolute().parent / FOLDER, secrets))
