"""Pull: read what changed at one instance into the store, batch after batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import structlog

from opsync.contract.connector import Batch, Feed, Item, Readable
from opsync.errors import BadAnswer, OpsyncError, RefusedError, SignInError, StoreError
from opsync.http.stillness import each
from opsync.model import Ref, Value
from opsync.report import InstanceReport
from opsync.stages import census
from opsync.stages.normalize import normalize
from opsync.stages.pulling import ASK_AGAIN, PullContext
from opsync.stages.resuming import (
    CHECKED,
    NAMED_AS,
    READ_AS,
    STOPPED,
    Start,
    lists_ids,
    note_census,
    starts_at,
    stopped_by,
)
from opsync.store import Prepared, SetAside, Store, Vanished

_log = structlog.get_logger(__name__)

CORE = "opsync:"
"""What the core keeps begins so; a connector's own does not."""
EXPECTED = CORE + "expected:{}"
"""Kept of a feed's last whole walk: how many items the vendor announced, how many came, when."""
_READING = CORE + "reading"
"""Kept from the beginning of an instance's read to its end."""

EMPTY_WALKS_MAX = 3
"""So many empty batches in a row, each promising more, are taken for a listing that is stuck."""


def is_core_key(key: str) -> bool:
    """Whether a kept value is the core's own, not the connector's."""
    return key.startswith(CORE)


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
    context.feeds = {feed.name: feed for feed in feeds}
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
        same = kept.get(READ_AS.format(cursor.feed)) == context.fingerprint
        known = await store.known(instance, cursor.feed)
        if same and known > max(census.VANISH_FLOOR, context.allowed):
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
    _count_gone(report, await store.retire_feed(context.run, instance, feed))
    counting = (census.COUNTED, census.DOUBTED, census.FADED, census.WAITING)
    names = (READ_AS, NAMED_AS, STOPPED, CHECKED, EXPECTED, *counting)
    await store.put_kept(instance, {name.format(feed): None for name in names})


async def _pull_feed(
    connector: Readable, feed: Feed, report: InstanceReport, context: PullContext
) -> None:
    store, instance = context.store, report.instance
    begin = await starts_at(connector, feed, instance, context)
    since, rescoped = begin.since, begin.rescoped
    full = since is None
    started, counted = context.clock.now(), report.counted
    # Also where nothing of it could be read so far, for what is set aside may vanish as well.
    track = full and await store.has_any(instance, feed.name)
    seen_to = None if full else await _seen_to(feed, instance, context)
    if track:
        await store.begin_walk(instance, feed.name)
    high: datetime | None = None
    read = empty = answers = 0
    expected: int | None = None
    async for batch in each(connector.pull(feed, since), context.watch):
        answers += bool(batch.items)
        empty = 0 if batch.items else empty + 1
        if empty > EMPTY_WALKS_MAX:
            raise BadAnswer(f"{instance}: the listing of {feed.title or feed.name} does not end")
        if batch.high is not None and (high is None or batch.high > high):
            high = batch.high
        await _store_batch(
            connector, feed, batch, report, context, track=track, since=since, seen_to=seen_to
        )
        read += len(batch.items)
        expected = batch.expected if batch.expected is not None else expected
        context.progress(instance, report.read, batch.expected)
    if answers > 1 and not (full or feed.snapshot):
        # What changes between two answers to the same question may move to what was answered.
        report.read_at = None
    if full:
        believed = not track or await _settle_walk(connector, feed, rescoped, report, context)
    else:
        believed = await _check(connector, feed, begin, report, context)
    if not believed:
        return
    await store.finish_feed(context.run, instance, feed.name, high=high, at=context.clock.now())
    if not feed.snapshot and (full or report.counted > counted):
        await note_census(feed, begin, instance, context)
    after: dict[str, Value] = {
        READ_AS.format(feed.name): context.fingerprint,
        NAMED_AS.format(feed.name): context.naming,
        STOPPED.format(feed.name): None,
    }
    if full:
        after[census.DOUBTED.format(feed.name)] = None
        # What was hidden while all was read took the place from what is below it.
        after[census.FADED.format(feed.name)] = "due" if feed.name in context.faded else None
        after[EXPECTED.format(feed.name)] = _announced(expected, read, context.clock.now())
        if not feed.snapshot:
            after[census.COUNTED.format(feed.name)] = started.isoformat()
    if track and not feed.snapshot:
        after[ASK_AGAIN] = True
    kept = await store.kept(instance)
    if any(kept.get(key) != value for key, value in after.items()):
        await store.put_kept(instance, after)


