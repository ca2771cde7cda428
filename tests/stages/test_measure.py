"""What is due, and what becomes of each answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsync.contract.connector import Measurable
from opsync.errors import BadAnswer, RateLimited, SignInError, StoreError, TemporaryError
from opsync.model import Metric, MetricKind, Reading, Ref, Span
from opsync.report import InstanceReport
from opsync.stages.measure import (
    MOVING_DAYS,
    RETRY_AFTER,
    MeasureContext,
    Wanted,
    checked,
    due,
    last_complete_day,
    measure,
)
from opsync.store import METRICS, Measured, Store, inline
from tests.support.clock import FakeClock

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LAST = date(2026, 11, 22)
DAYS = Span.ending(LAST, 56)
ROOT = Ref("notion", "page", "1")
A, B, C = (Metric("meter", MetricKind.event, name) for name in "abc")


def day(back: int) -> date:
    return LAST - timedelta(days=back)


def wanted(metric: Metric = A, days: Span = DAYS, weeks: tuple[int, ...] = (4,)) -> Wanted:
    return Wanted(metric, days, weeks, (ROOT,))


def known(first: date, last: date, **more: Any) -> Measured:
    given: dict[str, Any] = {
        "metric": A,
        "known": Span(first, last),
        "asked_from": first,
        "windows": {},
        "title": "",
        "trouble": "",
        "message": "",
        "nearest": (),
        "read_at": NOW,
        "retry_at": None,
    }
    return Measured(**{**given, **more})


# What is due -----------------------------------------------------------------------------------


def test_what_was_never_read_is_read_as_far_back_as_is_needed() -> None:
    assert due(wanted(), None, NOW) == DAYS


def test_what_is_known_up_to_the_last_day_is_not_read() -> None:
    assert due(wanted(), known(DAYS.first, LAST), NOW) is None
    assert due(wanted(), known(DAYS.first - timedelta(days=9), LAST), NOW) is None


def test_a_day_later_the_last_three_days_are_read_again() -> None:
    found = due(wanted(), known(DAYS.first, day(1)), NOW)
    assert found == Span(day(MOVING_DAYS), LAST)
    assert found.days == MOVING_DAYS + 1


def test_after_a_week_or_months_without_a_run_the_gap_is_read() -> None:
    assert due(wanted(), known(DAYS.first, day(7)), NOW) == Span(day(9), LAST)
    assert due(wanted(), known(day(300), day(200)), NOW) == DAYS


def test_a_rule_that_needs_older_days_has_all_read() -> None:
    assert due(wanted(), known(day(20), LAST), NOW) == DAYS


def test_an_insight_that_shows_less_than_was_asked_for_is_not_asked_in_vain() -> None:
    shows_less = known(day(20), LAST, asked_from=DAYS.first)
    assert due(wanted(), shows_less, NOW) is None
    older = Span(DAYS.first - timedelta(days=1), LAST)
    assert due(wanted(days=older), shows_less, NOW) == older


@pytest.mark.parametrize("trouble", ["unknown", "refused", "empty"])
def test_trouble_is_looked_at_again_after_an_hour_and_not_before(trouble: Any) -> None:
    one = known(DAYS.first, LAST, trouble=trouble, retry_at=NOW + timedelta(seconds=1))
    assert due(wanted(), one, NOW) is None
    few = Span.ending(LAST, MOVING_DAYS)
    assert due(wanted(), one, NOW + timedelta(seconds=1)) == few, "the others follow if it is there"


def test_what_ends_too_early_waits_as_long() -> None:
    short = known(DAYS.first, day(1), retry_at=NOW + timedelta(minutes=10))
    assert due(wanted(), short, NOW) is None
    assert due(wanted(), short, NOW + timedelta(minutes=10)) == Span(day(3), LAST)


def test_a_last_day_that_goes_back_reads_nothing() -> None:
    """As when a project's zone is moved to the west."""
    assert due(wanted(days=Span.ending(day(1), 56)), known(day(60), LAST), NOW) is None


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.integers(0, 400), st.integers(0, 400), st.integers(14, 365))
def test_what_is_due_makes_all_known_that_is_wanted(begun: int, ended: int, need: int) -> None:
    have = known(day(max(begun, ended)), day(min(begun, ended)))
    want = wanted(days=Span.ending(LAST, need))
    found = due(want, have, NOW)
    assert have.known is not None
    if found is None:
        assert have.known.covers(want.days)
    else:
        assert want.days.covers(found)
        assert found.last == LAST
        after = Span(min(have.known.first, found.first), LAST)
        assert found.covers(want.days) or (
            after.covers(want.days) and found.first <= have.known.last
        )


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2026, 11, 23, 0, 0, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 11, 23, 23, 59, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 3, 1, 1, 0, tzinfo=UTC), date(2026, 2, 28)),
    ],
)
def test_the_last_complete_day_is_yesterday(now: datetime, last: date) -> None:
    assert last_complete_day(now) == last


