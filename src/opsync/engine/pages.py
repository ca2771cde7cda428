"""Parts of pages that opsync keeps for people: written, found again, and taken away.

What is where is kept in the store, so that it can be taken away: a part that was moved to another
page leaves the first one. Writes obey pauses and the mode "observe", and are counted and logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from opsync.contract.pages import PageBlock, WritesPages
from opsync.engine.session import Session, open_instance
from opsync.engine.untold import writer_of
from opsync.errors import OpsyncError, RefusedError
from opsync.log import get_logger
from opsync.model.rules import Mode
from opsync.steps.shared import OWN, keep
from opsync.store import Store

PAGES = "pages"
"""By part what was written where."""


class Kept(Struct, frozen=True):
    """A part that stands on a page, when it was written last, and how often."""

    instance: str
    page: str
    at: datetime
    times: int = 1


class Released(Struct, frozen=True):
    """A part of a page that was given up, and why it could not be ("": it was)."""

    connection: str
    part: str
    why: str


async def write_part(
    session: Session, named: str, page: str, part: str, blocks: Sequence[PageBlock]
) -> str:
    """Put `blocks` on a page as this part; returns why not, "" if they stand there."""
    name = writer_of(session.config, named)
    if not name:
        return "no connection can write pages."
    parts = await kept_parts(session.store)
    before = parts.get(part)
    if before is not None and (before.instance, before.page) != (name, page):
        if why := await _replace(session, before.instance, before.page, part, ()):
            get_logger().warning("page.left", connection=before.instance, part=part, why=why)
        before = None
    if why := await _replace(session, name, page, part, blocks):
        return why
    times = before.times + 1 if before else 1
    parts[part] = Kept(name, page, session.runtime.clock.now(), times)
    await _keep_parts(session.store, parts)
    get_logger().info("page.written", connection=name, part=part, blocks=len(blocks), times=times)
    return ""


async def release_parts(
    session: Session, only: str | None = None, *, dry: bool = False
) -> list[Released]:
    """Take opsync's parts off all pages, or off those of one connection: exactly what it wrote.
    With `dry` nothing is done, and what would be is told."""
    parts = await kept_parts(session.store)
    done = []
    for part, kept in sorted(parts.items()):
        if only not in (None, kept.instance):
            continue
        why = "" if dry else await _replace(session, kept.instance, kept.page, part, ())
        if not why and not dry:
            get_logger().info("page.released", connection=kept.instance, part=part)
            await _keep_parts(session.store, {n: o for n, o in parts.items() if n != part})
            parts = await kept_parts(session.store)
        done.append(Released(kept.instance, part, why))
    return done


async def leave_parts(session: Session, only: str | None = None) -> None:
    """Leave what stands on pages to people. It is written again once it is asked for."""
    parts = await kept_parts(session.store)
    await _keep_parts(
        session.store,
        {name: one for name, one in parts.items() if only not in (None, one.instance)},
    )


async def kept_parts(store: Store) -> dict[str, Kept]:
    """What stands on pages, by part."""
    found = (await store.kept(OWN)).get(PAGES)
    try:
        return msgspec.convert(found or {}, dict[str, Kept])
    except msgspec.ValidationError:
        return {}


async def _keep_parts(store: Store, parts: dict[str, Kept]) -> None:
    await store.put_kept(OWN, {PAGES: msgspec.to_builtins(parts) or None})


async def _replace(
    session: Session, name: str, page: str, part: str, blocks: Sequence[PageBlock]
) -> str:
    if session.config.forced is Mode.observe:
        return 'nothing is written in mode "observe".'
    pause = (await session.store.pauses()).of(name)
    if pause is not None:
        return f"writes through {name} are paused by {pause.by}; go on with: opsync pause --off"
    instance = session.config.instances.get(name)
    if instance is None:
        return f"{name} is not configured any more."
    try:
        opened = await open_instance(instance, session)
        if not isinstance(opened.connector, WritesPages):
            raise RefusedError(f"{name} cannot write pages.")
        try:
            await opened.connector.replace_page(page, part, blocks)
        finally:
            # What was made so far is found again by it.
            await keep(session.store, name, opened)
    except OpsyncError as error:
        return session.pool.redactor.clean(str(error))
    return ""
