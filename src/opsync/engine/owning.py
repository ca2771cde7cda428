"""What opsync owns anywhere, giving it up, and settling what a person has a say in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from opsync.config import Config
from opsync.current import Opened
from opsync.engine.catalog import Item
from opsync.engine.columns import Columns, settled_columns
from opsync.engine.lookup import Lookup
from opsync.engine.session import Session
from opsync.engine.standing import held_why
from opsync.engine.taken import LeftSlot, TakenBack
from opsync.engine.taking import take_back
from opsync.engine.veil import Veil
from opsync.errors import ConfigError
from opsync.model import WRITTEN, Approval, MadeColumn, OutcomeKind, Place, Ref, Slot, Value
from opsync.model.column import COLUMN
from opsync.model.ledger import (
    CONFLICTED,
    EDITED,
    LET_BE,
    Entry,
    Hold,
    HoldKind,
    as_before,
    digest,
    plain,
    unsure,
)
from opsync.model.rules import Mode, mode_of
from opsync.model.undo import Back, Left
from opsync.model.value import NOTHING
from opsync.store import EVERY, JournalRow, Store

UNKNOWN = "its write was interrupted; opsync sync looks there"
"""The state of a value of which it is not known whether it stands there."""

Side = Literal["theirs", "ours"]
"""Whose value is to stand at a place: the person's, or opsync's."""


class Owned(Struct, frozen=True, kw_only=True):
    """One value that opsync owns. `since` is when it was first written there, None for one that
    was there when this store began, or of which it is not known whether it stands there; `state`
    says why it is not kept up to date ("": it is)."""

    tool: str
    place: str
    item: Item
    about: Item
    rule: str
    value: Value
    since: datetime | None
    run: int | None
    state: str


async def owned_entries(
    store: Store,
    *,
    item: Ref | None = None,
    instance: str | None = None,
    rule: str | None = None,
    ceded: bool = False,
) -> list[Entry]:
    """The slots in which what opsync wrote, or may have written, is its own: at and about an item,
    in an instance, or of a rule, if given; with `ceded` those too in which it is to be written over
    what a person gave up."""
    if item is not None:
        found = await about(store, item)
    else:
        found = await store.entries(instance=instance, limit=EVERY)
    return [
        one
        for one in found
        if (one.owned or (ceded and one.ceded and one.hold is None))
        and instance in (None, one.slot.target.instance)
        and rule in (None, one.slot.rule)
    ]


async def about(store: Store, item: Ref) -> list[Entry]:
    """All slots at an item's places, and elsewhere about it."""
    found = [
        *await store.entries(target=item, limit=EVERY),
        *await store.entries(other=item, limit=EVERY),
    ]
    return list({one.slot: one for one in found}.values())


async def owned(config: Config, store: Store, entries: Sequence[Entry]) -> list[Owned]:
    """These as they may be shown, each with its first write."""
    look = Lookup(config, store)
    veil = Veil(look)
    await look.learn({ref for one in entries for ref in (one.slot.target, one.slot.other)})
    since: dict[Place, tuple[datetime, int]] = {}
    for row in await store.journal_of(sorted({one.slot.target for one in entries})):
        if row.kind is OutcomeKind.created:
            since[row.slot.place] = row.at, row.run
        elif row.kind in WRITTEN:
            since.setdefault(row.slot.place, (row.at, row.run))
    found = []
    for one in entries:
        slot = one.slot
        at, run = since.get(slot.place, (None, None))
        found.append(
            Owned(
                tool=look.catalog.tool(slot.target.instance),
                place=look.catalog.place(slot.target.instance, slot.surface),
                item=await look.item(slot.target),
                about=await look.item(slot.other),
                rule=slot.rule,
                value=await veil.value(slot, plain(_value(one))),
                since=at,
                run=run,
                state=held_why(one, config.zone) or (UNKNOWN if one.intent is not None else ""),
            )
        )
    return sorted(found, key=lambda one: (one.tool, one.item.label, one.place, one.about.label))


def _value(entry: Entry) -> msgspec.Raw | None:
    """What stands in a slot, or may."""
    return entry.applied if entry.intent in (None, NOTHING) else entry.intent


class OwnedColumn(Struct, frozen=True):
    """A column that opsync made in a table and has not taken away, as far as it knows."""

    tool: str
    connection: str
    name: str
    run: int


async def owned_columns(config: Config, store: Store) -> list[OwnedColumn]:
    """The columns of opsync's own, by connection. Asks no tool."""
    look = Lookup(config, store)
    found = []
    for name in sorted(config.instances):
        made: dict[Slot, JournalRow] = {}
        for row in await store.journal_in(name, COLUMN):
            if row.kind is OutcomeKind.created:
                made[row.slot] = row
            elif row.kind is OutcomeKind.removed:
                made.pop(row.slot, None)
        tool = look.catalog.tool(name)
        found += [OwnedColumn(tool, name, str(row.after), row.run) for row in made.values()]
    return found


# Giving up -----------------------------------------------------------------------------------


