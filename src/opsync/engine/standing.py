"""The values that opsync keeps about an item, at its places and elsewhere, with their history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from opsync.engine.explained import PlaceValue, Write
from opsync.engine.lookup import Lookup
from opsync.engine.veil import Veil
from opsync.model import Kind, OutcomeKind, Record, Ref, Rollup, Slot
from opsync.model.ledger import CONFLICTED, SKIPPED, Entry, HoldKind, plain
from opsync.model.rules import LINKS_RULE
from opsync.model.value import NOTHING
from opsync.noting import HELD, held_text
from opsync.store import JournalRow

LEFT_ALONE = "somebody linked them already"
WRITES = 500
"""So many of the last writes are looked through for those of a value."""


class Standing:
    """Looks values up in one store."""

    def __init__(self, look: Lookup, veil: Veil) -> None:
        self._look = look
        self._store = look.store
        self._veil = veil
        self._journals: dict[tuple[Ref, Ref | None], list[JournalRow]] = {}

    async def entries(self, record: Record, rollups: Sequence[Rollup]) -> list[Entry]:
        """What opsync keeps at the record's places, and elsewhere about its summaries."""
        found = await self._store.entries(target=record.ref)
        for rollup in rollups:
            for container in rollup.containers:
                for entry in await self._store.entries(target=container.ref):
                    if entry.slot.other == record.ref and entry.slot.rule != LINKS_RULE:
                        found.append(entry)
        for product in await self._look.products():
            if product != record.ref:
                found += await self._store.entries(target=product, other=record.ref)
        return found

    async def value(self, entry: Entry) -> PlaceValue:
        slot = entry.slot
        rows = await self._rows(slot)
        held = held_why(entry, self._look.zone)
        veil = self._veil
        return PlaceValue(
            place=self._look.catalog.place(slot.target.instance, slot.surface),
            surface=slot.surface,
            tool=self._look.catalog.tool(slot.target.instance),
            target=await self._look.item(slot.target),
            about=await self._look.item(slot.other),
            rule=slot.rule,
            approved=(await self._look.approvals()).of_value(entry),
            should_be=await veil.value(slot, plain(entry.desired)),
            wrote=await veil.value(slot, None if entry.ceded else plain(entry.applied)),
            is_now=await veil.value(slot, plain(entry.observed)),
            is_now_known=entry.observed is not None,
            read_at=entry.observed_at,
            held=held,
            held_since=entry.hold.at if entry.hold is not None else None,
            held_until=entry.hold.until if entry.hold is not None else None,
            rests_until=None if held else await self._rests_until(entry, rows),
            left_alone=LEFT_ALONE if entry.outcome == SKIPPED else "",
            reason=await veil.reason(slot, entry.reason),
            evidence=await veil.evidence(slot, entry.evidence),
            inputs=entry.inputs,
            message=await veil.text(entry.message),
            writes=tuple([await self._write(row) for row in rows if row.slot.place == slot.place]),
        )

    async def _rows(self, slot: Slot) -> list[JournalRow]:
        """The writes at a value's target, or of a release, which has its target with all others."""
        shared = slot.target in await self._look.products()
        key = slot.target, slot.other if shared else None
        if key not in self._journals:
            self._journals[key] = await self._store.journal(
                target=slot.target, other=key[1], limit=WRITES
            )
        return self._journals[key]

    async def _rests_until(self, entry: Entry, rows: Iterable[JournalRow]) -> datetime | None:
        """When what should stand on an issue may be written over what was rewritten last; None
        where nothing waits for that."""
        record = await self._look.record(entry.slot.target)
        if not entry.pending or record is None or record.kind is not Kind.issue:
            return None
        if entry.intent is not None or NOTHING in (entry.applied, entry.desired):
            return None
        written = [one for one in rows if one.slot == entry.slot]
        last = max((one.at for one in written if one.kind is OutcomeKind.updated), default=None)
        return None if last is None else last + self._look.rewrite_pause

    async def _write(self, row: JournalRow) -> Write:
        after = row.after if row.after is not None else row.desired
        return Write(
            run=row.run,
            at=row.at,
            verb=row.verb.value,
            outcome=row.kind.value,
            before=await self._veil.value(row.slot, row.before),
            after=await self._veil.value(row.slot, after),
            reason=await self._veil.reason(row.slot, row.reason),
            message=await self._veil.text(row.message),
            request_id=row.request_id,
        )


def held_why(entry: Entry, zone: tzinfo) -> str:
    """Why a value is held; "" for one that is not."""
    if entry.hold is not None:
        return held_text(entry.hold, zone)
    return HELD[HoldKind.conflict] if entry.outcome == CONFLICTED else ""


def why_not(entry: Entry, zone: tzinfo) -> str:
    """What keeps a link from being written at a place, as far as the place itself tells."""
    if entry.outcome == SKIPPED:
        return LEFT_ALONE
    if entry.outcome == OutcomeKind.failed.value:
        return f"it failed: {entry.message}"
    return held_why(entry, zone)
