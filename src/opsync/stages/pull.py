"""Pull: read what changed at one instance into the store, batch after batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from opsync.contract.connector import Batch, Feed, Readable
from opsync.errors import BadAnswer, OpsyncError, SignInError, StoreError
from opsync.inert import inert_text
from opsync.model import Ref
from opsync.report import InstanceReport
from opsync.runtime import Clock
from opsync.stages.normalize import LinkRule, Recognizer, normalize
from opsync.store import Prepared, SetAside, Store

_log = structlog.get_logger(__name__)

_CORE = "opsync:"
_READ_AS = _CORE + "read-as:{}"

VANISH_LIMIT = 0.2
"""A larger share of a feed's records than this does not vanish at once …"""
VANISH_FLOOR = 10
"""… unless it is so few."""

EMPTY_WALKS_MAX = 3
"""So many empty batches in a row, each promising more, are taken for a listing that is stuck."""


def is_core_key(key: str) -> bool:
    """Whether a kept value is the core's own, not the connector's."""
    return key.startswith(_CORE)


class Progress(Protocol):
    """Is told how far reading has come."""

    def __call__(self, instance: str, read: int, expected: int | None) -> None: ...


def silent(instance: str, read: int, expected: int | None) -> None:
    """Progress that nobody looks at."""


@dataclass
class PullContext:
    """What pulling one instance needs besides the connector."""

    store: Store
    clock: Clock
    run: int
    overlap_s: int
    fingerprint: str
    recognizers: Mapping[str, Recognizer]
    rules: Sequence[LinkRule] = ()
    full: bool = False
    progress: Progress = silent
    finish: Callable[[], None] = field(default=lambda: None)


async def pull(connector: Readable, report: InstanceReport, context: PullContext) -> None:
    """Read all feeds of one instance and note in `report` what came of it.

    The cursor of a feed advances in the same transaction as its batch, or, where the vendor does
    not list in the order of change, when the walk has completed. Nothing that fails here harms
    another instance: the trouble is in the report, what was read stays, the cursor stays where
    it was, and nothing counts as gone. Errors of the store are raised.
    """
    feed: Feed | None = None
    try:
        feeds = await connector.feeds()
        for feed in feeds:
            await _pull_feed(connector, feed, report, context)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a connector raises stays with its instance
        await _trouble(error, feed, report, context)


async def _pull_feed(
    connector: Readable, feed: Feed, report: InstanceReport, context: PullContext
) -> None:
    store, instance = context.store, report.instance
    rescoped = await _rescoped(feed, instance, context)
    since = None if rescoped else await _since(feed, instance, context)
    full = since is None
    known = await store.known(instance, feed.name) if full else 0
    if known:
        await store.begin_walk(instance, feed.name)
    high: datetime | None = None
    read = empty = 0
    async for batch in connector.pull(feed, since):
        empty = 0 if batch.items else empty + 1
        if empty > EMPTY_WALKS_MAX:
            raise BadAnswer(f"{instance}: the listing of {feed.title or feed.name} does not end")
        if batch.high is not None and (high is None or batch.high > high):
            high = batch.high
        await _store_batch(connector, feed, batch, report, context, track=full and known > 0)
        read += len(batch.items)
        context.progress(instance, report.read, batch.expected)
    if full and known and not await _settle_walk(feed, read, rescoped, report, context):
        return
    await store.finish_feed(context.run, instance, feed.name, high=high, at=context.clock.now())
    await store.put_kept(instance, {_READ_AS.format(feed.name): context.fingerprint})


async def _rescoped(feed: Feed, instance: str, context: PullContext) -> bool:
    """Whether the settings changed since the last complete read, so that all is read again."""
    kept = await context.store.kept(instance)
    return kept.get(_READ_AS.format(feed.name)) not in (None, context.fingerprint)


async def _since(feed: Feed, instance: str, context: PullContext) -> datetime | None:
    """Where to resume; None reads everything."""
    if feed.snapshot or context.full:
        return None
    for cursor in await context.store.cursors(instance):
        if cursor.feed == feed.name and cursor.high is not None:
            return cursor.high - timedelta(seconds=context.overlap_s)
    return None


async def _store_batch(
    connector: Readable,
    feed: Feed,
    batch: Batch,
    report: InstanceReport,
    context: PullContext,
    *,
    track: bool,
) -> None:
    instance = report.instance
    refs = [Ref(instance, item.stream, item.id) for item in batch.items]
    owned = await context.store.owned_ids(instance, refs)
    records, aside = normalize(connector, batch.items, context.recognizers, context.rules, owned)
    counts = await context.store.put_batch(
        context.run,
        instance,
        feed.name,
        [Prepared(*record) for record in records],
        [SetAside(instance, one.stream, one.id, one.reason) for one in aside],
        advance_to=batch.high if batch.resumable else None,
    )
    if track:
        await context.store.walk_seen(instance, feed.name, refs)
    report.read += len(records)
    report.changed += counts.changed
    report.set_aside += len(aside)


async def _settle_walk(
    feed: Feed, read: int, rescoped: bool, report: InstanceReport, context: PullContext
) -> bool:
    """After everything was read: what was not seen is gone, unless that is suspiciously much.

    Where the settings were changed, any number may go, but not all.
    """
    limit = 1.0 if rescoped else VANISH_LIMIT
    result = await context.store.finish_walk(
        context.run, report.instance, feed.name, limit=limit, floor=VANISH_FLOOR
    )
    report.missing += result.missing
    if not result.refused:
        return True
    what = "nothing" if read == 0 else f"{result.missing} of {result.known} records fewer"
    report.trouble = "stopped"
    report.message = (
        f"{report.instance}: {feed.title or feed.name} answered {what} where "
        f"{result.known} were known; nothing is counted as gone and nothing is written from it"
    )
    report.hint = (
        "Check what the credential may see. If it is right, remove the instance's records with "
        "a new store."
    )
    await context.store.fail_feed(
        context.run, report.instance, feed.name, error=report.message, at=context.clock.now()
    )
    return False


async def _trouble(
    error: Exception, feed: Feed | None, report: InstanceReport, context: PullContext
) -> None:
    if isinstance(error, SignInError):
        report.trouble = "sign-in"
    else:
        report.trouble = "incomplete" if isinstance(error, OpsyncError) else "plugin"
    if isinstance(error, OpsyncError):
        report.message, report.hint = error.message, error.hint
    else:
        report.message = inert_text(f"{report.instance}: {type(error).__name__}: {error}", 300)
    _log.warning(
        "pull.failed",
        instance=report.instance,
        feed=feed.name if feed else "",
        error=report.message,
        exc_info=None if isinstance(error, OpsyncError) else error,
    )
    await context.store.fail_feed(
        context.run,
        report.instance,
        feed.name if feed else "",
        error=report.message,
        at=context.clock.now(),
    )
