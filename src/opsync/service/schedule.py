"""Schedule: when an instance is to be read next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from opsync.config import Config
from opsync.runtime import Runtime

LATEST = timedelta(minutes=15)
"""However often it failed, an instance is tried again after so long, or after its interval."""


@dataclass
class Turns:
    """One instance's turns: when the next one is due, and what came of the last."""

    every: timedelta
    due_at: datetime
    failures: int = 0
    read_at: datetime | None = None
    """When it was last tried."""
    trouble: str = ""
    """Why the last one failed; "" if it did not."""


@dataclass
class Schedule:
    """By instance its turns. The times are those of this process's clock; one that jumps puts
    nothing off for longer than an interval."""

    runtime: Runtime
    jitter: float = 0.1
    turns: dict[str, Turns] = field(default_factory=dict)

    def begin(self, every: Mapping[str, timedelta]) -> None:
        """Have all of these read at once."""
        now = self.runtime.clock.now()
        self.turns = {name: Turns(span, now) for name, span in every.items()}

    def wait_s(self, name: str) -> float:
        """How many seconds there are until an instance is due."""
        one = self.turns[name]
        left = one.due_at - self.runtime.clock.now()
        return max(0.0, min(left, max(one.every, LATEST) * 2).total_seconds())

    def hasten(self, name: str) -> None:
        """Have it read now."""
        self.turns[name].due_at = self.runtime.clock.now()

    def is_steady(self, name: str) -> bool:
        """Whether the last turn was here, and went well: what the next one finds is new since."""
        one = self.turns[name]
        return one.read_at is not None and not one.trouble

    def took(self, name: str, trouble: str) -> None:
        """A turn is over; after one that failed the next comes later and later."""
        one, now = self.turns[name], self.runtime.clock.now()
        one.read_at, one.trouble = now, trouble
        one.failures = one.failures + 1 if trouble else 0
        span = one.every
        if one.failures > 1:
            span = max(one.every, min(one.every * 2 ** min(one.failures - 1, 8), LATEST))
        spread = 1 + self.runtime.rng.uniform(-self.jitter, self.jitter)
        one.due_at = now + span * spread


def spans(config: Config) -> Mapping[str, timedelta]:
    """By instance how often it is to be read."""
    connectors = config.plugins.connectors
    return {
        name: one.settings.every or connectors[one.connector].every
        for name, one in config.instances.items()
    }
