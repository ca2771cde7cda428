"""Set aside: look up by id what could not be read, and note what cannot be looked up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial

import structlog

from opsync.contract.census import Census
from opsync.contract.connector import Feed, Item, Readable
from opsync.current import Opened, Pass
from opsync.errors import StoreError
from opsync.inert import inert_text
from opsync.model import NOT_VISIBLE, Ref
from opsync.model.aside import RETRIES
from opsync.report import InstanceReport
from opsync.stages import census
from opsync.stages.normalize import normalize
from opsync.stages.pulling import PullContext
from opsync.store import Prepared, Quarantined, SetAside

_log = structlog.get_logger(__name__)

CHUNK = 10
"""So many items are asked for at once."""
REQUESTS = 2 * RETRIES
"""Once a run has sent so many requests for what one instance has set aside, the rest waits. Those
of the last chunk come on top."""
NO_ANSWER = "no longer answered by its id: it was deleted, or is hidden; opsync sync --full tells"
HIDDEN = "no longer visible to the token: it was deleted, or is hidden; opsync sync --full tells"
TOO_MANY = "its tool says that it is gone, of too many at once; opsync sync --full tells"


async def try_again(this: Pass, contexts: Mapping[str, PullContext]) -> None:
    """Look up what is due, of every instance that was read to its end in this pass, each with what
    it was read with."""
    for report in this.report.instances:
        opened = this.instances[report.instance]
        connector = opened.connector
        if not isinstance(connector, Readable) or not (report.pulled and report.complete):
            continue
        if not isinstance(connector, Census):
            continue
        context = contexts[report.instance]
        due = await this.store.aside_due(report.instance, this.clock.now(), RETRIES)
        if not due:
            continue
        try:
            keep = partial(_keep, this, connector, report, context)
            await _look_up(this, opened, connector, report, due, context, keep)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - what is set aside harms nothing else
            told = opened.clean(inert_text(f"{type(error).__name__}: {error}", 300))
            _log.warning("aside.failed", instance=report.instance, error=told)
            await _put_off(this, due)


async def _look_up(
    this: Pass,
    opened: Opened,
    connector: Census,
    report: InstanceReport,
    due: Sequence[Quarantined],
    context: PullContext,
    keep: Callable[[Feed, Sequence[Item]], Awaitable[None]],
) -> None:
    by_feed: dict[str, list[Quarantined]] = defaultdict(list)
    nowhere: list[Quarantined] = []
    for one in due:
        # What an older opsync set aside does not say where it came from.
        name = one.feed or (next(iter(context.feeds)) if len(context.feeds) == 1 else "")
        (by_feed[name] if name in context.feeds else nowhere).append(one)
    await _put_off(this, nowhere)
    before = opened.client.reads
    for name, asides in by_feed.items():
        for chunk in _chunks(asides):
            if opened.client.reads - before >= REQUESTS:
                return
            refs = [one.ref for one in chunk]
            feed = context.feeds[name]
            found = await census.look_up(connector, feed, refs, opened.name, context, listed=False)
            await keep(feed, found.items)
            await _conclude(this, feed, refs, found, report, context)


async def _keep(
    this: Pass,
    connector: Readable,
    report: InstanceReport,
    context: PullContext,
    feed: Feed,
    items: Sequence[Item],
) -> None:
    """Store what was looked up, and note of what still cannot be read that it was tried."""
    instance = report.instance
    named = [Ref(instance, item.stream, item.id) for item in items]
    owned = await this.store.owned_ids(instance, named)
    records, aside = normalize(connector, items, context.known, owned)
    counts = await this.store.put_batch(
        this.run,
        instance,
        feed.name,
        [Prepared(*record) for record in records],
        [SetAside(instance, one.stream, one.id, context.clean(one.reason)) for one in aside],
        advance_to=None,
        retried=True,
    )
    report.read += len(records)
    report.changed += counts.changed


async def _conclude(
    this: Pass,
    feed: Feed,
    refs: Sequence[Ref],
    found: census.Found,
    report: InstanceReport,
    context: PullContext,
) -> None:
    """What its tool says is gone is so, unless that is suspiciously much; all else that did not
    come stays set aside."""
    store = this.store
    gone = {ref: why for ref, why in found.absent.items() if why != NOT_VISIBLE}
    known = await store.known(report.instance, feed.name)
    doubted = census.too_many(
        report.missing + len(gone), known, listed=known, allowed=context.allowed
    )
    if doubted:
        gone = {}
    await census.count(found, gone, report, context)
    answered = {*found.refs, *gone}
    await store.asked_in_vain(
        {ref: _reason(ref, found) for ref in refs if ref not in answered}, this.clock.now()
    )


def _reason(ref: Ref, found: census.Found) -> str:
    """Why one that did not come stays set aside."""
    why = found.absent.get(ref)
    return NO_ANSWER if why is None else HIDDEN if why == NOT_VISIBLE else TOO_MANY


async def _put_off(this: Pass, asides: Iterable[Quarantined]) -> None:
    """Have these wait for their next try, for the reason that they have."""
    reasons = {one.ref: one.reason for one in asides}
    await this.store.asked_in_vain(reasons, this.clock.now())


def _chunks(found: Sequence[Quarantined]) -> Iterable[Sequence[Quarantined]]:
    return (found[at : at + CHUNK] for at in range(0, len(found), CHUNK))
