"""One pass, stage by stage: pull ► normalize ► store ► link ► roll up ► plan ► apply.

A pass pulls one or more instances, links, rolls up and plans over all that changed, then applies
per target instance. Its cost follows what changed: every stage after the store is fed with the
records that changed since the last pass that came to its end, and with what depends on them.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

import msgspec
import structlog

from opsync.contract.connector import Readable, Writable
from opsync.current import Opened, Pass
from opsync.desire import Setting, desire, withdraw
from opsync.errors import StoreError
from opsync.inert import inert_text
from opsync.model import Change, Record, Ref, value_hash
from opsync.model.ledger import Entry, stored
from opsync.model.rules import RollupRule
from opsync.noting import Notes
from opsync.report import InstanceReport, PassReport
from opsync.stages.apply import TargetWork, apply
from opsync.stages.link import link
from opsync.stages.plan import TargetPlan, plan
from opsync.stages.pull import PullContext, is_core_key, is_half_read, pull
from opsync.stages.rollup import RollupInputs, roll_up
from opsync.store import InstanceRun, Store, TargetInputs, Tree

_log = structlog.get_logger(__name__)

CHUNK = 200
"""So many targets, or sources of mentions, are worked on at a time: memory stays bounded."""

_OWN = ""
"""The instance under whose name the pass itself keeps values."""
_DERIVED_AS = "derived-as"
_ASIDE = "set-aside"
_ASK_AGAIN = "opsync:ask-again"
"""Kept for an instance whose former names could not be asked for."""

OUTCOMES = {0: "done", 1: "done in part", 3: "sign-in refused"}
"""A run's outcome by its exit code."""

STALE_AFTER = timedelta(hours=6)
"""An instance that cannot be read for so long is named in the delivery text, once."""


async def run_pass(this: Pass) -> PassReport:
    """Run one pass and return what it did. Raises StoreError only: all else is in the report."""
    started = this.clock.monotonic()
    await pull_all(this)
    await link_changed(this)
    await roll_up_changed(this)
    work = await plan_changed(this)
    if this.write:
        await apply_all(this, work)
    await finish(this, started)
    return this.report


async def pull_all(this: Pass) -> None:
    """Pull ► normalize ► store: every instance by itself, all at once."""
    recognizers = {
        name: opened.connector.recognize
        for name, opened in this.instances.items()
        if isinstance(opened.connector, Readable)
    }
    rules = this.config.plugins.link_rules
    tasks = []
    for name, opened in this.instances.items():
        connector = opened.connector
        report = InstanceReport(name, connector.title)
        this.report.instances.append(report)
        if not isinstance(connector, Readable) or (this.only and name not in this.only):
            report.pulled = False
            continue
        context = PullContext(
            store=this.store,
            clock=this.clock,
            run=this.run,
            overlap_s=opened.overlap_s,
            fingerprint=opened.fingerprint,
            recognizers=recognizers,
            rules=rules,
            naming=this.reads_as,
            full=this.full,
            progress=this.progress,
            clean=opened.clean,
        )
        tasks.append(pull(connector, report, context))
    await _all(tasks)
    await _keep_earlier_trouble(this)
    await _look_again(this)
    for name, opened in this.instances.items():
        await _keep(this.store, name, opened)


