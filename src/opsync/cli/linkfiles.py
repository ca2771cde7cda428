"""`opsync links import` and `export`: decisions about pairs as a CSV file."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from opsync.cli import words
from opsync.cli.common import config_option, run_async, store_option
from opsync.cli.linkdecisions import deciding_on
from opsync.engine.pairfile import Imported, Sheet, decisions_in, read_sheet, rows_of, write_sheet
from opsync.errors import ConfigError
from opsync.inert import inert_text
from opsync.model import Novelty
from opsync.model.pair import novelty

MOST_BYTES = 32 * 1024 * 1024
"""More than any list of pairs that people keep."""
STANDARD = "-"


@click.command("import", short_help="Take decisions from a CSV file.")
@click.argument("file")
@click.option("--dry-run", is_flag=True, help="Say what would be taken, and take nothing.")
@config_option
@store_option
def import_(file: str, dry_run: bool, config_path: Path | None, store: Path | None) -> int:
    """Take decisions from FILE, a CSV with the columns one, two, kind, verdict and note.

    "-" reads standard input. An item is named by its link, its key or a piece of its title. What
    is not plain is told by its line, and the rest is taken; reading a file twice changes nothing.
    Exit code 1 says that some lines were left out.
    """
    sheet = read_sheet(_read(file), _called(file))
    found, news = run_async(_import(sheet, config_path, store, dry_run=dry_run))
    for column in sheet.ignored:
        click.echo(f'! the column "{words.shown(column, 40)}" is ignored', err=True)
    for problem in found.problems:
        click.echo(words.shown(problem, 1000), err=True)
    counts = Counter(news)
    parts = [f"{counts['new']} new", f"{counts['changed']} changed", f"{counts['known']} known"]
    if found.problems:
        parts.append(f"{words.plural(len(found.problems), 'line')} left out")
    click.echo(f"{'would be ' if dry_run else ''}taken: {', '.join(parts)}")
    return 1 if found.problems else 0


@click.command(short_help="Write all decisions to a CSV file.")
@click.argument("file", default=STANDARD)
@config_option
@store_option
def export(file: str, config_path: Path | None, store: Path | None) -> int:
    """Write all decisions to FILE as CSV, accepted and rejected; `import` takes it again.

    Without FILE, or for "-", to standard output.
    """
    text = run_async(_export(config_path, store))
    if file == STANDARD:
        click.echo(text, nl=False)
        return 0
    try:
        Path(file).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigError(
            f"{_called(file)} cannot be written: {error.strerror or error}",
            hint="Choose a file in a folder that is writable.",
        ) from error
    return 0


async def _import(
    sheet: Sheet, config_path: Path | None, store: Path | None, *, dry_run: bool
) -> tuple[Imported, list[Novelty]]:
    async with deciding_on(config_path, store) as (deciding, kept):
        found = await decisions_in(sheet, deciding)
        if not dry_run:
            return found, await kept.decide(found.decisions)
        before = {frozenset((one.one, one.two)): one for one in await kept.decisions()}
        return found, [
            novelty(before.get(frozenset((one.one, one.two))), one) for one in found.decisions
        ]


async def _export(config_path: Path | None, store: Path | None) -> str:
    async with deciding_on(config_path, store) as (deciding, kept):
        return write_sheet(await rows_of(await kept.decisions(), deciding))


def _read(file: str) -> bytes:
    try:
        if file == STANDARD:
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"{_called(file)} cannot be read: {error.strerror or error}",
            hint='Name a CSV file, or "-" for standard input.',
        ) from error
    if len(data) > MOST_BYTES:
        size = MOST_BYTES // 1024 // 1024
        raise ConfigError(f"{_called(file)} has over {size} MB", hint="Import it in parts.")
    return data


def _called(file: str) -> str:
    return "standard input" if file == STANDARD else inert_text(file, 200)
