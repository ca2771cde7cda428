"""Pull: read what changed at one instance into the store, batch after batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from opsync.contract.connector import Batch, Feed, Readable
from opsync.errors import BadAnswer, OpsyncError, RefusedError, SignInError, StoreError
from opsync.http.stillness import Watch, each, unwatched
from opsync.model import Ref, Value
from opsync.report import InstanceReport
from opsync.runtime import Clock
from opsync.stages.normalize import Known, normalize
from opsync.store import Prepared, SetAside, Store

_log = structlog.get_logger(__name__)

CORE = "opsync:"
"""What the core keeps begins so; a connector's own does not."""
_READ_AS = CORE + "read-as:{}"
_NAMED_AS = CORE + "named-as:{}"
_STOPPED = CORE + "stopped:{}"
EXPECTED = CORE + "expected:{}"
"""Kept of a feed's last whole walk: how many items the vendor announced, how many came, when."""
_READING = CORE + "reading"
"""Kept from the beginning of an instance's read to its end."""

VANISH_LIMIT = 0.2
"""A larger share of a feed's records than this does not vanish at once …"""
VANISH_FLOOR = 10
"""… unless it is so few."""

EMPTY_WALKS_MAX = 3
"""So many empty batches in a row, each promising more, are taken for a listing that is stuck."""


def is_core_key(key: str) -> bool:
    """Whether a kept value is the core's own, not the connector's."""
    return key.startswith(CORE)


class Progress(Protocol):
    """Is told how far reading has come."""

    def __call__(self, instance: str, read: int, expected: int | None) -> None: ...


def silent(instance: str, read: int, expected: int | None) -> None:
    """Progress that nobody looks at."""


@dataclass
class PullContext:
    """What pulling one instance needs besides the connector.

    `fingerprint` is a digest of the instance's settings, `naming` one of all else that decides
    what its records are: what its texts name, and what its teams mean. `clean` takes the
    process's secrets out of a text, `watch` ends a step of the connector that hangs.
    """

    store: Store
    clock: Clock
    run: int
    overlap_s: int
    fingerprint: str
    known: Known = field(default_factory=Known)
    naming: str = ""
    full: bool = False
    progress: Progress = silent
    clean: Callable[[str], str] = str
    watch: Watch = unwatched
    named: list[Feed] = field(default_factory=list)
    """The feeds that `pull` leaves to `pull_named`."""


async def pull(connector: Readable, report: InstanceReport, context: PullContext) -> None:
    """Read the feeds of one instance and note in `report` what came of it.

    Those that are read only while something names what they hold are left to `pull_named`.

    The cursor of a feed advances in the same transaction as its batch, or, where the vendor does
    not list in the order of change, when the walk has completed. Nothing that fails here harms
    another instance: the trouble is in the report, what was read stays, the cursor stays where
    it was, and nothing counts as gone. Errors of the store are raised.
    """
    store, instance = context.store, report.instance
    await store.put_kept(instance, {_READING: context.run})
    try:
        async with context.watch():
            feeds = await connector.feeds()
    except StoreError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a connector's fault stays its own
        await _trouble(error, None, report, context)
        return
    context.named = [feed for feed in feeds if feed.named]
    if not await _pull_each(connector, [f for f in feeds if not f.named], report, context):
        return
    if not report.trouble:
        await _retire(feeds, report, context)
    if not report.trouble:
        await store.put_kept(instance, {_READING: None})


async def pull_named(connector: Readable, report: InstanceReport, context: PullContext) -> None:
    """Read the feeds that are left over of which something is named, and forget the others."""
    store, instance = context.store, report.instance
    if report.trouble or not context.named:
        return
    known = {cursor.feed for cursor in await store.cursors(instance)}
    wanted = [f for f in context.named if await store.names_any(instance, f.named)]
    for feed in context.named:
        if feed not in wanted and feed.name in known:
            await _forget(feed.name, report, context)
    if not wanted:
        return
    await store.put_kept(instance, {_READING: context.run})
    await _pull_each(connector, wanted, report, context)
    if not report.trouble:
        await store.put_kept(instance, {_READING: None})


async def _pull_each(
    connector: Readable, feeds: Sequence[Feed], report: InstanceReport, context: PullContext
) -> bool:
    """Read these feeds; False where the sign-in was refused, so that nothing else can be read."""
    for feed in feeds:
        try:
            await _pull_feed(connector, feed, report, context)
        except StoreError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - and a feed's fault its feed's
            await _trouble(error, feed, report, context)
            if isinstance(error, SignInError):
                return False
    return True


async def is_half_read(store: Store, instance: str) -> bool:
    """Whether the instance was never read to its end, or a read of it was cut off."""
    if _READING in await store.kept(instance):
        return True
    feeds = [one for one in await store.cursors(instance) if not is_core_key(one.feed)]
    return not any(cursor.completed_at for cursor in feeds)


