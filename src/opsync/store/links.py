"""Mentions, what they resolve to, and the links made from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, text

from opsync.model import NOT_VISIBLE, Evidence, Mention, Ref
from opsync.model import Part as TextPart
from opsync.model.pair import mention_of
from opsync.store.base import Part, to_refs
from opsync.store.codec import chunks, encode_json, marked, texts, to_ref
from opsync.store.runs import NEXT, since, touch

TWIN = 2
"""A link's `twin`: one of its ends says that both are one piece of work …"""
TWIN_IF_MUTUAL = 1
"""… or both are if the other end names this one at a place for links too."""

_Resolved = tuple[Ref, Mention, tuple[Ref, ...]]

# Changed records that name something or did, whoever names something that changed, and those
# about which somebody decided. An accepted pair names its second end.
_TO_LINK = text("""
WITH changed (ref) AS (SELECT ref FROM records WHERE changed_in >= :since)
SELECT ref FROM changed
WHERE EXISTS (SELECT 1 FROM mentions m WHERE m.source = changed.ref)
   OR EXISTS (SELECT 1 FROM links l WHERE l.source = changed.ref)
   OR EXISTS (SELECT 1 FROM decisions d WHERE d.one = changed.ref)
UNION
SELECT m.source FROM changed
CROSS JOIN aliases a ON a.ref = changed.ref
CROSS JOIN mentions m ON m.alias = a.alias AND m.instance IN ('', a.instance)
UNION SELECT d.one FROM changed CROSS JOIN decisions d ON d.two = changed.ref
UNION SELECT ref FROM touched WHERE relink = 1 AND run >= :since
ORDER BY 1
""")

_RESOLVE = """
SELECT m.id, m.source, m.alias, m.instance, m.field, m.property, m.text, m.part, t.ref
FROM mentions m
JOIN records s ON s.ref = m.source AND s.tombstone = ''
LEFT JOIN aliases a ON a.alias = m.alias AND (m.instance = '' OR a.instance = m.instance)
LEFT JOIN records t ON t.ref = a.ref AND {there}
WHERE m.source IN :sources {more}
ORDER BY m.id, a.instance
"""
_ALL = text(_RESOLVE.format(there="t.tombstone = ''", more="")).bindparams(
    bindparam("sources", expanding=True)
)
# What counts somewhere is missing there, once it is not visible any more.
_PROPERTIES = text(
    _RESOLVE.format(there=f"t.tombstone IN ('', '{NOT_VISIBLE}')", more="AND m.property = 1")
).bindparams(bindparam("sources", expanding=True))

_DECIDED = """
SELECT d.one, d.two, d.kind, t.ref FROM decisions d
JOIN records s ON s.ref = d.one AND s.tombstone = ''
LEFT JOIN records t ON t.ref = d.two AND t.tombstone = ''
WHERE d.one IN (*) AND d.verdict = 'accepted' ORDER BY d.one, d.two
"""

_UNRESOLVED = """
SELECT m.source, m.alias, m.instance, m.field, m.property, m.text, m.part
FROM mentions m
JOIN records s ON s.ref = m.source AND s.tombstone = '' {changed}
WHERE {instances} m.part <> 'hint' AND NOT EXISTS (
    SELECT 1 FROM aliases a
    WHERE a.alias = m.alias AND (m.instance = '' OR a.instance = m.instance))
ORDER BY m.id LIMIT :limit
"""

_LINKED = "SELECT source, target, evidence FROM links WHERE source IN (*)"
_USERS = "SELECT DISTINCT source FROM mentions WHERE alias IN (*) AND instance IN ('', ?)"


class _Stored(msgspec.Struct, array_like=True, frozen=True):
    """Evidence as a link's row has it. Stores of revision 0001 wrote the first three."""

    field: str
    text: str
    property: bool
    part: TextPart = ""


_decode_evidence = msgspec.json.Decoder(list[_Stored]).decode

_NAMES_ANY = text("""
SELECT 1 FROM mentions m CROSS JOIN records r ON r.ref = m.source
WHERE m.alias >= :begin AND m.alias < :end AND m.instance = :instance AND r.tombstone = ''
AND r.instance <> :instance
LIMIT 1
""")


