"""Numbers over time, of all delivery summaries at once, and whether anything was committed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from opsync.model import Health, Ref
from opsync.store import Store, inline
from tests.store.build import rollup
from tests.support.build import at
from tests.support.clock import FakeClock

START, ROOT = at(10), Ref("notion", "issue", "1")


async def given(store: Store, *numbers: tuple[timedelta, int, int]) -> None:
    """A summary's numbers, so long after the start."""
    for after, done, total in numbers:
        health = Health.done if done == total else Health.on_track
        one = rollup("notion:1", done=done, total=total, health=health)
        await store.put_rollups(1, [(one, [])], at=START + after)


async def test_what_held_as_the_time_began_comes_first(store: Store) -> None:
    await given(store, (timedelta(), 1, 9), (timedelta(days=1), 2, 9), (timedelta(days=5), 3, 9))

    found = await store.trends(START + timedelta(days=2))

    points = found["roadmap", ROOT]
    assert [(one.at, one.done) for one in points] == [
        (START + timedelta(days=1), 2),
        (START + timedelta(days=5), 3),
    ]


async def test_of_each_day_the_last_numbers_count(store: Store) -> None:
    await given(
        store,
        (timedelta(hours=1), 1, 9),
        (timedelta(hours=2), 4, 9),
        (timedelta(hours=3), 9, 9),
        (timedelta(days=1), 9, 10),
    )

    found = await store.trends(START)

    assert [(one.done, one.total) for one in found["roadmap", ROOT]] == [
        (9, 9),
        (9, 10),
    ]


async def test_nothing_is_known_of_a_summary_that_never_was(store: Store) -> None:
    assert await store.trends(START) == {}


async def test_a_revision_tells_of_every_commit_by_whomever(tmp_path: Path) -> None:
    clock = FakeClock()
    one, two = [Store.open(tmp_path / "opsync.db", clock=clock, executor=inline) for _ in range(2)]
    try:
        before = await one.revision()
        await one.pauses()
        assert await one.revision() == before

        await one.pause("linear", by="ana", at=clock.now())
        own = await one.revision()
        assert own != before

        await two.unpause("linear")
        assert await one.revision() != own
    finally:
        await one.close()
        await two.close()
