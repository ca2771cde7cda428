"""Runs, and that nothing that changed is forgotten when one does not come to its end."""

from __future__ import annotations

from datetime import timedelta

from opsync.store import NEXT, InstanceRun, RunRow, Store
from tests.store.build import evidence, put, record, ref, settle
from tests.support.clock import START, FakeClock


async def test_a_run_is_told_with_its_instances_and_counts(store: Store, clock: FakeClock) -> None:
    began = clock.now()
    run = await store.begin_run("opsync sync")
    clock.advance(90)
    parts = [
        InstanceRun("jira", "done", counts={"read": 3}),
        InstanceRun("linear", "failed", "429"),
    ]
    counts = {"records": 3, "seconds": 1.5}
    await store.finish_run(run, outcome="partial", instances=parts, counts=counts)
    assert await store.last_runs(5) == [
        RunRow(
            seq=run,
            command="opsync sync",
            started_at=began,
            finished_at=began + timedelta(seconds=90),
            outcome="partial",
            instances=tuple(parts),
            counts=counts,
        )
    ]


async def test_runs_are_numbered_upwards_and_listed_newest_first(store: Store) -> None:
    assert [await store.begin_run("sync") for _ in range(3)] == [1, 2, 3]
    assert [one.seq for one in await store.last_runs(2)] == [3, 2]


async def test_a_run_that_never_ended_is_called_interrupted_by_the_next(store: Store) -> None:
    store.give_up_run(await store.begin_run("sync"))
    await settle(store, await store.begin_run("sync"))
    await settle(store, await store.begin_run("sync"))
    assert [one.outcome for one in await store.last_runs(3)] == ["done", "done", "interrupted"]


async def test_undos_and_releases_that_did_not_end_are_found_until_they_are_repeated(
    store: Store,
) -> None:
    undone, released, ended, plain = [
        await store.begin_run(command, counts={"asked": 27})
        for command in ("opsync undo 1", "opsync release --all", "opsync undo 2", "opsync sync")
    ]
    assert await store.interrupted_runs() == [], "they go on"
    for run in (undone, released, plain):
        store.give_up_run(run)
    await settle(store, ended)
    found = await store.interrupted_runs()
    assert [(one.seq, one.counts, one.outcome) for one in found] == [
        (undone, {"asked": 27}, "interrupted"),
        (released, {"asked": 27}, "interrupted"),
    ]
    await store.repeat_runs([undone])
    await settle(store, await store.begin_run("opsync sync"))
    assert [one.seq for one in await store.interrupted_runs()] == [released]
    assert [one.outcome for one in (await store.last_runs(5))[-2:]] == ["interrupted", "repeated"]


async def test_a_run_that_goes_on_is_neither_interrupted_nor_settled_by_a_newer_one(
    store: Store,
) -> None:
    slow = await store.begin_run("serve")
    await put(store, slow, record("notion:1", mentions=("PAY-1",)))
    quick = await store.begin_run("serve")
    await settle(store, quick)
    assert [one.outcome for one in await store.last_runs(2)] == ["done", ""]
    following = await store.begin_run("serve")
    assert await store.sources_to_link(following) == [ref("notion:1")]
    await settle(store, slow)
    assert await store.sources_to_link(following) == []


async def test_what_is_read_while_a_run_goes_on_is_for_the_next_one(store: Store) -> None:
    run = await store.begin_run("serve")
    await put(store, NEXT, record("notion:1", mentions=("PAY-1",)))
    await settle(store, run)
    assert await store.is_restless(START)
    following = await store.begin_run("serve")
    assert await store.sources_to_link(following) == [ref("notion:1")]
    await settle(store, following)
    assert not await store.is_restless(START)


async def test_what_changed_in_a_run_that_broke_off_is_linked_by_the_next(store: Store) -> None:
    broken = await store.begin_run("sync")
    await put(store, broken, record("notion:1", mentions=("PAY-1",)))
    store.give_up_run(broken)
    run = await store.begin_run("sync")
    assert await store.sources_to_link(run) == [ref("notion:1")]
    await settle(store, run)
    assert await store.sources_to_link(await store.begin_run("sync")) == []


async def test_what_changed_in_a_run_that_did_not_plan_it_all_stays_due(store: Store) -> None:
    run = await store.begin_run("sync")
    await put(store, run, record("notion:1", mentions=("PAY-1",)))
    await store.finish_run(run, outcome="failed", instances=[], counts={}, complete=False)
    assert await store.sources_to_link(await store.begin_run("sync")) == [ref("notion:1")]


async def test_both_ends_of_a_removed_link_are_planned_even_after_a_crash(store: Store) -> None:
    run = await store.begin_run("sync")
    await put(store, run, record("notion:1"))
    await store.put_links(run, [ref("notion:1")], [evidence("notion:1", "jira:1")])
    await settle(store, run)
    assert await store.targets_changed(await store.begin_run("sync")) == []
    broken = await store.begin_run("sync")
    await store.put_links(broken, [ref("notion:1")], [])
    run = await store.begin_run("sync")
    assert await store.targets_changed(run) == [ref("jira:1"), ref("notion:1")]
    assert await store.roots_touched(run, "roadmap", [ref("notion:1")]) == [ref("notion:1")]
    await settle(store, run)
    assert await store.targets_changed(await store.begin_run("sync")) == []


async def test_what_was_put_off_is_looked_at_by_the_next_run_and_by_no_other(store: Store) -> None:
    run = await store.begin_run("sync")
    await store.put_off({ref("notion:1")})
    await settle(store, run)
    run = await store.begin_run("sync")
    assert await store.targets_changed(run) == [ref("notion:1")]
    assert await store.roots_touched(run, "roadmap", [ref("notion:1")]) == [ref("notion:1")]
    await settle(store, run)
    assert await store.targets_changed(await store.begin_run("sync")) == []


async def test_nothing_to_store_opens_no_transaction(store: Store) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a transaction")

    store._database.write = refuse  # type: ignore[assignment]
    await store.put_desired([])
    await store.begin_changes([])
    await store.finish_changes(1, [], store._clock.now())
    await store.put_off([])
    assert await store.put_links(1, [], []) == set()
    assert await store.put_aliases({}) == []
    assert await store.put_rollups(1, [], at=store._clock.now()) == set()


async def test_what_changed_after_a_run_or_while_it_lasted_is_known(store: Store) -> None:
    run = await store.begin_run("sync")
    await put(store, run, record("jira:1"))
    await settle(store, run)
    assert await store.has_changed_since(run - 1)
    assert not await store.has_changed_since(run)
    await put(store, NEXT, record("jira:2"))
    assert await store.has_changed_since(run)
