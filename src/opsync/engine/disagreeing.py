"""Where people's word and the numbers part, as screens and `--json` show it: all from the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from msgspec import Struct

from opsync import disagreements as pure
from opsync.disagreements import Disagreement, DisagreementKind
from opsync.engine.catalog import Item
from opsync.engine.freshness import read_at
from opsync.engine.lookup import Lookup
from opsync.model import Record, Ref, Role, Rollup

MOST = 100
"""So many disagreements of one kind are named; all are counted. So many initiatives, the heaviest,
come with the work that shows it."""


Summed = tuple[Rollup, Record]
"""A delivery summary, and its initiative."""


class Told(Struct, frozen=True, kw_only=True):
    """What one item shows: its state, since when, and when its tool was last read to the end."""

    item: Item
    text: str
    since: date | None
    read_at: datetime | None


class Found(Struct, frozen=True, kw_only=True):
    """One disagreement. `item` is None where it is about much work at once; `about` is the
    initiative that a link is to. `done` of `total` are the numbers that contradict, 0 of 0 where
    there are none. The greater the `weight`, the sooner it is shown."""

    kind: DisagreementKind
    item: Item | None
    about: Item | None
    says: str
    measured: str
    weight: float
    done: int
    total: int
    evidence: tuple[Told, ...]


class Disagreeing:
    """Looks for disagreements in one store, as of one date."""

    def __init__(self, look: Lookup, as_of: date) -> None:
        self._look = look
        self._store = look.store
        self._as_of = as_of
        self._zone = look.zone
        self._read_at: dict[str, datetime | None] | None = None
        self._judged: dict[tuple[str, Ref], Disagreement | None] = {}
        self._summed: list[Summed] | None = None

    @property
    def look(self) -> Lookup:
        """Where it looks."""
        return self._look

    async def summed(self) -> list[Summed]:
        """The delivery summaries of initiatives that live and are in use; read once."""
        if self._summed is None:
            self._summed = await self._in_use()
        return self._summed

    async def _in_use(self) -> list[Summed]:
        found = await self._store.rollups()
        roots = await self._store.records_of([one.root for one in found])
        return [
            (one, root)
            for one in found
            if (root := roots.get(one.root)) is not None
            and not (root.tombstone or root.archived)
            and self._look.configured(root.ref)
        ]

    def of_rollup(self, rollup: Rollup, root: Record) -> Disagreement | None:
        """What contradicts an initiative, without the members that show it."""
        key = rollup.rule, root.ref
        if key not in self._judged:
            self._judged[key] = pure.of_initiative(root, rollup, self._as_of, zone=self._zone)
        return self._judged[key]

    async def shown_by(self, one: Disagreement, rollup: Rollup, root: Record) -> Disagreement:
        """The same with the members that show it."""
        if one.kind is not DisagreementKind.status:
            return one
        members = await self._store.members(rollup.rule, rollup.root)
        leaves = [member.ref for member in members if member.role is Role.leaf]
        known = await self._store.records_of(leaves)
        found = pure.of_initiative(
            root, rollup, self._as_of, members=list(known.values()), zone=self._zone
        )
        return found or one

    def of_rollups(self, rollups: Iterable[Summed]) -> list[tuple[Disagreement, Summed]]:
        """All that contradict living initiatives, the heaviest first. Where several rules see one
        initiative, what weighs most is told, once."""
        found: dict[tuple[DisagreementKind, Ref], tuple[Disagreement, Summed]] = {}
        for rollup, root in rollups:
            one = self.of_rollup(rollup, root)
            if one is None:
                continue
            before = found.get((one.kind, root.ref))
            if before is None or before[0].weight < one.weight:
                found[one.kind, root.ref] = one, (rollup, root)
        return sorted(found.values(), key=lambda each: -each[0].weight)

    async def one_sided(self, only: Ref | None = None) -> list[Disagreement]:
        """Work that names an initiative which does not name it, unless a twin of it counts."""
        found = [
            one
            for one in await self._store.one_sided(only)
            if self._look.configured(one.work.ref) and self._look.configured(one.root)
        ]
        sides = {
            ref: one.refs
            for one in await self._store.twins([one.work.ref for one in found])
            if not one.doubt
            for ref in one.refs
        }
        counted = await self._store.counted_in([ref for refs in sides.values() for ref in refs])
        return [
            pure.link_on_one_side(one.work, one.root, one.why)
            for one in found
            if all(one.root not in counted.get(ref, ()) for ref in sides.get(one.work.ref, ()))
        ]

    async def owners_left(self, only: Ref | None = None) -> list[Disagreement]:
        """Open initiatives and containers whose owner's account is closed."""
        found = await self._store.owners_left(only)
        if not found:
            return []
        owners = await self._look.owners()
        return [owners.left(record) for record in found if self._look.configured(record.ref)]

    async def open_parts(self, only: Ref | None = None) -> tuple[list[Disagreement], int]:
        """What is done with open parts, those with the most of them; and how many there are."""
        found = [p for p in await self._store.open_parts(only) if self._look.configured(p.parent)]
        told = []
        for parent, parts in found[:MOST]:
            known = await self._store.records_of([parent, *parts[: pure.FACTS]])
            some = [known[ref] for ref in parts[: pure.FACTS] if ref in known]
            told.append(pure.done_with_open_parts(known[parent], len(parts), some, self._zone))
        return told, len(found)

    async def found(self, one: Disagreement, rollup: Rollup | None = None) -> Found:
        """A disagreement as it may be shown."""
        ends = [ref for ref in (one.subject, one.about) if ref is not None]
        await self._look.learn([*ends, *(fact.ref for fact in one.evidence)])
        numbers = (rollup.done, rollup.total) if rollup is not None else (0, 0)
        return Found(
            kind=one.kind,
            item=await self._look.item(one.subject) if one.subject else None,
            about=await self._look.item(one.about) if one.about else None,
            says=one.says,
            measured=one.measured,
            weight=round(one.weight, 1),
            done=numbers[0],
            total=numbers[1],
            evidence=tuple([await self.told(fact) for fact in one.evidence]),
        )

    async def told(self, fact: pure.Fact) -> Told:
        """A fact as it may be shown."""
        if self._read_at is None:
            cursors = await self._store.cursors()
            names = {cursor.instance for cursor in cursors}
            self._read_at = {
                name: read_at(c for c in cursors if c.instance == name) for name in names
            }
        return Told(
            item=await self._look.item(fact.ref),
            text=fact.text,
            since=fact.since,
            read_at=self._read_at.get(fact.ref.instance),
        )


async def disagreements_of(
    look: Lookup, record: Record, rollups: Sequence[Rollup], now: datetime
) -> list[Found]:
    """All that contradicts itself in one record, the heaviest first; `rollups` are its own."""
    disagreeing = Disagreeing(look, now.astimezone(look.zone).date())
    found = []
    for rollup in rollups:
        if one := disagreeing.of_rollup(rollup, record):
            full = await disagreeing.shown_by(one, rollup, record)
            found.append(await disagreeing.found(full, rollup))
    parts, _ = await disagreeing.open_parts(record.ref)
    further = [
        *await disagreeing.one_sided(record.ref),
        *await disagreeing.owners_left(record.ref),
        *parts,
    ]
    found += [await disagreeing.found(one) for one in further]
    return sorted(found, key=lambda one: -one.weight)