async def _all(tasks: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run them at once and wait for all: none is cancelled because another one failed."""
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def _keep_earlier_trouble(this: Pass) -> None:
    """An instance that was not pulled now is as readable as it was last time."""
    cursors = await this.store.cursors()
    failing = {c.instance: c for c in cursors if c.failed_since is not None}
    completed = {c.instance for c in cursors if c.completed_at is not None}
    for report in this.report.instances:
        readable = isinstance(this.instances[report.instance].connector, Readable)
        if readable and report.instance not in completed and not report.complete:
            this.never_read.add(report.instance)
        if report.pulled:
            continue
        if report.instance in failing:
            report.trouble = "incomplete"
            report.message = failing[report.instance].error
        elif readable and await is_half_read(this.store, report.instance):
            this.half_read.add(report.instance)


async def _look_again(this: Pass) -> None:
    """Find out whether more must be looked at than what changed: the configuration did, or what
    is set aside."""
    kept = await this.store.kept(_OWN)
    this.again = kept.get(_DERIVED_AS, "") != this.derives_as
    this.recount = this.again or kept.get(_ASIDE, "") != await _aside(this.store)


async def _aside(store: Store) -> str:
    return value_hash(sorted(map(str, await store.aside_refs())))


async def _keep(store: Store, name: str, opened: Opened) -> None:
    """Store what the connector wants to remember, if it changed."""
    before = {k: v for k, v in (await store.kept(name)).items() if not is_core_key(k)}
    after = {k: v for k, v in opened.connector.context.kept.items() if not is_core_key(k)}
    if after != before:
        await store.put_kept(name, {**dict.fromkeys(before), **after})


async def link_changed(this: Pass) -> None:
    """Link: what changed, and what names it."""
    if this.again:
        for rule in {rollup.rule for rollup in await this.store.rollups()}:
            if all(rule != one.name for one in this.config.rules):
                await this.store.drop_rollups(rule, [])
    await _link(this, await this.store.sources_to_link(this.changed_since))
    await _resolve_former_names(this)


async def _link(this: Pass, sources: Sequence[Ref]) -> None:
    """Make the links of these records, as far as their instances are configured."""
    within = this.config.links.within_instance
    for chunk in _chunks(sources):
        mentions = [
            (source, mention, _configured(this, candidates))
            for source, mention, candidates in await this.store.mentions_of(chunk)
            if source.instance in this.instances
        ]
        await this.store.put_links(this.run, chunk, link(mentions, within_instance=within))


def _configured(this: Pass, refs: Sequence[Ref]) -> tuple[Ref, ...]:
    return tuple(ref for ref in refs if ref.instance in this.instances)


async def _resolve_former_names(this: Pass) -> None:
    """Ask the connectors for records that changed their key before opsync knew them.

    Where one cannot be asked now, it is asked for all such names in the next pass that reads it.
    """
    by_instance: dict[str, set[str]] = defaultdict(set)
    for _, mention in await this.store.unresolved_new(this.run):
        if mention.instance in this.instances:
            by_instance[mention.instance].add(mention.alias)
    found: dict[str, Mapping[str, Ref]] = {}
    for name, opened in sorted(this.instances.items()):
        connector = opened.connector
        if not isinstance(connector, Readable):
            continue
        waiting = _ASK_AGAIN in await this.store.kept(name)
        if name in this.unreadable:
            if by_instance[name] and not waiting:
                await this.store.put_kept(name, {_ASK_AGAIN: True})
            continue
        if waiting:
            unresolved = await this.store.unresolved([name])
            by_instance[name] |= {m.alias for _, m in unresolved if m.instance == name}
            await this.store.put_kept(name, {_ASK_AGAIN: None})
        if not by_instance[name]:
            continue
        try:
            found[name] = await connector.resolve(sorted(by_instance[name]))
        except Exception as error:  # noqa: BLE001 - a former name that is not found is no fault
            _log.info("resolve.failed", instance=name, error=str(error))
            await this.store.put_kept(name, {_ASK_AGAIN: True})
    await _link(this, await this.store.put_aliases({n: a for n, a in found.items() if a}))


async def roll_up_changed(this: Pass) -> None:
    """Roll up: the roots that what changed belongs to, and those for which the date matters."""
    health_rules = this.config.plugins.health_rules
    now, as_of, zone = this.clock.now(), this.as_of, this.config.zone
    aside = await this.store.aside_refs()
    for rule in this.config.rules:
        found = await roots_of(this.store, rule)
        await this.store.drop_rollups(rule.name, [r.ref for r in found])
        # What stands on an archived page stays as it is.
        roots = [record.ref for record in found if not record.archived]
        again = set(await this.store.roots_touched(this.changed_since, rule.name, roots))
        again |= set(await this.store.rollups_due(rule.name, as_of)) & set(roots)
        if this.recount:
            again |= set(roots)
        for chunk in _chunks(sorted(again)):
            results = []
            for ref in chunk:
                tree = _counted(this, await this.store.tree(ref))
                if blocking := _unread_behind(this, ref, tree.names, tree.nodes):
                    this.report.stale.append(tree.root.title)
                    this.put_off.add(ref)
                    _log.info("rollup.kept", root=str(ref), unreadable=sorted(blocking))
                    continue
                inputs = RollupInputs(tree.root, tree.names, tree.nodes, frozenset(roots), aside)
                try:
                    results.append(roll_up(inputs, rule, as_of, zone, health_rules))
                except Exception as error:  # noqa: BLE001 - a plugin's rule failed: this root waits
                    this.report.stale.append(tree.root.title)
                    this.put_off.add(ref)
                    _log.error("rollup.failed", root=str(ref), exc_info=error)
            await this.store.put_rollups(this.run, results, at=now)


def _counted(this: Pass, tree: Tree) -> Tree:
    """A tree without what belongs to instances that are not configured any more: nobody reads
    that, so that its numbers would stand still."""
    names = tuple((mention, _configured(this, refs)) for mention, refs in tree.names)
    nodes = {ref: one for ref, one in tree.nodes.items() if ref.instance in this.instances}
    if len(nodes) == len(tree.nodes):
        return tree
    return msgspec.structs.replace(tree, names=names, nodes=nodes)


async def roots_of(store: Store, rule: RollupRule) -> list[Record]:
    """The records that a rule rolls up."""
    wanted = rule.roots
    found = await store.roots(
        instance=wanted.instance, kind=wanted.kind, space=wanted.space or None, stream=None
    )
    return [
        record
        for record in found
        if all(record.extra.get(name) in values for name, values in wanted.where.items())
    ]


def _unread_behind(
    this: Pass, root: Ref, names: Iterable[tuple[Any, Sequence[Ref]]], nodes: Iterable[Ref]
) -> set[str]:
    """The unreadable instances that hold the root, which names the members, or may hold one."""
    behind = {root.instance, *(ref.instance for ref in nodes)}
    behind |= {mention.instance for mention, _ in names}
    if any(not mention.instance and not refs for mention, refs in names):
        behind |= this.never_read
    return behind & this.unreadable


async def plan_changed(this: Pass) -> dict[str, list[TargetWork]]:
    """Plan: every target whose links, rollups, ledger rows or sight changed, by instance."""
    targets = set(await this.store.targets_changed(this.changed_since))
    targets |= set(await this.store.targets_pending(this.clock.now()))
    if this.again:
        targets |= await this.store.rollup_places(list(this.instances))
    stale = await _stale_since(this)
    if stale:
        told = await this.store.rollup_places(sorted(stale))
        targets |= told
        # What says so now has to be looked at when the instance can be read again.
        this.put_off |= told
    setting = this.setting(stale)
    notes = this.notes(setting)
    work: dict[str, list[TargetWork]] = defaultdict(list)
    failed: dict[str, Exception] = {}
    for chunk in _chunks(sorted(targets)):
        entries: list[Entry] = []
        for inputs in await this.store.target_inputs(chunk):
            try:
                one = await _plan_target(this, inputs, setting, notes, entries)
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - a connector's fault costs this target only
                one = None
                failed.setdefault(inputs.record.ref.instance, error)
                this.put_off.add(inputs.record.ref)
                _log.error("plan.failed", target=str(inputs.record.ref), exc_info=error)
            if one is not None:
                work[inputs.record.ref.instance].append(one)
        await this.store.put_desired(this.run, entries)
    for name, fault in failed.items():
        report = this.of(name)
        report.trouble = report.trouble or "plugin"
        report.message = report.message or this.instances[name].clean(
            inert_text(f"{name}: {type(fault).__name__}: {fault}", 300)
        )
    return work


async def _stale_since(this: Pass) -> dict[str, date]:
    """The instances that could not be read for long, and the date since when."""
    now = this.clock.now()
    since: dict[str, date] = {}
    for cursor in await this.store.cursors():
        failed = cursor.failed_since
        if failed is None or now - failed < STALE_AFTER or cursor.instance not in this.instances:
            continue
        day = failed.astimezone(this.config.zone).date()
        since[cursor.instance] = min(day, since.get(cursor.instance, day))
    return since


async def _plan_target(
    this: Pass, inputs: TargetInputs, setting: Setting, notes: Notes, entries: list[Entry]
) -> TargetWork | None:
    opened = this.instances.get(inputs.record.ref.instance)
    if opened is None or not isinstance(opened.connector, Writable):
        return None
    connector = opened.connector
    if opened.name in this.unreadable:
        this.put_off.add(inputs.record.ref)
        return None
    if inputs.record.tombstone:
        await this.store.forget_target(inputs.record.ref)
        return None
    if inputs.record.archived:
        # Put away by people: what stands there stays as it is until they take it out again.
        return None
    wants = desire(inputs.record, inputs.links, inputs.others, inputs.rollups, connector, setting)
    wants += withdraw(inputs.entries, wants, setting)
    result = plan(
        inputs.record, wants, inputs.entries, connector, now=this.clock.now(), run=this.run
    )
    entries.extend(result.entries)
    changes = _unvetoed(this, result, inputs, notes)
    roots = [root for _, root in inputs.rollups]
    notes.planned(changes, inputs.record, roots)
    notes.observed(result.observed_only, inputs.record, roots)
    notes.held(result, inputs.record, roots)
    return TargetWork(inputs.record, wants, inputs.entries, changes) if changes else None


def _unvetoed(this: Pass, result: TargetPlan, inputs: TargetInputs, notes: Notes) -> list[Change]:
    """The changes that no plugin objects to. A plugin that fails here counts as objecting."""
    kept = []
    for change in result.changes:
        why = this.config.plugins.veto(change)
        if why is None:
            kept.append(change)
        else:
            entry = Entry(slot=change.slot, desired=stored(change.desired))
            roots = [root for _, root in inputs.rollups]
            notes.hold("vetoed", entry, inputs.record, roots, why=why)
    return kept


async def apply_all(this: Pass, work: Mapping[str, list[TargetWork]]) -> None:
    """Apply: one instance's changes at a time each, all instances at once."""

    notes = this.notes(this.setting({}))

    async def one(name: str, targets: list[TargetWork]) -> None:
        connector = this.instances[name].connector
        assert isinstance(connector, Writable)
        told = this.config.plugins.applied
        clean = this.instances[name].clean
        keep = partial(_keep, this.store, name, this.instances[name])
        result = await apply(
            connector, targets, this.store, this.clock, this.run, told, clean, keep
        )
        this.report.outcomes.extend(result.done)
        for target, fresh in result.fresh:
            notes.held(fresh, target.record, ())
        report = this.of(name)
        if result.stopped is not None and not report.trouble:
            report.trouble = "sign-in" if result.stopped.exit_code == 3 else "incomplete"
            report.message = clean(result.stopped.message)
            report.hint = clean(result.stopped.hint)

    await _all(one(name, targets) for name, targets in sorted(work.items()))
    for name, opened in this.instances.items():
        await _keep(this.store, name, opened)


async def finish(this: Pass, started: float) -> None:
    """Close the run: counts, requests, and the mark that all that changed was dealt with."""
    report = this.report
    for instance in report.instances:
        client = this.instances[instance.instance].client
        instance.read_requests = client.reads
        instance.write_requests = client.writes
        instance.waited_s = client.waited_s
    counts = await this.store.counts()
    report.links, report.rollups = counts["links"], counts["rollups"]
    report.seconds = this.clock.monotonic() - started
    await this.store.put_off(this.run, this.put_off)
    if this.recount:
        aside = await _aside(this.store)
        await this.store.put_kept(_OWN, {_DERIVED_AS: this.derives_as, _ASIDE: aside})
    await this.store.finish_run(
        this.run,
        outcome=OUTCOMES.get(report.exit_code, "done in part"),
        instances=[_instance_run(instance) for instance in report.instances],
        counts=report.summary(),
    )
    this.config.plugins.finished(report)


def _instance_run(report: InstanceReport) -> InstanceRun:
    outcome = report.trouble or ("complete" if report.pulled else "not read")
    counts = {
        "read": report.read,
        "changed": report.changed,
        "set_aside": report.set_aside,
        "missing": report.missing,
        "read_requests": report.read_requests,
        "write_requests": report.write_requests,
    }
    return InstanceRun(report.instance, outcome, report.message, counts)


def _chunks(refs: Sequence[Ref]) -> Iterable[Sequence[Ref]]:
    for at in range(0, len(refs), CHUNK):
        yield refs[at : at + CHUNK]
