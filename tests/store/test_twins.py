"""What is one piece of work, by links and decisions; and what a change of it makes look again."""

from __future__ import annotations

import sqlite3

import pytest

from opsync.model import Doubt, Evidence, Kind, Member, Mention, Part, Ref, Role
from opsync.model.link import FOOTER
from opsync.store import Store
from tests.store.build import put, record, ref, rollup, settle
from tests.support.build import at


def says(source: str, target: str, part: Part = "mirror", field: str = FOOTER) -> Evidence:
    return Evidence(ref(source), ref(target), field, target, part=part)


async def linked(store: Store, *evidence: Evidence) -> int:
    run = await store.begin_run("sync")
    await store.put_links(run, [one.source for one in evidence], evidence)
    await settle(store, run)
    return run


async def with_records(store: Store, *names: str, kind: Kind = Kind.issue) -> None:
    for name in names:
        await put(store, 1, record(name, kind=kind))


def decide(store: Store, one: str, two: str, verdict: str, kind: str = "same") -> None:
    with sqlite3.connect(store.path) as connection:
        connection.execute(
            "INSERT INTO decisions (one, two, kind, verdict, by, at, note, one_name, two_name)"
            " VALUES (?, ?, ?, ?, 'ana', '2026-11-22', '', '', '')",
            (str(ref(one)), str(ref(two)), kind, verdict),
        )
    connection.close()


async def groups(store: Store, *refs: str) -> list[list[str]]:
    found = await store.twins([ref(one) for one in refs] if refs else None)
    return [[f"{one.instance}:{one.id}" for one in sides.refs] for sides in found]


async def test_a_mirrors_mark_makes_two_records_one_and_says_which_is_the_copy(
    store: Store,
) -> None:
    await with_records(store, "jira:1", "linear:1", "linear:2")
    await linked(store, says("linear:1", "jira:1"), says("linear:2", "jira:1", ""))
    [sides] = await store.twins()
    assert sides.refs == (ref("jira:1"), ref("linear:1"))
    assert sides.copies == {ref("linear:1")}
    assert await groups(store, "jira:1") == [["jira:1", "linear:1"]]
    assert await groups(store, "linear:2") == []


async def test_two_footers_or_a_sync_name_no_copy(store: Store) -> None:
    await with_records(store, "jira:1", "linear:1", "jira:2", "linear:2")
    await linked(
        store,
        says("linear:1", "jira:1"),
        says("jira:1", "linear:1"),
        says("linear:2", "jira:2", field="attachment"),
    )
    assert [sides.copies for sides in await store.twins()] == [frozenset(), frozenset()]


async def test_places_must_lead_both_ways(store: Store) -> None:
    await with_records(store, "jira:1", "linear:1")
    await linked(store, says("linear:1", "jira:1", "place", "attachment"))
    assert await groups(store) == []
    await linked(store, says("jira:1", "linear:1", "", "description"))
    assert await groups(store) == [], "a description is no place"
    await linked(store, says("jira:1", "linear:1", "place", "remote link"))
    assert await groups(store) == [["jira:1", "linear:1"]]


async def test_an_issue_and_a_container_that_link_to_each_other_are_two_things(
    store: Store,
) -> None:
    await with_records(store, "linear:1")
    await with_records(store, "jira:1", kind=Kind.epic)
    places = (
        says("linear:1", "jira:1", "place", "attachment"),
        says("jira:1", "linear:1", "place", "remote link"),
    )
    await linked(store, *places)
    assert await groups(store) == []
    await linked(store, says("linear:1", "jira:1"))
    assert await groups(store) == [["jira:1", "linear:1"]], "a mirror's word counts"


@pytest.mark.parametrize("kind", [Kind.initiative, Kind.document, Kind.metric])
async def test_only_work_is_mirrored(store: Store, kind: Kind) -> None:
    await with_records(store, "linear:1")
    await with_records(store, "notion:1", kind=kind)
    await linked(store, says("linear:1", "notion:1"))
    assert await groups(store) == []


async def test_two_of_one_tool_are_one_only_if_a_person_says_so(store: Store) -> None:
    await with_records(store, "jira:1", "jira:2")
    await linked(store, says("jira:1", "jira:2"))
    assert await groups(store) == []
    decide(store, "jira:2", "jira:1", "accepted")
    assert await groups(store) == [["jira:1", "jira:2"]]


