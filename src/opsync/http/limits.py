"""Keeps within a vendor's request limits, one budget per credential.

A request's cost is taken from its lane and comes back one whole window later. That way no window,
wherever the vendor lets it begin, ever holds more than the capacity: a bucket refilled bit by bit
would let nearly twice that through in its first window.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from opsync.errors import RateLimited
from opsync.runtime import Clock

HEAD_ROOM = 0.2
"""The share of each limit that is left to people and other programs."""

_ROUNDING = 1e-6
"""Seconds or requests below which a difference is the arithmetic's, not the vendor's."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as the vendor documents it: `per_window` in `window_s` seconds.

    `name` is the lane ("" : every request of the credential). A request in a lane takes its cost
    there and 1 from "".
    """

    name: str
    per_window: float
    window_s: float


@dataclass(frozen=True, slots=True)
class BudgetHint:
    """What an answer's headers said about a lane; None for what they did not say.

    `limit` of what `window_s`, how much `remaining`, and in how many seconds it is whole again.
    """

    lane: str = ""
    limit: float | None = None
    window_s: float | None = None
    remaining: float | None = None
    reset_in_s: float | None = None


@dataclass
class _Window:
    """One limit of one lane, and what was taken from it lately."""

    limit: float
    window_s: float
    _taken: deque[tuple[float, float]] = field(default_factory=deque)
    """(when it comes back, cost), the earliest first."""
    _total: float = 0.0
    _others: float = 0.0
    """Taken by somebody else, as far as the vendor's headers showed."""
    _others_until: float = 0.0

    @property
    def capacity(self) -> float:
        return self.limit * (1.0 - HEAD_ROOM)

    def _forget(self, now: float) -> None:
        while self._taken and self._taken[0][0] <= now + _ROUNDING:
            self._total -= self._taken.popleft()[1]
        if not self._taken:
            self._total = 0.0
        if self._others_until <= now + _ROUNDING:
            self._others = 0.0

    def share(self, lane: str, now: float) -> Share:
        """What is left of it, and when all is free again."""
        self._forget(now)
        left = max(0.0, 1.0 - (self._total + self._others) / self.limit)
        ends = [self._taken[-1][0]] if self._taken else []
        ends += [self._others_until] if self._others else []
        length = f"a {_span(self.window_s)}"
        return Share(
            f"{lane}, {length}" if lane else length,
            left,
            timedelta(seconds=max(0.0, max(ends, default=now) - now)),
        )

    def wait_s(self, cost: float, now: float) -> float:
        """Seconds until `cost` is free. What costs more than all waits until all is free."""
        self._forget(now)
        over = self._total + self._others + min(cost, self.capacity) - self.capacity
        if over <= _ROUNDING:
            return 0.0
        returns = list(self._taken)
        if self._others:
            returns.append((self._others_until, self._others))
            returns.sort()
        for at, amount in returns:
            over -= amount
            if over <= _ROUNDING:
                return max(0.0, at - now)
        return self.window_s

    def take(self, cost: float, now: float) -> None:
        self._taken.append((now + self.window_s, cost))
        self._total += cost

    def learn(self, hint: BudgetHint, now: float) -> None:
        if hint.limit is not None and hint.limit > 0:
            self.limit = hint.limit
        if hint.remaining is not None:
            self._forget(now)
            used = self.limit - max(0.0, hint.remaining)
            self._others = max(0.0, used - self._total)
            reset = self.window_s if hint.reset_in_s is None else max(0.0, hint.reset_in_s)
            self._others_until = now + min(reset, self.window_s)


class Share(NamedTuple):
    """What is left of one limit: `left` of 1, and all of it again in `full_in`."""

    name: str
    left: float
    full_in: timedelta


def _span(seconds: float) -> str:
    """ "minute", "hour", "30 s": the length of a window."""
    named = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86400.0: "day"}
    return named.get(seconds) or f"{seconds:g} s"


