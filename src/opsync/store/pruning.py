"""Pruning: what is old, and what nothing that is there can ask for any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, text

from opsync.model import NOT_VISIBLE, WRITTEN, Kind
from opsync.model.retention import THIN_AFTER, UNDO_WITHIN, Keep, Pruned
from opsync.store.base import Part
from opsync.store.codec import CHUNK, chunks, decode_record, marked, to_text

T = TypeVar("T")

AT_ONCE = 10 * CHUNK
"""So many rows are pruned in one transaction, so that nobody waits long for the store."""

KEPT_RUNS = 50
"""So many of the last runs are kept, however old: screens look through them."""

_DONE = ", ".join(f"'{kind.value}'" for kind in sorted(WRITTEN))
_KINDS = ", ".join(
    f"'{kind.value}'"
    for kind in (Kind.initiative, Kind.project, Kind.epic, Kind.issue, Kind.document)
)

# Whole runs only. Of a value that opsync keeps, or that was written since, three writes stay: the
# first has what stood there before opsync, the last one says whether what stood before the next
# write was opsync's own, and the last that made it says since when it is there. Whatever its rule
# was called then.
_WRITES = f"""
WITH old AS (
    SELECT seq, kind, target, surface, other FROM journal
    WHERE at < :before AND run NOT IN (SELECT run FROM journal WHERE at >= :before)),
alive AS (
    SELECT target, surface, other FROM ledger
    UNION SELECT target, surface, other FROM journal
    WHERE at >= :before OR run IN (SELECT run FROM journal WHERE at >= :before)),
ends AS (
    SELECT min(seq) AS first, max(seq) AS last,
        max(CASE WHEN kind = 'created' THEN seq ELSE 0 END) AS made
    FROM old JOIN alive USING (target, surface, other)
    WHERE kind IN ({_DONE}) GROUP BY target, surface, other)
SELECT seq FROM old
WHERE seq NOT IN (SELECT first FROM ends UNION SELECT last FROM ends UNION SELECT made FROM ends)
ORDER BY seq
"""  # noqa: S608 - made of constants

# What something that is there, or that is kept, can still lead to: a value, a write, a link, a
# name in a text, what is below it, what people decided. What is not visible makes numbers
# incomplete: it stays. So do analytics, in which little is ever gone.
_GONE = f"""
SELECT r.ref, r.body FROM records r JOIN runs u ON u.seq = r.changed_in
WHERE r.tombstone NOT IN ('', :hidden) AND r.kind IN ({_KINDS}) AND u.started_at < :before
AND NOT EXISTS (SELECT 1 FROM ledger WHERE target = r.ref)
AND NOT EXISTS (SELECT 1 FROM journal WHERE target = r.ref)
AND r.ref NOT IN (SELECT other FROM ledger UNION SELECT other FROM journal)
AND NOT EXISTS (SELECT 1 FROM links WHERE source = r.ref)
AND NOT EXISTS (SELECT 1 FROM links WHERE target = r.ref)
AND NOT EXISTS (SELECT 1 FROM members WHERE ref = r.ref)
AND r.ref NOT IN (SELECT root FROM members UNION SELECT root FROM rollups)
AND NOT EXISTS (SELECT 1 FROM decisions WHERE one = r.ref)
AND NOT EXISTS (SELECT 1 FROM decisions WHERE two = r.ref)
AND NOT EXISTS (SELECT 1 FROM suggestions WHERE one = r.ref)
AND r.ref NOT IN (SELECT two FROM suggestions)
AND NOT EXISTS (SELECT 1 FROM quarantine WHERE ref = r.ref)
AND NOT EXISTS (SELECT 1 FROM touched WHERE ref = r.ref)
AND NOT EXISTS (
    SELECT 1 FROM parents p JOIN records c ON c.ref = p.child AND c.tombstone = ''
    WHERE p.parent = r.ref)
AND NOT EXISTS (
    SELECT 1 FROM aliases a JOIN mentions m ON m.alias = a.alias AND m.instance IN ('', a.instance)
    JOIN records s ON s.ref = m.source AND s.tombstone = '' WHERE a.ref = r.ref)
ORDER BY r.ref
"""  # noqa: S608 - made of constants

# Finished, settled, and named by nothing: neither by a write or a plan, nor as the one in which
# something went away.
_RUNS = """
SELECT seq FROM runs
WHERE started_at < :before AND settled = 1 AND outcome <> ''
AND seq NOT IN (SELECT seq FROM runs ORDER BY seq DESC LIMIT :least)
AND seq NOT IN (SELECT run FROM journal)
AND seq NOT IN (SELECT number FROM plans)
AND seq NOT IN (SELECT changed_in FROM records WHERE tombstone <> '')
ORDER BY seq
"""

_NUMBERS = """
SELECT h.rule, h.root, h.at FROM rollup_history h
WHERE h.at < :before AND EXISTS (
    SELECT 1 FROM rollup_history l WHERE l.rule = h.rule AND l.root = h.root
    AND l.at > h.at AND l.at < substr(h.at, 1, 10) || 'U')
