"""What was measured, day by day, and since when initiatives are done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from opsync.adoption import Sighting
from opsync.model import Metric, Reading, Ref, Span
from opsync.model.metric import Trouble
from opsync.store.base import Part
from opsync.store.codec import (
    chunks,
    encode_json,
    maybe_text,
    maybe_time,
    texts,
    to_ref,
    to_text,
    to_time,
)
from opsync.store.runs import touch
from opsync.store.schema import metric_days, metrics, sightings
from opsync.store.types import Measured


class _Body(Struct, frozen=True, omit_defaults=True):
    """What a metric's row holds besides its days; spans are their text form."""

    asked_from: date | None = None
    windows: dict[str, float] = {}
    title: str = ""
    trouble: Trouble = ""
    message: str = ""
    nearest: tuple[str, ...] = ()


_decode = msgspec.json.Decoder(_Body).decode


class Metrics(Part):
    """Keeping what was measured."""

    async def measured(self, instance: str | None = None) -> dict[Metric, Measured]:
        """What is known of each metric that was read, without its days."""
        query = select(metrics).order_by(metrics.c.metric)
        if instance is not None:
            query = query.where(metrics.c.instance == instance)
        return await self._read(
            lambda c: {one.metric: one for one in map(_measured, c.execute(query))}
        )

    async def metric_days(self, wanted: Iterable[Metric]) -> dict[Metric, dict[date, float]]:
        """The days of these metrics that are not zero."""
        named = {str(metric): metric for metric in wanted}
        return await self._read(lambda c: _days(c, named))

    async def put_readings(
        self,
        run: int,
        readings: Sequence[Reading],
        *,
        asked: Span,
        at: datetime,
        retry_at: datetime,
        used_by: Mapping[Metric, Sequence[Ref]],
    ) -> None:
        """Keep what was read, in one transaction; the roots that use it are looked at again.

        Days within a reading's span replace what was known of them; others stay where the span
        joins on to them. A metric in trouble keeps its days. Like one that ends before `asked`
        does, it may be asked for again at `retry_at`.
        """
        if not readings:
            return

        def work(connection: Connection) -> None:
            for reading in readings:
                _put(connection, reading, asked, at, retry_at)
            touch(connection, run, {ref for one in readings for ref in used_by[one.metric]})

        await self._write(work)

    async def touch_roots(self, run: int, refs: Iterable[Ref]) -> None:
        """Have these roots looked at again in this run, although no record of theirs changed."""
        wanted = set(refs)
        if wanted:
            await self._write(lambda c: touch(c, run, wanted))

    async def forget_metrics(self, gone: Iterable[Metric]) -> None:
        """Forget all that is known of these metrics."""
        names = sorted(map(str, gone))

        def work(connection: Connection) -> None:
            for part in chunks(names):
                for table in (metric_days, metrics):
                    connection.execute(delete(table).where(table.c.metric.in_(part)))

        if names:
            await self._write(work)

    async def sightings(self, roots: Sequence[Ref]) -> dict[Ref, Sighting]:
        """Since when these roots are done, as far as it was looked at."""

        def work(connection: Connection) -> dict[Ref, Sighting]:
            found = {}
            for part in chunks(texts(roots)):
                for row in connection.execute(select(sightings).where(sightings.c.root.in_(part))):
                    since = None if row.since is None else date.fromisoformat(row.since)
                    found[to_ref(row.root)] = Sighting(bool(row.done), since)
            return found

        return await self._read(work)

    async def put_sightings(self, seen: Mapping[Ref, Sighting]) -> None:
        """Remember these."""
        if not seen:
            return

        def work(connection: Connection) -> None:
            for root, one in seen.items():
                since = None if one.since is None else one.since.isoformat()
                values = {"done": int(one.done), "since": since}
                connection.execute(
                    upsert(sightings)
                    .values(root=str(root), **values)
                    .on_conflict_do_update(index_elements=["root"], set_=values)
                )

        await self._write(work)

    async def forget_open(self, looked_at: Collection[Ref]) -> None:
        """Forget of all others that they were not done: nobody looks when they will be."""
        query = select(sightings.c.root).where(sightings.c.done == 0)
        kept = set(map(str, looked_at))

        def work(connection: Connection) -> None:
            for part in chunks(gone):
                connection.execute(delete(sightings).where(sightings.c.root.in_(part)))

        known = await self._read(lambda c: c.execute(query).scalars().all())
        if gone := [root for root in known if root not in kept]:
            await self._write(work)


