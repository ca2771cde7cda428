"""What has to be planned again, and what decides it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, or_, select, text

from opsync.model import Evidence, Kind, Link, Record, Ref, Rollup
from opsync.model.aside import RETRIES
from opsync.model.ledger import CONFLICTED, Entry
from opsync.model.waiting import WaitsFor
from opsync.store.base import Part, load, to_refs
from opsync.store.codec import chunks, decode_rollup, texts, to_ref, to_text
from opsync.store.ledger import to_entry
from opsync.store.links import to_evidence
from opsync.store.runs import since
from opsync.store.schema import ledger, links, members, rollups
from opsync.store.types import TargetInputs
from opsync.store.waiting import WAITS

NAMED = 50
"""So many of a rollup's containers are loaded to be named; more are only counted."""

_CHANGED = text("""
WITH changed (ref) AS (SELECT ref FROM records WHERE changed_in >= :since),
     seen (ref) AS (SELECT ref FROM changed
                    UNION SELECT ref FROM records WHERE seen_changed_in >= :since)
SELECT ref FROM seen
WHERE EXISTS (SELECT 1 FROM ledger WHERE target = seen.ref)
   OR EXISTS (SELECT 1 FROM links WHERE source = seen.ref)
   OR EXISTS (SELECT 1 FROM links WHERE target = seen.ref)
UNION SELECT l.target FROM changed CROSS JOIN links l ON l.source = changed.ref
UNION SELECT l.source FROM changed CROSS JOIN links l ON l.target = changed.ref
UNION SELECT ref FROM touched WHERE run >= :since
ORDER BY 1
""")

_PENDING = text(f"""
SELECT DISTINCT target FROM ledger
WHERE pending = 1 AND (next_try_at IS NULL OR next_try_at <= :now)
AND (intent IS NOT NULL OR (hold IS NULL AND retry = 1)) AND NOT {WAITS}
UNION SELECT target FROM (
    SELECT target FROM ledger
    WHERE pending = 1 AND (next_try_at IS NULL OR next_try_at <= :now)
    AND hold IS NULL AND retry = 0 AND outcome = 'failed' AND NOT {WAITS}
    ORDER BY next_try_at, target LIMIT :most)
UNION SELECT target FROM ledger WHERE outcome = 'conflicted'
ORDER BY 1
""")  # noqa: S608 - made of constants

_LEFT = text(f"""
SELECT * FROM ledger WHERE pending = 1 AND waits IN ('approval', 'mode') AND {WAITS}
ORDER BY target, surface, rule, other
""")  # noqa: S608 - made of constants

_REFS: BindParameter[Any] = bindparam("refs", expanding=True)
_LINKS = tuple(select(links).where(end.in_(_REFS)) for end in (links.c.source, links.c.target))
_ENTRIES = select(ledger).where(ledger.c.target.in_(_REFS)).order_by(*ledger.primary_key.columns)
_ROLLUPS = (
    select(rollups.c.root.label("place"), rollups).where(rollups.c.root.in_(_REFS)),
    select(members.c.ref.label("place"), rollups)
    .join(members, (members.c.rule == rollups.c.rule) & (members.c.root == rollups.c.root))
    .where(members.c.ref.in_(_REFS), members.c.via == members.c.root),
)
"""Those of roots, and those of direct members."""
_EVERY_ROLLUP = select(rollups.c.rule, rollups.c.root, rollups.c.body)


class Plans(Part):
    """Finding targets and gathering their inputs."""

    async def targets_changed(self, run: int) -> list[Ref]:
        """Where what should stand may differ after this run: records that changed, or whose own
        places did, and that have links or slots; the other ends of changed records' links; and
        all that `put_links`, `put_rollups` and `drop_rollups` returned."""
        return await self._read(
            lambda c: to_refs(c.execute(_CHANGED, {"since": since(c, run)}).scalars())
        )

    async def targets_pending(
        self, now: datetime, *, modes: str = "", every: bool = False
    ) -> list[Ref]:
        """Targets with something left to do that may be tried again by now, and those with a
        value that a person edited: that is told in every pass until it is settled.

        Of what a tool refused for good at most `RETRIES` are due at once. Left out is what is held
        otherwise, and what was skipped: that waits until the desired value or what stands there
        changes. With the digest of the `modes` in force, what waits for a person's word is left out
        too, until that is said. `every` leaves out nothing that is pending.
        """
        told = or_(ledger.c.pending == 1, ledger.c.outcome == CONFLICTED)
        query = select(ledger.c.target).where(told).distinct()
        if every:
            ordered = query.order_by(ledger.c.target)
            return await self._read(lambda c: to_refs(c.execute(ordered).scalars()))
        values = {"now": to_text(now), "most": RETRIES, "modes": modes}
        return await self._read(lambda c: to_refs(c.execute(_PENDING, values).scalars()))

    async def left_waiting(self, modes: str) -> list[tuple[Entry, WaitsFor]]:
        """What `targets_pending` leaves out since it waits for an approval or another mode, by
        target."""
        return await self._read(
            lambda c: [
                (to_entry(row), WaitsFor(row["waits"]))
                for row in c.execute(_LEFT, {"modes": modes}).mappings()
            ]
        )

    async def unsettled(self) -> list[Entry]:
        """All slots with something left to do, or that are held, by target."""
        waits = or_(
            ledger.c.pending == 1, ledger.c.hold.is_not(None), ledger.c.outcome == CONFLICTED
        )
        query = select(ledger).where(waits).order_by(*ledger.primary_key.columns)
        return await self._read(lambda c: [to_entry(row) for row in c.execute(query).mappings()])

    async def target_inputs(self, targets: Sequence[Ref]) -> list[TargetInputs]:
        """What decides about these targets, in their order; those not stored are left out."""
        return await self._read(
            lambda c: [one for part in chunks(targets) for one in _inputs(c, part)]
        )


