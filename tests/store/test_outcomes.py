"""What is kept of what came of writes, and of what a person settled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from opsync.model import OutcomeKind, Record, Seen
from opsync.model.approval import Approval
from opsync.model.ledger import CONFLICTED, Entry, Hold, HoldKind, digest, stored
from opsync.model.value import seen_hash, value_hash
from opsync.model.waiting import Waiting, WaitsFor, word
from opsync.store import Prepared, Store
from tests.store.build import change, entry, outcome, record, ref, settle, slot

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
REFUSED = outcome(OutcomeKind.failed, retryable=False, message="locked")


async def at(store: Store, target: str) -> Entry:
    found = await store.entry(slot(target))
    assert found is not None
    return found


# What came of a write


async def test_what_is_about_to_be_written_to_an_unknown_slot_has_its_remote_id(
    store: Store,
) -> None:
    await store.begin_changes([change("jira:1", "x", remote_id="77")])
    assert (await at(store, "jira:1")).remote_id == "77"


async def test_a_success_leaves_nothing_of_the_failures_before_it(store: Store) -> None:
    one = change("jira:1", "x")
    await store.begin_changes([one])
    await store.finish_changes(1, [(one, outcome(OutcomeKind.failed, message="503"))], NOW)
    await store.finish_changes(1, [(one, outcome(OutcomeKind.updated, applied="x"))], LATER)
    after = await at(store, "jira:1")
    assert (after.outcome, after.message, after.attempts, after.next_try_at) == (
        "updated",
        "",
        0,
        None,
    )


async def test_a_failure_over_a_persons_edit_leaves_the_edit_told(store: Store) -> None:
    one = change("jira:1", "x", over_edit=True)
    await store.begin_changes([one])
    await store.finish_changes(1, [(one, REFUSED)], NOW)
    after = await at(store, "jira:1")
    assert (after.outcome, after.message, after.attempts) == (CONFLICTED, "locked", 1)


async def test_what_is_wanted_by_now_is_due_once_the_write_before_it_is_done(store: Store) -> None:
    one = change("jira:1", "x")
    await store.put_desired([entry("jira:1", "y")])
    await store.begin_changes([one])
    await store.finish_changes(1, [(one, outcome(OutcomeKind.created, applied="x"))], NOW)
    assert await store.targets_pending(NOW) == [ref("jira:1")]


async def test_that_a_write_was_refused_is_known_until_another_is_planned(store: Store) -> None:
    one = change("jira:1", "x")
    await store.put_desired([entry("jira:1", "x")])
    await store.begin_changes([one])
    await store.finish_changes(1, [(one, REFUSED)], NOW)
    refused = await at(store, "jira:1")
    await store.put_desired([refused])
    [failed] = await store.failed_writes()
    assert (failed.since, failed.refused) == (NOW, True)

    given_up = {"outcome": "", "message": "", "attempts": 0, "next_try_at": None}
    await store.put_desired([msgspec.structs.replace(refused, **given_up)])
    await store.begin_changes([one])
    await store.finish_changes(4, [(one, REFUSED)], LATER)
    [failed] = await store.failed_writes()
    assert failed.since == LATER, "it did not fail in between"


@pytest.mark.parametrize("complete", [True, False])
async def test_what_stands_at_a_target_after_a_write_is_no_change_when_it_is_read(
    store: Store, complete: bool
) -> None:
    def read(*seen: Seen) -> list[Prepared]:
        found: list[Record] = [
            record("jira:1", seen=seen, seen_complete=complete),
            record("jira:2"),
        ]
        return [
            Prepared(
                one,
                value_hash(msgspec.structs.replace(one, seen=())),
                seen_hash(one.seen, complete=one.seen_complete),
            )
            for one in found
        ]

    run = await store.begin_run("sync")
    await store.put_desired([entry("jira:1", "x"), entry("jira:2", "x")])
    await store.put_batch(run, "jira", "all", read(), [], advance_to=None)
    await settle(store, run)
    there = Seen.of("link", "x", remote_id="77", ours=True)
    run = await store.begin_run("sync")
    await store.finish_changes(run, [], NOW, seen={ref("jira:1"): (there,)})
    records = [await store.record(ref(text)) for text in ("jira:1", "jira:2")]
    assert [one.seen for one in records if one is not None] == [(there,), ()]
    await store.put_batch(run, "jira", "all", read(there), [], advance_to=None)
    assert await store.targets_changed(run) == []


# What a person decided meanwhile

THEIRS = Hold(HoldKind.theirs, "ana", NOW)


async def test_what_a_person_left_alone_since_it_was_planned_does_not_leave(store: Store) -> None:
    let_be, goes = change("jira:1", "x"), change("jira:2", "x")
    taken_back = change("jira:3", "x", settles="held")
    await store.hold_slots({let_be.slot: THEIRS, taken_back.slot: THEIRS})
    assert await store.begin_changes([let_be, goes, taken_back]) == [goes, taken_back]
    assert [(await at(store, f"jira:{n}")).intent for n in (1, 2, 3)] == [
        None,
        stored("x"),
        stored("x"),
    ]
    assert await store.begin_changes([let_be]) == []
    assert await store.begin_changes([]) == []


async def test_what_opsync_holds_itself_may_leave(store: Store) -> None:
    one = change("jira:1", "x", over_edit=True)
    await store.hold_slots({one.slot: Hold(HoldKind.proposed, "a person", NOW)})
    assert await store.begin_changes([one]) == [one]


async def test_what_is_planned_from_before_a_persons_decision_does_not_undo_it(
    store: Store,
) -> None:
    decided = entry("jira:1", "old", applied=stored("old"), hold=THEIRS)
    await store.put_desired([decided])
    undone = msgspec.structs.replace(THEIRS, kind=HoldKind.undone)
    for hold in (None, undone):
        known = msgspec.structs.replace(decided, hold=hold)
        for late in (
            Entry(slot=decided.slot),
            msgspec.structs.replace(known, desired=stored("new")),
            msgspec.structs.replace(known, hold=None, intent=stored("new")),
        ):
            await store.put_desired([late, entry("jira:2", "x")], before=[known])
            assert await store.entries() == [decided, entry("jira:2", "x")]
            await store.put_desired([late])
    assert await at(store, "jira:1") == decided

    planned_since = msgspec.structs.replace(decided, desired=stored("new"))
    await store.put_desired([planned_since], before=[known, decided])
    assert await at(store, "jira:1") == planned_since
    await store.put_desired([Entry(slot=decided.slot)], before=[decided])
    assert await store.entry(decided.slot) is None, "another rule has its place by now"


@pytest.mark.parametrize(
    "found",
    [
        entry("jira:1", "new", hold=Hold(HoldKind.conflict, "a person", NOW)),
        entry("jira:1", "new", outcome="conflicted"),
    ],
    ids=["held", "found by the tool"],
)
async def test_nor_does_it_where_they_had_opsyncs_written(store: Store, found: Entry) -> None:
    """I6: the edit may be written over; the plan that was made before would hold it again."""
    await store.put_desired([found])
    ours = msgspec.structs.replace(found, hold=None, outcome="", applied=stored("theirs"))
    assert await store.settle([ours], before=[found])

    waits = {found.slot: Waiting(WaitsFor.approval, word("observe", "", rule=False))}
    late = msgspec.structs.replace(found, desired=stored("newer"), outcome="conflicted")
    for rows in ([], [late]):
        await store.put_desired(rows, waits, before=[found])
        assert await at(store, "jira:1") == ours
        assert await store.targets_pending(NOW, modes="observe") == [ref("jira:1")]


# What a person settled


async def test_what_a_person_settled_is_kept_with_its_approvals_if_it_is_as_they_saw_it(
    store: Store,
) -> None:
    seen = entry("jira:1", "new", applied=stored("old"), observed=stored("mine"))
    await store.put_desired([seen])
    settled = msgspec.structs.replace(seen, hold=Hold(HoldKind.theirs, "ana", NOW))
    given = Approval(scope=str(seen.slot), desired_hash=digest(stored("new")), by="ana", at=NOW)
    other = msgspec.structs.replace(seen, observed=stored("mine, too"))
    unknown = entry("jira:2", "new")
    for before in ([other], [seen, unknown]):
        kept = {"jira": {"word": True}}
        assert await store.settle([settled], [given], before=before, kept=kept) is False
        assert await store.entry(seen.slot) == seen
        assert await store.approvals() == []
        assert await store.kept("jira") == {}
    assert await store.settle([settled], [given], before=[seen], kept=kept) is True
    assert await store.entry(seen.slot) == settled
    assert await store.approvals() == [given]
    assert await store.kept("jira") == {"word": True}


# Finding them


async def test_as_many_as_asked_for_are_found_of_those_held_so(store: Store) -> None:
    holds = [Hold(kind, "ana", NOW) for kind in (HoldKind.theirs, HoldKind.undone)]
    rows = [entry(f"jira:{n}", "x", hold=hold) for n, hold in enumerate([*holds, *holds])]
    await store.put_desired(rows)
    assert await store.entries(held=HoldKind.undone, limit=1) == [rows[1]]


async def test_a_thousand_are_found_where_nothing_else_is_said(store: Store) -> None:
    await store.put_desired([entry(f"jira:{number}", "x") for number in range(1001)])
    assert len(await store.entries()) == 1000
