"""Why an item counts or does not, what it belongs with, and why a value stands where it does.

Everything is taken from the store; no tool is asked and nothing is computed anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from opsync.config import Config
from opsync.engine.adopting import metric_properties
from opsync.engine.belonging import suggested
from opsync.engine.catalog import Item, noun_of
from opsync.engine.disagreeing import disagreements_of
from opsync.engine.explained import (
    CountsIn,
    Explanation,
    Linked,
    Nobody,
    NoLink,
)
from opsync.engine.finding import find
from opsync.engine.lookup import NEVER, ROLES, Lookup, called, detail, unresolved
from opsync.engine.standing import Standing, why_not
from opsync.engine.summing import counted_as, summary
from opsync.engine.twinned import Twinned
from opsync.engine.veil import Veil
from opsync.folding import caseless
from opsync.inert import inert_text
from opsync.model import NOT_VISIBLE, Kind, Link, Member, Record, Ref, Role, gone_as
from opsync.model.ledger import Entry, HoldKind, plain
from opsync.model.pair import ACCEPTED
from opsync.model.rules import Mode
from opsync.model.value import NOTHING
from opsync.store import BEST, Store

TYPED = 120
"""Nobody types a longer name."""


class Explainer:
    """Looks things up in one store."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config = config
        self._store = store
        self._look = Lookup(config, store)
        self._veil = Veil(self._look)
        self._twinned = Twinned(config, self._look)
        self._standing = Standing(self._look, self._veil)

    async def find(self, text: str) -> list[Record]:
        """What a person may mean: one if it is plain, else all candidates.

        A whole title wins over a piece of one, and an initiative over others of its title; where
        there are several, they come first.
        """
        found = await find(self._config, self._store, text)
        living = [record for record in found if not record.tombstone] or found
        if len(living) < 2:
            return living
        wanted = caseless(text.strip())
        exact = [one for one in living if wanted in (caseless(one.title), caseless(one.key))]
        if len(exact) == 1:
            return exact
        roots = {rollup.root for rollup in await self._store.rollups()}
        chosen = [one for one in exact if one.ref in roots]
        if len(chosen) == 1:
            return chosen
        return [*chosen, *(one for one in exact if one.ref not in roots)] or living

    async def more(self, text: str, found: Sequence[Record]) -> int:
        """How many living items have a text in their title besides those that `find` has `found`:
        of many, these are the best."""
        wanted = caseless(text.strip())
        whole = any(wanted in (caseless(one.title), caseless(one.key)) for one in found)
        if whole or len(found) < BEST:
            return 0
        return max(await self._store.count_titled(text) - len(found), 0)

    async def naming(self, ref: Ref) -> str:
        """What a person may type for an item, so that it is this one and no other: its key, its
        title, its address, or else its ref."""
        record = await self._look.record(ref)
        if record is not None:
            item = self.item(record)
            for name in (item.key, item.title, item.url):
                typed = name == inert_text(name, TYPED) and not name.startswith("-")
                if name and typed and [one.ref for one in await self.find(name)] == [ref]:
                    return name
        return str(ref)

    def item(self, record: Record) -> Item:
        """A record as it may be shown."""
        return self._look.catalog.item(record)

    async def nobody(self, text: str) -> Nobody:
        """Who names something that no item is called."""
        wanted = caseless(text.strip())
        named = []
        for source, mention in await self._store.unresolved():
            if wanted in (caseless(mention.alias), caseless(mention.text)):
                named.append((await self._look.item(source), mention.field))
        return Nobody(text.strip(), tuple(named))

    async def explain(self, record: Record, now: datetime) -> Explanation:
        """All about one record."""
        ref = record.ref
        rollups = await self._store.rollups()
        summaries = [
            await summary(self._look, rollup, record) for rollup in rollups if rollup.root == ref
        ]
        counts_in = [await self._counts_in(*found) for found in await self._store.memberships(ref)]
        entries = await self._standing.entries(record, [one for one in rollups if one.root == ref])
        links = await self._store.links_of(ref)
        roots = {rollup.root for rollup in rollups}
        told = {left.what for one in summaries for left in one.left_out}
        no_links = await self._no_links(record)
        return Explanation(
            item=self.item(record),
            owner=(await self._look.owners()).owner(record),
            notes=tuple(await self._notes(record, roots, counts_in, links)),
            disagreements=tuple(
                await disagreements_of(
                    self._look, record, [one for one in rollups if one.root == ref], now
                )
            ),
            summaries=tuple(summaries),
            counts_in=tuple(counts_in),
            twins=tuple(await self._twinned.groups(ref)),
            links=tuple([await self._linked(link, ref, entries) for link in links]),
            no_links=tuple(one for one in no_links if one.text not in told),
            suggestions=tuple(await suggested(self._look, await self._store.suggestions(ref))),
            values=tuple([await self._standing.value(entry) for entry in entries]),
        )

    async def _counts_in(self, rule: str, root: Ref, member: Member) -> CountsIn:
        by_ref = {one.ref: one for one in await self._store.members(rule, root)}
        path: list[Ref] = []
        step: Member | None = member
        field = ""
        while step is not None and step.ref not in path:
            path.append(step.ref)
            field = step.field
            step = by_ref.get(step.via)
        why = f'named in "{field}"' if field else ""
        if field == ACCEPTED:
            why = await self._look.accepted(root, path[-1])
        return CountsIn(
            initiative=await self._look.item(root),
            rule=rule,
            role=ROLES[member.role],
            path=tuple([(await self._look.item(ref)).label for ref in reversed(path)]),
            field=field,
            counted_as=await counted_as(self._look, member, list(by_ref.values())),
            why=why,
        )

    async def _notes(
        self,
        record: Record,
        roots: set[Ref],
        counts_in: Sequence[CountsIn],
        links: Sequence[Link],
    ) -> Iterable[str]:
        item = self.item(record)
        name = item.key or item.label
        notes = []
        if record.tombstone:
            notes.append(_gone(name, item.tool, record.tombstone))
        notes += [
            f"{name} is set aside since {self._look.day(one.since)}: "
            f"{await self._veil.aside(one.ref, one.reason)}."
            for one in await self._store.quarantine()
            if one.ref == record.ref
        ]
        if not record.tombstone:
            notes += await self._twinned.notes(record)
        if record.archived and record.ref in roots:
            notes.append(f"{name} is archived in {item.tool}: its numbers stay as they were.")
        notes += await self._unfollowed(record, links)
        if record.ref in roots or record.tombstone:
            return notes
        notes += [
            f"{name} is excluded from {one.initiative.label}: canceled."
            for one in counts_in
            if one.role == ROLES[Role.canceled]
        ]
        if counts_in:
            return notes
        if record.kind in NEVER:
            notes += [f"{name} is what {one}." for one in await self._measures(record, links)]
            return [*notes, f"{name} is not counted: {called(item)} never is."]
        if record.detail:
            return [*notes, f"{name} is not counted: {detail(record)}."]
        related = [link for link in links if link.other(record.ref) in roots]
        for link in related:
            other = await self._look.item(link.other(record.ref))
            why = await self._look.sentence(link.evidence[0], record.ref)
            notes.append(f"{name} is not counted in {other.label}: linked only, {why}.")
        if not related and record.archived:
            notes.append(f"{name} is archived in {item.tool}: it is not rolled up.")
        elif not related:
            notes.append(f"{name} is not counted: no initiative reaches it.")
        return notes

    async def _measures(self, record: Record, links: Sequence[Link]) -> list[str]:
        """Whose adoption a flag or an insight tells, since a property names it."""
        if record.kind is not Kind.metric:
            return []
        columns = {c for rule in self._config.rules for c in metric_properties(rule)}
        return [
            f'the "{evidence.field}" of {(await self._look.item(evidence.source)).label} measures'
            for link in links
            for evidence in link.evidence
            if evidence.field in columns and evidence.source != record.ref
        ]

    async def _unfollowed(self, record: Record, links: Sequence[Link]) -> list[str]:
        """What people accepted about a record and is no link (yet)."""
        linked = {
            link.other(record.ref)
            for link in links
            if any(evidence.field == ACCEPTED for evidence in link.evidence)
        }
        notes = []
        for one in await self._store.decisions(record.ref):
            other = one.other(record.ref)
            if not one.accepted or other in linked:
                continue
            why = await self._look.absent(other)
            if why and one.one == record.ref:
                continue  # told among the names that make no link
            state = why or "the next sync follows"
            if record.tombstone:
                state = "kept, and counts when it is back"
            label = (await self._look.item(other)).label
            notes.append(f"{self._look.decided(one)} with {label}: {state}.")
        return notes

    async def _linked(self, link: Link, ref: Ref, entries: Sequence[Entry]) -> Linked:
        other = link.other(ref)
        there = [e for e in await self._store.entries(target=other) if e.slot.other == ref]
        here = [e for e in entries if e.slot.target == ref and e.slot.other == other]
        stands = [
            f"{self._look.catalog.tool(e.slot.target.instance)} "
            f"{self._look.catalog.place(e.slot.target.instance, e.slot.surface)}"
            for e in (*here, *there)
            if _stands(e)
        ]
        why = [await self._look.sentence(evidence, ref) for evidence in link.evidence]
        return Linked(
            item=await self._look.item(other),
            why=tuple(dict.fromkeys(why)),
            stands_at=tuple(dict.fromkeys(stands)),
            why_not="" if stands else await self._unwritten(link, [*here, *there]),
        )

    async def _unwritten(self, link: Link, entries: Sequence[Entry]) -> str:
        """Why a link stands nowhere."""
        reasons = [why for one in entries if (why := why_not(one, self._look.zone))]
        if reasons:
            return reasons[0]
        if self._config.links.mode is Mode.observe:
            return "links are only observed"
        for ref in (link.one, link.two):
            record = await self._look.record(ref)
            if record is None or record.tombstone or record.archived:
                label = (await self._look.item(ref)).label
                return f"{label} is {'archived' if record and record.archived else 'gone'}"
        if any(plain(one.desired) is not None for one in entries):
            return "the next sync may write it"
        kinds = [(await self._look.item(ref)) for ref in (link.one, link.two)]
        named = " or ".join(dict.fromkeys(f"{one.tool} {noun_of(one)}" for one in kinds))
        return f"opsync has no place for it on a {named}"

    async def _no_links(self, record: Record) -> list[NoLink]:
        within = self._config.links.within_instance
        found = []
        for _, mention, candidates in await self._store.mentions_of([record.ref]):
            text = await self._veil.named(record, mention)
            if mention.part == "hint":
                continue
            if mention.field == ACCEPTED:
                if not candidates:
                    label, why = await self._look.kept(record.ref, Ref.parse(mention.alias))
                    found.append(NoLink(label, ACCEPTED, why))
            elif len(candidates) != 1:
                names = [(await self._look.item(ref)).label for ref in candidates]
                why = unresolved(mention, len(candidates), names)
                found.append(NoLink(text, mention.field, why))
            elif (
                candidates[0] != record.ref
                and candidates[0].instance == record.ref.instance
                and not within
            ):
                why = "an item of the same connection: the tool links it itself"
                found.append(NoLink(text, mention.field, why))
        return found


def _stands(entry: Entry) -> bool:
    """Whether what opsync wrote stands there still, as far as it knows."""
    removed = entry.hold is not None and entry.hold.kind is HoldKind.removed
    return plain(entry.applied) is not None and entry.observed != NOTHING and not removed


def _gone(name: str, tool: str, tombstone: str) -> str:
    """Why an item is not there any more."""
    if tombstone == NOT_VISIBLE:
        return f"{name} is {gone_as(tombstone)} in {tool}: numbers that it counted in say so."
    return f"{name} is gone in {tool}: {gone_as(tombstone)}."
