"""Which records are said to be one piece of work, by their links and by what people decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from opsync.model import Kind, Mention, Ref, Sides, Twin
from opsync.model.link import FOOTER
from opsync.model.twin import KINDS, sides_of
from opsync.store.base import Part, to_refs
from opsync.store.codec import CHUNK, chunks, marked, texts, to_ref
from opsync.store.links import TWIN, to_evidence, to_mention
from opsync.store.pairing import above

_WORK = tuple(kind.value for kind in KINDS)
_CONTAINERS = frozenset({Kind.epic.value, Kind.project.value})

_DECIDED = """
    (SELECT verdict FROM decisions WHERE kind = 'same' AND one = l.{0} AND two = l.{1})"""

_DIRECTED = f"""
SELECT l.source, l.target, l.twin, l.evidence, s.kind, t.kind,
    coalesce({_DECIDED.format("source", "target")}, {_DECIDED.format("target", "source")}, '')
FROM links l
JOIN records s ON s.ref = l.source AND s.tombstone = '' AND s.kind IN {_WORK}
JOIN records t ON t.ref = l.target AND t.tombstone = '' AND t.kind IN {_WORK}
WHERE l.twin > 0"""  # noqa: S608 - made of constants

_LEAVING = _DIRECTED + " AND l.source IN (*)"
_ARRIVING = _DIRECTED + " AND l.target IN (*)"

# All that links lead to, whatever else speaks against it: by those that say, or half say, that both
# ends are one.
_KIN = """
WITH RECURSIVE kin (ref) AS (
    SELECT source FROM links WHERE source IN (*) AND twin > 0
    UNION SELECT target FROM links WHERE target IN (*) AND twin > 0
    UNION SELECT l.target FROM kin CROSS JOIN links l ON l.source = kin.ref WHERE l.twin > 0
    UNION SELECT l.source FROM kin CROSS JOIN links l ON l.target = kin.ref WHERE l.twin > 0)
SELECT ref FROM kin
"""

# A copy of what was never read, or of what is gone.
_LOST = """
SELECT m.source, m.alias, m.instance, m.field, m.property, m.text, m.part
FROM mentions m JOIN records s ON s.ref = m.source AND s.tombstone = ''
WHERE m.part = 'mirror' AND NOT EXISTS (
    SELECT 1 FROM aliases a JOIN records t ON t.ref = a.ref AND t.tombstone = ''
    WHERE a.alias = m.alias AND (m.instance = '' OR a.instance = m.instance))
ORDER BY m.source, m.id
"""


class _Row(NamedTuple):
    source: str
    target: str
    twin: int
    evidence: bytes
    kind: str
    other_kind: str
    verdict: str


class Twins(Part):
    """Looking up what is one piece of work."""

    async def twins(self, refs: Sequence[Ref] | None = None) -> list[Sides]:
        """What is said to be one piece of work with any of these records, whole; None: all there
        is. Doubtful ones are among them, and so are sides that belong to no initiative."""
        return await self._read(lambda c: sides(c, refs))

    async def kin(self, refs: Sequence[Ref]) -> set[Ref]:
        """Those of these records that may be one piece of work with another, and all that they may
        be one with: whether they are is not asked."""
        return await self._read(lambda c: _kin(c, refs))

    async def lost_mirrors(self) -> list[tuple[Ref, Mention]]:
        """What says that it is the mirror of something that no living record is."""
        return await self._read(
            lambda c: [(to_ref(row.source), to_mention(row)) for row in c.exec_driver_sql(_LOST)]
        )


def sides(connection: Connection, refs: Sequence[Ref] | set[Ref] | None) -> list[Sides]:
    """What is said to be one piece of work with any of these records, or with any at all."""
    twins = _all(connection) if refs is None else _near(connection, refs)
    ends = sorted({end for twin in twins for end in (twin.one, twin.two)})
    return sides_of(twins, above(connection, ends))


def _near(connection: Connection, refs: Sequence[Ref] | set[Ref]) -> list[Twin]:
    """The pairs that these records are part of, and those that their other ends are part of."""
    found: dict[Twin, None] = {}
    known = set(texts(refs))
    frontier = sorted(known)
    while frontier:
        rows: list[_Row] = []
        for part in chunks(frontier):
            for statement in (_LEAVING, _ARRIVING):
                rows += _rows(connection, statement, part)
        pairs = _pairs(rows)
        found |= dict.fromkeys(pairs)
        frontier = sorted({str(end) for pair in pairs for end in (pair.one, pair.two)} - known)
        known.update(frontier)
    return list(found)


def _kin(connection: Connection, refs: Sequence[Ref]) -> set[Ref]:
    found: set[Ref] = set()
    for part in chunks(texts(refs), CHUNK // 2):
        rows = connection.exec_driver_sql(marked(_KIN, part), (*part, *part))
        found.update(to_refs(rows.scalars()))
    return found


def _all(connection: Connection) -> list[Twin]:
    return _pairs(_rows(connection, _DIRECTED, ()))


def _rows(connection: Connection, statement: str, values: Sequence[str]) -> list[_Row]:
    found = connection.exec_driver_sql(marked(statement, values), tuple(values))
    return [_Row(*row) for row in found]


def _pairs(rows: Iterable[_Row]) -> list[Twin]:
    """Directed links as pairs: of two tools, or accepted; not rejected; sure, or named both ways
    at places by records of the same level."""
    directed = {(row.source, row.target): row for row in rows}
    found = []
    for (source, target), row in directed.items():
        back = directed.get((target, source))
        if back is not None and source > target:
            continue
        both = [row] if back is None else [row, back]
        sure = any(each.twin == TWIN for each in both)
        level = (row.kind in _CONTAINERS) == (row.other_kind in _CONTAINERS)
        if row.verdict == "rejected" or not (sure or (back is not None and level)):
            continue
        one, two = sorted((to_ref(source), to_ref(target)))
        accepted = row.verdict == "accepted"
        if one.instance != two.instance or accepted:
            found.append(Twin(one, two, _copy(both), accepted))
    return found


def _copy(directed: Iterable[_Row]) -> Ref | None:
    """The end whose footer names the other one; None where both do, or neither."""
    copies = {to_ref(row.source) for row in directed if row.twin == TWIN and _has_footer(row)}
    return copies.pop() if len(copies) == 1 else None


def _has_footer(row: _Row) -> bool:
    evidence = to_evidence(row.source, row.target, row.evidence)
    return any(one.part == "mirror" and one.field == FOOTER for one in evidence)
