"""Suggestions from the store: initiatives on one side, all work passing by on the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo

from opsync.config import Config
from opsync.engine.catalog import Catalog
from opsync.engine.owners import everybody
from opsync.engine.searched import keep, searching
from opsync.model import Category, Kind, Link, Record, Ref, Suggestion
from opsync.people import People
from opsync.steps.shared import roots_of
from opsync.store import Store
from opsync.suggest import Limits, Matcher, Named, Pair, Side, choose, keys_in, pair_of

PAGE = 250
"""So many records are in memory at once: more take more of it, and are no quicker."""

_WORK = frozenset({Kind.project, Kind.epic, Kind.issue})


class GivenUp(Exception):
    """The search was given up before its end."""


async def look_anew(
    config: Config, store: Store, now: datetime, given_up: Callable[[], bool] = lambda: False
) -> None:
    """Search, put what is found in place of what was suggested before, and keep when that was.

    Raises GivenUp once `given_up` says so.
    """
    search = await searching(config, store, now)
    await store.put_suggestions(await suggest(config, store, given_up))
    await keep(store, search)


async def suggest(
    config: Config, store: Store, given_up: Callable[[], bool] = lambda: False
) -> list[Suggestion]:
    """The pairs that look as if they belonged together, best first. Asks no tool.

    Left out is what people decided about, what counts or is linked already, initiatives that are
    done, canceled or archived, work that is canceled, archived or done long ago, and private items,
    unless their connection exposes titles. Of twins one is suggested.
    """
    return await _Search(config, store, given_up).run()


class _Search:
    """One search: what all its steps share."""

    def __init__(self, config: Config, store: Store, given_up: Callable[[], bool]) -> None:
        self._config = config
        self._store = store
        self._given_up = given_up
        self._catalog = Catalog(config)
        self._people = People((), ())
        self._roots: frozenset[Ref] = frozenset()
        self._titled: set[Pair] = set()
        """Pairs of which one's title names the other: linked by that, and asked about all the
        same."""

    async def run(self) -> list[Suggestion]:
        config, store = self._config, self._store
        self._people = await everybody(config, store)
        roots = {
            record.ref: record for rule in config.rules for record in await roots_of(store, rule)
        }
        self._roots = frozenset(roots)
        open_ = [one for one in roots.values() if one.category.open and self._fit(one)]
        limits = Limits(latest=_latest([one.high for one in await store.cursors()], config.zone))
        matcher = Matcher(await self._sides(open_), limits, twins=len(config.instances) > 1)
        after = ""
        while page := await store.records_page(after=after, limit=PAGE):
            if self._given_up():
                raise GivenUp
            after = str(page[-1].ref)
            work = [one for one in page if one.kind in _WORK and one.ref not in roots]
            for side in await self._sides([one for one in work if self._fit(one)]):
                matcher.add(side)
        found = matcher.matches()
        members = sorted({pair.two for pair in found if pair.kind == "member"})
        decided = {pair_of(one.one, one.two) for one in await store.decisions()}
        return choose(
            found,
            left_out={*decided, *await self._joined(found)},
            above=await store.above(members),
            most=limits.most,
        )

    def _fit(self, record: Record) -> bool:
        """Whether a record may be suggested at all, as far as it tells itself."""
        instance = self._config.instances.get(record.ref.instance)
        if instance is None or record.archived or record.category is Category.canceled:
            return False
        return not self._catalog.withholds(record)

    async def _sides(self, records: Sequence[Record]) -> list[Side]:
        refs = [record.ref for record in records]
        counted = await self._store.counted_in(refs)
        named = await self._named(records)
        return [
            self._side(record, record.ref in counted, named.get(record.ref, ()))
            for record in records
        ]

    def _side(self, record: Record, counted: bool, named: Sequence[Named]) -> Side:
        zone, owner = self._config.zone, record.owner
        told = owner is not None and not record.private
        identity = self._people.of(record.ref.instance, owner.id) if owner and told else None
        return Side(
            ref=record.ref,
            kind=record.kind,
            title=record.title,
            labels=record.labels,
            person=identity.name if identity else "",
            due_on=record.due_on,
            created_on=_day(record.created_at, zone),
            done_on=_day(record.completed_at, zone),
            category=record.category,
            counted=counted,
            named=tuple(named),
        )

    async def _named(self, records: Sequence[Record]) -> Mapping[Ref, list[Named]]:
        """What the titles and the branches of these records name, by whom."""
        naming = [(one, where, key) for one in records for where, key in _keys(one)]
        if not naming:
            return {}
        holders = await self._store.holders([key for _, _, key in naming])
        counted = await self._store.counted_in(
            [one.ref for each in holders.values() for one in each]
        )
        found: dict[Ref, list[Named]] = {}
        for record, where, key in naming:
            # A key that two records have means neither; a private one's is not told.
            match holders.get(key, ()):
                case [holder] if holder.ref != record.ref and self._catalog.item(holder).key:
                    if where == "title":
                        self._titled.add(pair_of(record.ref, holder.ref))
                    roots = tuple(sorted(counted.get(holder.ref, ())))
                    named = Named(where, key, holder.ref, roots)
                    found.setdefault(record.ref, []).append(named)
        return found

    async def _joined(self, found: Sequence[Suggestion]) -> set[Pair]:
        """The pairs that are linked or count already, among those found."""
        links = await self._store.links_among(sorted({pair.two for pair in found}))
        links += await self._store.links_among(sorted({pair.one for pair in found}))
        joined = {
            pair
            for link in links
            if (pair := pair_of(link.one, link.two)) not in self._titled or _mirrored(link)
        }
        return joined | await self._told_of_twins(found)

    async def _told_of_twins(self, found: Sequence[Suggestion]) -> set[Pair]:
        """The pairs of an initiative with one side of a piece of work of which another side counts
        in it, or is suggested for it and counts."""
        pairs = {pair_of(one.one, one.two) for one in found}
        roots = {one.one for one in found if one.kind == "member"}
        work = sorted({end for pair in pairs for end in pair} - roots)
        same = [one for one in await self._store.twins(work) if not one.doubt]
        members = await self._store.counted_in([ref for one in same for ref in one.refs])
        told: set[Pair] = set()
        for one in same:
            counted = self._config.preference.counted(one)
            counting = {root for ref in one.refs for root in members.get(ref, ())}
            told |= {pair_of(root, ref) for root in counting for ref in one.refs}
            asked = {root for root in roots if pair_of(root, counted) in pairs}
            told |= {pair_of(root, ref) for root in asked for ref in one.refs if ref != counted}
        return told


def _keys(record: Record) -> Iterable[tuple[str, str]]:
    for key in keys_in(record.title):
        if key != record.key:
            yield "title", key
    for mention in record.mentions:
        if mention.part == "hint":
            yield mention.field, mention.alias


def _mirrored(link: Link) -> bool:
    return any(evidence.part == "mirror" for evidence in link.evidence)


def _latest(highs: Iterable[datetime | None], zone: tzinfo) -> date | None:
    """The day of the latest change that was seen."""
    return max((high.astimezone(zone).date() for high in highs if high), default=None)


def _day(at: datetime | None, zone: tzinfo) -> date | None:
    return None if at is None else at.astimezone(zone).date()
