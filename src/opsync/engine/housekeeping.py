"""Housekeeping: once a day the store forgets what is old and what nothing asks for any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from opsync.model.retention import Keep, Pruned
from opsync.steps.shared import OWN
from opsync.store import Store

EVERY = timedelta(days=1)

PRUNED_AT = "housekeeping:pruned-at"
"""When the store was pruned last."""


async def prune(store: Store, now: datetime, keep: Keep) -> Pruned | None:
    """Prune the store, if that was not done within a day; None where it was.

    Whoever calls it holds the store.
    """
    last = (await store.kept(OWN)).get(PRUNED_AT)
    if isinstance(last, str) and timedelta(0) <= now - datetime.fromisoformat(last) < EVERY:
        return None
    pruned = await store.prune(now, keep)
    await store.put_kept(OWN, {PRUNED_AT: now.isoformat()})
    return pruned
