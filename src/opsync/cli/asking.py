"""Having a running service carry out a command: it holds the store that the command works on."""

from __future__ import annotations

from collections.abc import Sequence

from opsync.cli.common import Opened
from opsync.cli.linkdecisions import login
from opsync.engine.fingerprint import config_digest
from opsync.errors import StoreHeld
from opsync.report import PassReport
from opsync.service.asks import AskSync, AskUndo, Synced, Undone, ask
from opsync.stages.pulling import Progress
from opsync.store import JournalRow


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
