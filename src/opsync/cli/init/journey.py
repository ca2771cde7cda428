"""From the first question to the written file, and on to `opsync look`."""

from __future__ import annotations

import os
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

from opsync.cli.called import called
from opsync.cli.common import around
from opsync.cli.init import analytics, files, tools
from opsync.cli.init.answers import (
    Answers,
    JiraAnswers,
    LinearAnswers,
    ModeName,
    NotionAnswers,
    Source,
)
from opsync.cli.init.connect import Guide, ToolSkipped
from opsync.cli.init.desk import Desk, attended
from opsync.cli.init.found import sized
from opsync.cli.init.notion import notion
from opsync.cli.init.options import NO_SOURCE, Options, drafted, measured
from opsync.cli.init.table import (
    ANALYTICS,
    JIRA,
    JIRA_TOOL,
    LINEAR,
    LINEAR_TOOL,
    NOTION_TOOL,
    TOOLS,
    Place,
)
from opsync.cli.init.text import placeholders, render
from opsync.cli.init.tokens import Tokens, environment_kept
from opsync.cli.init.zone import is_zone, machine_zone
from opsync.config import FILE, build, env_name
from opsync.errors import ConfigError

LOOK = "look"
NOTHING = "Name at least one: --jira URL --jira-email EMAIL, --linear, --notion DATABASE — or "
AT_WORK = (JIRA_TOOL, LINEAR_TOOL, NOTION_TOOL)
"""Those that have items of work, or a roadmap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the command line asks for, besides what it says about the tools."""

    options: Options
    mode: ModeName
    out: Path
    time_zone: str
    token_files: Mapping[str, str]
    secrets_dir: Path | None
    sandbox: str
    force: bool
    check: bool
    look: bool


def conduct(plan: Plan) -> int:
    """Go through the tools, write the file, and look. Returns the exit code."""
    files.check_free(plan.out, force=plan.force)
    zones = {"--time-zone": plan.time_zone, "--analytics-zone": plan.options.analytics_zone}
    for option, zone in zones.items():
        if zone and not is_zone(zone):
            raise ConfigError(
                f'{option} "{zone}": there is no such time zone, as in Europe/Berlin.'
            )
    if plan.sandbox:
        plan = _for_sandbox(plan)
    if plan.secrets_dir is not None:
        _may_keep(plan.secrets_dir)
    with environment_kept():
        return _conducted(plan)


def _conducted(plan: Plan) -> int:
    redactor = around().redactor
    desk = Desk(attended() and not plan.sandbox, redactor.clean)
    tokens = Tokens(redactor, plan.token_files, beside=_beside(plan))
    guide = Guide(desk, tokens, plan.options, tested=plan.check)
    if plan.sandbox:
        guide.apis = _sandboxed(plan, tokens)
    zone = plan.time_zone or machine_zone()
    start = drafted(plan.options, mode=plan.mode, time_zone=zone)
    if not desk.attended:
        if not plan.options.any_tool:
            place = plan.options.place
            what = f"{place.tool.title} has no initiatives" if place else "nothing to connect"
            raise ConfigError(f"{what}.", hint=f"{NOTHING}--sandbox for a sandbox.")
        for tool in TOOLS:
            if tool.name not in plan.options.tools:
                guide.leave_out(tool)
    # What is wrong already need not wait for the tools.
    _validate(render(start if not desk.attended else _with_all_tools(start)))
    answers = _through_tools(guide, start)
    secrets = _secrets(plan, guide)
    if secrets is not None:
        answers = replace(answers, secrets_dir=files.as_named(secrets.folder, plan.out))
    text = render(answers)
    _validate(text)
    files.put(plan.out, text, secrets)
    _tell_written(plan, guide, answers, secrets)
    return _end(plan, guide, answers)


