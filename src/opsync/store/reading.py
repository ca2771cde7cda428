"""What the reading commands ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping

from sqlalchemy import Connection, select, text

from opsync.errors import StoreError
from opsync.folding import caseless
from opsync.model import Account, Kind, Link, Record, Ref
from opsync.store.base import Part, load, to_refs
from opsync.store.codec import decode_record, to_ref
from opsync.store.plans import pairs
from opsync.store.schema import aliases, parents, people, quarantine, records
from opsync.store.types import BEST

_BY_URL = text("SELECT body FROM records WHERE instr(body, CAST(:url AS BLOB)) > 0 LIMIT 100")
# A whole title first, then those that begin with the text, then those that have it anywhere. Of
# what has the very title nothing is left out: by it people name one item, or are told of all.
_BY_TITLE = text("""
SELECT body FROM (
    SELECT ref, whole, row_number() OVER (
        ORDER BY tombstone <> '', whole DESC, place > 1, length(title), ref) AS rank
    FROM (
        SELECT ref, tombstone, title, caseless(title) = :text AS whole,
            instr(caseless(title), :text) AS place
        FROM records)
    WHERE place > 0)
JOIN records USING (ref) WHERE whole OR rank <= :limit ORDER BY rank
""")
_TITLED = text("""
SELECT count(*) FROM records WHERE tombstone = '' AND instr(caseless(title), :text) > 0
""")
_PAIRS = text("""
SELECT DISTINCT min(source, target) AS low, max(source, target) AS high FROM links
WHERE :instance IS NULL OR source LIKE :prefix ESCAPE '\\' OR target LIKE :prefix ESCAPE '\\'
""")
_PAGE = text(f"""
SELECT low, high FROM ({_PAIRS.text})
WHERE low > :low OR (low = :low AND high > :high) ORDER BY low, high LIMIT :limit
""")  # noqa: S608 - made of constants
_COUNTS = text("""
SELECT 'records.' || instance || '.' || stream, count(*) FROM records
WHERE tombstone = '' GROUP BY instance, stream
UNION ALL SELECT 'links', count(*)
    FROM (SELECT DISTINCT min(source, target), max(source, target) FROM links)
UNION ALL SELECT 'rollups', count(*) FROM rollups
UNION ALL SELECT 'slots', count(*) FROM ledger
UNION ALL SELECT 'pending', count(*) FROM ledger WHERE pending = 1
UNION ALL SELECT 'held', count(*) FROM ledger WHERE hold IS NOT NULL
UNION ALL SELECT 'quarantine', count(*) FROM quarantine
""")
_WAITING = """
SELECT CASE
    WHEN held = 'conflict' THEN 'edited'
    WHEN held = 'proposed' THEN 'to_approve'
    WHEN held = 'removed by a person' THEN 'removed'
    WHEN held IS NOT NULL THEN 'settled'
    WHEN outcome = 'conflicted' THEN 'edited'
    WHEN outcome = 'failed' THEN 'failed'
    ELSE 'changes' END AS why, rule, {about}, count(*)
FROM (SELECT rule, other, outcome, json_extract(CAST(hold AS TEXT), '$.kind') AS held FROM ledger
      WHERE (pending = 1 OR hold IS NOT NULL OR outcome = 'conflicted') AND waits <> 'target')
