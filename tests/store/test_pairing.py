"""What the search for pairs asks of the store."""

from __future__ import annotations

from opsync.model import Account, Link, Person
from opsync.store import Store
from tests.store.build import evidence, member, put, record, ref, rollup
from tests.support.clock import FakeClock


async def test_people_are_listed_as_their_tools_know_them(store: Store) -> None:
    ana = Person("7", "ana", "ana@harbor.example")
    gone = Person("8", "Ben Ode", active=False)
    await put(store, 1, record("linear:1", owner=ana), record("linear:2", owner=gone))
    assert await store.people() == [
        Account("linear", "7", "ana", "ana@harbor.example"),
        Account("linear", "8", "Ben Ode", "", active=False),
    ]


async def test_a_name_that_is_told_no_more_stays_and_an_address_does_not(store: Store) -> None:
    ana = Person("7", "ana", "ana@harbor.example")
    await put(store, 1, record("linear:1", owner=ana))
    await put(store, 2, record("linear:1", owner=Person("7")))
    assert await store.people() == [Account("linear", "7", "ana", "")]


async def test_where_records_count(store: Store, clock: FakeClock) -> None:
    await put(store, 1, record("jira:1"), record("jira:2"), record("jira:3"))
    both = [member("jira:1", "notion:1"), member("jira:2", "jira:1")]
    given = [(rollup("notion:1"), both), (rollup("notion:2"), both[:1])]
    await store.put_rollups(1, given, at=clock.now())
    found = await store.counted_in([ref("jira:1"), ref("jira:2"), ref("jira:3")])
    assert found == {
        ref("jira:1"): {ref("notion:1"), ref("notion:2")},
        ref("jira:2"): {ref("notion:1")},
    }


async def test_what_records_are_part_of_at_whatever_distance(store: Store) -> None:
    await put(
        store,
        1,
        record("jira:1", parents=("jira:2", "jira:9")),
        record("jira:2", parents=("jira:3",)),
        record("jira:3", parents=("jira:1",)),
    )
    above = await store.above([ref("jira:1"), ref("jira:8")])
    assert above == {ref("jira:1"): {ref(f"jira:{n}") for n in (1, 2, 3, 9)}}


async def test_who_has_a_key_or_had_it(store: Store) -> None:
    await put(store, 1, record("jira:1", aliases=("PAY-1", "MOB-4")), record("jira:2"))
    await put(store, 1, record("linear:1", aliases=("PAY-1",)))
    await put(store, 1, record("linear:2", aliases=("GRO-1",), tombstone="trashed"))
    found = await store.holders(["PAY-1", "MOB-4", "GRO-1", "NO-1"])
    assert {key: [str(one.ref) for one in held] for key, held in found.items()} == {
        "MOB-4": ["jira:issue:1"],
        "PAY-1": ["jira:issue:1", "linear:issue:1"],
    }


async def test_links_of_many_records_come_once_each(store: Store) -> None:
    await put(store, 1, record("jira:1"), record("jira:2"))
    await put(store, 1, record("linear:1"))
    given = [evidence("linear:1", "jira:1"), evidence("linear:1", "jira:2")]
    await store.put_links(1, [ref("linear:1")], given)
    links = await store.links_among([ref("linear:1"), ref("jira:1")])
    assert links == [
        Link(ref("jira:1"), ref("linear:1"), (given[0],)),
        Link(ref("jira:2"), ref("linear:1"), (given[1],)),
    ]
    assert await store.links_among([]) == []


async def test_namesakes_are_found_gone_or_not(store: Store) -> None:
    gone = record("jira:1", aliases=("PAY-1", "OLD-1"), tombstone="deleted")
    await put(store, 1, gone, record("jira:2", aliases=("PAY-2",)))
    found = await store.namesakes(["OLD-1", "PAY-2", "PAY-3"])
    assert {name: [one.ref for one in records] for name, records in found.items()} == {
        "OLD-1": [ref("jira:1")],
        "PAY-2": [ref("jira:2")],
    }


async def test_private_members_are_those_of_one_root(store: Store, clock: FakeClock) -> None:
    hint = record("jira:2", extra={"note": '"private":true'})
    await put(store, 1, record("jira:1", private=True), hint, record("jira:3", private=True))
    members = [member("jira:1", "jira:9"), member("jira:2", "jira:9")]
    await store.put_rollups(1, [(rollup("jira:9"), members)], at=clock.now())
    assert [one.ref for one in await store.private_members("roadmap", ref("jira:9"))] == [
        ref("jira:1")
    ]
    assert await store.private_members("roadmap", ref("jira:8")) == []
