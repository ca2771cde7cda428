"""`opsync resolve`: say whose value is to stand at a place."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

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
from opsync.cli.linkdecisions import login
from opsync.cli.listing import one_item
from opsync.cli.screen import hanging, show_line
from opsync.engine.awaiting import held_beneath
from opsync.engine.columns import with_lost_columns
from opsync.engine.explain import Explainer
from opsync.engine.owning import Side, about, unsettled
from opsync.engine.owning import resolve as settle
from opsync.engine.standing import Standing, held_why
from opsync.engine.tocome import Comes, ToCome, to_come
from opsync.errors import ConfigError
from opsync.model import Ref
from opsync.model.ledger import Entry

MOST = 5
"""So many items are named on which more is held."""

if TYPE_CHECKING:
    from opsync.engine.explained import PlaceValue
    from opsync.store import Store


@click.command()
@excludes("--theirs", "--ours")
@click.argument("item", callback=not_blank)
@click.argument("place", callback=not_blank, required=False)
@click.option("--theirs", is_flag=True, help="Keep what people did, for good.")
@click.option("--ours", is_flag=True, help="Have opsync's value written again.")
@json_option
@config_option
@store_option
@log_option
def resolve(
    item: str,
    place: str | None,
    theirs: bool,
    ours: bool,
    as_json: bool,
    config_path: Path | None,
    store: Path | None,
    log_level: str | None,
) -> int:
    """Settle what is held on ITEM: all of it, or at PLACE (as in Delivery).

    Held is what a person edited or removed, and what was undone, released or refused. --theirs
    leaves it as it stands for good. --ours has opsync's value written by the next run, over what
    stands there now and over nothing that somebody writes until then. Without either it is shown.

    A column of opsync's that a person deleted is settled for all items at once. Links between
    items that ITEM counts are settled on those; it says on which.

    With --json: {"resolve": {"side", "settled", "columns", "beneath"}, "values": [...]}, values as
    in `explain`.
    """
    side: Side | None = "theirs" if theirs else "ours" if ours else None
    opened = open_config(config_path, store=store, log_level=log_level)
    before, after, columns, beneath = run_async(_resolve(opened, item, place, side))
    count = len(after)
    if as_json:
        head = {"side": side, "settled": count, "columns": columns, "beneath": beneath}
        print_json({"resolve": head, "values": before})
        return 0
    for one in before:
        where = f"{one.tool} {words.shown(one.target.label, 60)}, {one.place}"
        hanging("  ! ", f"{where}: {one.held}")
        for name, said in (("should be", one.should_be), ("is now", one.is_now)):
            hanging("      ", f"{name} {words.value(said, one.place)}")
    for name in columns:
        fate = "is made again by the next write" if side == "ours" else "stays away for good"
        show_line(f"The column {words.shown(name, 80)} {fate}, for all items.")
    if beneath:
        show_line(f"Held besides, on items that it counts: {_commands(beneath)}")
    if side is None:
        show_line("Settle: --theirs leaves it for good, --ours has opsync's written again.")
    elif side == "theirs":
        stand = "it stands" if count == 1 else "they stand"
        show_line(f"{words.plural(count, 'value')} left as {stand}, for good.")
    else:
        for line in _to_come(after):
            show_line(line)
    return 0


def _to_come(found: Sequence[ToCome]) -> list[str]:
    """What the next runs make of what is to be opsync's again."""
    counted = Counter(found)
    order = {one: place for place, one in enumerate(get_args(Comes))}
    told = sorted(counted, key=lambda one: (order[one.comes], one.removes, one.of))
    return [_comes(one, counted[one]) for one in told]


