"""Plans that are kept under their number, carrying one out as it was approved, and approvals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Literal

from msgspec import Struct

from opsync.config import Config
from opsync.engine.approvals import Agreed, agreed, approves
from opsync.engine.catalog import Item
from opsync.engine.lookup import Lookup
from opsync.engine.veil import Veil
from opsync.errors import ConfigError
from opsync.model import Approval, KeptChange, KeptColumn, KeptPlan, Slot, Value
from opsync.model.ledger import LET_BE, SKIPPED, Entry, digest, plain
from opsync.model.rules import Mode, mode_of
from opsync.noting import held_text
from opsync.report import PassReport, Planned
from opsync.store import EVERY, Store

Fate = Literal[
    "moved",
    "stands",
    "held",
    "observed",
    "proposed",
    "unread",
    "stopped",
    "paused",
    "over limit",
    "out of reach",
]
"""Why a change of a plan was not written: something else should stand there by now, it stands
there already, the place is held, its rule only observes or waits for an approval, its connection
could not be read, writing there ended early, it is paused, what was to be written there is over
a limit, or its item was put away, is hidden or gone."""


class Unwritten(Struct, frozen=True):
    """A change of a plan that was not written, and why. `now` is what should stand there by now,
    of one that moved."""

    change: KeptChange
    fate: Fate
    why: str
    now: Value = None


def kept_plan(done: PassReport, shown: PassReport, at: datetime) -> KeptPlan:
    """The plan of a pass, as it is kept: as it may be `shown`, and what it wrote is no part of it
    any more."""
    written = {change.slot for change, _ in done.outcomes}
    made = {one.place for one in done.columns_made}
    lists: tuple[tuple[Mode, Sequence[Planned], Sequence[Planned]], ...] = (
        (Mode.apply, done.plan.changes, shown.plan.changes),
        (Mode.propose, done.plan.proposed, shown.plan.proposed),
        (Mode.observe, done.plan.observed, shown.plan.observed),
    )
    return KeptPlan(
        number=done.run,
        at=at,
        command=done.command,
        changes=tuple(
            KeptChange.of(
                one.change,
                mode,
                stands=planned.change.before,
                tool=one.tool,
                place=one.place,
                target=one.target,
                group=one.group,
            )
            for mode, each, as_shown in lists
            for planned, one in zip(each, as_shown, strict=True)
            if one.change.slot not in written
        ),
        columns=tuple(
            KeptColumn(one.instance, one.tool, one.column.within, one.column.title)
            for one in shown.plan.columns
            if one.place not in made
        ),
    )


def approvals_of(
    changes: Sequence[KeptChange], number: int, *, by: str, at: datetime
) -> Iterator[Approval]:
    """An approval of each value whose rule waits for one."""
    for one in changes:
        if one.mode is Mode.propose:
            yield Approval(
                scope=str(one.slot),
                desired_hash=one.approves,
                by=by,
                at=at,
                plan=number,
                inputs=one.inputs,
            )


def chosen(changes: Sequence[KeptChange]) -> Mapping[Slot, str]:
    """What a pass may write that carries these changes out: each slot with its value's digest."""
    return {one.slot: one.desired_hash for one in changes if one.mode is not Mode.observe}


async def with_approvals(
    store: Store, given: Sequence[Approval], carry_out: Callable[[], Awaitable[PassReport]]
) -> PassReport:
    """Have a pass carried out that goes by these approvals of values. Where its plan was refused
    over a limit they are withdrawn, so that nothing is written there by and by without asking;
    what was approved before stays so."""
    if not given:
        return await carry_out()
    before = {one.scope: one for one in await store.approvals()}
    await store.approve(given)
    report = await carry_out()
    for name in (one.instance for one in report.instances if one.over):
        entries = {str(one.slot): one for one in await store.entries(instance=name, limit=EVERY)}
        refused = [one for one in given if one.scope.startswith(f"{name}:")]
        known = [before[one.scope] for one in refused if one.scope in before.keys() & entries]
        await store.withdraw(refused, [one for one in known if approves(one, entries[one.scope])])
    return report


async def unwritten(
    store: Store, changes: Sequence[KeptChange], report: PassReport, config: Config
) -> list[Unwritten]:
    """The changes that the pass did not try to write, each with the reason."""
    tried = {change.slot for change, _ in report.outcomes}
    modes, approved = config.modes, await store.approved()
    look = Lookup(config, store)
    await look.learn(one.slot.target for one in changes)
    found = []
    for one in changes:
        if one.slot in tried:
            continue
        now = _Now(
            entry=await store.entry(one.slot),
            mode=mode_of(one.slot.rule, modes),
            approved=approved.covers(one.slot, one.desired_hash),
            away=await look.out_of_reach(one.slot.target),
        )
        found.append(_fate(one, now, report, config.zone))
    return found


class _Now(Struct, frozen=True, kw_only=True):
    """How it is by now where a change was to be written: its row, the mode of its rule, whether the
    value is approved, and why nothing can be written on its item ("" where something can)."""

    entry: Entry | None
    mode: Mode
    approved: bool
    away: str