GROUP BY 1, 2, 3
"""
_WAITING_AT_ALL = text(_WAITING.format(about="''"))
_WAITING_BY_ITEM = text(_WAITING.format(about="other"))


class Reading(Part):
    """Looking things up."""

    async def record(self, ref: Ref) -> Record | None:
        """One record, gone or not; None when it was never read."""
        return await self._read(lambda c: load(c, [ref]).get(ref))

    async def find(self, text: str, limit: int = BEST) -> list[Record]:
        """What a person may mean, best first.

        By ref, by URL, by key or former key (in any case), else by a piece of the title; what is
        gone comes last. Of what has only a piece in common the best are found, up to `limit` in
        all; what is called exactly so is found however much it is.
        """
        wanted = text.strip()
        return await self._read(lambda c: _find(c, wanted, limit) if wanted else [])

    async def count_titled(self, text: str) -> int:
        """How many living records have a text in their title."""
        wanted = {"text": caseless(text.strip())}
        return await self._read(lambda c: int(c.execute(_TITLED, wanted).scalar_one()))

    async def records_page(
        self,
        *,
        instance: str | None = None,
        kind: Kind | None = None,
        after: str = "",
        limit: int = 100,
    ) -> list[Record]:
        """Living records in the order of their refs, from after the ref `after` on."""
        query = select(records.c.body).where(records.c.tombstone == "", records.c.ref > after)
        if instance is not None:
            # A range of the key, so that a page costs a page; ";" is the character after ":".
            query = query.where(records.c.ref > f"{instance}:", records.c.ref < f"{instance};")
        if kind is not None:
            query = query.where(records.c.kind == kind.value)
        query = query.order_by(records.c.ref).limit(limit)
        return await self._read(lambda c: [decode_record(row.body) for row in c.execute(query)])

    async def children(self, ref: Ref) -> list[Record]:
        """The living records that are part of this one."""
        query = (
            select(records.c.body)
            .join(parents, parents.c.child == records.c.ref)
            .where(parents.c.parent == str(ref), records.c.tombstone == "")
            .order_by(records.c.ref)
        )
        return await self._read(lambda c: [decode_record(row.body) for row in c.execute(query)])

    async def people(self) -> list[Account]:
        """Everybody who was met, by instance and id."""
        query = select(people).order_by(people.c.instance, people.c.id)
        return await self._read(
            lambda c: [
                Account(row.instance, row.id, row.name, row.email, bool(row.active))
                for row in c.execute(query)
            ]
        )

    async def links_of(self, ref: Ref) -> list[Link]:
        """The pairs that a record is an end of."""
        return await self._read(lambda c: pairs(c, [ref])[ref])

    async def links_page(
        self, *, instance: str | None = None, after: Link | None = None, limit: int = 100
    ) -> list[Link]:
        """Pairs, of one instance or all, from after the pair `after` on."""
        return await self._read(lambda c: _links_page(c, instance, after, limit))

    async def aside_refs(self) -> frozenset[Ref]:
        """What is set aside, by name only."""
        return await self._read(
            lambda c: frozenset(to_refs(c.execute(select(quarantine.c.ref)).scalars()))
        )

    async def counts(self) -> Mapping[str, int]:
        """How much there is: `records.INSTANCE.STREAM` (living), `links` (pairs), `rollups`,
        `slots`, of these `pending` and `held`, and `quarantine`."""
        return await self._read(
            lambda c: {str(name): int(count) for name, count in c.execute(_COUNTS)}
        )

    async def waiting(
        self,
        proposing: Callable[[str], bool] = lambda _: False,
        *,
        about: Collection[Ref] | None = None,
    ) -> Mapping[str, int]:
        """How many values wait, by why: `changes` (the next run may write them), `to_approve` (of
        the rules that are `proposing`, or over what a person wrote), `failed` (it may try again),
        `edited` and `removed` (by a person), `settled` (undone, released, refused or kept by one).
        What waits at an item where nothing can be written is left out. With `about` only those
        about these items."""
        named = None if about is None else frozenset(map(str, about))
        query = _WAITING_AT_ALL if named is None else _WAITING_BY_ITEM

        def work(connection: Connection) -> Mapping[str, int]:
            found: Counter[str] = Counter()
            for why, rule, other, count in connection.execute(query):
                if named is not None and other not in named:
                    continue
                asks = why == "changes" and proposing(rule)
                found["to_approve" if asks else why] += count
            return dict(sorted(found.items()))

        return await self._read(work)

    async def check(self) -> None:
        """Raise StoreError when the file is damaged. Reads all of it."""

        def work(connection: Connection) -> None:
            found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
            if found != "ok":
                raise StoreError(
                    f"The store {self._database.path} is damaged ({found}).",
                    hint="Restore a copy, or move it away: the next sync builds a new one.",
                )

        await self._read(work)


def _find(connection: Connection, wanted: str, limit: int) -> list[Record]:
    if found := _exact(connection, wanted):
        return found
    rows = connection.execute(_BY_TITLE, {"text": caseless(wanted), "limit": limit})
    return [decode_record(row.body) for row in rows]


def _exact(connection: Connection, wanted: str) -> list[Record]:
    if wanted.count(":") > 1 and (record := load(connection, [to_ref(wanted)])):
        return list(record.values())
    if "://" in wanted:
        rows = connection.execute(_BY_URL, {"url": wanted.encode()})
        by_url = [decode_record(row.body) for row in rows]
        return _living_first([record for record in by_url if record.url == wanted])
    names = list(dict.fromkeys((wanted, wanted.upper(), wanted.lower())))
    holders = connection.execute(select(aliases.c.ref).where(aliases.c.alias.in_(names)))
    found = load(connection, to_refs(holders.scalars()))
    if not found:
        keyed = connection.execute(select(records.c.body).where(records.c.key.in_(names)))
        found = {one.ref: one for one in (decode_record(row.body) for row in keyed)}
    return _living_first(list(found.values()))


def _living_first(found: list[Record]) -> list[Record]:
    return sorted(found, key=lambda record: (record.tombstone != "", record.ref))


def _links_page(
    connection: Connection, instance: str | None, after: Link | None, limit: int
) -> list[Link]:
    low, high = sorted((str(after.one), str(after.two))) if after else ("", "")
    escaped = (instance or "").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = connection.execute(
        _PAGE,
        {
            "instance": instance,
            "prefix": f"{escaped}:%",
            "low": low,
            "high": high,
            "limit": limit,
        },
    ).all()
    wanted = [(to_ref(row.low), to_ref(row.high)) for row in rows]
    grouped = pairs(connection, list({one for one, _ in wanted}))
    return [
        link for one, two in wanted for link in grouped[one] if {link.one, link.two} == {one, two}
    ]
