"""Set aside: try again, by id, what could not be read; and note what cannot be tried."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import structlog

from opsync.contract.connector import Item, Readable
from opsync.current import Opened, Pass
from opsync.errors import StoreError
from opsync.inert import inert_text
from opsync.model import Ref
from opsync.model.aside import RETRIES
from opsync.report import InstanceReport
from opsync.stages.normalize import Known, normalize
from opsync.stages.pull import is_core_key
from opsync.store import Prepared, Quarantined, SetAside

_log = structlog.get_logger(__name__)

CHUNK = 10
"""So many items are asked for at once."""
REQUESTS = 2 * RETRIES
"""Once a run has sent so many requests for what one instance has set aside, the rest waits. Those
of the last chunk come on top."""
NO_ANSWER = "no longer answered by its id: it was deleted, or is hidden; opsync sync --full tells"


async def try_again(this: Pass, known: Mapping[str, Known]) -> None:
    """Read again what is due, of every instance that was read to its end in this pass. `known` is
    by what the records of each are understood."""
    for report in this.report.instances:
        opened = this.instances[report.instance]
        connector = opened.connector
        if not isinstance(connector, Readable) or not (report.pulled and report.complete):
            continue
        due = await this.store.aside_due(report.instance, this.clock.now(), RETRIES)
        if not due:
            continue
        try:
            await _reread(this, opened, connector, report, due, known[report.instance])
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - what is set aside harms nothing else
            told = opened.clean(inert_text(f"{type(error).__name__}: {error}", 300))
            _log.warning("aside.failed", instance=report.instance, error=told)
            reasons = {one.ref: one.reason for one in due}
            await this.store.asked_in_vain(reasons, this.clock.now())


async def _reread(
    this: Pass,
    opened: Opened,
    connector: Readable,
    report: InstanceReport,
    due: Sequence[Quarantined],
    known: Known,
) -> None:
    feeds = [c.feed for c in await this.store.cursors(opened.name) if not is_core_key(c.feed)]
    by_feed: dict[str, list[Quarantined]] = defaultdict(list)
    for one in due:
        # What an older opsync set aside does not say where it came from.
        feed = one.feed or (feeds[0] if len(feeds) == 1 else "")
        if feed in feeds:
            by_feed[feed].append(one)
    before = opened.client.reads
    for feed, asides in by_feed.items():
        for chunk in _chunks(asides):
            if opened.client.reads - before >= REQUESTS:
                return
            refs = [one.ref for one in chunk]
            async with opened.watch():
                items = await connector.reread(feed, refs)
            if items is None:
                break
            await _store(this, opened, connector, report, feed, refs, items, known)


async def _store(
    this: Pass,
    opened: Opened,
    connector: Readable,
    report: InstanceReport,
    feed: str,
    refs: Sequence[Ref],
    items: Sequence[Item],
    known: Known,
) -> None:
    named = [Ref(opened.name, item.stream, item.id) for item in items]
    owned = await this.store.owned_ids(opened.name, named)
    records, aside = normalize(connector, items, known, owned)
    counts = await this.store.put_batch(
        this.run,
        opened.name,
        feed,
        [Prepared(*record) for record in records],
        [SetAside(opened.name, one.stream, one.id, opened.clean(one.reason)) for one in aside],
        advance_to=None,
        retried=True,
    )
    missing = {ref: NO_ANSWER for ref in refs if ref not in named}
    await this.store.asked_in_vain(missing, this.clock.now())
    report.read += len(records)
    report.changed += counts.changed


def _chunks(found: Sequence[Quarantined]) -> Iterable[Sequence[Quarantined]]:
    return (found[at : at + CHUNK] for at in range(0, len(found), CHUNK))
