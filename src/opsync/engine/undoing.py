"""Taking back what opsync wrote: undoing a run, a change or an item, and removing what is released.

It is a run of its own, with its changes in the journal, so that it can be undone as well. Each
place is read by id just before; what does not stand there as opsync wrote it is left and told.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from opsync.engine.columns import Columns
from opsync.engine.session import Session
from opsync.engine.taken import LeftSlot, TakenBack
from opsync.engine.taking import take_back
from opsync.model import WRITTEN, OutcomeKind, Place, Ref, Slot
from opsync.model.column import is_column
from opsync.model.ledger import Entry, Hold, HoldKind, is_put_back, stored, unsure
from opsync.model.undo import TAKEN_BACK, Back, Left, Written, decided_before, undo_of
from opsync.model.value import NOTHING
from opsync.store import EVERY, JournalRow, Store

_RUN = re.compile(r"\d{1,18}")
_CHANGE = re.compile(r"\d{1,18}-[0-9a-f]{8}(?:-[a-z]+)?")


def is_run(text: str) -> bool:
    """Whether a text names a run."""
    return _RUN.fullmatch(text) is not None


def is_change(text: str) -> bool:
    """Whether a text names a change: "12-9c1b2f04"."""
    return _CHANGE.fullmatch(text) is not None


def is_beyond(text: str) -> bool:
    """Whether a text is the number of a run or a change that no store comes to."""
    run, _, change = text.partition("-")
    return run.isdecimal() and len(run) > 18 and (not change or is_change(f"1-{change}"))


async def writes_of(
    store: Store, *, run: int | None = None, change: str = "", item: Ref | None = None
) -> list[JournalRow]:
    """The writes of a run, of one change, or at and about an item that were carried out, or may
    have been, also where an undo of them has died since."""
    if change:
        run = int(change.partition("-")[0])
    if item is not None:
        at_it = await store.journal(target=item, limit=EVERY)
        about_it = await store.journal(other=item, limit=EVERY)
        found = list({row.seq: row for row in (*at_it, *about_it)}.values())
    else:
        found = await store.journal(run=run, limit=EVERY)
    found = [row for row in found if not change or row.change == change]
    failed = sorted({row.slot.target for row in found if row.kind is OutcomeKind.failed})
    begun = {one.slot.place: unsure(one) for one in await _entries(store, failed)}
    return [
        row
        for row in found
        if row.kind in WRITTEN
        or (row.kind is OutcomeKind.failed and begun.get(row.slot.place) == stored(row.desired))
    ]


async def _entries(store: Store, targets: Iterable[Ref]) -> list[Entry]:
    return [one for ref in targets for one in await store.entries(target=ref, limit=EVERY)]


async def writes_of_changes(store: Store, changes: Iterable[str]) -> list[JournalRow]:
    """The writes that were carried out of all of these changes."""
    wanted = set(changes)
    runs = sorted({int(change.partition("-")[0]) for change in wanted if is_change(change)})
    return [row for run in runs for row in await writes_of(store, run=run) if row.change in wanted]


def undoes(rows: Sequence[JournalRow]) -> bool:
    """Whether all of these took back a value of which nothing had been decided before: undoing
    them lets go of it."""
    values = [row for row in rows if not is_column(row.slot)]
    return bool(values) and all(
        row.change.endswith(TAKEN_BACK) and decided_before(row.over) is None for row in values
    )


async def undo(
    session: Session,
    chosen: Sequence[JournalRow],
    *,
    why: str,
    by: str,
    command: str,
    dry: bool = False,
) -> TakenBack:
    """Put back what stood before these writes. What is undone stays so until a person lets go.
    All writes at a place count, whatever their rule was called then.

    A column that one of them made goes with them, if nothing is in it then. One that was removed
    is made again when a value is put back into it. `command` is what a person typed, or would:
    should it not come to its end, the same goes on with it.
    """
    columns = Columns(session, why, made=[row.slot for row in chosen if is_column(row.slot)])
    chosen = [row for row in chosen if not is_column(row.slot)]
    seqs = frozenset(row.seq for row in chosen)
    targets = sorted({row.slot.target for row in chosen})
    history: dict[Place, list[JournalRow]] = defaultdict(list)
    for row in await session.store.journal_of(targets):
        if row.kind in WRITTEN or row.seq in seqs:
            history[row.slot.place].append(row)
    entries = await _entries(session.store, targets)
    by_place: dict[Place, list[JournalRow]] = defaultdict(list)
    for row in sorted(chosen, key=lambda row: row.seq):
        by_place[row.slot.place].append(row)
    places: dict[Slot, set[Place]] = defaultdict(set)
    for place, rows in by_place.items():
        holder = _holder(rows[-1], entries)
        places[holder] |= {place, holder.place}
    held = {one.slot: one.hold for one in entries}
    backs: dict[Slot, Back] = {}
    found = TakenBack()
    for slot in sorted(places):
        rows = sorted(
            (row for place in places[slot] for row in history[place]), key=lambda row: row.seq
        )
        writes = [_written(row) for row in rows]
        decided = undo_of(writes, seqs)
        if _is_given_up(held.get(slot), writes[-1], decided):
            decided = Left("given up")
        if isinstance(decided, Back):
            backs[slot] = decided
        elif decided.why != "as before":
            found.left.append(LeftSlot(slot, Back(None, writes[-1].after, None), decided))
    return await take_back(
        session, backs, found, why=why, by=by, command=command, columns=columns, dry=dry
    )


def _is_given_up(hold: Hold | None, last: Written, decided: Back | Left) -> bool:
    """Whether what was written there last was left to people as it stands, so that it is not
    opsync's to take away. What a release took away can be put back. What an undo put back as
    theirs can be taken away by the undo of that alone, and not once they said that it stays."""
    if hold is None or hold.begun:
        return False
    if hold.kind is HoldKind.released:
        return last.after is not None
    if hold.kind is not HoldKind.theirs:
        return False
    return not is_put_back(hold) or (isinstance(decided, Left) and decided.why == "written since")


def _written(row: JournalRow) -> Written:
    """A write as it counts for its undo: one of unknown outcome as if it had been carried out."""
    after = row.after if row.kind in WRITTEN else row.desired
    return Written(row.seq, row.run, row.change, row.before, after, row.theirs, row.over)


def _holder(row: JournalRow, entries: Iterable[Entry]) -> Slot:
    """The slot that has what a write left at its place: that of the write, or the one which took
    the place over since, as where the rule or the connection of its initiative was renamed.

    That is one with the very value: what is equal at one target and surface has one address.
    """
    at, wrote = row.slot, stored(_written(row).after)

    def has(entry: Entry) -> bool:
        return wrote in (entry.applied, entry.intent)

    there = [
        one
        for one in entries
        if (one.slot.target, one.slot.surface) == (at.target, at.surface)
        and (one.slot.place == at.place or (has(one) and wrote != NOTHING))
    ]

    def fits(entry: Entry) -> tuple[bool, bool, bool]:
        return has(entry), entry.slot.place == at.place, entry.slot == at

    return max(there, key=fits).slot if there else at
