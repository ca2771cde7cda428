"""What is gone after a whole walk, and when nothing is concluded."""

from __future__ import annotations

from opsync.store import SetAside, Store, WalkResult
from tests.store.build import put, record, ref, settle


async def walk(store: Store, run: int, *seen: str, feed: str = "all") -> WalkResult:
    await store.walk_seen("jira", feed, [ref(one) for one in seen])
    return await store.finish_walk(run, "jira", feed)


async def known(store: Store, count: int) -> list[str]:
    """That many records, in a run that is over."""
    items = [f"jira:{n}" for n in range(count)]
    run = await store.begin_run("sync")
    await put(store, run, *(record(one, mentions=("ENG-1",)) for one in items))
    await settle(store, run)
    return items


async def living(store: Store) -> set[str]:
    return {f"jira:{one.ref.id}" for one in await store.records_page(limit=1000)}


async def test_what_a_walk_did_not_show_is_missing_and_has_changed(store: Store) -> None:
    items = await known(store, 5)
    run = await store.begin_run("sync")
    assert await walk(store, run, *items[1:]) == WalkResult(1, 5, refused=False)
    assert await living(store) == set(items[1:])
    gone = await store.record(ref(items[0]))
    assert gone is not None
    assert gone.tombstone == "missing"
    assert await store.sources_to_link(run) == [ref(items[0])]


async def test_a_missing_record_that_turns_up_again_has_changed(store: Store) -> None:
    items = await known(store, 2)
    await walk(store, 2, items[1])
    assert (await put(store, 3, record(items[0], mentions=("ENG-1",))))[1] == 1
    assert await living(store) == set(items)


async def test_an_empty_walk_after_a_full_one_concludes_nothing(store: Store) -> None:
    items = await known(store, 3)
    assert await walk(store, 2) == WalkResult(3, 3, refused=True)
    assert await living(store) == set(items)


async def test_an_empty_walk_of_an_empty_feed_is_right(store: Store) -> None:
    assert await store.finish_walk(1, "jira", "all") == WalkResult(0, 0, refused=False)


async def test_a_few_may_vanish_and_many_may_not(store: Store) -> None:
    items = await known(store, 100)
    assert await walk(store, 2, *items[21:]) == WalkResult(21, 100, refused=True)
    assert len(await living(store)) == 100
    assert await walk(store, 2, *items[20:]) == WalkResult(20, 100, refused=False)
    assert len(await living(store)) == 80


async def test_a_small_feed_may_lose_up_to_the_floor(store: Store) -> None:
    items = await known(store, 12)
    assert (await walk(store, 2, *items[11:])).refused
    assert not (await walk(store, 2, *items[10:])).refused


async def test_a_walk_forgets_what_the_one_before_it_showed(store: Store) -> None:
    items = await known(store, 3)
    await walk(store, 2, *items)
    assert (await walk(store, 2, items[0])).missing == 2


async def test_a_walk_that_broke_off_leaves_nothing_to_the_next(store: Store) -> None:
    items = await known(store, 3)
    await store.walk_seen("jira", "all", [ref(items[0])])
    await store.begin_walk("jira", "all")
    assert (await walk(store, 2, *items[1:])).missing == 1


async def test_another_feeds_records_are_not_missing_and_keep_count(store: Store) -> None:
    await known(store, 2)
    await put(store, 2, record("jira:50"), feed="other")
    assert (await walk(store, 2, "jira:0", "jira:1")).missing == 0
    assert await store.known("jira", "all") == 2
    assert await store.known("jira", "other") == 1


async def test_a_record_belongs_to_the_feed_that_brought_it_last(store: Store) -> None:
    await known(store, 2)
    await put(store, 2, record("jira:0", mentions=("ENG-1",)), feed="renamed")
    assert await store.known("jira", "renamed") == 1
    assert (await walk(store, 2, "jira:1")).missing == 0


async def test_what_was_set_aside_was_there_if_the_walk_showed_it(store: Store) -> None:
    items = await known(store, 2)
    aside = [SetAside("jira", "issue", "0", "no title")]
    await store.put_batch(2, "jira", "all", [], aside, advance_to=None)
    assert (await walk(store, 2, *items)).missing == 0
    assert [one.ref for one in await store.quarantine()] == [ref(items[0])]
    assert (await walk(store, 3, items[1])).missing == 1
    assert await store.quarantine() == [], "what is gone is set aside no longer"


