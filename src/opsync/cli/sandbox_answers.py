"""The configuration that fits the sandbox: Harbor's three tools, below one address."""

from __future__ import annotations

from dataclasses import replace

from opsync.cli.init_text import (
    JIRA,
    LINEAR,
    NOTION,
    Answers,
    JiraAnswers,
    LinearAnswers,
    NotionAnswers,
)
from opsync.sandbox import launch

ROADMAP = "Roadmap"
"""Harbor's data source with the initiatives."""
TRACKED_IN = "Tracked in"
"""Its column in which people paste links."""


def for_sandbox(url: str, roadmap: str, answers: Answers | None = None) -> Answers:
    """Answers that connect the sandbox at `url`, whose roadmap has the id `roadmap`.

    Mode, zone and columns are taken from `answers`.
    """
    answers = answers or Answers()
    return replace(
        answers,
        jira=JiraAnswers(
            site=launch.JIRA_SITE,
            email=launch.JIRA_EMAIL,
            api=f"{url}/jira",
            projects=launch.JIRA_PROJECTS,
            canceled=launch.JIRA_CANCELED,
        ),
        linear=LinearAnswers(api=f"{url}/linear"),
        notion=NotionAnswers((roadmap,), api=f"{url}/notion", names=(ROADMAP,)),
        tracked_in=answers.tracked_in or (TRACKED_IN,),
        tokens={
            JIRA: launch.TOKENS["jira"],
            LINEAR: launch.TOKENS["linear"],
            NOTION: launch.TOKENS["notion"],
        },
    )
