"""What contradicts itself in what was read, found by the database: no body is kept in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from opsync.model import Category, Kind, Record, Ref, Working
from opsync.store.base import Part, load
from opsync.store.codec import chunks, decode_record, marked, texts, to_ref
from opsync.store.links import to_evidence
from opsync.store.schema import records
from opsync.store.types import OneSided, OpenParts, Tally

# These bytes of a body say it of the record itself: no text can hold them, its quotes are escaped.
_ARCHIVED = """instr(r.body, CAST('"archived":true' AS BLOB)) > 0"""
_DETAIL = """instr(r.body, CAST('"detail":true' AS BLOB)) > 0"""
# Roots are no work of their own, nor are parts that their team does not count; what people put away
# is work if it came to its end.
_OF_WORK = f"""
FROM records r WHERE r.kind IN ('issue', 'epic') AND r.tombstone = ''
AND r.ref NOT IN (SELECT root FROM rollups)
AND NOT {_DETAIL} AND (r.category IN ('done', 'canceled') OR NOT {_ARCHIVED})
"""  # noqa: S608 - made of constants
_TALLY = f"""
SELECT r.instance, r.category, count(*) {_OF_WORK} {{only}} GROUP BY 1, 2 ORDER BY 1, 2
"""
_WORKING = f"""
SELECT r.ref, r.body, EXISTS (SELECT 1 FROM members m WHERE m.ref = r.ref)
{_OF_WORK} AND r.category = 'in_progress'
"""  # noqa: S608 - made of constants
# Roots are left out: that an initiative is said to be done is told of it anyway.
_OPEN_PARTS = """
SELECT p.parent, c.ref, c.body FROM parents p
CROSS JOIN records r ON r.ref = p.parent AND r.category = 'done' AND r.tombstone = ''
    AND r.kind IN ('epic', 'project', 'issue')
CROSS JOIN records c ON c.ref = p.child AND c.category IN ('backlog', 'todo', 'in_progress')
    AND c.tombstone = ''
WHERE p.parent NOT IN (SELECT root FROM rollups) {only} ORDER BY p.parent, p.child
"""
# What people decided about a pair is not told again.
_ONE_SIDED = f"""
SELECT l.source, l.target, l.evidence, s.body FROM (SELECT DISTINCT root FROM rollups) u
CROSS JOIN records r ON r.ref = u.root AND NOT {_ARCHIVED}
CROSS JOIN links l ON l.target = u.root
CROSS JOIN records s ON s.ref = l.source AND s.tombstone = '' AND s.category <> 'canceled'
    AND s.kind IN ('issue', 'epic', 'project')
WHERE l.source NOT IN (SELECT root FROM rollups)
AND NOT EXISTS (SELECT 1 FROM links b WHERE b.source = l.target AND b.target = l.source)
AND NOT EXISTS (SELECT 1 FROM members m WHERE m.ref = l.source AND m.root = l.target)
AND NOT EXISTS (SELECT 1 FROM decisions d WHERE (d.one, d.two)
                IN (VALUES (l.source, l.target), (l.target, l.source)))
ORDER BY l.source, l.target
"""  # noqa: S608 - made of constants
_SOMEBODY_LEFT = "SELECT EXISTS (SELECT 1 FROM people WHERE active = 0)"
_OWNERS_LEFT = """
SELECT r.body FROM (
    SELECT root AS ref, 1 AS root FROM rollups
    UNION SELECT ref, 0 FROM members
    WHERE role <> 'twin' AND ref NOT IN (SELECT root FROM rollups)) x
CROSS JOIN records r ON r.ref = x.ref AND r.owner <> '' AND r.tombstone = ''
    AND r.category NOT IN ('done', 'canceled') AND (x.root OR r.kind IN ('epic', 'project'))
CROSS JOIN people p ON p.instance = r.instance AND p.id = r.owner AND p.active = 0
ORDER BY r.ref
"""
# Whether it is archived stands in the body only, which is looked into where it may say so.
_OPEN_OWNED = """
owner <> '' AND tombstone = '' AND category NOT IN ('done', 'canceled')
AND kind IN ('initiative', 'project', 'epic', 'issue')
AND (instr(body, CAST('"archived":true' AS BLOB)) = 0
     OR json_extract(CAST(body AS TEXT), '$.archived') IS NOT 1)
