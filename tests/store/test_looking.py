"""What contradicts itself in what was read, as the database finds it."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from opsync.model import Category, Evidence, Kind, Person, Record, Ref, Role, Rollup, Status
from opsync.store import Store, Tally
from tests.store.build import member, prepared, record, ref

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def item(name: str, category: str = "in_progress", **more: Any) -> Record:
    status = Status(category, category, Category(category))
    return record(name, status=status, **more)


def root(name: str = "notion:1", **more: Any) -> Record:
    return item(name, kind=Kind.initiative, **more)


async def put(store: Store, *records: Record) -> None:
    """Store records, whichever instances they are of."""
    run = await store.begin_run("test")
    for instance in {one.ref.instance for one in records}:
        own = [prepared(one) for one in records if one.ref.instance == instance]
        await store.put_batch(run, instance, "all", own, [], advance_to=None)


async def roll_up(store: Store, name: str, *counted: str) -> None:
    """A rollup of `name` over `counted`."""
    rollup = Rollup(rule="roadmap", root=ref(name), counts={}, done=0, total=len(counted))
    members = [member(one, via=name) for one in counted]
    await store.put_rollups(1, [(rollup, members)], at=NOW)


async def links(store: Store, *pairs: tuple[str, str], part: Any = "") -> None:
    sources = [ref(one) for one, _ in pairs]
    evidence = [Evidence(ref(a), ref(b), "description", part=part) for a, b in pairs]
    await store.put_links(1, sources, evidence)


async def test_work_in_progress_is_issues_and_epics_that_live_and_count(store: Store) -> None:
    await put(
        store,
        item("jira:1", space="Payments"),
        item("jira:2", kind=Kind.epic),
        item("jira:3", "todo"),
        item("jira:4", tombstone="deleted"),
        item("jira:5", archived=True),
        item("jira:6", detail=True),
        item("linear:7", kind=Kind.project),
        root(),
    )
    await roll_up(store, "notion:1", "jira:2")
    found = {one.ref.id: one for one in await store.working()}
    assert found.keys() == {"1", "2"}
    assert (found["1"].space, found["1"].reached, found["2"].reached) == ("Payments", False, True)


async def test_private_work_in_progress_is_counted_without_its_team(store: Store) -> None:
    await put(store, item("linear:1", space="Security", private=True))
    (found,) = await store.working()
    assert found.space == ""


async def test_an_epic_that_is_the_initiative_itself_is_no_work_without_one(store: Store) -> None:
    await put(store, item("jira:1", kind=Kind.epic), item("jira:2", parents=("jira:1",)))
    await roll_up(store, "jira:1", "jira:2")
    assert [(one.ref.id, one.reached) for one in await store.working()] == [("2", True)]


async def test_what_is_done_with_open_parts_comes_with_the_most_first(store: Store) -> None:
    await put(
        store,
        item("jira:1", "done", kind=Kind.epic),
        item("jira:2", "todo", parents=("jira:1",)),
        item("jira:3", "done", parents=("jira:1",)),
        item("jira:4", "done"),
        item("jira:5", parents=("jira:4",)),
        item("jira:6", "backlog", parents=("jira:4",)),
        item("jira:7"),
        item("jira:8", parents=("jira:7",)),
    )
    found = await store.open_parts()
    assert [(one.parent.id, [part.id for part in one.parts]) for one in found] == [
        ("4", ["5", "6"]),
        ("1", ["2"]),
    ]
    assert [one.parent.id for one in await store.open_parts(ref("jira:1"))] == ["1"]
    assert await store.open_parts(ref("jira:7")) == []


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ({}, {"category": "canceled"}),
        ({}, {"category": "unknown"}),
        ({}, {"tombstone": "deleted"}),
        ({}, {"archived": True}),
        ({}, {"detail": True}),
        ({"archived": True}, {}),
        ({"tombstone": "deleted"}, {}),
        ({"kind": Kind.initiative}, {}),
    ],
)
async def test_what_is_not_open_is_no_open_part(
    store: Store, above: dict[str, Any], below: dict[str, Any]
) -> None:
    await put(
        store,
        item("jira:1", "done", **above),
        item("jira:2", **{"category": "todo", "parents": ("jira:1",), **below}),
    )
    assert await store.open_parts() == []


async def test_work_that_names_an_initiative_which_does_not_name_it(store: Store) -> None:
    await put(store, root(), item("jira:1"), item("jira:2"), item("jira:3"), item("jira:4"))
    await roll_up(store, "notion:1", "jira:3")
    both = [("jira:2", "notion:1"), ("notion:1", "jira:2")]
    await links(store, ("jira:1", "notion:1"), *both, ("jira:3", "notion:1"))
    (found,) = await store.one_sided()
    assert (found.work.ref.id, found.root, found.why.field) == ("1", ref("notion:1"), "description")
    assert await store.one_sided(ref("jira:2")) == []
    assert len(await store.one_sided(ref("notion:1"))) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"category": "canceled"},
        {"tombstone": "deleted"},
        {"archived": True},
        {"kind": Kind.document},
    ],
)
async def test_what_would_not_count_anyway_is_not_one_sided(
    store: Store, more: dict[str, Any]
) -> None:
    await put(store, root(), item("jira:1", **more))
    await roll_up(store, "notion:1")
    await links(store, ("jira:1", "notion:1"))
    assert await store.one_sided() == []


async def test_a_mirrors_mark_alone_is_nobodys_word(store: Store) -> None:
    await put(store, root(), item("jira:1"))
    await roll_up(store, "notion:1")
    await links(store, ("jira:1", "notion:1"), part="mirror")
    assert await store.one_sided() == []


@pytest.mark.parametrize("turned", [False, True])
async def test_what_people_decided_on_is_not_told_again(
    store: Store, path: Path, turned: bool
) -> None:
    await put(store, root(), item("jira:1"))
    await roll_up(store, "notion:1")
    await links(store, ("jira:1", "notion:1"))
    ends = [str(ref("notion:1")), str(ref("jira:1"))]
    with sqlite3.connect(path) as other:
        other.execute(
            "INSERT INTO decisions VALUES (?, ?, 'member', 'rejected', 'ana', ?, '', '', '')",
            (*(reversed(ends) if turned else ends), NOW.isoformat()),
        )
    other.close()
    assert await store.one_sided() == []


async def test_an_owner_whose_account_was_closed(store: Store) -> None:
    left, here = Person("u1", "Dana", active=False), Person("u2", "Ana")
    await put(
        store,
        root(owner=left),
        root("notion:2", owner=here),
        root("notion:3", category="done", owner=left),
        item("jira:1", kind=Kind.epic, owner=Person("u1", "Another one in Jira")),
        item("linear:1", kind=Kind.project, owner=left),
        item("linear:2", owner=left),
        item("linear:3", kind=Kind.project, owner=left),
        item("linear:4", kind=Kind.project, owner=left, archived=True),
    )
    await roll_up(store, "notion:1", "jira:1", "linear:1", "linear:2", "linear:4")
    await roll_up(store, "notion:2")
    await roll_up(store, "notion:3")
    found = await store.owners_left()
    assert [str(one.ref) for one in found] == ["linear:issue:1", "notion:issue:1"]
    assert [one.ref for one in await store.owners_left(ref("linear:1"))] == [ref("linear:1")]
    assert await store.owners_left(ref("linear:2")) == []


async def test_what_somebody_owns_is_counted_while_it_is_open(store: Store) -> None:
    ana, ben = Person("u1", "Ana"), Person("u2", "Ben")
    quoting = {"title": 'say "archived":true', "extra": {"note": '"archived":true'}}
    await put(
        store,
        item("jira:1", owner=ana),
        item("jira:2", "backlog", owner=ana, **quoting),
        item("jira:3", "done", owner=ana),
        item("jira:4", "canceled", owner=ana),
        item("jira:5", owner=ana, archived=True),
        item("jira:6", owner=ana, tombstone="deleted"),
        item("jira:7", owner=ana, kind=Kind.document),
        item("jira:8", owner=ben, private=True),
        item("jira:9"),
        item("linear:1", "unknown", owner=ana),
    )
    assert await store.owned() == {("jira", "u1"): 2, ("jira", "u2"): 1, ("linear", "u1"): 1}
    every = [ref(f"jira:{n}") for n in range(1, 10)]
    assert await store.owners_of(every) == {
        ref("jira:1"): "u1",
        ref("jira:2"): "u1",
        ref("jira:8"): "u2",
    }


async def test_the_tally_counts_what_lives(store: Store) -> None:
    await put(store, item("jira:1"), item("jira:2"), item("jira:3", tombstone="deleted"), root())
    await put(store, item("jira:4", kind=Kind.epic))
    await roll_up(store, "jira:4")


async def test_of_twins_the_owner_of_the_side_that_counts_is_told(store: Store) -> None:
    left = Person("u1", "Ana Reyes", active=False)
    await put(
        store,
        root(),
        item("jira:1", kind=Kind.epic, owner=left),
        item("linear:1", kind=Kind.project, owner=left),
    )
    rollup = Rollup(rule="roadmap", root=ref("notion:1"), counts={}, done=0, total=1)
    members = [member("jira:1", "notion:1"), member("linear:1", "notion:1", Role.twin)]
    await store.put_rollups(1, [(rollup, members)], at=NOW)
    assert [str(one.ref) for one in await store.owners_left()] == ["jira:issue:1"]


async def test_a_part_that_does_not_count_by_itself_names_no_initiative(store: Store) -> None:
    await put(store, root(), root("notion:2", archived=True), item("jira:1"))
    await put(store, item("jira:2", detail=True), item("jira:3"))
    await roll_up(store, "notion:1")
    await roll_up(store, "notion:2")
    await links(store, ("jira:1", "notion:1"), ("jira:2", "notion:1"), ("jira:3", "notion:2"))
    assert [str(one.work.ref) for one in await store.one_sided()] == ["jira:issue:1"]


async def test_the_tally_counts_work_that_lives_and_counts(store: Store) -> None:
    await put(
        store,
        item("jira:1"),
        item("jira:2", kind=Kind.epic),
        item("jira:3", tombstone="deleted"),
        item("jira:4", detail=True),
        item("jira:5", archived=True),
        item("jira:6", "done", archived=True),
        item("jira:7", kind=Kind.epic),
        item("linear:8", kind=Kind.project),
        item("linear:9", title='"detail":true,"archived":true'),
        root(),
    )
    await roll_up(store, "jira:7")
    assert await store.tally() == [
        Tally("jira", Category.done, 1),
        Tally("jira", Category.in_progress, 2),
        Tally("linear", Category.in_progress, 1),
    ]
    assert len(await store.working()) == 3
    assert await store.tally([ref("jira:2"), ref("jira:5")]) == [
        Tally("jira", Category.in_progress, 1)
    ]
    assert await store.tally([]) == []
    unknown = Ref("jira", "issue", "99")
    assert await store.kinds_of([ref("jira:1"), unknown]) == {ref("jira:1"): Kind.issue}
