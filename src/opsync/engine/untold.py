"""What opsync tells by itself and could not: the digest and the page on its health, as alarms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from opsync.config import Config
from opsync.contract.pages import WritesPages
from opsync.steps.shared import OWN
from opsync.steps.watching import watched
from opsync.store import Store
from opsync.watch import Alarm

Channel = Literal["slack", "notion"]

SENT = "digest:sent"
"""By channel the last digest that was due, and what came of it."""
WRITTEN = "health:written"
"""When the page on health was written or looked at last, and a digest of its text."""

_HINT = "It is tried again an hour later; at once with: opsync digest --to {channel}"


class Sending(Struct, frozen=True):
    """One digest on one channel: when it was `due`, and when and with what result it was sent.
    `since` is the first of the failures in a row."""

    due: datetime
    at: datetime
    state: Literal["sending", "sent", "failed"]
    why: str = ""
    since: datetime | None = None


class Looked(Struct, frozen=True):
    """The last look: when, at which text and page, and why it could not be written (since when)."""

    at: datetime
    text: str = ""
    why: str = ""
    since: datetime | None = None


async def alarms(config: Config, store: Store, now: datetime) -> tuple[Alarm, ...]:
    """All that is wrong by what the store knows, also what should have been told and was not; those
    that are red come first. Asks no tool."""
    found = (*await watched(config, store, now), *await untold(config, store))
    return tuple(sorted(found, key=lambda one: one.state != "fail"))


async def untold(config: Config, store: Store) -> tuple[Alarm, ...]:
    """What should have been told and was not, as alarms."""
    return (
        *unsent(config, await sendings(store)),
        *unwritten(config, await looked(store)),
    )


def unsent(config: Config, found: Mapping[str, Sending]) -> tuple[Alarm, ...]:
    """What could not be sent, as alarms."""
    settings = config.general.service.digest
    asked = {"slack": settings.slack_webhook is not None, "notion": bool(settings.notion_page)}
    return tuple(
        Alarm(
            kind="digest",
            connection=writer_of(config, settings.notion) if channel == "notion" else "",
            state="fail",
            what=f"the digest of the week could not be sent to {channel.capitalize()}",
            since=one.since,
            hint=_HINT.format(channel=channel),
            error=one.why,
        )
        for channel, one in sorted(found.items())
        if one.state == "failed" and asked.get(channel)
    )


def unwritten(config: Config, last: Looked | None) -> tuple[Alarm, ...]:
    """That the page could not be written, as an alarm."""
    settings = config.general.service.health_page
    if last is None or not last.why or not settings.notion_page:
        return ()
    return (
        Alarm(
            kind="health page",
            connection=writer_of(config, settings.notion),
            state="fail",
            what="the page on opsync's health could not be written",
            since=last.since,
            hint="It is tried again an hour later.",
            error=last.why,
        ),
    )


async def sendings(store: Store) -> dict[str, Sending]:
    """By channel what came of the last digest."""
    found = (await store.kept(OWN)).get(SENT)
    try:
        return msgspec.convert(found or {}, dict[str, Sending])
    except msgspec.ValidationError:
        return {}


async def looked(store: Store) -> Looked | None:
    """The last look at the page; None before the first."""
    try:
        return msgspec.convert((await store.kept(OWN)).get(WRITTEN), Looked)
    except msgspec.ValidationError:
        return None


def writer_of(config: Config, named: str) -> str:
    """The connection that writes a page: the one that is named, else the one that can; "" where
    there is none."""
    able = [
        name
        for name, instance in config.instances.items()
        if issubclass(config.plugins.connector(instance.connector), WritesPages)
    ]
    if named:
        return named if named in able else ""
    return able[0] if len(able) == 1 else ""
