"""Plan ► apply: what should stand where, and writing it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial

import msgspec
import structlog

from opsync.contract.connector import Writable
from opsync.current import Pass
from opsync.desire import Setting, desire, withdraw
from opsync.errors import SignInError, StoreError
from opsync.inert import inert_text
from opsync.model import NOT_VISIBLE, Change, Record, Ref, Seen, Slot
from opsync.model.approval import edit_hash
from opsync.model.ledger import FAILED, Entry, digest, stored
from opsync.model.rules import LINKS_RULE, Mode
from opsync.noting import Notes
from opsync.report import OwnColumn
from opsync.stages.apply import TargetWork, apply
from opsync.stages.census import is_due
from opsync.stages.places import Want
from opsync.stages.plan import TargetPlan, plan
from opsync.steps.shared import at_once, chunks, keep, keep_all, tell_settled
from opsync.steps.waiting import Kept, counted_in, roots_told, tell_waiting
from opsync.store import METRICS, TargetInputs

_log = structlog.get_logger(__name__)

STALE_AFTER = timedelta(hours=6)
"""An instance that cannot be read for so long is named in the delivery text, once."""
LOOKED = "opsync:looked"
"""Kept of an analytics instance: when its annotations were last looked at for what people did."""


async def plan_changed(this: Pass) -> dict[str, list[TargetWork]]:
    """Plan: every target whose links, rollups, ledger rows or sight changed, by instance."""
    targets = set(await this.store.targets_changed(this.changed_since))
    # A plan is shown whole, and what is carried out is planned whatever it waits for.
    modes = "" if this.full or not this.write else this.modes
    targets |= set(await this.store.targets_pending(this.clock.now(), modes=modes))
    targets |= {slot.target for slot in this.chosen or ()}
    if this.again:
        targets |= await this.store.rollup_places(list(this.instances))
    this.approved = await this.store.approved()
    this.resting = await _resting(this) if targets else {}
    pauses = await this.store.pauses()
    for one_read in this.report.instances:
        one_read.paused = pauses.of(one_read.instance) is not None
    stale = await _stale_since(this)
    if stale:
        told = await this.store.rollup_places(sorted(stale))
        targets |= told
        # What says so now has to be looked at when the instance can be read again.
        this.put_off |= told
    if not this.asked_ahead:
        await look_at_releases(this)
    targets |= this.looked_at.keys()
    setting = this.setting(stale)
    notes = this.notes(setting)
    work: dict[str, list[TargetWork]] = defaultdict(list)
    failed: dict[str, Exception] = {}
    planned: set[Ref] = set()
    for chunk in chunks(sorted(targets)):
        kept = Kept()
        counted = await counted_in(this, chunk)
        for inputs in await this.store.target_inputs(chunk):
            kept.before.extend(inputs.entries)
            try:
                seen = this.looked_at.get(inputs.record.ref)
                told_with = counted.get(inputs.record.ref, ())
                one = await _plan_target(this, inputs, setting, notes, kept, seen, told_with)
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - a connector's fault costs this target only
                one = None
                failed.setdefault(inputs.record.ref.instance, error)
                this.put_off.add(inputs.record.ref)
                _log.error("plan.failed", target=str(inputs.record.ref), exc_info=error)
            if one is not None:
                work[inputs.record.ref.instance].append(one)
        await this.store.put_desired(kept.entries, kept.waits, before=kept.before)
        planned |= {slot.target for slot in kept.waits}
    for ref in this.looked_at.keys() & planned:
        # Only now that the ledger has what was seen: a pass that dies before it looks again.
        await this.store.put_kept(ref.instance, {LOOKED: this.clock.now().isoformat()})
    if modes and this.chosen is None:
        await tell_waiting(this, setting, notes, planned)
    await this.store.lapse(this.approved.lapsed(this.asked_for))
    for name, fault in failed.items():
        report = this.of(name)
        report.trouble = report.trouble or "plugin"
        report.message = report.message or this.instances[name].clean(
            inert_text(f"{name}: {type(fault).__name__}: {fault}", 300)
        )
    return work


async def look_at_releases(this: Pass) -> None:
    """What stands in the analytics projects, where everything is read again or a census is due:
    what people did to annotations is seen nowhere else. One request a project."""
    for name, ref in this.products.items():
        if not await _is_look_due(this, name):
            continue
        connector, report = this.instances[name].connector, this.of(name)
        if not isinstance(connector, Writable) or not report.complete:
            continue
        if not await this.store.entries(target=ref):
            continue
        record = await this.store.record(ref)
        assert record is not None  # a product is one that is stored
        try:
            async with this.instances[name].watch():
                this.looked_at[ref] = await connector.observe(record)
        except Exception as error:  # noqa: BLE001 - a connector's fault stays its own
            report.fault(error, this.instances[name].clean)
            _log.warning("observe.failed", instance=name, exc_info=error)


async def _is_look_due(this: Pass, name: str) -> bool:
    """Whether it is to be looked what people did to annotations. The first time comes a census
    after the first pass."""
    said = (await this.store.kept(name)).get(LOOKED)
    now = this.clock.now()
    if not isinstance(said, str):
        if not this.full:
            await this.store.put_kept(name, {LOOKED: now.isoformat()})
        return this.full
    every = timedelta(hours=this.config.instances[name].settings.census_every_h)
    return this.full or is_due(datetime.fromisoformat(said), now, every)


async def _resting(this: Pass) -> dict[Slot, datetime]:
    """What was rewritten just before, and until when it rests if it is on an issue."""
    limits = this.limits or this.config.limits
    pause = timedelta(minutes=limits.rewrite_pause_minutes)
    rewritten = await this.store.rewritten(this.clock.now() - pause) if pause else {}
    return {slot: at + pause for slot, at in rewritten.items()}


async def _stale_since(this: Pass) -> dict[str, date]:
    """The instances that could not be read for long, and the date since when."""
    now = this.clock.now()
    since: dict[str, date] = {}
    for cursor in await this.store.cursors():
        failed = cursor.failed_since
        if failed is None or now - failed < STALE_AFTER or cursor.instance not in this.instances:
            continue
        if cursor.feed == METRICS:
            continue  # How old what was measured is stands beside it.
        day = failed.astimezone(this.config.zone).date()
        since[cursor.instance] = min(day, since.get(cursor.instance, day))
    return since


async def _plan_target(
    this: Pass,
    inputs: TargetInputs,
    setting: Setting,
    notes: Notes,
    kept: Kept,
    seen: Sequence[Seen] | None,
    counted: Sequence[Record],
) -> TargetWork | None:
    opened = this.instances.get(inputs.record.ref.instance)
    if opened is None or not isinstance(opened.connector, Writable):
        kept.out_of_reach(this, inputs)
        return None
    connector = opened.connector
    if opened.name in this.unreadable or not this.is_mine(opened.name):
        this.put_off.add(inputs.record.ref)
        return None
    if inputs.record.tombstone == NOT_VISIBLE:
        # What stands there stays, and is opsync's again once it can be seen again.
        kept.out_of_reach(this, inputs)
        return None
    if inputs.record.tombstone:
        await this.store.rest_target(inputs.record.ref)
        kept.out_of_reach(this, inputs)
        return None
    if inputs.record.archived:
        # Put away by people: what stands there stays as it is until they take it out again.
        kept.entries.extend(
            msgspec.structs.replace(one, outcome="", message="", attempts=0, next_try_at=None)
            for one in inputs.entries
            if one.outcome == FAILED
        )
        kept.out_of_reach(this, inputs)
        return None
    wants = desire(inputs.record, inputs.links, inputs.others, inputs.rollups, connector, setting)
    withdrawn = withdraw(inputs.entries, wants, setting)
    if any(want.slot.rule != LINKS_RULE and want.slot.other in this.kept for want in withdrawn):
        # Whether that initiative counts it is not known, and so what is to be told here.
        this.put_off.add(inputs.record.ref)
        return None
    wants += withdrawn
    rows = {entry.slot: entry for entry in inputs.entries}
    carried = {surface.name for surface in connector.surfaces if surface.carried}
    wants = [_permitted(this, want, rows.get(want.slot), carried) for want in wants]
    result = plan(
        inputs.record,
        wants,
        inputs.entries,
        connector,
        now=this.clock.now(),
        run=this.run,
        seen=seen,
        resting=this.resting,
    )
    kept.planned(this, result, {*rows, *(want.slot for want in wants)})
    roots = await roots_told(this, inputs, setting, counted)
    changes = _unvetoed(this, result, inputs, notes, roots)
    notes.whole(result, changes, inputs.record, roots, told_waiting=this.chosen is None)
    if not changes:
        return None
    # Nothing is decided again just before the write about what a plugin objects to.
    vetoed = {one.slot for one in result.changes} - {one.slot for one in changes}
    wants = [want for want in wants if want.slot not in vetoed]
    known = [entry for entry in inputs.entries if entry.slot not in vetoed]
    # What is set aside has a newer version than the one that could be read.
    read_at = None if inputs.record.ref in this.aside else this.of(opened.name).read_at
    return TargetWork(
        inputs.record, wants, known, changes, roots, this.resting, read_at, result.entries
    )


def _permitted(this: Pass, want: Want, entry: Entry | None, carried: Container[str]) -> Want:
    """What is wanted, with whether this value may be written: approved, also over what a person
    wrote, and of the plan that is carried out if it is one. What is `carried` with other changes is
    approved as whatever it is when these are written."""
    desired = stored(want.value)
    value = digest(desired)
    theirs = entry.observed if entry is not None and entry.hold is not None else None
    asked_for = this.asked_for.setdefault(str(want.slot), set())
    asked_for.add(value)
    if theirs is not None:
        asked_for.add(edit_hash(desired, theirs))
    along = want.slot.surface in carried and want.value is not None
    approval = this.approvals.get(str(want.slot)) if along else None
    if approval is not None:
        asked_for.add(approval)
    if this.chosen is not None:
        chosen = this.chosen.get(want.slot)
        in_plan = chosen is not None and (chosen == value or along)
        want = msgspec.structs.replace(want, chosen=in_plan)
    if theirs is not None and this.approved.covers_edit(want.slot, desired, theirs):
        want = msgspec.structs.replace(want, over=theirs)
    covered = approval is not None or this.approved.covers(want.slot, value)
    if want.mode is Mode.propose and covered:
        return msgspec.structs.replace(want, approved=True)
    return want


def _unvetoed(
    this: Pass, result: TargetPlan, inputs: TargetInputs, notes: Notes, roots: Sequence[Record]
) -> list[Change]:
    """The changes that no plugin objects to. A plugin that fails here counts as objecting."""
    kept = []
    for change in result.changes:
        why = this.config.plugins.veto(change)
        if why is None:
            kept.append(change)
        else:
            _note_veto(notes, change, inputs.record, roots, why)
    return kept


def _note_veto(
    notes: Notes, change: Change, target: Record, roots: Sequence[Record], why: str
) -> None:
    entry = Entry(slot=change.slot, desired=stored(change.desired))
    notes.hold("vetoed", entry, target, roots, why=why)


def _stay(name: str) -> None:
    """Keep an instance until the pass is over."""


async def apply_all(
    this: Pass, work: Mapping[str, list[TargetWork]], leave: Callable[[str], None] = _stay
) -> None:
    """Apply: one instance's changes at a time each, all instances at once.

    One that a person paused is not written, from its next batch on. `leave` is told of each that
    is written to its end.
    """

    notes = this.notes(this.setting({}))

    async def may_go(name: str) -> bool:
        return not this.stopping() and (await this.store.pauses()).of(name) is None

    async def one(name: str, targets: list[TargetWork]) -> None:
        connector = this.instances[name].connector
        assert isinstance(connector, Writable)
        told = this.config.plugins.applied
        clean = this.instances[name].clean
        learned = partial(keep, this.store, name, this.instances[name])
        # What was decided about its columns while this was planned counts for what is written.
        tell_settled(this.instances[name], await this.store.kept(name))
        result = await apply(
            connector,
            targets,
            this.store,
            this.clock,
            this.run,
            told=told,
            clean=clean,
            keep=learned,
            may_go=partial(may_go, name),
            veto=this.config.plugins.veto,
            watch=this.instances[name].watch,
            unknown=partial(getattr, this.instances[name].client, "unknown"),
        )
        this.report.outcomes.extend(result.done)
        notes.planned_anew(
            ((target.record, target.roots, fresh) for target, fresh in result.fresh),
            told_waiting=this.chosen is None,
        )
        for target, change, why in result.vetoed:
            _note_veto(notes, change, target.record, target.roots, why)
        report = this.of(name)
        this.report.columns_made += [OwnColumn(name, report.tool, one) for one in result.made]
        if result.paused:
            report.paused = True
            tried = {change.slot for change, _ in result.done}
            report.withheld = sum(
                one.change.slot.target.instance == name and one.change.slot not in tried
                for one in this.report.plan.changes
            )
        report.write_refused = isinstance(result.stopped, SignInError)
        if result.stopped is not None:
            report.write_stopped = clean(result.stopped.message)
        if result.stopped is not None and not report.trouble:
            report.trouble = "sign-in" if result.stopped.exit_code == 3 else "incomplete"
            report.message = report.write_stopped
            report.hint = clean(result.stopped.hint)
        await keep(this.store, name, this.instances[name])
        leave(name)

    await at_once(one(name, targets) for name, targets in sorted(work.items()))
    await keep_all(this)
