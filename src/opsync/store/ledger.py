"""The ledger: what is desired, applied, observed and intended for each slot."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

import msgspec
from sqlalchemy import (
    Connection,
    RowMapping,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as upsert

from opsync.model import Approval, Change, Outcome, OutcomeKind, Ref, Seen, Slot, Value, seen_hash
from opsync.model.aside import wait_after
from opsync.model.ledger import (
    CONFLICTED,
    LET_BE,
    UNSAID,
    Entry,
    Hold,
    HoldKind,
    Say,
    as_before,
    at_rest,
    say_of,
    stored,
)
from opsync.model.waiting import Waiting
from opsync.store.approving import put_approvals
from opsync.store.base import Part, load
from opsync.store.codec import (
    chunks,
    decode_hold,
    decode_inputs,
    decode_words,
    encode_body,
    encode_json,
    key_of,
    maybe_text,
    maybe_time,
    texts,
    to_ref,
    to_text,
)
from opsync.store.journal import journal_row, write_journal
from opsync.store.keeping import put_kept
from opsync.store.schema import ledger, records
from opsync.store.waiting import put_waits

FIRST_RETRY = timedelta(seconds=60)
LAST_RETRY = timedelta(hours=6)
"""A failed write is tried again after a minute, then after twice as long each time, up to this."""

_KEY = ("target", "surface", "rule", "other")
_WRITTEN = (OutcomeKind.created, OutcomeKind.updated, OutcomeKind.removed, OutcomeKind.unchanged)
_NULL = b"null"

# Used for each batch of writes: to build a statement costs more than to carry it out.
_AT_TARGETS = select(ledger).where(ledger.c.target.in_(bindparam("targets", expanding=True)))
_IDS = select(ledger.c.remote_id).where(
    ledger.c.target.in_(bindparam("targets", expanding=True)),
    ledger.c.instance == bindparam("of"),
    ledger.c.remote_id != "",
)
_SEEN = update(records).where(records.c.ref == bindparam("of"))
_FORGET_EMPTY = delete(ledger).where(
    ledger.c.target.in_(bindparam("targets", expanding=True)),
    ledger.c.desired == _NULL,
    ledger.c.applied == _NULL,
    ledger.c.intent.is_(None),
    ledger.c.hold.is_(None),
)
_AT = tuple(ledger.c[name] == bindparam(f"at_{name}") for name in _KEY)
_ENTRY = select(ledger).where(*_AT)
_HOLD = select(ledger.c.hold).where(*_AT)
_TRIED = select(ledger.c.attempts, ledger.c.outcome, ledger.c.failed_at).where(*_AT)
_CHANGE = update(ledger).where(*_AT)


class Ledger(Part):
    """Keeping slots."""

    async def put_desired(
        self,
        entries: Sequence[Entry],
        waits: Mapping[Slot, Waiting | None] | None = None,
        *,
        before: Iterable[Entry] = (),
    ) -> None:
        """Keep what the plan says about slots, as it says it, and of each that it looked at, for
        what it waits if it does. Of one that is kept and not named there, nothing is known to.

        A slot whose desired value is new may be tried at once, and so may one that was refused,
        once something else stands there. A slot with nothing desired, applied, intended or held
        is forgotten. One that a person has a say in, as none of its rows of `before` has it, was
        decided about since it was planned from these: it stays as they left it.
        """
        known: dict[Slot, set[Say]] = defaultdict(set)
        for one in before:
            known[one.slot].add(say_of(one))
        planned = dict(waits or {})
        slots = [*(one.slot for one in entries), *planned]

        def work(connection: Connection) -> None:
            rows = _before(connection, {slot.target for slot in slots})
            decided = {
                slot
                for slot in slots
                if (row := rows.get(key_of(slot))) is not None
                and _say(row) not in known.get(slot, UNSAID)
            }
            _put_desired(connection, [one for one in entries if one.slot not in decided], rows)
            put_waits(connection, {slot: planned[slot] for slot in planned.keys() - decided})

        if slots:
            await self._write(work)

    async def begin_changes(self, changes: Sequence[Change]) -> list[Change]:
        """Make it durable that these writes are about to leave; returns those that may.

        The others are of slots of which a person decided, since they were planned, that what stands
        there is left alone.
        """
        return await self._write(lambda c: _begin(c, changes)) if changes else []

    async def finish_changes(
        self,
        run: int,
        done: Sequence[tuple[Change, Outcome]],
        at: datetime,
        *,
        next_try: Mapping[str, datetime] | None = None,
        seen: Mapping[Ref, tuple[Seen, ...]] | None = None,
    ) -> None:
        """Keep what came of writes, in the ledger and the journal.

        `seen` is what now stands at the targets' pulled places: it becomes part of their records.

        The intent of an unknown outcome stays, so that the next pass looks first. `next_try` says
        when to try a failed change again (by its id), else it is after a growing pause.
        """
        if done or seen:
            await self._write(lambda c: _finish(c, run, done, at, next_try or {}, seen or {}))

    async def rest_target(self, target: Ref) -> None:
        """Ask for nothing any more at a target that is gone: nothing can be written there.

        What stands there as opsync's, and what a person decided about it, is kept: should the
        target come back, as from a right that was missing, it is opsync's still to take away.
        """
        await self._write(lambda c: _rest_target(c, target))

    async def hold_slots(self, holds: Mapping[Slot, Hold | None]) -> None:
        """Put these holds on slots, known or not, or take the hold away.

        A slot that says nothing without its hold is forgotten.
        """
        rows = [_row(Entry(slot=slot, hold=one)) for slot, one in holds.items()]

        def work(connection: Connection) -> None:
            _put(connection, rows, "hold", "waits")
            _forget_empty(connection, list(holds))

        if rows:
            await self._write(work)

    async def give_back(self, begun: Collection[int]) -> None:
        """Have what these undos and releases began, and did not tell of, as it was before them."""

        def work(connection: Connection) -> None:
            held = connection.execute(select(ledger).where(ledger.c.hold.is_not(None))).mappings()
            left = [one for one in map(to_entry, held) if one.hold and one.hold.begun in begun]
            if left:
                _put(connection, [_row(as_before(one)) for one in left], "hold", "intent", "waits")
                _forget_empty(connection, [one.slot for one in left])

        await self._write(work)

    async def settle(
        self,
        entries: Sequence[Entry],
        approvals: Sequence[Approval] = (),
        *,
        before: Sequence[Entry] = (),
        kept: Mapping[str, Mapping[str, Value]] | None = None,
    ) -> bool:
        """Keep slots as a person settled them: what is to be written there may be tried at once.
        What is to be `kept` for instances with it is, in the same moment.

        False, and nothing is kept, where one of them is not as `before` has it any more: a pass
        that goes on meanwhile has written there.
        """

        def work(connection: Connection) -> bool:
            for one in before:
                row = connection.execute(_ENTRY, _at(one.slot)).mappings().first()
                if row is None or to_entry(row) != one:
                    return False
            rows = [_row(entry) for entry in entries]
            _put(connection, rows, *(name for name in rows[0] if name not in _KEY))
            _forget_empty(connection, [entry.slot for entry in entries])
            put_approvals(connection, approvals)
            for instance, values in (kept or {}).items():
                put_kept(connection, instance, values)
            return True

        return not entries or await self._write(work)

    async def entry(self, slot: Slot) -> Entry | None:
        """One slot."""

        def work(connection: Connection) -> Entry | None:
            row = connection.execute(_ENTRY, _at(slot)).mappings().first()
            return None if row is None else to_entry(row)

        return await self._read(work)

    async def entries(
        self,
        *,
        target: Ref | None = None,
        other: Ref | None = None,
        instance: str | None = None,
        held: HoldKind | bool | None = None,
        limit: int = 1000,
    ) -> list[Entry]:
        """Slots by target, by the other end, by instance, or by hold (a kind, any, or none)."""
        query = select(ledger).order_by(*ledger.primary_key.columns)
        if target is not None:
            query = query.where(ledger.c.target == str(target))
        if other is not None:
            query = query.where(ledger.c.other == str(other))
        if instance is not None:
            query = query.where(ledger.c.instance == instance)
        if held is False:
            query = query.where(ledger.c.hold.is_(None))
        elif held is not None:
            query = query.where(ledger.c.hold.is_not(None))
        if not isinstance(held, HoldKind):
            query = query.limit(limit)

        def work(connection: Connection) -> list[Entry]:
            found = [to_entry(row) for row in connection.execute(query).mappings()]
            if isinstance(held, HoldKind):
                found = [one for one in found if one.hold and one.hold.kind is held]
            return found[:limit]

        return await self._read(work)

    async def owned_counts(self) -> dict[str, int]:
        """How many values are opsync's in each instance: `Entry.owned`. Costs a look at each slot,
        of which only those that are held are read whole."""
        free = (
            select(ledger.c.instance, func.count().label("values"))
            .where(ledger.c.hold.is_(None))
            .where((ledger.c.applied != _NULL) | ledger.c.intent.is_not(None))
            .group_by(ledger.c.instance)
        )
        held = select(ledger).where(ledger.c.hold.is_not(None))

        def work(connection: Connection) -> dict[str, int]:
            found = Counter({row[0]: row[1] for row in connection.execute(free)})
            entries = map(to_entry, connection.execute(held).mappings())
            found.update(one.slot.target.instance for one in entries if one.owned)
            return dict(found)

        return await self._read(work)

    async def owned_ids(self, instance: str, targets: Sequence[Ref]) -> set[str]:
        """The vendor's ids of all that opsync wrote onto these targets."""

        def work(connection: Connection) -> set[str]:
            found: set[str] = set()
            for part in chunks(texts(targets)):
                values = {"targets": part, "of": instance}
                found.update(connection.execute(_IDS, values).scalars())
            return found

        return await self._read(work)


