"""A person's `sync`, `plan`, `look` or `apply`, carried out beside the service's own rounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opsync.contract.connector import Measurable
from opsync.engine.session import Session, wanted
from opsync.report import PassReport
from opsync.service.nudges import Nudge
from opsync.service.reading import Command, Turn, take_turn
from opsync.service.running import PATIENCE_S, Service
from opsync.steps.shared import at_once

GRACE_S = 2.0
"""So long it is waited for an instance while nothing else is decided: one that was free a moment
ago and is being read again."""


async def carry_out(service: Service, session: Session, command: Command) -> PassReport:
    """Read what is asked for, decide, and write what may be written: a round that a person has.

    It holds each instance only while that is read or written, and lets nobody else decide only
    while it does, so that a tool that is slow holds up this command and nothing else. The caller
    is `commanded`.
    """
    began = session.runtime.clock.monotonic()
    turns, unread = await _read(service, session, command)
    names = session.config.instances.keys() - unread
    late = unread | await service.hands.in_use(names, PATIENCE_S)

    async def take() -> frozenset[str]:
        mine = await service.hands.take_all(command.name, GRACE_S, names - late)
        _note_later_trouble(service, turns)
        return mine

    async with service.deciding:
        found = await service.decide(session, command, turns, take)
    found.started = began
    for report in found.this.report.instances:
        report.in_use = report.instance in unread
    return await service.write(found)


async def _read(
    service: Service, session: Session, command: Command
) -> tuple[dict[str, Turn], frozenset[str]]:
    """Read each instance for itself, all at once; what is measured last, as the others ask for it.
    Returns also those that others worked with all the time: they are done without."""
    turns: dict[str, Turn] = {}
    late: set[str] = set()

    async def one(name: str) -> None:
        if not await service.hands.take_all(command.name, PATIENCE_S, [name]):
            late.add(name)
            return
        try:
            turns[name] = await take_turn(session, name, Nudge(whole=True), command)
        finally:
            service.hands.release(name)

    named = wanted(session.config, command.only)
    measured = _measured(session, named)
    for names in (named - measured, measured):
        await at_once(one(name) for name in sorted(names))
    return turns, frozenset(late)


def _measured(session: Session, names: Iterable[str]) -> frozenset[str]:
    classes, instances = session.config.plugins.connectors, session.config.instances
    return frozenset(
        name for name in names if issubclass(classes[instances[name].connector], Measurable)
    )


def _note_later_trouble(service: Service, turns: Mapping[str, Turn]) -> None:
    """What could be read for the command and could not be since is as it was found last."""
    for name, turn in turns.items():
        since = service.schedule.turns.get(name)
        if since is None or since.read_at is None or since.read_at <= turn.at:
            continue
        if since.trouble and not turn.report.trouble:
            turn.report.trouble, turn.report.message = "incomplete", since.trouble
