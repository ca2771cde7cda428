"""The limiter against a vendor that counts every window, wherever it begins."""

from __future__ import annotations

import asyncio
import random

import pytest
from tests.support.clock import FakeClock

from opsync.errors import RateLimited
from opsync.http.limits import Budget, BudgetHint, Limit


async def take(budget: Budget, lane: str = "", cost: float = 1.0, patience_s: float = 1e9) -> float:
    return await budget.take(lane, cost, patience_s=patience_s, who="Acme (eng)")


def fullest_window(times: list[float], window_s: float) -> int:
    return max(sum(1 for t in times if start <= t < start + window_s) for start in times)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_a_fifth_of_the_limit_is_left_to_others_in_every_window(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.expect([Limit("", 100, 60)])
    rng, times = random.Random(3), []
    for _ in range(500):
        await take(budget)
        times.append(clock.monotonic())
        clock.advance(rng.choice([0, 0, 0, 0.5]))
    assert fullest_window(times, 59.999) == 80


async def test_the_whole_capacity_may_go_at_once(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.expect([Limit("", 100, 60)])
    assert [await take(budget) for _ in range(80)] == [0.0] * 80
    assert await take(budget) == pytest.approx(60)


async def test_two_windows_of_one_lane_both_hold(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.expect([Limit("", 10, 1), Limit("", 20, 60)])
    times = []
    for _ in range(40):
        await take(budget)
        times.append(clock.monotonic())
    assert fullest_window(times, 0.999) == 8
    assert fullest_window(times, 59.999) == 16


async def test_a_lane_takes_its_cost_there_and_one_from_the_whole(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.expect([Limit("", 5, 60), Limit("points", 1000, 60)])
    for _ in range(4):
        assert await take(budget, "points", 10) == 0
    assert await take(budget) == pytest.approx(60)


async def test_a_spent_lane_does_not_hold_up_others(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.expect([Limit("points", 1000, 60)])
    await take(budget, "points", 800)
    waiting = asyncio.create_task(take(budget, "points", 800, patience_s=100))
    await asyncio.sleep(0)
    assert await take(budget, "other") == 0
    assert await waiting == pytest.approx(60)


async def test_what_costs_more_than_the_capacity_waits_until_all_is_free(
    clock: FakeClock,
) -> None:
    budget = Budget(clock)
    budget.expect([Limit("points", 100, 60)])
    await take(budget, "points", 10)
    assert await take(budget, "points", 500) == pytest.approx(60)


async def test_a_wait_beyond_patience_is_refused_at_once_and_takes_nothing(
    clock: FakeClock,
) -> None:
    budget = Budget(clock)
    budget.expect([Limit("", 10, 3600)])
    for _ in range(8):
        await take(budget)
    with pytest.raises(RateLimited) as caught:
        await take(budget, patience_s=120)
    assert caught.value.retry_after_s == pytest.approx(3600)
    assert not caught.value.sent
    assert clock.slept == []


async def test_a_pause_is_slept_once_however_many_wait(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.pause("", 30)
    budget.pause("", 10)
    await asyncio.gather(*(take(budget) for _ in range(20)))
    assert clock.slept == [pytest.approx(30)]
    assert clock.elapsed_s == pytest.approx(30)


async def test_a_pause_of_one_lane_leaves_the_rest_alone(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.pause("search", 30)
    assert await take(budget) == 0
    assert await take(budget, "search") == pytest.approx(30)


async def test_the_vendors_own_figure_replaces_the_documented_one(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.expect([Limit("", 10, 60)])
    budget.learn([BudgetHint(limit=100)])
    assert [await take(budget) for _ in range(80)] == [0.0] * 80


async def test_a_limit_seen_in_headers_alone_is_kept(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.learn([BudgetHint(lane="search", limit=10, window_s=1)])
    assert [await take(budget, "search") for _ in range(8)] == [0.0] * 8
    assert await take(budget, "search") == pytest.approx(1)


async def test_what_others_used_is_left_out_until_the_reset(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.expect([Limit("", 100, 60)])
    budget.learn([BudgetHint(remaining=25, reset_in_s=20)])
    assert [await take(budget) for _ in range(5)] == [0.0] * 5
    assert await take(budget) == pytest.approx(20)


async def test_our_own_requests_are_not_taken_for_those_of_others(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.expect([Limit("", 100, 60)])
    for used in range(1, 81):
        assert await take(budget) == 0
        budget.learn([BudgetHint(limit=100, remaining=100 - used, reset_in_s=60)])


async def test_of_two_documented_figures_the_smaller_holds(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.expect([Limit("", 100, 60)])
    budget.expect([Limit("", 10, 60)])
    for _ in range(8):
        await take(budget)
    assert await take(budget) == pytest.approx(60)


async def test_whoever_stops_waiting_leaves_the_line_to_the_next(clock: FakeClock) -> None:
    budget = Budget(clock)
    gate = asyncio.Event()

    async def stuck(delay_s: float) -> None:
        await gate.wait()

    budget.pause("", 5)
    clock.sleep = stuck  # type: ignore[method-assign]
    first = asyncio.create_task(take(budget))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    clock.advance(5)
    assert await take(budget) == 0


async def test_a_pause_that_comes_while_waiting_for_the_whole_still_holds(
    clock: FakeClock,
) -> None:
    budget = Budget(clock)
    budget.expect([Limit("search", 100, 60)])
    budget.pause("", 10)
    sleep = clock.sleep

    async def pause_the_lane_meanwhile(delay_s: float) -> None:
        if not clock.slept:
            budget.pause("search", 25)
        await sleep(delay_s)

    clock.sleep = pause_the_lane_meanwhile  # type: ignore[method-assign]
    assert await take(budget, "search") == pytest.approx(25)


async def test_pauses_tell_what_is_closed_and_for_how_long(clock: FakeClock) -> None:
    budget = Budget(clock)
    budget.pause("search", 30)
    await take(budget)
    clock.advance(10)
    assert budget.pauses() == {"search": pytest.approx(20)}
    clock.advance(20)
    assert budget.pauses() == {}
