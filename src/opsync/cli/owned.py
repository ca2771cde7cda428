"""`opsync owned` and `opsync release`: what opsync wrote anywhere, and giving it up."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from opsync.cli import words
from opsync.cli.asking import holding_session
from opsync.cli.blank import not_blank
from opsync.cli.common import (
    Opened,
    config_option,
    json_option,
    log_option,
    need_store,
    open_config,
    print_json,
    run_async,
    store_option,
)
from opsync.cli.excluding import excludes
from opsync.cli.layout import Column
from opsync.cli.linkdecisions import login
from opsync.cli.listing import Listing, limit_option, most, one_item, show_listing
from opsync.cli.screen import show_line, signed
from opsync.cli.undoview import print_back
from opsync.engine.owning import (
    UNKNOWN,
    Owned,
    OwnedColumn,
    keep_released,
    owned_columns,
    owned_entries,
    remove_released,
)
from opsync.engine.owning import owned as shown_owned
from opsync.engine.pages import Kept, Released, kept_parts, leave_parts, release_parts
from opsync.engine.undone import ShownBack, shown_back
from opsync.errors import ConfigError
from opsync.model import Kind, Ref
from opsync.model.ledger import Entry, HoldKind
from opsync.model.rules import LINKS_RULE
from opsync.model.value import NOTHING
from opsync.store import EVERY, Store


@click.command()
@click.argument("item", callback=not_blank, required=False)
@click.option("--connection", metavar="NAME", help="Only what stands in this connection.")
@click.option("--rule", metavar="NAME", help='Only what this rule wrote; "links" for links.')
@limit_option
@json_option
@config_option
@store_option
def owned(
    item: str | None,
    connection: str | None,
    rule: str | None,
    limit: int | None,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
) -> int:
    """Everything that opsync owns anywhere: each value with its place, its rule, and since when.

    Of all items, or at and about ITEM; and below them the columns that it made and the parts of
    pages that it keeps. Asks no tool. Give it up with: opsync release.

    With --json: [{"tool", "place", "item", "about", "rule", "value", "since", "run", "state"}].
    """
    rows = most(limit, as_json)

    parts: dict[str, Kept] = {}
    columns: list[OwnedColumn] = []

    async def gather(opened: Opened, kept: Store) -> Listing:
        found = await _entries(opened, kept, item, connection, rule)
        if item is None and rule is None:
            parts.update(await kept_parts(kept))
            columns.extend(await owned_columns(opened.config, kept))
        if not found:
            _check_rule(opened, rule)
        listed = await shown_owned(opened.config, kept, found)
        return _listing(opened, listed, rows)

    where = "of these" if item or connection or rule else "anywhere"
    code = show_listing(
        config_path, store, as_json, gather, nothing=f"nothing: opsync owns no value {where}"
    )
    for made in columns:
        if not as_json and connection in (None, made.connection):
            name = words.shown(made.name)
            show_line(f"{made.connection}: {name}, a column of its own (made in run {made.run})")
    for part, one in parts.items():
        if not as_json and connection in (None, one.instance):
            times = words.plural(one.times, "time")
            show_line(f"{one.instance}: {part}, a part of a page (written {times}): {one.page}")
    return code


def _listing(opened: Opened, listed: Sequence[Owned], limit: int) -> Listing:
    rows = []
    for one in listed[:limit]:
        since = "before this store" if one.state != UNKNOWN else "not known"
        if one.since is not None:
            local = one.since.astimezone(opened.config.zone)
            since = f"{words.day(local.date())} {local:%H:%M}, run {one.run}"
        of = one.about if one.item.kind == Kind.product.value else one.item
        rows.append(
            (
                one.tool,
                words.shown(of.label, 48),
                one.place,
                words.value(one.value, one.place),
                one.rule,
                since,
                one.state,
            )
        )
    columns = (
        Column("tool"),
        Column("item", "fold", 14),
        Column("place", "fold", 10),
        Column("value", "fold", 18),
        Column("rule", drop=2),
        Column("since", drop=1),
        Column("", "fold", 10),
    )
    return Listing(columns, rows, listed[:limit], full=len(rows) < len(listed))


async def _entries(
    opened: Opened,
    store: Store,
    item: str | None,
    connection: str | None,
    rule: str | None,
    *,
    ceded: bool = False,
) -> list[Entry]:
    """The slots that are asked for, as `owned_entries` has them. ConfigError: there is no such item
    or connection."""
    if connection is not None and connection not in opened.config.instances:
        raise ConfigError(
            f'no connection "{connection}"',
            hint=f"Configured: {', '.join(opened.config.instances)}.",
        )
    ref: Ref | None = None
    if item is not None:
        ref = (await one_item(opened, store, item)).ref
    return await owned_entries(store, item=ref, instance=connection, rule=rule, ceded=ceded)


@click.command()
@excludes("--keep", "--remove")
@excludes("--all", "ITEM", "--connection", "--rule")
@click.argument("item", callback=not_blank, required=False)
@click.option("--keep", is_flag=True, help="Leave the values as they stand, to people.")
@click.option("--remove", is_flag=True, help="Take away exactly what opsync wrote.")
@click.option("--connection", metavar="NAME", help="What stands in this connection.")
@click.option("--rule", metavar="NAME", help='What this rule wrote; "links" for links.')
@click.option("--all", "every", is_flag=True, help="Everything, anywhere.")
@click.option("--dry-run", is_flag=True, help="Show what would be given up; change nothing.")
@json_option
@config_option
@store_option
@log_option
def release(
    item: str | None,
    keep: bool,
    remove: bool,
    connection: str | None,
    rule: str | None,
    every: bool,
    dry_run: bool,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """Give up what opsync owns: at and about ITEM, in a connection, of a rule, or all of it.

    --keep leaves the values as they stand, and asks no tool. --remove reads each place and takes
    away what stands there as opsync wrote it; what people edited is left and told. A place that
    was released is not written again until you ask for it: opsync resolve ITEM --ours. Values at
    new places are written as before: stop that with mode = "observe".

    With --remove and no ITEM, columns that opsync made go too where nothing is left in them; and
    without --rule as well what it keeps on pages, such as the digest.

    With --json: {"release": {"how", "values", "run", "dry_run"}, "done": [...], "left": [...],
    "columns": [...], "pages": [...]}.
    """
    if not keep and not remove:
        raise click.UsageError("say what becomes of the values: --keep or --remove.")
    if not every and not (item or connection or rule):
        raise click.UsageError("name an ITEM, --connection or --rule, or take --all.")
    opened = open_config(config_path, store=store, log_level=log_level)
    how = "keep" if keep else "remove"
    if keep:
        kept = run_async(_keep(opened, item, connection, rule, dry=dry_run))
        if as_json:
            head = {"how": how, "values": kept, "run": None, "dry_run": dry_run}
            print_json({"release": head, "done": [], "left": [], "columns": [], "pages": []})
        else:
            verb = "would be left" if dry_run else "left"
            stand = "it stands" if kept == 1 else "they stand"
            count = f"{words.plural(kept, 'value')} {verb} to people, as {stand}"
            show_line(count if kept else "nothing to leave: opsync owns no value of these")
        return 0
    found, pages, code = run_async(_remove(opened, item, connection, rule, dry=dry_run))
    if as_json:
        head = {"how": how, "values": len(found.done), "run": found.run, "dry_run": dry_run}
        back = {"done": found.done, "left": found.left, "columns": found.columns}
        print_json({"release": head, **back, "pages": pages})
        return code
    print_back(found, done="Removed", would="Would remove", looked=dry_run)
    for page in pages:
        if page.why:
            signed("fail", f"{page.part}: stays on its page in {page.connection}: {page.why}")
        else:
            verb = "would be taken" if dry_run else "taken"
            signed("ok", f"{page.part}: {verb} off its page in {page.connection}")
    if found.done and found.run is not None:
        show_line(f"Released in run {found.run}. Undo that: opsync undo {found.run}")
    return code


def _check_rule(opened: Opened, rule: str | None) -> None:
    """ConfigError: of a rule that owns nothing, there is none of that name. One that does may be
    gone from the configuration."""
    names = [*(one.name for one in opened.config.rules), LINKS_RULE]
    if rule is not None and rule not in names:
        raise ConfigError(f'no rule "{rule}"', hint=f"There are: {', '.join(sorted(names))}.")


def _command(item: str | None, connection: str | None, rule: str | None) -> str:
    """The command that takes the same away. It names an item without its title."""
    parts = ["opsync", "release", *([item] if item else [])]
    parts += ["--connection", connection] if connection else []
    parts += ["--rule", rule] if rule else []
    parts += [] if item or connection or rule else ["--all"]
    return shlex.join([*parts, "--remove"])


async def _keep(
    opened: Opened, item: str | None, connection: str | None, rule: str | None, *, dry: bool
) -> int:
    need_store(opened)
    async with holding_session(opened, "opsync release") as session:
        found = await _entries(opened, session.store, item, connection, rule, ceded=True)
        if not found:
            _check_rule(opened, rule)
        if not dry:
            at = session.runtime.clock.now()
            await keep_released(session.store, found, by=login(), at=at)
            if item is None and rule is None:
                await leave_parts(session, connection)
        return len(found)


async def _remove(
    opened: Opened, item: str | None, connection: str | None, rule: str | None, *, dry: bool
) -> tuple[ShownBack, list[Released], int]:
    """What came of it. The columns go with all that is in a connection, or of a rule; what stands
    on pages with all that is in a connection."""
    need_store(opened)
    async with holding_session(opened, "opsync release") as session:
        entries = await _entries(opened, session.store, item, connection, rule, ceded=True)
        named = item and str((await one_item(opened, session.store, item)).ref)
        command = _command(named, connection, rule)
        columns_of: set[str] = set()
        gone: list[Entry] = []
        if connection is not None:
            columns_of = {connection}
        elif item is None and rule is None:
            columns_of = set(opened.config.instances)
        elif item is None:
            # Those too from which it was taken before, as by a release that was interrupted.
            gone = await session.store.entries(held=HoldKind.released, limit=EVERY)
            gone = [one for one in gone if one.slot.rule == rule and one.applied == NOTHING]
            columns_of = {one.slot.target.instance for one in [*entries, *gone]}
        begun = [one.command for one in await session.store.interrupted_runs()]
        if not (entries or gone or command in begun):
            _check_rule(opened, rule)
        found = await remove_released(
            session,
            entries,
            by=login(),
            command=command,
            columns_of=() if item else columns_of,
            dry=dry,
        )
        pages: list[Released] = []
        if item is None and rule is None:
            pages = await release_parts(session, connection, dry=dry)
        code = found.exit_code or (1 if any(one.why for one in pages) else 0)
        return await shown_back(opened.config, session.store, found), pages, code