async def _seen_to(feed: Feed, instance: str, context: PullContext) -> datetime | None:
    """The newest change of the feed that was read so far."""
    cursors = await context.store.cursors(instance)
    return next((one.high for one in cursors if one.feed == feed.name), None)


def _announced(expected: int | None, read: int, at: datetime) -> Value:
    """What is kept of a whole walk where the vendor told how much it would be."""
    if expected is None:
        return None
    return {"expected": expected, "read": read, "at": at.isoformat()}


async def _store_batch(
    connector: Readable,
    feed: Feed,
    batch: Batch,
    report: InstanceReport,
    context: PullContext,
    *,
    track: bool,
    since: datetime | None,
    seen_to: datetime | None = None,
    again: str = "due",
) -> None:
    """Store a batch, of which what is as old as `seen_to` might have come before. What is below
    something that shows `since` only was read without it: all is read `again` once that is due, or
    in the next pass."""
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
        since=since,
        seen_to=seen_to,
    )
    if track:
        await context.store.walk_seen(instance, feed.name, refs)
    report.read += len(records)
    report.changed += counts.changed
    report.set_aside += len(aside)
    if counts.faded:
        context.faded.add(feed.name)
    if counts.shown or counts.late:
        # It may have got another name where nobody saw it.
        await context.store.put_kept(instance, {ASK_AGAIN: True})
    if counts.faded or counts.shown:
        faded = census.FADED.format(feed.name)
        kept = (await context.store.kept(instance)).get(faded)
        word = again if counts.shown else "due"
        if kept not in (word, "now"):
            await context.store.put_kept(instance, {faded: word})


async def _settle_walk(
    connector: Readable,
    feed: Feed,
    rescoped: bool,
    report: InstanceReport,
    context: PullContext,
) -> bool:
    """After everything was read: what was not seen is gone, unless that is suspiciously much.

    Where the connector can say so, it is looked up what became of it. Where the settings were
    changed, any number may go, but not all.
    """
    store, instance = context.store, report.instance
    keep = partial(_keep, connector, feed, None, report, context)
    if lists_ids(connector) and not rescoped:
        before = context.requests()
        believed = await census.settle(connector, feed, report, context, keep, full=True)
        report.census_requests += context.requests() - before
    else:
        limit = 1.0 if rescoped else census.VANISH_LIMIT
        floor = max(census.VANISH_FLOOR, context.allowed)
        result = await store.finish_walk(context.run, instance, feed.name, limit=limit, floor=floor)
        believed = not result.refused
        if believed:
            _count_gone(report, result.missing)
            # By other settings it may be out of scope: the next pass looks it up.
            await census.put_off(feed, await store.unlisted(instance, feed.name), report, context)
        else:
            seen = result.known - result.missing
            found = Vanished(known=result.known, lost=result.missing, listed=seen)
            await census.refuse(feed, found, report, context)
    if not believed:
        await store.put_kept(instance, {STOPPED.format(feed.name): stopped_by(context)})
    return believed


async def _check(
    connector: Readable,
    feed: Feed,
    begin: Start,
    report: InstanceReport,
    context: PullContext,
) -> bool:
    """After what changed was read: whether anything vanished without a word, if that is due."""
    if begin.doubt is not None:
        await census.tell_doubt(feed, begin.doubt, report, context)
        return False
    keep = partial(_keep, connector, feed, begin.since, report, context)
    if not lists_ids(connector):
        return True
    return await census.check(connector, feed, report, context, keep)


async def _keep(
    connector: Readable,
    feed: Feed,
    since: datetime | None,
    report: InstanceReport,
    context: PullContext,
    items: Sequence[Item],
) -> None:
    """Store what was looked up by id."""
    if items:
        found = Batch(items)
        seen_to = await _seen_to(feed, report.instance, context)
        await _store_batch(
            connector,
            feed,
            found,
            report,
            context,
            track=False,
            since=since,
            seen_to=seen_to,
            again="now",
        )


def _count_gone(report: InstanceReport, count: int) -> None:
    report.missing += count
    if count:
        report.gone["missing"] = report.gone.get("missing", 0) + count


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
