"""`opsync undo`: put back what stood before a run, a change or an item's writes."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

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
from opsync.cli.linkdecisions import login
from opsync.cli.listing import one_item
from opsync.cli.screen import show_line
from opsync.cli.undoview import from_now_on, print_back
from opsync.cli.words import shown
from opsync.engine.session import open_session
from opsync.engine.undoing import is_beyond, is_change, is_run, undoes, writes_of
from opsync.engine.undoing import undo as undo_writes
from opsync.engine.undone import ShownBack, shown_back
from opsync.errors import ConfigError, StoreHeld
from opsync.store import EVERY, JournalRow, Store

JOURNAL = "What was written, and when: opsync journal"
"""Where runs and changes are found."""


@click.command()
@click.argument("what", callback=not_blank, required=False, metavar="[RUN | CHANGE | ITEM]")
@click.option("--dry-run", is_flag=True, help="Show what would be put back; write nothing.")
@json_option
@config_option
@store_option
@log_option
def undo(
    what: str | None,
    dry_run: bool,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """Put back what stood before a run (its number), one change (as `opsync journal` names it) or
    all writes on ITEM. Without any: the last run that wrote.

    Each place is read just before. Only where what opsync wrote stands there still, it is put
    back, and what opsync made is removed; the rest is left and told. It is a run of its own, and
    can be undone. What is undone stays so, whatever should stand there, until you let go of it:
    opsync resolve ITEM --ours.

    With --json: {"undo": {"of", "run", "dry_run"}, "done": [...], "left": [...],
    "columns": [...]}.
    """
    opened = open_config(config_path, store=store, log_level=log_level)
    of, again, found, code = run_async(_undo(opened, what, dry=dry_run))
    if as_json:
        head = {"of": of, "run": found.run, "dry_run": dry_run}
        print_json({"undo": head, "done": found.done, "left": found.left, "columns": found.columns})
        return code
    if found.done or found.left or found.columns:
        print_back(found, done="Put back", would="Would put back", looked=dry_run)
    else:
        show_line(f"nothing to put back: what stood before {of} stands there already")
    if (then := from_now_on(found, again=again)) is not None:
        show_line(f"Undo of {of}, run {found.run}: {then}")
    return code


async def _undo(opened: Opened, what: str | None, *, dry: bool) -> tuple[str, bool, ShownBack, int]:
    """What is undone, whether that is an undo itself, and what came of it."""
    need_store(opened)
    async with open_store(opened) as store:
        of, named, rows = await _chosen(opened, store, what)
    command = f"opsync undo {shlex.quote(named)}"
    again = undoes(rows)
    try:
        async with open_session(opened.config, command, redactor=opened.redactor) as session:
            found = await undo_writes(
                session, rows, why=f"undo of {of}", by=login(), command=command, dry=dry
            )
            back = await shown_back(opened.config, session.store, found)
            return of, again, back, found.exit_code
    except StoreHeld as held:
        from opsync.cli.asking import undo_there

        done = await undo_there(opened, held, command, of, rows, dry=dry)
        return of, again, done.back, done.exit_code


async def _chosen(
    opened: Opened, store: Store, what: str | None
) -> tuple[str, str, list[JournalRow]]:
    """What is undone, in words and as a command names it without a title, and its writes.
    ConfigError: there are none."""
    if what is None:
        run = await store.last_writing_run()
        if run is None:
            raise ConfigError(
                "nothing was written yet: there is nothing to undo",
                hint="See what would be: opsync plan",
            )
        what = str(run)
    command = what
    if is_run(what):
        of, rows = f"run {what}", await writes_of(store, run=int(what))
    elif is_change(what):
        of, rows = f"change {what}", await writes_of(store, change=what)
    elif is_beyond(what):
        kind = "change" if "-" in what else "run"
        raise ConfigError(f"there is no {kind} {shown(what, 40)}", hint=JOURNAL)
    else:
        record = await one_item(opened, store, what)
        of = await _named(opened, store, what)
        rows = await writes_of(store, item=record.ref)
        command = str(record.ref)
    if not rows:
        raise await _wrote_nothing(store, of, what)
    return of, command, rows


async def _wrote_nothing(store: Store, of: str, what: str) -> ConfigError:
    hint = JOURNAL
    last, writing = await store.last_runs(1), await store.last_writing_run()
    if is_run(what) and (not int(what) or not last or int(what) > last[0].seq):
        return ConfigError(f"there is no run {what}", hint=hint)
    if is_change(what) and not await _tried(store, what):
        return ConfigError(f"there is no change {what}", hint=hint)
    if writing is None:
        return ConfigError("nothing was written yet: there is nothing to undo", hint=hint)
    return ConfigError(f"{of} wrote nothing", hint=f"The last run that wrote is {writing}. {hint}")


async def _tried(store: Store, change: str) -> bool:
    """Whether a change is in the journal, whatever came of it."""
    rows = await store.journal(run=int(change.partition("-")[0]), limit=EVERY)
    return any(row.change == change for row in rows)


async def _named(opened: Opened, store: Store, what: str) -> str:
    from opsync.engine.lookup import Lookup

    record = await one_item(opened, store, what)
    return (await Lookup(opened.config, store).item(record.ref)).label