def _comes(one: ToCome, count: int) -> str:
    values, done = words.plural(count, "value"), "taken away" if one.removes else "written"
    are, them = ("is", "it") if count == 1 else ("are", "them")
    match one.comes:
        case "nothing":
            return f"{values}: nothing stands there, and nothing should by now"
        case "theirs":
            stay = "stays" if count == 1 else "stay"
            return f"{values} {stay} as people left {them}: nothing of opsync's should stand there"
        case "stands":
            stand = "stands" if count == 1 else "stand"
            return f"{values} {stand} there already, and {are} kept up to date again"
        case "write":
            return f"{values} to be {done} by the next run: opsync sync"
        case "approval":
            wait = "waits" if count == 1 else "wait"
            return f"{values} to be {done} {wait} for approval: opsync sync, then opsync apply"
        case "paused":
            to = f" to {one.of}" if one.of else ""
            off = f"opsync pause {one.of} --off" if one.of else "opsync pause --off"
            return f"{values} to be {done} once writes{to} are permitted again: {off}; opsync sync"
        case "observed" if one.of:
            why = f'the rule "{words.shown(one.of, 40)}" only observes: set its mode'
        case "observed":
            why = "all rules only observe: set a mode"
        case "out of reach":
            item = words.shown(one.of, 60)
            return f"{values} {are} opsync's again, but nothing can be written on {item}: {one.why}"
    return f'{values} {are} held no longer, but {why} to "propose" or "apply" to have {them} {done}'


async def _resolve(
    opened: Opened, item: str, place: str | None, side: Side | None
) -> tuple[list[PlaceValue], list[ToCome], list[str], list[str]]:
    """What is settled as it was before, what comes of it if opsync's is to stand, the columns that
    people removed, and the names of the items that it counts on which links are held."""
    need_store(opened)
    async with holding_session(opened, "opsync resolve") as session:
        store = session.store
        record = await one_item(opened, store, item)
        known = await about(store, record.ref)
        found = [one for one in known if unsettled(one)]
        chosen = found if place is None else _at(opened, known, found, place)
        beneath = await _beneath(opened, store, record.ref) if place is None else []
        if not chosen:
            raise _nothing(opened, item, place, found, beneath)
        values = await _shown(opened, store, chosen)
        if side is None:
            return values, [], [], beneath
        by, at = login(), session.runtime.clock.now()
        chosen, lost = await with_lost_columns(session, chosen)
        after = await settle(opened.config, store, chosen, side, by=by, at=at, lost=lost)
        comes = await to_come(opened.config, store, after)
        return values, comes, [column.name for _, column in lost], beneath


async def _beneath(opened: Opened, store: Store, root: Ref) -> list[str]:
    """What a person types for the items that an initiative counts and on which links are held."""
    explainer = Explainer(opened.config, store)
    return [await explainer.naming(ref) for ref in await held_beneath(store, root)]


def _commands(names: Sequence[str]) -> str:
    """How to settle what is held on these."""
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(f"opsync resolve {shlex.quote(name)}" for name in names[:MOST]) + more


def _at(opened: Opened, known: list[Entry], found: list[Entry], place: str) -> list[Entry]:
    """Those held at a place: by its name where the item has such a place, as `explain` takes it,
    so that Delivery is not Delivery % as well; else by what begins with it."""
    wanted = place.strip().casefold()
    if any(_place(opened, one).casefold() == wanted for one in known):
        return [one for one in found if _place(opened, one).casefold() == wanted]
    return [one for one in found if _place(opened, one).casefold().startswith(wanted)]


def _place(opened: Opened, entry: Entry) -> str:
    from opsync.engine.catalog import Catalog

    slot = entry.slot
    return Catalog(opened.config).place(slot.target.instance, slot.surface)


def _nothing(
    opened: Opened, item: str, place: str | None, found: list[Entry], beneath: list[str]
) -> ConfigError:
    what = f'at "{words.shown(place, 40)}" ' if place is not None else ""
    held = {f"{_place(opened, one)} ({held_why(one, opened.config.zone)})" for one in found}
    name = words.shown(item, 60)
    look = f'See its values: opsync explain "{name}"'
    hint = f"Held there: {', '.join(sorted(held))}." if held else look
    if beneath:
        hint = f"Held on items that it counts: {_commands(beneath)}"
    return ConfigError(f'nothing is held {what}on "{name}"', hint=hint)


async def _shown(opened: Opened, store: Store, entries: list[Entry]) -> list[PlaceValue]:
    from opsync.engine.lookup import Lookup
    from opsync.engine.veil import Veil

    look = Lookup(opened.config, store)
    standing = Standing(look, Veil(look))
    return [await standing.value(one) for one in entries]
