"""Jira and Linear, from where they are to what is read of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from opsync.cli.init.answers import JiraAnswers, LinearAnswers, Word
from opsync.cli.init.connect import Elsewhere, Guide
from opsync.cli.init.options import GATEWAY, Options, gateway, jira_problems, site
from opsync.cli.init.table import DATACENTER_TOOL, JIRA, JIRA_TOOL, LINEAR, LINEAR_TOOL, Tool
from opsync.cli.init.text import STAND_IN, block_of
from opsync.config import build_instance
from opsync.errors import ConfigError

P = TypeVar("P", JiraAnswers, LinearAnswers)


def jira(guide: Guide) -> JiraAnswers:
    """One Jira. Raises ToolSkipped."""
    answers = _where(guide, guide.options)
    while True:
        tool = DATACENTER_TOOL if answers.datacenter else JIRA_TOOL
        try:
            met = guide.meet(tool, answers)
        except Elsewhere:
            answers = _where(guide, guide.options.nowhere, known=answers)
        else:
            break
    found = guide.scope(tool, met, guide.options.jira_project)
    answers = replace(
        answers,
        projects=tuple(one.id for one in found or ()),
        there=tuple(one.id for one in met.choices) if met else (),
    )
    return answers if met is None else _looked_at(guide, tool, answers)


def linear(guide: Guide) -> LinearAnswers:
    """One Linear workspace. Raises ToolSkipped."""
    answers = LinearAnswers(api=guide.apis.get(LINEAR, ""))
    met = guide.meet(LINEAR_TOOL, answers)
    found = guide.scope(LINEAR_TOOL, met, guide.options.linear_team)
    answers = replace(
        answers,
        teams=tuple(one.id for one in found or ()),
        there=tuple(one.id for one in met.choices) if met else (),
    )
    return answers if met is None else _looked_at(guide, LINEAR_TOOL, answers)


def _where(guide: Guide, told: Options, known: JiraAnswers | None = None) -> JiraAnswers:
    """The address of Jira and of its API, and whose token it is: as `told`, else as the person
    answers, until that can be right. `known` is what was answered before."""
    while True:
        asked = _asked(guide, told, known) if guide.desk.attended else told
        answers = JiraAnswers(
            site=site(asked.jira),
            email=asked.jira_email,
            api=gateway(asked.jira_api),
            datacenter=asked.jira_datacenter,
            canceled=tuple(Word(name) for name in asked.jira_canceled),
        )
        problems = jira_problems(asked) or _block_problems(answers)
        if not problems:
            return answers
        if not guide.desk.attended:
            raise ConfigError(problems[0], problems=tuple(problems))
        for problem in problems:
            guide.desk.sign("warn", problem)
        told, known = told.nowhere, answers


def _asked(guide: Guide, told: Options, known: JiraAnswers | None) -> Options:
    """The same options with what is missing asked for."""
    desk = guide.desk
    before = known.site if known else ""
    address = told.jira or desk.ask("Its address, as in https://harbor.atlassian.net", before)
    while not address:
        address = desk.ask("Its address is needed")
    email, datacenter, api = told.jira_email, told.jira_datacenter, told.jira_api
    if not email and not datacenter:
        email = desk.ask("Email of the token's account (empty: it is a Data Center)")
        datacenter = not email
        if not datacenter and not api:
            desk.say(f"A token with scopes is answered at {GATEWAY}<cloudId> only;")
            desk.say(f"the cloudId stands at {site(address)}/_edge/tenant_info")
            api = desk.ask("The cloudId (empty: a token without scopes)")
    return replace(told, jira=address, jira_email=email, jira_datacenter=datacenter, jira_api=api)


def _block_problems(answers: JiraAnswers) -> list[str]:
    """What is wrong with the addresses, before there is a token."""
    try:
        build_instance(JIRA, {"token": STAND_IN, **block_of(answers)})
    except ConfigError as error:
        return [problem.removeprefix(f"instances.{JIRA}.") for problem in error.problems]
    return []


def _looked_at(guide: Guide, tool: Tool, answers: P) -> P:
    """What was chosen, examined: what doctor says, what means canceled, how much there is."""
    found = guide.examine(tool, answers)
    guide.tell_checks(found)
    canceled, suspects = guide.canceled(found.words, answers.canceled)
    guide.tell_size(tool, found.first_read)
    return replace(answers, canceled=canceled, suspects=suspects)