ORDER BY 1, 2, 3
"""

# A record that came back meanwhile is not gone, and keeps its names.
_FORGET = (
    "DELETE FROM mentions WHERE source IN (*)",
    "DELETE FROM parents WHERE child IN (*)",
    "DELETE FROM aliases WHERE ref IN (*)",
    "DELETE FROM records WHERE ref IN (*)",
)
_STILL_GONE = "SELECT ref FROM records WHERE ref IN (*) AND tombstone <> ''"


class Pruning(Part):
    """Looking after the store's size."""

    async def prune(self, now: datetime, keep: Keep, *, dry: bool = False) -> Pruned:
        """Forget what is older than `keep` says and nothing asks for any more; `dry` only counts.

        What undoing a write of the last 30 days rests on stays whatever `keep` says. Each
        transaction is short and whole by itself, so that it may be interrupted anywhere.
        """
        return Pruned(
            journal=await self._writes(now - max(keep.journal, UNDO_WITHIN), dry=dry),
            gone=await self._gone(now - max(keep.gone, UNDO_WITHIN), dry=dry),
            runs=await self._old_runs(now - keep.runs, dry=dry),
            history=await self._numbers(now - THIN_AFTER, dry=dry),
        )

    async def _writes(self, before: datetime, *, dry: bool) -> int:
        values = {"before": to_text(before)}
        found = await self._read(lambda c: [row.seq for row in c.execute(text(_WRITES), values)])
        return len(found) if dry else await self._each(_delete_writes, found)

    async def _gone(self, before: datetime, *, dry: bool) -> int:
        values = {"before": to_text(before), "hidden": NOT_VISIBLE}

        def find(connection: Connection) -> list[str]:
            rows = connection.execute(text(_GONE), values)
            # Of private work the words are taken out of texts that were kept: it stays known.
            return [row.ref for row in rows if not decode_record(row.body).private]

        found = await self._read(find)
        return len(found) if dry else await self._each(_forget, found)

    async def _old_runs(self, before: datetime, *, dry: bool) -> int:
        values = {"before": to_text(before), "least": KEPT_RUNS}
        found = await self._read(lambda c: [row.seq for row in c.execute(text(_RUNS), values)])
        return len(found) if dry else await self._each(_delete_runs, found)

    async def _numbers(self, before: datetime, *, dry: bool) -> int:
        values = {"before": to_text(before)}

        def find(connection: Connection) -> list[tuple[str, str, str]]:
            rows = connection.execute(text(_NUMBERS), values)
            return [(row.rule, row.root, row.at) for row in rows]

        found = await self._read(find)
        return len(found) if dry else await self._each(_thin, found)

    async def _each(self, forget: Callable[[Connection, list[T]], int], found: list[T]) -> int:
        """Forget these, a piece in each transaction; returns how many were."""
        parts = chunks(found, AT_ONCE)
        return sum([await self._write(partial(_in_turn, forget, part)) for part in parts])


def _in_turn(forget: Callable[[Connection, list[T]], int], keys: list[T], c: Connection) -> int:
    return sum(forget(c, part) for part in chunks(keys))


def _delete_writes(connection: Connection, seqs: list[int]) -> int:
    connection.exec_driver_sql(marked("DELETE FROM journal WHERE seq IN (*)", seqs), tuple(seqs))
    return len(seqs)


def _delete_runs(connection: Connection, seqs: list[int]) -> int:
    for sql in ("DELETE FROM run_instances WHERE run IN (*)", "DELETE FROM runs WHERE seq IN (*)"):
        connection.exec_driver_sql(marked(sql, seqs), tuple(seqs))
    return len(seqs)


def _forget(connection: Connection, refs: list[str]) -> int:
    found = connection.exec_driver_sql(marked(_STILL_GONE, refs), tuple(refs)).scalars().all()
    if found:
        for sql in _FORGET:
            connection.exec_driver_sql(marked(sql, found), tuple(found))
    return len(found)


def _thin(connection: Connection, rows: list[tuple[str, str, str]]) -> int:
    connection.exec_driver_sql(
        "DELETE FROM rollup_history WHERE rule = ? AND root = ? AND at = ?", rows
    )
    return len(rows)
