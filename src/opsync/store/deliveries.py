"""Which deliveries of change signals arrived, and what is still to be read because of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, select, update

from opsync.store.base import Part
from opsync.store.codec import encode_json, to_ref, to_text
from opsync.store.schema import deliveries
from opsync.store.types import Arrived, Unread

KEPT = timedelta(days=7)
"""How long a delivery is known again: longer than any vendor goes on delivering it."""
FORGOTTEN = 1_000
"""So many old ones at most are forgotten in one transaction, which must stay short."""

# Whether the id is known or the body: either way it is the same delivery once more.
_PUT = """
INSERT INTO deliveries (instance, id, digest, at, refs, whole, done) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
"""
_FORGET = """
DELETE FROM deliveries WHERE seq IN (SELECT seq FROM deliveries WHERE at < ? ORDER BY at LIMIT ?)
"""
_NOTHING = encode_json(())

_decode = msgspec.json.Decoder(tuple[str, ...]).decode


class Deliveries(Part):
    """Keeping deliveries: what was answered as arrived outlives a kill, and counts once."""

    async def put_deliveries(self, batch: Sequence[Arrived]) -> list[int]:
        """Keep these in one transaction; those of over `KEPT` ago are forgotten.

        Answers for each its number, which grows, or 0 for one that is known by its id or its body.
        """
        now = self._clock.now()
        return await self._write(lambda c: _put(c, batch, now))

    async def deliveries_read(self, instance: str, through: int) -> int:
        """Note that what an instance's deliveries up to this number name was read; how many."""
        query = (
            update(deliveries)
            .where(
                deliveries.c.done == 0,
                deliveries.c.instance == instance,
                deliveries.c.seq <= through,
            )
            .values(done=1, refs=_NOTHING)
        )
        return await self._write(lambda c: c.execute(query).rowcount)

    async def deliveries_unread(self, most: int) -> list[Unread]:
        """By instance what is named and was not read yet; over `most` refs are told as whole."""
        return await self._read(lambda c: _unread(c, most))


def _put(connection: Connection, batch: Sequence[Arrived], now: datetime) -> list[int]:
    at = to_text(now)
    numbers = []
    for one in batch:
        refs = encode_json([str(ref) for ref in one.refs])
        done = int(not one.refs and not one.whole)
        values = (one.instance, one.id, one.digest, at, refs, int(one.whole), done)
        put = connection.exec_driver_sql(_PUT, values)
        numbers.append(put.lastrowid if put.rowcount else 0)
    # After the new ones: were none left in between, numbers would begin anew.
    connection.exec_driver_sql(_FORGET, (to_text(now - KEPT), FORGOTTEN))
    return numbers


def _unread(connection: Connection, most: int) -> list[Unread]:
    columns = (deliveries.c.seq, deliveries.c.instance, deliveries.c.refs, deliveries.c.whole)
    query = (
        select(*columns)
        .where(deliveries.c.done == 0)
        .order_by(deliveries.c.instance, deliveries.c.seq)
    )
    refs: dict[str, dict[str, None]] = {}
    whole: set[str] = set()
    through: dict[str, int] = {}
    for row in connection.execute(query):
        found = refs.setdefault(row.instance, {})
        through[row.instance] = row.seq
        if row.instance in whole:
            continue
        found.update(dict.fromkeys(_decode(row.refs)))
        if row.whole or len(found) > most:
            whole.add(row.instance)
    return [
        Unread(
            instance=instance,
            refs=tuple(map(to_ref, found)) if len(found) <= most else (),
            whole=instance in whole,
            through=through[instance],
        )
        for instance, found in refs.items()
    ]
