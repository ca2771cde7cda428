"""Resolving mentions and keeping links."""

from __future__ import annotations

import pytest

from opsync.model import Evidence, Link, Mention
from opsync.store import Store
from tests.store.build import evidence, names, put, record, ref, settle


async def resolved(store: Store, source: str) -> list[tuple[str, list[str]]]:
    return [
        (mention.alias, [str(one) for one in holders])
        for _, mention, holders in await store.mentions_of([ref(source)])
    ]


async def test_a_mention_with_an_instance_resolves_there_only(store: Store) -> None:
    await put(store, 1, record("jira:1", aliases=("10001",)))
    await put(store, 1, record("linear:1", aliases=("10001",)))
    await put(store, 1, record("notion:1", mentions=(names("10001", "linear"),)))
    assert await resolved(store, "notion:1") == [("10001", ["linear:issue:1"])]


async def test_a_bare_key_resolves_to_all_its_living_holders(store: Store) -> None:
    await put(store, 1, record("jira:1", aliases=("PAY-1",)))
    await put(store, 1, record("linear:1", aliases=("PAY-1",)))
    await put(store, 1, record("notion:1", mentions=("PAY-1",)))
    assert await resolved(store, "notion:1") == [("PAY-1", ["jira:issue:1", "linear:issue:1"])]
    await put(store, 1, record("linear:1", aliases=("PAY-1",), tombstone="trashed"))
    assert await resolved(store, "notion:1") == [("PAY-1", ["jira:issue:1"])]


async def test_a_mention_is_given_whole_and_in_its_order(store: Store) -> None:
    first = Mention("B-2", "", "Tracked in", True, "see B-2")
    await put(store, 1, record("notion:1", mentions=(first, Mention("A-1"))))
    assert await store.mentions_of([ref("notion:1")]) == [
        (ref("notion:1"), first, ()),
        (ref("notion:1"), Mention("A-1"), ()),
    ]


async def test_what_is_gone_names_nothing(store: Store) -> None:
    await put(store, 1, record("notion:1", mentions=("PAY-1",), tombstone="trashed"))
    assert await store.mentions_of([ref("notion:1")]) == []


async def test_what_changed_and_what_names_it_are_linked_again(store: Store) -> None:
    run = await store.begin_run("sync")
    await put(store, run, record("notion:1", mentions=("PAY-1",)), record("notion:2"))
    await put(store, run, record("notion:3", mentions=(names("PAY-1", "linear"),)))
    assert await store.sources_to_link(run) == [ref("notion:1"), ref("notion:3")]
    await settle(store, run)
    run = await store.begin_run("sync")
    assert await store.sources_to_link(run) == []
    await put(store, run, record("jira:1", aliases=("PAY-1",)))
    assert await store.sources_to_link(run) == [ref("notion:1")]


async def test_a_record_that_no_longer_names_anything_loses_its_links(store: Store) -> None:
    run = await store.begin_run("sync")
    await put(store, run, record("notion:1", mentions=("PAY-1",)))
    await store.put_links(run, [ref("notion:1")], [evidence("notion:1", "jira:1")])
    await settle(store, run)
    run = await store.begin_run("sync")
    await put(store, run, record("notion:1"))
    assert await store.sources_to_link(run) == [ref("notion:1")]


async def test_put_links_tells_both_ends_of_what_differs(store: Store) -> None:
    run = await store.begin_run("sync")
    sources = [ref("notion:1"), ref("notion:2")]
    first = [evidence("notion:1", "jira:1"), evidence("notion:2", "jira:2")]
    assert await store.put_links(run, sources, first) == {
        ref("notion:1"),
        ref("jira:1"),
        ref("notion:2"),
        ref("jira:2"),
    }
    assert await store.put_links(run, sources, first) == set()
    altered = [evidence("notion:1", "jira:1", "other words"), evidence("notion:2", "jira:2")]
    assert await store.put_links(run, sources, altered) == {ref("notion:1"), ref("jira:1")}
    assert await store.put_links(run, [ref("notion:2")], []) == {ref("notion:2"), ref("jira:2")}
    assert await store.links_of(ref("notion:2")) == []
    assert len(await store.links_of(ref("notion:1"))) == 1


