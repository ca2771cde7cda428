"""A store that is only looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from opsync.model import Approval
from opsync.model.ledger import stored
from opsync.store import Store, Untouched, inline
from opsync.store.base import Part
from tests.store.build import entry, ref, slot
from tests.support.clock import START, FakeClock


def rows(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as file:
        return list(file.iterdump())


@pytest.fixture
async def untouched(store: Store, path: Path, clock: FakeClock) -> AsyncIterator[Untouched]:
    """A store with one value that opsync wrote, and an approval."""
    await store.put_desired([entry("jira:1", "x")])
    await store.approve([Approval(scope="a", desired_hash="old", by="ana", at=START)])
    await store.put_kept("jira", {"seen": 1})
    looked_at = Untouched.open(path, clock=clock, executor=inline, create=False)
    yield looked_at
    await looked_at.close()


async def test_it_tells_what_there_is_and_keeps_nothing(untouched: Untouched, path: Path) -> None:
    before = rows(path)
    await untouched.put_desired([entry("jira:1", "y")])
    await untouched.rest_target(ref("jira:1"))
    await untouched.lapse([("a", "old")])
    await untouched.put_kept("jira", {"seen": 2})
    assert rows(path) == before
    found = await untouched.entry(slot("jira:1"))
    assert found is not None
    assert found.desired == stored("x")


def test_no_part_of_it_writes_in_a_way_of_its_own() -> None:
    """What is dropped is dropped at one place, whatever methods there will be."""
    above = [one for one in Untouched.__mro__ if issubclass(one, Part) and one is not Untouched]
    assert [one for one in above if "_write" in vars(one)] == [Part]
