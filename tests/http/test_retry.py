"""Waits, the retry budget and the breaker, one by one."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from tests.support.clock import FakeClock

from opsync.errors import TemporaryError
from opsync.http import parse_retry_after
from opsync.http.retry import Breaker, RetryBudget, back_off

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 1.5 ", 1.5),
        ("86400", 86400.0),
        ("Mon, 02 Mar 2026 09:01:30 GMT", 90.0),
        ("Mon, 02 Mar 2026 08:00:00 GMT", 0.0),
        ("Mon, 02 Mar 2026 09:01:30", 90.0),
        (None, None),
        ("", None),
        ("-1", None),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("Mon, 99 Foo 2026", None),
        ("1" * 400, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(
    value: str | None, seconds: float | None
) -> None:
    assert parse_retry_after(value, NOW) == seconds


def test_back_off_is_spread_over_a_doubling_span_up_to_a_minute() -> None:
    rng = random.Random(1)
    for attempt, span in [(1, 1), (2, 2), (3, 4), (7, 60), (50, 60)]:
        waits = [back_off(attempt, rng) for _ in range(500)]
        assert 0 <= min(waits) < 0.1 * span
        assert 0.9 * span < max(waits) <= span


def test_the_retry_budget_is_earned_back_by_answers() -> None:
    budget = RetryBudget()
    assert [budget.spend() for _ in range(12)] == [True] * 10 + [False] * 2
    for _ in range(19):
        budget.earn()
    assert not budget.spend()
    budget.earn()
    budget.earn()
    assert budget.spend()


def test_what_failed_in_all_its_tries_ends_retries_until_something_is_answered() -> None:
    budget = RetryBudget()
    budget.give_up()
    assert not budget.spend()
    budget.earn()
    assert budget.spend()


def test_the_breaker_opens_after_five_failures_in_a_row() -> None:
    breaker = Breaker(FakeClock().monotonic)
    for _ in range(4):
        breaker.fail()
    breaker.succeed()
    for _ in range(4):
        breaker.fail()
    breaker.enter("Acme")
    breaker.fail()
    with pytest.raises(TemporaryError, match="Acme failed 5 times") as caught:
        breaker.enter("Acme")
    assert not caught.value.sent


def test_a_failed_probe_doubles_the_cool_down_up_to_five_minutes() -> None:
    clock = FakeClock()
    breaker = Breaker(clock.monotonic)
    for _ in range(5):
        breaker.fail()
    for cool_down_s in [30, 60, 120, 240, 300, 300]:
        clock.advance(cool_down_s - 1)
        assert breaker.is_open
        clock.advance(1)
        breaker.enter("Acme")
        breaker.fail()


def test_an_abandoned_probe_leaves_the_next_request_to_probe() -> None:
    clock = FakeClock()
    breaker = Breaker(clock.monotonic)
    for _ in range(5):
        breaker.fail()
    clock.advance(30)
    breaker.enter("Acme")
    assert breaker.is_open
    breaker.abandon()
    breaker.enter("Acme")
    breaker.succeed()
    assert not breaker.is_open
