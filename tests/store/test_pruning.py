"""Pruning: what is old goes, and what anything can still ask for stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from opsync.model import NOT_VISIBLE, Change, OutcomeKind, PairDecision, Ref
from opsync.model.ledger import Entry, HoldKind
from opsync.model.retention import Keep, Pruned
from opsync.model.undo import Back, Written, undo_of
from opsync.store import Store
from tests.store.build import (
    change,
    entry,
    evidence,
    member,
    names,
    outcome,
    prepared,
    put,
    record,
    ref,
    rollup,
    settle,
)
from tests.support.clock import FakeClock

DAY = 86_400
KEEP = Keep()


async def write(
    store: Store, clock: FakeClock, value: str | None, *, target: str = "jira:1", before: Any = None
) -> int:
    """One run that writes one value; returns its number."""
    run = await store.begin_run("sync")
    one: Change = change(target, value, f"{run}-c", before=before)
    kind = OutcomeKind.removed if value is None else OutcomeKind.updated
    if before is None:
        kind = OutcomeKind.created
    await store.begin_changes([one])
    done = outcome(kind, one.id, applied=value)
    await store.finish_changes(run, [(one, done)], clock.now())
    if value is None:
        await store.put_desired([entry(target)])
    await settle(store, run)
    return run


async def journal(store: Store) -> list[Any]:
    return [row.after for row in reversed(await store.journal(limit=1000))]


async def gone(store: Store, clock: FakeClock, *refs: str, why: str = "deleted") -> None:
    """These went away, long ago."""
    run = await store.begin_run("sync")
    await store.count_gone(run, {ref(one): why for one in refs})
    await settle(store, run)
    clock.advance(100 * DAY)


async def there(store: Store, *refs: str) -> list[str]:
    found = await store.records_of([ref(one) for one in refs])
    return [one for one in refs if ref(one) in found]


async def test_of_a_value_the_first_and_the_last_of_its_old_writes_stay(
    store: Store, clock: FakeClock
) -> None:
    values = ["a", "b", "c", "d"]
    for before, value in zip([None, *values], values, strict=False):
        await write(store, clock, value, before=before)
    clock.advance(401 * DAY)
    await write(store, clock, "e", before="d")

    assert (await store.prune(clock.now(), KEEP)).journal == 2

    assert await journal(store) == ["a", "d", "e"]
    # What stood before the newest write is still known as opsync's own.
    rows = await store.journal_of([ref("jira:1")])
    writes = [Written(row.seq, row.run, row.change, row.before, row.after) for row in rows]
    assert undo_of(writes, {rows[-1].seq}) == Back("d", "e", HoldKind.undone)


async def test_the_last_write_that_made_a_value_stays_for_it_says_since_when(
    store: Store, clock: FakeClock
) -> None:
    for before, value in [(None, "a"), ("a", None), (None, "b"), ("b", "c"), ("c", "d")]:
        await write(store, clock, value, before=before)
    clock.advance(401 * DAY)

    await store.prune(clock.now(), KEEP)

    kinds = [row.kind.value for row in reversed(await store.journal())]
    assert kinds == ["created", "created", "updated"]


async def test_what_a_rule_wrote_under_a_former_name_is_of_the_same_value(
    store: Store, clock: FakeClock
) -> None:
    for before, value in [(None, "a"), ("a", "b"), ("b", "c")]:
        await write(store, clock, value, before=before)
    [row] = await store.entries()
    renamed = msgspec.structs.replace(row.slot, rule="delivery")
    passed = msgspec.structs.replace(row, slot=renamed)
    await store.put_desired([passed, Entry(slot=row.slot)])
    assert [one.slot for one in await store.entries()] == [renamed]
    clock.advance(401 * DAY)

    assert (await store.prune(clock.now(), KEEP)).journal == 1

    assert await journal(store) == ["a", "c"]


async def test_writes_of_a_value_that_is_no_more_go_whole(store: Store, clock: FakeClock) -> None:
    await write(store, clock, "a")
    await write(store, clock, None, before="a")
    clock.advance(401 * DAY)

    assert (await store.prune(clock.now(), KEEP)).journal == 2

    assert await journal(store) == []


async def test_a_run_is_pruned_whole_or_not_at_all(store: Store, clock: FakeClock) -> None:
    run = await store.begin_run("sync")
    for number, target in enumerate(["jira:1", "jira:2"]):
        one = change(target, "a", f"c{number}")
        two = change(target, None, f"d{number}", before="a")
        await store.begin_changes([one])
        made, removed = outcome(OutcomeKind.created, one.id, applied="a"), OutcomeKind.removed
        await store.finish_changes(run, [(one, made)], clock.now())
        await store.begin_changes([two])
        await store.finish_changes(run, [(two, outcome(removed, two.id))], clock.now())
        await store.put_desired([entry(target)])
        clock.advance(10 * DAY)
    await settle(store, run)
    clock.advance(385 * DAY)

    assert (await store.prune(clock.now(), KEEP)).journal == 0


@pytest.mark.parametrize("days", [0, 1, 29])
async def test_nothing_that_was_written_within_thirty_days_is_pruned(
    store: Store, clock: FakeClock, days: int
) -> None:
    none = timedelta(0)
    await write(store, clock, "a")
    await write(store, clock, None, before="a")
    clock.advance(days * DAY)

    found = await store.prune(clock.now(), Keep(journal=none, gone=none, runs=none))

    assert found == Pruned()


async def test_what_nothing_names_any_more_is_forgotten_with_its_names(
    store: Store, clock: FakeClock
) -> None:
    run = await store.begin_run("sync")
    other = record("jira:9", aliases=("PAY-9",), mentions=(names("PAY-8"),), parents=("jira:2",))
    await put(store, run, other, record("jira:2", aliases=("PAY-2",)))
    await settle(store, run)
    await gone(store, clock, "jira:9")

    assert (await store.prune(clock.now(), KEEP)).gone == 1

    assert await there(store, "jira:9", "jira:2") == ["jira:2"]
    assert await store.find("PAY-9") == []
    # Once more as it was: its names are told anew.
    run = await store.begin_run("sync")
    await put(store, run, other)
    assert [one.ref for one in await store.find("PAY-9")] == [ref("jira:9")]


async def _named(store: Store, run: int) -> None:
    await put(store, run, record("notion:1", mentions=(names("PAY-9"),)))


async def _above(store: Store, run: int) -> None:
    await put(store, run, record("jira:3", parents=("jira:9",)))


async def _linked(store: Store, run: int) -> None:
    await store.put_links(run, [ref("notion:1")], [evidence("notion:1", "jira:9")])


async def _counted(store: Store, run: int) -> None:
    at = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
    await store.put_rollups(run, [(rollup("notion:1"), [member("jira:9", "notion:1")])], at=at)


async def _decided(store: Store, run: int) -> None:
    at = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
    one, two = ref("jira:9"), ref("notion:1")
    pair = PairDecision(one=one, two=two, kind="related", verdict="rejected", by="ana", at=at)
    await store.decide([pair])


async def _written(store: Store, run: int) -> None:
    one = change("jira:9", "a")
    at = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
    await store.begin_changes([one])
    await store.finish_changes(run, [(one, outcome(OutcomeKind.created, applied="a"))], at)


async def _private(store: Store, run: int) -> None:
    await put(store, run, record("jira:9", private=True))


@pytest.mark.parametrize(
    "tie",
    [_named, _above, _linked, _counted, _decided, _written, _private],
    ids=lambda f: f.__name__,
)
async def test_what_is_gone_stays_while_anything_leads_to_it(
    store: Store, clock: FakeClock, tie: Any
) -> None:
    run = await store.begin_run("sync")
    await put(store, run, record("jira:9", aliases=("PAY-9",)))
    await put(store, run, record("notion:1"))
    await tie(store, run)
    await settle(store, run)
    await gone(store, clock, "jira:9")

    assert (await store.prune(clock.now(), KEEP)).gone == 0
    assert await there(store, "jira:9") == ["jira:9"]


async def test_what_is_there_archived_or_only_not_visible_is_never_pruned(
    store: Store, clock: FakeClock
) -> None:
    run = await store.begin_run("sync")
    await put(store, run, record("jira:1"), record("jira:2"), record("jira:3"))
    await settle(store, run)
    await gone(store, clock, "jira:2", why=NOT_VISIBLE)
    await gone(store, clock, "jira:3", why="archived")
    clock.advance(1000 * DAY)

    assert (await store.prune(clock.now(), KEEP)).gone == 0


async def test_what_came_back_between_counting_and_forgetting_stays(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await store.begin_run("sync")
    await put(store, run, record("jira:9"))
    await settle(store, run)
    await gone(store, clock, "jira:9")
    each = store._each

    async def back(forget: Any, found: list[Any]) -> int:
        if found and isinstance(found[0], str):
            await put(store, await store.begin_run("sync"), record("jira:9"))
        return await each(forget, found)

    monkeypatch.setattr(store, "_each", back)

    assert (await store.prune(clock.now(), KEEP)).gone == 0
    assert await there(store, "jira:9") == ["jira:9"]


async def test_runs_that_wrote_nothing_go_but_for_the_last_ones_and_an_open_one(
    store: Store, clock: FakeClock
) -> None:
    wrote = await write(store, clock, "a")
    for _ in range(60):
        await settle(store, await store.begin_run("sync"))
    clock.advance(31 * DAY)
    await store.begin_run("sync")
    clock.advance(31 * DAY)

    assert (await store.prune(clock.now(), KEEP)).runs == 11

    kept = [one.seq for one in await store.last_runs(1000)]
    assert kept == [*range(62, 12, -1), wrote]


async def test_the_run_in_which_something_went_away_stays_and_says_since_when(
    store: Store, clock: FakeClock
) -> None:
    run = await store.begin_run("sync")
    await put(store, run, record("jira:9", private=True))
    await settle(store, run)
    since = clock.now()
    await gone(store, clock, "jira:9")
    for _ in range(60):
        await settle(store, await store.begin_run("sync"))
    clock.advance(100 * DAY)

    assert (await store.prune(clock.now(), KEEP)).runs > 0

    assert await store.gone_since([ref("jira:9")]) == {ref("jira:9"): since}


async def test_old_numbers_of_a_summary_are_kept_once_a_day(store: Store, clock: FakeClock) -> None:
    for done in range(6):
        run = await store.begin_run("sync")
        await store.put_rollups(run, [(rollup("notion:1", done=done, total=9), [])], at=clock.now())
        await settle(store, run)
        clock.advance(DAY / 3)
    clock.advance(401 * DAY)
    before = await store.history("roadmap", ref("notion:1"))

    assert (await store.prune(clock.now(), KEEP)).history == 3

    after = await store.history("roadmap", ref("notion:1"))
    last = {one.at.date(): one for one in before}
    assert after == list(last.values())


async def test_counting_alone_changes_nothing_and_counts_the_same(
    store: Store, clock: FakeClock
) -> None:
    await write(store, clock, "a")
    await write(store, clock, None, before="a")
    run = await store.begin_run("sync")
    await put(store, run, record("jira:9"))
    await settle(store, run)
    await gone(store, clock, "jira:9")
    for _ in range(60):
        await settle(store, await store.begin_run("sync"))
    clock.advance(401 * DAY)

    counted = await store.prune(clock.now(), KEEP, dry=True)

    assert counted.journal == 2
    assert await there(store, "jira:9") == ["jira:9"]
    # With what is gone, its run goes in the next one; with its writes, theirs.
    done = await store.prune(clock.now(), KEEP)
    assert (done.journal, done.gone) == (counted.journal, counted.gone) == (2, 1)
    assert done.runs > counted.runs
    assert await store.prune(clock.now(), KEEP) == Pruned()


async def test_more_than_one_piece_is_pruned_piece_by_piece(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsync.store.pruning.AT_ONCE", 2)
    run = await store.begin_run("sync")
    many = [record(f"jira:{number}") for number in range(5)]
    await store.put_batch(run, "jira", "all", [prepared(one) for one in many], [], advance_to=None)
    await settle(store, run)
    await gone(store, clock, *(f"jira:{number}" for number in range(5)))

    assert (await store.prune(clock.now(), KEEP)).gone == 5
    assert await store.records_of([Ref("jira", "issue", "3")]) == {}
