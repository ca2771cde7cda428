"""Runs, and which changes the next stages still have to look at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from opsync.model import Ref
from opsync.store.base import Part
from opsync.store.codec import decode_counts, encode_json, maybe_time, to_text, to_time
from opsync.store.schema import run_instances, runs, touched
from opsync.store.types import InstanceRun, RunRow
from opsync.store.waiting import WAITS

TAKING_BACK = ("opsync undo", "opsync release")
"""What the commands of undos and releases begin with."""

NEXT = 0
"""In place of a run's number: what is read while none has begun is marked for the next one."""


class Runs(Part):
    """Beginning and end of runs. Several may be under way at once: each decides by itself, and
    while one writes the next one may decide."""

    _live: set[int]
    """Those that were begun here and have not ended."""

    async def begin_run(
        self, command: str, *, counts: Mapping[str, int | float] | None = None
    ) -> int:
        """Start a run; returns its number. `counts` are what it has until it ends."""
        at = self._clock.now()
        run = await self._write(lambda c: _begin(c, command, at, counts or {}))
        self._live.add(run)
        return run

    def give_up_run(self, run: int) -> None:
        """A run will not come to its end: what it left undone is for the next one."""
        self._live.discard(run)

    async def finish_run(
        self,
        run: int,
        *,
        outcome: str,
        instances: Sequence[InstanceRun],
        counts: Mapping[str, int | float],
        complete: bool = True,
    ) -> None:
        """End a run.

        `complete` says that all that changed has been linked, rolled up and planned. Otherwise,
        as after a crash, the next run's stages are given this run's changes too. Older ones that
        have not ended were interrupted, unless they were begun here and go on.
        """
        at, live = self._clock.now(), self._live - {run}
        await self._write(lambda c: _finish(c, run, outcome, instances, counts, complete, at, live))
        self._live.discard(run)

    async def put_off(self, refs: Iterable[Ref]) -> None:
        """Have the run that begins next look at these again, although nothing of theirs changes."""
        kept = sorted(refs)
        if kept:
            await self._write(lambda c: touch(c, NEXT, kept))

    async def is_restless(self, now: datetime, modes: str = "") -> bool:
        """Whether something changed that no run has dealt with, or a write is due: for the first
        time, again, or since people have said something else than the word that it waits under.
        `modes` is the digest of the modes in force."""
        values = {"now": to_text(now), "modes": modes}
        return await self._read(lambda c: bool(c.scalar(_RESTLESS, values | {"since": _open(c)})))

    async def has_changed_since(self, run: int) -> bool:
        """Whether a record came, changed or went after this run, or while it lasted."""
        return await self._read(lambda c: bool(c.scalar(_CHANGED, {"run": run})))

    async def interrupted_runs(self) -> list[RunRow]:
        """The undos and releases that did not come to their end, the oldest first, but for those
        that were begun here and go on, and those that were repeated."""
        live = set(self._live)
        return await self._read(lambda c: _rows(c, _interrupted(live)))

    async def repeat_runs(self, found: Collection[int]) -> None:
        """What these runs did not come to is done by now."""
        ended = update(runs).where(runs.c.seq.in_(found)).values(outcome="repeated")
        await self._write(lambda c: c.execute(ended))

    async def last_runs(self, n: int) -> list[RunRow]:
        """The last `n` runs, newest first."""
        return await self._read(lambda c: _last(c, n))


def since(connection: Connection, run: int) -> int:
    """The first run whose changes are not settled: what counts as "changed in this run"."""
    oldest = connection.scalar(_UNSETTLED, {"run": run})
    return run if oldest is None else int(oldest)


def mark(connection: Connection, run: int) -> int:
    """What a change is marked with: the run that it is of, or the one that begins next.

    What a run marks so while it lasts, and what is read besides it, is not settled by its end.
    """
    return latest(connection) + 1 if run == NEXT else run


def latest(connection: Connection) -> int:
    """The number of the newest run, 0 before the first."""
    return int(connection.scalar(_LATEST) or 0)


def _open(connection: Connection) -> int:
    """The first mark that is not settled, as the run that begins next will find it."""
    return since(connection, mark(connection, NEXT))


