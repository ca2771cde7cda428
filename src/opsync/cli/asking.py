"""Having a running service carry out a command: it holds the store that the command works on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from opsync.cli.common import Opened
from opsync.cli.linkdecisions import login
from opsync.engine.fingerprint import config_digest
from opsync.engine.session import Session, open_session
from opsync.errors import StoreHeld
from opsync.report import PassReport
from opsync.service.asks import AskStore, AskSync, AskUndo, Synced, Undone, ask, lent
from opsync.stages.pulling import Progress
from opsync.store import JournalRow


@asynccontextmanager
async def holding_session(opened: Opened, command: str) -> AsyncIterator[Session]:
    """A session that holds the store; where a service does, that leaves it to the command
    meanwhile. StoreHeld: something else holds it."""
    config, redactor = opened.config, opened.redactor
    async with AsyncExitStack() as stack:
        try:
            session = await stack.enter_async_context(
                open_session(config, command, redactor=redactor)
            )
        except StoreHeld as held:
            wanted = AskStore(command=command, config=config_digest(config))
            try:
                await stack.enter_async_context(lent(config.store, wanted))
            except StoreHeld:
                raise held from None
            session = await stack.enter_async_context(
                open_session(config, command, exclusive=False, redactor=redactor)
            )
        yield session


async def sync_there(
    opened: Opened, held: StoreHeld, wanted: AskSync, progress: Progress
) -> PassReport:
    """The pass, done by the service. Raises `held` where what holds the store is none."""
    try:
        done = await ask(opened.config.store, wanted, progress)
    except StoreHeld:
        raise held from None
    assert isinstance(done, Synced)
    return done.whole()


async def undo_there(
    opened: Opened,
    held: StoreHeld,
    command: str,
    of: str,
    rows: Sequence[JournalRow],
    *,
    dry: bool,
) -> Undone:
    """The undo, done by the service. Raises `held` where what holds the store is none."""
    wanted = AskUndo(
        command=command,
        config=config_digest(opened.config),
        of=of,
        changes=tuple(dict.fromkeys(row.change for row in rows)),
        by=login(),
        dry=dry,
    )
    try:
        done = await ask(opened.config.store, wanted)
    except StoreHeld:
        raise held from None
    assert isinstance(done, Undone)
    return done