def to_entry(found: RowMapping) -> Entry:
    """A ledger row as a value."""
    return Entry(
        slot=Slot(to_ref(found["target"]), found["surface"], found["rule"], to_ref(found["other"])),
        desired=msgspec.Raw(found["desired"]),
        applied=msgspec.Raw(found["applied"]),
        asked=msgspec.Raw(found["asked"]),
        remote_id=found["remote_id"],
        observed=_maybe_raw(found["observed"]),
        observed_at=maybe_time(found["observed_at"]),
        intent=_maybe_raw(found["intent"]),
        hold=None if found["hold"] is None else decode_hold(found["hold"]),
        outcome=found["outcome"],
        message=found["message"],
        attempts=found["attempts"],
        next_try_at=maybe_time(found["next_try_at"]),
        reason=found["reason"],
        evidence=decode_words(found["evidence"]),
        inputs=decode_inputs(found["inputs"]),
        ceded=bool(found["ceded"]),
    )


def _maybe_raw(value: bytes | None) -> msgspec.Raw | None:
    return None if value is None else msgspec.Raw(value)


def _maybe_bytes(value: msgspec.Raw | None) -> bytes | None:
    return None if value is None else bytes(value)


def _at(slot: Slot) -> dict[str, object]:
    return {f"at_{name}": one for name, one in zip(_KEY, key_of(slot), strict=True)}