def _with_all_tools(start: Answers) -> Answers:
    """The same answers with those tools besides that a person may yet name; of the analytics
    tools those of which the environment knows."""
    around = [name.upper() for name in os.environ]
    known = [one.tool for one in start.analytics]
    others = [
        measured(Place(tool), Options())
        for tool in ANALYTICS
        if tool.name not in known and any(name.startswith(env_name(tool.name)) for name in around)
    ]
    return replace(
        start,
        jira=start.jira or JiraAnswers("https://jira.example", email="ana@harbor.example"),
        linear=start.linear or LinearAnswers(),
        notion=start.notion or NotionAnswers((Source(NO_SOURCE),)),
        analytics=(*start.analytics, *others),
    )


def _through_tools(guide: Guide, start: Answers) -> Answers:
    """One tool after the other; those that are not named are asked about."""
    options = guide.options
    answers = replace(start, jira=None, linear=None, notion=None, analytics=())
    for tool in AT_WORK:
        if options.any_tool and tool.name not in options.tools:
            guide.leave_out(tool)
            continue
        guide.desk.section(tool.title, options.jira if tool.name == JIRA else "")
        try:
            if not options.any_tool and not guide.desk.agrees(f"Do you use {tool.title}?"):
                raise ToolSkipped
            if tool.name == JIRA:
                answers = replace(answers, jira=tools.jira(guide))
            elif tool.name == LINEAR:
                answers = replace(answers, linear=tools.linear(guide))
            else:
                found, links = notion(guide)
                answers = replace(answers, notion=found, tracked_in=links)
        except ToolSkipped:
            guide.leave_out(tool)
    if not answers.parts:
        raise ConfigError("nothing to connect.", hint="To look around first: opsync demo")
    return analytics.measured_in(guide, answers)


def _for_sandbox(plan: Plan) -> Plan:
    """The same plan for Harbor's tools at a running sandbox."""
    if plan.options.tools:
        raise ConfigError("--sandbox connects Harbor's own tools; leave out the others.")
    from opsync.cli.sandbox_answers import ROADMAP, options_for
    from opsync.sandbox.client import SandboxClient

    with SandboxClient(plan.sandbox) as client:
        return replace(
            plan,
            sandbox=client.url,
            options=options_for(client.url, client.data_source(ROADMAP), plan.options),
            secrets_dir=plan.secrets_dir or plan.out.parent / files.FOLDER,
        )


def _sandboxed(plan: Plan, tokens: Tokens) -> dict[str, str]:
    """Use the sandbox's own tokens; returns where its tools are."""
    from opsync.cli import sandbox_answers

    for name, token in sandbox_answers.tokens().items():
        tokens.take(name, token, "sandbox")
    return {name: plan.sandbox + path for name, path in sandbox_answers.APIS.items()}


def _may_keep(folder: Path) -> None:
    """Refuse a folder for secrets that would not be read, or that others may look into."""
    if os.environ.get("OPSYNC_SECRETS_DIR"):
        raise ConfigError(
            f"OPSYNC_SECRETS_DIR is set, and wins over {folder}: what is put there is not read.",
            hint="unset OPSYNC_SECRETS_DIR",
        )
    files.check_folder(folder)


def _beside(plan: Plan) -> Path | None:
    """The usual folder for secrets; None while the environment names another one."""
    if os.environ.get("OPSYNC_SECRETS_DIR"):
        return None
    return plan.secrets_dir or plan.out.parent / files.FOLDER


def _secrets(plan: Plan, guide: Guide) -> files.Secrets | None:
    """Which tokens go into a folder of secrets, and into which; asks, if nothing was said."""
    homeless = guide.tokens.homeless
    if not homeless:
        return None
    folder, beside = plan.secrets_dir, _beside(plan)
    if folder is None and beside is not None:
        if guide.tokens.found_beside and _is_fit(beside, guide.desk):
            folder = beside
        elif guide.desk.attended:
            folder = _agreed(beside, guide.desk)
    return None if folder is None else files.Secrets(folder, homeless)


def _agreed(beside: Path, desk: Desk) -> Path | None:
    """The folder, once the person agrees and it is fit; None: the tokens go nowhere."""
    desk.section("Tokens")
    while desk.agrees(f"Keep them in {beside}/, for your eyes only?"):
        if _is_fit(beside, desk):
            return beside
    return None


