"""What could not be measured, as people are told after a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from opsync.current import Pass
from opsync.model import Metric, Reading, Record
from opsync.model.rules import RollupRule
from opsync.steps.shared import called
from opsync.teams import as_private

NEAREST = 3
"""So many names that the project does have are told."""
NAMED = 2
"""So many initiatives that ask for it are named; more are only counted."""


def warnings_of(this: Pass, readings: Sequence[Reading]) -> Iterator[str]:
    """One line for each rule and metric that was read in vain.

    What a private initiative says in a property is told nobody.
    """
    for reading in readings:
        for rule in this.config.rules:
            roots = [
                root
                for root in this.roots.get(rule.name, ())
                if any(one.metric == reading.metric for one in this.asked[rule.name, root.ref])
            ]
            if roots:
                yield f'rule "{rule.name}": {_told(this, reading, rule, roots)}'


def _told(this: Pass, reading: Reading, rule: RollupRule, roots: Sequence[Record]) -> str:
    metric = reading.metric
    tool = this.instances[metric.instance].connector.title
    if reading.trouble == "empty":
        return f"{tool} ({metric.instance}) has no data yet"
    noun = this.measurable[metric.instance].metric_nouns.get(metric.kind, metric.kind.value)
    by = _by(this, roots)
    if _fixed(rule, metric):
        by = ""
    elif not by:
        problem = f"has no such {noun}" if reading.trouble == "unknown" else f"refuses the {noun}"
        return f"{tool} {problem} as a private item names"
    if reading.trouble == "unknown":
        near = ", ".join(reading.nearest[:NEAREST])
        return f'{tool} has no {noun} "{metric.name}"{by}' + (f"; the nearest: {near}" * bool(near))
    why = f": {reading.message}" if reading.message else ""
    return f'{tool} refuses {noun} "{metric.name}"{by}{why}'


def _fixed(rule: RollupRule, metric: Metric) -> bool:
    """Whether the rule itself names it."""
    return any(
        (one.instance, one.kind, one.name) == (metric.instance, metric.kind, metric.name)
        for one in rule.metrics
    )


def _by(this: Pass, roots: Sequence[Record]) -> str:
    """Which initiatives say so; "" where none may be named."""
    teams = this.setting({}).teams
    shown = [called(this, root) for root in roots if not as_private(root, teams).private]
    if not shown:
        return ""
    named = ", ".join(f'"{title}"' for title in shown[:NAMED])
    more = len(roots) - len(shown[:NAMED])
    return f", as {named} names it" if not more else f", as {named} and {more} more name it"
