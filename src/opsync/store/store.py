"""The store: everything opsync knows between two runs, behind asynchronous methods."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from sqlalchemy import Connection

from opsync.runtime import Clock
from opsync.store.approving import Approving
from opsync.store.base import inline
from opsync.store.database import Database, Still, open_blank, open_database
from opsync.store.decisions import Decisions
from opsync.store.deliveries import Deliveries
from opsync.store.identity import Identity
from opsync.store.journal import Journal
from opsync.store.keeping import Keeping
from opsync.store.ledger import Ledger
from opsync.store.links import Links
from opsync.store.looking import Looking
from opsync.store.metrics import Metrics
from opsync.store.pairing import Pairing
from opsync.store.pausing import Pausing
from opsync.store.plans import Plans
from opsync.store.pruning import Pruning
from opsync.store.pulls import Pulls
from opsync.store.reading import Reading
from opsync.store.rollups import Rollups
from opsync.store.runs import Runs
from opsync.store.setaside import SettingAside
from opsync.store.tallies import Tallies
from opsync.store.trends import Trends
from opsync.store.twins import Twins
from opsync.store.walks import Walks

T = TypeVar("T")


class Store(
    Runs,
    Pulls,
    Keeping,
    Walks,
    SettingAside,
    Links,
    Decisions,
    Twins,
    Pairing,
    Rollups,
    Trends,
    Metrics,
    Plans,
    Pausing,
    Identity,
    Deliveries,
    Approving,
    Ledger,
    Journal,
    Reading,
    Looking,
    Tallies,
    Pruning,
):
    """One SQLite file. Each method is one whole transaction; no connection leaves it.

    All methods raise StoreError when the file is full, damaged, read-only or busy for long. A
    write that raised left nothing behind.
    """

    def __init__(self, database: Database, clock: Clock, executor: Executor, *, own: bool) -> None:
        super().__init__(database, clock, executor)
        self._live = set()
        self._own = own

    @classmethod
    def open(
        cls, path: Path, *, clock: Clock, executor: Executor | None = None, create: bool = True
    ) -> Self:
        """Open the store at `path`; with `create` it is made, or upgraded, as needed.

        `executor` runs the transactions, one at a time: one thread of its own by default,
        `inline` for simulations. Holding the store is another matter: see `hold`.
        """
        database = open_database(path, create=create)
        own = executor is None
        executor = executor or ThreadPoolExecutor(1, thread_name_prefix="opsync-store")
        return cls(database, clock, executor, own=own)

    @classmethod
    def blank(cls, path: Path, *, clock: Clock) -> Self:
        """One with nothing in it that is kept nowhere, in place of the one at `path`: for looking
        around before there is any."""
        executor = ThreadPoolExecutor(1, thread_name_prefix="opsync-store")
        return cls(open_blank(path), clock, executor, own=True)

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._database.path

    async def look(self, work: Callable[[Store], Coroutine[Any, Any, T]]) -> T:
        """Run `work` on the store as it stands: all that it reads is of one state, read in one
        transaction and without a change of threads. It may await the given store alone, and
        neither write nor keep it; other transactions wait meanwhile, so it is to be short.
        """

        def looked(database: Still) -> T:
            still = Store(database, self._clock, inline, own=False)
            still._live = self._live
            return _finish(work(still))

        return await self._run(lambda: self._database.still(looked))

    @classmethod
    def at_once(
        cls, path: Path, clock: Clock, work: Callable[[Store], Coroutine[Any, Any, T]]
    ) -> T:
        """Open the store at `path`, and carry out `work` whole on the caller's thread: for what
        takes long, and little memory, beside others that use the store. It may await the given
        store alone."""
        database = open_database(path, create=False)
        store = cls(database, clock, inline, own=False)
        try:
            database.read_once()
            return _finish(work(store))
        finally:
            _finish(store.close())

    async def close(self) -> None:
        """Finish what is running and close the file."""
        await self._run(self._database.close)
        if self._own:
            self._executor.shutdown()


class Untouched(Store):
    """A store that is only looked at: what any method would write is dropped. Those whose answer
    comes from a write answer None."""

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return cast("T", None)


def _finish(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as ended:
        found: T = ended.value
        return found
    work.close()
    raise RuntimeError("who looks at the store may wait for nothing else")
