"""How often values were written lately, and how many there are: what limits are measured by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from opsync.model import OutcomeKind
from opsync.store import Store
from tests.store.build import change, entry, outcome, slot

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def tried(store: Store, target: str, kind: OutcomeKind, at: datetime) -> None:
    one = change(target, "x")
    await store.put_desired([entry(target, "x")])
    applied = None if kind in (OutcomeKind.removed, OutcomeKind.failed) else "x"
    await store.finish_changes(1, [(one, outcome(kind, applied=applied))], at)


async def test_what_was_written_over_after_a_time_is_told_with_the_last_time(store: Store) -> None:
    for hours in (3, 2, 1):
        await tried(store, "jira:1", OutcomeKind.updated, NOW - hours * HOUR)
    await tried(store, "jira:2", OutcomeKind.updated, NOW - 3 * HOUR)
    assert await store.rewritten(NOW - 3 * HOUR) == {slot("jira:1"): NOW - HOUR}
    assert await store.rewritten(NOW - HOUR) == {}


async def test_a_first_write_and_a_failed_one_are_no_rewrites(store: Store) -> None:
    for kind in (OutcomeKind.created, OutcomeKind.failed, OutcomeKind.removed):
        await tried(store, f"jira:{kind}", kind, NOW)
    assert await store.rewritten(NOW - HOUR) == {}


async def test_values_that_were_written_often_are_told_with_how_often(store: Store) -> None:
    for kind in (OutcomeKind.created, OutcomeKind.updated, OutcomeKind.removed):
        await tried(store, "jira:1", kind, NOW)
    await tried(store, "jira:2", OutcomeKind.created, NOW)
    for _ in range(3):
        await tried(store, "jira:3", OutcomeKind.failed, NOW)
        await tried(store, "jira:4", OutcomeKind.updated, NOW - HOUR)
    assert await store.written_often(NOW - HOUR, 3) == {slot("jira:1"): 3}
    assert await store.written_often(NOW - HOUR, 4) == {}


async def test_what_a_long_run_wrote_counts_from_its_write_and_not_from_its_beginning(
    store: Store,
) -> None:
    first, second = await store.begin_run("sync"), await store.begin_run("sync")
    began = (await store.last_runs(1))[0].started_at
    for run, target, at in ((first, "jira:1", began), (second, "jira:2", began + 2 * HOUR)):
        one = change(target, "x")
        await store.put_desired([entry(target, "x")])
        done = outcome(OutcomeKind.updated, applied="x")
        await store.finish_changes(run, [(one, done)], at)
    assert set(await store.rewritten(began + HOUR)) == {slot("jira:2")}
    assert set(await store.written_often(began + HOUR, 1)) == {slot("jira:2")}


async def test_what_opsync_has_is_counted_by_instance(store: Store) -> None:
    await tried(store, "jira:1", OutcomeKind.created, NOW)
    await tried(store, "jira:2", OutcomeKind.created, NOW)
    await tried(store, "notion:1", OutcomeKind.updated, NOW)
    await tried(store, "notion:2", OutcomeKind.failed, NOW)
    assert await store.owned_counts() == {"jira": 2, "notion": 1}


async def test_what_runs_removed_and_created_is_counted_by_instance(store: Store) -> None:
    for target, kind, hours in (
        ("jira:1", OutcomeKind.created, 0),
        ("jira:2", OutcomeKind.created, 1),
        ("jira:3", OutcomeKind.removed, 0),
        ("jira:4", OutcomeKind.failed, 0),
        ("jira:5", OutcomeKind.updated, 0),
        ("notion:1", OutcomeKind.removed, 0),
    ):
        await tried(store, target, kind, NOW - hours * HOUR)
    assert await store.done_lately(NOW - HOUR) == {"jira": (1, 1), "notion": (1, 0)}


async def test_what_a_person_had_taken_back_is_not_counted(store: Store) -> None:
    for command in ("opsync undo 1", "opsync release --all", "opsync sync"):
        run = await store.begin_run(command)
        one = change("jira:1", "x")
        await store.put_desired([entry("jira:1", "x")])
        at = (await store.last_runs(1))[0].started_at + HOUR
        await store.finish_changes(run, [(one, outcome(OutcomeKind.removed))], at)
    assert await store.done_lately(at - HOUR) == {"jira": (1, 0)}
