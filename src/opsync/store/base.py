"""What all parts of the store share: transactions run by an executor, a clock, and helpers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

from sqlalchemy import Connection, bindparam, select

from opsync.model import Record, Ref
from opsync.runtime import Clock
from opsync.store.codec import chunks, decode_record, texts, to_ref
from opsync.store.database import Database
from opsync.store.schema import records

P = ParamSpec("P")
T = TypeVar("T")

_BODIES = select(records.c.body).where(records.c.ref.in_(bindparam("refs", expanding=True)))


class Inline(Executor):
    """Runs what it is given at once, on the caller's thread: for simulations, which must not
    depend on the order in which threads run."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn` now; the future is done."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - a future carries whatever was raised
            future.set_exception(error)
        return future


inline = Inline()


class Part:
    """Base of the store's parts: each public method is one whole transaction."""

    def __init__(self, database: Database, clock: Clock, executor: Executor) -> None:
        self._database = database
        self._clock = clock
        self._executor = executor

    async def _read(self, work: Callable[[Connection], T]) -> T:
        return await self._run(lambda: self._database.read(work))

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await self._run(lambda: self._database.write(work))

    async def _run(self, work: Callable[[], T]) -> T:
        if isinstance(self._executor, Inline):
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def load(connection: Connection, refs: Sequence[Ref] | set[Ref]) -> dict[Ref, Record]:
    """The records of these refs, as far as they are known, gone ones too."""
    found: dict[Ref, Record] = {}
    for part in chunks(texts(refs)):
        for body in connection.execute(_BODIES, {"refs": part}).scalars().all():
            record = decode_record(body)
            found[record.ref] = record
    return found


def to_refs(values: Iterable[str]) -> list[Ref]:
    """Stored refs, read."""
    return [to_ref(value) for value in values]