def _fate(change: KeptChange, now: _Now, report: PassReport, zone: tzinfo) -> Unwritten:
    """Why a change was not written."""
    rule, entry, mode = f'its rule "{change.slot.rule}"', now.entry, now.mode
    if change.mode is Mode.observe:
        did = "only observes" if mode is Mode.observe else "only observed when the plan was made"
        return Unwritten(change, "observed", f"{rule} {did}")
    instance = change.slot.target.instance
    here = next((one for one in report.instances if one.instance == instance), None)
    if here is not None and here.trouble and not here.over and not here.write_stopped:
        return Unwritten(change, "unread", f"{instance} could not be read: {here.message}")
    same = entry if entry is not None and digest(entry.desired) == change.desired_hash else None
    if same is not None and same.hold is not None:
        return Unwritten(change, "held", held_text(same.hold, zone))
    if same is not None and not same.pending and same.outcome != SKIPPED:
        return Unwritten(change, "stands", "it stands there already")
    if now.away:
        return Unwritten(change, "out of reach", f"nothing can be written there: {now.away}")
    if same is None:
        should = None if entry is None else plain(entry.desired)
        if should is None:
            return Unwritten(change, "moved", "nothing should stand there any more")
        return Unwritten(change, "moved", "something else should stand there by now", should)
    if mode is Mode.observe:
        return Unwritten(change, "observed", f"{rule} only observes")
    over = here is not None and bool(here.over)
    asks = mode is Mode.propose and not now.approved
    if asks and not (over and change.mode is Mode.propose):
        return Unwritten(change, "proposed", f"{rule} waits for approval")
    if over:
        still = "; that waits for approval still" if asks else ""
        return Unwritten(change, "over limit", f"what {instance} would get is over a limit{still}")
    if here is not None and here.write_stopped:
        return Unwritten(change, "stopped", f"writing to {instance} ended: {here.write_stopped}")
    if here is not None and here.paused:
        stays = "stays approved and " if mode is Mode.propose else ""
        then = f"what it is to get {stays}is written once writes go on"
        return Unwritten(change, "paused", f"{instance} is paused: {then}")
    waits = (one.why for one in report.plan.held if one.entry.slot == change.slot)
    return Unwritten(change, "held", next(waits, same.message) or "the place is held")


def rule_named(config: Config, name: str) -> str:
    """A rule that may be approved as a whole. ConfigError: there is none of this name, or it
    does not wait for approval."""
    modes = config.modes
    if name not in modes:
        raise ConfigError(f'no rule "{name}"', hint=f"There are: {', '.join(sorted(modes))}.")
    if modes[name] is not Mode.propose:
        raise ConfigError(
            f'rule "{name}" is in mode {modes[name].value}: it waits for no approval',
            hint='Only values of rules in mode "propose" do.',
        )
    return name


class Given(Struct, frozen=True, kw_only=True):
    """An approval that somebody gave: of all values of a rule, or of one `value` at a place, which
    is on `item` and tells of `about`. `state` says why it does not count now ("": it does)."""

    rule: str
    tool: str
    place: str
    item: Item | None
    about: Item | None
    value: Value
    state: str
    approved: Agreed


async def given_approvals(config: Config, store: Store) -> list[Given]:
    """All approvals as they may be shown: those of rules, then those of values, the latest
    first."""
    found = await store.approvals()
    scopes = {one.scope for one in found if one.desired_hash}
    slots = await store.entries(limit=EVERY) if scopes else []
    entries = {scope: one for one in slots if (scope := str(one.slot)) in scopes}
    look = Lookup(config, store)
    veil = Veil(look)
    await look.learn({ref for e in entries.values() for ref in (e.slot.target, e.slot.other)})
    rules = config.modes
    told = []
    for one in found:
        if not one.desired_hash:
            told.append(_given_rule(one, rules))
        elif (entry := entries.get(one.scope)) is not None:
            told.append(await _given_value(look, veil, one, entry))
    told.sort(key=lambda one: one.approved.at, reverse=True)
    return sorted(told, key=lambda one: one.approved.of)


def _given_rule(one: Approval, modes: Mapping[str, Mode]) -> Given:
    state, mode = "", mode_of(one.scope, modes)
    if one.scope not in modes:
        state = "the rule is no longer configured"
        if mode is Mode.propose:
            state += ": what it wrote may still be taken away"
    elif mode is not Mode.propose:
        state = f"the rule is in mode {mode.value}"
    return Given(
        rule=one.scope,
        tool="",
        place="",
        item=None,
        about=None,
        value=None,
        state=state,
        approved=agreed(one),
    )


async def _given_value(look: Lookup, veil: Veil, one: Approval, entry: Entry) -> Given:
    slot = entry.slot
    counts = approves(one, entry)
    state = "" if counts else "something else should stand there by now"
    if counts and entry.hold is not None and entry.hold.kind in LET_BE:
        state = held_text(entry.hold, look.zone)
    return Given(
        rule=slot.rule,
        tool=look.catalog.tool(slot.target.instance),
        place=look.catalog.place(slot.target.instance, slot.surface),
        item=await look.item(slot.target),
        about=await look.item(slot.other),
        value=await veil.value(slot, plain(entry.desired)) if counts else None,
        state=state,
        approved=agreed(one),
    )
