"""`opsync digest`: what happened in a week, in eight lines, and where it goes."""

from __future__ import annotations

from pathlib import Path

import click

from opsync.cli.asking import holding_session
from opsync.cli.blank import not_blank
from opsync.cli.common import (
    Opened,
    config_option,
    json_option,
    log_option,
    need_store,
    open_config,
    open_store,
    print_json,
    run_async,
    store_option,
)
from opsync.cli.screen import signed
from opsync.engine.digest import MOST_WEEKS, Week, week
from opsync.engine.digestsending import send
from opsync.engine.digestwords import Line, as_markdown, on_page, plain, told
from opsync.engine.session import open_session
from opsync.runtime import SystemClock


@click.command()
@click.option(
    "--team", callback=not_blank, metavar="NAME", help="Of the initiatives with work of a team."
)
@click.option(
    "--weeks",
    type=click.IntRange(1, MOST_WEEKS),
    default=1,
    show_default=True,
    help="How many weeks it looks back.",
)
@click.option(
    "--to",
    type=click.Choice(["slack", "notion", "-"]),
    default="-",
    help="Where it goes: standard output (-), or as [service.digest] says.",
)
@json_option
@config_option
@store_option
@log_option
def digest(
    team: str | None,
    weeks: int,
    to: str,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """The week in at most eight lines: what moved, slipped and was shipped, what is at risk.

    Markdown, from what the last run read; no tool is asked. A team is one that delivery summaries
    name: one of the configuration, else a team or project of a tool. Without --team it is of
    everything.

    --to slack posts it to the webhook of [service.digest], --to notion puts it below opsync's own
    heading on the page that is named there, in place of what opsync wrote there before.

    With --json: {"week": {...}, "lines": [{"label", "text"}], "sent": {"to", "why"}}.
    """
    opened = open_config(config_path, store=store, log_level=log_level)
    need_store(opened)
    found, why = run_async(_made(opened, team or "", weeks, to))
    lines = _told(opened, found)
    why = opened.redactor.clean(why)
    if as_json:
        shown = [{"label": one.label, "text": plain(one)} for one in lines]
        print_json({"week": found, "lines": shown, "sent": {"to": to, "why": why}})
    elif to == "-":
        click.echo(as_markdown(lines))
    elif why:
        signed("fail", f"Not sent: {why}")
    else:
        signed("ok", f"Sent to {to.capitalize()}: {lines[0].label}")
    return 1 if why else 0


async def _made(opened: Opened, team: str, weeks: int, to: str) -> tuple[Week, str]:
    """The week, and why it could not be sent where it should go."""
    if to == "-":
        async with open_store(opened) as store:
            now = SystemClock().now()
            return await week(opened.config, store, now, team=team, weeks=weeks), ""
    # What is written into a tool wants the store for itself; a message does not.
    command = "opsync digest"
    async with (
        holding_session(opened, command)
        if to == "notion"
        else open_session(opened.config, command, exclusive=False, redactor=opened.redactor)
    ) as session:
        now = session.runtime.clock.now()
        found = await week(opened.config, session.store, now, team=team, weeks=weeks)
        return found, await send(
            session, (_told(opened, found),), "notion" if to == "notion" else "slack"
        )


def _told(opened: Opened, found: Week) -> tuple[Line, ...]:
    """The week in words; names lead to the dashboard, where it is said how it is reached."""
    leads = on_page(opened.config.general.service.public_url)
    return told(found, opened.config.zone, leads)