class Links(Part):
    """Resolving mentions and keeping links."""

    async def sources_to_link(self, run: int) -> list[Ref]:
        """Whose mentions must be resolved again: records that changed in this run, and those
        that name one of them. Records that name nothing, and never did, are left out."""
        return await self._read(
            lambda c: to_refs(c.execute(_TO_LINK, {"since": since(c, run)}).scalars())
        )

    async def mentions_of(self, sources: Sequence[Ref]) -> list[_Resolved]:
        """What the living ones of these records name, each with the living holders of the alias:
        of its instance, or for a bare key of any. Accepted pairs are among them."""
        return await self._read(lambda c: resolve(c, sources))

    async def put_links(
        self, run: int, sources: Sequence[Ref], evidence: Sequence[Evidence]
    ) -> set[Ref]:
        """Replace all that these sources link to; returns both ends of each pair that differs."""
        if not sources and not evidence:
            return set()
        return await self._write(lambda c: _put_links(c, run, sources, evidence))

    async def unresolved(
        self, instances: Sequence[str] | None = None, limit: int = 1000
    ) -> list[tuple[Ref, Mention]]:
        """Mentions whose alias no record ever had, hints left out; with `instances` only those
        that may be of one of them (bare keys may be of any)."""
        return await self._read(lambda c: _unresolved(c, instances, limit, None))

    async def relink(self, refs: Iterable[Ref]) -> None:
        """Have the run that begins next make the links of these again."""
        wanted = set(refs)
        if wanted:
            await self._write(lambda c: touch(c, NEXT, wanted, relink=True))

    async def unresolved_new(self, run: int, limit: int = 1000) -> list[tuple[Ref, Mention]]:
        """As `unresolved`, of the records that changed in this run."""
        return await self._read(lambda c: _unresolved(c, None, limit, run))

    async def names_any(self, instance: str, prefix: str) -> bool:
        """Whether a living record of another instance names something of `instance` whose alias
        begins so."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        values = {"begin": prefix, "end": end, "instance": instance}
        return await self._read(lambda c: c.execute(_NAMES_ANY, values).first() is not None)

    async def put_aliases(self, found: Mapping[str, Mapping[str, Ref]]) -> list[Ref]:
        """Add names that were looked up, by instance; returns the records that use them.

        A name that some record has by now keeps its holder.
        """
        return await self._write(lambda c: _put_aliases(c, found)) if found else []


def resolve(
    connection: Connection, sources: Sequence[Ref], *, properties: bool = False
) -> list[_Resolved]:
    """Mentions with the living holders of their aliases, then what people accepted.

    With `properties` only what may make members.
    """
    found: dict[int, tuple[str, Mention, list[Ref]]] = {}
    decided: list[_Resolved] = []
    for part in chunks(texts(sources)):
        statement = _PROPERTIES if properties else _ALL
        for row in connection.execute(statement, {"sources": part}):
            if row.id not in found:
                found[row.id] = (row.source, to_mention(row), [])
            if row.ref is not None:
                found[row.id][2].append(to_ref(row.ref))
        for one, two, kind, ref in connection.exec_driver_sql(marked(_DECIDED, part), tuple(part)):
            if kind == "member" or not properties:
                holders = () if ref is None else (to_ref(ref),)
                decided.append((to_ref(one), mention_of(to_ref(two), kind), holders))
    named = [(to_ref(source), mention, tuple(refs)) for source, mention, refs in found.values()]
    return named + decided


def to_evidence(source: str, target: str, stored: bytes) -> list[Evidence]:
    """A stored directed link as evidence."""
    one, two = to_ref(source), to_ref(target)
    return [
        Evidence(one, two, each.field, each.text, each.property, each.part)
        for each in _decode_evidence(stored)
    ]


def _put_links(
    connection: Connection, run: int, sources: Sequence[Ref], evidence: Iterable[Evidence]
) -> set[Ref]:
    named = texts(sources)
    allowed = set(named)
    groups: dict[tuple[str, str], dict[_Stored, None]] = {}
    for one in evidence:
        if (source := str(one.source)) not in allowed:
            raise ValueError(f"{source} is none of the sources")
        group = groups.setdefault((source, str(one.target)), {})
        group[_Stored(one.field, one.text, one.property, one.part)] = None
    after = {pair: encode_json(list(group)) for pair, group in groups.items()}
    before: dict[tuple[str, str], bytes] = {}
    for part in chunks(named):
        for source, target, stored in connection.exec_driver_sql(
            marked(_LINKED, part), tuple(part)
        ):
            before[source, target] = stored
    removed = [pair for pair in before if pair not in after]
    altered = [(*pair, stored) for pair, stored in after.items() if before.get(pair) != stored]
    if removed:
        connection.exec_driver_sql("DELETE FROM links WHERE source = ? AND target = ?", removed)
    if altered:
        connection.exec_driver_sql(
            "INSERT INTO links (source, target, evidence, twin) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (source, target) DO UPDATE"
            " SET evidence = excluded.evidence, twin = excluded.twin",
            [(*row, _twin(groups[row[0], row[1]])) for row in altered],
        )
    pairs = [*removed, *((source, target) for source, target, _ in altered)]
    ends = {to_ref(end) for pair in pairs for end in pair}
    touch(connection, run, ends)
    return ends


def _twin(evidence: Iterable[_Stored]) -> int:
    """How far a link says that both of its ends are one piece of work."""
    parts = {one.part for one in evidence}
    return TWIN if "mirror" in parts else TWIN_IF_MUTUAL if "place" in parts else 0


def _unresolved(
    connection: Connection, instances: Sequence[str] | None, limit: int, run: int | None
) -> list[tuple[Ref, Mention]]:
    values: dict[str, object] = {"limit": limit}
    statement = text(
        _UNRESOLVED.format(
            changed="" if run is None else "AND s.changed_in >= :since",
            instances="" if instances is None else "m.instance IN :instances AND",
        )
    )
    if instances is not None:
        statement = statement.bindparams(bindparam("instances", expanding=True))
        values["instances"] = ["", *instances]
    if run is not None:
        values["since"] = since(connection, run)
    return [(to_ref(row.source), to_mention(row)) for row in connection.execute(statement, values)]


def to_mention(row: Row[Any]) -> Mention:
    """A row of mentions, read."""
    return Mention(row.alias, row.instance, row.field, bool(row.property), row.text, row.part)


def _put_aliases(connection: Connection, found: Mapping[str, Mapping[str, Ref]]) -> list[Ref]:
    users: set[str] = set()
    for instance, names in found.items():
        if rows := [(alias, instance, str(ref)) for alias, ref in names.items()]:
            connection.exec_driver_sql(
                "INSERT OR IGNORE INTO aliases (alias, instance, ref) VALUES (?, ?, ?)", rows
            )
        for part in chunks(names):
            using = connection.exec_driver_sql(marked(_USERS, part), (*part, instance))
            users.update(using.scalars())
    return to_refs(sorted(users))
