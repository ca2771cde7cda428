"""What a client holds back of, kept for the next pass: a new process must not begin afresh.

Without it, a pass that is started every minute would retry into an outage every minute, and ask
again within a pause of a day.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from opsync.http.limits import Budget
from opsync.http.retry import RETRY_TOKENS, RetryBudget
from opsync.model import Value

LONGEST_PAUSE_S = 86_400.0
"""A pause is remembered for a day at most, whatever the vendor said."""


class Pause(Struct, frozen=True):
    """Nothing may go until `until`, by this machine's clock, which is `length_s` seconds away."""

    until: datetime
    length_s: float


class Restraint(Struct, frozen=True):
    """The state of one instance's retries, and the pauses of its credential by lane."""

    credential: str
    retries: float = RETRY_TOKENS
    down: bool = False
    pauses: dict[str, Pause] = {}


def restraint_of(credential: str, retries: RetryBudget, budget: Budget, now: datetime) -> Value:
    """What is to be kept, as JSON has it; None where there is nothing to hold back of."""
    pauses = {}
    for lane, left_s in budget.pauses().items():
        length_s = round(min(left_s, LONGEST_PAUSE_S), 3)
        pauses[lane] = Pause(now + timedelta(seconds=length_s), length_s)
    if retries.tokens >= RETRY_TOKENS and not retries.down and not pauses:
        return None
    kept: Value = msgspec.to_builtins(
        Restraint(credential, round(retries.tokens, 2), retries.down, pauses)
    )
    return kept


def restrain(
    kept: Value, credential: str, retries: RetryBudget, budget: Budget, now: datetime
) -> None:
    """Take up what `restraint_of` kept. What is of another credential says nothing of this one.

    A clock that was set back makes no pause longer than it was.
    """
    try:
        found = msgspec.convert(kept, Restraint)
    except msgspec.ValidationError:
        return
    if found.credential != credential:
        return
    retries.tokens = min(RETRY_TOKENS, max(0.0, found.retries))
    retries.down = found.down
    for lane, pause in found.pauses.items():
        left_s = min((pause.until - now).total_seconds(), pause.length_s, LONGEST_PAUSE_S)
        if left_s > 0:
            budget.pause(lane, left_s)
