"""Measure: which metrics the roots ask for, and when they were shipped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from opsync.adoption import needed, release_of, sighted
from opsync.contract.connector import Connector, Measurable, Readable
from opsync.current import Asked, Opened, Pass
from opsync.errors import OpsyncError
from opsync.inert import inert_text
from opsync.model import Counts, Kind, Metric, MetricKind, Record, Ref, Release
from opsync.model.rules import MetricRule, RollupRule
from opsync.stages.measure import MeasureContext, Wanted, last_complete_day, measure
from opsync.steps.shared import at_once, keep, roots_in
from opsync.store import METRICS

_log = structlog.get_logger(__name__)

ZONE = "opsync:zone"
"""Kept: the time zone in which an analytics project's days begin."""
NAME_MAX = 200
"""Characters of an event's name, a flag's key or an insight's id that a property may hold."""


async def measure_changed(this: Pass) -> None:
    """Measure what initiatives ask for and can have changed, and note when they were shipped."""
    if not any(rule.metrics or rule.announce_in for rule in this.config.rules):
        await _retire(this, set())
        return
    for rule in this.config.rules:
        if rule.metrics or rule.announce_in:
            roots = await roots_in(this, rule)
            await _find(this, rule, [root for root in roots if not root.archived])
    measurable = {
        name: opened
        for name, opened in this.instances.items()
        if isinstance(opened.connector, Measurable)
    }
    for name in measurable:
        found = await this.store.roots(instance=name, kind=Kind.product, space=None, stream=None)
        if found:
            this.products[name] = found[0].ref
    wanted: dict[str, list[Wanted]] = defaultdict(list)
    for name, opened in sorted(measurable.items()):
        asked = [one for each in this.asked.values() for one in each if one.instance == name]
        if asked:
            this.last_days[name] = await _last_day(this, name, opened)
            wanted[name] = wanted_of(this.asked, name, this.last_days[name], this.releases)
    await _retire(this, set(wanted))
    tasks = []
    for name, each in wanted.items():
        connector, report = measurable[name].connector, this.of(name)
        if not report.pulled or report.trouble == "sign-in":
            continue
        assert isinstance(connector, Measurable)
        context = MeasureContext(this.store, this.clock, this.run, measurable[name].clean)
        tasks.append(measure(connector, report, each, context))
    await at_once(tasks)
    for name in wanted:
        await keep(this.store, name, measurable[name])


async def _retire(this: Pass, used: set[str]) -> None:
    """Forget that instances were measured of which nothing is asked any more."""
    for cursor in await this.store.cursors():
        if cursor.feed == METRICS and cursor.instance not in used:
            await this.store.retire_feed(this.run, cursor.instance, METRICS)
            await this.store.forget_metrics(cursor.instance, ())


async def _find(this: Pass, rule: RollupRule, roots: Sequence[Record]) -> None:
    """When each root was shipped, and what it asks for."""
    before = await this.store.sightings([root.ref for root in roots])
    after = {root.ref: sighted(root, before.get(root.ref), this.as_of) for root in roots}
    await this.store.put_sightings(
        this.run, {ref: one for ref, one in after.items() if one != before.get(ref)}
    )
    for root in roots:
        this.releases[rule.name, root.ref] = release_of(
            root, rule.released, after[root.ref], this.as_of, this.config.zone
        )
    named = await _named(this, rule, roots)
    for root in roots:
        for each in rule.metrics:
            metric = _metric(this, each, root, named)
            if metric is not None:
                this.asked[rule.name, root.ref].append(metric)


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
        metric = Metric(rule.instance, rule.kind, rule.name, rule.counts)
        return Asked(metric, rule.weeks, metric.name)
    connector = this.instances[rule.instance].connector
    for record in named.get((root.ref, rule.property), ()):
        found = _stands_for(connector, record) if record.ref.instance == rule.instance else None
        if found is not None:
            kind, name = found
            counts = Counts.users if kind is MetricKind.insight else rule.counts
            return Asked(Metric(rule.instance, kind, name, counts), rule.weeks, record.title)
    said = inert_text(root.extra.get(rule.property, "").strip(), NAME_MAX)
    if not said or "://" in said:
        return None
    return Asked(Metric(rule.instance, rule.kind, said, rule.counts), rule.weeks, said)


def _stands_for(connector: Connector[Any], record: Record) -> tuple[MetricKind, str] | None:
    return connector.metric_of(record) if isinstance(connector, Measurable) else None


async def _last_day(this: Pass, name: str, opened: Opened) -> date:
    """The last day that is over in the project's time zone."""
    zone = await _zone(this, name, opened)
    return last_complete_day(this.clock.now().astimezone(zone))


async def _zone(this: Pass, name: str, opened: Opened) -> ZoneInfo:
    """The project's time zone: as the connector says, else as it said last, else our own."""
    connector = opened.connector
    assert isinstance(connector, Measurable)
    kept = (await this.store.kept(name)).get(ZONE)
    said = kept if isinstance(kept, str) else ""
    if not isinstance(connector, Readable) or this.of(name).pulled:
        try:
            said = await connector.zone()
        except OpsyncError as error:
            _log.info("zone.unknown", instance=name, error=error.message)
    if said:
        try:
            found = ZoneInfo(said)
        except (ZoneInfoNotFoundError, ValueError):
            this.report.warnings.append(f'{name}: "{inert_text(said, 60)}" is no time zone')
        else:
            if kept != said:
                await this.store.put_kept(name, {ZONE: said})
            return found
    return this.config.zone


def wanted_of(
    asked: Mapping[tuple[str, Ref], Iterable[Asked]],
    instance: str,
    last_day: date,
    releases: Mapping[tuple[str, Ref], Release | None],
) -> list[Wanted]:
    """What is asked of one instance, each metric once, with the days that its roots look at."""
    weeks: dict[Metric, int] = {}
    released: dict[Metric, list[date]] = defaultdict(list)
    used_by: dict[Metric, set[Ref]] = defaultdict(set)
    for key, each in asked.items():
        release = releases.get(key)
        for one in each:
            if one.metric.instance != instance:
                continue
            weeks[one.metric] = max(one.weeks, weeks.get(one.metric, 0))
            used_by[one.metric].add(key[1])
            if release is not None and release.on is not None:
                released[one.metric].append(release.on)
    return [
        Wanted(
            metric,
            needed(last_day, weeks[metric], released[metric]),
            weeks[metric],
            tuple(sorted(used_by[metric])),
        )
        for metric in sorted(weeks)
    ]
