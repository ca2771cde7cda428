"""Where a digest goes: into Slack, onto a Notion page; by a command, or once a week by itself.

What was sent is kept by channel and by the time at which it was due. It is kept before a message
leaves, so that a process that dies then sends nothing twice: a message of which nobody knows
whether it arrived counts as sent, and a page is written again, which is harmless.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from opsync.blocks.digesting import DAYS
from opsync.config import Config
from opsync.contract.pages import PageBlock, PageText
from opsync.engine.alerting import post
from opsync.engine.digest import Week, week
from opsync.engine.digestwords import Line, Piece, as_slack, more_of, on_page, told
from opsync.engine.pages import write_part
from opsync.engine.session import Session
from opsync.engine.untold import SENT, Channel, Sending, sendings, unsent
from opsync.errors import ConfigError
from opsync.steps.shared import OWN
from opsync.store import Store
from opsync.watch import Alarm

PART = "digest"
AGAIN = timedelta(hours=1)
"""So long after a failure it is tried again."""
LATE = timedelta(days=1)
"""So long after it was due it is still sent: by a service that was not there, or was refused."""


async def send(session: Session, digests: Sequence[Sequence[Line]], to: Channel) -> str:
    """Send these; returns why not, "" if they arrived. ConfigError: it is not said where."""
    settings = session.config.general.service.digest
    if to == "notion":
        if not settings.notion_page:
            raise ConfigError(
                "no page is named for the digest", hint="Set notion_page in [service.digest]."
            )
        page, name = settings.notion_page, settings.notion
        why = await write_part(session, name, page, PART, as_blocks(digests))
        return why or await _cleared(session, to)
    if settings.slack_webhook is None:
        raise ConfigError(
            "no Slack webhook is configured for the digest",
            hint="Set OPSYNC_SERVICE__DIGEST__SLACK_WEBHOOK, or slack_webhook in [service.digest].",
        )
    text = "\n\n".join(as_slack(lines) for lines in digests)
    why = await post(
        settings.slack_webhook,
        {"text": text, "unfurl_links": False, "unfurl_media": False},
        session.pool,
        setting="service.digest.slack_webhook",
        again="Try again in a few minutes.",
        twice=False,
    )
    return why or await _cleared(session, to)


async def _cleared(session: Session, channel: Channel) -> str:
    """One that arrived ends what is said of one that did not."""
    last = (await sendings(session.store)).get(channel)
    if last is not None and last.state == "failed":
        await _keep(session.store, channel, Sending(last.due, session.runtime.clock.now(), "sent"))
    return ""


def as_blocks(digests: Sequence[Sequence[Line]]) -> list[PageBlock]:
    """Digests as blocks of a page: each a paragraph and a list, below one heading."""
    blocks = [PageBlock("heading", (PageText("Digest of the week"),))]
    for lines in digests:
        for number, line in enumerate(lines):
            pieces: list[Piece] = [Piece(f"{line.label}: ")]
            for at, item in enumerate((*line.items, *more_of(line))):
                pieces += [*([Piece(" · ")] if at else []), *item]
            text = tuple(PageText(piece.text, piece.url) for piece in pieces)
            blocks.append(PageBlock("bullet" if number else "paragraph", text))
    return blocks


async def weekly(session: Session, now: datetime) -> list[tuple[Line, ...]]:
    """The digests that the configuration asks for. A team without work that counts is told so."""
    config = session.config
    teams = config.general.service.digest.teams
    leads = on_page(config.general.service.public_url)
    if not teams:
        return [told(await week(config, session.store, now), config.zone, leads)]
    found: list[tuple[Line, ...]] = []
    for team in teams:
        try:
            one: Week = await week(config, session.store, now, team=team)
        except ConfigError:
            found.append((Line(team, ((Piece("no work of this team counts anywhere"),),)),))
        else:
            found.append(told(one, config.zone, leads))
    return found


def due(config: Config, now: datetime) -> datetime | None:
    """When the digest was due that may still be sent now; None: none is."""
    settings = config.general.service.digest
    local = now.astimezone(config.zone)
    back = (local.weekday() - DAYS.index(settings.day)) % 7
    day = local.date() - timedelta(days=back)
    at = datetime(day.year, day.month, day.day, settings.hour, tzinfo=config.zone)
    return at if timedelta() <= now - at < LATE else None


async def send_due(session: Session, now: datetime) -> tuple[Alarm, ...]:
    """Send what is due and was not sent yet, on each channel once; returns what is wrong.

    Call it once a minute, beside no pass of the connection that writes the page. What could not be
    sent is tried again an hour later, for a day.
    """
    settings = session.config.general.service.digest
    at = due(session.config, now)
    before = await sendings(session.store)
    channels: list[Channel] = []
    if settings.slack_webhook is not None:
        channels.append("slack")
    if settings.notion_page:
        channels.append("notion")
    for channel in channels:
        if at is None or not _wanted(channel, before.get(channel), at, now):
            continue
        digests = await weekly(session, now)
        await _keep(session.store, channel, Sending(at, now, "sending"))
        why = await send(session, digests, channel)
        last = before.get(channel)
        if why:
            since = last.since if last is not None and last.state == "failed" else None
            done = Sending(at, now, "failed", why, since or now)
        else:
            done = Sending(at, now, "sent")
        await _keep(session.store, channel, done)
    return unsent(session.config, await sendings(session.store))


def _wanted(channel: Channel, last: Sending | None, at: datetime, now: datetime) -> bool:
    if last is None or last.due < at:
        return True
    if last.state == "failed":
        return now - last.at >= AGAIN
    # It was begun and nobody heard of it again: a message may have arrived.
    return last.state == "sending" and channel == "notion"


async def _keep(store: Store, channel: Channel, one: Sending) -> None:
    after = {**await sendings(store), channel: one}
    await store.put_kept(OWN, {SENT: msgspec.to_builtins(after)})
