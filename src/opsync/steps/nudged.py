"""Nudged: look up by id what a change signal named, instead of reading all that changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import structlog

from opsync.contract.census import Census
from opsync.contract.connector import Feed, Readable
from opsync.current import Pass
from opsync.errors import StoreError
from opsync.model import NOT_VISIBLE, Ref
from opsync.report import InstanceReport
from opsync.stages import census
from opsync.stages.normalize import normalize
from opsync.stages.pull import is_half_read
from opsync.stages.pulling import PullContext
from opsync.steps.reading import context_of, unread
from opsync.steps.shared import keep
from opsync.store import Prepared, SetAside

_log = structlog.get_logger(__name__)


async def read_named(this: Pass, name: str, refs: Iterable[Ref]) -> bool:
    """Look these up and store what is there; False where that says too little, so that all that
    changed is to be read.

    It says too little of an instance that was never read to its end, or that lists nothing by id,
    where something failed, and where more is gone than a few: that is a census' matter.
    """
    opened = this.instances[name]
    connector = opened.connector
    if not isinstance(connector, Readable) or not isinstance(connector, Census):
        return False
    if await is_half_read(this.store, name):
        return False
    this.report.instances.extend(unread(this))
    report, context = this.of(name), context_of(this, name)
    try:
        async with opened.watch():
            feeds = await connector.feeds()
        for feed in feeds:
            wanted = sorted({ref for ref in refs if ref.stream in feed.streams})
            for at in range(0, len(wanted), connector.look_up_max):
                chunk = wanted[at : at + connector.look_up_max]
                if not await _look_up(connector, feed, chunk, report, context):
                    return _too_little(this)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever failed, reading what changed tells it
        _log.info("nudge.failed", instance=name, error=opened.clean(str(error)))
        return _too_little(this)
    await keep(this.store, name, opened)
    return True


def _too_little(this: Pass) -> bool:
    this.report.instances.clear()
    return False


async def _look_up(
    connector: Census,
    feed: Feed,
    refs: Sequence[Ref],
    report: InstanceReport,
    context: PullContext,
) -> bool:
    store, instance = context.store, report.instance
    found = await census.look_up(connector, feed, refs, instance, context, listed=False)
    gone = {ref: why for ref, why in found.absent.items() if why != NOT_VISIBLE}
    assert isinstance(connector, Readable)
    owned = await store.owned_ids(instance, found.refs)
    records, aside = normalize(connector, found.items, context.known, owned)
    went = sum(found.is_gone_with(record) for record, *_ in records)
    known = await store.known(instance, feed.name)
    lost = report.missing + len(gone) + went
    if census.too_many(lost, known, listed=known, allowed=context.allowed):
        return False
    counts = await store.put_batch(
        context.run,
        instance,
        feed.name,
        [Prepared(*record) for record in records],
        [SetAside(instance, one.stream, one.id, context.clean(one.reason)) for one in aside],
        advance_to=None,
    )
    await census.count(found, gone, report, context)
    report.read += len(records)
    report.changed += counts.changed
    report.set_aside += len(aside)
    return True
