"""Which spans are asked for: all days, with no request more than they take."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from opsync.model import MetricKind, Span
from opsync_amplitude.requests import MAX_COST, spans

LAST = date(2026, 3, 1)


@settings(max_examples=60, deadline=None)
@given(
    days=st.integers(1, 800),
    windows=st.lists(st.sampled_from([7, 14, 21, 28]), max_size=3),
    kind=st.sampled_from([MetricKind.event, MetricKind.flag]),
    count=st.integers(1, 2),
)
def test_all_days_are_asked_for_once_and_within_the_limits(
    days: int, windows: list[int], kind: MetricKind, count: int
) -> None:
    wanted = Span.ending(LAST, days)
    asked = spans(wanted, [Span.ending(LAST, one) for one in windows], kind, count)
    cost_a_day = 5 if kind is MetricKind.flag else count
    longest = min(365, MAX_COST // cost_a_day)

    listed = [day for span in asked for day in span.dates()]
    assert len(listed) == len(set(listed))
    assert set(wanted.dates()) <= set(listed)
    assert listed == sorted(listed)
    assert all(span.days <= longest for span in asked)
    assert len(asked) == -(-days // longest), "windows take no request more"


def test_a_window_of_another_day_changes_nothing() -> None:
    days = Span.ending(LAST, 4)
    window = Span.ending(LAST - timedelta(days=1), 28)
    assert spans(days, [window], MetricKind.event, 1) == (days,)
