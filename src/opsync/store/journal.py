"""The journal: every write that was tried. Rows are added, never altered, and pruned when old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, RowMapping, func, insert, select, text

from opsync.model import WRITTEN, Change, Outcome, OutcomeKind, Ref, Slot, Value, Verb
from opsync.model.ledger import Hold
from opsync.store.base import Part
from opsync.store.codec import (
    chunks,
    decode_hold,
    decode_inputs,
    decode_words,
    encode_json,
    texts,
    to_ref,
    to_text,
    to_time,
)
from opsync.store.schema import journal
from opsync.store.types import EVERY, JournalRow, Lately


class Journal(Part):
    """Reading the journal."""

    async def journal(
        self,
        *,
        run: int | None = None,
        target: Ref | None = None,
        other: Ref | None = None,
        told_in: Sequence[Ref] = (),
        before: int | None = None,
        limit: int = 100,
    ) -> list[JournalRow]:
        """The last writes, newest first: of a run, of a target, of an other end, or all; those that
        are older than the one whose `seq` is `before`. Those on `told_in` that are about the target
        are among the target's."""
        query = select(journal).order_by(journal.c.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(journal.c.seq < before)
        if run is not None:
            query = query.where(journal.c.run == run)
        if target is not None:
            there = journal.c.target.in_(texts(told_in)) & (journal.c.other == str(target))
            query = query.where((journal.c.target == str(target)) | there)
        if other is not None:
            query = query.where(journal.c.other == str(other))
        return await self._read(lambda c: [_to_row(row) for row in c.execute(query).mappings()])

    async def rewritten(self, since: datetime) -> dict[Slot, datetime]:
        """The values that were written over after `since`, and when they were last."""
        values = {"since": to_text(since)}
        return await self._read(
            lambda c: {_slot(row): to_time(row.at) for row in c.execute(_REWRITTEN, values)}
        )

    async def written_often(self, since: datetime, times: int) -> dict[Slot, int]:
        """The values that were written so many times after `since`, or more often, and how
        often."""
        values = {"since": to_text(since), "times": min(times, EVERY)}
        return await self._read(
            lambda c: {_slot(row): row.times for row in c.execute(_OFTEN, values)}
        )

    async def done_lately(self, since: datetime) -> dict[str, Lately]:
        """By instance how many values runs removed and created after `since`. What a person had
        taken back or given up is not counted."""
        values = {"since": to_text(since)}
        return await self._read(
            lambda c: {
                row.instance: Lately(row.removed, row.created) for row in c.execute(_LATELY, values)
            }
        )

    async def written_about(self, since: datetime, until: datetime) -> dict[Ref, int]:
        """By what they are about how many writes were carried out after `since` and up to
        `until`."""
        values = {"since": to_text(since), "until": to_text(until)}
        return await self._read(
            lambda c: {to_ref(row.other): row.times for row in c.execute(_ABOUT, values)}
        )

    async def journal_of(self, targets: Sequence[Ref]) -> list[JournalRow]:
        """Every write that was tried at these targets, the oldest first."""

        def work(connection: Connection) -> list[JournalRow]:
            found = []
            for part in chunks(texts(targets)):
                query = select(journal).where(journal.c.target.in_(part))
                found += [_to_row(row) for row in connection.execute(query).mappings()]
            return sorted(found, key=lambda row: row.seq)

        return await self._read(work)

    async def journal_in(self, instance: str, stream: str) -> list[JournalRow]:
        """Every write that was tried at the targets of a stream, the oldest first."""
        begin, end = f"{instance}:{stream}:", f"{instance}:{stream};"
        query = select(journal).where(journal.c.target >= begin, journal.c.target < end)
        ordered = query.order_by(journal.c.seq)
        return await self._read(lambda c: [_to_row(row) for row in c.execute(ordered).mappings()])

    async def wrote_last(self, instance: str) -> datetime | None:
        """When something was written last in an instance; None where nothing is known of."""
        query = select(func.max(journal.c.at)).where(
            journal.c.target > f"{instance}:",
            journal.c.target < f"{instance};",
            journal.c.kind.in_([kind.value for kind in WRITTEN]),
        )
        at = await self._read(lambda c: c.scalar(query))
        return None if at is None else to_time(at)

    async def last_writing_run(self) -> int | None:
        """The newest run that wrote anything; None before the first."""
        kinds = [kind.value for kind in WRITTEN]
        query = select(func.max(journal.c.run)).where(journal.c.kind.in_(kinds))
        return await self._read(lambda c: c.scalar(query))


_RECENT = """
FROM journal
WHERE at > :since AND run >= coalesce(
    (SELECT seq FROM runs WHERE started_at <= :since ORDER BY seq DESC LIMIT 1), 0)
"""
"""What was written after a time. Only the runs that may have done so are looked at."""

_REWRITTEN = text(f"""
SELECT target, surface, rule, other, max(at) AS at {_RECENT} AND kind = 'updated'
GROUP BY 1, 2, 3, 4
""")

_OFTEN = text(f"""
SELECT target, surface, rule, other, count(*) AS times {_RECENT}
AND kind IN ('created', 'updated', 'removed')
GROUP BY 1, 2, 3, 4 HAVING count(*) >= :times
""")

_ABOUT = text(f"""
SELECT other, count(*) AS times {_RECENT} AND at <= :until
AND kind IN ('created', 'updated', 'removed')
GROUP BY 1
""")

_LATELY = text(f"""
SELECT substr(target, 1, instr(target, ':') - 1) AS instance,
    sum(kind = 'removed') AS removed, sum(kind = 'created') AS created {_RECENT}
AND kind IN ('created', 'removed')
AND NOT EXISTS (SELECT 1 FROM runs r
    WHERE r.seq = journal.run
    AND (r.command LIKE 'opsync undo%' OR r.command LIKE 'opsync release%'))
GROUP BY 1
""")  # noqa: S608 - made of constants


def _slot(row: Row[Any]) -> Slot:
    return Slot(to_ref(row.target), row.surface, row.rule, to_ref(row.other))


def journal_row(
    run: int, at: datetime, change: Change, outcome: Outcome, over: Hold | None = None
) -> dict[str, object]:
    """One tried write as the journal keeps it; `over` is the hold in place of which an undo or a
    release put its own."""
    slot = change.slot
    return {
        "run": run,
        "at": to_text(at),
        "change": change.id,
        "target": str(slot.target),
        "surface": slot.surface,
        "rule": slot.rule,
        "other": str(slot.other),
        "verb": change.verb.value,
        "kind": outcome.kind.value,
        "before": encode_json(change.before),
        "desired": encode_json(change.desired),
        "after": encode_json(outcome.applied),
        "remote_id": outcome.remote_id or change.remote_id,
        "request_id": outcome.request_id,
        "message": outcome.message,
        "reason": change.reason,
        "evidence": encode_json(change.evidence),
        "inputs": encode_json(change.inputs),
        "theirs": int(change.theirs),
        "over": None if over is None else encode_json(over),
    }


def write_journal(connection: Connection, rows: list[dict[str, object]]) -> None:
    """Add rows."""
    if rows:
        connection.execute(insert(journal), rows)


def _to_row(found: RowMapping) -> JournalRow:
    return JournalRow(
        seq=found["seq"],
        run=found["run"],
        at=to_time(found["at"]),
        change=found["change"],
        slot=Slot(to_ref(found["target"]), found["surface"], found["rule"], to_ref(found["other"])),
        verb=Verb(found["verb"]),
        kind=OutcomeKind(found["kind"]),
        before=_plain(found["before"]),
        desired=_plain(found["desired"]),
        after=_plain(found["after"]),
        remote_id=found["remote_id"],
        request_id=found["request_id"],
        message=found["message"],
        reason=found["reason"],
        evidence=decode_words(found["evidence"]),
        inputs=decode_inputs(found["inputs"]),
        theirs=None if found["theirs"] is None else bool(found["theirs"]),
        over=None if found["over"] is None else decode_hold(found["over"]),
    )


def _plain(stored: bytes) -> Value:
    value: Value = msgspec.json.decode(stored)
    return value
