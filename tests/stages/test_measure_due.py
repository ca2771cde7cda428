"""Which days of a metric are read now."""

from __future__ import annotations

from datetime import date, timedelta

from opsync.model import Metric, MetricKind, Span
from opsync.stages.measure import RETRY_AFTER, Wanted, due
from opsync.store import Measured
from tests.support.build import at

METRIC = Metric("mixpanel", MetricKind.insight, "7")
WHOLE = Span(date(2026, 9, 27), date(2026, 11, 21))
NOW = at(22)


def measured(known: Span, age: timedelta) -> Measured:
    return Measured(
        metric=METRIC,
        known=known,
        windows={},
        title="",
        trouble="",
        message="",
        nearest=(),
        read_at=NOW - age,
        retry_at=None,
    )


def test_a_report_that_reaches_no_further_back_is_not_asked_for_again_at_once() -> None:
    wanted = Wanted(METRIC, WHOLE, 4, ())
    short = Span(date(2026, 10, 23), WHOLE.last)

    assert due(wanted, measured(short, timedelta(minutes=5)), NOW) is None
    assert due(wanted, measured(short, RETRY_AFTER), NOW) == WHOLE


def test_a_day_that_is_over_is_read_however_short_the_report() -> None:
    wanted = Wanted(METRIC, WHOLE, 4, ())
    short = Span(date(2026, 10, 23), WHOLE.last - timedelta(days=1))

    assert due(wanted, measured(short, timedelta(minutes=5)), NOW) == WHOLE
