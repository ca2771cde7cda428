"""Measure: which metrics the roots ask for, and when they were shipped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, tzinfo
from zoneinfo import ZoneInfo

import structlog

from opsync.adoption import needed, planned_on, release_of, sighted
from opsync.contract.connector import Measurable
from opsync.current import Asked, Pass
from opsync.errors import StoreError
from opsync.inert import inert_text
from opsync.model import Counts, Kind, Metric, MetricKind, Record, Ref, Release, Span
from opsync.model.rules import MetricRule, RollupRule
from opsync.stages.measure import MeasureContext, Wanted, is_due, last_complete_day, measure
from opsync.steps.shared import at_once, keep, roots_in
from opsync.steps.unmeasured import warnings_of
from opsync.store import METRICS

_log = structlog.get_logger(__name__)

ZONE = "opsync:zone"
"""Kept: the time zone in which an analytics project's days begin."""
LOOKED_AT = "opsync:looked-at"
"""Kept: the last complete day and the project for which its roots were looked at."""
NAME_MAX = 200
"""Characters of an event's name, a flag's key or an insight's id that a property may hold."""


async def measure_changed(this: Pass) -> None:
    """Measure what initiatives ask for and can have changed, and note when they were shipped."""
    rules = [rule for rule in this.config.rules if rule.metrics or rule.announce_in]
    for rule in rules:
        roots = await roots_in(this, rule)
        # What stands on an archived page stays as it is.
        await _find(this, rule, [root for root in roots if not root.archived])
    await this.store.forget_open({root for _, root in this.releases})
    wanted: dict[str, list[Wanted]] = {}
    if rules:
        for name, connector in sorted(this.measurable.items()):
            found = await this.store.roots(
                instance=name, kind=Kind.product, space=None, stream=None
            )
            if found:
                this.products[name] = found[0].ref
            if any(one.metric.instance == name for each in this.asked.values() for one in each):
                zone = await _zone(this, name, connector)
                last = last_complete_day(this.clock.now().astimezone(zone))
                this.last_days[name] = last
                wanted[name] = wanted_of(this.asked, name, last, this.releases)
            await _look_again(this, name)
    await _forget_others(this, wanted)
    await at_once(_measure(this, name, each) for name, each in wanted.items())
    for name in wanted:
        # What a connector learned as it measured outlasts a pass that ends before it writes.
        if this.is_mine(name):
            await keep(this.store, name, this.instances[name])


async def _measure(this: Pass, name: str, wanted: Sequence[Wanted]) -> None:
    report = this.of(name)
    if this.asked_ahead and not report.pulled:
        if await is_due(this.store, name, wanted, this.clock.now()):
            this.to_ask.add(name)
        return
    if this.asked_ahead or not report.pulled or report.trouble == "sign-in":
        return
    opened = this.instances[name]
    context = MeasureContext(this.store, this.clock, this.run, opened.clean, opened.watch)
    in_vain = await measure(this.measurable[name], report, wanted, context)
    this.report.unmeasured.extend(dict.fromkeys(warnings_of(this, in_vain)))


async def _forget_others(this: Pass, wanted: Mapping[str, Sequence[Wanted]]) -> None:
    """Forget what was measured and nothing asks for any more."""
    asked = {one.metric for each in wanted.values() for one in each}
    await this.store.forget_metrics((await this.store.measured()).keys() - asked)
    for cursor in await this.store.cursors():
        if cursor.feed == METRICS and cursor.instance not in wanted:
            await this.store.retire_feed(this.run, cursor.instance, METRICS)


async def _look_again(this: Pass, name: str) -> None:
    """Look at the roots that ask of an instance, or are announced there, where a day is over, so
    that their numbers may be of an earlier one now, or where it is another project."""
    last, product = this.last_days.get(name), this.products.get(name)
    now = [str(last or ""), str(product or "")]
    if (await this.store.kept(name)).get(LOOKED_AT) == now:
        return
    asking = {
        root
        for (_, root), each in this.asked.items()
        if any(one.metric.instance == name for one in each)
    }
    telling = {rule.name for rule in this.config.rules if name in rule.announce_in}
    shipped = {root for (rule, root), one in this.releases.items() if one and rule in telling}
    await this.store.touch_roots(this.run, asking | shipped)
    await this.store.put_kept(name, {LOOKED_AT: now})


