"""Writing what is taken back: each place is read by id just before, and held meanwhile.

A value that was taken back must not return because the process died in between, and none may stay
held for that. So its hold is put before its write leaves, marked with the run that began it; what
becomes of it is kept with the outcome of the write. Whatever the run did not come to is as it was
before, once the same is asked for again: that goes on where the first one ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import msgspec

from opsync.contract.connector import Writable
from opsync.current import Opened
from opsync.engine.columns import Columns
from opsync.engine.session import Session, open_instance
from opsync.engine.taken import LeftSlot, TakenBack
from opsync.errors import ConfigError, SignInError
from opsync.model import WRITTEN, Change, Outcome, OutcomeKind, Record, Ref, Seen, Slot, Value, Verb
from opsync.model.ledger import (
    Entry,
    Hold,
    HoldKind,
    change_id,
    given_back,
    plain,
    stored,
    unsure,
)
from opsync.model.undo import TAKEN_BACK, Back, Left, stands_for
from opsync.stages.apply import ApplyReport, TargetWork, apply
from opsync.stages.places import Want, look_at
from opsync.steps.shared import at_once, keep
from opsync.store import EVERY, InstanceRun


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
    the journal gives, `command` what is asked for: where that did not come to its end before, it
    does now. With `dry` it only looks. ConfigError: all writes are paused.
    """
    pauses = await session.store.pauses()
    if pauses.whole is not None and not dry:
        raise ConfigError("all writes are paused", hint="Permit them again: opsync pause --off")
    await columns.find(found)
    begun = [] if dry else await _begun_before(session, command)
    if backs or columns.found:
        asked = {"asked": len(backs)}
        found.run = 0 if dry else await session.store.begin_run(command, counts=asked)
        try:
            taking = _Taking(session, backs, found, why, by, dry)
            await _take(session, backs, found, taking, columns, begun)
        finally:
            session.store.give_up_run(found.run)
    elif begun:
        await session.store.give_back(begun)
    if begun:
        await session.store.repeat_runs(begun)
    return found


async def _begun_before(session: Session, command: str) -> list[int]:
    """The runs that did not come to their end, and do by this: those of the same command, and one
    that is undone by it."""
    return [
        one.seq
        for one in await session.store.interrupted_runs()
        if one.command == command or command == f"opsync undo {one.seq}"
    ]


async def _take(
    session: Session,
    backs: Mapping[Slot, Back],
    found: TakenBack,
    taking: _Taking,
    columns: Columns,
    begun: Iterable[int],
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
        await session.store.give_back({found.run, *begun})
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
            told=session.config.plugins.applied,
            clean=opened.clean,
            keep=partial(keep, store, name, opened) if not self._dry else _keep_nothing,
            may_go=may_go,
            again=again,
            watch=opened.watch,
            unknown=partial(getattr, opened.client, "unknown"),
        )
        self._tell(report, targets, opened)

    def _at(self, target: Record) -> list[Slot]:
        return [slot for slot in self._backs if slot.target == target.ref]

    async def _decide(
        self, work: TargetWork, seen: Sequence[Seen], connector: Writable
    ) -> Sequence[Change]:
        """The changes at one target, with their holds kept before anything is written."""
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
            before = msgspec.structs.replace(entry, intent=unsure(entry))
            wrote = back.wrote if back.wrote is not None else back.value
            here, taken = look_at(work.record, surface, Want(slot, wrote), before, connector, seen)
            now = None if here is None else here.plain()
            theirs = taken and back.wrote is None and back.value is not None
            fate = Left("edited") if theirs else stands_for(back, now)
            begun = stored(now) in (entry.intent, before.intent)
            if (begun and isinstance(fate, Left)) or _twice(before, here, connector, seen):
                fate = Left("written since")
            if isinstance(fate, Left):
                self.leave([slot], fate)
                continue
            remote_id = (here.remote_id if here is not None else "") or entry.remote_id
            change = self._change(entry, back, now, remote_id)
            if fate == "stands":
                # By a run of this kind that was interrupted, or by a person; or what was begun
                # there did not happen.
                kind = _done(change) if begun and change.before != now else OutcomeKind.unchanged
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
        await store.hold_slots(self._holds([*changes, *(change for change, _ in stands)], rows))
        await store.finish_changes(self._found.run, stands, at)
        self._found.done += stands
        return changes

    def _change(self, entry: Entry, back: Back, now: Value, remote_id: str) -> Change:
        slot, held, verb = entry.slot, given_back(entry.hold), Verb.remove
        if back.value is not None:
            verb = Verb.create if now is None else Verb.update
        suffix = TAKEN_BACK if back.hold is not None else ""
        return Change(
            id=f"{change_id(self._found.run, slot)}{suffix}",
            slot=slot,
            verb=verb,
            desired=back.value,
            before=back.wrote if now == back.value else now,
            remote_id=remote_id,
            reason=self._why,
            theirs=entry.ceded or (held is not None and held.kind is HoldKind.theirs),
            settles="free" if back.hold is None and back.again is None else "held",
        )

    def _holds(
        self, changes: Sequence[Change], rows: Mapping[Slot, Entry]
    ) -> Mapping[Slot, Hold | None]:
        """The holds of these while they are written. What is opsync's again afterwards has the one
        that it had, which goes with the write."""
        at, run = self._session.runtime.clock.now(), self._found.run
        holds: dict[Slot, Hold | None] = {}
        for change in changes:
            slot, back = change.slot, self._backs[change.slot]
            row = rows.get(slot, Entry(slot=slot))
            before, made = given_back(row.hold), unsure(row)
            hold = back.again or before
            if back.hold is not None:
                hold = Hold(back.hold, self._by, at, note=self._why)
            if hold is not None:
                holds[slot] = msgspec.structs.replace(
                    hold,
                    begun=run,
                    over=before,
                    unsure=None if made is None else bytes(made).decode(),
                )
        return holds

    def _tell(self, report: ApplyReport, targets: Sequence[TargetWork], opened: Opened) -> None:
        """Take note of what came of it."""
        for change, outcome in report.done:
            if outcome.kind not in WRITTEN and outcome.kind is not OutcomeKind.unchanged:
                why = Left("edited" if outcome.kind is OutcomeKind.conflicted else "failed")
                self.leave([change.slot], why, outcome.message)
        self._found.done += report.done
        self._found.made += [(opened.name, column) for column in report.made]
        self._found.signed_out |= isinstance(report.stopped, SignInError)
        told = {change.slot for change, _ in self._found.done}
        told |= {one.slot for one in self._found.left}
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


def _twice(entry: Entry, here: Seen | None, connector: Writable, seen: Sequence[Seen]) -> bool:
    """Whether something of opsync's stands as well where the slot's interrupted write was to make
    it: one that moves a value may have ended between making the new one and removing the old."""
    made = plain(entry.intent)
    if made is None:
        return False
    surface = entry.slot.surface
    place = (surface, connector.address(surface, made))
    return any(one.ours and one != here and (one.surface, one.address) == place for one in seen)


def _done(change: Change) -> OutcomeKind:
    if change.desired is None:
        return OutcomeKind.removed
    return OutcomeKind.updated if change.before is not None else OutcomeKind.created


async def _keep_nothing() -> None:
    """A look leaves nothing behind."""