async def keep_released(store: Store, entries: Sequence[Entry], *, by: str, at: datetime) -> None:
    """Leave these values to people, as they stand. Nothing is asked of any tool: what a write that
    was interrupted may have put there is theirs as well."""
    hold = Hold(HoldKind.released, by, at)
    given_up = {"hold": hold, "intent": None, "outcome": "", "message": "", "next_try_at": None}
    await store.settle([msgspec.structs.replace(one, **given_up) for one in entries])


async def remove_released(
    session: Session,
    entries: Sequence[Entry],
    *,
    by: str,
    command: str,
    columns_of: Collection[str] = (),
    dry: bool = False,
) -> TakenBack:
    """Take these values away, each only where it stands as opsync wrote it, or as a write of
    unknown outcome was to; and then the own columns in the instances `columns_of`, as far as
    nothing is in them. What is a person's still is left to them. `command` is what a person typed:
    should it not come to its end, the same goes on with it."""
    backs = {
        one.slot: Back(
            None,
            None if one.ceded else plain(one.applied),
            HoldKind.released,
            begun=plain(unsure(one)),
        )
        for one in entries
    }
    theirs = [one for one in entries if not one.owned]
    left = [LeftSlot(one.slot, backs.pop(one.slot), Left("edited")) for one in theirs]
    found = await take_back(
        session,
        backs,
        TakenBack(left=left),
        why="released",
        by=by,
        command=command,
        columns=Columns(session, "released", instances=columns_of),
        dry=dry,
    )
    if not dry:
        edited = {one.slot for one in found.left if one.left.why == "edited"}
        # What a write of unknown outcome may have put there is known once that is settled.
        sure = [one for one in entries if one.ceded or one.intent is None]
        given_up = [one for one in sure if one.slot in edited]
        await keep_released(session.store, given_up, by=by, at=session.runtime.clock.now())
    return found


# Settling ------------------------------------------------------------------------------------


def unsettled(entry: Entry) -> bool:
    """Whether a person has a say here: it was edited, removed, undone, released or refused, or
    opsync's value is to be written over theirs, as they said."""
    if entry.ceded:
        return True
    if entry.hold is not None:
        return entry.hold.kind in LET_BE | EDITED | {HoldKind.removed}
    return entry.outcome == CONFLICTED


def settled(entry: Entry, side: Side, *, by: str, at: datetime) -> Entry:
    """A slot as it is when a person said whose value is to stand there. Pure.

    With "theirs" it is held for good. With "ours" what stands there now may be replaced: that,
    and nothing that somebody writes there until then. A person's text stays theirs until it is.
    """
    entry = as_before(entry)
    fresh = msgspec.structs.replace(entry, outcome="", message="", attempts=0, next_try_at=None)
    if side == "theirs":
        known = entry.hold
        kind = known.kind if known is not None and known.kind in LET_BE else HoldKind.theirs
        return msgspec.structs.replace(fresh, hold=Hold(kind, by, at))
    stands = entry.applied if entry.observed is None else entry.observed
    put_back = entry.hold is not None and entry.hold.kind is HoldKind.theirs
    own = stands == entry.applied and not put_back
    return msgspec.structs.replace(
        fresh,
        hold=None,
        applied=stands,
        asked=entry.asked if own and stands != NOTHING else stands,
        remote_id=entry.remote_id if stands != NOTHING else "",
        ceded=stands != NOTHING and (entry.ceded or not own),
    )


async def resolve(
    config: Config,
    store: Store,
    entries: Sequence[Entry],
    side: Side,
    *,
    by: str,
    at: datetime,
    lost: Sequence[tuple[Opened, MadeColumn]] = (),
) -> list[Entry]:
    """Settle these, and with them the columns of theirs that people removed (`lost`); what a rule
    in mode propose would write there is approved with it.

    ConfigError: one of them is not as it was when it was looked up, and nothing was done.
    """
    after = [settled(one, side, by=by, at=at) for one in entries]
    modes = config.modes
    approvals = [
        Approval(
            scope=str(one.slot),
            desired_hash=digest(one.desired),
            by=by,
            at=at,
            inputs=one.inputs,
        )
        for one in after
        if side == "ours" and mode_of(one.slot.rule, modes) is Mode.propose
    ]
    columns = settled_columns(lost, for_good=side == "theirs", at=at)
    await _settle(store, after, approvals, before=entries, kept=columns)
    return after


async def refuse(store: Store, entries: Sequence[Entry], *, by: str, at: datetime) -> None:
    """Leave what stands where these propose something, until a person lets go of it: an edit as
    the person's who made it, and what opsync wrote as its own.

    ConfigError: one of them is not as it was when it was looked up, and nothing was done.
    """
    refused = Hold(HoldKind.refused, by, at)
    after = [
        msgspec.structs.replace(kept, hold=refused if before.hold is None else kept.hold)
        for before in entries
        for kept in [settled(before, "theirs", by=by, at=at)]
    ]
    await _settle(store, after, [], before=entries)


async def _settle(
    store: Store,
    after: list[Entry],
    approvals: list[Approval],
    *,
    before: Sequence[Entry],
    kept: Mapping[str, Mapping[str, Value]] | None = None,
) -> None:
    if not await store.settle(after, approvals, before=before, kept=kept):
        raise ConfigError(
            "a value was written or changed meanwhile: nothing was done",
            hint="Look at it again, and decide about what stands there now.",
        )
