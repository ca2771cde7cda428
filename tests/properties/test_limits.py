"""The limiter in virtual time, against a vendor that counts every window, wherever it begins."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from opsync.http.limits import HEAD_ROOM, Budget, BudgetHint, Limit
from tests.support.clock import FakeClock

LANES = ("", "points", "writes")
_LITTLE = 1e-3
"""Seconds by which a counted window is shorter, for the arithmetic's sake."""


class Limiter(RuleBasedStateMachine):
    """Asks alone and in crowds, is refused for a while, and shares a limit with other programs."""

    @initialize(
        whole=st.integers(5, 20),
        points=st.integers(20, 100),
        short=st.sampled_from([1.0, 10.0]),
        long=st.sampled_from([60.0, 3600.0]),
    )
    def begin(self, whole: int, points: int, short: float, long: float) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock()
        self.budget = Budget(self.clock)
        self.limits = [
            Limit("", whole, short),
            Limit("", whole * 3, long),
            Limit("points", points, long),
        ]
        self.budget.expect(self.limits)
        self.sent: list[tuple[float, str, float]] = []
        """When, in which lane, at what cost."""
        self.others: list[tuple[float, str, float]] = []
        self.paused: dict[str, float] = {}

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.close()

    @rule(
        asked=st.lists(
            st.tuples(st.sampled_from(LANES), st.integers(1, 8)), min_size=1, max_size=12
        )
    )
    def ask(self, asked: list[tuple[str, int]]) -> None:
        came: list[int] = []

        async def one(at: int, lane: str, cost: int) -> None:
            cost = 1 if lane == "" else cost
            await self.budget.take(lane, cost, patience_s=1e9, who="Acme (eng)")
            self.sent.append((self.clock.monotonic(), lane, cost))
            came.append(at)

        async def all_of_them() -> None:
            await asyncio.gather(*(one(at, *each) for at, each in enumerate(asked)))

        begun = self.clock.monotonic()
        new = len(self.sent)
        self.loop.run_until_complete(all_of_them())
        for lane in LANES:
            mine = [at for at in came if asked[at][0] == lane]
            assert mine == sorted(mine), f"{lane!r}: first come is first served"
        for at, lane, _ in self.sent[new:]:
            for paused in {lane, ""}:
                assert at >= self.paused.get(paused, begun) - _LITTLE, "sent while paused"

    @rule(seconds=st.sampled_from([0.1, 0.9, 1.0, 9.5, 59.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(lane=st.sampled_from(LANES), seconds=st.sampled_from([0.5, 7.0, 90.0]))
    def vendor_refuses(self, lane: str, seconds: float) -> None:
        """429 with Retry-After."""
        self.budget.pause(lane, seconds)
        until = self.clock.monotonic() + seconds
        self.paused[lane] = max(self.paused.get(lane, 0.0), until)

    @rule(part=st.floats(0.1, 1.0))
    def others_take_their_part(self, part: float) -> None:
        """Another program takes some of what is left, and the next answer's headers say so."""
        limit = self.limits[-1]
        now = self.clock.monotonic()
        used = self.used(limit, now - limit.window_s, now + _LITTLE)
        taken = float(int((limit.per_window - used) * part))
        self.others.append((now, limit.name, taken))
        remaining = limit.per_window - used - taken
        hint = BudgetHint(limit.name, limit.per_window, limit.window_s, remaining, limit.window_s)
        self.budget.learn([hint])

    def used(self, limit: Limit, start: float, end: float, *, ours: bool = False) -> float:
        """What was taken of a limit from `start` until before `end`: ours in a lane counts once
        in the whole, too."""
        taken = sum(
            cost if lane == limit.name else 1
            for at, lane, cost in self.sent
            if start <= at < end and limit.name in ("", lane)
        )
        if ours:
            return taken
        return taken + sum(
            cost for at, lane, cost in self.others if start <= at < end and lane == limit.name
        )

    @invariant()
    def no_window_holds_more_than_the_vendor_lets_through(self) -> None:
        if not hasattr(self, "limits"):
            return
        for limit in self.limits:
            for start in {at for at, _, _ in self.sent + self.others}:
                end = start + limit.window_s - _LITTLE
                used = self.used(limit, start, end)
                assert used <= limit.per_window + _LITTLE, (limit, start, used)
                mine = self.used(limit, start, end, ours=True)
                assert mine <= limit.per_window * (1 - HEAD_ROOM) + _LITTLE, (limit, start, mine)


EVERYDAY = settings(
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
)


def test_no_window_ever_holds_more_than_the_vendor_lets_through() -> None:
    """I15"""
    run_state_machine_as_test(Limiter, settings=EVERYDAY)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_window_does_so_in_many_and_longer_histories() -> None:
    run_state_machine_as_test(
        Limiter, settings=settings(EVERYDAY, max_examples=200, stateful_step_count=40)
    )
