"""What is gone: records of a feed that a whole walk of it did not show."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from opsync.model import Ref
from opsync.store.base import Part
from opsync.store.codec import chunks, decode_record, encode_body, marked
from opsync.store.types import WalkResult

# Of the walk only: it lives with the connection and is lost with the process, as the walk is.
_TABLE = """
CREATE TEMP TABLE IF NOT EXISTS walk (
    instance TEXT NOT NULL, feed TEXT NOT NULL, ref TEXT NOT NULL,
    PRIMARY KEY (instance, feed, ref)) WITHOUT ROWID
"""
# What could not be read in the walk was nevertheless there, and seen. Of what an older opsync set
# aside it is not known which feed brought it: that counts as seen.
_VANISHED = """
FROM records r WHERE r.instance = ? AND r.feed = ? AND r.tombstone = ''
AND NOT EXISTS (SELECT 1 FROM walk w
                WHERE w.instance = r.instance AND w.feed = r.feed AND w.ref = r.ref)
AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.ref = r.ref AND q.feed = '')
"""
_NOT_ASIDE = """
DELETE FROM quarantine WHERE feed = ? AND substr(ref, 1, length(?) + 1) = ? || ':'
AND NOT EXISTS (SELECT 1 FROM walk w
                WHERE w.instance = ? AND w.feed = quarantine.feed AND w.ref = quarantine.ref)
"""
_KNOWN = "SELECT count(*) FROM records WHERE instance = ? AND feed = ? AND tombstone = ''"
_LIVING = "SELECT ref FROM records WHERE instance = ? AND feed = ? AND tombstone = ''"
_RETIRE = "DELETE FROM cursors WHERE instance = ? AND feed = ?"
_BODIES = "SELECT ref, body FROM records WHERE ref IN (*)"


class Walks(Part):
    """Finding what vanished."""

    async def known(self, instance: str, feed: str) -> int:
        """How many living records a feed has brought so far."""
        return await self._read(
            lambda c: int(c.exec_driver_sql(_KNOWN, (instance, feed)).scalar_one())
        )

    async def begin_walk(self, instance: str, feed: str) -> None:
        """Forget what an earlier walk that did not finish has shown."""
        await self._write(lambda c: _forget(c, instance, feed))

    async def walk_seen(self, instance: str, feed: str, refs: Sequence[Ref]) -> None:
        """The walk of this feed showed these."""
        rows = [(instance, feed, str(ref)) for ref in refs]

        def work(connection: Connection) -> None:
            connection.exec_driver_sql(_TABLE)
            if rows:
                connection.exec_driver_sql("INSERT OR IGNORE INTO walk VALUES (?, ?, ?)", rows)

        await self._write(work)

    async def finish_walk(
        self, run: int, instance: str, feed: str, *, limit: float = 0.2, floor: int = 10
    ) -> WalkResult:
        """The walk is complete: what it did not show is gone ("missing").

        Refused, with nothing changed, when it showed nothing although records are known, or when
        more than `floor` records and more than the share `limit` of them would be gone.
        """
        return await self._write(lambda c: _finish(c, run, instance, feed, limit, floor))

    async def retire_feed(self, run: int, instance: str, feed: str) -> int:
        """A feed is not read any more: what it brought is gone, and its cursor is forgotten.

        Returns how many records that were."""

        def work(connection: Connection) -> int:
            rows = connection.exec_driver_sql(_LIVING, (instance, feed)).scalars().all()
            for part in chunks(rows):
                _bury(connection, run, part)
            connection.exec_driver_sql(_RETIRE, (instance, feed))
            return len(rows)

        return await self._write(work)


def _forget(connection: Connection, instance: str, feed: str) -> None:
    connection.exec_driver_sql(_TABLE)
    connection.exec_driver_sql("DELETE FROM walk WHERE instance = ? AND feed = ?", (instance, feed))


def _finish(
    connection: Connection, run: int, instance: str, feed: str, limit: float, floor: int
) -> WalkResult:
    connection.exec_driver_sql(_TABLE)
    seen = connection.exec_driver_sql(
        "SELECT count(*) FROM walk WHERE instance = ? AND feed = ?", (instance, feed)
    ).scalar_one()
    known = int(connection.exec_driver_sql(_KNOWN, (instance, feed)).scalar_one())
    missing = [
        str(row[0])
        for row in connection.exec_driver_sql(
            f"SELECT r.ref {_VANISHED} ORDER BY r.ref",
            (instance, feed),
        )
    ]
    refused = bool(known) and (not seen or len(missing) > max(floor, limit * known))
    if not refused:
        connection.exec_driver_sql(_NOT_ASIDE, (feed, instance, instance, instance))
    _forget(connection, instance, feed)
    if not refused:
        for part in chunks(missing):
            _bury(connection, run, part)
    return WalkResult(len(missing), known, refused)


def _bury(connection: Connection, run: int, refs: list[str]) -> None:
    rows = connection.exec_driver_sql(marked(_BODIES, refs), tuple(refs)).all()
    connection.exec_driver_sql(
        # Without a hash the record counts as changed when it comes back.
        "UPDATE records SET tombstone = 'missing', hash = '', changed_in = ?, body = ?"
        " WHERE ref = ?",
        [
            (
                run,
                encode_body(msgspec.structs.replace(decode_record(body), tombstone="missing")),
                ref,
            )
            for ref, body in rows
        ],
    )
