"""What the search for pairs asks: where records count, what they are part of, who has a key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from opsync.model import Link, Record, Ref
from opsync.store.base import Part
from opsync.store.codec import chunks, decode_record, marked, texts, to_ref
from opsync.store.plans import pairs

_COUNTED = "SELECT ref, root FROM members WHERE ref IN (*) ORDER BY ref, root"
_ABOVE = """
WITH RECURSIVE up (low, high) AS (
    SELECT child, parent FROM parents WHERE child IN (*)
    UNION
    SELECT up.low, p.parent FROM up CROSS JOIN parents p ON p.child = up.high)
SELECT low, high FROM up
"""
_HOLDERS = """
SELECT a.alias, r.body FROM aliases a JOIN records r ON r.ref = a.ref AND r.tombstone = ''
WHERE a.alias IN (*) ORDER BY a.alias, r.ref
"""
_NAMESAKES = """
SELECT a.alias, r.body FROM aliases a JOIN records r ON r.ref = a.ref
WHERE a.alias IN (*) ORDER BY a.alias, r.ref
"""
# To decode what every root counts costs more than all else; "private" is in few bodies.
_PRIVATE_MEMBERS = """
SELECT r.body FROM members m JOIN records r ON r.ref = m.ref
WHERE m.rule = ? AND m.root = ? AND instr(r.body, CAST('"private":true' AS BLOB)) > 0
ORDER BY m.position
"""


class Pairing(Part):
    """Looking up what speaks for or against a pair, for many records at once."""

    async def counted_in(self, refs: Sequence[Ref]) -> dict[Ref, set[Ref]]:
        """The roots that count these records, under any rule; those that none counts are left
        out."""
        return await self._read(lambda c: _grouped(c, _COUNTED, refs))

    async def above(self, refs: Sequence[Ref]) -> dict[Ref, set[Ref]]:
        """All that these records are part of, at whatever distance."""
        return await self._read(lambda c: above(c, refs))

    async def links_among(self, refs: Sequence[Ref]) -> list[Link]:
        """The pairs of which one of these records is an end."""

        def work(connection: Connection) -> list[Link]:
            found = {
                (link.one, link.two): link
                for part in chunks(refs)
                for links in pairs(connection, part).values()
                for link in links
            }
            return [link for _, link in sorted(found.items())]

        return await self._read(work)

    async def holders(self, keys: Sequence[str]) -> dict[str, list[Record]]:
        """The living records that have or had each of these keys; nobody's are left out."""

        return await self._read(lambda c: _by_name(c, _HOLDERS, keys))

    async def namesakes(self, names: Iterable[str]) -> dict[str, list[Record]]:
        """The records that have or had each of these names, gone ones too."""
        return await self._read(lambda c: _by_name(c, _NAMESAKES, names))

    async def private_members(self, rule: str, root: Ref) -> list[Record]:
        """The private records that a root's rollup rests on."""

        def work(connection: Connection) -> list[Record]:
            rows = connection.exec_driver_sql(_PRIVATE_MEMBERS, (rule, str(root))).scalars()
            return [record for record in map(decode_record, rows) if record.private]

        return await self._read(work)


def _by_name(connection: Connection, sql: str, names: Iterable[str]) -> dict[str, list[Record]]:
    """The records of `sql` by the name that led to each."""
    found: dict[str, list[Record]] = defaultdict(list)
    for part in chunks(dict.fromkeys(names)):
        for alias, body in connection.exec_driver_sql(marked(sql, part), tuple(part)):
            found[alias].append(decode_record(body))
    return dict(found)


def above(connection: Connection, refs: Sequence[Ref]) -> dict[Ref, set[Ref]]:
    """All that these records are part of, at whatever distance."""
    return _grouped(connection, _ABOVE, refs)


def _grouped(connection: Connection, sql: str, refs: Sequence[Ref]) -> dict[Ref, set[Ref]]:
    """The second column of `sql` by the first."""
    found: dict[Ref, set[Ref]] = defaultdict(set)
    for part in chunks(texts(refs)):
        for one, other in connection.exec_driver_sql(marked(sql, part), tuple(part)):
            found[to_ref(one)].add(to_ref(other))
    return dict(found)
