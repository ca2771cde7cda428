"""What is true of a company's work right after it was read: what `opsync look` shows.

Everything is taken from the store and from the report of the pass that filled it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from opsync.config import Config
from opsync.disagreements import Disagreement, Share, share_of, work_without_initiative
from opsync.engine.belonging import suggested
from opsync.engine.catalog import Catalog
from opsync.engine.disagreeing import MOST as EVIDENCED
from opsync.engine.disagreeing import Disagreeing, Found, Summed
from opsync.engine.looked import (
    Addition,
    InProgress,
    Look,
    SpaceWork,
    Unseen,
    Work,
)
from opsync.engine.lookup import Lookup
from opsync.engine.overview import Connection, connections, last_run
from opsync.engine.twinned import TwinGroup, Twinned
from opsync.engine.veil import Veil
from opsync.model import Category, Kind, Record, Ref, Rollup
from opsync.model.rules import LINKS_RULE
from opsync.report import PassReport
from opsync.store import Store

MOST = 100
"""So many twins and suggestions are named; all are counted."""


async def look(config: Config, store: Store, now: datetime, report: PassReport | None) -> Look:
    """What `opsync look` tells after the pass of `report` (None: of what was read before).

    What may belong together is looked for anew and kept, for `status` and `links`.
    """
    # Its index of words costs an import that no other command needs.
    from opsync.engine.suggesting import suggest

    await store.put_suggestions(await suggest(config, store))
    return await gather(config, store, now, report)


async def gather(
    config: Config,
    store: Store,
    now: datetime,
    report: PassReport | None = None,
) -> Look:
    """Gather it, with the suggestions that were found last."""
    gatherer = _Gatherer(config, store, now)
    instead = await gatherer.instead()
    suggestions = await store.suggestions()
    rollups = await gatherer.rollups()
    share = await gatherer.share(instead) if rollups else None
    found, counts = await gatherer.disagreements(rollups, share)
    runs = await store.last_runs(1)
    numbers = await store.counts()
    standing = connections(config, gatherer.look.catalog, await store.cursors(), numbers)
    return Look(
        at=now,
        run=last_run(runs[0]) if runs else None,
        roots=_roots([root for _, root in rollups]),
        initiatives=len({root.ref for _, root in rollups}),
        work=await gatherer.work(instead),
        links=numbers.get("links", 0),
        in_progress=await gatherer.in_progress(share) if share is not None else None,
        disagreements=found,
        counts=counts,
        twins=await gatherer.twins(),
        twins_total=len(set(instead.values())),
        suggestions=tuple(await suggested(gatherer.look, suggestions[:MOST])),
        suggestions_total=len(suggestions),
        would_add=await gatherer.additions(report),
        connections=standing,
        unseen=tuple(await gatherer.unseen(standing, rollups, report)),
    )


def unread(config: Config, now: datetime) -> Look:
    """The same before anything was read, when there is no store."""
    return Look(
        at=now,
        run=None,
        roots=_roots(()),
        initiatives=0,
        work=Work(total=0, open=0, in_progress=0, done=0),
        links=0,
        in_progress=None,
        disagreements=(),
        counts={},
        twins=(),
        twins_total=0,
        suggestions=(),
        suggestions_total=0,
        would_add=(),
        connections=connections(config, Catalog(config), (), {}),
        unseen=(),
    )


def _roots(roots: Iterable[Record]) -> str:
    """What plays the part of initiatives, as far as it is one kind."""
    kinds = {root.kind for root in roots}
    only = kinds.pop() if len(kinds) == 1 else Kind.initiative
    return (only if only.contains else Kind.initiative).value


class _Gatherer:
    """Looks into one store at one moment."""

    def __init__(self, config: Config, store: Store, now: datetime) -> None:
        self.look = Lookup(config, store)
        self._config = config
        self._store = store
        self._as_of = now.astimezone(config.zone).date()
        self._disagreeing = Disagreeing(self.look, self._as_of)
        self._twinned = Twinned(config, self.look)

    async def rollups(self) -> list[Summed]:
        """The delivery summaries of living initiatives, each with its initiative."""
        return await self._disagreeing.summed()

    async def instead(self) -> dict[Ref, Ref]:
        """Each twin that does not count, with the one that does."""
        return await self._twinned.instead()

    async def share(self, instead: Mapping[Ref, Ref]) -> Share:
        """How much work in progress has an initiative. Twins are one, with the status of the side
        that counts, and are reached when any side is."""
        working = [
            one
            for one in await self._store.working()
            if one.ref not in instead and self.look.configured(one.ref)
        ]
        lone = {one.ref for one in working if not one.reached}.intersection(instead.values())
        copies = [ref for ref, counted in instead.items() if counted in lone]
        reached = {instead[ref] for ref in await self._store.counted_in(copies)}
        return share_of(
            replace(one, reached=True) if one.ref in reached else one for one in working
        )

    async def work(self, instead: Mapping[Ref, Ref]) -> Work:
        """How much work there is, twins once."""
        counts: Counter[Category] = Counter()
        for one in await self._store.tally():
            if one.instance in self._config.instances:
                counts[one.category] += one.items
        for one in await self._store.tally(sorted(instead)):
            counts[one.category] -= one.items
        return Work(
            total=counts.total(),
            open=sum(count for category, count in counts.items() if category.open),
            in_progress=counts[Category.in_progress],
            done=counts[Category.done],
        )

    async def disagreements(
        self,
        rollups: Sequence[Summed],
        share: Share | None,
    ) -> tuple[tuple[Found, ...], dict[str, int]]:
        """All that are named, the heaviest first, and how many there are by kind."""
        counts: Counter[str] = Counter()
        told = []
        heaviest = self._disagreeing.of_rollups(rollups)
        for number, (one, (rollup, root)) in enumerate(heaviest):
            counts[one.kind.value] += 1
            if number < EVIDENCED:
                one = await self._disagreeing.shown_by(one, rollup, root)
            told.append(await self._disagreeing.found(one, rollup))
        further: list[Disagreement] = []
        for each in (await self._disagreeing.one_sided(), await self._disagreeing.owners_left()):
            further += each[:MOST]
            counts.update(one.kind.value for one in each)
        parts, many = await self._disagreeing.open_parts()
        further += parts
        counts.update({one.kind.value: many for one in parts[:1]})
        if share is not None and (lone := work_without_initiative(share, self.look.zone)):
            further.append(lone)
            counts[lone.kind.value] = share.without
        found = [*told, *[await self._disagreeing.found(one) for one in further]]
        return tuple(sorted(found, key=_heaviest)), dict(sorted(counts.items()))

    async def in_progress(self, share: Share) -> InProgress:
        """The share, with what is named of it as it may be shown."""
        lone = work_without_initiative(share, self.look.zone)
        facts = lone.evidence if lone else ()
        return InProgress(
            total=share.total,
            without=share.without,
            spaces=tuple(
                SpaceWork(
                    instance=one.instance,
                    tool=self.look.catalog.tool(one.instance),
                    space=one.space,
                    total=one.total,
                    without=one.without,
                )
                for one in share.spaces
            ),
            oldest=tuple([await self._disagreeing.told(fact) for fact in facts]),
        )

    async def twins(self) -> tuple[TwinGroup, ...]:
        """The first pieces of work that are in several tools."""
        return tuple(await self._twinned.groups(most=MOST))

    async def additions(self, report: PassReport | None) -> tuple[Addition, ...]:
        """What the plan of the pass would write, by place and by what it is written on."""
        if report is None:
            return ()
        planned = [*report.plan.changes, *report.plan.observed]
        kinds = await self._store.kinds_of([one.change.slot.target for one in planned])
        places: dict[tuple[str, bool, str, str, str], list[Ref]] = defaultdict(list)
        for one in planned:
            slot = one.change.slot
            kind = kinds.get(slot.target)
            noun = "page" if slot.target.stream == "page" else kind.value if kind else "item"
            noun = "release" if one.release else noun
            link = slot.rule == LINKS_RULE
            on = slot.other if one.release else slot.target
            places[one.tool, link, one.place, noun, one.change.verb.value].append(on)
        return tuple(
            Addition(
                tool=tool,
                place=place,
                kind=kind,
                verb=verb,
                link=link,
                items=len(set(targets)),
                changes=len(targets),
            )
            for (tool, link, place, kind, verb), targets in sorted(places.items())
        )

    async def unseen(
        self,
        standing: Sequence[Connection],
        rollups: Sequence[Summed],
        report: PassReport | None,
    ) -> list[Unseen]:
        """What is missing from all this, the most serious first."""
        found = []
        hints = {one.instance: one.hint for one in report.instances} if report else {}
        for one in standing:
            if one.state != "ok":
                why = one.error or "never read to its end"
                hint = hints.get(one.instance) or f"opsync doctor --only {one.instance}"
                found.append(Unseen(what="connection", name=one.instance, why=why, hint=hint))
        found += [
            Unseen(
                what="connection",
                name=one.instance,
                why="not read now: the running service is at work with it",
                hint="Look again in a minute.",
            )
            for one in (report.instances if report else ())
            if one.in_use
        ]
        found += [
            Unseen(what="rule", name="", why=warning, hint="opsync doctor")
            for warning in (report.remarks if report else ())
        ]
        kept = "what it rests on could not be read: its numbers are kept, or missing"
        found += [
            Unseen(what="initiative", name=title, why=kept)
            for title in (report.stale if report else ())
        ]
        for rollup, root in rollups:
            if rollup.missing:
                found.append(await self._missing(rollup, root))
        found += [
            Unseen(
                what="mirror",
                name=one.item.label,
                why=f"says that it mirrors {one.original}, which was not read: it counts by itself",
            )
            for one in await self._twinned.lost()
        ]
        found += [
            Unseen(
                what="mirror",
                name=", ".join(item.label for item in one.items[:3]),
                why=f"said to be one piece of work, but {one.why}: each counts by itself",
            )
            for one in await self._twinned.doubtful()
        ]
        aside = len(await self._store.aside_refs())
        if aside:
            items = "1 item" if aside == 1 else f"{aside:,} items"
            why = "could not be understood"
            found.append(Unseen(what="set aside", name=items, why=why, hint="opsync aside"))
        return found

    async def _missing(self, rollup: Rollup, root: Record) -> Unseen:
        """What an initiative names and nobody could read, in the words of its own page only."""
        own = {mention.text or mention.alias for mention in root.mentions}
        named = [name for name in rollup.missing if name in own]
        named = list(await Veil(self.look).missing(root, named))
        more = len(rollup.missing) - len(named)
        names = [*named[:3], *([f"{more + len(named[3:])} more"] if more or named[3:] else [])]
        item = self.look.catalog.item(root)
        return Unseen(
            what="initiative",
            name=item.label,
            why=f"some not counted: {', '.join(names)} could not be read",
            hint="" if root.private else f'opsync explain "{item.label}"',
        )


def _heaviest(one: Found) -> tuple[float, str]:
    return -one.weight, one.item.label if one.item else ""
