"""Taking back what opsync wrote: undoing a run, a change or an item, and removing what is released.

It is a run of its own, with its changes in the journal, so that it can be undone as well. Each
place is read by id just before; what does not stand there as opsync wrote it is left and told.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from opsync.contract.connector import Writable
from opsync.current import Opened
from opsync.engine.columns import Columns
from opsync.engine.session import Session, open_instance
from opsync.engine.taken import LeftSlot, TakenBack
from opsync.errors import ConfigError, SignInError
from opsync.model import WRITTEN, Change, Outcome, OutcomeKind, Record, Ref, Seen, Slot, Verb
from opsync.model.column import is_column
from opsync.model.ledger import Entry, Hold, digest, stored
from opsync.model.undo import TAKEN_BACK, Back, Left, Written, stands_for, undo_of
from opsync.stages.apply import ApplyReport, TargetWork, apply
from opsync.stages.places import Want, look_at
from opsync.steps.shared import at_once, keep
from opsync.store import InstanceRun, JournalRow, Store

EVERY = 2**63 - 1
"""The greatest number of rows that SQLite takes as a limit."""

_RUN = re.compile(r"\d{1,18}")
_CHANGE = re.compile(r"\d{1,18}-[0-9a-f]{8}(?:-[a-z]+)?")


def is_run(text: str) -> bool:
    """Whether a text names a run."""
    return _RUN.fullmatch(text) is not None


def is_change(text: str) -> bool:
    """Whether a text names a change: "12-9c1b2f04"."""
    return _CHANGE.fullmatch(text) is not None


async def writes_of(
    store: Store, *, run: int | None = None, change: str = "", item: Ref | None = None
) -> list[JournalRow]:
    """The writes that were carried out of a run, of one change, or at and about an item."""
    if change:
        run = int(change.partition("-")[0])
    if item is not None:
        at_it = await store.journal(target=item, limit=EVERY)
        about_it = await store.journal(other=item, limit=EVERY)
        found = list({row.seq: row for row in (*at_it, *about_it)}.values())
    else:
        found = await store.journal(run=run, limit=EVERY)
    return [row for row in found if row.kind in WRITTEN and (not change or row.change == change)]


async def writes_of_changes(store: Store, changes: Iterable[str]) -> list[JournalRow]:
    """The writes that were carried out of all of these changes."""
    wanted = set(changes)
    runs = sorted({int(change.partition("-")[0]) for change in wanted if is_change(change)})
    return [row for run in runs for row in await writes_of(store, run=run) if row.change in wanted]


def undoes(rows: Sequence[JournalRow]) -> bool:
    """Whether all of these took something back: undoing them lets go of it."""
    return all(row.change.endswith(TAKEN_BACK) for row in rows if not is_column(row.slot))


async def undo(
    session: Session, chosen: Sequence[JournalRow], *, why: str, by: str, dry: bool = False
) -> TakenBack:
    """Put back what stood before these writes. What is undone stays so until a person lets go.

    A column that one of them made goes with them, if nothing is in it then. One that was removed
    is made again when a value is put back into it.
    """
    columns = Columns(session, why, made=[row.slot for row in chosen if is_column(row.slot)])
    chosen = [row for row in chosen if not is_column(row.slot)]
    history: dict[Slot, list[Written]] = defaultdict(list)
    for row in await session.store.journal_of(sorted({row.slot.target for row in chosen})):
        if row.kind in WRITTEN:
            history[row.slot].append(Written(row.seq, row.run, row.change, row.before, row.after))
    seqs = frozenset(row.seq for row in chosen)
    backs: dict[Slot, Back] = {}
    found = TakenBack()
    for slot in sorted({row.slot for row in chosen}):
        writes = history[slot]
        decided = undo_of(writes, seqs)
        if isinstance(decided, Back):
            backs[slot] = decided
        elif decided.why != "as before":
            nothing = Back(None, writes[-1].after, None)
            found.left.append(LeftSlot(slot, nothing, decided))
    return await take_back(
        session, backs, found, why=why, by=by, command="opsync undo", columns=columns, dry=dry
    )


async def take_back(
    session: Session,
    backs: Mapping[Slot, Back],
    found: TakenBack,
    *,
    why: str,
    by: str,
    command: str,
    columns: Columns,
    dry: bool = False,
) -> TakenBack:
    """Write these, each only where what opsync wrote stands; returns `found` with what came of it.

    `columns` are taken away after them, where nothing is in them then. `why` is the reason that
    the journal gives; with `dry` it only looks. ConfigError: all writes are paused.
    """
    pauses = await session.store.pauses()
    if pauses.whole is not None and not dry:
        raise ConfigError("all writes are paused", hint="Permit them again: opsync pause --off")
    await columns.find(found)
    if not backs and not columns.found:
        return found
    found.run = 0 if dry else await session.store.begin_run(command)
    try:
        await _take(session, backs, found, _Taking(session, backs, found, why, by, dry), columns)
    finally:
        session.store.give_up_run(found.run)
    return found


async def _take(
    session: Session,
    backs: Mapping[Slot, Back],
    found: TakenBack,
    taking: _Taking,
    columns: Columns,
) -> None:
    pauses, dry = await session.store.pauses(), not found.run
    work: dict[str, list[TargetWork]] = defaultdict(list)
    by_target: dict[Ref, list[Slot]] = defaultdict(list)
    for slot in backs:
        by_target[slot.target].append(slot)
    records = await session.store.records_of(sorted(by_target))
    for target, slots in sorted(by_target.items()):
        instance = session.config.instances.get(target.instance)
        record = records.get(target)
        if instance is None:
            taking.leave(slots, Left("not configured"))
        elif record is None or record.tombstone:
            taking.leave(slots, Left("gone"))
        elif pauses.of(target.instance) is not None and not dry:
            taking.leave(slots, Left("paused"))
        else:
            entries = await session.store.entries(target=target, limit=EVERY)
            work[target.instance].append(TargetWork(record, (), entries, ()))
    await at_once(taking.instance(name, targets) for name, targets in sorted(work.items()))
    await columns.take(found, dry=dry)
    if not dry:
        await session.store.finish_run(
            found.run,
            outcome="done in part" if found.exit_code else "done",
            instances=[
                InstanceRun(name, "not read", "", {}) for name in sorted({*work, *columns.found})
            ],
            counts={
                "applied": len(found.written) + len(found.columns),
                "left": len(found.left) + len(found.columns_left),
            },
            complete=False,
        )


class _Taking:
    """Takes back what is asked, one instance after the other's targets."""

    def __init__(
        self,
        session: Session,
        backs: Mapping[Slot, Back],
        found: TakenBack,
        why: str,
        by: str,
        dry: bool,
    ) -> None:
        self._session = session
        self._backs = backs
        self._found = found
        self._why = why
        self._by = by
        self._dry = dry

    def leave(self, slots: Sequence[Slot], left: Left, message: str = "") -> None:
        """Take note that slots are left."""
        self._found.left += [LeftSlot(slot, self._backs[slot], left, message) for slot in slots]

    async def instance(self, name: str, targets: Sequence[TargetWork]) -> None:
        """Take back one instance's."""
        session, store = self._session, self._session.store
        opened = await open_instance(session.config.instances[name], session)
        connector = opened.connector
        if not isinstance(connector, Writable):
            self.leave([s for one in targets for s in self._at(one.record)], Left("not configured"))
            return

        async def may_go() -> bool:
            return self._dry or (await store.pauses()).of(name) is None

        async def again(work: TargetWork, seen: Sequence[Seen]) -> Sequence[Change]:
            return await self._decide(work, seen, connector)

        report = await apply(
            connector,
            targets,
            store,
            session.runtime.clock,
            self._found.run,
            session.config.plugins.applied,
            opened.clean,
            partial(keep, store, name, opened) if not self._dry else _keep_nothing,
            may_go,
            again,
            opened.watch,
            partial(getattr, opened.client, "unknown"),
        )
        await self._settle(report, targets, opened)

    def _at(self, target: Record) -> list[Slot]:
        return [slot for slot in self._backs if slot.target == target.ref]

    async def _decide(
        self, work: TargetWork, seen: Sequence[Seen], connector: Writable
    ) -> Sequence[Change]:
        """The changes at one target, with their holds kept before anything is written: a value
        that was taken back must not return because the process died in between."""
        surfaces = {surface.name: surface for surface in connector.surfaces}
        rows = {entry.slot: entry for entry in work.entries}
        changes: list[Change] = []
        stands: list[tuple[Change, Outcome]] = []
        for slot in self._at(work.record):
            back = self._backs[slot]
            surface = surfaces.get(slot.surface)
            if surface is None:
                self.leave([slot], Left("not configured"))
                continue
            entry = rows.get(slot, Entry(slot=slot, applied=stored(back.wrote)))
            wrote = back.wrote if back.wrote is not None else back.value
            here, taken = look_at(work.record, surface, Want(slot, wrote), entry, connector, seen)
            now = None if here is None else here.plain()
            fate = Left("edited") if taken and back.wrote is None else stands_for(back, now)
            begun = entry.intent is not None and stored(now) == entry.intent
            if isinstance(fate, Left):
                left = Left("written since") if begun else fate
                self.leave([slot], left)
                continue
            remote_id = (here.remote_id if here is not None else "") or entry.remote_id
            change = self._change(slot, back, now, remote_id)
            if fate == "stands":
                # By a run of this kind that was interrupted, or by a person.
                kind = _done(change) if begun else OutcomeKind.unchanged
                stands.append(
                    (change, Outcome(change=change.id, kind=kind, applied=now, remote_id=remote_id))
                )
            elif (objection := self._session.config.plugins.veto(change)) is not None:
                self.leave([slot], Left("vetoed"), objection)
            else:
                changes.append(change)
        if self._dry:
            self._found.would += changes
            return ()
        store, at = self._session.store, self._session.runtime.clock.now()
        await store.hold_slots(self._holds([*changes, *(change for change, _ in stands)]))
        await store.finish_changes(self._found.run, stands, at)
        await self._let_go([change for change, _ in stands])
        return changes

    def _change(self, slot: Slot, back: Back, now: object, remote_id: str) -> Change:
        verb = Verb.remove
        if back.value is not None:
            verb = Verb.create if now is None else Verb.update
        suffix = TAKEN_BACK if back.hold is not None else ""
        return Change(
            id=f"{self._found.run}-{digest(stored(str(slot)))[:8]}{suffix}",
            slot=slot,
            verb=verb,
            desired=back.value,
            before=back.wrote,
            remote_id=remote_id,
            reason=self._why,
        )

    def _holds(self, changes: Sequence[Change]) -> Mapping[Slot, Hold | None]:
        at = self._session.runtime.clock.now()
        return {
            change.slot: Hold(back.hold, self._by, at, note=self._why)
            for change in changes
            if (back := self._backs[change.slot]).hold is not None
        }

    async def _let_go(self, changes: Sequence[Change]) -> None:
        """Take the hold from what is opsync's again."""
        await self._session.store.hold_slots(
            {one.slot: None for one in changes if self._backs[one.slot].hold is None}
        )

    async def _settle(
        self, report: ApplyReport, targets: Sequence[TargetWork], opened: Opened
    ) -> None:
        """Take note of what came of it. What was not written has the hold that it had before."""
        rows = {entry.slot: entry for one in targets for entry in one.entries}
        written, failed = [], {}
        for change, outcome in report.done:
            if outcome.kind in WRITTEN or outcome.kind is OutcomeKind.unchanged:
                written.append(change)
            else:
                before = rows.get(change.slot)
                failed[change.slot] = before.hold if before is not None else None
                why = Left("edited" if outcome.kind is OutcomeKind.conflicted else "failed")
                self.leave([change.slot], why, outcome.message)
        self._found.done += report.done
        self._found.made += [(opened.name, column) for column in report.made]
        self._found.signed_out |= isinstance(report.stopped, SignInError)
        store = self._session.store
        if self._dry:
            failed.clear()
        await store.hold_slots(failed)
        await self._let_go(written)
        told = {change.slot for change, _ in report.done} | {one.slot for one in self._found.left}
        told |= {change.slot for change in self._found.would}
        for work in report.unread:
            message = opened.clean(report.stopped.message) if report.stopped is not None else ""
            slots = [slot for slot in self._at(work.record) if slot not in told]
            self.leave(slots, Left("unread"), message)
            told |= set(slots)
        if report.paused or report.stopped is not None:
            message = opened.clean(report.stopped.message) if report.stopped is not None else ""
            rest = [slot for one in targets for slot in self._at(one.record) if slot not in told]
            self.leave(rest, Left("paused" if report.paused else "unread"), message)


def _done(change: Change) -> OutcomeKind:
    if change.desired is None:
        return OutcomeKind.removed
    return OutcomeKind.updated if change.before is not None else OutcomeKind.created


async def _keep_nothing() -> None:
    """A look leaves nothing behind."""