def _is_fit(folder: Path, desk: Desk) -> bool:
    """Whether secrets may be put there; says why not. Unattended, ConfigError is raised."""
    try:
        files.check_folder(folder)
    except ConfigError as error:
        if not desk.attended:
            raise
        desk.sign("fail", error.message, error.hint)
        return False
    return True


def _validate(text: str) -> None:
    """Refuse answers that make no configuration, before anything is written."""
    build(placeholders(tomllib.loads(text)))


def _tell_written(
    plan: Plan, guide: Guide, answers: Answers, secrets: files.Secrets | None
) -> None:
    from opsync.engine.onboarding import together

    desk = guide.desk
    desk.section(f"Wrote {plan.out}", f"mode {answers.mode}")
    zone = "" if plan.time_zone else ", this machine's zone"
    desk.say(f"Days begin in {answers.time_zone}{zone}.")
    for variable, title in guide.stray.items():
        desk.sign(
            "warn",
            f"{variable} is set, and {title} is not connected: opsync refuses settings of what it "
            "does not know.",
            f"unset {variable}",
        )
    if guide.estimates:
        desk.say(f"First read of all: {sized(together(list(guide.estimates.values())))}")
    if secrets is not None:
        own = (
            " the sandbox's own; they open nothing else" if plan.sandbox else " for your eyes only"
        )
        desk.say(f"The tokens are in {secrets.folder}/,{own}.")
    for name, origin in guide.tokens.replaced.items():
        where = "environment" if origin == "environment" else "secrets folder"
        desk.sign(
            "warn",
            f"{name} is still set in the {where}, and wins over the new token.",
            f"unset {name}" if origin == "environment" else "",
        )
    waiting = [] if secrets is not None else [*guide.tokens.homeless]
    lost = {
        tool.makes: [
            name
            for name in (guide.variable(tool, key) for key in tool.needed)
            if not os.environ.get(name)
        ]
        for tool in guide.untested.values()
    }
    if waiting or any(lost.values()):
        desk.say("It holds no token. Give them to opsync in the environment:")
    for name in waiting:
        click.echo(f"  export {name}=…")
    for makes, names in lost.items():
        for name in names:
            click.echo(f"  export {name}=…")
        if names:
            click.echo(f"      # {makes}")


_SYNC: dict[ModeName, str] = {
    "observe": "shows what it would write; writes nothing",
    "propose": "shows what it would write, which waits",
    "apply": "writes what is missing",
}
"""What a run does in a mode."""


def _end(plan: Plan, guide: Guide, answers: Answers) -> int:
    """End with a look at the tools, or with what to do next. Returns the exit code."""
    opsync = called()
    found = plan.out == Path(FILE) and not os.environ.get("OPSYNC_CONFIG")
    option = "" if found else f" --config {shlex.quote(str(plan.out))}"
    steps = {
        f"{opsync} doctor{option}": "tests every connection again",
        f"{opsync} sync{option}": _SYNC[answers.mode],
    }
    if answers.mode == "propose":
        steps[f"{opsync} apply{option}"] = "writes what that showed, and nothing else"
    if answers.mode == "observe":
        steps[f"{opsync} sync{option} --mode apply"] = "writes it"
    code = int(guide.failed)
    if plan.look and plan.check and not guide.untested:
        click.echo()
        code = _looked(plan.out) or code
    else:
        look = {f"{opsync} {LOOK}{option}": "what people say against what is measured"}
        steps = look | steps
    wide = max(map(len, steps))
    click.echo("\nNext:")
    for step, does in steps.items():
        click.echo(f"  {step:{wide}}  {does}")
    return code


def _looked(out: Path) -> int:
    """Run `opsync look` on the new configuration; returns its exit code."""
    from opsync.cli.look import look

    code: object = look.main(
        ["--config", str(out)],
        prog_name=LOOK,
        standalone_mode=False,
        obj=click.get_current_context().obj,
    )
    return code if isinstance(code, int) else 0
