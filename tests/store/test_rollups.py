"""Roots, their trees, and their rollups."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from opsync.errors import StoreError
from opsync.model import Container, Health, Kind, Member, Role, Rollup
from opsync.store import Store
from tests.store.build import member, names, put, record, ref, rollup, settle

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def world(store: Store) -> int:
    """A root that names an epic with two issues, one of which has a sub-task; settled."""
    run = await store.begin_run("sync")
    epic = record("jira:1", aliases=("PAY-1",), kind=Kind.epic)
    issues = [record("jira:2", parents=("jira:1",)), record("jira:3", parents=("jira:1",))]
    task = record("jira:4", parents=("jira:3",))
    other = record("jira:5", aliases=("PAY-5",))
    await put(store, run, epic, *issues, task, other)
    root = record(
        "notion:1", kind=Kind.initiative, space="Roadmap", mentions=(names("PAY-1"), "PAY-5")
    )
    await put(store, run, root, record("notion:2", kind=Kind.initiative, space="Old"))
    await settle(store, run)
    return await store.begin_run("sync")


ROOTS = [ref("notion:2"), ref("notion:1")]


async def test_roots_are_the_living_records_that_the_rule_describes(store: Store) -> None:
    await world(store)
    await put(store, 2, record("notion:3", kind=Kind.initiative, tombstone="trashed"))

    async def found(instance: str, **rule: Any) -> list[str]:
        given: dict[str, Any] = {"kind": None, "space": None, "stream": None} | rule
        return [one.ref.id for one in await store.roots(instance=instance, **given)]

    assert await found("notion") == ["1", "2"]
    assert await found("notion", kind=Kind.initiative, space="Old", stream="issue") == ["2"]
    assert await found("notion", kind=Kind.epic) == []
    assert await found("notion", stream="project") == []
    assert await found("jira", kind=Kind.epic) == ["1"]


async def test_a_tree_has_what_the_properties_name_and_all_below(store: Store) -> None:
    await world(store)
    tree = await store.tree(ref("notion:1"))
    assert tree.root.ref == ref("notion:1")
    assert [(m.alias, holders) for m, holders in tree.names] == [("PAY-1", (ref("jira:1"),))]
    assert list(tree.nodes) == [ref(f"jira:{n}") for n in (1, 2, 3, 4)]


async def test_a_tree_has_what_is_below_the_root_itself(store: Store) -> None:
    await world(store)
    assert list((await store.tree(ref("jira:3"))).nodes) == [ref("jira:4")]


async def test_a_tree_leaves_out_what_is_gone_and_what_hangs_on_it_alone(store: Store) -> None:
    run = await world(store)
    await put(store, run, record("jira:3", parents=("jira:1",), tombstone="deleted"))
    assert list((await store.tree(ref("notion:1"))).nodes) == [ref("jira:1"), ref("jira:2")]


async def test_a_tree_with_a_circle_ends(store: Store) -> None:
    run = await world(store)
    await put(store, run, record("jira:1", aliases=("PAY-1",), parents=("jira:4",)))
    await put(store, run, record("notion:1", mentions=(names("PAY-1"),), parents=("notion:1",)))
    assert len((await store.tree(ref("notion:1"))).nodes) == 4


async def test_a_root_that_was_never_read_has_no_tree(store: Store) -> None:
    with pytest.raises(StoreError, match="notion:issue:9 is not in the store"):
        await store.tree(ref("notion:9"))


async def test_nothing_is_touched_when_nothing_changed(store: Store) -> None:
    run = await world(store)
    assert await store.roots_touched(run, "roadmap", ROOTS) == []
    assert await store.roots_touched(run, "roadmap", []) == []


@pytest.mark.parametrize("changed", ["jira:1", "jira:4", "notion:1"])
async def test_a_root_is_touched_by_itself_by_what_it_names_and_by_what_is_below(
    store: Store, changed: str
) -> None:
    run = await world(store)
    old = await store.record(ref(changed))
    assert old is not None
    parents = tuple(f"{one.instance}:{one.id}" for one in old.parents)
    await put(store, run, record(changed, title="New", parents=parents, mentions=old.mentions))
    assert await store.roots_touched(run, "roadmap", ROOTS) == [ref("notion:1")]


async def test_a_mention_in_a_body_touches_no_root(store: Store) -> None:
    run = await world(store)
    await put(store, run, record("jira:5", title="New"))
    assert await store.roots_touched(run, "roadmap", ROOTS) == []


async def test_a_root_is_touched_by_what_it_counted_until_now(store: Store) -> None:
    run = await world(store)
    counted = [(rollup("notion:1"), [member("jira:4", "jira:3")])]
    await store.put_rollups(run, counted, at=NOW)
    await settle(store, run)
    run = await store.begin_run("sync")
    await put(store, run, record("jira:4", parents=("jira:77",)))
    assert await store.roots_touched(run, "roadmap", ROOTS) == [ref("notion:1")]
    assert await store.roots_touched(run, "another", ROOTS) == []


async def test_a_record_that_arrives_later_touches_the_root_that_names_it(store: Store) -> None:
    run = await store.begin_run("sync")
    await put(store, run, record("notion:1", mentions=(names("PAY-9", "jira"),)))
    await settle(store, run)
    run = await store.begin_run("sync")
    await put(store, run, record("jira:9", aliases=("PAY-9",)))
    assert await store.roots_touched(run, "roadmap", ROOTS) == [ref("notion:1")]


async def test_places_are_the_root_and_what_it_named_before_and_names_now(store: Store) -> None:
    first = [
        member("jira:1", "notion:1", Role.container),
        member("jira:2", "jira:1"),
    ]
    assert await store.put_rollups(1, [(rollup("notion:1"), first)], at=NOW) == {
        ref("notion:1"),
        ref("jira:1"),
    }
    assert await store.members("roadmap", ref("notion:1")) == first
    assert await store.put_rollups(1, [(rollup("notion:1"), first)], at=NOW) == set()
    second = [member("linear:1", "notion:1")]
    containers = (Container(ref("linear:1"), 0, 1, single=True),)
    after = rollup("notion:1", containers=containers)
    assert await store.put_rollups(1, [(after, second)], at=NOW) == {
        ref("notion:1"),
        ref("jira:1"),
        ref("linear:1"),
    }
    assert await store.members("roadmap", ref("notion:1")) == second
    assert await store.rollups() == [after]
    assert await store.rollups("another") == []


async def test_other_inputs_concern_the_places_and_not_the_history(store: Store) -> None:
    await store.put_rollups(1, [(rollup("notion:1", inputs="a"), [])], at=NOW)
    again: list[tuple[Rollup, list[Member]]] = [(rollup("notion:1", inputs="b"), [])]
    assert await store.put_rollups(1, again, at=NOW + timedelta(hours=1)) == {ref("notion:1")}
    assert len(await store.history("roadmap", ref("notion:1"))) == 1


async def test_history_has_a_row_for_each_change_of_the_numbers(store: Store) -> None:
    for hour, done in enumerate((1, 1, 2)):
        numbers = rollup("notion:1", done=done, progress=done / 2, health=Health.on_track)
        await store.put_rollups(1, [(numbers, [])], at=NOW + timedelta(hours=hour))
    rows = await store.history("roadmap", ref("notion:1"))
    assert [(one.at, one.done, one.progress) for one in rows] == [
        (NOW, 1, 0.5),
        (NOW + timedelta(hours=2), 2, 1.0),
    ]
    assert rows[0].health is Health.on_track


async def test_a_rollup_is_due_on_its_date_and_after(store: Store) -> None:
    due = rollup("notion:1", revisit_on=date(2026, 3, 5))
    await store.put_rollups(1, [(due, []), (rollup("notion:2"), [])], at=NOW)
    assert await store.rollups_due("roadmap", date(2026, 3, 4)) == []
    assert await store.rollups_due("roadmap", date(2026, 3, 5)) == [ref("notion:1")]
    assert await store.rollups_due("roadmap", date(2027, 1, 1)) == [ref("notion:1")]
    assert await store.rollups_due("another", date(2027, 1, 1)) == []


async def test_a_rollup_that_is_no_longer_wanted_goes_and_its_history_stays(store: Store) -> None:
    both = [
        (rollup("notion:1"), [member("jira:1", "notion:1")]),
        (rollup("notion:2"), [member("jira:2", "notion:2")]),
    ]
    run = await store.begin_run("sync")
    await store.put_rollups(run, both, at=NOW)
    await settle(store, run)
    run = await store.begin_run("sync")
    assert await store.drop_rollups("another", []) == set()
    assert await store.drop_rollups("roadmap", [ref("notion:2")]) == {
        ref("notion:1"),
        ref("jira:1"),
    }
    assert [one.root for one in await store.rollups()] == [ref("notion:2")]
    assert await store.members("roadmap", ref("notion:1")) == []
    assert len(await store.history("roadmap", ref("notion:1"))) == 1
    assert await store.targets_changed(run) == [ref("jira:1"), ref("notion:1")]


async def test_a_record_knows_the_rollups_it_is_part_of(store: Store) -> None:
    one = member("jira:1", "notion:1")
    two = member("jira:1", "jira:9", Role.canceled)
    await store.put_rollups(1, [(rollup("notion:1"), [one]), (rollup("notion:2"), [two])], at=NOW)
    assert await store.memberships(ref("jira:1")) == [
        ("roadmap", ref("notion:1"), one),
        ("roadmap", ref("notion:2"), two),
    ]


async def test_the_places_of_rollups_that_rest_on_an_instance_are_found(store: Store) -> None:
    both = [
        (rollup("notion:1", instances=("jira",)), [member("jira:1", "notion:1")]),
        (rollup("notion:2", instances=("linear",)), [member("linear:1", "notion:2")]),
    ]
    await store.put_rollups(1, both, at=NOW)
    assert await store.rollup_places(["jira", "figma"]) == {ref("notion:1"), ref("jira:1")}
    assert await store.rollup_places([]) == set()