def _measured(row: Row[tuple[object, ...]]) -> Measured:
    body = _decode(row.body)
    known = None
    if row.first is not None and row.through is not None:
        known = _span(f"{row.first}/{row.through}")
    return Measured(
        metric=Metric.parse(row.metric),
        known=known,
        asked_from=body.asked_from,
        windows={_span(text): value for text, value in body.windows.items()},
        title=body.title,
        trouble=body.trouble,
        message=body.message,
        nearest=body.nearest,
        read_at=to_time(row.read_at),
        retry_at=maybe_time(row.retry_at),
    )


def _span(text: str) -> Span:
    first, last = text.split("/")
    return Span(date.fromisoformat(first), date.fromisoformat(last))


def _days(connection: Connection, named: Mapping[str, Metric]) -> dict[Metric, dict[date, float]]:
    found: dict[Metric, dict[date, float]] = {metric: {} for metric in named.values()}
    for part in chunks(named):
        query = select(metric_days).where(metric_days.c.metric.in_(part))
        for name, day, value in connection.execute(query):
            found[named[name]][date.fromisoformat(day)] = value
    return found


def _put(
    connection: Connection, reading: Reading, asked: Span, at: datetime, retry_at: datetime
) -> None:
    name, span = str(reading.metric), reading.span
    row = connection.execute(select(metrics).where(metrics.c.metric == name)).one_or_none()
    before = None if row is None else _measured(row)
    known = before.known if before is not None else None
    asked_from = before.asked_from if before is not None else None
    waits = bool(reading.trouble)
    if span is not None and not reading.trouble:
        waits = span.last < asked.last
        joined = joined_with(known, span)
        lost = known is not None and not joined.covers(known)
        asked_from = asked.first if lost or asked_from is None else min(asked_from, asked.first)
        known = joined
        _put_days(connection, name, reading, span, lost=lost)
    body = _Body(
        asked_from,
        {str(window): value for window, value in sorted(reading.windows.items())},
        reading.title,
        reading.trouble,
        reading.message,
        reading.nearest,
    )
    values = {
        "instance": reading.metric.instance,
        "first": None if known is None else known.first.isoformat(),
        "through": None if known is None else known.last.isoformat(),
        "read_at": to_text(at),
        "retry_at": maybe_text(retry_at if waits else None),
        "body": encode_json(body),
    }
    connection.execute(
        upsert(metrics)
        .values(metric=name, **values)
        .on_conflict_do_update(index_elements=["metric"], set_=values)
    )


def _put_days(
    connection: Connection, name: str, reading: Reading, span: Span, *, lost: bool
) -> None:
    """Replace the days of `span`, or all there are where the others do not join on to it."""
    old = delete(metric_days).where(metric_days.c.metric == name)
    if not lost:
        old = old.where(metric_days.c.day.between(span.first.isoformat(), span.last.isoformat()))
    connection.execute(old)
    rows = [
        (name, day.isoformat(), float(value))
        for day, value in sorted(reading.days.items())
        if value and span.first <= day <= span.last
    ]
    if rows:
        connection.exec_driver_sql(
            "INSERT INTO metric_days (metric, day, value) VALUES (?, ?, ?)", rows
        )


def joined_with(known: Span | None, read: Span) -> Span:
    """All that is known after `read`: both where they touch, else the later read alone."""
    if known is None:
        return read
    apart = (read.first - known.last).days > 1 or (known.first - read.last).days > 1
    return read if apart else Span(min(known.first, read.first), max(known.last, read.last))
