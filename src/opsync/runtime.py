"""Time, randomness and identifiers, injected everywhere so that a pass can be replayed.

Nothing else in opsync calls the system's clock, sleeps, or draws random numbers.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The passing of time as opsync sees it."""

    def now(self) -> datetime:
        """The wall clock, as an aware UTC datetime."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for measuring spans."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Let `delay_s` seconds pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


def new_id() -> str:
    """A fresh random identifier: 32 hexadecimal characters."""
    return uuid.uuid4().hex


def new_secret() -> bytes:
    """32 bytes that nobody can guess, for what must not be forged while the process lives."""
    return secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a pass needs from outside that is not a vendor or the store."""

    clock: Clock = field(default_factory=SystemClock)
    rng: random.Random = field(default_factory=random.Random)
