"""Which targets are planned again, and with what."""

from __future__ import annotations

from datetime import UTC, datetime

from opsync.model import Container, Kind, OutcomeKind, Role, Seen
from opsync.store import Store
from tests.store.build import (
    change,
    entry,
    evidence,
    member,
    outcome,
    put,
    record,
    ref,
    rollup,
    settle,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def linked(store: Store) -> int:
    """notion:1 links to jira:1, jira:2 has a slot, jira:3 has nothing; all settled."""
    run = await store.begin_run("sync")
    await put(store, run, *(record(f"jira:{n}") for n in (1, 2, 3)))
    await put(store, run, record("notion:1"))
    await store.put_links(run, [ref("notion:1")], [evidence("notion:1", "jira:1")])
    await store.put_desired([entry("jira:2", "x")])
    await settle(store, run)
    return await store.begin_run("sync")


async def test_a_changed_record_concerns_itself_and_the_other_ends_of_its_links(
    store: Store,
) -> None:
    run = await linked(store)
    assert await store.targets_changed(run) == []
    await put(store, run, record("jira:1", title="New"))
    assert await store.targets_changed(run) == [ref("jira:1"), ref("notion:1")]


async def test_a_changed_record_without_links_or_slots_concerns_nobody(store: Store) -> None:
    run = await linked(store)
    await put(store, run, record("jira:3", title="New"))
    assert await store.targets_changed(run) == []


async def test_a_change_of_what_opsync_may_write_concerns_that_target_only(store: Store) -> None:
    run = await linked(store)
    await put(store, run, record("jira:1", seen=(Seen.of("link", "edited"),)))
    await put(store, run, record("jira:2", seen=(Seen.of("link", "edited"),)))
    assert await store.targets_changed(run) == [ref("jira:1"), ref("jira:2")]


async def test_inputs_have_links_others_rollups_and_entries(store: Store) -> None:
    run = await linked(store)
    await put(store, run, record("notion:2", kind=Kind.initiative))
    numbers = rollup("notion:2")
    counted = [member("jira:1", "notion:2", Role.container), member("jira:3", "jira:1")]
    await store.put_rollups(run, [(numbers, counted)], at=NOW)
    await store.put_desired([entry("jira:1", "y")])
    root = await store.record(ref("notion:2"))
    one, missing, two, three = (ref(t) for t in ("jira:1", "jira:404", "notion:2", "jira:3"))
    first, second, third = await store.target_inputs([one, missing, two, three])
    assert first.record.ref == one
    assert [link.other(one) for link in first.links] == [ref("notion:1")]
    assert first.others == {ref("notion:1"): await store.record(ref("notion:1"))}
    assert first.rollups == ((numbers, root),)
    assert first.entries == (entry("jira:1", "y"),)
    assert (second.rollups, second.links, second.entries) == (((numbers, root),), (), ())
    assert (third.rollups, third.links) == ((), ())


async def test_the_other_end_may_not_have_been_read(store: Store) -> None:
    run = await linked(store)
    await store.put_links(run, [ref("jira:3")], [evidence("jira:3", "linear:404")])
    [inputs] = await store.target_inputs([ref("jira:3")])
    assert len(inputs.links) == 1
    assert inputs.others == {}


async def test_a_roots_containers_are_there_to_be_named(store: Store) -> None:
    run = await linked(store)
    containers = (Container(ref("jira:1"), 1, 2), Container(ref("jira:404"), 0, 1))
    numbers = rollup("notion:1", containers=containers)
    await store.put_rollups(run, [(numbers, [])], at=NOW)
    [inputs] = await store.target_inputs([ref("notion:1")])
    assert inputs.others == {ref("jira:1"): await store.record(ref("jira:1"))}


async def test_many_targets_come_in_the_order_asked_for(store: Store) -> None:
    await put(store, 1, *(record(f"jira:{n}") for n in range(1100)))
    wanted = [ref(f"jira:{n}") for n in reversed(range(1100))]
    assert [one.record.ref for one in await store.target_inputs(wanted)] == wanted


async def test_what_waits_is_tried_again_at_its_time(store: Store) -> None:
    await store.put_desired([entry("jira:1", "x"), entry("jira:2", None)])
    assert await store.targets_pending(NOW) == [ref("jira:1")]
    one = change("jira:1", "x")
    later = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    await store.begin_changes([one])
    failed = [(one, outcome(OutcomeKind.failed))]
    await store.finish_changes(1, failed, NOW, next_try={"c1": later})
    assert await store.targets_pending(NOW) == []
    assert await store.targets_pending(NOW, every=True) == [ref("jira:1")]
    assert await store.targets_pending(later) == [ref("jira:1")]
    await store.finish_changes(1, [(one, outcome(OutcomeKind.created, applied="x"))], later)
    assert await store.targets_pending(later, every=True) == []
