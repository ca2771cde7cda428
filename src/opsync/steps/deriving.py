"""Link ► roll up: what follows from the records that changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import structlog

from opsync.contract.connector import Readable
from opsync.current import Pass
from opsync.inert import inert_text
from opsync.model import Evidence, Mention, Record, Ref, Usage
from opsync.model.link import target_of
from opsync.model.rules import RollupRule
from opsync.stages.link import link, without_repeats
from opsync.stages.normalize import by_itself
from opsync.stages.pulling import ASK_AGAIN
from opsync.stages.rollup import RollupInputs, roll_up
from opsync.steps.shared import called, chunks, roots_in
from opsync.store import Prepared, Tree

_log = structlog.get_logger(__name__)

_Named = tuple[Ref, Mention, tuple[Ref, ...]]
"""A record, what it names, and the living records that it may mean."""

ADDRESSES = "opsync:addresses"
"""The feed of records that are known by their address alone. Nothing reads it."""


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
    kin: set[Ref] = set()
    for chunk in chunks(sources):
        kin |= await this.store.kin(chunk)
        await this.store.put_links(this.run, chunk, _evidence(this, await _named(this, chunk)))
    for chunk in chunks(sources):
        kin |= await this.store.kin(chunk)
    await _leave_out_repeats(this, sorted(kin))


async def _named(this: Pass, sources: Sequence[Ref]) -> list[_Named]:
    """What these records name."""
    return [
        (source, mention, _configured(this, candidates))
        for source, mention, candidates in await this.store.mentions_of(sources)
        if source.instance in this.instances
    ]


def _evidence(this: Pass, named: Sequence[_Named]) -> list[Evidence]:
    return link(named, within_instance=this.config.links.within_instance)


async def _leave_out_repeats(this: Pass, kin: Sequence[Ref]) -> None:
    """Take back the links of copies that only repeat what their originals name, and restore those
    of what is no copy any more.

    What is one piece of work is known once all links are made. `kin` is all that is, or was before
    that, said to be one with a record whose links were made: a new side can part the others.
    """
    for chunk in chunks(kin):
        instead = this.config.preference.instead(await this.store.twins(chunk))
        named: dict[Ref, set[Ref]] = defaultdict(set)
        for source, mention, candidates in await _named(this, sorted(set(instead.values()))):
            if (target := target_of(mention, candidates)) is not None:
                named[source].add(target)
        found = _evidence(this, await _named(this, chunk))
        await this.store.put_links(this.run, chunk, without_repeats(found, instead, named))


def _configured(this: Pass, refs: Sequence[Ref]) -> tuple[Ref, ...]:
    return tuple(ref for ref in refs if ref.instance in this.instances)


async def _resolve_former_names(this: Pass) -> None:
    """Ask the connectors for records that changed their key before opsync knew them.

    Where one cannot be asked now, it is asked for all such names in the next pass that reads it;
    so it is where something came that was not visible before.
    """
    named: dict[str, set[str]] = defaultdict(set)
    for _, mention in await this.store.unresolved_new(this.run):
        if mention.instance in this.instances:
            named[mention.instance].add(mention.alias)
    found: dict[str, Mapping[str, Ref]] = {}
    for name, opened in sorted(this.instances.items()):
        if not isinstance(opened.connector, Readable):
            continue
        waiting = ASK_AGAIN in await this.store.kept(name)
        if name in this.unreadable or this.asked_ahead or not this.is_mine(name):
            if named[name] and not waiting:
                await this.store.put_kept(name, {ASK_AGAIN: True})
                if this.asked_ahead:
                    this.to_ask.add(name)
        elif waiting:
            found[name] = await _ask_again(this, name)
        else:
            found[name] = await _ask(this, name, named[name])
    await _link(this, await this.store.put_aliases({n: a for n, a in found.items() if a}))


async def resolve_ahead(this: Pass, name: str) -> None:
    """Ask an instance for the former names that wait for it; whatever names them is linked again
    in the run that begins next."""
    if ASK_AGAIN in await this.store.kept(name) and name not in this.unreadable:
        found = await _ask_again(this, name)
        await this.store.relink(await this.store.put_aliases({name: found} if found else {}))


async def _ask_again(this: Pass, name: str) -> Mapping[str, Ref]:
    unresolved = await this.store.unresolved([name])
    await this.store.put_kept(name, {ASK_AGAIN: None})
    return await _ask(this, name, {m.alias for _, m in unresolved if m.instance == name})


async def _ask(this: Pass, name: str, aliases: set[str]) -> Mapping[str, Ref]:
    """What these names of an instance lead to."""
    opened = this.instances[name]
    if not aliases or not isinstance(opened.connector, Readable):
        return {}
    try:
        async with opened.watch():
            answered = await opened.connector.resolve(sorted(aliases))
        refs = {alias: _ref_of(one) for alias, one in answered.items()}
        records = [one for one in answered.values() if isinstance(one, Record)]
        prepared = [Prepared(*by_itself(r)) for r in records if r.ref.instance == name]
    except Exception as error:  # noqa: BLE001 - a former name that is not found is no fault
        _log.info("resolve.failed", instance=name, error=str(error))
        await this.store.put_kept(name, {ASK_AGAIN: True})
        return {}
    if prepared:
        await this.store.put_batch(this.run, name, ADDRESSES, prepared, [], advance_to=None)
    return {alias: ref for alias, ref in refs.items() if ref.instance == name}


def _ref_of(found: Ref | Record) -> Ref:
    """What was looked up. Raises TypeError: a plugin may answer anything."""
    if isinstance(found, Record):
        return found.ref
    if not isinstance(found, Ref):
        raise TypeError(f"{found!r} is neither a ref nor a record")
    return found


async def roll_up_changed(this: Pass) -> None:
    """Roll up: the roots that what changed belongs to, and those for which the date matters."""
    health_rules = this.config.plugins.health_rules
    now, as_of, zone = this.clock.now(), this.as_of, this.config.zone
    this.aside = await this.store.aside_refs()
    for rule in this.config.rules:
        found = await roots_in(this, rule)
        await this.store.drop_rollups(rule.name, [r.ref for r in found])
        if warning := _unused_properties(rule, found, this.measurable):
            this.does_not_fit(f'rule "{rule.name}"', warning)
            continue
        # What stands on an archived page stays as it is.
        roots = [record.ref for record in found if not record.archived]
        again = set(await this.store.roots_touched(this.changed_since, rule.name, roots))
        again |= set(await this.store.rollups_due(rule.name, as_of)) & set(roots)
        if this.recount:
            again |= set(roots)
        for chunk in chunks(sorted(again)):
            usages = await _usages(this, rule, chunk)
            results = []
            for ref in chunk:
                tree = _counted(this, await this.store.tree(ref))
                if blocking := _unread_behind(this, ref, tree.names, tree.nodes):
                    if any(map(this.is_mine, blocking)):
                        this.report.stale.append(called(this, tree.root))
                    this.keep_rollup(ref)
                    _log.info("rollup.kept", root=str(ref), unreadable=sorted(blocking))
                    continue
                inputs = RollupInputs(
                    tree.root,
                    tree.names,
                    tree.nodes,
                    frozenset(roots),
                    this.aside,
                    tree.twins,
                    this.config.preference,
                    this.releases.get((rule.name, ref)),
                    this.planned.get((rule.name, ref)),
                    usages.get(ref, ()),
                    this.products,
                )
                try:
                    results.append(roll_up(inputs, rule, as_of, zone, health_rules))
                except Exception as error:  # noqa: BLE001 - a plugin's rule failed: this root waits
                    this.report.stale.append(called(this, tree.root))
                    this.keep_rollup(ref)
                    _log.error("rollup.failed", root=str(ref), exc_info=error)
            await this.store.put_rollups(this.run, results, at=now)


async def _usages(this: Pass, rule: RollupRule, roots: Sequence[Ref]) -> dict[Ref, list[Usage]]:
    """What is known of the metrics that these roots ask for."""
    asked = {root: this.asked.get((rule.name, root), []) for root in roots}
    metrics = {one.metric for each in asked.values() for one in each}
    if not metrics:
        return {}
    known = await this.store.measured()
    days = await this.store.metric_days(metrics & known.keys())
    found: dict[Ref, list[Usage]] = {root: [] for root in roots}
    for root, each in asked.items():
        for one in each:
            have = known.get(one.metric)
            found[root].append(
                Usage(
                    metric=one.metric,
                    last_day=this.last_days[one.metric.instance],
                    weeks=one.weeks,
                    title=(have.title if have else "") or one.title,
                    known=have.known if have else None,
                    days=days.get(one.metric, {}),
                    windows=have.windows if have else {},
                    trouble=have.trouble if have else "",
                    message=have.message if have else "",
                    nearest=have.nearest if have else (),
                )
            )
    return found


def _unused_properties(rule: RollupRule, roots: Sequence[Record], analytics: Container[str]) -> str:
    """Why a rule is not followed: no initiative names anything in the properties that it lists,
    and some do in others, as when a name is misspelt or a column was renamed. "" if it is fine."""
    used = {
        m.field
        for root in roots
        for m in root.mentions
        if m.property and m.instance not in analytics
    }
    if not rule.properties or not used or not used.isdisjoint(rule.properties):
        return ""
    listed = ", ".join(f'"{name}"' for name in rule.properties)
    found = ", ".join(f'"{inert_text(name, 60)}"' for name in sorted(used)[:5])
    return (
        f'rule "{rule.name}": no initiative names anything in {listed}; they do in {found}. '
        "Its numbers are kept as they are."
    )


def _counted(this: Pass, tree: Tree) -> Tree:
    """A tree without what belongs to instances that are not configured any more: nobody reads
    that, so that its numbers would stand still. Nor is analytics work: a flag that cannot be read
    is not missing."""
    names = tuple(
        (mention, _configured(this, refs))
        for mention, refs in tree.names
        if mention.instance not in this.measurable
    )
    nodes = {ref: one for ref, one in tree.nodes.items() if ref.instance in this.instances}
    if len(nodes) == len(tree.nodes) and len(names) == len(tree.names):
        return tree
    return msgspec.structs.replace(tree, names=names, nodes=nodes)


def _unread_behind(
    this: Pass, root: Ref, names: Iterable[tuple[Any, Sequence[Ref]]], nodes: Iterable[Ref]
) -> set[str]:
    """The unreadable instances that hold the root, which names the members, or may hold one."""
    behind = {root.instance, *(ref.instance for ref in nodes)}
    behind |= {mention.instance for mention, _ in names}
    if any(not mention.instance and not refs for mention, refs in names):
        behind |= this.never_read
    return behind & this.withheld
