"""Apply: write one instance's changes, each with its intent durable before the request leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

import msgspec
import structlog

from opsync.contract.connector import Writable
from opsync.errors import OpsyncError, SignInError, StoreError, TemporaryError
from opsync.http.stillness import Watch, each, unwatched
from opsync.inert import inert_text
from opsync.model import (
    WRITTEN,
    Change,
    MadeColumn,
    Outcome,
    OutcomeKind,
    Record,
    Ref,
    Seen,
    Slot,
    seen_after,
)
from opsync.model.column import column_change
from opsync.model.ledger import Entry
from opsync.runtime import Clock
from opsync.stages.places import Want
from opsync.stages.plan import TargetPlan, plan
from opsync.store import Store

_log = structlog.get_logger(__name__)


SIGHT_LASTS = timedelta(minutes=5)
"""What was read so long ago is looked at once more before it is written over."""

LEAVE_LASTS_S = 5.0
"""So long after it was asked whether it may be written, it is asked again."""

Again = Callable[["TargetWork", Sequence[Seen]], Awaitable[Sequence[Change]]]
"""Decides what to write at a target from what was just seen there, instead of planning again."""


async def _nothing() -> None:
    """Keep nothing."""


async def _always() -> bool:
    """Go on."""
    return True


def _unopposed(change: Change) -> str | None:
    """Let it pass."""
    return None


@dataclass(frozen=True, slots=True)
class TargetWork:
    """One target with its plan, what it was planned from, and the initiatives that it is for.
    `kept` are the rows that the plan made of `entries`."""

    record: Record
    wants: Sequence[Want]
    entries: Sequence[Entry]
    changes: Sequence[Change]
    roots: Sequence[Record] = ()
    resting: Mapping[Slot, datetime] = field(default_factory=dict)
    read_at: datetime | None = None
    """Since when more may have changed at the target than what was read of it. None: since an
    unknown time, as where its tool is not read in this pass, or its latest version could not be."""
    kept: Sequence[Entry] = ()


@dataclass
class ApplyReport:
    """What came of one instance's changes; `fresh` are plans made again just before the write."""

    done: list[tuple[Change, Outcome]] = field(default_factory=list)
    fresh: list[tuple[TargetWork, TargetPlan]] = field(default_factory=list)
    made: list[MadeColumn] = field(default_factory=list)
    """Columns that had to be made."""
    vetoed: list[tuple[TargetWork, Change, str]] = field(default_factory=list)
    """What only these plans turned up, and a plugin objects to, with its reason."""
    unread: list[TargetWork] = field(default_factory=list)
    """Targets that could not be looked at before the write."""
    paused: bool = False
    """Whether the instance was paused meanwhile: what was left then was not written."""
    stopped: OpsyncError | None = None


async def apply(
    connector: Writable,
    work: Sequence[TargetWork],
    store: Store,
    clock: Clock,
    run: int,
    *,
    told: Callable[[Change, Outcome], None] = lambda change, outcome: None,
    clean: Callable[[str], str] = str,
    keep: Callable[[], Awaitable[None]] = _nothing,
    may_go: Callable[[], Awaitable[bool]] = _always,
    veto: Callable[[Change], str | None] = _unopposed,
    again: Again | None = None,
    watch: Watch = unwatched,
    unknown: Callable[[], int] = int,
) -> ApplyReport:
    """Write all changes of one instance and note each outcome in the ledger and the journal.

    Where a place is not part of what is pulled, a write's outcome is unknown, or the target was not
    read in this pass or longer ago than `SIGHT_LASTS`, it is read by id just before the write and
    planned again. What a person decided meanwhile to leave alone is not written.
    A refused sign-in, or a vendor that cannot be reached, ends the instance's writing; what was
    not sent waits for the next pass.
    `told` is called for each outcome; `clean` takes the process's secrets out of a message;
    `keep` stores what the connector learned by a batch, before its outcomes. `may_go` is asked
    before each batch, and once more where looking at its targets took long; `veto` gives a reason
    against a change that was not planned like this before; `again` reads every target, and decides
    for it what to write; `watch` ends a step of the connector that hangs; `unknown` counts the
    writes that may have been carried out by a try before the one that failed.
    """
    applier = _Applier(
        connector=connector,
        store=store,
        clock=clock,
        run=run,
        told=told,
        clean=clean,
        keep=keep,
        may_go=may_go,
        veto=veto,
        again=again,
        watch=watch,
        unknown=unknown,
    )
    batches = [work[at : at + connector.batch] for at in range(0, len(work), connector.batch)]
    await applier.all(batches)
    return applier.report


