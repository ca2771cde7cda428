"""Undos and releases that did not come to their end, as alarms: somebody has to run them again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opsync.model import WRITTEN
from opsync.model.column import is_column
from opsync.store import EVERY, RunRow, Store, is_held_elsewhere
from opsync.watch import Alarm


async def cut_short(store: Store) -> tuple[Alarm, ...]:
    """What a person asked for and is not done, one after the other: the first of it. What another
    process may still be at is not told before a later run has found it dead."""
    found = await store.interrupted_runs()
    if any(not one.outcome for one in found) and is_held_elsewhere(store.path):
        found = [one for one in found if one.outcome]
    if not found:
        return ()
    runs = [one for one in found if one.command == found[0].command]
    return (alarm(runs, await _done(store, runs)),)


async def _done(store: Store, runs: Iterable[RunRow]) -> int:
    rows = [row for run in runs for row in await store.journal(run=run.seq, limit=EVERY)]
    return len({row.slot for row in rows if row.kind in WRITTEN and not is_column(row.slot)})


def alarm(runs: Sequence[RunRow], done: int) -> Alarm:
    """The alarm of a command that was begun by these runs, the oldest first, of which `done` values
    are written. Pure."""
    command, asked = runs[0].command, int(runs[0].counts.get("asked", 0))
    verb = "put back" if command.startswith("opsync undo") else "removed"
    of = f"{done:,} of {asked:,} {'value' if asked == 1 else 'values'} {verb}"
    return Alarm(
        kind="interrupted",
        connection="",
        state="fail",
        what=f"{command} was interrupted: {of}",
        since=runs[0].started_at,
        hint=f"Run it again: {command}",
    )
