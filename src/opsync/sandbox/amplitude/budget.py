"""Amplitude's budget, which counts what a query costs and not how many there are.

https://amplitude.com/docs/apis/analytics/dashboard-rest (Endpoint costs)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

COST_PER_WINDOW, WINDOW_S = 1_000, 300.0
COST_PER_HOUR, HOUR_S = 108_000, 3600.0
CONCURRENT = 5


@dataclass
class CostBudget:
    """At most `limit` of cost within the last `window_s` seconds."""

    limit: int
    window_s: float
    now: Callable[[], datetime]
    _taken: deque[tuple[datetime, float]] = field(default_factory=deque)

    def take(self, cost: float) -> bool:
        """Take `cost`; False, and nothing is taken, where it does not fit."""
        now = self.now()
        while self._taken and (now - self._taken[0][0]).total_seconds() >= self.window_s:
            self._taken.popleft()
        if self.taken + cost > self.limit:
            return False
        self._taken.append((now, cost))
        return True

    @property
    def taken(self) -> float:
        """What was taken lately."""
        return sum(cost for _, cost in self._taken)
