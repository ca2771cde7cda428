"""When to try again, how long to wait before, and when to leave a vendor alone."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from opsync.errors import TemporaryError

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
"""Own back-off: 1 s doubling to 60 s, of which a random part is waited (AWS: "full jitter")."""

RETRY_TOKENS = 10.0
RETRY_REFUND = 0.05
"""Retries beyond the first ten are at most a twentieth of the answered requests, so that from 200
requests on all of them are at most a tenth (Google's SRE book), however the failures fall."""

TRY_LATER = "It mostly passes by itself: try again in a few minutes."
"""The next step after what the vendor could not do now; holds for a pass and for `doctor`."""

BREAKER_FAILURES = 5
BREAKER_COOL_DOWN_S = 30.0
BREAKER_LONGEST_S = 300.0


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After asks for (RFC 9110, 10.2.3: seconds or a date), or None.

    A date that has passed is 0.0; what is neither is None, and the caller's own back-off holds.
    """
    text = (value or "").strip()
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        return seconds if math.isfinite(seconds) and seconds >= 0 else None
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def back_off(attempt: int, rng: random.Random) -> float:
    """Seconds to wait after the `attempt`-th try (from 1): a random part of a doubling span."""
    return rng.uniform(0.0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempt - 1)))


@dataclass
class RetryBudget:
    """Keeps retries few where failing goes on, and lets single hiccups be retried.

    `down` says that a request failed in all its tries and none was answered since: that is an
    outage, in which no request is tried twice.
    """

    tokens: float = RETRY_TOKENS
    down: bool = False

    def earn(self) -> None:
        """A request was answered."""
        self.tokens = min(RETRY_TOKENS, self.tokens + RETRY_REFUND)
        self.down = False

    def spend(self) -> bool:
        """Take the leave to retry once; False when there is none."""
        if self.down or self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True

    def give_up(self) -> None:
        """A request failed in all its tries."""
        self.down = True


@dataclass
class Breaker:
    """Leaves a vendor alone that failed some times in a row, but for one probe after a while."""

    monotonic: Callable[[], float]
    _failures: int = 0
    _open_until: float | None = None
    _cool_down_s: float = field(default=BREAKER_COOL_DOWN_S)
    _probing: bool = False

    @property
    def is_open(self) -> bool:
        """True while requests fail at once."""
        return self._open_until is not None and (
            self._probing or self.monotonic() < self._open_until
        )

    def enter(self, who: str) -> None:
        """Before a request; TemporaryError (not sent) while the breaker is open."""
        if self.is_open:
            raise TemporaryError(
                f"{who} failed {self._failures} times in a row and is left alone for now.",
                hint=TRY_LATER,
                sent=False,
            )
        self._probing = self._open_until is not None

    def succeed(self) -> None:
        """The vendor answered, be it with a refusal."""
        self._failures, self._open_until, self._probing = 0, None, False
        self._cool_down_s = BREAKER_COOL_DOWN_S

    def fail(self) -> None:
        """The vendor could not be reached or could not answer."""
        self._failures += 1
        if self._probing:
            self._cool_down_s = min(BREAKER_LONGEST_S, 2 * self._cool_down_s)
        if self._probing or (self._failures >= BREAKER_FAILURES and self._open_until is None):
            self._open_until = self.monotonic() + self._cool_down_s
        self._probing = False

    def abandon(self) -> None:
        """Nobody waited for the outcome: the next request is the probe."""
        self._probing = False