def pairs(connection: Connection, refs: Sequence[Ref]) -> dict[Ref, list[Link]]:
    """The undirected links of each of these records, sorted, with the evidence of both sides."""
    found: dict[tuple[Ref, Ref], dict[Evidence, None]] = {}
    for part in chunks(texts(refs)):
        for query in _LINKS:
            for row in connection.execute(query, {"refs": part}):
                for one in to_evidence(row.source, row.target, row.evidence):
                    ends = sorted((one.source, one.target))
                    found.setdefault((ends[0], ends[1]), {})[one] = None
    grouped: dict[Ref, list[Link]] = {ref: [] for ref in refs}
    for pair in sorted(found):
        link = Link(*pair, tuple(sorted(found[pair], key=_order)))
        for end in set(pair):
            if end in grouped:
                grouped[end].append(link)
    return grouped


def _order(one: Evidence) -> tuple[Ref, str, str, bool]:
    return one.source, one.field, one.text, one.property


def _inputs(connection: Connection, targets: list[Ref]) -> list[TargetInputs]:
    records = load(connection, targets)
    known = [ref for ref in dict.fromkeys(targets) if ref in records]
    linked = pairs(connection, known)
    products = frozenset(ref for ref in known if records[ref].kind is Kind.product)
    owned = _rollups(connection, known, products)
    entries = defaultdict(list)
    for part in chunks(texts(known)):
        for row in connection.execute(_ENTRIES, {"refs": part}).mappings():
            entry = to_entry(row)
            entries[entry.slot.target].append(entry)
    further = {link.other(ref) for ref in known for link in linked[ref]}
    further |= {rollup.root for found in owned.values() for rollup in found}
    contained = {
        ref: [c.ref for rollup in owned[ref] for c in rollup.containers[:NAMED]]
        for ref in known
        if ref not in products  # there a release is told, and no work
    }
    further |= {one for found in contained.values() for one in found}
    records |= load(connection, further - records.keys())
    return [
        TargetInputs(
            record=records[ref],
            links=tuple(linked[ref]),
            others=_others(linked[ref], ref, contained.get(ref, []), records),
            rollups=tuple((one, records[one.root]) for one in owned[ref] if one.root in records),
            entries=tuple(entries[ref]),
        )
        for ref in known
    ]


def _others(
    found: list[Link], ref: Ref, contained: list[Ref], records: dict[Ref, Record]
) -> dict[Ref, Record]:
    ends = [*(link.other(ref) for link in found), *contained]
    return {end: records[end] for end in ends if end in records}


def _rollups(
    connection: Connection, refs: list[Ref], products: frozenset[Ref]
) -> dict[Ref, list[Rollup]]:
    """The rollups of which each is the root or a direct member, or whose release is told there if
    it is one of the `products`, by rule and root."""
    found: dict[Ref, dict[tuple[str, str], bytes]] = {ref: {} for ref in refs}
    for part in chunks(texts(refs)):
        for query in _ROLLUPS:
            for row in connection.execute(query, {"refs": part}):
                found[to_ref(row.place)][row.rule, row.root] = row.body
    if products:
        for rule, root, body in connection.execute(_EVERY_ROLLUP).all():
            for place in products.intersection(decode_rollup(body).announced_in):
                found[place][rule, root] = body
    return {
        ref: [decode_rollup(body) for _, body in sorted(rows.items())]
        for ref, rows in found.items()
    }
