"""The analytics tool, from where it is to the project that is measured in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from opsync.cli.init.answers import AnalyticsAnswers, Answers
from opsync.cli.init.connect import NAMED, Elsewhere, Guide, ToolSkipped, capitalized, chosen
from opsync.cli.init.options import measured
from opsync.cli.init.table import ANALYTICS, Analytics, Place, analytics, listed, place_of
from opsync.cli.init.use import measured_by
from opsync.cli.init.zone import is_zone
from opsync.errors import ConfigError, SignInError

if TYPE_CHECKING:
    from opsync.contract.examining import Choice
    from opsync.engine.onboarding import Meeting

NONE, NO = "none", ("none", "no", "n")


def measured_in(guide: Guide, answers: Answers) -> Answers:
    """The same answers with an analytics tool, if one is named or the person has one."""
    options, place = guide.options, None
    if options.analytics or not options.any_tool:
        if guide.desk.attended and not options.analytics:
            guide.desk.section("Analytics", "what is used how much, before and after its release")
        place = _wanted(guide)
    for tool in ANALYTICS:
        if place is None or tool.name != place.tool.name:
            guide.leave_out(tool)
    if place is None:
        return answers
    guide.desk.section(place.tool.title, place.api)
    try:
        found = _connected(guide, place, answers.time_zone)
    except ToolSkipped:
        guide.leave_out(place.tool)
        return answers
    use = measured_by(guide, place.tool, answers.notion)
    return replace(answers, analytics=(found,), use=use)


def _wanted(guide: Guide) -> Place | None:
    """Which analytics tool to connect, and where its project is; None for none."""
    if guide.options.analytics or not guide.desk.attended:
        return guide.options.place
    while True:
        said = guide.desk.ask(f"Which of {listed()}? A name, or a link to your project there", NONE)
        if said.casefold() in NO:
            return None
        tool = analytics(said)
        found = Place(tool) if tool else place_of(said)
        if found is not None:
            return found
        guide.desk.sign("warn", f'"{said}" is none of them, and no link to a project there.')


def _connected(guide: Guide, at: Place, general_zone: str) -> AnalyticsAnswers:
    """One project of an analytics tool. Raises ToolSkipped."""
    tool, desk = at.tool, guide.desk
    at = replace(at, api=guide.apis.get(tool.name, at.api))
    account = guide.options.analytics_user
    while True:
        if desk.attended:
            at = _where(guide, at)
        if tool.id_at and not at.project:
            at = replace(at, project=_id(guide, tool))
        answers = replace(measured(at, guide.options), account=_account(guide, tool, account))
        try:
            met = guide.meet(tool, answers, unlisted=bool(at.project) or desk.attended)
        except Elsewhere:
            at, account = Place(tool), ""
        else:
            break
    answers = replace(answers, project=_project(guide, tool, met, at.project))
    if met is None:
        return answers
    found = guide.examine(tool, answers)
    guide.tell_checks(found)
    answers = replace(answers, time_zone=_zone(guide, answers, found.zone, general_zone))
    guide.tell_size(tool, found.first_read)
    return answers


def _where(guide: Guide, at: Place) -> Place:
    """Where the project is, asked as far as nobody said so."""
    if at.region or at.api:
        return at
    tool = at.tool
    regions = ", ".join(tool.regions)
    while True:
        said = guide.desk.ask(
            f"A link to the project, or the region ({regions})", default=tool.region
        )
        if said.casefold() in tool.regions:
            return replace(at, region=said.casefold())
        if found := place_of(said, tool):
            return found
        guide.desk.sign("warn", f'"{said}" is no region, and no link to {tool.title}.')


def _account(guide: Guide, tool: Analytics, named: str) -> str:
    """Whose key it is, where the tool wants that; "" where the environment says so."""
    if not tool.account or guide.tokens.find(tool.name, tool.account) is not None:
        return ""
    if not named and not guide.desk.attended:
        raise guide.desk.missing(f"the {tool.called}", "--analytics-user")
    while not named:
        named = guide.desk.ask(capitalized(tool.called))
    return named


def _project(guide: Guide, tool: Analytics, met: Meeting | None, named: str) -> str:
    """The project's id: as named, the only one, or the one that the person picks."""
    desk = guide.desk
    if tool.id_at or met is None or not met.explorable or met.unlisted is not None:
        named = named or _id(guide, tool)
        if not named.isdecimal():
            raise ConfigError(
                f'{tool.scope} "{named}": is no id, and no link with one; a name can be looked up '
                "with a key that lists projects only."
            )
        if met is not None:
            desk.sign("ok", f"Measures in project {named}")
        return named
    if not met.choices:
        nothing = SignInError(f"{tool.title}: the key sees no project.", hint=tool.makes)
        if not desk.attended:
            raise nothing
        desk.sign("fail", nothing.message, nothing.hint)
        raise ToolSkipped
    found = _found(guide, tool, named, met.choices)
    title = "" if found.name == found.id else f" ({found.name})"
    desk.sign("ok", f"Measures in project {found.id}{title}")
    return found.id