async def _find(this: Pass, rule: RollupRule, roots: Sequence[Record]) -> None:
    """When each root was shipped, and what it asks for."""
    before = await this.store.sightings([root.ref for root in roots])
    after = {root.ref: sighted(root, before.get(root.ref), this.as_of) for root in roots}
    changed = {ref: one for ref, one in after.items() if one != before.get(ref)}
    await this.store.put_sightings(changed)
    named = await _named(this, rule, roots)
    for root in roots:
        key = rule.name, root.ref
        as_of, zone = this.as_of, this.config.zone
        this.releases[key] = release_of(root, rule.released, after[root.ref], as_of, zone)
        if (planned := planned_on(root, rule.released, as_of, zone)) is not None:
            this.planned[key] = planned
        asked: dict[Metric, Asked] = {}
        for each in rule.metrics:
            if (one := _metric(this, each, root, named)) is not None:
                asked.setdefault(one.metric, one)
        this.asked[key] = list(asked.values())


Named = Mapping[tuple[Ref, str], Sequence[Record]]
"""By root and property the records that it names there."""


async def _named(this: Pass, rule: RollupRule, roots: Sequence[Record]) -> Named:
    """What the roots name in the properties from which metrics are taken."""
    properties = {each.property for each in rule.metrics if each.property}
    instances = {each.instance for each in rule.metrics}
    sources = [
        root.ref
        for root in roots
        if any(m.field in properties and m.instance in instances for m in root.mentions)
    ]
    hits: dict[tuple[Ref, str], list[Ref]] = defaultdict(list)
    for source, mention, refs in await this.store.mentions_of(sources):
        if mention.field in properties:
            hits[source, mention.field].extend(r for r in refs if r.instance in instances)
    records = await this.store.records_of(sorted({ref for refs in hits.values() for ref in refs}))
    return {key: [records[r] for r in refs if r in records] for key, refs in hits.items()}


def _metric(this: Pass, rule: MetricRule, root: Record, named: Named) -> Asked | None:
    """What a rule measures of a root; None where the root does not say."""
    if not rule.property:
        return Asked(
            Metric(rule.instance, rule.kind, rule.name, rule.counts), rule.weeks, rule.name
        )
    connector = this.measurable[rule.instance]
    for record in named.get((root.ref, rule.property), ()):
        if record.ref.instance != rule.instance:
            continue
        if (found := _stands_for(connector, record)) is not None:
            kind, name = found
            counts = Counts.users if kind is MetricKind.insight else rule.counts
            return Asked(Metric(rule.instance, kind, name, counts), rule.weeks, record.title)
    said = inert_text(root.extra.get(rule.property, "").strip(), NAME_MAX)
    if not said or "://" in said:
        return None
    return Asked(Metric(rule.instance, rule.kind, said, rule.counts), rule.weeks, said)


def _stands_for(connector: Measurable, record: Record) -> tuple[MetricKind, str] | None:
    try:
        return connector.metric_of(record)
    except Exception as error:  # noqa: BLE001 - a connector's fault stays its own
        _log.error("metric.failed", record=str(record.ref), exc_info=error)
        return None


async def _zone(this: Pass, name: str, connector: Measurable) -> tzinfo:
    """The project's time zone: as the connector says, else as it said last, else our own."""
    kept = (await this.store.kept(name)).get(ZONE)
    said = kept if isinstance(kept, str) else ""
    report = this.of(name)
    if report.pulled and report.trouble != "sign-in" and not this.asked_ahead:
        try:
            async with this.instances[name].watch():
                said = await connector.zone()
        except StoreError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a connector's fault stays its own
            _log.info("zone.unknown", instance=name, error=str(error))
    if not said:
        return this.config.zone
    try:
        found = ZoneInfo(said)
    except (KeyError, ValueError, TypeError, OSError):
        this.report.warnings.append(f'{name}: "{inert_text(str(said), 60)}" is no time zone')
        return this.config.zone
    if kept != said:
        if kept is not None:
            # Its days begin at another hour: those that were read are none of them.
            await this.store.forget_metrics(await this.store.measured(name))
        await this.store.put_kept(name, {ZONE: said})
    return found


def wanted_of(
    asked: Mapping[tuple[str, Ref], Iterable[Asked]],
    instance: str,
    last_day: date,
    releases: Mapping[tuple[str, Ref], Release | None],
) -> list[Wanted]:
    """What is asked of one instance, each metric once, with the days that its roots look at."""
    weeks: dict[Metric, set[int]] = defaultdict(set)
    days: dict[Metric, list[Span]] = defaultdict(list)
    used_by: dict[Metric, set[Ref]] = defaultdict(set)
    for key, each in asked.items():
        release = releases.get(key)
        for one in each:
            if one.metric.instance != instance:
                continue
            weeks[one.metric].add(one.weeks)
            used_by[one.metric].add(key[1])
            on = [release.on] if release is not None and release.on is not None else []
            days[one.metric].append(needed(last_day, one.weeks, on))
    return [
        Wanted(
            metric,
            min(days[metric]),
            tuple(sorted(weeks[metric])),
            tuple(sorted(used_by[metric])),
        )
        for metric in sorted(weeks)
    ]
