"""Passes that derive from what is put into a store."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from opsync.config import Config
from opsync.contract.connector import Connector
from opsync.current import Opened, Pass
from opsync.http import Client
from opsync.model import PairDecision, Record, Ref
from opsync.report import InstanceReport, PassReport
from opsync.steps.deriving import link_changed, roll_up_changed
from opsync.steps.measuring import measure_changed
from opsync.store import Store, inline
from tests.store.build import prepared
from tests.support.clock import FakeClock

_NONE: Mapping[str, Connector[Any]] = {}

DERIVED = {
    "links": "SELECT source, target, evidence, twin FROM links ORDER BY 1, 2",
    "members": "SELECT root, ref, role, via, field FROM members ORDER BY root, position",
    "rollups": "SELECT root, body FROM rollups ORDER BY root",
}


class Deriving:
    """A store, and passes over it that read no tool; `analytics` are those that measure."""

    def __init__(
        self,
        path: Path,
        config: Config,
        clock: FakeClock | None = None,
        analytics: Mapping[str, Connector[Any]] = _NONE,
    ) -> None:
        self._path = path
        self._config = config
        self._clock = clock or FakeClock()
        self._analytics = analytics
        self.store = Store.open(path, clock=self._clock, executor=inline)
        # What a power failure would leave is no concern here, and syncing takes half the time.
        raw = self.store._database._connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.execute("PRAGMA synchronous = OFF")

    async def run(self, records: Collection[Record], *, again: bool = False) -> None:
        """One pass in which these were read; with `again` it looks at everything."""
        run = await self.store.begin_run("sync")
        for tool in self._config.instances:
            batch = [prepared(one) for one in records if one.ref.instance == tool]
            await self.store.put_batch(run, tool, "all", batch, [], advance_to=None)
        this = Pass(
            config=self._config,
            store=self.store,
            clock=self._clock,
            instances={
                name: _opened(name, self._analytics.get(name)) for name in self._config.instances
            },
            run=run,
            report=PassReport(
                run=run,
                command="sync",
                instances=[InstanceReport(name, name) for name in self._config.instances],
                applied_mode=False,
            ),
            again=again,
        )
        await link_changed(this)
        await measure_changed(this)
        await roll_up_changed(this)
        assert not this.report.stale
        await self.store.finish_run(run, outcome="done", instances=[], counts={})

    async def decide(self, decision: PairDecision | tuple[Ref, Ref]) -> None:
        if isinstance(decision, PairDecision):
            await self.store.decide([decision])
        else:
            await self.store.undecide(*decision)

    def derived(self) -> Mapping[str, list[Any]]:
        """All that passes made of what was read."""
        with sqlite3.connect(self._path) as connection:
            found = {name: connection.execute(query).fetchall() for name, query in DERIVED.items()}
        connection.close()
        return found

    def links(self) -> set[tuple[str, str]]:
        return {row[:2] for row in self.derived()["links"]}


class _Idle:
    """In a connector's place: it has a name and can do nothing."""

    title = "Idle"


class _Silent:
    """As much of a client as a pass looks at that asks nobody."""

    asked = under_way = 0
    restraint = None


def _opened(name: str, connector: Connector[Any] | None) -> Opened:
    of = cast("Any", connector or _Idle())
    return Opened(name, of, 0, "", "nothing", cast("Client", _Silent()))


def stores(
    names: Iterable[str],
    empty: Path,
    folder: Path,
    config: Config,
    clock: FakeClock | None = None,
    analytics: Mapping[str, Connector[Any]] = _NONE,
) -> list[Deriving]:
    """One store a name, each a copy of the empty one."""
    copies = [Path(shutil.copy(empty, folder / name)) for name in names]
    return [Deriving(path, config, clock, analytics) for path in copies]
