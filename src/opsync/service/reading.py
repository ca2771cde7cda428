"""A turn of one instance: read what changed there, or what a change signal named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from opsync.engine.session import Session
from opsync.log import bind_run
from opsync.model import Limits, Ref, Seen, Slot
from opsync.pipeline import ask_ahead
from opsync.report import InstanceReport
from opsync.service.nudges import Nudge
from opsync.stages.pulling import Progress, silent
from opsync.steps.nudged import read_named
from opsync.steps.reading import pull_all
from opsync.store import Store

COMMAND = "opsync serve"
"""What stands in the journal and in the list of runs for whatever the service does by itself."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """How something is read, decided and written: as the service does by itself, or as a person
    asked for. What the fields mean, `Session.sync` tells."""

    name: str = COMMAND
    only: frozenset[str] = frozenset()
    full: bool = False
    write: bool = True
    chosen: Mapping[Slot, str] | None = None
    limits: Limits | None = None
    keeps_plan: bool = True
    progress: Progress = silent


BY_ITSELF = Command()


@dataclass(frozen=True)
class Look:
    """What stood at a target that people may have changed, and the last write there before."""

    seen: Sequence[Seen]
    after: int

    @classmethod
    async def of(cls, store: Store, ref: Ref, seen: Sequence[Seen]) -> Self:
        """A look that was made just now, by whoever holds the instance still."""
        return cls(seen, await _last_write(store, ref))

    async def holds(self, store: Store, ref: Ref) -> bool:
        """Whether nothing was written there since."""
        return self.after == await _last_write(store, ref)


async def _last_write(store: Store, ref: Ref) -> int:
    rows = await store.journal(target=ref, limit=1)
    return rows[0].seq if rows else 0


@dataclass(frozen=True)
class Turn:
    """What came of reading one instance; nothing was decided from it yet."""

    report: InstanceReport
    at: datetime
    warnings: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()
    looks: Mapping[Ref, Look] = field(default_factory=dict)

    @property
    def brought(self) -> bool:
        """Whether there is anything to be told of it, or to be done."""
        one = self.report
        read = one.trouble or one.changed or one.missing or one.gone or one.set_aside
        return bool(read or self.looks)


@dataclass
class Inbox:
    """The turns that were not decided from yet: the newest of each instance, with all counts."""

    turns: dict[str, Turn] = field(default_factory=dict)

    def put(self, turn: Turn) -> None:
        """Keep a turn."""
        name = turn.report.instance
        if (before := self.turns.get(name)) is not None:
            _add(turn.report, before.report)
            turn = replace(turn, looks={**before.looks, **turn.looks})
        self.turns[name] = turn

    def take(self) -> dict[str, Turn]:
        """All of them; they are not kept any more."""
        found, self.turns = self.turns, {}
        return found


async def take_turn(
    session: Session, name: str, nudge: Nudge, command: Command = BY_ITSELF
) -> Turn:
    """Read one instance, which the caller holds. A nudge that names few things has these looked up;
    otherwise, or where that tells too little, what changed is read."""
    this = await session.open_pass(command.name, only=frozenset({name}), full=command.full)
    this.mine, this.limits, this.progress = frozenset({name}), command.limits, command.progress
    with bind_run(instance=name), session.pool.observer.stage("read", instance=name):
        if nudge.whole or not nudge.refs or not await read_named(this, name, nudge.refs):
            await pull_all(this)
        await ask_ahead(this)
    seen = this.looked_at.items()
    looks = {ref: await Look.of(session.store, ref, one) for ref, one in seen}
    report, used = this.of(name), this.instances[name].used
    report.read_requests, report.write_requests = used.reads, used.writes
    report.waited_s = used.waited_s
    return Turn(
        report,
        session.runtime.clock.now(),
        tuple(this.report.warnings),
        tuple(this.report.unmeasured),
        looks,
    )


def _add(to: InstanceReport, earlier: InstanceReport) -> None:
    """Add an earlier turn's counts to a later one's, whose trouble is what counts."""
    to.pulled = to.pulled or earlier.pulled
    to.read_at = to.read_at or earlier.read_at
    to.read += earlier.read
    to.changed += earlier.changed
    to.set_aside += earlier.set_aside
    to.missing += earlier.missing
    for why, count in earlier.gone.items():
        to.gone[why] = to.gone.get(why, 0) + count
    to.read_requests += earlier.read_requests
    to.write_requests += earlier.write_requests
    to.waited_s += earlier.waited_s
