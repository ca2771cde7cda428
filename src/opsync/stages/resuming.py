"""Where the read of a feed begins: at what changed last, at the last census, or from nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, TypeGuard

from opsync.contract.census import Census
from opsync.contract.connector import Feed, Readable
from opsync.model import Value
from opsync.stages import census
from opsync.stages.pulling import PullContext
from opsync.store import Vanished

READ_AS = "opsync:read-as:{}"
"""Kept of a feed: the settings by which it was read."""
NAMED_AS = "opsync:named-as:{}"
"""The same of all else that decides what its records are."""
STOPPED = "opsync:stopped:{}"
"""Kept of a feed of which a whole read was not believed: the settings, and what else decides what
its records are, by which that was."""
CHECKED = "opsync:checked:{}"
"""Kept of a feed: how far it was read when its last census was taken and when the one before it
was, and whether the read that begins again at the latter is under way."""


class Start(NamedTuple):
    """Where a read begins: `since` None is everything, as the settings are others (`rescoped`) or
    for another reason; `again` is from where the last census but one left off. `doubt` is what was
    not believed just before: what is new is read, and nothing is concluded from it."""

    since: datetime | None
    rescoped: bool = False
    again: bool = False
    doubt: Vanished | None = None


def lists_ids(connector: Readable) -> TypeGuard[Census]:
    """Whether a census can be taken of what it reads."""
    return isinstance(connector, Census) and connector.lists_ids


async def starts_at(connector: Readable, feed: Feed, instance: str, context: PullContext) -> Start:
    """Where to begin.

    Everything is read after a walk that was not believed, or where a census is due that the
    connector cannot take. Where it can, what changed since the last one but one is read once more:
    some of it may have been hidden, in no index yet, or left out when it was its turn, and that may
    have been in the very run of the last one.

    A walk that was not believed is as long as one that is: until the doubt is due to be asked about
    again, it is repeated only by other settings, and what changed is read meanwhile.
    """
    kept = await context.store.kept(instance)
    at = await census.counted_at(feed, instance, context)
    due = census.is_due(at, context.clock.now(), context.census_every)
    whole = _whole(connector, feed, kept, due, context)
    doubt = None if feed.snapshot else census.standing(feed, kept, context)
    walked = doubt is not None and kept.get(STOPPED.format(feed.name)) == stopped_by(context)
    if whole is not None and not walked:
        return whole
    for cursor in await context.store.cursors(instance):
        if cursor.feed == feed.name and cursor.high is not None:
            overlap = timedelta(seconds=context.overlap_s)
            doubted = census.DOUBTED.format(feed.name) in kept
            known = kept.get(CHECKED.format(feed.name)) if due and not doubted else None
            again = await _again(known, feed, instance, context)
            if again is not None:
                return Start(min(again, cursor.high) - overlap, again=True)
            return Start(cursor.high - overlap, doubt=doubt)
    return whole or Start(None)


def stopped_by(context: PullContext) -> Value:
    """By what a whole read was made that is not believed."""
    return [context.fingerprint, context.naming]


def _whole(
    connector: Readable, feed: Feed, kept: Mapping[str, Value], due: bool, context: PullContext
) -> Start | None:
    """The read of everything, if there is a reason for one; `due` says that a census is."""
    if kept.get(READ_AS.format(feed.name)) not in (None, context.fingerprint):
        return Start(None, rescoped=True)
    faded = kept.get(census.FADED.format(feed.name))
    if (
        feed.snapshot
        or context.full
        or faded == "now"
        or (due and (faded or not lists_ids(connector)))
        or STOPPED.format(feed.name) in kept
        or kept.get(NAMED_AS.format(feed.name)) not in (None, context.naming)
    ):
        return Start(None)
    return None


async def _again(known: Value, feed: Feed, instance: str, context: PullContext) -> datetime | None:
    """From where to read once more. Not twice in a row: a read that was cut off goes on."""
    if not isinstance(known, dict):
        return None
    begun = not known.get("begun")
    await context.store.put_kept(instance, {CHECKED.format(feed.name): known | {"begun": begun}})
    return datetime.fromisoformat(str(known.get("before", known["high"]))) if begun else None


async def note_census(feed: Feed, begin: Start, instance: str, context: PullContext) -> None:
    """A census was taken: note how far the feed is read, if what went before was read again."""
    name = CHECKED.format(feed.name)
    known = (await context.store.kept(instance)).get(name)
    if begin.since is not None and not begin.again and known is not None:
        return
    for cursor in await context.store.cursors(instance):
        if cursor.feed == feed.name and cursor.high is not None:
            high = cursor.high.isoformat()
            before = known["high"] if begin.again and isinstance(known, dict) else high
            noted: Value = {"high": high, "before": before, "begun": False}
            await context.store.put_kept(instance, {name: noted})
