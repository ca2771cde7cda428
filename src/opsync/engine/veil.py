"""What may be shown of words that were kept: they may tell of work that is private by now.

What opsync words anew is worded by what may be shown. What it kept is older: a value that it wrote
while the work was public, a reason that quotes a title, an address in somebody's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace as replaced
from typing import NamedTuple

from msgspec.structs import replace

from opsync.desire import ADOPTION
from opsync.engine.lookup import Lookup
from opsync.model import Change, Mention, Outcome, Record, Ref, Slot, Value
from opsync.model.ledger import Entry, plain, stored
from opsync.model.rules import LINKS_RULE
from opsync.names import KEY, addresses, names_in, untitled
from opsync.report import HeldSlot, PassReport, Planned, PlanReport
from opsync.stages.normalize import ELSEWHERE
from opsync.stages.rollup import PRIVATE

REASON = "private: the reason is not shown"
UNTOLD = "private: the text is not shown"
SPACE = "private"
"""What a team or project is called of which all work is private."""


class _Inside(NamedTuple):
    """The members of one root that may not be named, and what only they tell: their teams."""

    members: Sequence[Record]
    spaces: frozenset[str]


class Veil:
    """Takes out of kept words what may not be shown. One is for one store and one command."""

    def __init__(self, look: Lookup) -> None:
        self._look = look
        self._known: dict[tuple[str, Ref], _Inside] = {}

    async def text(self, text: str) -> str:
        """`text` without the keys and addresses of work that may not be named."""
        spans = list(_names(text))
        if not spans:
            return text
        found = await self._withheld(name for _, _, names in spans for name in names)
        parts = []
        at = 0
        for start, end, names in spans:
            record = next((found[name] for name in names if name in found), None)
            if record is not None:
                parts += [text[at:start], self._instead(record, text[start:end])]
                at = end
        return "".join([*parts, text[at:]])

    async def named(self, source: Record | None, mention: Mention) -> str:
        """A name in somebody's text that leads to no living item, as it may be shown.

        Nobody knows whether an item that was never read is private: of its address the words of a
        title are left out.
        """
        text = mention.text or mention.alias
        found = await self._withheld({mention.alias, *names_in(text)})
        for record in found.values():
            if mention.instance in ("", record.ref.instance):
                return self._instead(record, text)
        if "://" not in text or not mention.instance:
            return text
        if mention.instance == ELSEWHERE:
            # Whose address that is, only its tool knows.
            hidden = source is not None and self._look.catalog.withholds(source)
            return "an address elsewhere" if hidden else text
        return untitled(text, [mention.alias]) or mention.alias

    async def missing(self, root: Record | None, names: Iterable[str]) -> tuple[str, ...]:
        """What a root's delivery summary misses, as it may be shown."""
        mentions = {one.text or one.alias: one for one in (root.mentions if root else ())}
        return tuple(
            [
                await (self.named(root, mentions[name]) if name in mentions else self.text(name))
                for name in names
            ]
        )

    async def aside(self, ref: Ref, reason: str) -> str:
        """Why something is set aside; the reason may quote what could not be read."""
        record = await self._look.record(ref)
        if record is not None and self._look.catalog.withholds(record):
            return REASON
        return await self.text(reason)

    async def reason(self, slot: Slot, reason: str) -> str:
        """Why something is written at a place; that of a link names its other end."""
        return REASON if slot.rule == LINKS_RULE and await self._private(slot) else reason

    async def evidence(self, slot: Slot, evidence: Sequence[str]) -> tuple[str, ...]:
        """The same of the sentences that show it."""
        return () if slot.rule == LINKS_RULE and await self._private(slot) else tuple(evidence)

    async def value(self, slot: Slot, value: Value) -> Value:
        """What stands, stood or should stand at a place."""
        if value is None or isinstance(value, bool | int | float):
            return value
        about = await self._look.record(slot.other)
        if about is not None and self._look.catalog.withholds(about):
            item = self._look.catalog.item(about)
            if isinstance(value, Mapping):
                return {"title": item.label, **({"url": item.url} if item.url else {})}
            if slot.other != slot.target:
                return item.label
            if slot.surface == ADOPTION:
                return UNTOLD
        if isinstance(value, Mapping):
            return value
        if not isinstance(value, str):
            return [await self._entry(slot, one) for one in value]
        if slot.target == slot.other:
            for space in (await self._inside(slot)).spaces:
                value = re.sub(rf"(?<!\w){re.escape(space)}(?!\w)", SPACE, value)
        return await self.text(value)

    async def report(self, report: PassReport) -> PassReport:
        """A pass as it may be shown. What it plans is worded anew; what stands there is not."""
        await self._look.learn({one.slot.other for one in _replacing(report)})
        plan = PlanReport(
            changes=[await self._planned(one) for one in report.plan.changes],
            observed=[await self._planned(one) for one in report.plan.observed],
            proposed=[await self._planned(one) for one in report.plan.proposed],
            held=[await self._held(one) for one in report.plan.held],
            columns=report.plan.columns,
        )
        outcomes = [(await self._change(c), await self._outcome(o)) for c, o in report.outcomes]
        instances = [
            replaced(one, message=await self.text(one.message)) if one.message else one
            for one in report.instances
        ]
        alarms = [
            replace(one, error=await self.text(one.error)) if one.error else one
            for one in report.alarms
        ]
        return replaced(report, plan=plan, outcomes=outcomes, instances=instances, alarms=alarms)

    async def _planned(self, one: Planned) -> Planned:
        change = await self._change(one.change)
        return one if change is one.change else replaced(one, change=change)

    async def _change(self, change: Change) -> Change:
        if change.before is None:
            return change
        slot = change.slot
        before = await self.value(slot, change.before)
        if change.desired is not None:
            return change if before == change.before else replace(change, before=before)
        # The words of a removal are those of what is removed.
        evidence = await self.evidence(slot, change.evidence)
        return replace(change, before=before, evidence=evidence)

    async def _outcome(self, outcome: Outcome) -> Outcome:
        if not outcome.message:
            return outcome
        return replace(outcome, message=await self.text(outcome.message))

    async def _held(self, one: HeldSlot) -> HeldSlot:
        slot, entry = one.entry.slot, one.entry
        kept: Entry = replace(
            entry,
            desired=stored(await self.value(slot, plain(entry.desired))),
            applied=stored(await self.value(slot, plain(entry.applied))),
            observed=(
                None
                if entry.observed is None
                else stored(await self.value(slot, plain(entry.observed)))
            ),
            message=await self.text(entry.message),
            reason=await self.reason(slot, entry.reason),
            evidence=await self.evidence(slot, entry.evidence),
        )
        return replaced(one, entry=kept, why=await self.text(one.why))

    async def _private(self, slot: Slot) -> bool:
        """Whether an end of a link may not be named."""
        ends = [await self._look.record(ref) for ref in (slot.target, slot.other)]
        return any(one is not None and self._look.catalog.withholds(one) for one in ends)

    async def _withheld(self, names: Iterable[str]) -> dict[str, Record]:
        """The records with these names that may not be named, by name."""
        found = await self._look.store.namesakes(names)
        withholds = self._look.catalog.withholds
        hidden = {
            name: [one for one in records if withholds(one)] for name, records in found.items()
        }
        return {name: records[0] for name, records in hidden.items() if records}

    def _instead(self, record: Record, name: str) -> str:
        """What is shown instead of the key or the address of such a record."""
        item = self._look.catalog.item(record)
        if "://" in name:
            return item.url or PRIVATE
        return name if item.key else PRIVATE

    async def _entry(self, slot: Slot, entry: Value) -> Value:
        """One item of a list: a text, or a text with its address."""
        parts = [entry] if isinstance(entry, str) else entry if isinstance(entry, Sequence) else []
        words = " ".join(part for part in parts if isinstance(part, str))
        names = (name for _, _, names in _names(words) for name in names)
        inside = (await self._inside(slot)).members if words else ()
        hidden = [
            *(await self._withheld(names)).values(),
            *(one for one in inside if one.title and one.title in words),
        ]
        if not hidden:
            return entry
        item = self._look.catalog.item(hidden[0])
        return item.label if isinstance(entry, str) else [item.label, item.url]

    async def _inside(self, slot: Slot) -> _Inside:
        """What a root's own texts may not tell. Teams that others are in as well are no secret."""
        key = slot.rule, slot.other
        if key not in self._known:
            members = [
                one
                for one in await self._look.store.private_members(*key)
                if self._look.catalog.withholds(one)
            ]
            spaces = {one.team or one.space for one in members} - {""}
            if spaces:
                rollups = await self._look.store.rollups(slot.rule)
                spaces -= {s.name for one in rollups if one.root == slot.other for s in one.spaces}
            self._known[key] = _Inside(members, frozenset(spaces))
        return self._known[key]


def _replacing(report: PassReport) -> Iterator[Change]:
    """The changes that replace something."""
    planned = (one.change for one in (*report.plan.changes, *report.plan.observed))
    changes = (*planned, *(change for change, _ in report.outcomes))
    return (one for one in changes if one.before is not None)


def _names(text: str) -> Iterator[tuple[int, int, Sequence[str]]]:
    """Where in a text an address or a key stands, and the names in it."""
    at = 0
    for url in addresses(text):
        start = text.index(url, at)
        yield from _keys(text, at, start)
        at = start + len(url)
        yield start, at, sorted(names_in(url))
    yield from _keys(text, at, len(text))


def _keys(text: str, start: int, end: int) -> Iterator[tuple[int, int, Sequence[str]]]:
    for match in KEY.finditer(text, start, end):
        yield match.start(), match.end(), (match.group(),)
