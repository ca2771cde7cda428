"""`opsync records`, `rollups`, `journal`: what the store holds, as listings."""

from __future__ import annotations

from pathlib import Path

import click

from opsync.cli import words
from opsync.cli.blank import not_blank
from opsync.cli.common import Opened, config_option, json_option, store_option
from opsync.cli.layout import Column
from opsync.cli.listing import Listing, limit_option, most, one_item, show_listing
from opsync.engine.catalog import Catalog, noun_of
from opsync.engine.lookup import Lookup
from opsync.engine.overview import overview
from opsync.engine.wrote import Wrote, wrote
from opsync.errors import ConfigError
from opsync.model import Kind
from opsync.runtime import SystemClock
from opsync.store import EVERY, Store


@click.command()
@click.option("--connection", metavar="NAME", help="Only those of this connection.")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Only this kind.")
@limit_option
@json_option
@config_option
@store_option
def records(
    connection: str | None,
    kind: str | None,
    limit: int | None,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
) -> int:
    """What was read from the tools.

    With --json: [{"ref", "label", "tool", "instance", "kind", "key", "title", "url", "status",
    "category", "blocked", "gone"}].
    """
    rows = most(limit, as_json)
    return show_listing(
        config_path, store, as_json, lambda o, s: _records(o, s, connection, kind, rows)
    )


@click.command()
@json_option
@config_option
@store_option
def rollups(as_json: bool, config_path: Path | None, store: Path | None) -> int:
    """Delivery summaries with their numbers.

    With --json: the "initiatives" of `opsync status --json`.
    """
    return show_listing(config_path, store, as_json, _rollups)


@click.command()
@click.argument("item", callback=not_blank, required=False)
@click.option(
    "--run", "run", type=click.IntRange(1), metavar="N", help="Only the writes of this run."
)
@limit_option
@json_option
@config_option
@store_option
def journal(
    item: str | None,
    run: int | None,
    limit: int | None,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
) -> int:
    """Every write that was tried, the latest first: all, of one run, or on ITEM. Where an
    initiative's release is told is among its own. One write alone is taken back by its change, the
    last column where there is room: opsync undo CHANGE.

    With --json: [{"seq", "id", "run", "at", "tool", "place", "item", "about", "rule", "verb",
    "outcome", "before", "after", "reason", "evidence", "message", "request_id"}].
    """
    rows = most(limit, as_json)
    return show_listing(config_path, store, as_json, lambda o, s: _journal(o, s, item, run, rows))


async def _records(
    opened: Opened, store: Store, connection: str | None, kind: str | None, limit: int
) -> Listing:
    if connection is not None and connection not in opened.config.instances:
        raise ConfigError(
            f'no connection "{connection}"',
            hint=f"Configured: {', '.join(opened.config.instances)}.",
        )
    catalog = Catalog(opened.config)
    found = await store.records_page(
        instance=connection, kind=Kind(kind) if kind else None, limit=limit
    )
    items = [catalog.item(record) for record in found]
    rows = [
        (
            one.instance,
            noun_of(one),
            one.key,
            words.shown(one.title or one.label, 80),
            one.status,
            words.CATEGORY_WORDS[record.category],
            one.url,
        )
        for one, record in zip(items, found, strict=True)
    ]
    columns = (
        Column("connection", "fold", 9),
        Column("kind"),
        Column("key"),
        Column("title", "fold", 18),
        Column("status", "fold", 11),
        Column("counts as", drop=1),
        Column("url", drop=2),
    )
    return Listing(columns, rows, items, full=len(rows) == limit)


async def _rollups(opened: Opened, store: Store) -> Listing:
    found = (await overview(opened.config, store, SystemClock().now())).initiatives
    rows = [
        (
            words.shown(one.title, 60),
            f"{one.done}/{one.total}",
            words.percent(one.percent),
            one.health.value.lower(),
            str(one.blocked),
            str(one.canceled),
            words.day(one.due_on),
            one.reason,
        )
        for one in found
    ]
    columns = (
        Column("initiative", "fold", 16),
        Column("done", right=True),
        Column("share", right=True, drop=1),
        Column("health"),
        Column("blocked", right=True),
        Column("canceled", right=True, drop=2),
        Column("due", right=True),
        Column("why", "fold", 18),
    )
    return Listing(columns, rows, found)


async def _journal(
    opened: Opened, store: Store, item: str | None, run: int | None, limit: int
) -> Listing:
    look = Lookup(opened.config, store)
    zone = opened.config.zone
    target = None if item is None else (await one_item(opened, store, item)).ref
    told_in = sorted(await look.products()) if target is not None else []
    run = None if run is None else min(run, EVERY)  # no run has a greater number
    found = await store.journal(run=run, target=target, told_in=told_in, limit=limit)
    objects = await wrote(look, found)
    rows = []
    for one in objects:
        local = one.at.astimezone(zone)
        rows.append(
            (
                str(one.run),
                f"{words.day(local.date())} {local:%H:%M}",
                one.outcome,
                one.tool,
                words.shown((one.about if one.item.kind == Kind.product else one.item).label, 40),
                one.place,
                _what_changed(one) + (f" ({one.message})" if one.message else ""),
                one.id,
            )
        )
    columns = (
        Column("run", right=True),
        Column("when"),
        Column("outcome"),
        Column("tool", drop=1),
        Column("item", "fold", 14),
        Column("place", "fold", 10),
        Column("before → after", "fold", 18),
        Column("change", drop=2),
    )
    return Listing(columns, rows, objects, full=len(rows) == limit)


def _what_changed(one: Wrote) -> str:
    """What stood there and what does, or that it is a column that came or went."""
    if one.column:
        return one.column
    return f"{words.value(one.before, one.place)} → {words.value(one.after, one.place)}"
