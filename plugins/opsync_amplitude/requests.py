"""Which requests tell what is asked for: the fewest that Amplitude's limits allow. Pure.

Two events of one counting share a request, and so do all flags. A request costs its days times its
events, and four more for each event that is grouped.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from msgspec import Struct

from opsync import Counts, Metric, MetricKind, Span
from opsync_amplitude.series import GROUPS
from opsync_amplitude.settings import AmplitudeSettings

TOGETHER = 2
"""Events in one request."""
LONGEST = 365
"""Days in one answer by day."""
MAX_COST = 800
"""The most that one request may cost: four fifths of what five minutes have."""
GROUPED = 4
"""What a grouped event costs a day besides itself."""
COUNTINGS = {Counts.users: "uniques", Counts.events: "totals"}


class Query(Struct, frozen=True):
    """One request: these metrics over these spans, one after the other where a year, or the cost,
    takes several."""

    metrics: tuple[Metric, ...]
    spans: tuple[Span, ...]

    @property
    def kind(self) -> MetricKind:
        return self.metrics[0].kind

    @property
    def counts(self) -> Counts:
        return self.metrics[0].counts

    @property
    def cost_a_day(self) -> int:
        return _cost_a_day(self.kind, len(self.metrics))

    @property
    def name(self) -> str:
        """What is asked for, whenever and over whatever days."""
        return " ".join(map(str, self.metrics))

    def alone(self) -> list[Query]:
        """The same, one metric a request."""
        return [Query((metric,), self.spans) for metric in self.metrics]


def queries(
    metrics: Iterable[Metric], days: Span, windows: Sequence[Span], *, together: int = TOGETHER
) -> list[Query]:
    """The requests for these events and flags; insights are not asked for here."""
    events: dict[Counts, list[Metric]] = defaultdict(list)
    flags: dict[Counts, list[Metric]] = defaultdict(list)
    for metric in sorted(metrics):
        if metric.kind is MetricKind.event:
            events[metric.counts].append(metric)
        elif metric.kind is MetricKind.flag:
            flags[metric.counts].append(metric)
    found = []
    for each in events.values():
        for at in range(0, len(each), together):
            part = tuple(each[at : at + together])
            found.append(Query(part, spans(days, windows, MetricKind.event, len(part))))
    at_once = spans(days, windows, MetricKind.flag, 1)
    return [*found, *(Query(tuple(each), at_once) for each in flags.values())]


def spans(days: Span, windows: Sequence[Span], kind: MetricKind, count: int) -> tuple[Span, ...]:
    """The spans to ask for, which cover `days`. Where it takes no further request, one of them is
    the window up to the last day, since its unique users are told with it."""
    longest = min(LONGEST, MAX_COST // _cost_a_day(kind, count))
    ends_there = [w for w in windows if w.last == days.last and 0 < w.days <= longest]
    window = max(ends_there, key=lambda one: one.days, default=None)
    if window is None:
        return _parts(days, longest)
    if window.covers(days):
        return (window,)
    parts = _parts(days, longest)
    before = Span(days.first, window.first - timedelta(days=1))
    with_window = (*_parts(before, longest), window)
    return with_window if len(with_window) <= len(parts) else parts


def _parts(days: Span, longest: int) -> tuple[Span, ...]:
    count = -(-days.days // longest)
    size = -(-days.days // count)
    found = []
    first = days.first
    while first <= days.last:
        last = min(days.last, first + timedelta(days=size - 1))
        found.append(Span(first, last))
        first = last + timedelta(days=1)
    return tuple(found)


def _cost_a_day(kind: MetricKind, count: int) -> int:
    return 1 + GROUPED if kind is MetricKind.flag else min(count, TOGETHER)


def params(query: Query, span: Span, settings: AmplitudeSettings) -> Mapping[str, str]:
    """The query part of a request."""
    found = {
        "m": COUNTINGS[query.counts],
        "i": "1",
        "start": f"{span.first:%Y%m%d}",
        "end": f"{span.last:%Y%m%d}",
    }
    if query.kind is MetricKind.flag:
        grouped = [{"type": "event", "value": settings.flag_property}]
        event = {"event_type": settings.flag_event, "group_by": grouped}
        return found | {"e": _json(event), "limit": str(GROUPS)}
    for name, metric in zip(("e", "e2"), query.metrics, strict=False):
        found[name] = _json({"event_type": metric.name})
    return found


def _json(event: Mapping[str, object]) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
