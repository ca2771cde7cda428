"""A clock that a test turns by hand, or that jumps over every sleep."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class FakeClock:
    """Virtual time: sleeping takes none, and `slept` tells what was asked for.

    Sleepers wake in the order of their times: whoever sleeps yields until all that is due before
    it has run. `now()` and `monotonic()` move together.
    """

    def __init__(self, start: datetime = START) -> None:
        self.start = start
        self.elapsed_s = 0.0
        self.slept: list[float] = []
        self._due: list[float] = []

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.elapsed_s)

    def monotonic(self) -> float:
        return 1000.0 + self.elapsed_s

    def advance(self, delay_s: float) -> None:
        """Let `delay_s` seconds pass at once."""
        self.elapsed_s += delay_s

    async def sleep(self, delay_s: float) -> None:
        self.slept.append(delay_s)
        wake_at = self.elapsed_s + max(0.0, delay_s)
        self._due.append(wake_at)
        try:
            await asyncio.sleep(0)
            while min(self._due) < wake_at:  # noqa: ASYNC110 - no event tells when all are idle
                await asyncio.sleep(0)
        finally:
            self._due.remove(wake_at)
        self.elapsed_s = max(self.elapsed_s, wake_at)
