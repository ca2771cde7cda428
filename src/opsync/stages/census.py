"""Census: what vanished from a tool without a word, by a listing of ids and then by its own word.

Incremental reading hears of changes only. So from time to time a feed's ids are listed: what is
stored and not listed is looked up by id, and only what the tool then says of it is concluded; what
is listed and not stored is looked up as well. When is decided here from the time that is handed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from opsync.contract.census import Absent, Census, Why
from opsync.contract.connector import Feed, Item
from opsync.errors import BadAnswer, RecordError
from opsync.http.stillness import each
from opsync.model import Record, Ref, Value
from opsync.report import InstanceReport
from opsync.stages.pulling import PullContext
from opsync.store import Vanished

COUNTED = "opsync:counted:{}"
"""Kept of a feed: when all that it holds was last listed and believed."""
FADED = "opsync:faded:{}"
"""Kept of a feed in which items may not know what they are below: "due" while all of it is to be
read with the next census, "now" where that found something that was not visible before."""
DOUBTED = "opsync:doubted:{}"
"""Kept of a feed: how many of how many were missing from a listing that was not believed."""
WAITING = "opsync:waiting:{}"
"""Kept of a feed: what the next passes are to look up by id."""

VANISH_LIMIT = 0.2
"""A larger share of a feed's records than this does not vanish at once …"""
VANISH_FLOOR = 10
"""… unless it is so few."""
DOUBT_LASTS = timedelta(hours=1)
"""So long a listing that was not believed is not asked for again."""
WAITING_MAX = 5000
"""So many refs wait to be looked up at most; what is more is found by the next listing."""
IDLE_PAGES_MAX = 3
"""So many pages in a row without anything new are taken for a listing that goes in circles."""

Keep = Callable[[Sequence[Item]], Awaitable[None]]


class Found(NamedTuple):
    """What a tool said of things that were looked up.

    `before` is how they were stored, `refs` are those of `items`. `clear` says that the answer
    tells of all that it brought what it is.
    """

    before: Mapping[Ref, Record]
    items: Sequence[Item]
    refs: Sequence[Ref]
    absent: Mapping[Ref, Why]
    clear: bool

    def is_gone_with(self, record: Record) -> bool:
        """Whether this record says that something is gone which was stored as there."""
        before = self.before.get(record.ref)
        return bool(record.tombstone) and before is not None and not before.tombstone


def is_due(counted_at: datetime | None, now: datetime, every: timedelta) -> bool:
    """Whether all ids of a feed are to be listed. A clock that was set back never puts it off."""
    return counted_at is None or now < counted_at or now - counted_at >= every


def too_many(missing: int, known: int, *, listed: int, allowed: int = 0) -> bool:
    """Whether so much is missing from a listing that it is not believed.

    `allowed` is how many may vanish because a person said so, also all of them.
    """
    if not known or missing <= allowed:
        return False
    return not listed or missing > max(VANISH_FLOOR, VANISH_LIMIT * known)


async def counted_at(feed: Feed, instance: str, context: PullContext) -> datetime | None:
    """When all ids of the feed were last listed, or all of it was read."""
    return _time((await context.store.kept(instance)).get(COUNTED.format(feed.name)))


async def check(
    connector: Census, feed: Feed, report: InstanceReport, context: PullContext, keep: Keep
) -> bool:
    """Take the census of a feed if one is due or the last one is in doubt, else go on with what
    waits of the last one.

    False where the listing is not believed: then nothing is to be published from the feed.
    """
    store, instance, now = context.store, report.instance, context.clock.now()
    kept = await store.kept(instance)
    before = context.requests()
    try:
        at = _time(kept.get(COUNTED.format(feed.name)))
        doubted = DOUBTED.format(feed.name) in kept
        if not doubted and not is_due(at, now, context.census_every):
            await _go_on(
                connector, feed, kept.get(WAITING.format(feed.name)), report, context, keep
            )
            return True
        await _list(connector, feed, report, context)
        report.counted += 1
        if not await settle(connector, feed, report, context, keep):
            return False
        await store.put_kept(instance, {COUNTED.format(feed.name): now.isoformat()})
        return True
    finally:
        report.census_requests += context.requests() - before


async def settle(
    connector: Census,
    feed: Feed,
    report: InstanceReport,
    context: PullContext,
    keep: Keep,
    *,
    full: bool = False,
) -> bool:
    """After everything was listed, or read in `full`: find out what became of what is missing.

    False where too much is missing to be believed.
    """
    store, instance = context.store, report.instance
    at_once = max(connector.look_up_max, context.allowed)
    found = await store.vanished(instance, feed.name, at_once + WAITING_MAX)
    if too_many(found.lost, found.known, listed=found.listed, allowed=context.allowed):
        await refuse(feed, found, report, context)
        return False
    await store.put_kept(instance, {DOUBTED.format(feed.name): None})
    wanted = [*found.missing, *found.aside, *(() if full else found.met)]
    await _look_up(connector, feed, wanted, report, context, keep)
    return True


async def refuse(feed: Feed, found: Vanished, report: InstanceReport, context: PullContext) -> None:
    """Say that a listing is not believed, conclude nothing from it, and note when that was."""
    known: dict[str, Value] = {"lost": found.lost, "known": found.known, "listed": found.listed}
    noted: Value = known | {"at": context.clock.now().isoformat()}
    await context.store.put_kept(report.instance, {DOUBTED.format(feed.name): noted})
    await tell_doubt(feed, found, report, context)


