"""One pass, as each command that reads and writes has it done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from opsync.cli.common import Opened
from opsync.cli.progress import progress
from opsync.engine.approving import with_approvals
from opsync.engine.fingerprint import config_digest
from opsync.engine.session import open_session, wanted
from opsync.errors import StoreHeld
from opsync.model import Approval, Limits, Slot
from opsync.report import PassReport
from opsync.runtime import SystemClock


async def run_sync(
    opened: Opened,
    command: str,
    *,
    only: tuple[str, ...] = (),
    full: bool = False,
    write: bool = True,
    chosen: Mapping[Slot, str] | None = None,
    approvals: Sequence[Approval] = (),
    limits: Limits | None = None,
    keeps_plan: bool = True,
) -> PassReport:
    """One pass with its progress on standard error: here, or where a service holds the store, by
    that. `approvals` are given once the store is held, or the service has taken it on: of what is
    refused nothing is approved."""
    wanted(opened.config, frozenset(only))  # before a store is made for what is refused
    with progress(opened.config.plugins, SystemClock(), writes=write) as told:
        try:
            async with open_session(opened.config, command, redactor=opened.redactor) as session:
                here = partial(
                    session.sync,
                    command,
                    only=frozenset(only),
                    full=full,
                    write=write,
                    chosen=chosen,
                    limits=limits,
                    keeps_plan=keeps_plan,
                    progress=told,
                )
                return await with_approvals(session.store, approvals, here)
        except StoreHeld as held:
            from opsync.cli.asking import sync_there
            from opsync.service.asks import AskSync

            asked = AskSync(
                command=command,
                config=config_digest(opened.config),
                only=only,
                full=full,
                write=write,
                chosen=None if chosen is None else tuple(chosen.items()),
                approvals=tuple(approvals),
                limits=limits,
                mode=opened.config.forced,
                keeps_plan=keeps_plan,
            )
            return await sync_there(opened, held, asked, told)