def _row(entry: Entry) -> dict[str, object]:
    slot = entry.slot
    return {
        "target": str(slot.target),
        "surface": slot.surface,
        "rule": slot.rule,
        "other": str(slot.other),
        "instance": slot.target.instance,
        "desired": bytes(entry.desired),
        "applied": bytes(entry.applied),
        "asked": bytes(entry.asked),
        "remote_id": entry.remote_id,
        "observed": _maybe_bytes(entry.observed),
        "observed_at": maybe_text(entry.observed_at),
        "intent": _maybe_bytes(entry.intent),
        "hold": None if entry.hold is None else encode_json(entry.hold),
        "outcome": entry.outcome,
        "message": entry.message,
        "attempts": entry.attempts,
        "next_try_at": maybe_text(entry.next_try_at),
        "retry": 1,
        "reason": entry.reason,
        "evidence": encode_json(entry.evidence),
        "inputs": encode_json(entry.inputs),
        "waits": "",
        "ceded": int(entry.ceded),
    }


def _put(connection: Connection, rows: list[dict[str, object]], *names: str) -> None:
    """Insert rows; of those that are there, only the columns of these names are replaced."""
    connection.execute(_put_only(names), rows)


@cache
def _put_only(names: tuple[str, ...]) -> Insert:
    new = upsert(ledger)
    changes = {name: new.excluded[name] for name in names}
    return new.on_conflict_do_update(index_elements=list(_KEY), set_=changes)


def _rest_target(connection: Connection, target: Ref) -> None:
    rows = connection.execute(select(ledger).where(ledger.c.target == str(target))).mappings()
    found = [to_entry(row) for row in rows]
    kept = [at_rest(one) for one in found]
    if kept == found:
        return
    connection.execute(delete(ledger).where(ledger.c.target == str(target)))
    if left := [one for one in kept if one is not None]:
        connection.execute(insert(ledger), [_row(one) for one in left])


def _put_desired(
    connection: Connection, entries: Sequence[Entry], before: Mapping[tuple[str, ...], RowMapping]
) -> None:
    rows = []
    for entry in entries:
        row, old = _row(entry), before.get(key_of(entry.slot))
        if old is not None:
            if row["desired"] != old["desired"]:
                row |= {"attempts": 0, "next_try_at": None}
            elif row["observed"] == old["observed"]:
                # What is planned anew is no longer what was refused.
                row["retry"] = old["retry"] if row["outcome"] else 1
            elif not old["retry"]:
                row["next_try_at"] = None
        rows.append(row)
    if rows:
        _put(connection, rows, *(name for name in rows[0] if name not in _KEY))
    _forget_empty(connection, [entry.slot for entry in entries])