# What becomes of an answer ---------------------------------------------------------------------


class Scripted(Measurable):
    """Answers what it is told, and keeps what it was asked."""

    def __init__(self, *answers: Reading | BaseException | Callable[[Span], Reading]) -> None:
        self.answers = answers
        self.asked: list[tuple[tuple[Metric, ...], Span, tuple[Span, ...]]] = []

    async def zone(self) -> str:
        return ""

    async def measure(
        self, metrics: Sequence[Metric], days: Span, windows: Sequence[Span]
    ) -> AsyncIterator[Reading]:
        self.asked.append((tuple(metrics), days, tuple(windows)))
        for answer in self.answers:
            if isinstance(answer, BaseException):
                raise answer
            yield answer if isinstance(answer, Reading) else answer(days)


def reads(metric: Metric = A, value: float = 7.0) -> Callable[[Span], Reading]:
    return lambda span: Reading(metric=metric, span=span, days=dict.fromkeys(span.dates(), value))


class Bench:
    """A store, and measuring with it."""

    def __init__(self, path: Path) -> None:
        self.clock = FakeClock(NOW)
        self.path = path
        self.store = Store.open(path, clock=self.clock, executor=inline)

    async def measure(
        self, *answers: Any, of: Sequence[Wanted] = (wanted(),), trouble: Any = ""
    ) -> tuple[Scripted, InstanceReport, list[Reading]]:
        connector, report = Scripted(*answers), InstanceReport("meter", "Meter", trouble=trouble)
        run = await self.store.begin_run("sync")
        context = MeasureContext(self.store, self.clock, run, lambda text: text.replace("s3", "…"))
        in_vain = await measure(connector, report, of, context)
        return connector, report, in_vain

    async def values(self, metric: Metric = A) -> set[float]:
        return set((await self.store.metric_days([metric]))[metric].values())

    async def failing(self) -> str:
        [cursor] = [one for one in await self.store.cursors("meter") if one.feed == METRICS]
        return cursor.error if cursor.failed_since is not None else ""


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path / "opsync.db")
    yield bench
    await bench.store.close()


async def test_all_that_is_due_is_asked_for_at_once(bench: Bench) -> None:
    long = Span.ending(LAST, 90)
    of = [wanted(A, weeks=(1, 4)), wanted(B, long, (2,))]
    connector, report, _ = await bench.measure(reads(A), reads(B), of=of)
    windows = tuple(Span.ending(LAST, 7 * weeks) for weeks in (4, 2, 1))
    assert connector.asked == [((A, B), long, windows)]
    assert (report.trouble, report.unmeasured) == ("", False)


async def test_where_nothing_is_due_nothing_is_asked_and_only_the_cursor_is_written(
    bench: Bench,
) -> None:
    await bench.measure(reads())
    before = await bench.store.measured()
    bench.clock.advance(3_600)
    connector, report, _ = await bench.measure()
    assert connector.asked == []
    assert report.trouble == ""
    assert await bench.store.measured() == before
    [cursor] = await bench.store.cursors("meter")
    assert cursor.completed_at == bench.clock.now()