async def test_a_listing_tells_what_is_missing_and_what_was_never_met(store: Store) -> None:
    items = await known(store, 3)
    run = await store.begin_run("sync")
    assert await store.walk_seen("jira", "all", [ref(items[0]), ref("jira:new")]) == 2
    assert await store.walk_seen("jira", "all", [ref(items[0])]) == 0
    assert await store.walk_seen("jira", "all", []) == 0
    found = await store.vanished("jira", "all")
    assert (found.known, found.lost, found.listed) == (3, 2, 2)
    assert (await store.vanished("jira", "all")).listed == 0, "it is forgotten once it was asked"
    assert found.missing == (ref(items[1]), ref(items[2]))
    assert found.met == (ref("jira:new"),)
    await store.count_gone(run, {ref(items[1]): "deleted", ref(items[2]): "not visible"})
    assert await living(store) == {items[0]}
    await store.walk_seen("jira", "all", [ref(items[0])])
    later = await store.vanished("jira", "all")
    assert (later.known, later.lost) == (1, 0)
    assert later.missing == (ref(items[2]),), "what is not visible is looked up again"


async def test_what_was_archived_unseen_counts_on_and_is_met_when_it_is_listed_again(
    store: Store,
) -> None:
    items = await known(store, 2)
    run = await store.begin_run("sync")
    await store.count_gone(run, {ref(items[0]): "archived"})
    assert await living(store) == set(items)
    stored = await store.record(ref(items[0]))
    assert stored is not None
    assert stored.archived
    assert await store.unlisted("jira", "all") == [ref(items[0])]
    await store.walk_seen("jira", "all", [ref(items[1])])
    assert (await store.vanished("jira", "all")).missing == ()
    await store.walk_seen("jira", "all", [ref(one) for one in items])
    assert (await store.vanished("jira", "all")).met == (ref(items[0]),)


async def test_saying_the_same_again_changes_nothing(store: Store) -> None:
    items = await known(store, 1)
    first = await store.begin_run("sync")
    await store.count_gone(first, {ref(items[0]): "deleted"})
    await settle(store, first)
    second = await store.begin_run("sync")
    await store.count_gone(second, {ref(items[0]): "deleted"})
    assert await store.sources_to_link(second) == []


async def test_what_was_archived_since_it_was_hidden_is_there_again_and_said_once(
    store: Store,
) -> None:
    items = await known(store, 1)
    first = await store.begin_run("sync")
    await store.count_gone(first, {ref(items[0]): "not visible"})
    await store.count_gone(first, {ref(items[0]): "archived"})
    stored = await store.record(ref(items[0]))
    assert stored is not None
    assert (stored.archived, stored.tombstone) == (True, "")
    await settle(store, first)
    second = await store.begin_run("sync")
    await store.count_gone(second, {ref(items[0]): "archived"})
    assert await store.sources_to_link(second) == []


async def test_what_is_set_aside_and_in_no_list_is_told_unless_it_is_missing_anyway(
    store: Store,
) -> None:
    items = await known(store, 3)
    aside = [SetAside("jira", "issue", id_, "no title") for id_ in ("0", "1", "new")]
    await store.put_batch(2, "jira", "all", [], aside, advance_to=None)
    await store.count_gone(2, {ref(items[2]): "deleted"})
    await store.put_batch(
        2, "jira", "all", [], [SetAside("jira", "issue", "2", "no")], advance_to=None
    )
    await store.put_batch(
        2, "jira", "other", [], [SetAside("jira", "issue", "x", "no")], advance_to=None
    )
    await store.walk_seen("jira", "all", [ref(items[1])])
    found = await store.vanished("jira", "all")
    assert found.missing == (ref(items[0]),)
    assert found.aside == (ref(items[2]), ref("jira:new"))


async def test_what_is_gone_or_forgotten_is_set_aside_no_longer(store: Store) -> None:
    items = await known(store, 2)
    aside = [SetAside("jira", "issue", id_, "no title") for id_ in ("0", "1", "new")]
    await store.put_batch(2, "jira", "all", [], aside, advance_to=None)
    await store.count_gone(2, {ref(items[0]): "deleted"})
    assert {one.ref for one in await store.quarantine()} == {ref(items[1]), ref("jira:new")}
    await store.forget_aside([ref("jira:new")])
    assert [one.ref for one in await store.quarantine()] == [ref(items[1])]


async def test_a_feed_of_which_all_is_set_aside_has_something_until_it_is_retired(
    store: Store,
) -> None:
    run = await store.begin_run("sync")
    assert not await store.has_any("jira", "all")
    await store.put_batch(
        run, "jira", "all", [], [SetAside("jira", "issue", "0", "no")], advance_to=None
    )
    assert await store.has_any("jira", "all")
    assert not await store.has_any("jira", "other")
    assert not await store.has_any("jir", "all")
    await store.retire_feed(run, "jira", "all")
    assert await store.quarantine() == []
    assert not await store.has_any("jira", "all")
    await known(store, 1)
    assert await store.has_any("jira", "all")
