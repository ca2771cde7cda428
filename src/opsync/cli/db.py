"""`opsync db`: look after the store."""

from __future__ import annotations

from pathlib import Path

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
from opsync.runtime import SystemClock


@click.group()
def db() -> None:
    """Look after the store."""


@db.command()
@config_option
@store_option
def upgrade(config_path: Path | None, store: Path | None) -> int:
    """Make the store, or bring an older one to this program's form.

    `opsync sync` does the same by itself. Keep a copy of the file first: there is no way back.
    """
    from opsync.store import hold
    from opsync.store.database import upgrade as upgrade_store

    path = open_config(config_path, store=store).config.store
    with hold(path, "opsync db upgrade", SystemClock().now()):
        revision = upgrade_store(path)
    click.echo(f"{path} is up to date (its form is number {int(revision)})")
    return 0


@db.command()
@json_option
@config_option
@store_option
def check(as_json: bool, config_path: Path | None, store: Path | None) -> int:
    """Read the whole store and say whether it is sound.

    Exits with 5 if it is not.

    With --json: {"store", "sound", "counts": {...}}.
    """
    opened = open_config(config_path, store=store)
    counts = run_async(_check(opened))
    path = opened.config.store
    if as_json:
        print_json({"store": str(path), "sound": True, "counts": counts})
        return 0
    items = sum(count for name, count in counts.items() if name.startswith("records."))
    click.echo(
        f"{path} is sound: {words.plural(items, 'item')}, "
        f"{words.plural(counts['links'], 'link')}, "
        f"{words.plural(counts['rollups'], 'delivery summary', 'delivery summaries')}, "
        f"{words.plural(counts['quarantine'], 'item')} set aside"
    )
    return 0


async def _check(opened: Opened) -> dict[str, int]:
    async with open_store(opened) as store:
        await store.check()
        return dict(sorted((await store.counts()).items()))