def _id(guide: Guide, tool: Analytics) -> str:
    """The project's id, asked for."""
    if not guide.desk.attended:
        where = f": {tool.id_at}" if tool.id_at else ""
        raise guide.desk.missing(f"the id of the project, or its link{where}", tool.scope)
    if tool.id_at:
        guide.desk.say(f"The project's id: {tool.id_at}")
    while True:
        said = guide.desk.ask("The project's id, or its link")
        at = place_of(said, tool) if "/" in said else None
        if found := at.project if at else said:
            return found


def _found(guide: Guide, tool: Analytics, named: str, choices: Sequence[Choice]) -> Choice:
    """The project that is named, the only one, or the one that the person picks."""
    desk = guide.desk
    if named:
        try:
            return _called(tool, named, choices)
        except ConfigError as error:
            if not desk.attended:
                raise
            desk.sign("warn", error.message)
    if len(choices) == 1:
        return choices[0]
    if not desk.attended:
        there = ", ".join(f"{one.id} ({one.name})" for one in choices[:NAMED])
        more = ", …" if len(choices) > NAMED else ""
        raise desk.missing(f"the key sees {len(choices)} projects: {there}{more}", tool.scope)
    while True:
        picked = desk.pick("Which project to measure in", choices, "")
        if len(picked) == 1:
            return picked[0]
        desk.sign("warn", "One only: a second one is a block of its own in the file.")


def _called(tool: Analytics, named: str, choices: Sequence[Choice]) -> Choice:
    """The project of that id, else of that name. Raises ConfigError."""
    for one in choices:
        if one.id == named:
            return one
    if named.isdecimal():
        there = ", ".join(one.id for one in choices[:NAMED])
        raise ConfigError(
            f'{tool.scope} "{named}": the key does not see this project. There are: {there}'
        )
    found = chosen(tool, [named], choices)
    if len(found) > 1:
        raise ConfigError(f'{tool.scope} "{named}": means {len(found)} projects.')
    return found[0]


def _zone(guide: Guide, answers: AnalyticsAnswers, told: str, general: str) -> str:
    """The time zone to write down; "" for the tool's own, else the general one."""
    desk = guide.desk
    if answers.time_zone:
        return answers.time_zone
    if is_zone(told):
        desk.say(f"Its days begin in {told}, as it says.")
        return ""
    if not desk.attended:
        desk.say(f"It does not tell in which zone its days begin: {general}, as all others.")
        desk.say("For another one: --analytics-zone")
        return ""
    while True:
        said = desk.ask("The time zone of the project, in which its days begin", general)
        if is_zone(said):
            return said
        desk.sign("warn", f'there is no time zone "{said}", as in Europe/Berlin.')
