"""What a pull stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy.exc import DBAPIError

from opsync.model import (
    OUT_OF_SCOPE,
    Account,
    Category,
    Mention,
    Person,
    Record,
    Seen,
    Status,
    Text,
)
from opsync.model.aside import WAITS
from opsync.store import BatchCounts, CursorState, SetAside, Store
from tests.store.build import names, prepared, put, record, ref, settle
from tests.support.clock import FakeClock

DAY = datetime(2026, 3, 1, tzinfo=UTC)


async def test_a_record_comes_back_as_it_was_stored_without_its_texts(store: Store) -> None:
    full = record(
        "jira:1",
        title="Tokenise ‹cards› \u202e\x00 \U0001f600",
        status=Status("3", "Doing", Category.in_progress),
        parents=("jira:9",),
        mentions=(names("ENG-1", "linear"),),
        aliases=("PAY-1",),
        created_at=DAY,
        seen=(Seen.of("remote link", {"title": "x"}, remote_id="7", ours=True),),
        extra={"Area": "Money"},
    )
    with_texts = msgspec.structs.replace(full, texts=(Text("description", "long"),))
    await put(store, 1, with_texts)
    assert await store.record(ref("jira:1")) == full


async def test_a_batch_counts_what_is_new_changed_and_unchanged(store: Store) -> None:
    one, two = record("jira:1"), record("jira:2")
    assert await put(store, 1, one, two) == BatchCounts(2, 2, 0)
    assert await put(store, 2, one, record("jira:2", title="Other")) == BatchCounts(2, 1, 1)


async def test_a_batch_counts_what_was_there_before_and_was_not_visible(store: Store) -> None:
    async def shown(*records: Record, since: datetime | None = DAY) -> int:
        batch = [prepared(one) for one in records]
        counts = await store.put_batch(1, "jira", "all", batch, [], advance_to=None, since=since)
        return counts.shown

    before, old = DAY - timedelta(seconds=1), {"created_at": DAY - timedelta(days=9)}
    assert await shown(record("jira:1", created_at=before), record("jira:2", created_at=DAY)) == 1
    assert await shown(record("jira:1", title="Other", created_at=before)) == 0
    assert await shown(record("jira:3", **old), since=None) == 0
    assert await shown(record("jira:4", tombstone="hidden", **old), record("jira:5")) == 0
    await shown(record("jira:6", **old), record("jira:7", **old), since=None)
    away = [record("jira:6", tombstone="hidden"), record("jira:7", tombstone=OUT_OF_SCOPE)]
    assert await shown(*away) == 0
    assert await shown(record("jira:6"), record("jira:7")) == 1


async def test_a_batch_counts_what_might_have_come_with_what_was_read(store: Store) -> None:
    async def late(*records: Record, seen_to: datetime | None = DAY) -> int:
        batch = [prepared(one) for one in records]
        counts = await store.put_batch(
            1, "jira", "all", batch, [], advance_to=None, since=None, seen_to=seen_to
        )
        return counts.late

    after, then = DAY + timedelta(seconds=1), {"created_at": DAY}
    assert await late(record("jira:1", **then), record("jira:2", created_at=after)) == 1
    assert await late(record("jira:1", title="Other", **then), record("jira:3")) == 0, (
        "known; ageless"
    )
    assert await late(record("jira:4", **then), seen_to=None) == 0


async def test_a_batch_counts_what_is_below_nothing_any_more(store: Store) -> None:
    stories = [record(f"jira:{id_}", parents=("jira:9",)) for id_ in (1, 2, 3)]
    batch = [*stories, record("jira:4")]
    assert (await put(store, 1, *batch)).faded == 0
    lost = [record("jira:1"), record("jira:2", parents=("jira:8",)), record("jira:3")]
    assert (await put(store, 2, *lost, record("jira:4", title="Other"))).faded == 2
    assert (await put(store, 3, *lost)).faded == 0


async def test_a_record_read_twice_in_one_batch_is_stored_as_read_last(store: Store) -> None:
    await put(store, 1, record("jira:1", title="Old"), record("jira:1", title="New"))
    assert [one.title for one in await store.records_page()] == ["New"]


async def test_what_only_opsync_may_write_changes_a_record_without_counting_as_a_change(
    store: Store,
) -> None:
    await put(store, 1, record("jira:1", mentions=("ENG-1",)))
    await settle(store, await store.begin_run("sync"))
    run = await store.begin_run("sync")
    ours = record("jira:1", mentions=("ENG-1",), seen=(Seen.of("link", "ours"),))
    assert await put(store, run, ours) == BatchCounts(1, 0, 1)
    assert await store.record(ref("jira:1")) == ours
    assert await store.sources_to_link(run) == []


async def test_what_changed_last_and_what_was_seen_last_are_told_apart(store: Store) -> None:
    def seen(text: str) -> tuple[Seen, ...]:
        return (Seen.of("link", text),)

    async def run_that_sees(text: str) -> int:
        run = await store.begin_run("sync")
        await put(store, run, record("jira:1", mentions=("ENG-1",), seen=seen(text)))
        return run

    await settle(store, await run_that_sees("nothing"))
    begun = await run_that_sees("ours")
    await run_that_sees("edited")
    assert await store.sources_to_link(begun) == []


async def test_what_is_as_it_was_is_not_written_again(store: Store) -> None:
    one = record("jira:1", mentions=("ENG-1",), owner=Person("u1", "Ana"))
    await put(store, 1, one)
    written = await _rows_written(store)
    await put(store, 2, one)
    assert await _rows_written(store) == written
    await put(store, 2, one, feed="other")
    assert await _rows_written(store) == written + 1


async def _rows_written(store: Store) -> int:
    return await store._read(
        lambda c: int(c.connection.driver_connection.total_changes)  # type: ignore[union-attr]
    )


async def test_who_owns_work_is_known_by_the_newest_word_of_the_tool(store: Store) -> None:
    await put(store, 1, record("jira:1", owner=Person("u1", "Ana", "ana@acme.example")))
    await put(store, 1, record("jira:2", owner=Person("", "nobody")))
    await put(store, 1, record("jira:3", title="New", owner=Person("u1", "", "", active=False)))
    [account] = await store.people()
    assert account == Account("jira", "u1", "Ana", "", False)
    assert await store.owners_of([ref("jira:1"), ref("jira:2")]) == {ref("jira:1"): "u1"}


async def test_what_was_never_in_scope_is_not_stored(store: Store) -> None:
    assert await put(store, 1, record("jira:1", tombstone=OUT_OF_SCOPE)) == BatchCounts(1, 0, 1)
    assert await store.record(ref("jira:1")) is None


async def test_what_becomes_public_is_so_at_once(store: Store) -> None:
    await put(store, 1, record("jira:1", private=True))
    await put(store, 1, record("jira:1", private=False))
    found = await store.record(ref("jira:1"))
    assert found is not None
    assert not found.private


async def test_a_changed_record_names_what_it_names_now(store: Store) -> None:
    await put(store, 1, record("jira:1", mentions=("ENG-1", "ENG-2"), parents=("jira:8",)))
    await put(store, 1, record("jira:1", mentions=("ENG-3",), parents=("jira:9",)))
    assert [m.alias for _, m, _ in await store.mentions_of([ref("jira:1")])] == ["ENG-3"]
    assert await store.children(ref("jira:8")) == []
    assert [one.ref for one in await store.children(ref("jira:9"))] == [ref("jira:1")]


async def test_a_tombstoned_record_that_comes_back_is_changed(store: Store) -> None:
    alive = prepared(record("jira:1"))
    gone = alive._replace(record=record("jira:1", tombstone="trashed"))
    for batch, changed in ((alive, 1), (gone, 1), (gone, 0), (alive, 1)):
        counts = await store.put_batch(1, "jira", "all", [batch], [], advance_to=None)
        assert counts.changed == changed
    assert await store.record(ref("jira:1")) == alive.record


async def test_former_names_stay_and_the_newest_holder_of_a_name_has_it(store: Store) -> None:
    await put(store, 1, record("jira:1", aliases=("OLD-1",)))
    await put(store, 1, record("jira:1", aliases=("NEW-1",)))
    assert [one.ref for one in await store.find("OLD-1")] == [ref("jira:1")]
    await put(store, 1, record("jira:2", aliases=("OLD-1",)))
    assert [one.ref for one in await store.find("OLD-1")] == [ref("jira:2")]


async def test_what_is_gone_takes_no_name_from_what_lives(store: Store) -> None:
    await put(store, 1, record("jira:2", aliases=("PAY-1",)))
    await put(store, 1, record("jira:1", aliases=("PAY-1", "PAY-2"), tombstone="trashed"))
    assert [one.ref for one in await store.find("PAY-1")] == [ref("jira:2")]
    assert [one.ref for one in await store.find("PAY-2")] == [ref("jira:1")]


async def test_a_cursor_advances_with_its_batch_and_never_goes_back(store: Store) -> None:
    """I9"""
    for high in (DAY, DAY - timedelta(days=1), None):
        await store.put_batch(1, "jira", "issues", [], [], advance_to=high)
    await store.finish_feed(1, "jira", "issues", high=DAY - timedelta(hours=1), at=DAY)
    [cursor] = await store.cursors("jira")
    assert cursor == CursorState(instance="jira", feed="issues", high=DAY, completed_at=DAY)
    later = DAY + timedelta(microseconds=1)
    await store.finish_feed(2, "jira", "issues", high=later, at=later)
    assert [one.high for one in await store.cursors()] == [later]
    assert await store.cursors("linear") == []


async def test_a_cursor_stays_where_its_batch_cannot_be_stored(store: Store) -> None:
    bad = prepared(record("jira:1"))._replace(hash=object())  # type: ignore[arg-type]
    with pytest.raises(DBAPIError):
        await store.put_batch(1, "jira", "issues", [bad], [], advance_to=DAY)
    assert await store.cursors("jira") == []


async def test_a_failing_feed_keeps_the_time_of_its_first_failure(store: Store) -> None:
    await store.finish_feed(1, "jira", "issues", high=DAY, at=DAY)
    for hour in (1, 2):
        await store.fail_feed(2, "jira", "issues", error=f"{hour}", at=DAY + timedelta(hours=hour))
    [cursor] = await store.cursors("jira")
    assert (cursor.failed_since, cursor.error) == (DAY + timedelta(hours=1), "2")
    assert (cursor.high, cursor.completed_at) == (DAY, DAY)
    await store.put_batch(3, "jira", "issues", [], [], advance_to=DAY)
    assert (await store.cursors("jira"))[0].failed_since == DAY + timedelta(hours=1)
    await store.finish_feed(3, "jira", "issues", high=None, at=DAY)
    [cursor] = await store.cursors("jira")
    assert (cursor.high, cursor.failed_since, cursor.error) == (DAY, None, "")


async def test_a_feed_may_fail_before_it_ever_worked(store: Store) -> None:
    await store.fail_feed(1, "jira", "", error="no answer", at=DAY)
    [cursor] = await store.cursors()
    assert (cursor.high, cursor.failed_since) == (None, DAY)


async def test_what_is_set_aside_stays_until_it_was_read_well(
    store: Store, clock: FakeClock
) -> None:
    aside = SetAside("jira", "issue", "1", "no title")
    await store.put_batch(1, "jira", "all", [], [aside], advance_to=None)
    since = clock.now()
    clock.advance(60)
    again = aside._replace(reason="no status")
    await store.put_batch(2, "jira", "all", [], [again], advance_to=None)
    [found] = await store.quarantine()
    assert (found.ref, found.reason) == (ref("jira:1"), "no status")
    assert (found.since, found.last_at) == (since, clock.now())
    assert await store.aside_refs() == {ref("jira:1")}
    await put(store, 3, record("jira:2"))
    assert len(await store.quarantine()) == 1
    await put(store, 3, record("jira:1"))
    assert await store.quarantine() == []


async def test_what_is_set_aside_waits_longer_after_each_try_of_it_and_not_after_each_read(
    store: Store, clock: FakeClock
) -> None:
    aside = SetAside("jira", "issue", "1", "no title")

    async def put_aside(*, retried: bool | None = None) -> tuple[int, datetime | None]:
        more = {} if retried is None else {"retried": retried}
        await store.put_batch(1, "jira", "all", [], [aside], advance_to=None, **more)
        [found] = await store.quarantine()
        return found.tries, found.next_try_at

    first = clock.now() + WAITS[0]
    assert await put_aside() == (0, first)
    clock.advance(60)
    assert await put_aside() == (0, first)
    assert await put_aside(retried=True) == (1, clock.now() + WAITS[1])


async def test_what_a_connector_keeps_is_kept_by_instance_and_key(store: Store) -> None:
    await store.put_kept("notion", {"columns": {"Delivery": "abc"}, "page": 50})
    await store.put_kept("jira", {"page": 100})
    await store.put_kept("notion", {"page": 25})
    assert await store.kept("notion") == {"columns": {"Delivery": "abc"}, "page": 25}
    await store.put_kept("notion", {"page": None})
    assert await store.kept("notion") == {"columns": {"Delivery": "abc"}}
    assert await store.kept("jira") == {"page": 100}


async def test_a_batch_larger_than_one_query_is_stored(store: Store) -> None:
    many = [record(f"jira:{n}", mentions=(Mention(f"ENG-{n}"),)) for n in range(1203)]
    assert (await put(store, 1, *many))[1] == 1203
    assert (await put(store, 1, *many))[2] == 1203
    assert len(await store.mentions_of([one.ref for one in many])) == 1203


@pytest.mark.parametrize("private", [True, False])
async def test_what_was_private_stays_so_when_it_leaves_the_scope(
    store: Store, private: bool
) -> None:
    await put(store, 1, record("jira:1", private=private))
    for feed in ("all", "other"):
        await put(store, 2, record("jira:1", title="", tombstone=OUT_OF_SCOPE), feed=feed)
        found = await store.record(ref("jira:1"))
        assert found is not None
        assert (found.tombstone, found.private) == (OUT_OF_SCOPE, private)
