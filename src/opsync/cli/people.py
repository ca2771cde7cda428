"""`opsync people`: who is one person across tools, and what only a person can say."""

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
    open_config,
    open_store,
    print_json,
    run_async,
    store_option,
)
from opsync.cli.layout import Column
from opsync.cli.screen import grid, hanging, show, styled
from opsync.engine.peopled import Everybody, Owning, Person, Review, gather, unread

if TYPE_CHECKING:
    from rich.text import Text

DOUBTS = 10
PEOPLE = 20
"""So many are shown unless all are asked for."""

_ACCOUNT = (
    Column("", "fold", 6),
    Column("", "fold", 10),
    Column("", "fold", 24),
    Column(""),
    Column("", right=True),
)
_PERSON = (
    Column("person", "fold", 10),
    Column("open", right=True),
    Column("connection", "fold", 6),
    Column("known there as", "fold", 10, drop=1),
    Column("address", "fold", 24, drop=3),
    Column(""),
    Column("matched by", "fold", 9, drop=2),
)


@click.command()
@click.option("--all", "every", is_flag=True, help="Show all of them.")
@json_option
@config_option
@store_option
def people(every: bool, as_json: bool, config_path: Path | None, store: Path | None) -> int:
    """Who is one person across tools; first what is in doubt, with the lines that would settle it.

    People are those who own something that was read. They are one by their address, their full
    name, or a [[person]] block of the configuration; in doubt they stay apart. Asks no tool and
    writes nothing.

    With --json: {"doubts": [...], "people": [...]}.
    """
    opened = open_config(config_path, store=store)
    found = run_async(_gather(opened))
    if as_json:
        print_json(found)
    elif not opened.config.store.exists():
        click.echo("nothing was read yet: opsync sync")
    else:
        _print(found, every=every)
    return 0


async def _gather(opened: Opened) -> Everybody:
    if not opened.config.store.exists():
        return unread()
    async with open_store(opened) as store:
        return await gather(opened.config, store)


def _print(found: Everybody, *, every: bool) -> None:
    doubts = found.doubts if every else found.doubts[:DOUBTS]
    if doubts:
        show(styled((f"In doubt, and left apart ({len(found.doubts):,})", "yellow")))
        for one in doubts:
            _print_doubt(one)
        _print_rest(len(found.doubts) - len(doubts))
        _print_how(doubts)
    if not found.people:
        click.echo("no item that was read has an owner")
        return
    shown = found.people if every else found.people[:PEOPLE]
    show(styled((_headline(found.people), "bold")))
    grid(_PERSON, [row for one in shown for row in _rows(one)], indent=2)
    _print_rest(len(found.people) - len(shown))


def _headline(found: Sequence[Person]) -> str:
    several = sum(len({one.instance for one in each.accounts}) > 1 for each in found)
    left = sum(one.left for one in found)
    parts = [words.plural(len(found), "person", "people")]
    parts += [f"{several:,} in several tools"] if several else []
    parts += [f"{left:,} left"] if left else []
    return " · ".join(parts)


def _print_doubt(one: Review) -> None:
    hanging("! ", words.shown(one.why, 400), style="yellow")
    rows = [
        [
            styled(account.instance),
            styled(words.shown(account.name, 60)),
            styled((words.shown(account.email, 80), "dim")),
            _state(account),
            styled((f"{account.open:,} open", "dim")),
        ]
        for account in one.accounts
    ]
    grid(_ACCOUNT, rows, indent=4)
    if one.instead:
        name = words.shown(one.instead, 60)
        said = f"instead of your block of {name}:" if one.paste else f"take out the block of {name}"
        show(styled((f"    # {said}", "dim")))
    for line in one.paste.splitlines():
        click.echo(f"    {line}")


def _print_how(doubts: Sequence[Review]) -> None:
    """What to do with the lines."""
    if any(one.paste for one in doubts):
        said = (
            "The lines are for the configuration. What is commented out may be wrong: take away "
            "the # if it is so. Who is somebody else gets a [[person]] block of their own."
        )
        show(styled((said, "dim")))
        click.echo("")


def _print_rest(count: int) -> None:
    if count > 0:
        show(styled((f"… {count:,} more (--all)", "dim")))


def _rows(one: Person) -> list[list[Text]]:
    """A row for each account, the first with what is said of the person."""
    rows = []
    for number, account in enumerate(one.accounts):
        first = number == 0
        rows.append(
            [
                styled((words.shown(one.name, 60) if first else "", "bold")),
                styled(f"{one.open:,}" if first else ""),
                styled(account.instance),
                styled(words.shown(account.name, 60)),
                styled((words.shown(account.email, 80), "dim")),
                _state(account),
                styled((", ".join(account.matched_by), "dim")),
            ]
        )
    return rows


def _state(account: Owning) -> Text:
    return styled(("left", "red") if account.active is False else "")
