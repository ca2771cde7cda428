"""Connectors by themselves: made without a pass, and read with a few words."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import httpx

from opsync.contract.connector import Batch, Connector, Context, Measurable, Writable
from opsync.http import Pool
from opsync.model import Change, Metric, Outcome, Reading, Record, Span, Value
from opsync.runtime import Runtime
from tests.support.clock import FakeClock

C = TypeVar("C", bound=Connector[Any])


class Connections:
    """Makes connectors on virtual time. `close` ends what they hold open."""

    def __init__(self, clock: FakeClock) -> None:
        self._runtime = Runtime(clock=clock, rng=random.Random(7))
        self._pools: list[Pool] = []

    def connect(
        self,
        type_: type[C],
        instance: str,
        settings: Any,
        transport: httpx.AsyncBaseTransport | None,
        kept: dict[str, Value] | None = None,
    ) -> C:
        """A connector as a new pass has it; `kept` is its memory between passes."""
        pool = Pool(self._runtime, transport=transport)
        self._pools.append(pool)
        client = pool.client(type_.policy(instance, settings))
        memory = {} if kept is None else kept
        return type_(settings, Context(instance, client, self._runtime, memory))

    async def close(self) -> None:
        for pool in self._pools:
            await pool.aclose()


async def pull(connector: Any, since: datetime | None = None) -> list[Batch]:
    """All batches of one walk over all feeds."""
    feeds = await connector.feeds()
    return [batch for feed in feeds async for batch in connector.pull(feed, since)]


async def read(connector: Any, since: datetime | None = None) -> dict[str, Record]:
    """All records of one walk, by key, or by title where they have none."""
    records = [
        record
        for batch in await pull(connector, since)
        for item in batch.items
        for record in connector.normalize(item.stream, item.raw)
    ]
    return {record.key or record.title: record for record in records}


async def readings_of(
    connector: Measurable, metrics: Sequence[Metric], days: Span, windows: Sequence[Span] = ()
) -> dict[Metric, Reading]:
    """All readings by metric: exactly one each."""
    readings = [one async for one in connector.measure(metrics, days, windows)]
    assert sorted(one.metric for one in readings) == sorted(set(metrics))
    return {one.metric: one for one in readings}


async def outcomes_of(
    connector: Writable, target: Record, changes: Sequence[Change]
) -> list[Outcome]:
    """Write the changes of one target in one call: exactly one outcome each, in their order."""
    outcomes = [one async for one in connector.apply(changes, {target.ref: target})]
    assert [one.change for one in outcomes] == [one.id for one in changes]
    return outcomes
