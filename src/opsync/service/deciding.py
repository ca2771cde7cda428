"""Decide for all that was read, and write: one round at a time, each instance by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from opsync.current import Pass
from opsync.engine.session import Session
from opsync.log import bind_run
from opsync.pipeline import decide, finish
from opsync.report import InstanceReport, PassReport
from opsync.service.hands import Hands
from opsync.service.reading import BY_ITSELF, Command, Turn
from opsync.stages.apply import TargetWork
from opsync.steps.shared import keep_all
from opsync.steps.writing import apply_all


@dataclass
class Round:
    """One pass of the service from its decision to its last write."""

    session: Session
    command: Command
    this: Pass
    work: Mapping[str, list[TargetWork]]
    held: set[str] = field(default_factory=set)
    """The instances that it holds and still has to let go of."""
    started: float = 0.0

    def leave(self, name: str, hands: Hands) -> None:
        """Let go of an instance: others may work with it."""
        if name in self.held:
            self.this.instances[name].leave()
            self.held.discard(name)
            hands.release(name)


async def decide_round(
    session: Session,
    command: Command,
    turns: Mapping[str, Turn],
    hands: Hands,
    take: Callable[[], Awaitable[frozenset[str]]],
    stopping: Callable[[], bool],
) -> Round:
    """Decide from these turns and from whatever else is not dealt with yet. Nothing is written.

    The instances that it can `take` are held from here on; those with nothing to be written are
    let go of at once. What belongs to the others waits for the next round.
    """
    this = await session.open_pass(command.name, only=frozenset(), write=command.write)
    this.chosen, this.limits = command.chosen, command.limits
    this.stopping = stopping
    this.asked_ahead = True
    mine = await take()
    found = Round(session, command, this, {}, set(mine), session.runtime.clock.monotonic())
    try:
        # Opened once more, now that nobody else can change what they keep.
        this.instances = await session.open_all()
        this.mine = mine
        for name, opened in this.instances.items():
            turn = turns.get(name)
            this.report.instances.append(_report(name, opened.connector.title, turn))
            if turn is not None:
                this.report.warnings.extend(turn.warnings)
                this.report.unmeasured.extend(turn.unmeasured)
                this.looked_at |= {
                    ref: look.seen
                    for ref, look in turn.looks.items()
                    if name in mine and await look.holds(session.store, ref)
                }
        this.run = this.report.run = await session.store.begin_run(command.name)
        with bind_run(this.run), session.pool.observer.stage("decide", run=this.run):
            work = await decide(this)
        found.work = work if command.write else {}
        await keep_all(this)
        for name in mine - found.work.keys():
            found.leave(name, hands)
    except BaseException:
        session.store.give_up_run(this.run)
        for name in mine:
            found.leave(name, hands)
        raise
    return found


async def write_round(found: Round, hands: Hands, leave: Callable[[str], None]) -> PassReport:
    """Write what was decided, each instance by itself and told by `leave` once it is, and close
    the run; returns its report. Whatever comes of it, nothing is held any more."""
    this, session = found.this, found.session
    try:
        with bind_run(this.run), session.pool.observer.stage("write", run=this.run):
            await apply_all(this, found.work, leave)
        for name in set(found.held):
            found.leave(name, hands)
        await finish(this, found.started)
        keeps_plan = found.command.keeps_plan and this.chosen is None
        told = found.command != BY_ITSELF
        return await session.close_pass(this.report, keeps_plan=keeps_plan, told=told)
    finally:
        session.store.give_up_run(this.run)
        for name in set(found.held):
            found.leave(name, hands)


def _report(name: str, tool: str, turn: Turn | None) -> InstanceReport:
    return InstanceReport(name, tool, pulled=False) if turn is None else turn.report