def _say(row: RowMapping) -> Say:
    hold = None if row["hold"] is None else decode_hold(row["hold"])
    return hold, row["outcome"] == CONFLICTED


def _is_let_be(row: RowMapping) -> bool:
    """Whether a person decided that what stands there is left alone."""
    return row["hold"] is not None and decode_hold(row["hold"]).kind in LET_BE


def _before(connection: Connection, targets: Iterable[Ref]) -> dict[tuple[str, ...], RowMapping]:
    found: dict[tuple[str, ...], RowMapping] = {}
    for part in chunks(texts(targets)):
        for row in connection.execute(_AT_TARGETS, {"targets": part}).mappings():
            found[tuple(row[name] for name in _KEY)] = row
    return found


def _forget_empty(connection: Connection, slots: Sequence[Slot]) -> None:
    for part in chunks(texts([slot.target for slot in slots])):
        connection.execute(_FORGET_EMPTY, {"targets": part})


def _begin(connection: Connection, changes: Sequence[Change]) -> list[Change]:
    found = _before(connection, [change.slot.target for change in changes])
    let_be = {key for key, row in found.items() if _is_let_be(row)}
    # An undo, or a release, put the hold there itself.
    changes = [one for one in changes if one.settles or key_of(one.slot) not in let_be]
    rows = [
        _row(
            Entry(
                slot=change.slot,
                desired=stored(change.desired),
                intent=stored(change.desired),
                remote_id=change.remote_id,
                reason=change.reason,
                evidence=change.evidence,
                inputs=change.inputs,
            )
        )
        for change in changes
    ]
    if rows:
        _put(connection, rows, "intent", "next_try_at", "waits")
    return changes


def _finish(
    connection: Connection,
    run: int,
    done: Sequence[tuple[Change, Outcome]],
    at: datetime,
    next_try: Mapping[str, datetime],
    seen: Mapping[Ref, tuple[Seen, ...]],
) -> None:
    for ref, record in load(connection, list(seen)).items():
        body = encode_body(msgspec.structs.replace(record, seen=seen[ref]))
        digest = seen_hash(seen[ref], complete=record.seen_complete)
        connection.execute(_SEEN, {"of": str(ref), "body": body, "seen_hash": digest})
    journal = []
    for change, outcome in done:
        asked = change.settles or change.over_edit
        hold = _hold(connection, change.slot) if asked else None
        over = None if hold is None else hold.over
        journal.append(journal_row(run, at, change, outcome, over))
        values: dict[str, object] = {"outcome": outcome.kind.value, "message": outcome.message}
        failed = outcome.kind is OutcomeKind.failed
        if failed:
            before = connection.execute(_TRIED, _at(change.slot)).first()
            attempts = before.attempts if before else 0
            failing = before is not None and (attempts or before.outcome == "failed")
            since = before.failed_at if before and failing else None
            wait = pause(attempts) if outcome.retryable else wait_after(attempts)
            values |= {
                "attempts": attempts + 1,
                "retry": int(outcome.retryable),
                "next_try_at": to_text(next_try.get(change.id) or at + wait),
                "failed_at": since or to_text(at),
            }
            if change.over_edit:
                values["outcome"] = CONFLICTED  # the person's value stands there still
        else:
            written = outcome.kind in _WRITTEN
            values |= {
                "attempts": 0,
                "next_try_at": None,
                "retry": int(written),
                "failed_at": None,
            }
        if outcome.kind in _WRITTEN:
            applied = bytes(stored(outcome.applied))
            values |= {
                "applied": applied,
                "asked": bytes(stored(change.desired)),
                "observed": applied,
                "observed_at": to_text(at),
                "remote_id": outcome.remote_id if outcome.applied is not None else "",
                "ceded": 0,
            }
            said = hold is not None and hold.kind in LET_BE
            if change.settles == "free" or (change.over_edit and not said):
                values["hold"] = None
            elif change.settles == "held" and hold is not None:
                told = msgspec.structs.replace(hold, begun=0, over=None, unsure=None)
                values["hold"] = encode_json(told)
        if not outcome.unknown and not (failed and change.interrupted):
            # What an earlier write began is no clearer by one that was refused.
            values["intent"] = None
        connection.execute(_CHANGE, values | _at(change.slot))
    _forget_empty(connection, [change.slot for change, _ in done])
    write_journal(connection, journal)


def _hold(connection: Connection, slot: Slot) -> Hold | None:
    hold = connection.scalar(_HOLD, _at(slot))
    return None if hold is None else decode_hold(hold)


def pause(attempts: int) -> timedelta:
    """How long to wait after a failure that had this many before it."""
    doublings = min(attempts, 16)
    return min(FIRST_RETRY * (1 << doublings), LAST_RETRY)
