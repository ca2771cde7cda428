"""`opsync links`, `records`, `rollups`, `journal`: what the store holds, as listings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from opsync.cli.screen import interactive, show_rows
from opsync.engine.catalog import Catalog
from opsync.engine.explain import Explainer
from opsync.engine.overview import overview
from opsync.errors import ConfigError
from opsync.model import Kind, Record
from opsync.runtime import SystemClock
from opsync.store import Store

LIMIT = 100
"""Rows on a terminal unless told otherwise."""
NO_LIMIT = 2**63 - 1
"""The greatest number that SQLite takes as a limit."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows for people, and the same as JSON."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    objects: Sequence[Any]
    full: bool = False
    """Whether the limit cut something off, as far as is known."""


def _limit_option(function: Any) -> Any:
    return click.option(
        "--limit",
        type=click.IntRange(1),
        help=f"At most so many rows. Default: {LIMIT} on a terminal; all in a pipe and as JSON.",
    )(function)


@click.command()
@click.argument("item", required=False)
@_limit_option
@json_option
@config_option
@store_option
def links(
    item: str | None,
    limit: int | None,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
) -> int:
    """Which items belong together, and why: all, or those of ITEM.

    With --json: [{"one", "two", "evidence": [{"source", "target", "field", "text"}]}].
    """
    return _run(config_path, store, as_json, lambda o, s: _links(o, s, item, _most(limit, as_json)))


@click.command()
@click.option("--connection", metavar="NAME", help="Only those of this connection.")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Only this kind.")
@_limit_option
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
    most = _most(limit, as_json)
    return _run(config_path, store, as_json, lambda o, s: _records(o, s, connection, kind, most))


@click.command()
@json_option
@config_option
@store_option
def rollups(as_json: bool, config_path: Path | None, store: Path | None) -> int:
    """Delivery summaries with their numbers.

    With --json: the "initiatives" of `opsync status --json`.
    """
    return _run(config_path, store, as_json, _rollups)


@click.command()
@click.argument("item", required=False)
@click.option("--run", "run", type=int, metavar="N", help="Only the writes of this run.")
@_limit_option
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
    """Every write that was tried, the latest first: all, of one run, or on ITEM.

    With --json: [{"seq", "run", "at", "tool", "place", "item", "about", "rule", "verb",
    "outcome", "before", "after", "reason", "evidence", "message", "request_id"}].
    """
    most = _most(limit, as_json)
    return _run(config_path, store, as_json, lambda o, s: _journal(o, s, item, run, most))


def _most(limit: int | None, as_json: bool) -> int:
    """How many rows: programs get all of them unless they ask for fewer."""
    return limit or (LIMIT if interactive() and not as_json else NO_LIMIT)


def _run(config_path: Path | None, store: Path | None, as_json: bool, gather: Any) -> int:
    opened = open_config(config_path, store=store)
    found: Listing = run_async(_gather(opened, gather))
    if as_json:
        print_json(found.objects)
        return 0
    if interactive() and not found.rows:
        click.echo("nothing to show")
        return 0
    show_rows(found.columns, found.rows)
    if found.full and interactive():
        click.echo(f"… more (--limit {2 * len(found.rows)})")
    return 0


async def _gather(opened: Opened, gather: Any) -> Listing:
    async with open_store(opened) as store:
        found: Listing = await gather(opened, store)
        return found


async def _one(opened: Opened, store: Store, text: str) -> Record:
    """The one record that a person means. Raises ConfigError when that is not plain."""
    explainer = Explainer(opened.config, store)
    found = await explainer.find(text)
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(
            f'nothing is called "{text}"', hint="Name it by URL, key or a piece of its title."
        )
    names = [explainer.item(record) for record in found]
    raise ConfigError(
        f'"{text}" may be any of {len(found)} items',
        problems=(
            f'"{words.shown(text)}" may be any of these; name one by its key or URL:',
            *(f"{one.tool}  {words.shown(one.label, 80)}  {one.url}" for one in names),
        ),
    )


async def _links(opened: Opened, store: Store, item: str | None, limit: int) -> Listing:
    catalog = Catalog(opened.config)
    if item is None:
        found = await store.links_page(limit=limit)
    else:
        found = (await store.links_of((await _one(opened, store, item)).ref))[:limit]
    rows, objects = [], []
    for link in found:
        ends = [
            catalog.item(record) if (record := await store.record(ref)) else catalog.unread(ref)
            for ref in (link.one, link.two)
        ]
        first = link.evidence[0]
        source = ends[0] if first.source == link.one else ends[1]
        rows.append(
            (
                ends[0].tool,
                words.shown(ends[0].label, 60),
                ends[1].tool,
                words.shown(ends[1].label, 60),
                f'named in "{words.shown(first.field, 40)}" of {source.key or source.label}',
            )
        )
        objects.append(
            {
                "one": ends[0],
                "two": ends[1],
                "evidence": [
                    {
                        "source": str(one.source),
                        "target": str(one.target),
                        "field": one.field,
                        "text": one.text,
                    }
                    for one in link.evidence
                ],
            }
        )
    columns = (
        Column("tool"),
        Column("item", "fold", 16),
        Column("tool"),
        Column("belongs with", "fold", 16),
        Column("why", "fold", 18),
    )
    return Listing(columns, rows, objects, full=len(rows) == limit)


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
            one.kind,
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
    catalog = Catalog(opened.config)
    zone = opened.config.zone
    target = None if item is None else (await _one(opened, store, item)).ref
    rows, objects = [], []
    for one in await store.journal(run=run, target=target, limit=limit):
        slot = one.slot
        target_, about = [
            catalog.item(record) if (record := await store.record(ref)) else catalog.unread(ref)
            for ref in (slot.target, slot.other)
        ]
        place = catalog.place(slot.target.instance, slot.surface)
        before, after = words.value(one.before, place), words.value(one.desired, place)
        local = one.at.astimezone(zone)
        rows.append(
            (
                str(one.run),
                f"{words.day(local.date())} {local:%H:%M}",
                one.kind.value,
                target_.tool,
                words.shown(target_.label, 40),
                place,
                f"{before} → {after}" + (f" ({one.message})" if one.message else ""),
            )
        )
        objects.append(
            {
                "seq": one.seq,
                "run": one.run,
                "at": one.at,
                "tool": target_.tool,
                "place": place,
                "item": target_,
                "about": about,
                "rule": slot.rule,
                "verb": one.verb.value,
                "outcome": one.kind.value,
                "before": one.before,
                "after": one.desired,
                "reason": one.reason,
                "evidence": one.evidence,
                "message": one.message,
                "request_id": one.request_id,
            }
        )
    columns = (
        Column("run", right=True),
        Column("when"),
        Column("outcome"),
        Column("tool", drop=1),
        Column("item", "fold", 14),
        Column("place", "fold", 10),
        Column("before → after", "fold", 18),
    )
    return Listing(columns, rows, objects, full=len(rows) == limit)