class _Lane:
    """The windows of one lane, a pause over them, and the line of those who wait."""

    def __init__(self) -> None:
        self.windows: list[_Window] = []
        self.paused_until = 0.0
        self.line = asyncio.Lock()

    def wait_s(self, cost: float, now: float) -> float:
        waits = [window.wait_s(cost, now) for window in self.windows]
        wait_s = max(self.paused_until - now, *waits, 0.0)
        return wait_s if wait_s > _ROUNDING else 0.0

    def take(self, cost: float, now: float) -> None:
        for window in self.windows:
            window.take(cost, now)


class Budget:
    """All lanes of one credential. Safe for any number of tasks of one event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lanes: dict[str, _Lane] = {"": _Lane()}

    def _lane(self, name: str) -> _Lane:
        return self._lanes.setdefault(name, _Lane())

    def expect(self, limits: Iterable[Limit]) -> None:
        """Keep within `limits` too. Of two figures for the same window the smaller one holds."""
        for limit in limits:
            lane = self._lane(limit.name)
            for window in lane.windows:
                if window.window_s == limit.window_s:
                    window.limit = min(window.limit, limit.per_window)
                    break
            else:
                lane.windows.append(_Window(limit.per_window, limit.window_s))

    def learn(self, hints: Iterable[BudgetHint]) -> None:
        """Correct the windows by what the vendor's headers say; its figures win."""
        now = self._clock.monotonic()
        for hint in hints:
            lane = self._lane(hint.lane)
            windows = [w for w in lane.windows if hint.window_s in (None, w.window_s)]
            if not windows and hint.limit and hint.window_s:
                windows = [_Window(hint.limit, hint.window_s)]
                lane.windows.extend(windows)
            for window in windows:
                window.learn(hint, now)

    def pause(self, lane: str, delay_s: float) -> None:
        """Let nothing through in `lane` for `delay_s` seconds; a longer pause stays."""
        target = self._lane(lane)
        target.paused_until = max(target.paused_until, self._clock.monotonic() + delay_s)

    def shares(self) -> list[Share]:
        """What is left of each limit that is known, by its name and length."""
        now = self._clock.monotonic()
        return [
            window.share(name, now)
            for name, lane in sorted(self._lanes.items())
            for window in lane.windows
        ]

    def pauses(self) -> dict[str, float]:
        """The lanes in which nothing may go now, and for how many seconds more."""
        now = self._clock.monotonic()
        left = {name: lane.paused_until - now for name, lane in sorted(self._lanes.items())}
        return {name: wait_s for name, wait_s in left.items() if wait_s > _ROUNDING}

    async def take(self, lane: str, cost: float, *, patience_s: float, who: str) -> float:
        """Wait until a request of `cost` may go, take it, and return the seconds waited.

        First come, first served; only the first in line sleeps, so a pause ends with one request
        and not with a crowd. RateLimited, not sent, when the wait is longer than `patience_s`.
        """
        begun = self._clock.monotonic()
        whole = self._lane("")
        if lane == "":
            async with whole.line:
                await self._until_free(whole, cost, "", patience_s, who)
                whole.take(cost, self._clock.monotonic())
            return self._clock.monotonic() - begun
        own = self._lane(lane)
        async with own.line:
            while True:
                await self._until_free(own, cost, lane, patience_s, who)
                async with whole.line:
                    await self._until_free(whole, 1.0, "", patience_s, who)
                    now = self._clock.monotonic()
                    if own.wait_s(cost, now) <= 0:
                        own.take(cost, now)
                        whole.take(1.0, now)
                        return now - begun

    async def _until_free(
        self, lane: _Lane, cost: float, name: str, patience_s: float, who: str
    ) -> None:
        while (wait_s := lane.wait_s(cost, self._clock.monotonic())) > 0:
            if wait_s > patience_s:
                raise _spent(who, name, wait_s)
            await self._clock.sleep(wait_s)


def _spent(who: str, lane: str, wait_s: float) -> RateLimited:
    part = f" for {lane!r}" if lane else ""
    error = RateLimited(
        f"{who}: the request limit{part} is spent for another {wait_s:.0f} s.",
        hint="Try again after that.",
        retry_after_s=wait_s,
        lane=lane,
    )
    error.sent = False
    return error
