"""What a run holds in memory does not follow how much there is to read."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

import pytest

from opsync.contract.connector import Batch, Feed, Item, Readable
from opsync.http import ahead
from opsync.model import Kind, Record, Ref
from opsync.report import InstanceReport
from opsync.stages.pull import PullContext, pull
from opsync.store import Store, inline
from tests.support.clock import FakeClock

PAGE = 20


class Raw:
    """An item as a tool answers it, which can be watched."""

    def __init__(self, number: int) -> None:
        self.number = number


class Large(Readable):
    """Lists so many pages; counts how many of the items that it gave away are still held."""

    def __init__(self, pages: int) -> None:
        self.pages = pages
        self.held: weakref.WeakSet[Raw] = weakref.WeakSet()
        self.most = 0

    async def feeds(self) -> Sequence[Feed]:
        return [Feed("issues", ("issue",))]

    async def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        async with aclosing(ahead(self._pages())) as batches:
            async for batch in batches:
                yield batch

    async def _pages(self) -> AsyncIterator[Batch]:
        for page in range(self.pages):
            self.most = max(self.most, len(self.held))
            raws = [Raw(number) for number in range(page * PAGE, (page + 1) * PAGE)]
            self.held.update(raws)
            yield Batch([Item("issue", str(raw.number), raw) for raw in raws])

    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        assert isinstance(raw, Raw)
        yield Record(ref=Ref("acme", stream, str(raw.number)), kind=Kind.issue, title="x")


@pytest.mark.parametrize("pages", [5, 50])
async def test_a_read_holds_no_more_pages_however_many_there_are(
    tmp_path: Path, pages: int
) -> None:
    """I13"""
    clock = FakeClock()
    store = Store.open(tmp_path / "opsync.db", clock=clock, executor=inline)
    tool, report = Large(pages), InstanceReport("acme", "Acme")
    await pull(tool, report, PullContext(store, clock, await store.begin_run("sync"), 300, "as-is"))
    assert (report.trouble, report.read) == ("", pages * PAGE)
    assert 0 < tool.most <= 4 * PAGE
    await store.close()
