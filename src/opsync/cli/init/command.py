"""The command: its options, the order of things, and how it ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from opsync.cli.blank import FilePath
from opsync.cli.init.table import JIRA, LINEAR, NOTION, accounts, listed, regions

if TYPE_CHECKING:
    from opsync.cli.init.answers import ModeName

SANDBOX_URL = "http://127.0.0.1:8790"


@click.command()
@click.option(
    "--mode",
    type=click.Choice(["observe", "propose", "apply"]),
    default="propose",
    show_default=True,
    help="observe shows what opsync would write, propose waits for opsync apply, apply writes it.",
)
@click.option(
    "--out",
    type=FilePath(path_type=Path, dir_okay=False),
    default=Path("opsync.toml"),
    show_default=True,
    help="The file to write.",
)
@click.option("--jira", metavar="URL", default="", help="Your Jira: https://harbor.atlassian.net.")
@click.option(
    "--jira-email", metavar="EMAIL", default="", help="The account that the Jira token belongs to."
)
@click.option("--jira-project", multiple=True, metavar="KEY", help="Read these projects only.")
@click.option(
    "--jira-api",
    metavar="URL",
    default="",
    help="Where Jira's API is asked, for tokens with scopes: "
    "https://api.atlassian.com/ex/jira/<cloudId>, or the cloudId alone.",
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
    "--notion",
    multiple=True,
    is_flag=False,
    flag_value="",
    metavar="DATABASE",
    help="A Notion database, by its link, its id or its title. DATABASE: the only one that is "
    "shared if left out.",
)
@click.option(
    "--initiatives-in",
    multiple=True,
    metavar="DATABASE",
    help="Of several Notion databases, that with the initiatives. Default: all of them.",
)
@click.option(
    "--tracked-in",
    multiple=True,
    metavar="COLUMN",
    help="The column in which people paste links. Default: found out, else any column counts.",
)
@click.option("--status-column", metavar="COLUMN", default="", help="The initiatives' status.")
@click.option("--due-column", metavar="COLUMN", default="", help="The initiatives' due date.")
@click.option("--owner-column", metavar="COLUMN", default="", help="The initiatives' owner.")
@click.option(
    "--own-column",
    multiple=True,
    metavar="KEY=NAME",
    help='What a column of opsync\'s own is called, as in delivery="Delivery (auto)".',
)
@click.option(
    "--analytics",
    metavar="TOOL",
    default="",
    help=f"Connect {listed()}: TOOL is its name, or the link of a project there.",
)
@click.option("--analytics-project", metavar="PROJECT", default="", help="By its link, id or name.")
@click.option(
    "--analytics-region",
    metavar="REGION",
    default="",
    help=f"{regions()}. Default: that of the link, else the first.",
)
@click.option(
    "--analytics-url", metavar="URL", default="", help="Where its API is asked, if elsewhere."
)
@click.option(
    "--analytics-user", metavar="NAME", default="", help=f"Whose key it is. {accounts()}."
)
@click.option(
    "--analytics-zone", metavar="ZONE", default="", help="The project's zone, if it is not told."
)
@click.option(
    "--event-column", metavar="COLUMN", default="", help="The column that names an event."
)
@click.option("--flag-column", metavar="COLUMN", default="", help="The column that names a flag.")
@click.option(
    "--insight-column",
    metavar="COLUMN",
    default="",
    help="The column that names an insight, chart or report.",
)
@click.option(
    "--released-column",
    metavar="COLUMN",
    default="",
    help="The column with the day of the release.",
)
@click.option(
    "--announce/--no-announce",
    default=True,
    help="Tell releases in the analytics tool, as annotations on its charts.",
)
@click.option(
    "--jira-token-file", metavar="FILE", default="", help="Read Jira's token there; -: from stdin."
)
@click.option(
    "--linear-token-file", metavar="FILE", default="", help="The same for Linear's token."
)
@click.option(
    "--notion-token-file", metavar="FILE", default="", help="The same for Notion's token."
)
@click.option(
    "--analytics-key-file",
    multiple=True,
    metavar="[SETTING=]FILE",
    help="The same for a key of the analytics tool; SETTING, as in secret_key=FILE, if it has "
    "several.",
)
@click.option(
    "--secrets-dir",
    type=FilePath(path_type=Path, file_okay=False),
    help="Keep tokens from files or from the keyboard in this folder, for your eyes only.",
)
@click.option(
    "--time-zone", default="", help="The zone in which days begin. Default: this machine's."
)
@click.option(
    "--sandbox",
    is_flag=False,
    flag_value=SANDBOX_URL,
    metavar="URL",
    help=f"Connect a running `opsync sandbox` instead. URL: {SANDBOX_URL} if left out.",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@click.option("--check/--no-check", default=True, help="Test the connections, and look at them.")
@click.option("--look/--no-look", default=True, help="End with: opsync look.")
@click.option(
    "--ask-admin",
    is_flag=True,
    help="Print a mail to who may make the connections, and do nothing else.",
)
@click.option(
    "--language",
    type=click.Choice(["en", "de"]),
    default="en",
    show_default=True,
    help="The language of that mail.",
)
def init(
    mode: ModeName,
    out: Path,
    secrets_dir: Path | None,
    time_zone: str,
    sandbox: str | None,
    force: bool,
    check: bool,
    look: bool,
    ask_admin: bool,
    language: Literal["en", "de"],
    jira_token_file: str,
    linear_token_file: str,
    notion_token_file: str,
    analytics_key_file: tuple[str, ...],
    **given: Any,
) -> int:
    """Write a configuration for your own tools, and look at them.

    One tool after the other: where it is, its token, what the token may do, what to read. All can
    be told by options; on a terminal, what is missing is asked. Nothing is written to any tool.

    A token comes from the environment (OPSYNC_LINEAR__TOKEN), from a file, or from the keyboard,
    and never stands in the configuration.
    """
    from opsync.cli.init.options import Options

    options = Options(**given)
    if ask_admin:
        from opsync.cli.init.mail import letters

        for letter in letters(options, language):
            click.echo(letter)
        return 0
    from opsync.cli.init.journey import Plan, conduct
    from opsync.cli.init.options import key_files
    from opsync.config import env_name

    return conduct(
        Plan(
            options=options,
            mode=mode,
            out=out,
            time_zone=time_zone,
            token_files={
                env_name(JIRA, "token"): jira_token_file,
                env_name(LINEAR, "token"): linear_token_file,
                env_name(NOTION, "token"): notion_token_file,
                **key_files(options, analytics_key_file),
            },
            secrets_dir=secrets_dir,
            sandbox=sandbox or "",
            force=force,
            check=check,
            look=look,
        )
    )