async def _retire(feeds: Sequence[Feed], report: InstanceReport, context: PullContext) -> None:
    """Forget the feeds that are not read any more, and count what they brought as gone.

    Where the settings are the same and it brought many, that is as suspicious as an empty listing.
    """
    store, instance = context.store, report.instance
    names = {feed.name for feed in feeds}
    for cursor in await store.cursors(instance):
        if cursor.feed in names or is_core_key(cursor.feed):
            continue
        kept = await store.kept(instance)
        same = kept.get(_READ_AS.format(cursor.feed)) == context.fingerprint
        known = await store.known(instance, cursor.feed)
        if same and known > VANISH_FLOOR:
            report.trouble = "stopped"
            report.message = (
                f"{instance}: {cursor.feed}, of which {known} records are known, is not listed "
                "any more; nothing is counted as gone and nothing is written from it"
            )
            report.hint = "Check what the credential may see, or name what remains in the settings."
            await store.fail_feed(
                context.run, instance, cursor.feed, error=report.message, at=context.clock.now()
            )
            continue
        await _forget(cursor.feed, report, context)


async def _forget(feed: str, report: InstanceReport, context: PullContext) -> None:
    """What a feed brought is gone, and so is what was kept for it."""
    store, instance = context.store, report.instance
    report.missing += await store.retire_feed(context.run, instance, feed)
    names = (_READ_AS, _NAMED_AS, _STOPPED, EXPECTED)
    await store.put_kept(instance, {name.format(feed): None for name in names})


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
    expected: int | None = None
    async for batch in each(connector.pull(feed, since), context.watch):
        empty = 0 if batch.items else empty + 1
        if empty > EMPTY_WALKS_MAX:
            raise BadAnswer(f"{instance}: the listing of {feed.title or feed.name} does not end")
        if batch.high is not None and (high is None or batch.high > high):
            high = batch.high
        await _store_batch(connector, feed, batch, report, context, track=full and known > 0)
        read += len(batch.items)
        expected = batch.expected if batch.expected is not None else expected
        context.progress(instance, report.read, batch.expected)
    if full and known and not await _settle_walk(feed, read, rescoped, report, context):
        return
    await store.finish_feed(context.run, instance, feed.name, high=high, at=context.clock.now())
    after: dict[str, Value] = {
        _READ_AS.format(feed.name): context.fingerprint,
        _NAMED_AS.format(feed.name): context.naming,
        _STOPPED.format(feed.name): None,
    }
    if full:
        after[EXPECTED.format(feed.name)] = _announced(expected, read, context.clock.now())
    kept = await store.kept(instance)
    if any(kept.get(key) != value for key, value in after.items()):
        await store.put_kept(instance, after)


def _announced(expected: int | None, read: int, at: datetime) -> Value:
    """What is kept of a whole walk where the vendor told how much it would be."""
    if expected is None:
        return None
    return {"expected": expected, "read": read, "at": at.isoformat()}


async def _rescoped(feed: Feed, instance: str, context: PullContext) -> bool:
    """Whether the settings changed since the last complete read, so that all is read again."""
    kept = await context.store.kept(instance)
    return kept.get(_READ_AS.format(feed.name)) not in (None, context.fingerprint)


async def _since(feed: Feed, instance: str, context: PullContext) -> datetime | None:
    """Where to resume; None reads everything, as after a walk that was not believed."""
    if feed.snapshot or context.full:
        return None
    kept = await context.store.kept(instance)
    if _STOPPED.format(feed.name) in kept:
        return None
    if kept.get(_NAMED_AS.format(feed.name)) not in (None, context.naming):
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
    records, aside = normalize(connector, batch.items, context.known, owned)
    counts = await context.store.put_batch(
        context.run,
        instance,
        feed.name,
        [Prepared(*record) for record in records],
        [SetAside(instance, one.stream, one.id, context.clean(one.reason)) for one in aside],
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
    if not result.refused:
        report.missing += result.missing
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
    await context.store.put_kept(report.instance, {_STOPPED.format(feed.name): True})
    await context.store.fail_feed(
        context.run, report.instance, feed.name, error=report.message, at=context.clock.now()
    )
    return False


async def _trouble(
    error: Exception | SystemExit, feed: Feed | None, report: InstanceReport, context: PullContext
) -> None:
    message = report.fault(error, context.clean)
    if isinstance(error, RefusedError):
        report.refused.append(feed.name if feed else "")
    _log.warning(
        "pull.failed",
        instance=report.instance,
        feed=feed.name if feed else "",
        error=message,
        exc_info=None if isinstance(error, OpsyncError) else error,
    )
    await context.store.fail_feed(
        context.run,
        report.instance,
        feed.name if feed else "",
        error=message,
        at=context.clock.now(),
    )
