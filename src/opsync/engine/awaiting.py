"""What waits, from the ledger alone: for approval, for a person's word, or for the next run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from opsync.config import Config
from opsync.engine.catalog import Item
from opsync.engine.lookup import Lookup
from opsync.engine.standing import held_why
from opsync.engine.veil import Veil
from opsync.model import Approved, KeptChange, KeptColumn, OutcomeKind, Ref, Value, Verb
from opsync.model.column import COLUMN
from opsync.model.ledger import CONFLICTED, LET_BE, SKIPPED, Entry, HoldKind, digest, plain
from opsync.model.rules import LINKS_RULE, Mode, mode_of
from opsync.model.value import NOTHING
from opsync.report import HELD_KINDS, OVER_LIMIT, HeldSlot
from opsync.store import EVERY, Store

Why = Literal["approve", "edited", "next", "observe", "decided"]
"""For what it waits: an approval, somebody's word about what a person did there, the next run, a
rule that only observes to write, or nothing, since a person decided that it stays so."""


class Awaiting(Struct, frozen=True, kw_only=True):
    """One value. `group` is the initiative that it is for, else its own target; `note` says what
    is known of it besides: that it was approved, why it is held or failed. It is not yet as it may
    be shown."""

    entry: Entry
    change: KeptChange
    why: Why
    group: Ref
    note: str


class Shown(Struct, frozen=True, kw_only=True):
    """The same as it may be shown."""

    slot: str
    why: Why
    verb: Verb
    item: Item
    about: Item
    tool: str
    place: str
    before: Value
    should_be: Value
    reason: str
    evidence: tuple[str, ...]
    note: str


async def awaiting(config: Config, store: Store) -> list[Awaiting]:
    """All of it, by target. Of an item that is put away, hidden or gone only what people decided or
    did: nothing else is written there."""
    entries = [
        one
        for one in await store.unsettled()
        if one.outcome != SKIPPED and one.slot.target.instance in config.instances
    ]
    targets = sorted({one.slot.target for one in entries if one.slot.rule == LINKS_RULE})
    roots = await store.counted_in(targets)
    modes, approved = config.modes, await store.approved()
    over = await _over_limit(store)
    there = await _there(store, (one.slot.target for one in entries))
    found = []
    for one in entries:
        change = kept_change(one)
        why, note = _why(one, mode_of(one.slot.rule, modes), approved, change)
        if why not in ("edited", "decided") and one.slot.target not in there:
            continue
        if why == "next" and not note and one.slot.target.instance in over:
            note = f"what {one.slot.target.instance} would get at once is over a limit"
        if why in ("edited", "decided"):
            note = held_why(one, config.zone)
        group = one.slot.other
        if one.slot.rule == LINKS_RULE:
            group = min(roots.get(one.slot.target, ()), default=one.slot.target)
        found.append(Awaiting(entry=one, change=change, why=why, group=group, note=note))
    return found


async def columns_ahead(store: Store, found: Iterable[Awaiting]) -> list[KeptColumn]:
    """The columns of opsync's own that are made once what waits for approval is approved: those
    that the newest plan told, but for what was made since."""
    plan = await store.newest_plan()
    if plan is None:
        return []
    waits = {one.entry.slot.target.instance for one in found if one.why == "approve"}
    made = {
        (instance, str(row.after))
        for instance in waits
        for row in await store.journal_in(instance, COLUMN)
        if row.run > plan.number and row.kind is OutcomeKind.created
    }
    return [
        one
        for one in plan.columns
        if one.instance in waits and (one.instance, one.name) not in made
    ]


async def held_in_all(config: Config, store: Store, told: Iterable[HeldSlot]) -> int:
    """How many values are held although something else should stand there, on items that are there
    still: those of `told`, which a pass met, and all that it had no reason to look at."""
    found = {one.entry.slot for one in told if one.kind in HELD_KINDS}
    rows = [
        one
        for one in await store.entries(held=True, limit=EVERY)
        if one.pending and one.hold is not None and one.hold.kind is not HoldKind.proposed
        if one.slot not in found and one.slot.target.instance in config.instances
    ]
    there = await _there(store, (one.slot.target for one in rows))
    return len(found) + sum(one.slot.target in there for one in rows)


async def held_beneath(store: Store, root: Ref) -> list[Ref]:
    """The items that this initiative counts and on which links to others are held: a plan tells
    these under its heading."""
    slots = [one.slot for one in await store.entries(held=True, limit=EVERY)]
    targets = sorted({s.target for s in slots if s.rule == LINKS_RULE and s.other != root})
    counted = await store.counted_in(targets)
    return [one for one in targets if root in counted.get(one, ())]


async def _there(store: Store, targets: Iterable[Ref]) -> set[Ref]:
    """The items of these at which something can be written."""
    records = await store.records_of(sorted(set(targets)))
    return {ref for ref, one in records.items() if not one.tombstone and not one.archived}


async def _over_limit(store: Store) -> frozenset[str]:
    """The connections of which the last run's plan was over a limit."""
    last = await store.last_runs(1)
    return frozenset(
        one.instance for row in last for one in row.instances if one.outcome == OVER_LIMIT
    )