"""
_OWNED = f"""
SELECT instance, owner, count(*) FROM records WHERE {_OPEN_OWNED} GROUP BY instance, owner
"""  # noqa: S608 - made of constants
_OWNERS = f"""
SELECT ref, owner FROM records WHERE ref IN (*) AND {_OPEN_OWNED}
"""  # noqa: S608 - made of constants


class _Glance(msgspec.Struct):
    """The little of a record that counting asks for: to decode all of it costs ten times more."""

    space: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    private: bool = False
    archived: bool = False
    detail: bool = False


_glance = msgspec.json.Decoder(_Glance).decode


class Looking(Part):
    """Counting what no delivery summary tells."""

    async def tally(self, only: Sequence[Ref] | None = None) -> list[Tally]:
        """How many living issues and epics there are that are no roots, of all or of these, by
        instance and category. Left out are archived ones that are open, and parts that their team
        does not count by themselves."""
        return await self._read(lambda c: _tally(c, only))

    async def working(self) -> list[Working]:
        """Those of them that are in progress."""
        return await self._read(lambda c: list(_working(c)))

    async def open_parts(self, only: Ref | None = None) -> list[OpenParts]:
        """Living issues, epics and projects that are done and have open parts, those with the
        most first; with `only` that one, if it is such. Archived ones are left out."""
        return await self._read(lambda c: _open_parts(c, only))

    async def one_sided(self, only: Ref | None = None) -> list[OneSided]:
        """Living work that names a root in use which neither names it nor counts it; with `only`
        such pairs of this record."""
        return await self._read(lambda c: _one_sided(c, only))

    async def owners_left(self, only: Ref | None = None) -> list[Record]:
        """Open roots, and open epics and projects that a root counts, whose owner's account is
        closed; with `only` this record, if it is such."""
        return await self._read(lambda c: _owners_left(c, only))

    async def owned(self) -> dict[tuple[str, str], int]:
        """How many open items each account (instance, id) owns; archived ones are left out."""
        return await self._read(
            lambda c: {
                (instance, owner): count for instance, owner, count in c.exec_driver_sql(_OWNED)
            }
        )

    async def owners_of(self, refs: Sequence[Ref]) -> dict[Ref, str]:
        """The account that owns each of these, as far as it is open and has an owner."""
        return await self._read(lambda c: dict(_owners(c, refs)))

    async def records_of(self, refs: Sequence[Ref]) -> dict[Ref, Record]:
        """These records, as far as they are known, gone ones too."""
        return await self._read(lambda c: load(c, refs))

    async def kinds_of(self, refs: Sequence[Ref]) -> dict[Ref, Kind]:
        """What each of these records is for, as far as they are known."""
        return await self._read(lambda c: dict(_kinds(c, refs)))


def _tally(connection: Connection, only: Sequence[Ref] | None) -> list[Tally]:
    counts: Counter[tuple[str, str]] = Counter()
    for part in chunks(texts(only)) if only is not None else [[]]:
        where = marked("AND r.ref IN (*)", part) if only is not None else ""
        query = _TALLY.format(only=where)
        for instance, category, count in connection.exec_driver_sql(query, tuple(part)):
            counts[instance, category] += count
    return [
        Tally(instance, Category(category), count)
        for (instance, category), count in sorted(counts.items())
    ]


def _working(connection: Connection) -> Iterator[Working]:
    for ref, body, reached in connection.exec_driver_sql(_WORKING):
        one = _glance(body)
        space = "" if one.private else one.space
        yield Working(to_ref(ref), space, one.started_at or one.created_at, bool(reached))


def _open_parts(connection: Connection, only: Ref | None) -> list[OpenParts]:
    where, values = ("AND p.parent = ?", (str(only),)) if only else ("", ())
    found: dict[str, list[str]] = {}
    for parent, child, body in connection.exec_driver_sql(_OPEN_PARTS.format(only=where), values):
        part = _glance(body)
        if not part.archived and not part.detail:
            found.setdefault(parent, []).append(child)
    archived = {
        ref
        for part in chunks(found)
        for ref, body in connection.execute(
            select(records.c.ref, records.c.body).where(records.c.ref.in_(part))
        )
        if _glance(body).archived
    }
    counted = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        OpenParts(to_ref(parent), tuple(map(to_ref, parts)))
        for parent, parts in counted
        if parent not in archived
    ]


def _one_sided(connection: Connection, only: Ref | None) -> list[OneSided]:
    found = []
    for source, target, evidence, body in connection.exec_driver_sql(_ONE_SIDED):
        if only is not None and str(only) not in (source, target):
            continue
        # A mirror's mark says that both are one; people's words say more.
        why = [one for one in to_evidence(source, target, evidence) if one.part != "mirror"]
        work = _glance(body)
        if why and not (work.archived or work.detail):
            found.append(OneSided(decode_record(body), to_ref(target), why[0]))
    return found


def _owners_left(connection: Connection, only: Ref | None) -> list[Record]:
    if not connection.exec_driver_sql(_SOMEBODY_LEFT).scalar_one():
        return []
    rows: Iterator[Any] = connection.exec_driver_sql(_OWNERS_LEFT).scalars()
    found = [record for record in map(decode_record, rows) if not record.archived]
    return [record for record in found if only in (None, record.ref)]


def _owners(connection: Connection, refs: Sequence[Ref]) -> Iterator[tuple[Ref, str]]:
    for part in chunks(texts(refs)):
        for ref, owner in connection.exec_driver_sql(marked(_OWNERS, part), tuple(part)):
            yield to_ref(ref), owner


def _kinds(connection: Connection, refs: Sequence[Ref]) -> Iterator[tuple[Ref, Kind]]:
    for part in chunks(texts(refs)):
        query = select(records.c.ref, records.c.kind).where(records.c.ref.in_(part))
        for ref, kind in connection.execute(query):
            yield to_ref(ref), Kind(kind)
