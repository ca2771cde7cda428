"""Where the use of an initiative is measured, by what, and why it is not: the whole chain.

Everything is taken from the store; no tool is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from opsync.engine.adopted import DayValue, Measured, one_adopted
from opsync.engine.catalog import Item
from opsync.engine.explained import LeftOut
from opsync.engine.lookup import Lookup
from opsync.model import Adoption, Kind, Metric, Record, Ref, Rollup
from opsync.model.rules import MetricRule, RollupRule
from opsync.stages.measure import AFTER
from opsync.steps.measuring import ZONE
from opsync.store import METRICS, CursorState
from opsync.store import Measured as Known


class _Origin(Struct, frozen=True):
    """Where a metric comes from."""

    source: Literal["fixed", "property", "link", "gone"]
    rule: MetricRule | None = None
    linked: Item | None = None


def metric_properties(rule: RollupRule | None) -> frozenset[str]:
    """The properties from which a rule takes what is measured."""
    return frozenset(one.property for one in rule.metrics if one.property) if rule else frozenset()


class Adopting:
    """Tells of one initiative under one rule."""

    def __init__(self, look: Lookup, rollup: Rollup, root: Record) -> None:
        self._look = look
        self._store = look.store
        self._rollup = rollup
        self._root = root
        self._rule = look.rules.get(rollup.rule)

    async def measured(self) -> tuple[Measured, ...]:
        """Each metric with all that it rests on, the most telling first."""
        metrics = [one.metric for one in self._rollup.adoption]
        if not metrics:
            return ()
        known = await self._store.measured()
        days = await self._store.metric_days(metrics)
        cursors = {one.instance: one for one in await self._store.cursors() if one.feed == METRICS}
        return tuple(
            [
                await self._one(
                    one,
                    known.get(one.metric),
                    days.get(one.metric, {}),
                    cursors.get(one.metric.instance),
                )
                for one in self._rollup.adoption
            ]
        )

    async def _one(
        self,
        adoption: Adoption,
        known: Known | None,
        days: Mapping[date, float],
        cursor: CursorState | None,
    ) -> Measured:
        metric = adoption.metric
        told = one_adopted(adoption, self._rollup, self._root, self._rule, self._look.catalog)
        origin = await self._origin(metric)
        hidden = not told.metric.name and bool(metric.name)
        kept = await self._store.kept(metric.instance)
        zone, after = kept.get(ZONE), kept.get(AFTER)
        again_at = datetime.fromisoformat(after) if isinstance(after, str) else None
        if known is not None and known.retry_at is not None:
            again_at = max(known.retry_at, again_at or known.retry_at)
        span = known.known if known is not None else None
        numbers = () if span is None or told.trouble else span.dates()
        return Measured(
            **{name: getattr(told, name) for name in told.__struct_fields__},
            source=origin.source,
            property=origin.rule.property if origin.rule else "",
            linked=None if hidden else origin.linked,
            weeks=origin.rule.weeks if origin.rule else None,
            project=await self.project(metric.instance),
            time_zone=zone if isinstance(zone, str) else "",
            known=span,
            days=tuple(DayValue(day, days.get(day, 0.0)) for day in numbers),
            read_at=known.read_at if known else None,
            again_at=again_at,
            kept_since=cursor.failed_since if cursor else None,
            kept_because=cursor.error if cursor and cursor.failed_since else "",
        )

    async def project(self, instance: str) -> Item | None:
        """The project of an analytics tool, once it was read."""
        found = await self._store.roots(
            instance=instance, kind=Kind.product, space=None, stream=None
        )
        return self._look.catalog.item(found[0]) if found else None

    async def _origin(self, metric: Metric) -> _Origin:
        """Which of the rule's metrics it is, and by what the initiative names it."""
        rules = [one for one in self._metrics() if one.instance == metric.instance]
        for one in rules:
            if not one.property and (one.kind, one.name) == (metric.kind, metric.name):
                return _Origin("fixed", one)
        for one in rules:
            said = self._root.extra.get(one.property, "").strip()
            if one.property and one.kind is metric.kind and said == metric.name:
                return _Origin("property", one)
        for one in rules:
            for ref in await self._named(one.property) if one.property else ():
                if ref.instance == metric.instance:
                    return _Origin("link", one, await self._look.item(ref))
        return _Origin("gone")

    def _metrics(self) -> tuple[MetricRule, ...]:
        return self._rule.metrics if self._rule else ()

    async def _named(self, property_: str) -> list[Ref]:
        """What the initiative names in a property, as far as it was read."""
        found: list[Ref] = []
        for _, mention, refs in await self._store.mentions_of([self._root.ref]):
            if mention.field == property_:
                found += refs
        return found

    async def not_measured(self) -> tuple[LeftOut, ...]:
        """What the rule measures and this initiative does not have, and why."""
        have = {(one.metric.instance, one.metric.kind) for one in self._rollup.adoption}
        found = []
        for one in self._metrics():
            noun = self._look.catalog.metric_noun(one.instance, one.kind)
            tool = self._look.catalog.tool(one.instance)
            if not one.property:
                if (one.instance, one.kind) not in have:
                    found.append(LeftOut(f'{noun} "{one.name}" of {tool}', "the next sync asks"))
                continue
            said = self._root.extra.get(one.property, "").strip()
            named = any(ref.instance == one.instance for ref in await self._named(one.property))
            if self._taken(one, said) or (named and have):
                continue
            why = f'its "{one.property}" is empty'
            if "://" in said:
                why = f'the address in its "{one.property}" is none that was read from {tool}'
            elif said or named:
                why = "the next sync asks"
            found.append(LeftOut(f"{noun} of {tool}", why))
        return tuple(found)

    def _taken(self, rule: MetricRule, said: str) -> bool:
        """Whether what a property says is among what is measured."""
        return any(
            (one.metric.instance, one.metric.kind, one.metric.name)
            == (rule.instance, rule.kind, said)
            for one in self._rollup.adoption
        )

    async def not_announced(self) -> tuple[LeftOut, ...]:
        """Where its release should be told and is not, and why."""
        released = self._rollup.released
        if released is None or self._rule is None:
            return ()
        told_in = {ref.instance for ref in self._rollup.announced_in}
        shown = self._look.catalog.item(self._root)
        return tuple(
            LeftOut(self._look.catalog.tool(name), why)
            for name in self._rule.announce_in
            if (why := _why_untold(released.on is None, name not in told_in, shown))
        )


def _why_untold(undated: bool, unread: bool, shown: Item) -> str:
    if undated:
        return "the day of its release is not known"
    if unread:
        return "its project was not read yet"
    return "" if shown.url else "it is private, and has no address that may be shown"
