"""`opsync db`: look after the store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from opsync.cli import words
from opsync.cli.blank import FilePath
from opsync.cli.common import (
    Opened,
    config_option,
    json_option,
    new_store_option,
    open_config,
    open_store,
    print_json,
    run_async,
    store_option,
)
from opsync.cli.screen import show_line
from opsync.runtime import SystemClock

if TYPE_CHECKING:
    from opsync.model.retention import Keep, Pruned

F = TypeVar("F", bound=Callable[..., Any])


@click.group()
def db() -> None:
    """Look after the store."""


@db.command()
@config_option
@new_store_option
def upgrade(config_path: Path | None, store: Path | None) -> int:
    """Make the store, or bring an older one to this program's form.

    `opsync sync` does the same by itself. Keep a copy of the file first: there is no way back.
    """
    from opsync.store import hold
    from opsync.store.database import upgrade as upgrade_store

    path = open_config(config_path, store=store, makes_store=True).config.store
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

    With --json: {"store", "id", "sound", "counts": {...}}.
    """
    opened = open_config(config_path, store=store)
    id_, counts = run_async(_check(opened))
    path = opened.config.store
    if as_json:
        print_json({"store": str(path), "id": id_, "sound": True, "counts": counts})
        return 0
    items = sum(count for name, count in counts.items() if name.startswith("records."))
    click.echo(
        f"{path} is sound: {words.plural(items, 'item')}, "
        f"{words.plural(counts['links'], 'link')}, "
        f"{words.plural(counts['rollups'], 'delivery summary', 'delivery summaries')}, "
        f"{words.plural(counts['quarantine'], 'item')} set aside"
    )
    click.echo(f"Its id is {id_}: by that plans in files name it")
    return 0


async def _check(opened: Opened) -> tuple[str, dict[str, int]]:
    """By what it is told from other stores, and what it holds."""
    async with open_store(opened) as store:
        await store.check()
        return await store.store_id(), dict(sorted((await store.counts()).items()))


@db.command()
@click.argument("file", type=FilePath(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite FILE if it is there.")
@json_option
@config_option
@store_option
def backup(
    file: Path, force: bool, as_json: bool, config_path: Path | None, store: Path | None
) -> int:
    """Copy the store to FILE, also while opsync runs.

    The copy is one moment of the store, in one file that only its owner may read; it is checked
    before it takes its name.

    With --json: {"store", "file", "bytes", "form"}.
    """
    from opsync.store import back_up

    path = open_config(config_path, store=store).config.store
    copied = back_up(path, file, force=force)
    if as_json:
        print_json(
            {"store": str(path), "file": str(file), "bytes": copied.size, "form": copied.form}
        )
        return 0
    show_line(f"{file} is a copy of {path}: {_size(copied.size)}, read through and sound")
    return 0


@db.command()
@click.argument("file", type=FilePath(path_type=Path))
@json_option
@config_option
@new_store_option
def restore(file: Path, as_json: bool, config_path: Path | None, store: Path | None) -> int:
    """Put the copy in FILE in the store's place.

    The copy is checked first, and the store that it replaces stays beside it. What opsync wrote
    since the copy was made is found where it stands and taken up, not written twice. What people
    decided since then is lost: links accepted, values undone, approvals.

    With --json: {"store", "file", "form", "older", "replaced"}.
    """
    from opsync.store import hold
    from opsync.store import restore as put_back

    path = open_config(config_path, store=store, makes_store=True).config.store
    now = SystemClock().now()
    with hold(path, "opsync db restore", now):
        done = put_back(path, file, now)
    if as_json:
        print_json(
            {
                "store": str(path),
                "file": str(file),
                "form": done.copy.form,
                "older": done.copy.older,
                "replaced": None if done.replaced is None else str(done.replaced),
            }
        )
        return 0
    show_line(f"{path} is the copy {file} now")
    if done.replaced is not None:
        show_line(f"Replaced  {done.replaced} (delete it once all is well)")
    if done.copy.older:
        show_line("Form      of an older opsync: the next opsync sync brings it to this version's")
    show_line("Next      opsync plan  (values written since the copy are found and taken up;")
    show_line("          what people decided since then has to be decided again)")
    return 0


def _keep_option(name: str, what: str) -> Callable[[F], F]:
    """`--keep-NAME SPAN`."""
    return click.option(f"--keep-{name}", f"keep_{name}", metavar="SPAN", help=f"{what}: 400d.")


@db.command()
@_keep_option("journal", "How long writes stay in the journal")
@_keep_option("gone", "How long items are kept that are gone")
@_keep_option("runs", "How long runs are kept that wrote nothing")
@click.option("--dry-run", is_flag=True, help="Count only.")
@json_option
@config_option
@store_option
def prune(
    keep_journal: str | None,
    keep_gone: str | None,
    keep_runs: str | None,
    dry_run: bool,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
) -> int:
    """Forget what is old and what nothing asks for any more.

    Without options as long is kept as [retention] says. What an undo of the last 30 days rests
    on, what opsync has anywhere, and what explains a value stay in any case.

    With --json: {"store", "dry_run", "pruned": {"journal", "gone", "runs", "history"}}.
    """
    opened = open_config(config_path, store=store)
    keep = _keep(opened, journal=keep_journal, gone=keep_gone, runs=keep_runs)
    pruned = run_async(_prune(opened, keep, dry=dry_run))
    if as_json:
        print_json({"store": str(opened.config.store), "dry_run": dry_run, "pruned": pruned})
        return 0
    for line in _pruned_lines(pruned, dry=dry_run):
        show_line(line)
    return 0


def _keep(opened: Opened, **given: str | None) -> Keep:
    from pydantic import ValidationError

    from opsync.blocks.retention import RetentionBlock

    block = opened.config.general.retention
    wanted: dict[str, str | timedelta] = {name: getattr(block, name) for name in given}
    wanted |= {name: value for name, value in given.items() if value is not None}
    try:
        return RetentionBlock.model_validate(wanted).keep()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        why = str(first["msg"]).removeprefix("Value error, ")
        raise click.UsageError(f"--keep-{first['loc'][0]}: {why}") from None


async def _prune(opened: Opened, keep: Keep, *, dry: bool) -> Pruned:
    from contextlib import nullcontext

    from opsync.store import hold

    now = SystemClock().now()
    path = opened.config.store
    with nullcontext() if dry else hold(path, "opsync db prune", now):
        async with open_store(opened) as store:
            return await store.prune(now, keep, dry=dry)


def _pruned_lines(pruned: Pruned, *, dry: bool) -> list[str]:
    found = [
        (pruned.journal, words.plural(pruned.journal, "old write"), "of the journal"),
        (pruned.gone, words.plural(pruned.gone, "item"), "gone for long"),
        (pruned.runs, words.plural(pruned.runs, "run"), "that wrote nothing"),
        (
            pruned.history,
            words.plural(pruned.history, "number"),
            "of delivery summaries: one a day stays",
        ),
    ]
    lines = [f"{count:<14} {of}" for number, count, of in found if number]
    if not lines:
        return ["nothing is old enough to be pruned"]
    return [*lines, "nothing was changed (--dry-run)" if dry else "pruned; its space is used again"]


def _size(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB" if size >= 2**20 else f"{max(1, size // 2**10):,} KiB"