@pytest.mark.parametrize("order", [("jira:1", "linear:1"), ("linear:1", "jira:1")])
async def test_a_rejected_pair_is_two_things_whatever_the_mirror_says(
    store: Store, order: tuple[str, str]
) -> None:
    await with_records(store, "jira:1", "linear:1")
    await linked(store, says("linear:1", "jira:1"))
    decide(store, *order, "rejected")
    assert await groups(store) == []


async def test_a_pair_that_is_rejected_as_something_else_stays_one(store: Store) -> None:
    await with_records(store, "jira:1", "linear:1")
    await linked(store, says("linear:1", "jira:1"))
    decide(store, "jira:1", "linear:1", "rejected", kind="related")
    assert await groups(store) == [["jira:1", "linear:1"]]


async def test_what_is_gone_is_no_side(store: Store) -> None:
    await with_records(store, "jira:1", "linear:1")
    await linked(store, says("linear:1", "jira:1"))
    await put(store, 1, record("jira:1", tombstone="deleted"))
    assert await groups(store) == []


async def test_a_side_is_found_from_any_other_by_way_of_those_between(store: Store) -> None:
    await with_records(store, "jira:1", "linear:1", "ships:1", "linear:2")
    await linked(store, says("linear:1", "jira:1"), says("ships:1", "linear:1"))
    assert await groups(store, "ships:1") == [["jira:1", "linear:1", "ships:1"]]
    await linked(store, says("linear:2", "jira:1"))
    [sides] = await store.twins([ref("ships:1")])
    assert sides.doubt is Doubt.same_tool, "and so is what makes it doubtful"


async def test_the_tree_of_a_root_knows_sides_outside_of_it(store: Store) -> None:
    await put(store, 1, record("jira:1"), record("jira:2", parents=("jira:1",)))
    await with_records(store, "linear:1")
    await linked(store, says("linear:1", "jira:2"))
    [sides] = (await store.tree(ref("jira:1"))).twins
    assert sides.refs == (ref("jira:2"), ref("linear:1"))


async def roots_touched(store: Store, run: int) -> list[Ref]:
    return await store.roots_touched(run, "roadmap", [ref("notion:1"), ref("notion:2")])


async def test_a_pair_that_is_made_or_broken_has_the_roots_of_both_ends_rolled_up_again(
    store: Store,
) -> None:
    await with_records(store, "notion:1", "notion:2", "jira:1", "linear:1", "ships:1")
    run = await store.begin_run("sync")
    counted = [
        (rollup("notion:1"), [Member(ref("jira:1"), Role.leaf, ref("notion:1"))]),
        (rollup("notion:2"), [Member(ref("ships:1"), Role.leaf, ref("notion:2"))]),
    ]
    await store.put_rollups(run, counted, at=at(22))
    await settle(store, run)
    await linked(store, says("linear:1", "jira:1"))

    run = await store.begin_run("sync")
    assert await roots_touched(store, run) == []
    await store.put_links(run, [ref("ships:1")], [says("ships:1", "linear:1")])
    # The first by way of the pair that stands: all three are one now.
    assert await roots_touched(store, run) == [ref("notion:1"), ref("notion:2")]
    await settle(store, run)

    run = await store.begin_run("sync")
    await store.put_links(run, [ref("ships:1")], [])
    assert await roots_touched(store, run) == [ref("notion:1"), ref("notion:2")]


async def test_mirrors_of_nothing_are_found(store: Store) -> None:
    lost = Mention("PAY-9999", "", FOOTER, text="PAY-9999", part="mirror")
    found = Mention("PAY-1", "", FOOTER, text="PAY-1", part="mirror")
    await put(store, 1, record("jira:1", aliases=("PAY-1",)))
    await put(store, 1, record("linear:1", mentions=(found,)))
    await put(store, 1, record("linear:2", mentions=(lost, "PAY-8888")))
    await put(store, 1, record("linear:3", mentions=(lost,), tombstone="trashed"))
    assert await store.lost_mirrors() == [(ref("linear:2"), lost)]
    await put(store, 1, record("jira:1", aliases=("PAY-1",), tombstone="deleted"))
    assert [source for source, _ in await store.lost_mirrors()] == [
        ref("linear:1"),
        ref("linear:2"),
    ]