_UNSETTLED = select(func.min(runs.c.seq)).where(runs.c.settled == 0, runs.c.seq <= bindparam("run"))
_LATEST = select(func.max(runs.c.seq))
_OLDER = runs.c.seq < bindparam("run"), runs.c.seq.not_in(bindparam("live", expanding=True))
_INTERRUPT = (
    update(runs)
    .where(*_OLDER, runs.c.finished_at.is_(None), runs.c.outcome == "")
    .values(outcome="interrupted")
)
_END = update(runs).where(runs.c.seq == bindparam("run"))
_SETTLE = (
    update(runs)
    .where(or_(runs.c.seq == bindparam("run"), and_(*_OLDER)), runs.c.settled == 0)
    .values(settled=1)
)
_SETTLE_TOUCHED = delete(touched).where(touched.c.run <= bindparam("run"))

_RESTLESS = text(f"""
SELECT EXISTS (SELECT 1 FROM records WHERE changed_in >= :since)
OR EXISTS (SELECT 1 FROM records WHERE seen_changed_in >= :since)
OR EXISTS (SELECT 1 FROM touched WHERE run >= :since)
OR EXISTS (SELECT 1 FROM ledger
    WHERE pending = 1 AND (next_try_at IS NULL OR next_try_at <= :now)
    AND (intent IS NOT NULL OR hold IS NULL) AND NOT {WAITS})
""")  # noqa: S608 - made of constants

_CHANGED = text("SELECT EXISTS (SELECT 1 FROM records WHERE changed_in > :run)")

_TOUCH = """
INSERT INTO touched (ref, run, relink) VALUES (?, ?, ?) ON CONFLICT (ref) DO UPDATE
SET run = max(run, excluded.run), relink = max(relink, excluded.relink)
"""


def touch(connection: Connection, run: int, refs: Iterable[Ref], *, relink: bool = False) -> None:
    """Keep, until the run is settled, that something about these refs changed besides them.

    What is kept for a later run stays so, and with `relink` what they name is linked again.
    """
    of = mark(connection, run)
    rows = [(text, of, int(relink)) for text in sorted(map(str, refs))]
    if rows:
        connection.exec_driver_sql(_TOUCH, rows)


def _begin(
    connection: Connection, command: str, at: datetime, counts: Mapping[str, int | float]
) -> int:
    row = {
        "command": command,
        "started_at": to_text(at),
        "outcome": "",
        "settled": 0,
        "counts": encode_json(counts),
    }
    key = connection.execute(insert(runs).values(row)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _finish(
    connection: Connection,
    run: int,
    outcome: str,
    instances: Sequence[InstanceRun],
    counts: Mapping[str, int | float],
    complete: bool,
    at: datetime,
    live: Collection[int],
) -> None:
    others = {"run": run, "live": list(live)}
    connection.execute(_INTERRUPT, others)
    end = {"finished_at": to_text(at), "outcome": outcome, "counts": encode_json(counts)}
    connection.execute(_END, {"run": run, **end})
    if complete:
        connection.execute(_SETTLE, others)
        connection.execute(_SETTLE_TOUCHED, {"run": run})
    rows = [
        {
            "run": run,
            "instance": one.instance,
            "outcome": one.outcome,
            "message": one.message,
            "counts": encode_json(one.counts),
        }
        for one in instances
    ]
    if rows:
        connection.execute(insert(run_instances), rows)


def _interrupted(live: Collection[int]) -> Select[Any]:
    taken_back = or_(*(runs.c.command.startswith(one) for one in TAKING_BACK))
    return (
        select(runs)
        .where(runs.c.finished_at.is_(None), runs.c.outcome != "repeated", taken_back)
        .where(runs.c.seq.not_in(live))
        .order_by(runs.c.seq)
    )


def _last(connection: Connection, n: int) -> list[RunRow]:
    return _rows(connection, select(runs).order_by(runs.c.seq.desc()).limit(n))


def _rows(connection: Connection, query: Select[Any]) -> list[RunRow]:
    rows = connection.execute(query).all()
    parts: dict[int, list[InstanceRun]] = {}
    query = (
        select(run_instances)
        .where(run_instances.c.run >= min((row.seq for row in rows), default=0))
        .order_by(run_instances.c.run, run_instances.c.instance)
    )
    for row in connection.execute(query):
        parts.setdefault(row.run, []).append(
            InstanceRun(row.instance, row.outcome, row.message, decode_counts(row.counts))
        )
    return [
        RunRow(
            seq=row.seq,
            command=row.command,
            started_at=to_time(row.started_at),
            finished_at=maybe_time(row.finished_at),
            outcome=row.outcome,
            instances=tuple(parts.get(row.seq, ())),
            counts=decode_counts(row.counts),
        )
        for row in rows
    ]