async def test_only_what_is_due_is_asked_for(bench: Bench) -> None:
    await bench.measure(reads(A))
    connector, _, _ = await bench.measure(reads(B), of=[wanted(A), wanted(B)])
    assert [asked[0] for asked in connector.asked] == [(B,)]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Reading(metric=A), "does not say of which days"),
        (Reading(metric=A, span=Span(day(1), day(3))), "does not say of which days"),
        (Reading(metric=A, span="yesterday"), "does not say of which days"),  # type: ignore[arg-type]
        (Reading(metric=A, span=DAYS, days={LAST: nan}), f"for {LAST} is no number: nan"),
        (Reading(metric=A, span=DAYS, days={LAST: -inf}), f"for {LAST} is no number: -inf"),
        (Reading(metric=A, span=DAYS, days={LAST: 1e300}), f"for {LAST} is no number: 1e+300"),
        (Reading(metric=A, span=DAYS, days={LAST: "many"}), f"for {LAST} is no number: many"),  # type: ignore[dict-item]
        (Reading(metric=A, span=DAYS, days={LAST: None}), f"for {LAST} is no number: None"),  # type: ignore[dict-item]
        (Reading(metric=A, span=DAYS, days={"2026": 1.0}), "for 2026 is no number"),  # type: ignore[dict-item]
        (Reading(metric=A, span=DAYS, days={NOW: 1.0}), "is no number"),
        (Reading(metric=A, span=DAYS, windows={DAYS: inf}), "is no number: inf"),
    ],
)
async def test_an_answer_that_is_no_number_is_refused_by_name_and_never_zero(
    bench: Bench, broken: Reading, message: str
) -> None:
    _, report, in_vain = await bench.measure(broken)
    assert report.trouble == ""
    assert [one.trouble for one in in_vain] == ["refused"]
    assert message in in_vain[0].message
    stored = (await bench.store.measured())[A]
    assert (stored.trouble, stored.known) == ("refused", None)
    assert stored.retry_at == NOW + RETRY_AFTER


def test_numbers_in_other_clothes_are_numbers() -> None:
    days = {day(0): "12", day(1): Decimal("2.5"), day(2): True, day(3): -4}
    found = checked(Reading(metric=A, span=DAYS, days=days))  # type: ignore[arg-type]
    assert found.days == {day(0): 12.0, day(1): 2.5, day(2): 1.0, day(3): -4.0}


async def test_trouble_of_one_metric_is_its_own(bench: Bench) -> None:
    unknown = Reading(metric=A, trouble="unknown", nearest=("aa",), message="no s3 \u202e here")
    _, report, in_vain = await bench.measure(unknown, reads(B), of=[wanted(A), wanted(B)])
    assert report.trouble == ""
    assert [(one.metric, one.message) for one in in_vain] == [(A, "no … here")]
    assert await bench.values(B) == {7.0}
    assert await bench.failing() == ""


async def test_a_refusal_of_several_tells_each_no_name_but_its_own(bench: Bench) -> None:
    said = 'cannot read ["checkout", "secret plan", "planned"]'
    public, private = (
        Metric("meter", MetricKind.event, one) for one in ("checkout", "secret plan")
    )
    refusals = [Reading(metric=one, trouble="refused", message=said) for one in (public, private)]
    _, _, in_vain = await bench.measure(*refusals, of=[wanted(public), wanted(private)])
    assert [one.message for one in in_vain] == [
        'cannot read ["checkout", "…", "planned"]',
        'cannot read ["…", "secret plan", "planned"]',
    ]


class Odd(Exception):
    """A fault of a plugin."""


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (SignInError("no right to query", hint="give it"), "sign-in"),
        (TemporaryError("down"), "incomplete"),
        (BadAnswer("cut"), "incomplete"),
        (Odd("with s3 in it"), "plugin"),
        (KeyError("days"), "plugin"),
        (SystemExit(3), "plugin"),
    ],
)
async def test_whatever_it_raises_costs_nothing_but_freshness(
    bench: Bench, error: BaseException, trouble: str
) -> None:
    await bench.measure(reads())
    bench.clock.advance(24 * 3_600)
    tomorrow = wanted(days=Span(DAYS.first, day(-1)))
    _, report, _ = await bench.measure(error, of=[tomorrow])
    assert (report.trouble, report.unmeasured) == (trouble, True)
    assert "s3" not in report.message
    assert await bench.failing() == report.message
    stored = (await bench.store.measured())[A]
    assert (stored.known, stored.trouble) == (DAYS, "")
    assert await bench.values() == {7.0}
    connector, report, _ = await bench.measure(reads(), of=[tomorrow])
    assert len(connector.asked) == 1
    assert (report.trouble, await bench.failing()) == ("", "")


