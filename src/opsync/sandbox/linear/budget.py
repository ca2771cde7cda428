"""Linear's two budgets: requests and complexity points, each a bucket that refills steadily."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

REQUESTS_PER_HOUR = 2_500
POINTS_PER_HOUR = 3_000_000
POINTS_PER_QUERY = 10_000
"""What an API key may spend (linear.app/developers/rate-limiting). The factor spares the last."""
WINDOW_S = 3600.0


@dataclass
class LeakyBudget:
    """`limit` units an hour; a burst may take all of them, they come back evenly."""

    limit: int
    now: Callable[[], datetime]
    _left: float = field(init=False)
    _as_of: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._as_of = float(self.limit), self.now()

    def _refill(self) -> None:
        now = self.now()
        passed = max(0.0, (now - self._as_of).total_seconds())
        self._left = min(self.limit, self._left + passed * self.limit / WINDOW_S)
        self._as_of = now

    def fits(self, amount: int) -> bool:
        """Whether `amount` can be taken now."""
        self._refill()
        return self._left >= amount

    def take(self, amount: int) -> None:
        """Spend `amount`."""
        self._refill()
        self._left -= amount

    @property
    def remaining(self) -> int:
        """Whole units that are left now."""
        self._refill()
        return max(0, int(self._left))

    @property
    def reset_at(self) -> datetime:
        """When the bucket will be full again, if nobody takes from it."""
        self._refill()
        missing = self.limit - self._left
        return self._as_of + timedelta(seconds=missing * WINDOW_S / self.limit)


def epoch_ms(at: datetime) -> int:
    """Milliseconds since 1970, as Linear's Reset headers have them."""
    return round(at.timestamp() * 1000)
