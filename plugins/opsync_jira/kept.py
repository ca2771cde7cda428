"""What a site is asked for once a day, kept with its time."""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import datetime, timedelta

from opsync import Value

KEPT_FOR = timedelta(hours=24)


def keep(kept: MutableMapping[str, Value], name: str, now: datetime, value: Value) -> None:
    """Keep `value` as asked for now."""
    kept[name] = {"at": now.isoformat(), "value": value}


def fresh(kept: MutableMapping[str, Value], name: str, now: datetime) -> Value:
    """What was kept within the last day; None for nothing, or nothing that can be read."""
    known = kept.get(name)
    at = known.get("at") if isinstance(known, dict) else None
    if not isinstance(known, dict) or not isinstance(at, str):
        return None
    try:
        age = now - datetime.fromisoformat(at)
    except (ValueError, TypeError):
        return None
    return known.get("value") if timedelta(0) <= age < KEPT_FOR else None