async def test_a_fault_of_the_store_is_raised(bench: Bench) -> None:
    with pytest.raises(StoreError):
        await bench.measure(StoreError("the disk is full"))


async def test_what_came_before_the_error_is_kept(bench: Bench) -> None:
    of = [wanted(A), wanted(B), wanted(C)]
    _, report, in_vain = await bench.measure(
        reads(A), Reading(metric=B, trouble="empty"), TemporaryError("cut"), of=of
    )
    assert report.trouble == "incomplete"
    assert [one.metric for one in in_vain] == [B]
    assert await bench.values(A) == {7.0}
    assert set(await bench.store.measured()) == {A, B}
    connector, _, _ = await bench.measure(reads(C), of=of)
    assert connector.asked[0][0] == (C,)


async def test_an_answer_that_was_not_asked_for_is_a_fault(bench: Bench) -> None:
    _, report, _ = await bench.measure(reads(A), reads(B))
    assert report.message == "the connector answered for a metric that was not asked for"
    assert set(await bench.store.measured()) == {A}


async def test_of_two_answers_for_one_metric_neither_is_believed(bench: Bench) -> None:
    of = [wanted(A), wanted(B)]
    _, report, _ = await bench.measure(reads(A), reads(B), reads(A, 9.0), of=of)
    assert report.message == "the connector answered twice for a metric"
    assert set(await bench.store.measured()) == {B}


async def test_a_metric_that_is_left_out_is_a_fault(bench: Bench) -> None:
    _, report, _ = await bench.measure(reads(A), of=[wanted(A), wanted(B)])
    assert report.message == "the connector gave no answer for 1 of 2 metrics"
    assert set(await bench.store.measured()) == {A}


async def test_a_refused_sign_in_outweighs_what_was_wrong_before(bench: Bench) -> None:
    _, report, _ = await bench.measure(SignInError("refused"), trouble="incomplete")
    assert (report.trouble, report.message, report.unmeasured) == ("sign-in", "refused", False)


async def test_a_trouble_of_reading_stays_the_one_that_is_told(bench: Bench) -> None:
    _, report, _ = await bench.measure(TemporaryError("down"), trouble="stopped")
    assert (report.trouble, report.message, report.unmeasured) == ("stopped", "", False)


# The tool's limit ------------------------------------------------------------------------------


async def test_a_spent_budget_is_waited_for_by_other_processes_too(bench: Bench) -> None:
    await bench.measure(RateLimited("60 an hour", retry_after_s=1_800))
    await bench.store.close()
    again = Bench(bench.path)
    again.clock.advance(1_799)
    connector, report, _ = await again.measure(reads())
    assert connector.asked == []
    told = (report.trouble, report.message, report.unmeasured)
    assert told == ("incomplete", "60 an hour", True)
    again.clock.advance(1)
    connector, report, _ = await again.measure(reads())
    assert len(connector.asked) == 1
    assert (report.trouble, await again.failing()) == ("", "")
    assert [key for key in await again.store.kept("meter") if "after" in key] == []
    await again.store.close()


async def test_where_nothing_is_due_a_spent_budget_is_no_trouble(bench: Bench) -> None:
    await bench.measure(reads(A))
    of = [wanted(A), wanted(B)]
    await bench.measure(RateLimited("60 an hour", retry_after_s=1_800), of=of)
    _, report, _ = await bench.measure(of=[wanted(A)])
    assert (report.trouble, await bench.failing()) == ("", "")


async def test_without_a_time_it_is_tried_in_the_next_pass(bench: Bench) -> None:
    await bench.measure(RateLimited("slow down"))
    connector, _, _ = await bench.measure(reads())
    assert len(connector.asked) == 1


async def test_an_absurd_pause_is_a_long_one(bench: Bench) -> None:
    _, report, _ = await bench.measure(RateLimited("later", retry_after_s=1e15))
    assert report.trouble == "incomplete"
    bench.clock.advance(365 * 24 * 3_600)
    assert (await bench.measure(reads()))[0].asked == []
    bench.clock.advance(2 * 24 * 3_600)
    assert len((await bench.measure(reads()))[0].asked) == 1