@dataclass(kw_only=True)
class _Applier:
    """One instance's writing, as `apply` has it."""

    connector: Writable
    store: Store
    clock: Clock
    run: int
    told: Callable[[Change, Outcome], None]
    clean: Callable[[str], str]
    keep: Callable[[], Awaitable[None]]
    may_go: Callable[[], Awaitable[bool]]
    veto: Callable[[Change], str | None]
    again: Again | None
    watch: Watch
    unknown: Callable[[], int]
    report: ApplyReport = field(default_factory=ApplyReport)
    looked: dict[Ref, Record] = field(default_factory=dict)
    """Targets that were looked at, with what stands there."""

    @cached_property
    def pulled(self) -> set[str]:
        """The places that a pull shows."""
        return {one.name for one in self.connector.surfaces if one.pulled}

    async def all(self, batches: Sequence[Sequence[TargetWork]]) -> None:
        """Run the batches, so many at once as the connector allows.

        A fixed set of workers takes them from one list: no request is ever cancelled to bound it.
        """
        waiting = iter(batches)

        async def worker() -> None:
            for batch in waiting:
                if self.report.stopped is not None or self.report.paused:
                    return
                if not await self.may_go():
                    self.report.paused = True
                    return
                await self.batch(batch)

        count = min(self.connector.parallel, len(batches))
        results = await asyncio.gather(*(worker() for _ in range(count)), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def batch(self, batch: Sequence[TargetWork]) -> None:
        asked_at = self.clock.monotonic()
        changes: list[Change] = []
        targets = {}
        for work in batch:
            ready = await self.ready(work)
            if ready:
                changes.extend(ready)
                targets[work.record.ref] = self.looked.get(work.record.ref, work.record)
        waited = self.clock.monotonic() - asked_at > LEAVE_LASTS_S
        if waited and self.report.stopped is None and not await self.may_go():
            # Looking may have waited for as long as its tool asked for.
            self.report.paused = True
        hindrance = self.report.stopped
        if hindrance is None and self.report.paused:
            hindrance = OpsyncError("Writes were paused meanwhile.")
        if hindrance is not None and self.again is not None:
            # What was decided here is held already: it is told as not written, to be let go of.
            unsent = [self.cleaned(_not_sent(one, hindrance)) for one in changes]
            self.report.done.extend(zip(changes, unsent, strict=True))
        if not changes or hindrance is not None:
            return
        changes = await self.store.begin_changes(changes)
        if not changes:
            return
        outcomes: dict[str, Outcome] = {}
        error: Exception | None = None
        before = self.unknown()
        try:
            async for outcome in each(self.connector.apply(changes, targets), self.watch):
                outcomes[outcome.change] = outcome
        except Exception as caught:  # noqa: BLE001 - whatever a connector raises stays with its batch
            error = caught
            self.stop(caught)
        done = [
            (change, self.cleaned(outcomes.get(change.id) or _unanswered(change, error)))
            for change in changes
        ]
        if self.unknown() > before:
            # Which of them it was is not known: all that failed is looked at before the next try.
            done = [(change, _in_doubt(outcome)) for change, outcome in done]
        done = [
            (change, await self.confirmed(change, outcome, targets[change.slot.target]))
            for change, outcome in done
        ]
        await self.keep()
        await self.store.finish_changes(
            self.run, done, self.clock.now(), seen=self.seen_now(done, targets)
        )
        self.report.done.extend(done)
        for change, outcome in [*done, *await self.note_made(done)]:
            self.told(change, outcome)

    async def confirmed(self, change: Change, outcome: Outcome, target: Record) -> Outcome:
        """The outcome, if a look at the target by id bears out that somebody took away what stood
        there. Whoever may not see the target is told the same by some tools."""
        if outcome.kind is not OutcomeKind.conflicted:
            return outcome
        try:
            async with self.watch():
                seen = await self.connector.observe(target)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            return self.cleaned(_not_sent(change, error))
        place = (change.slot.surface, change.remote_id)
        if any((one.surface, one.remote_id) == place and one.plain() is not None for one in seen):
            doubt = "It was not found, and stands there nevertheless."
            return Outcome(change=change.id, kind=OutcomeKind.failed, message=doubt)
        return outcome

    async def note_made(
        self, done: Sequence[tuple[Change, Outcome]]
    ) -> Sequence[tuple[Change, Outcome]]:
        """Keep in the journal which columns were made for these writes."""
        why = "made for what is written into it"
        made = [
            column_change(self.run, change.slot.target.instance, column, made=True, why=why)
            for change, outcome in done
            for column in outcome.made
        ]
        self.report.made += [column for _, outcome in done for column in outcome.made]
        await self.store.finish_changes(self.run, made, self.clock.now())
        return made

    async def ready(self, work: TargetWork) -> Sequence[Change]:
        """The target's changes, planned again from a fresh look where that is needed."""
        unknown = self.outdated(work) or any(entry.intent is not None for entry in work.entries)
        known = self.again is None and not unknown
        if known and all(change.slot.surface in self.pulled for change in work.changes):
            return work.changes
        try:
            async with self.watch():
                seen = await self.connector.observe(work.record)
        except Exception as error:  # noqa: BLE001 - as above
            self.stop(error)
            begun = {entry.slot for entry in work.entries if entry.intent is not None}
            done = [
                (one, self.cleaned(_not_sent(one, error, unknown=one.slot in begun)))
                for one in work.changes
            ]
            await self.store.finish_changes(self.run, done, self.clock.now())
            self.report.done.extend(done)
            self.report.unread.append(work)
            return ()
        if self.again is not None:
            return await self.again(work, seen)
        fresh = plan(
            work.record,
            work.wants,
            work.entries,
            self.connector,
            now=self.clock.now(),
            run=self.run,
            seen=seen,
            resting=work.resting,
        )
        sight = self.sight(work.record, seen)
        await self.store.finish_changes(self.run, fresh.recovered, self.clock.now(), seen=sight)
        await self.store.put_desired(fresh.entries, before=[*work.entries, *work.kept])
        fresh = msgspec.structs.replace(fresh, changes=tuple(self.unvetoed(work, fresh)))
        self.report.fresh.append((work, fresh))
        return fresh.changes

    def unvetoed(self, work: TargetWork, fresh: TargetPlan) -> Iterator[Change]:
        """What is written of a plan made again. Of what was planned like this before, plugins were
        asked then."""
        asked = {one.slot: (one.verb, one.desired) for one in work.changes}
        for change in fresh.changes:
            known = asked.get(change.slot) == (change.verb, change.desired)
            why = None if known else self.veto(change)
            if why is None:
                yield change
            else:
                self.report.vetoed.append((work, change, why))

    def outdated(self, work: TargetWork) -> bool:
        """Whether somebody may have had the time to write where it was read."""
        return work.read_at is None or self.clock.now() - work.read_at > SIGHT_LASTS

    def sight(self, target: Record, seen: Sequence[Seen]) -> dict[Ref, tuple[Seen, ...]]:
        """What this look shows at the pulled places, where that is news: the next run may decide
        before anything is pulled again."""
        here = tuple(one for one in seen if one.surface in self.pulled)
        if not target.seen_complete or here == target.seen:
            return {}
        self.looked[target.ref] = msgspec.structs.replace(target, seen=here)
        return {target.ref: here}

    def seen_now(
        self, done: Sequence[tuple[Change, Outcome]], targets: Mapping[Ref, Record]
    ) -> dict[Ref, tuple[Seen, ...]]:
        """What stands at the pulled places after these writes.

        The next pull may not show it: a vendor need not count a write of ours as a change of the
        target.
        """
        after: dict[Ref, tuple[Seen, ...]] = {}
        for change, outcome in done:
            slot = change.slot
            target = targets[slot.target]
            if slot.surface not in self.pulled or not target.seen_complete:
                continue
            if outcome.kind in WRITTEN:
                value = outcome.applied
                after[slot.target] = seen_after(
                    after.get(slot.target, target.seen),
                    slot.surface,
                    value,
                    address="" if value is None else self.connector.address(slot.surface, value),
                    remote_id=outcome.remote_id or change.remote_id,
                )
        return after

    def cleaned(self, outcome: Outcome) -> Outcome:
        """The outcome without secrets in its message, which is kept."""
        if not outcome.message:
            return outcome
        return msgspec.structs.replace(outcome, message=self.clean(outcome.message))

    def stop(self, error: Exception) -> None:
        """End the instance's writing where going on cannot help."""
        if isinstance(error, StoreError):
            raise error
        if isinstance(error, (SignInError, TemporaryError)) and self.report.stopped is None:
            self.report.stopped = error
        if not isinstance(error, OpsyncError):
            _log.error("apply.failed", error=type(error).__name__, exc_info=error)


def _in_doubt(outcome: Outcome) -> Outcome:
    failed = outcome.kind is OutcomeKind.failed
    return msgspec.structs.replace(outcome, unknown=True) if failed else outcome


def _unanswered(change: Change, error: Exception | None) -> Outcome:
    """The outcome of a change for which the connector gave none."""
    if error is None:
        return Outcome(
            change=change.id,
            kind=OutcomeKind.failed,
            message="the connector gave no outcome",
            unknown=True,
        )
    return _not_sent(change, error, unknown=_may_have_happened(error))


def _not_sent(change: Change, error: Exception, *, unknown: bool = False) -> Outcome:
    text = str(error) if isinstance(error, OpsyncError) else f"{type(error).__name__}: {error}"
    return Outcome(
        change=change.id,
        kind=OutcomeKind.failed,
        message=inert_text(text, 300),
        unknown=unknown,
    )


def _may_have_happened(error: Exception) -> bool:
    if isinstance(error, TemporaryError):
        return error.sent
    return not isinstance(error, OpsyncError)
