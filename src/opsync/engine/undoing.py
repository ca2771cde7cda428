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
from opsync.model import WRITTEN, Ref, Slot
from opsync.model.column import is_column
from opsync.model.undo import TAKEN_BACK, Back, Written, undo_of
from opsync.store import EVERY, JournalRow, Store

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
    session: Session,
    chosen: Sequence[JournalRow],
    *,
    why: str,
    by: str,
    command: str,
    dry: bool = False,
) -> TakenBack:
    """Put back what stood before these writes. What is undone stays so until a person lets go.

    A column that one of them made goes with them, if nothing is in it then. One that was removed
    is made again when a value is put back into it. `command` is what a person typed, or would:
    should it not come to its end, the same goes on with it.
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
        session, backs, found, why=why, by=by, command=command, columns=columns, dry=dry
    )
