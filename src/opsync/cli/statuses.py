"""`opsync statuses`: what each status and resolution counts as, and which look wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsync.cli import words
from opsync.cli.common import (
    Opened,
    config_option,
    json_option,
    log_option,
    open_config,
    open_store,
    print_json,
    run_async,
    store_option,
    store_or_blank,
)
from opsync.cli.layout import Column
from opsync.cli.screen import grid, hanging, show, styled
from opsync.engine.session import open_session
from opsync.engine.statuses import Asked, Statuses, ask, recall
from opsync.engine.statuswords import Finding, Judged, toml_key
from opsync.errors import ConfigError
from opsync.inert import inert_text
from opsync.model import Category

if TYPE_CHECKING:
    from rich.text import Text

HEADS = {
    Finding.unmapped: ("Counts as nothing", "red"),
    Finding.suspicious: ("Sounds like something else than it counts as", "yellow"),
    Finding.ambiguous: ("Of one name, and does not count alike", "yellow"),
    Finding.fine: ("Fine", "green"),
}
COLUMNS = (
    Column(drop=1),
    Column("name", "fold", 12),
    Column("counts as"),
    Column("sounds like", drop=2),
    Column("items", right=True),
    Column("in", "fold", 8, drop=3),
)
IDS = 3
"""So many ids of one name are shown; `--json` has all."""


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Of this connection only. Repeat.")
@click.option("--offline", is_flag=True, help="Ask no tool: only what items have that were read.")
@click.option("--all", "every", is_flag=True, help="Show those without a finding, too.")
@json_option
@config_option
@store_option
@log_option
def statuses(
    only: tuple[str, ...],
    offline: bool,
    every: bool,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """What each status and resolution counts as; first those that count as nothing, and those
    whose name says something else.

    Ends with lines to paste into the configuration. Writes nothing anywhere. Exits with 3 when a
    tool refuses the sign-in, with 1 when one cannot be asked.

    With --json: {"connections", "statuses", "paste"}.
    """
    opened = open_config(config_path, store=store, log_level=log_level)
    unknown = sorted(set(only) - opened.config.instances.keys())
    if unknown:
        raise ConfigError(
            f'no connection "{unknown[0]}"',
            hint=f"Configured: {', '.join(opened.config.instances)}.",
        )
    found = run_async(_gather(opened, frozenset(only), offline=offline))
    if as_json:
        print_json(found)
    else:
        _print(found, offline=offline, every=every)
    troubles = [one for one in found.connections if one.message]
    return 3 if any(one.sign_in for one in troubles) else 1 if troubles else 0


async def _gather(opened: Opened, only: frozenset[str], *, offline: bool) -> Statuses:
    if offline:
        async with open_store(opened) as store:
            return await recall(opened.config, store, only)
    async with open_session(
        opened.config,
        "opsync statuses",
        exclusive=False,
        redactor=opened.redactor,
        store=store_or_blank(opened),
    ) as session:
        return await ask(session, only)


def _print(found: Statuses, *, offline: bool, every: bool) -> None:
    for one in found.connections:
        _tell(one, offline=offline)
    several = len({one.instance for one in found.statuses}) > 1
    for finding, (title, color) in HEADS.items():
        lines = [one for one in found.statuses if one.finding is finding]
        if lines and (every or finding is not Finding.fine):
            show(styled((f"{title} ({len(lines)})", color)))
            grid(COLUMNS, [_row(one, several=several) for one in lines], indent=2)
    fine = sum(one.finding is Finding.fine for one in found.statuses)
    if fine and not every:
        named = f"{words.plural(fine, 'name')} as expected"
        wrong = len(found.statuses) > fine
        show(styled((f"… {fine} more as expected (--all)" if wrong else f"{named} (--all)", "dim")))
    if not found.statuses:
        click.echo("no status found" + (": nothing was read yet" if offline else ""))
    _hint_at_blocked(found.statuses)
    if found.paste:
        click.echo("")
        click.echo("# To paste into the configuration. What is commented out is less certain: take")
        click.echo(
            "# away the # if it is so. Categories: backlog, todo, in_progress, done, canceled."
        )
        click.echo(found.paste)


def _tell(one: Asked, *, offline: bool) -> None:
    """Why a connection's own list is not shown."""
    if one.message:
        show(styled(("✗", "red"), f" {one.instance}: {words.shown(one.message, 500)}"))
        if one.hint:
            show(styled(f"    {words.shown(one.hint, 500)}"))
    if not one.asked and not offline:
        seen = f"shown is what {words.plural(one.items, 'item')} have that were read"
        show(styled((f"{one.instance}: {one.tool} was not asked; {seen}", "dim")))


def _row(one: Judged, *, several: bool) -> list[Text]:
    name = words.shown(one.name, 60)
    if one.name not in one.keys:
        more = " …" if len(one.ids) > IDS else ""
        name += f" ({', '.join(one.ids[:IDS])}{more})"
    if one.table == "resolutions":
        name += ", resolution"
    counts = _category(one.counts_as)
    for team, category in sorted(one.in_teams.items()):
        counts += f"; {words.shown(team, 30)}: {_category(category)}"
    sound = "blocked" if one.sounds_blocked else ""
    if one.sounds_like is not None:
        sound = words.CATEGORY_WORDS[one.sounds_like]
    cells = (
        one.instance if several else "",
        name,
        counts,
        sound,
        f"{one.items:,}",
        words.shown(", ".join(one.where), 80),
    )
    return [styled(cell) for cell in cells]


def _category(category: Category) -> str:
    return "nothing" if category is Category.unknown else words.CATEGORY_WORDS[category]


def _hint_at_blocked(lines: Sequence[Judged]) -> None:
    """That a status sounds blocked decides nothing; a team, or Jira's settings, may say so."""
    named = [one.name for one in lines if one.sounds_blocked and one.counts_as.open]
    if named:
        listed = ", ".join(dict.fromkeys(toml_key(inert_text(name, 60)) for name in named))
        hanging(
            "  ",
            f"{listed}: sounds blocked. If work in it is, have its [[team]] say so: "
            f'blocked = ["link", "flag", "status"], blocked_statuses = [{listed}]',
        )
