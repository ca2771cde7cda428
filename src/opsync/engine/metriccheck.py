"""What rules measure and announce against what was read, for `doctor`.

Everything is taken from the store; no tool is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from opsync.config import Config
from opsync.engine.adopted import Adopted, adopted
from opsync.engine.catalog import Catalog
from opsync.engine.checkup import Unused, near
from opsync.engine.lookup import Lookup
from opsync.model import Record, Rollup
from opsync.model.rules import RollupRule


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A metric without numbers, and the initiatives that ask for it, as they may be shown."""

    metric: Adopted
    initiatives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Astray:
    """An address that leads to nothing that was read from the tool: in which property of what."""

    property: str
    tool: str
    initiatives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MetricFinding:
    """What a rule's metrics and releases meet.

    `initiatives` are those that are rolled up, `measured` so many of them have numbers. `unused`
    are properties that the rule takes a metric from and no initiative fills in, `astray` those
    with addresses by which nothing is measured. `undated` are shipped ones of which nobody knows
    the day; `released` is the property that has it, and `released_near` are the likest where
    nobody fills that in. `unread` are the analytics connections whose project was not read, so
    that no release is told there. `kind` is what plays the part of initiatives.
    """

    rule: str
    kind: str
    initiatives: int
    measured: int
    tools: tuple[str, ...]
    unmeasured: tuple[Unmeasured, ...]
    unused: tuple[Unused, ...]
    astray: tuple[Astray, ...]
    released: str
    released_near: tuple[str, ...]
    undated: tuple[str, ...]
    unread: tuple[str, ...]


async def examine_metrics(config: Config, look: Lookup) -> list[MetricFinding]:
    """Each rule that measures or announces something and has initiatives."""
    products = {ref.instance for ref in await look.products()}
    found = []
    for rule in config.rules:
        if not (rule.metrics or rule.announce_in):
            continue
        rollups = await look.store.rollups(rule.name)
        roots = await look.store.records_of([one.root for one in rollups])
        summed = [(one, roots[one.root]) for one in rollups if one.root in roots]
        if summed:
            found.append(_finding(rule, summed, look, products))
    return found


def _finding(
    rule: RollupRule, summed: list[tuple[Rollup, Record]], look: Lookup, products: set[str]
) -> MetricFinding:
    catalog = look.catalog
    asking: dict[Adopted, list[str]] = defaultdict(list)
    measured = 0
    for rollup, root in summed:
        told = adopted(rollup, root, rule, catalog)
        measured += any(one.per_day is not None for one in told)
        for one in told:
            if one.trouble:
                asking[one].append(catalog.item(root).label)
    instances = dict.fromkeys(one.instance for one in rule.metrics)
    own = [root for _, root in summed]
    return MetricFinding(
        rule=rule.name,
        kind=rule.roots.kind.value if rule.roots.kind else "initiative",
        initiatives=len(summed),
        measured=measured,
        tools=tuple(dict.fromkeys(catalog.tool(name) for name in instances)),
        unmeasured=tuple(Unmeasured(one, tuple(labels)) for one, labels in asking.items()),
        unused=unused_sources([one.property for one in rule.metrics], own),
        astray=tuple(_astray(rule, summed, catalog)),
        released=rule.released,
        released_near=tuple(
            name
            for one in unused_sources([rule.released] if rule.released else [], own)
            for name in one.near
        ),
        undated=tuple(
            catalog.item(root).label
            for rollup, root in summed
            if rollup.released is not None and rollup.released.on is None
        ),
        unread=tuple(name for name in rule.announce_in if name not in products),
    )


def _astray(
    rule: RollupRule, summed: list[tuple[Rollup, Record]], catalog: Catalog
) -> Iterator[Astray]:
    """The properties with addresses by which nothing of a connection is measured."""
    for property_, instance in dict.fromkeys((one.property, one.instance) for one in rule.metrics):
        labels = tuple(
            catalog.item(root).label
            for rollup, root in summed
            if property_
            and "://" in root.extra.get(property_, "")
            and all(one.metric.instance != instance for one in rollup.adoption)
        )
        if labels:
            yield Astray(property_, catalog.tool(instance), labels)


def unused_sources(properties: Iterable[str], roots: Iterable[Record]) -> tuple[Unused, ...]:
    """Those properties that no root fills in, with the likest that some do; "" is none."""
    used: set[str] = set()
    for root in roots:
        used |= {name for name, text in root.extra.items() if text.strip()}
        used |= {m.field for m in root.mentions if m.property}
    # A name that begins so is the connector's own.
    offered = sorted(name for name in used if not name.startswith("@"))
    wanted = dict.fromkeys(name for name in properties if name)
    return tuple(Unused(name, tuple(near(name, offered))) for name in wanted if name not in used)
