"""Why an item counts or does not, what it belongs with, and why a value stands where it does.

Everything is taken from the store; no tool is asked and nothing is computed anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from opsync.config import Config
from opsync.engine.catalog import Catalog, Item
from opsync.engine.explained import (
    Counted,
    CountsIn,
    Explanation,
    Input,
    LeftOut,
    Linked,
    Nobody,
    NoLink,
    PlaceValue,
    Summary,
    Write,
)
from opsync.model import Evidence, Kind, Link, Member, Mention, Record, Ref, Role, Rollup
from opsync.model.ledger import Entry, HoldKind, plain
from opsync.model.rules import LINKS_RULE, RollupRule
from opsync.stages.normalize import ELSEWHERE
from opsync.stages.rollup import percent_of
from opsync.store import Store

ROLES = {Role.leaf: "counted", Role.container: "holds others", Role.canceled: "canceled"}

HELD = {
    HoldKind.conflict: "edited by a person; keeps theirs",
    HoldKind.removed: "removed by a person; stays removed",
}

_NEVER = (Kind.document, Kind.metric, Kind.person)


class Explainer:
    """Looks things up in one store."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config = config
        self._store = store
        self._catalog = Catalog(config)
        self._rules: Mapping[str, RollupRule] = {rule.name: rule for rule in config.rules}
        self._known: dict[Ref, Record | None] = {}

    async def find(self, text: str) -> list[Record]:
        """What a person may mean: one if it is plain, else all candidates.

        A whole title wins over a piece of one, and an initiative over others of its title.
        """
        found = await self._store.find(text)
        living = [record for record in found if not record.tombstone] or found
        if len(living) < 2:
            return living
        wanted = text.strip().casefold()
        exact = [one for one in living if wanted in (one.title.casefold(), one.key.casefold())]
        if len(exact) == 1:
            return exact
        roots = {rollup.root for rollup in await self._store.rollups()}
        chosen = [one for one in exact if one.ref in roots]
        return chosen if len(chosen) == 1 else exact or living

    def item(self, record: Record) -> Item:
        """A record as it may be shown."""
        return self._catalog.item(record)

    async def nobody(self, text: str) -> Nobody:
        """Who names something that no item is called."""
        wanted = text.strip().casefold()
        named = []
        for source, mention in await self._store.unresolved():
            if wanted in (mention.alias.casefold(), mention.text.casefold()):
                named.append((await self._item(source), mention.field))
        return Nobody(text.strip(), tuple(named))

    async def explain(self, record: Record) -> Explanation:
        """All about one record."""
        ref = record.ref
        rollups = await self._store.rollups()
        summaries = [
            await self._summary(rollup, record) for rollup in rollups if rollup.root == ref
        ]
        counts_in = [await self._counts_in(*found) for found in await self._store.memberships(ref)]
        entries = await self._entries(record, [one for one in rollups if one.root == ref])
        links = await self._store.links_of(ref)
        roots = {rollup.root for rollup in rollups}
        told = {left.what for summary in summaries for left in summary.left_out}
        no_links = await self._no_links(record)
        return Explanation(
            item=self.item(record),
            notes=tuple(await self._notes(record, roots, counts_in, links)),
            summaries=tuple(summaries),
            counts_in=tuple(counts_in),
            links=tuple([await self._linked(link, ref, entries) for link in links]),
            no_links=tuple(one for one in no_links if one.text not in told),
            values=tuple([await self._value(entry) for entry in entries]),
        )

    async def _record(self, ref: Ref) -> Record | None:
        if ref not in self._known:
            self._known[ref] = await self._store.record(ref)
        return self._known[ref]

    async def _item(self, ref: Ref) -> Item:
        record = await self._record(ref)
        return self.item(record) if record is not None else self._catalog.unread(ref)

    # A delivery summary -----------------------------------------------------------------------

    async def _summary(self, rollup: Rollup, root: Record) -> Summary:
        rule = self._rules.get(rollup.rule)
        members = await self._store.members(rollup.rule, rollup.root)
        counted = [await self._counted(member, root) for member in members]
        return Summary(
            rule=rollup.rule,
            mode=rule.mode.value if rule else "no longer configured",
            properties=rule.properties if rule else (),
            done=rollup.done,
            total=rollup.total,
            blocked=rollup.blocked,
            canceled=rollup.canceled,
            private=rollup.private,
            percent=percent_of(rollup),
            health=rollup.health,
            reason=rollup.reason,
            due_on=rollup.due_on,
            version=rollup.inputs,
            members=tuple(one for one in counted if one.role != ROLES[Role.canceled]),
            left_out=(
                *(LeftOut(c.item.label, "canceled") for c in counted if c.role == "canceled"),
                *await self._left_out(rollup, members, rule),
            ),
            inputs=tuple(await self._inputs(rollup)),
        )

    async def _counted(self, member: Member, root: Record) -> Counted:
        if member.field:
            why = f'named in "{member.field}"'
        elif member.via == root.ref:
            why = f"part of {self.item(root).label}"
        else:
            why = f"part of {(await self._item(member.via)).label}"
        return Counted(item=await self._item(member.ref), role=ROLES[member.role], why=why)

    async def _left_out(
        self, rollup: Rollup, members: Sequence[Member], rule: RollupRule | None
    ) -> list[LeftOut]:
        """What the initiative names or is linked with, and does not count."""
        counted = {member.ref for member in members}
        roots = {one.root for one in await self._store.rollups(rollup.rule)}
        aside = {one.ref: one.reason for one in await self._store.quarantine()}
        found: dict[str, str] = {}
        for mention, candidates in (await self._store.tree(rollup.root)).names:
            if len(candidates) != 1:
                found[mention.text or mention.alias] = _unresolved(mention, len(candidates))
                continue
            (ref,) = candidates
            if ref in counted or ref == rollup.root:
                continue
            record = await self._record(ref)
            label = (await self._item(ref)).label
            if rule and rule.properties and mention.field not in rule.properties:
                found[label] = f'named in "{mention.field}", which the rule does not look at'
            elif ref in aside:
                found[label] = f"set aside: {aside[ref]}"
            elif ref in roots:
                found[label] = "an initiative itself"
            elif record is not None and record.kind in _NEVER:
                found[label] = f"a {record.kind.value} is never counted"
        for link in await self._store.links_of(rollup.root):
            other = link.other(rollup.root)
            label = (await self._item(other)).label
            if other not in counted and label not in found:
                found[label] = f"linked only: {await self._sentence(link.evidence[0], rollup.root)}"
        return [LeftOut(what, why) for what, why in found.items()]

    async def _inputs(self, rollup: Rollup) -> list[Input]:
        cursors = [one for one in await self._store.cursors() if one.instance in rollup.instances]
        found = []
        for name in rollup.instances:
            feeds = [one for one in cursors if one.instance == name]
            read = [one.completed_at for one in feeds if one.completed_at is not None]
            failed = [one.failed_since for one in feeds if one.failed_since is not None]
            found.append(
                Input(
                    instance=name,
                    tool=self._catalog.tool(name),
                    read_at=min(read, default=None),
                    failing_since=min(failed, default=None),
                )
            )
        return found

    # One item ---------------------------------------------------------------------------------

    async def _counts_in(self, rule: str, root: Ref, member: Member) -> CountsIn:
        by_ref = {one.ref: one for one in await self._store.members(rule, root)}
        path: list[Ref] = []
        step: Member | None = member
        field = ""
        while step is not None and step.ref not in path:
            path.append(step.ref)
            field = step.field
            step = by_ref.get(step.via)
        return CountsIn(
            initiative=await self._item(root),
            rule=rule,
            role=ROLES[member.role],
            path=tuple([(await self._item(ref)).label for ref in reversed(path)]),
            field=field,
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
            notes.append(f"{name} is gone in {item.tool}: {record.tombstone}.")
        notes += [
            f"{name} is set aside since {one.since:%Y-%m-%d}: {one.reason}."
            for one in await self._store.quarantine()
            if one.ref == record.ref
        ]
        if record.ref in roots or record.tombstone:
            return notes
        notes += [
            f"{name} is excluded from {one.initiative.label}: canceled."
            for one in counts_in
            if one.role == ROLES[Role.canceled]
        ]
        if counts_in:
            return notes
        if record.kind in _NEVER:
            return [*notes, f"{name} is not counted: a {record.kind.value} never is."]
        related = [link for link in links if link.other(record.ref) in roots]
        for link in related:
            other = await self._item(link.other(record.ref))
            why = await self._sentence(link.evidence[0], record.ref)
            notes.append(f"{name} is not counted in {other.label}: linked only, {why}.")
        if not related:
            notes.append(f"{name} is not counted: no initiative reaches it.")
        return notes

    async def _linked(self, link: Link, ref: Ref, entries: Sequence[Entry]) -> Linked:
        other = link.other(ref)
        there = [e for e in await self._store.entries(target=other) if e.slot.other == ref]
        here = [e for e in entries if e.slot.target == ref and e.slot.other == other]
        stands = [
            f"{self._catalog.tool(e.slot.target.instance)} "
            f"{self._catalog.place(e.slot.target.instance, e.slot.surface)}"
            for e in (*here, *there)
            if plain(e.applied) is not None
        ]
        why = [await self._sentence(evidence, ref) for evidence in link.evidence]
        return Linked(
            item=await self._item(other),
            why=tuple(dict.fromkeys(why)),
            stands_at=tuple(dict.fromkeys(stands)),
        )

    async def _sentence(self, evidence: Evidence, seen_from: Ref) -> str:
        if evidence.source == seen_from:
            return f'this names it in "{evidence.field}"'
        source = await self._item(evidence.source)
        return f'named in "{evidence.field}" of {source.label}'

    async def _no_links(self, record: Record) -> list[NoLink]:
        within = self._config.links.within_instance
        found = []
        for _, mention, candidates in await self._store.mentions_of([record.ref]):
            text = mention.text or mention.alias
            if len(candidates) != 1:
                names = [(await self._item(ref)).label for ref in candidates]
                why = _unresolved(mention, len(candidates), names)
                found.append(NoLink(text, mention.field, why))
            elif (
                candidates[0] != record.ref
                and candidates[0].instance == record.ref.instance
                and not within
            ):
                why = "an item of the same connection: the tool links it itself"
                found.append(NoLink(text, mention.field, why))
        return found

    # Values -----------------------------------------------------------------------------------

    async def _entries(self, record: Record, rollups: Sequence[Rollup]) -> list[Entry]:
        """What opsync keeps at the record's places, and elsewhere about its summaries."""
        found = await self._store.entries(target=record.ref)
        for rollup in rollups:
            for container in rollup.containers:
                for entry in await self._store.entries(target=container.ref):
                    if entry.slot.other == record.ref and entry.slot.rule != LINKS_RULE:
                        found.append(entry)
        return found

    async def _value(self, entry: Entry) -> PlaceValue:
        slot = entry.slot
        rows = await self._store.journal(target=slot.target, limit=500)
        held = ""
        if entry.hold is not None:
            held = HELD.get(entry.hold.kind, entry.hold.kind.value)
        elif entry.outcome == "conflicted":
            held = HELD[HoldKind.conflict]
        return PlaceValue(
            place=self._catalog.place(slot.target.instance, slot.surface),
            tool=self._catalog.tool(slot.target.instance),
            target=await self._item(slot.target),
            about=await self._item(slot.other),
            rule=slot.rule,
            should_be=plain(entry.desired),
            wrote=plain(entry.applied),
            is_now=plain(entry.observed),
            is_now_known=entry.observed is not None,
            read_at=entry.observed_at,
            held=held,
            reason=entry.reason,
            evidence=entry.evidence,
            inputs=entry.inputs,
            message=entry.message,
            writes=tuple(
                Write(
                    run=row.run,
                    at=row.at,
                    verb=row.verb.value,
                    outcome=row.kind.value,
                    before=row.before,
                    after=row.after if row.after is not None else row.desired,
                    reason=row.reason,
                    message=row.message,
                    request_id=row.request_id,
                )
                for row in rows
                if row.slot == slot
            ),
        )


def _unresolved(mention: Mention, candidates: int, names: Sequence[str] = ()) -> str:
    """Why a name leads to no item."""
    if candidates:
        said = f": {', '.join(names)}" if names else ""
        return f"{candidates} items have this name{said}"
    if mention.instance == ELSEWHERE:
        return "an address in a system that is not configured"
    if mention.instance:
        return f"nothing with this address was read from {mention.instance}"
    return "no item has this key"
