"""When what was set aside is tried again: unreadable items, and changes that a tool refused."""

from __future__ import annotations

from datetime import timedelta

WAITS = (
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
    timedelta(days=1),
)
"""How long to wait after each try in vain; from the last on, always so long. What a person mends
is soon found mended, and what nobody mends costs a request a day."""

RETRIES = 20
"""So many items of each connection, and so many targets of refused changes in all, are tried again
in one run, however many are due: the others wait for the next run."""


def wait_after(tries: int) -> timedelta:
    """How long to wait after a try in vain that had this many before it."""
    return WAITS[min(tries, len(WAITS) - 1)]
