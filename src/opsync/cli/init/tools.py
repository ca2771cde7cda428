"""Jira and Linear, from where they are to what is read of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from opsync.cli.init.answers import JIRA, LINEAR, JiraAnswers, LinearAnswers, Word
from opsync.cli.init.connect import Guide, Tool
from opsync.cli.init.options import GATEWAY, gateway, jira_problems, site
from opsync.errors import ConfigError

JIRA_TOOL = Tool(
    JIRA,
    "Jira",
    "project",
    "--jira-project",
    "--jira-token-file",
    "id.atlassian.com → Security → API tokens. One with scopes needs read:jira-work and "
    "read:jira-user, to write also write:jira-work.",
)
DATACENTER_TOOL = replace(
    JIRA_TOOL,
    makes="Jira → your picture → Profile → Personal access tokens.",
)
LINEAR_TOOL = Tool(
    LINEAR,
    "Linear",
    "team",
    "--linear-team",
    "--linear-token-file",
    "Linear → Settings → Account → Security & access → Personal API keys: Read, and Write to "
    "write.",
)

P = TypeVar("P", JiraAnswers, LinearAnswers)


def jira(guide: Guide) -> JiraAnswers:
    """One Jira. Raises ToolSkipped."""
    answers = _where(guide)
    tool = DATACENTER_TOOL if answers.datacenter else JIRA_TOOL
    met = guide.meet(tool, lambda: answers)
    named = guide.options.jira_project
    found = guide.scope(tool, met, named)
    answers = replace(
        answers,
        projects=tuple(one.id for one in found or ()),
        there=tuple(one.id for one in met.choices) if met else (),
    )
    return answers if met is None else _looked_at(guide, tool, answers)


def linear(guide: Guide) -> LinearAnswers:
    """One Linear workspace. Raises ToolSkipped."""
    answers = LinearAnswers(api=guide.apis.get(LINEAR, ""))
    met = guide.meet(LINEAR_TOOL, lambda: answers)
    found = guide.scope(LINEAR_TOOL, met, guide.options.linear_team)
    answers = replace(
        answers,
        teams=tuple(one.id for one in found or ()),
        there=tuple(one.id for one in met.choices) if met else (),
    )
    return answers if met is None else _looked_at(guide, LINEAR_TOOL, answers)


def _where(guide: Guide) -> JiraAnswers:
    """The address of Jira and of its API, and whose token it is."""
    options, desk = guide.options, guide.desk
    address = options.jira or desk.ask("Its address, as in https://harbor.atlassian.net")
    while not address:
        address = desk.ask("Its address is needed")
    email, datacenter = options.jira_email, options.jira_datacenter
    api = options.jira_api
    if desk.attended and not email and not datacenter:
        email = desk.ask("Email of the token's account (empty: it is a Data Center)")
        datacenter = not email
        if not datacenter and not api:
            desk.say(f"A token with scopes is answered at {GATEWAY}<cloudId> only;")
            desk.say(f"the cloudId stands at {site(address)}/_edge/tenant_info")
            api = desk.ask("The cloudId (empty: a token without scopes)")
    told = replace(options, jira=address, jira_email=email, jira_datacenter=datacenter)
    if problems := jira_problems(told):
        raise ConfigError(problems[0], problems=tuple(problems))
    return JiraAnswers(
        site=site(address),
        email=email,
        api=gateway(api),
        datacenter=datacenter,
        canceled=tuple(Word(name) for name in options.jira_canceled),
    )


def _looked_at(guide: Guide, tool: Tool, answers: P) -> P:
    """What was chosen, examined: what doctor says, what means canceled, how much there is."""
    found = guide.examine(tool, answers)
    guide.tell_checks(found)
    canceled, suspects = guide.canceled(tool, found.words, answers.canceled)
    guide.tell_size(tool, found.first_read)
    return replace(answers, canceled=canceled, suspects=suspects)
