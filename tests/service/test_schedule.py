"""Schedule: when an instance is read next, also when it fails and when clocks jump."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from opsync.runtime import Runtime
from opsync.service.schedule import LATEST, Schedule
from tests.support.clock import FakeClock

TWO = timedelta(minutes=2)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def schedule(clock: FakeClock) -> Schedule:
    made = Schedule(Runtime(clock=clock, rng=random.Random(1)), jitter=0.0)
    made.begin({"jira": TWO})
    return made


def test_at_first_it_is_due_and_then_after_its_interval(
    schedule: Schedule, clock: FakeClock
) -> None:
    assert schedule.wait_s("jira") == 0
    schedule.took("jira", "")
    assert schedule.wait_s("jira") == 120
    clock.advance(120)
    assert schedule.wait_s("jira") == 0


def test_jitter_moves_it_by_a_part_of_its_interval(clock: FakeClock) -> None:
    schedule = Schedule(Runtime(clock=clock, rng=random.Random(1)), jitter=0.1)
    schedule.begin({"jira": TWO})
    waits = set()
    for _ in range(50):
        schedule.took("jira", "")
        waits.add(schedule.wait_s("jira"))
    assert 108 <= min(waits) < 112 < 128 < max(waits) <= 132


def test_one_that_fails_is_tried_later_and_later_up_to_a_bound(schedule: Schedule) -> None:
    waits = []
    for _ in range(8):
        schedule.took("jira", "no answer")
        waits.append(schedule.wait_s("jira"))
    assert waits == [120, 240, 480, 900, 900, 900, 900, 900]
    assert schedule.turns["jira"].failures == 8
    schedule.took("jira", "")
    assert (schedule.wait_s("jira"), schedule.turns["jira"].trouble) == (120, "")


def test_one_with_a_long_interval_is_not_tried_more_often_when_it_fails(
    schedule: Schedule,
) -> None:
    schedule.begin({"jira": timedelta(hours=1)})
    for _ in range(5):
        schedule.took("jira", "no answer")
        assert schedule.wait_s("jira") == 3600


def test_a_clock_that_is_set_back_puts_it_off_by_a_bounded_while(
    schedule: Schedule, clock: FakeClock
) -> None:
    schedule.took("jira", "")
    clock.start -= DAY
    assert schedule.wait_s("jira") == (LATEST * 2).total_seconds()


def test_with_another_configuration_everything_is_read_at_once(schedule: Schedule) -> None:
    schedule.begin({"jira": timedelta(hours=2)})
    schedule.took("jira", "")
    schedule.begin({"jira": TWO, "linear": TWO})
    assert [schedule.wait_s(name) for name in ("jira", "linear")] == [0, 0]
    schedule.took("jira", "")
    assert schedule.wait_s("jira") == 120, "by the interval that holds now"
    schedule.hasten("jira")
    assert schedule.wait_s("jira") == 0