class Shower:
    """Shows values of one store, as the configuration lets them be shown."""

    def __init__(self, config: Config, store: Store) -> None:
        self._look = Lookup(config, store)
        self._veil = Veil(self._look)

    async def groups(self, found: Sequence[Awaiting]) -> Mapping[Ref, Item]:
        """The initiatives that these are for."""
        refs = {one.group for one in found}
        await self._look.learn(refs)
        return {ref: await self._look.item(ref) for ref in refs}

    async def show(self, found: Sequence[Awaiting]) -> list[Shown]:
        """These values, each with why it would be written."""
        slots = [one.entry.slot for one in found]
        await self._look.learn({ref for slot in slots for ref in (slot.target, slot.other)})
        return [await self._shown(one) for one in found]

    async def _shown(self, one: Awaiting) -> Shown:
        entry, slot, look, veil = one.entry, one.entry.slot, self._look, self._veil
        return Shown(
            slot=str(slot),
            why=one.why,
            verb=one.change.verb,
            item=await look.item(slot.target),
            about=await look.item(slot.other),
            tool=look.catalog.tool(slot.target.instance),
            place=look.catalog.place(slot.target.instance, slot.surface),
            before=await veil.value(slot, plain(one.change.before)),
            should_be=await veil.value(slot, plain(entry.desired)),
            reason=await veil.reason(slot, entry.reason),
            evidence=await veil.evidence(slot, entry.evidence),
            note=await veil.text(one.note),
        )


def kept_change(entry: Entry) -> KeptChange:
    """What would be written there, as an approval names it. Pure."""
    over_edit = entry.hold is not None and entry.hold.kind is HoldKind.proposed
    known = entry.applied if entry.observed is None else entry.observed
    verb = Verb.update if known != NOTHING else Verb.create
    return KeptChange(
        slot=entry.slot,
        verb=Verb.remove if entry.desired == NOTHING else verb,
        desired=entry.desired,
        before=known,
        mode=Mode.propose,
        reason=entry.reason,
        inputs=entry.inputs,
        over_edit=over_edit,
    )


def _why(entry: Entry, mode: Mode, approved: Approved, change: KeptChange) -> tuple[Why, str]:
    hold = entry.hold
    if hold is not None and hold.kind in LET_BE:
        return "decided", ""
    covered = approved.covers(entry.slot, digest(entry.desired))
    if hold is not None and hold.kind is HoldKind.proposed:
        covered = approved.covers_edit(entry.slot, entry.desired, change.before)
        return ("next", "approved") if covered else ("approve", "replaces what a person wrote")
    if hold is not None or entry.outcome == CONFLICTED:
        return "edited", ""
    if mode is Mode.observe:
        return "observe", f'the rule "{entry.slot.rule}" only observes'
    failed = f"failed: {entry.message}" if entry.message and entry.attempts else ""
    if mode is Mode.propose and not covered:
        return "approve", failed
    return "next", failed or ("approved" if mode is Mode.propose else "")