async def test_a_source_may_link_only_if_it_was_asked_about(store: Store) -> None:
    with pytest.raises(ValueError, match="jira:issue:9 is none of the sources"):
        await store.put_links(1, [ref("notion:1")], [evidence("jira:9", "notion:1")])


async def test_mentions_from_both_sides_are_one_pair_with_all_evidence(store: Store) -> None:
    there = [evidence("notion:1", "jira:1", "b"), evidence("notion:1", "jira:1", "a")]
    back = evidence("jira:1", "notion:1", "c")
    await store.put_links(1, [ref("notion:1"), ref("jira:1")], [*there, back, back])
    link = Link(ref("jira:1"), ref("notion:1"), (back, there[1], there[0]))
    assert await store.links_of(ref("jira:1")) == [link]
    assert await store.links_of(ref("notion:1")) == [link]
    assert (await store.counts())["links"] == 1


async def test_ends_are_ordered_as_refs_where_their_texts_order_differently(store: Store) -> None:
    one, two = ref("jira:1"), ref("jira-2:1")
    await store.put_links(1, [two], [Evidence(two, one, "body")])
    [link] = await store.links_of(one)
    assert (link.one, link.two) == (one, two)
    assert await store.links_page() == [link]


async def test_pairs_are_paged(store: Store) -> None:
    sources = [ref(f"notion:{n}") for n in range(5)]
    await store.put_links(1, sources, [evidence(f"notion:{n}", "jira:1") for n in range(5)])
    await store.put_links(1, [ref("linear:1")], [evidence("linear:1", "notion:0")])
    pages = []
    after = None
    while page := await store.links_page(after=after, limit=2):
        pages.append(page)
        after = page[-1]
    assert [len(page) for page in pages] == [2, 2, 2]
    assert len({(link.one, link.two) for page in pages for link in page}) == 6
    assert len(await store.links_page(instance="linear")) == 1
    assert await store.links_page(instance="l%") == []


async def test_what_no_record_ever_had_is_unresolved(store: Store) -> None:
    run = await store.begin_run("sync")
    await put(store, run, record("jira:1", aliases=("PAY-1",), tombstone="deleted"))
    await put(
        store,
        run,
        record("notion:1", mentions=("PAY-1", "PAY-2", names("x", "jira"), names("y", "linear"))),
    )
    assert [m.alias for _, m in await store.unresolved()] == ["PAY-2", "x", "y"]
    assert [m.alias for _, m in await store.unresolved(["jira"])] == ["PAY-2", "x"]
    assert [m.alias for _, m in await store.unresolved(limit=1)] == ["PAY-2"]
    assert len(await store.unresolved_new(run)) == 3
    await settle(store, run)
    assert await store.unresolved_new(await store.begin_run("sync")) == []


async def test_a_name_that_was_looked_up_resolves_and_takes_nobody_elses(store: Store) -> None:
    await put(store, 1, record("jira:1", aliases=("NEW-1",)), record("jira:2", aliases=("PAY-2",)))
    await put(store, 1, record("notion:1", mentions=(names("OLD-1", "jira"),)))
    await put(store, 1, record("notion:2", mentions=(names("OLD-1", "linear"), "PAY-2")))
    found = {"OLD-1": ref("jira:1"), "PAY-2": ref("jira:1")}
    assert await store.put_aliases({"jira": found, "linear": {}}) == [
        ref("notion:1"),
        ref("notion:2"),
    ]
    assert await resolved(store, "notion:1") == [("OLD-1", ["jira:issue:1"])]
    assert await resolved(store, "notion:2") == [("OLD-1", []), ("PAY-2", ["jira:issue:2"])]
