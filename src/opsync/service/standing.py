"""How the service stands, in numbers: what `/metrics` shows besides what it counts itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Protocol

from opsync.config import Config
from opsync.engine.freshness import read_at
from opsync.engine.overview import proposing
from opsync.store import Store


@dataclass(frozen=True, slots=True)
class ConnectionStanding:
    """One connection: when it was last read to its end, when its token and its webhook end. None:
    never, or not known."""

    name: str
    read_at: datetime | None = None
    token_ends: datetime | None = None
    webhook_ends: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All of it at one time. `waiting` counts values by why they wait, `aside` by connection what
    could not be read or written, `queued` the change signals that no pass has taken up yet,
    `deliveries` those that came so far by what became of them."""

    at: datetime
    connections: Sequence[ConnectionStanding] = ()
    waiting: Mapping[str, int] = field(default_factory=dict)
    aside: Mapping[str, int] = field(default_factory=dict)
    store_bytes: int = 0
    queued: int = 0
    deliveries: Mapping[str, int] = field(default_factory=dict)
    ready: bool = True


class Stands(Protocol):
    """Whoever knows how the service stands."""

    async def standing(self) -> Standing:
        """As of now. Raises StoreError where the store cannot be read."""
        ...


async def standing_of(
    config: Config,
    store: Store,
    now: datetime,
    *,
    ready: bool,
    queued: int = 0,
    deliveries: Mapping[str, int] | None = None,
    webhooks: Mapping[str, datetime] | None = None,
) -> Standing:
    """What the store knows, with what only the running service does: `webhooks` by connection when
    its registration ends."""
    cursors = await store.cursors()
    aside = await store.aside_counts()
    ends = webhooks or {}
    return Standing(
        at=now,
        connections=[
            ConnectionStanding(
                name,
                read_at(one for one in cursors if one.instance == name),
                _end_of(instance.settings.token_expires, config),
                ends.get(name),
            )
            for name, instance in config.instances.items()
        ],
        waiting=await store.waiting(await proposing(config, store)),
        aside={name: one.items + one.writes for name, one in aside.items()},
        store_bytes=size_of(store.path),
        queued=queued,
        deliveries=dict(deliveries or {}),
        ready=ready,
    )


def size_of(path: Path) -> int:
    """The bytes of a store, with its log."""
    size = 0
    for file in (path, Path(f"{path}-wal")):
        with suppress(OSError):
            size += file.stat().st_size
    return size


def _end_of(day: date | None, config: Config) -> datetime | None:
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=1), time(), config.zone)
