"""`opsync init`: a configuration for one's own tools, from flags or from a few questions."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsync.cli.common import run_async
from opsync.errors import ConfigError, OpsyncError

if TYPE_CHECKING:
    from opsync.cli.init_text import Answers
    from opsync.contract.connector import Check

SANDBOX_URL = "http://127.0.0.1:8790"
SIGNS = {"warn": "!", "fail": "✗"}
"""As `opsync doctor` shows them."""

WHERE_TOKENS_ARE = {
    "jira-main": "id.atlassian.com → Security → API tokens. One with scopes needs read:jira-work, "
    "read:jira-user, to write write:jira-work, and --jira-api",
    "linear": "Linear → Settings → Account → Security & access → Personal API keys: Read, and "
    "Write to write",
    "notion": "notion.so/profile/integrations → a connection with read and update content; then in "
    "the database ••• → Connections",
}
"""By connection; scopes and places as the vendors' own help pages have them."""
DATACENTER_TOKEN = "Jira → your picture → Profile → Personal access tokens"  # noqa: S105 - a place


@click.command()
@click.option(
    "--mode",
    type=click.Choice(["observe", "apply"]),
    default="observe",
    show_default=True,
    help="observe shows what opsync would write, apply writes it.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("opsync.toml"),
    show_default=True,
    help="The file to write.",
)
@click.option("--jira", metavar="URL", help="Your Jira, as in https://harbor.atlassian.net.")
@click.option("--jira-email", metavar="EMAIL", help="The account that the Jira token belongs to.")
@click.option("--jira-project", multiple=True, metavar="KEY", help="Read these projects only.")
@click.option(
    "--jira-api",
    metavar="URL",
    help="Where Jira's API is asked, for tokens with scopes: "
    "https://api.atlassian.com/ex/jira/<cloudId>.",
)
@click.option("--jira-datacenter", is_flag=True, help="It is a Jira Data Center.")
@click.option(
    "--jira-canceled",
    multiple=True,
    metavar="RESOLUTION",
    help='A resolution that means canceled, as in "Won\'t Do".',
)
@click.option("--linear", is_flag=True, help="Connect Linear.")
@click.option("--linear-team", multiple=True, metavar="KEY", help="Read these teams only.")
@click.option(
    "--notion", multiple=True, metavar="DATABASE", help="A Notion database, by its link or id."
)
@click.option(
    "--tracked-in",
    multiple=True,
    metavar="COLUMN",
    help="The column in which people paste links. Default: any column counts.",
)
@click.option("--time-zone", default="UTC", show_default=True, help="The zone in which days begin.")
@click.option(
    "--sandbox",
    is_flag=False,
    flag_value=SANDBOX_URL,
    metavar="URL",
    help=f"Connect a running `opsync sandbox` instead. URL: {SANDBOX_URL} if left out.",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@click.option(
    "--check/--no-check", default=True, help="Test the connections whose token is at hand."
)
def init(out: Path, force: bool, check: bool, **given: Any) -> None:
    """Write a configuration for your own tools.

    Everything can be told by options; on a terminal, what is missing is asked. No token is
    asked or written: they come from the environment, under the names that are printed.
    """
    if out.exists() and not force:
        raise ConfigError(
            f"{out} exists and is left as it is.",
            hint="Replace it with --force, or write elsewhere with --out.",
        )
    answers = collect(given)
    from opsync.cli.init_text import render

    text = render(answers)
    _validate(text)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {out}: {error.strerror}") from None
    click.echo(f"Wrote {out} (mode {answers.mode}).")
    waiting = _tell_tokens(answers)
    if check:
        run_async(_try_connections(text, waiting))
    _tell_next(answers, out)


def collect(given: Mapping[str, Any]) -> Answers:
    """The answers that the options give, asking on a terminal for what they leave open."""
    from opsync.cli.init_text import Answers, JiraAnswers, LinearAnswers, NotionAnswers

    answers = Answers(
        mode=given["mode"], tracked_in=given["tracked_in"], time_zone=given["time_zone"]
    )
    if given["sandbox"]:
        return _sandbox(given, answers)
    asks = sys.stdin.isatty() and sys.stdout.isatty()
    given = dict(given)
    if not (given["jira"] or given["linear"] or given["notion"]):
        if not asks:
            raise ConfigError(
                "nothing to connect.",
                hint="Name at least one: --jira URL --jira-email EMAIL, --linear, "
                "--notion DATABASE — or --sandbox for a running opsync sandbox.",
            )
        _ask(given)
    jira = None
    if given["jira"]:
        if asks and not given["jira_email"] and not given["jira_datacenter"]:
            given["jira_email"] = click.prompt(
                "Email of the account that the Jira token belongs to"
            )
        _check_jira(given)
        jira = JiraAnswers(
            site=_site(given["jira"]),
            email=given["jira_email"] or "",
            api=given["jira_api"] or "",
            projects=given["jira_project"],
            canceled=given["jira_canceled"],
            datacenter=given["jira_datacenter"],
        )
    return replace(
        answers,
        tracked_in=given["tracked_in"],
        jira=jira,
        linear=LinearAnswers(teams=given["linear_team"]) if given["linear"] else None,
        notion=NotionAnswers(given["notion"]) if given["notion"] else None,
    )


def _sandbox(given: Mapping[str, Any], answers: Answers) -> Answers:
    if given["jira"] or given["linear"] or given["notion"]:
        raise ConfigError("--sandbox connects Harbor's three tools; leave out the others.")
    from opsync.cli.sandbox_answers import ROADMAP, for_sandbox
    from opsync.sandbox.client import SandboxClient

    with SandboxClient(given["sandbox"]) as client:
        roadmap = client.data_source(ROADMAP)
        return for_sandbox(client.url, roadmap, answers)


def _ask(given: dict[str, Any]) -> None:
    """Ask which tools there are."""
    if click.confirm("Do you use Jira?", default=True):
        given["jira"] = click.prompt("  Its address, as in https://harbor.atlassian.net")
        if not (given["jira_email"] or given["jira_datacenter"]):
            given["jira_email"] = _text("  Email of the token's account (empty: a Data Center)")
            given["jira_datacenter"] = not given["jira_email"]
        keys = _text("  Projects to read, as in PAY MOB (empty: all)")
        given["jira_project"] = tuple(keys.replace(",", " ").upper().split())
        names = _text("  Resolutions that mean canceled, as in Won't Do, Duplicate (empty: none)")
        given["jira_canceled"] = tuple(name.strip() for name in names.split(",") if name.strip())
    given["linear"] = click.confirm("Do you use Linear?", default=True)
    if click.confirm("Is your roadmap in Notion?", default=True):
        given["notion"] = (click.prompt("  The link of its database"),)
        column = _text("  The column in which people paste links to the work (empty: any)")
        given["tracked_in"] = (column,) if column else ()
    if not (given["jira"] or given["linear"] or given["notion"]):
        raise ConfigError("nothing to connect.", hint="To look around first: opsync demo")


def _text(question: str) -> str:
    """An answer that may be empty."""
    answer: str = click.prompt(question, default="", show_default=False)
    return answer.strip()


def _site(address: str) -> str:
    """The address of a Jira, from what people copy out of the browser."""
    from urllib.parse import urlsplit

    address = address.strip()
    address = address if "://" in address else f"https://{address}"
    parts = urlsplit(address)
    if (parts.hostname or "").endswith(".atlassian.net"):
        return f"{parts.scheme}://{parts.netloc}"
    return address


def _check_jira(given: Mapping[str, Any]) -> None:
    """Refuse what cannot be right about Jira, all of it at once."""
    problems = []
    site = _site(given["jira"])
    if "/browse/" in given["jira"] and site == given["jira"].strip():
        problems.append(
            f"--jira {site}: is the address of one issue; give the site's, as in "
            f"{site.partition('/browse/')[0]}"
        )
    email = given["jira_email"] or ""
    if not email and not given["jira_datacenter"]:
        problems.append(
            "--jira-email is missing: Jira Cloud signs in with it and the token. For a Data "
            "Center say --jira-datacenter."
        )
    elif email and "@" not in email:
        problems.append(f'--jira-email "{email}": is no email address, as in ana@harbor.example')
    if problems:
        raise ConfigError(problems[0], problems=tuple(problems))


def _validate(text: str) -> None:
    """Refuse answers that make no configuration, before anything is written."""
    from opsync.cli.init_text import placeholders
    from opsync.config import build

    build(placeholders(tomllib.loads(text)))


def _tell_tokens(answers: Answers) -> list[str]:
    """Name the variables of tokens that are not at hand; returns their connections."""
    from opsync.config import env_name

    if answers.tokens is not None:
        click.echo("It holds the sandbox's own tokens, which open nothing else.")
        return []
    variables = {name: env_name(name, "token") for name in answers.instances}
    waiting = [name for name, variable in variables.items() if not os.environ.get(variable)]
    if waiting:
        click.echo("\nIt holds no token. Give them to opsync in the environment:")
    for name in waiting:
        where = WHERE_TOKENS_ARE[name]
        if answers.jira is not None and answers.jira.datacenter and name == "jira-main":
            where = DATACENTER_TOKEN
        click.echo(f"  export {variables[name]}=…\n      # {where}")
    return waiting


async def _try_connections(text: str, waiting: list[str]) -> None:
    """Let each connection whose token is at hand examine itself."""
    from tempfile import TemporaryDirectory

    from opsync.config import build
    from opsync.engine.session import open_session

    raw = tomllib.loads(text)
    raw["instances"] = {n: b for n, b in raw["instances"].items() if n not in waiting}
    raw["rollup"] = [r for r in raw["rollup"] if r["roots"]["instance"] not in waiting]
    if not raw["instances"]:
        return
    found: dict[str, list[Check]] = {name: [] for name in raw["instances"]}
    with TemporaryDirectory(prefix="opsync-init-") as folder:
        raw["store"] = str(Path(folder, "opsync.db"))
        try:
            config = build(raw)
            async with open_session(config, "init", exclusive=False) as session:
                async for name, one in session.doctor():
                    found[name].append(one)
        except OpsyncError as error:
            click.echo(f"\nThe connections could not be tested: {error}", err=True)
            return
    click.echo("\nThe connections:")
    for name, checks in found.items():
        _tell_checks(name, checks)


def _tell_checks(name: str, checks: list[Check]) -> None:
    failed = any(check.state == "fail" for check in checks)
    good = sum(check.state == "ok" for check in checks)
    click.echo(f"  {name}: {'does not work yet' if failed else 'works'}, {good} checks passed")
    for check in checks:
        if check.state != "ok":
            click.echo(f"    {SIGNS[check.state]} {check.title}: {check.message}")
        if check.state != "ok" and check.hint:
            click.echo("      " + check.hint.replace("\n", "\n      "))


def _tell_next(answers: Answers, out: Path) -> None:
    from opsync.cli.called import called

    opsync = called()
    option = "" if out == Path("opsync.toml") else f" --config {out}"
    does = (
        "reads all tools and shows what it would write; it writes nothing"
        if answers.mode == "observe"
        else "reads all tools and writes what is missing"
    )
    click.echo(f"\nNext:  {opsync} doctor{option}    tests every connection")
    click.echo(f"       {opsync} sync{option}      {does}")
    if answers.mode == "observe":
        click.echo(f"       {opsync} sync{option} --mode apply    writes it")
        click.echo('To have every sync write, set mode = "apply" in the file, rule by rule.')