async def tell_doubt(
    feed: Feed, found: Vanished, report: InstanceReport, context: PullContext
) -> None:
    """Say that a listing was not believed."""
    store, instance, at = context.store, report.instance, context.clock.now()
    what = f"{found.lost} of {found.known} records fewer" if found.listed else "nothing"
    report.trouble = "stopped"
    report.message = (
        f"{instance}: {feed.title or feed.name} answered {what} where {found.known} were known; "
        "nothing is counted as gone and nothing is written from it"
    )
    report.hint = (
        "Check what the credential may see. If so many are really gone, for one run: "
        f"opsync sync --allow-vanished {found.lost}"
    )
    await store.fail_feed(context.run, instance, feed.name, error=report.message, at=at)


async def put_off(
    feed: Feed, refs: Sequence[Ref], report: InstanceReport, context: PullContext
) -> None:
    """Note what the next passes are to look up, and nothing else."""
    name, rest = WAITING.format(feed.name), refs[:WAITING_MAX]
    report.waiting += len(rest)
    if rest or name in await context.store.kept(report.instance):
        waiting: list[Value] = [str(ref) for ref in rest]
        await context.store.put_kept(report.instance, {name: waiting or None})


async def _list(
    connector: Census, feed: Feed, report: InstanceReport, context: PullContext
) -> None:
    store, instance = context.store, report.instance
    await store.begin_walk(instance, feed.name)
    idle = 0
    async for refs in each(connector.listing(feed), context.watch):
        fresh = await store.walk_seen(instance, feed.name, refs)
        idle = 0 if fresh else idle + 1
        if idle > IDLE_PAGES_MAX:
            raise BadAnswer(
                f"{instance}: the list of ids of {feed.title or feed.name} does not end",
                hint="Nothing is concluded from it; the next run asks again.",
            )


async def _go_on(
    connector: Census,
    feed: Feed,
    waiting: Value,
    report: InstanceReport,
    context: PullContext,
    keep: Keep,
) -> None:
    """Look up what an earlier pass left, as it is stored by now."""
    if isinstance(waiting, list):
        wanted = [Ref.parse(str(one)) for one in waiting]
        await _look_up(connector, feed, wanted, report, context, keep)


async def _look_up(
    connector: Census,
    feed: Feed,
    wanted: Sequence[Ref],
    report: InstanceReport,
    context: PullContext,
    keep: Keep,
) -> None:
    """Ask what became of the first of these, and note the others for the next pass."""
    # Where a person said that a mass is gone, it is looked up in this pass.
    at_once = max(connector.look_up_max, context.allowed)
    now, later = wanted[:at_once], wanted[at_once:]
    if now:
        found = await look_up(connector, feed, now, report.instance, context, listed=True)
        report.looked_up += len(now)
        await keep(found.items)
        await count(found, found.absent, report, context)
        if found.clear:
            # In no listing, not known, and not answered: there is nothing left to be set aside.
            answered = {*found.refs, *found.absent, *found.before}
            await context.store.forget_aside([ref for ref in now if ref not in answered])
    await put_off(feed, later, report, context)


async def look_up(
    connector: Census,
    feed: Feed,
    refs: Sequence[Ref],
    instance: str,
    context: PullContext,
    *,
    listed: bool,
) -> Found:
    """Ask what became of these; nothing is stored yet.

    Where something came that cannot be read and does not tell what it is, it may be any of those
    that did not come: nothing is concluded of them.
    """
    before = await context.store.records_of(refs)
    async with context.watch():
        answer = await connector.look_up(feed, refs, before, listed=listed)
    items = [one for one in answer if isinstance(one, Item)]
    named = [Ref(instance, one.stream, one.id) for one in items]
    asked = set(refs)
    clear = not any(
        ref not in asked and isinstance(item.raw, RecordError)
        for ref, item in zip(named, items, strict=True)
    )
    absent = {one.ref: one.why for one in answer if isinstance(one, Absent) and one.ref in asked}
    return Found(before, items, named, absent if clear else {}, clear)


async def count(
    found: Found, gone: Mapping[Ref, str], report: InstanceReport, context: PullContext
) -> None:
    """Once what came is stored: have the others be `gone`, and note in `report` what is by now."""
    store, before = context.store, found.before
    await store.count_gone(context.run, gone)
    after = await store.records_of(list(before))
    left = Counter(
        one.tombstone
        for ref, one in after.items()
        if one.tombstone and one.tombstone != before[ref].tombstone
    )
    for word, number in left.items():
        report.gone[word] = report.gone.get(word, 0) + number
    report.missing += left.total()


def standing(feed: Feed, kept: Mapping[str, Value], context: PullContext) -> Vanished | None:
    """The doubt of an earlier pass, while nobody is to ask again: unless a person has all read, or
    allows it."""
    doubt = kept.get(DOUBTED.format(feed.name))
    if not isinstance(doubt, dict) or context.full or context.allowed:
        return None
    at = _time(doubt.get("at"))
    numbers = [doubt.get(name) for name in ("known", "lost", "listed")]
    counts = [one for one in numbers if isinstance(one, int)]
    if at is None or len(counts) != len(numbers) or is_due(at, context.clock.now(), DOUBT_LASTS):
        return None
    known, lost, listed = counts
    return Vanished(known=known, lost=lost, listed=listed)


def _time(found: Value) -> datetime | None:
    try:
        return datetime.fromisoformat(found) if isinstance(found, str) else None
    except ValueError:
        return None
