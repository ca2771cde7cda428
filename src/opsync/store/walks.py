"""What is gone: records of a feed that a whole walk of it did not show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, text

from opsync.model import NOT_VISIBLE, Record, Ref
from opsync.store.base import Part, to_refs
from opsync.store.codec import chunks, decode_record, encode_body, marked
from opsync.store.runs import mark
from opsync.store.types import Vanished, WalkResult

ARCHIVED = "archived"

# Of the walk only: it lives with the connection and is lost with the process, as the walk is.
_TABLE = """
CREATE TEMP TABLE IF NOT EXISTS walk (
    instance TEXT NOT NULL, feed TEXT NOT NULL, ref TEXT NOT NULL,
    PRIMARY KEY (instance, feed, ref)) WITHOUT ROWID
"""
# What could not be read in the walk was nevertheless there, and seen. Of what an older opsync set
# aside it is not known which feed brought it: that counts as seen. What was archived is not listed
# by every tool.
_VANISHED = """
FROM records r WHERE r.instance = ? AND r.feed = ? AND r.tombstone = ''
AND NOT EXISTS (SELECT 1 FROM walk w
                WHERE w.instance = r.instance AND w.feed = r.feed AND w.ref = r.ref)
AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.ref = r.ref AND q.feed = '')
AND r.hash <> ''
"""
_UNLISTED = """
SELECT ref FROM records WHERE instance = ? AND feed = ? AND tombstone = '' AND hash = ''
ORDER BY ref
"""
_NOT_ASIDE = """
DELETE FROM quarantine WHERE feed = ? AND substr(ref, 1, length(?) + 1) = ? || ':'
AND NOT EXISTS (SELECT 1 FROM walk w
                WHERE w.instance = ? AND w.feed = quarantine.feed AND w.ref = quarantine.ref)
"""
# What is set aside and not shown, but for what is looked up anyway.
_ASIDE_UNSEEN = text("""
SELECT q.ref FROM quarantine q LEFT JOIN records r ON r.ref = q.ref
WHERE q.feed = :feed AND substr(q.ref, 1, length(:instance) + 1) = :instance || ':'
AND NOT EXISTS (SELECT 1 FROM walk w
                WHERE w.instance = :instance AND w.feed = q.feed AND w.ref = q.ref)
AND (r.ref IS NULL OR NOT (r.feed = q.feed AND r.tombstone IN ('', :hidden)
                           AND (r.hash <> '' OR r.tombstone <> '')))
ORDER BY q.ref LIMIT :most
""")
_ASIDE = """
FROM quarantine WHERE feed = ? AND substr(ref, 1, length(?) + 1) = ? || ':'
"""
_KNOWN = "SELECT count(*) FROM records WHERE instance = ? AND feed = ? AND tombstone = ''"
_LIVING = "SELECT ref FROM records WHERE instance = ? AND feed = ? AND tombstone = ''"
_RETIRE = "DELETE FROM cursors WHERE instance = ? AND feed = ?"
_FORGET_ASIDE = "DELETE FROM quarantine WHERE ref IN (*)"
_BODIES = "SELECT ref, body FROM records WHERE ref IN (*)"
# What a census has not shown: what counts as there, or is known not to be visible. What its tool
# archived without listing it any more stays as it is.
_LOST = """
FROM records r
WHERE r.instance = :instance AND r.feed = :feed AND r.tombstone IN ('', :hidden)
AND NOT EXISTS (SELECT 1 FROM walk w
                WHERE w.instance = r.instance AND w.feed = r.feed AND w.ref = r.ref)
AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.ref = r.ref AND q.feed = '')
AND (r.hash <> '' OR r.tombstone <> '')
"""
_LOST_COUNT = text(f"SELECT count(*) {_LOST} AND r.tombstone = ''")
_LOST_REFS = text(f"SELECT r.ref {_LOST} ORDER BY r.tombstone, r.ref LIMIT :most")
# What it has shown, and is not known, or was thought to be gone or archived.
_MET = """
SELECT w.ref FROM walk w LEFT JOIN records r ON r.ref = w.ref
WHERE w.instance = ? AND w.feed = ? AND (r.ref IS NULL OR r.tombstone <> '' OR r.hash = '')
AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.ref = w.ref)
ORDER BY w.ref LIMIT ?
"""


class Walks(Part):
    """Finding what vanished."""

    async def known(self, instance: str, feed: str) -> int:
        """How many living records a feed has brought so far."""
        return await self._read(
            lambda c: int(c.exec_driver_sql(_KNOWN, (instance, feed)).scalar_one())
        )

    async def has_any(self, instance: str, feed: str) -> bool:
        """Whether a feed has brought anything that still counts as there, or is set aside."""
        query = f"SELECT EXISTS ({_LIVING}) OR EXISTS (SELECT 1 {_ASIDE})"
        given = (instance, feed, feed, instance, instance)
        return await self._read(lambda c: bool(c.exec_driver_sql(query, given).scalar_one()))

    async def begin_walk(self, instance: str, feed: str) -> None:
        """Forget what an earlier walk that did not finish has shown."""
        await self._write(lambda c: _forget(c, instance, feed))

    async def walk_seen(self, instance: str, feed: str, refs: Sequence[Ref]) -> int:
        """The walk of this feed showed these. Returns how many of them it had not shown before."""
        rows = [(instance, feed, str(ref)) for ref in refs]

        def work(connection: Connection) -> int:
            connection.exec_driver_sql(_TABLE)
            if not rows:
                return 0
            before = _changes(connection)
            connection.exec_driver_sql("INSERT OR IGNORE INTO walk VALUES (?, ?, ?)", rows)
            return _changes(connection) - before

        return await self._write(work)

    async def vanished(self, instance: str, feed: str, most: int = 10_000) -> Vanished:
        """What the walk, now complete, did not show, and what it showed that is not known: at most
        so many of each."""
        return await self._write(lambda c: _vanished(c, instance, feed, most))

    async def unlisted(self, instance: str, feed: str) -> list[Ref]:
        """What counts as archived because its tool did not list it any more."""
        return await self._read(
            lambda c: to_refs(c.exec_driver_sql(_UNLISTED, (instance, feed)).scalars())
        )

    async def count_gone(self, run: int, why: Mapping[Ref, str]) -> None:
        """These are gone, by their tombstone; "archived" ones stay, and are archived. None of them
        is set aside any more."""

        def work(connection: Connection) -> None:
            for word in sorted(set(why.values())):
                refs = sorted(str(ref) for ref, one in why.items() if one == word)
                for part in chunks(refs):
                    _bury(connection, run, part, word)
                    connection.exec_driver_sql(marked(_FORGET_ASIDE, part), tuple(part))

        if why:
            await self._write(work)

    async def forget_aside(self, refs: Sequence[Ref]) -> None:
        """These are not there any more, for all that is known: they are not set aside either."""
        if refs:
            given = [(str(ref),) for ref in refs]
            await self._write(
                lambda c: c.exec_driver_sql("DELETE FROM quarantine WHERE ref = ?", given)
            )

    async def finish_walk(
        self, run: int, instance: str, feed: str, *, limit: float = 0.2, floor: int = 10
    ) -> WalkResult:
        """The walk is complete: what it did not show is gone ("missing").

        Refused, with nothing changed, when it showed nothing although records are known, or when
        more than `floor` records and more than the share `limit` of them would be gone.
        """
        return await self._write(lambda c: _finish(c, run, instance, feed, limit, floor))

    async def retire_feed(self, run: int, instance: str, feed: str) -> int:
        """A feed is not read any more: what it brought is gone, what is set aside of it and its
        cursor are forgotten.

        Returns how many records that were."""

        def work(connection: Connection) -> int:
            rows = connection.exec_driver_sql(_LIVING, (instance, feed)).scalars().all()
            for part in chunks(rows):
                _bury(connection, run, part)
            connection.exec_driver_sql(_RETIRE, (instance, feed))
            connection.exec_driver_sql(f"DELETE {_ASIDE}", (feed, instance, instance))
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


def _vanished(connection: Connection, instance: str, feed: str, most: int) -> Vanished:
    connection.exec_driver_sql(_TABLE)
    listed = connection.exec_driver_sql(
        "SELECT count(*) FROM walk WHERE instance = ? AND feed = ?", (instance, feed)
    ).scalar_one()
    known = int(connection.exec_driver_sql(_KNOWN, (instance, feed)).scalar_one())
    names = {"instance": instance, "feed": feed, "hidden": NOT_VISIBLE}
    lost = int(connection.execute(_LOST_COUNT, names).scalar_one())
    missing = connection.execute(_LOST_REFS, {**names, "most": most}).scalars()
    met = connection.exec_driver_sql(_MET, (instance, feed, most)).scalars()
    aside = connection.execute(_ASIDE_UNSEEN, {**names, "most": most}).scalars()
    result = Vanished(
        known=known,
        lost=lost,
        listed=int(listed),
        missing=tuple(to_refs(missing)),
        met=tuple(to_refs(met)),
        aside=tuple(to_refs(aside)),
    )
    _forget(connection, instance, feed)
    return result


def _changes(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT total_changes()").scalar_one())


def _bury(connection: Connection, run: int, refs: list[str], why: str = "missing") -> None:
    found = connection.exec_driver_sql(marked(_BODIES, refs), tuple(refs)).all()
    tombstone = "" if why == ARCHIVED else why
    of = mark(connection, run)
    rows = [
        (tombstone, of, encode_body(_gone(record, why)), ref)
        for ref, body in found
        if not _says(record := decode_record(body), why)
    ]
    if rows:
        connection.exec_driver_sql(
            # Without a hash the record counts as changed when it comes back.
            "UPDATE records SET tombstone = ?, hash = '', changed_in = ?, body = ? WHERE ref = ?",
            rows,
        )


def _gone(record: Record, why: str) -> Record:
    if why == ARCHIVED:
        return msgspec.structs.replace(record, archived=True, tombstone="")
    return msgspec.structs.replace(record, tombstone=why)


def _says(record: Record, why: str) -> bool:
    """Whether that is known of it already."""
    if why == ARCHIVED:
        return record.archived and not record.tombstone
    return record.tombstone == why
