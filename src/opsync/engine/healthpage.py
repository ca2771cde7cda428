"""The page "opsync health": connections, what waits and what is wrong, for those who read there.

Its text names no age and no count that changes by itself, so that it is written when something is
otherwise, and at most once a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from opsync.config import Config
from opsync.contract.pages import PageBlock, PageText
from opsync.engine.digestwords import waits_of
from opsync.engine.overview import Connection, Overview, overview
from opsync.engine.pages import write_part
from opsync.engine.session import Session
from opsync.engine.untold import WRITTEN, Looked, looked, unwritten
from opsync.inert import inert_text
from opsync.model import value_hash
from opsync.steps.shared import OWN
from opsync.watch import Alarm
from opsync.wording import day

PART = "health"

DAILY = timedelta(days=1)
AGAIN = timedelta(hours=1)
"""So long after a failure it is tried again."""
SAID = 300

_STATES = {
    "ok": "read",
    "incomplete": "read in part",
    "out of date": "out of date",
    "over limit": "read, and not written: its plan was refused",
    "never read": "never read",
}


async def write_due(session: Session, now: datetime) -> tuple[Alarm, ...]:
    """Write the page if it is wanted, says something else than it did, and was not looked at for a
    day; returns what is wrong. Call it as often as you like, beside no pass of that connection."""
    settings = session.config.general.service.health_page
    if not settings.notion_page:
        return ()
    last = await looked(session.store)
    if last is not None and now - last.at < (AGAIN if last.why else DAILY):
        return unwritten(session.config, last)
    found = await overview(session.config, session.store, now)
    blocks = list(_blocks(found, session.config))
    text = value_hash([settings.notion_page, *(_plain(block) for block in blocks)])
    after = Looked(now, text)
    if last is None or last.text != text or last.why:
        local = now.astimezone(session.config.zone)
        said = f"Written {day(local.date())} {local.year}, {local:%H:%M}; stays while it is so."
        blocks.append(PageBlock("paragraph", (PageText(said),)))
        page, name = settings.notion_page, settings.notion
        if why := await write_part(session, name, page, PART, blocks):
            since = last.since if last is not None and last.why else now
            after = Looked(now, last.text if last is not None else "", why, since)
    await session.store.put_kept(OWN, {WRITTEN: msgspec.to_builtins(after)})
    return unwritten(session.config, after)


def _blocks(found: Overview, config: Config) -> Iterator[PageBlock]:
    yield PageBlock("heading", (PageText("opsync health"),))
    # What is told here of the page itself would be otherwise by being written.
    alarms = [one for one in found.alarms if one.kind != "health page"]
    red = sum(one.state == "fail" for one in alarms)
    bad = [one for one in found.connections if one.state != "ok"]
    if red or bad:
        said = f"{red or len(bad)} {'thing needs' if (red or len(bad)) == 1 else 'things need'}"
        yield _paragraph(f"{said} a look.")
    else:
        yield _paragraph("All connections are read and written as they should be.")
    for one in found.connections:
        yield _bullet(_connection(one, config))
    for alarm in alarms:
        about = f"{alarm.connection}: " if alarm.connection else ""
        yield _bullet(f"{about}{inert_text(alarm.what, SAID)}. {alarm.hint}")
    for pause in found.paused:
        where = pause.instance or "All connections"
        yield _bullet(f"{where}: writes are paused by {inert_text(pause.by, 80)}")
    if waits := waits_of(found.waiting):
        yield _paragraph(f"Waits for people: {' · '.join(waits)}")


def _connection(one: Connection, config: Config) -> str:
    said = f"{one.instance} ({one.tool}): {_STATES.get(one.state, one.state)}"
    if one.failing_since is not None:
        said += f", since {day(one.failing_since.astimezone(config.zone).date())}"
    return said


def _paragraph(text: str) -> PageBlock:
    return PageBlock("paragraph", (PageText(text),))


def _bullet(text: str) -> PageBlock:
    return PageBlock("bullet", (PageText(text),))


def _plain(block: PageBlock) -> str:
    return "".join(piece.text for piece in block.text)
