"""Slots: desired, intended, applied, observed, held."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
import pytest

from opsync.model import OutcomeKind, Slot, Verb
from opsync.model.aside import RETRIES
from opsync.model.ledger import LET_BE, Entry, Hold, HoldKind, as_before, is_put_back, plain, stored
from opsync.store import AsideCount, Store
from tests.store.build import change, entry, outcome, ref, slot

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
HOLD = Hold(HoldKind.undone, "Ana", NOW, "abc", "not now")


async def at(store: Store, target: str) -> Entry:
    found = await store.entry(slot(target))
    assert found is not None
    return found


async def written(store: Store, target: str, value: str, **values: str) -> None:
    one = change(target, value)
    await store.put_desired([entry(target, value)])
    await store.begin_changes([one])
    done = outcome(OutcomeKind.created, applied=value, **values)
    await store.finish_changes(1, [(one, done)], NOW)


async def test_a_slot_comes_back_as_it_was_put(store: Store) -> None:
    full = entry(
        "jira:1",
        {"title": "x", "icon": None},
        applied=stored("old"),
        remote_id="77",
        observed=stored(None),
        observed_at=NOW,
        intent=stored(None),
        hold=HOLD,
        outcome="failed",
        message="503",
        attempts=2,
        next_try_at=LATER,
        reason="linked",
        evidence=("notion:1 names PAY-1",),
        inputs={"notion:page:1": "v1"},
    )
    await store.put_desired([full])
    assert await at(store, "jira:1") == full
    assert await store.entry(slot("jira:2")) is None


async def test_never_observed_and_nothing_there_are_told_apart(store: Store) -> None:
    there = entry("jira:2", "x", observed=stored(None), observed_at=NOW)
    await store.put_desired([entry("jira:1", "x"), there])
    assert (await at(store, "jira:1")).observed is None
    assert (await at(store, "jira:2")).observed == stored(None)


@pytest.mark.parametrize(
    "kept",
    [entry("jira:1", "x"), entry("jira:1", applied=stored("x")), entry("jira:1", hold=HOLD)],
    ids=["desired", "applied", "held"],
)
async def test_a_slot_is_forgotten_when_nothing_is_left_of_it(store: Store, kept: Entry) -> None:
    await store.put_desired([kept])
    assert await store.entry(slot("jira:1")) == kept
    await store.put_desired([entry("jira:1")], before=[kept])
    assert await store.entry(slot("jira:1")) is None


async def test_an_intent_is_there_from_before_the_request_until_its_outcome(store: Store) -> None:
    one = change("jira:1", "x", reason="linked", evidence=("why",), inputs={"a:b:c": "1"})
    await store.begin_changes([one])
    begun = await at(store, "jira:1")
    assert begun.intent == stored("x")
    assert begun.pending
    assert (begun.reason, begun.evidence, begun.inputs) == ("linked", ("why",), {"a:b:c": "1"})
    assert await store.targets_pending(NOW) == [ref("jira:1")]
    done = outcome(OutcomeKind.created, applied="x", remote_id="77")
    await store.finish_changes(1, [(one, done)], NOW)
    after = await at(store, "jira:1")
    assert (after.intent, after.remote_id, after.outcome) == (None, "77", "created")
    assert plain(after.applied) == plain(after.observed) == "x"
    assert after.observed_at == NOW
    assert not after.pending


async def test_the_intent_of_a_removal_is_not_no_intent(store: Store) -> None:
    await written(store, "jira:1", "x")
    await store.put_desired(
        [msgspec.structs.replace(await at(store, "jira:1"), desired=stored(None))]
    )
    await store.begin_changes([change("jira:1", None)])
    assert (await at(store, "jira:1")).intent == stored(None)


async def test_a_slot_that_was_removed_is_forgotten(store: Store) -> None:
    await written(store, "jira:1", "x", remote_id="77")
    await store.put_desired(
        [msgspec.structs.replace(await at(store, "jira:1"), desired=stored(None))]
    )
    gone = change("jira:1", None, "c2")
    await store.begin_changes([gone])
    await store.finish_changes(1, [(gone, outcome(OutcomeKind.removed, "c2"))], NOW)
    assert await store.entry(slot("jira:1")) is None


async def test_what_the_vendor_answered_is_applied_not_what_was_asked_for(store: Store) -> None:
    one = change("jira:1", "x ")
    await store.begin_changes([one])
    await store.finish_changes(1, [(one, outcome(OutcomeKind.updated, applied="x"))], NOW)
    assert plain((await at(store, "jira:1")).applied) == "x"


async def test_an_unknown_outcome_keeps_the_intent(store: Store) -> None:
    one = change("jira:1", "x")
    await store.begin_changes([one])
    lost = outcome(OutcomeKind.failed, unknown=True, message="connection reset")
    await store.finish_changes(1, [(one, lost)], NOW)
    after = await at(store, "jira:1")
    assert (after.intent, after.message) == (stored("x"), "connection reset")
    assert after.applied == stored(None)


async def test_a_refusal_does_not_settle_what_an_earlier_write_began(store: Store) -> None:
    first = change("jira:1", "x")
    await store.begin_changes([first])
    await store.finish_changes(1, [(first, outcome(OutcomeKind.failed, unknown=True))], NOW)
    again = msgspec.structs.replace(first, interrupted=True)
    await store.begin_changes([again])
    refused = outcome(OutcomeKind.failed, retryable=False)
    await store.finish_changes(2, [(again, refused)], NOW)
    assert (await at(store, "jira:1")).intent == stored("x")
    await store.begin_changes([again])
    await store.finish_changes(3, [(again, outcome(OutcomeKind.created, applied="x"))], NOW)
    assert (await at(store, "jira:1")).intent is None


async def test_failures_in_a_row_wait_longer_each_time_up_to_six_hours(store: Store) -> None:
    waits = []
    for _ in range(11):
        one = change("jira:1", "x")
        await store.begin_changes([one])
        await store.finish_changes(1, [(one, outcome(OutcomeKind.failed))], NOW)
        after = await at(store, "jira:1")
        assert after.next_try_at is not None
        waits.append((after.next_try_at - NOW).total_seconds())
    assert waits[:4] == [60, 120, 240, 480]
    assert waits[-1] == 6 * 3600
    assert (await at(store, "jira:1")).attempts == 11


async def test_what_was_skipped_waits_for_another_value_or_another_sight(store: Store) -> None:
    one = change("jira:1", "x")
    await store.begin_changes([one])
    await store.finish_changes(1, [(one, outcome(OutcomeKind.skipped))], NOW)
    same = await at(store, "jira:1")
    assert same.intent is None
    await store.put_desired([same])
    assert await store.targets_pending(LATER) == []
    fresh = {"outcome": ""}
    await store.put_desired([msgspec.structs.replace(same, observed=stored("y"), **fresh)])
    assert await store.targets_pending(LATER) == [ref("jira:1")]


async def refuse(store: Store, target: str, at_: datetime = NOW) -> None:
    one = change(target, "x")
    await store.begin_changes([one])
    refused = outcome(OutcomeKind.failed, retryable=False)
    await store.finish_changes(1, [(one, refused)], at_)


async def test_what_was_refused_is_tried_again_with_growing_waits(store: Store) -> None:
    waits = []
    for _ in range(7):
        await refuse(store, "jira:1")
        after = await at(store, "jira:1")
        assert after.next_try_at is not None
        waits.append((after.next_try_at - NOW).total_seconds() / 60)
        await store.put_desired([after])
        assert await store.targets_pending(after.next_try_at - timedelta(seconds=1)) == []
        assert await store.targets_pending(after.next_try_at) == [ref("jira:1")]
    assert waits == [5, 30, 120, 720, 1440, 1440, 1440]


async def test_what_was_refused_and_waits_for_approval_by_now_is_planned_each_time(
    store: Store,
) -> None:
    await refuse(store, "jira:1")
    after = await at(store, "jira:1")
    proposed = msgspec.structs.replace(after, outcome="", message="", attempts=0, next_try_at=None)
    for _ in range(2):
        await store.put_desired([proposed])
        assert await store.targets_pending(LATER) == [ref("jira:1")]


async def test_what_was_refused_is_tried_at_once_when_something_else_stands_there(
    store: Store,
) -> None:
    await refuse(store, "jira:1")
    same = await at(store, "jira:1")
    await store.put_desired([msgspec.structs.replace(same, observed=stored("y"))])
    assert await store.targets_pending(NOW) == [ref("jira:1")]


async def test_of_what_was_refused_only_so_much_is_due_in_one_run(store: Store) -> None:
    for number in range(RETRIES + 5):
        await refuse(store, f"jira:{number}", NOW - timedelta(minutes=number))
    due = await store.targets_pending(LATER)
    assert len(due) == RETRIES
    assert ref(f"jira:{RETRIES + 4}") in due, "what has waited longest comes first"
    assert len(await store.targets_pending(LATER, every=True)) == RETRIES + 5


async def test_since_when_a_write_fails_is_kept_until_it_succeeds(store: Store) -> None:
    await refuse(store, "jira:1")
    await refuse(store, "jira:1", LATER)
    [failed] = await store.failed_writes()
    assert (failed.since, failed.refused, failed.entry.attempts) == (NOW, True, 2)
    one = change("jira:1", "x")
    await store.begin_changes([one])
    done = outcome(OutcomeKind.created, applied="x")
    await store.finish_changes(1, [(one, done)], LATER)
    assert await store.failed_writes() == []
    other = change("jira:1", "y")
    await store.put_desired([entry("jira:1", "y", applied=stored("x"))])
    await store.begin_changes([other])
    await store.finish_changes(2, [(other, outcome(OutcomeKind.failed))], LATER)
    [failed] = await store.failed_writes()
    assert (failed.since, failed.refused) == (LATER, False)


async def test_what_could_not_be_written_over_an_edit_is_set_aside_as_well(store: Store) -> None:
    hold = Hold(HoldKind.conflict, "a person", NOW)
    found = entry("jira:1", "x", applied=stored("w"), hold=hold, outcome="conflicted")
    await store.put_desired([found])
    assert (await store.failed_writes(), await store.aside_counts()) == ([], {})
    over = change("jira:1", "x", over_edit=True)
    for when in (NOW, LATER):
        await store.begin_changes([over])
        await store.finish_changes(1, [(over, outcome(OutcomeKind.failed, message="full"))], when)
    [failed] = await store.failed_writes()
    assert (failed.since, failed.entry.attempts, failed.entry.message) == (NOW, 2, "full")
    assert await store.aside_counts() == {"jira": AsideCount(0, 1, NOW)}

    await store.try_now([], [over.slot])
    assert (await at(store, "jira:1")).next_try_at is None


async def test_what_a_person_edited_is_looked_at_in_every_pass(store: Store) -> None:
    one = change("jira:1", "x")
    await store.begin_changes([one])
    await store.finish_changes(1, [(one, outcome(OutcomeKind.conflicted))], NOW)
    assert await store.targets_pending(NOW) == [ref("jira:1")]
    known = await at(store, "jira:1")
    settled = msgspec.structs.replace(known, outcome="", applied=stored("x"))
    await store.put_desired([settled], before=[known])
    assert await store.targets_pending(NOW) == []


async def test_a_new_value_is_tried_at_once(store: Store) -> None:
    one = change("jira:1", "x")
    await store.begin_changes([one])
    await store.finish_changes(1, [(one, outcome(OutcomeKind.failed))], NOW)
    waiting = await at(store, "jira:1")
    await store.put_desired([waiting])
    assert await store.targets_pending(NOW) == []
    await store.put_desired([msgspec.structs.replace(waiting, desired=stored("y"))])
    assert await store.targets_pending(NOW) == [ref("jira:1")]
    assert (await at(store, "jira:1")).attempts == 0


async def test_a_held_slot_is_pending_and_not_tried(store: Store) -> None:
    await store.put_desired([entry("jira:1", "x", hold=HOLD)])
    assert await store.targets_pending(NOW) == []
    assert await store.targets_pending(NOW, every=True) == [ref("jira:1")]
    counts = await store.counts()
    assert (counts["slots"], counts["pending"], counts["held"]) == (1, 1, 1)


async def test_a_slot_that_was_only_held_is_forgotten_with_its_hold(store: Store) -> None:
    one, two = entry("jira:1").slot, entry("jira:2", "x")
    await store.put_desired([two])
    await store.hold_slots({one: HOLD, two.slot: HOLD})
    await store.hold_slots({one: None, two.slot: None})
    assert [row.slot for row in await store.entries()] == [two.slot]


async def test_what_waits_is_counted_by_why(store: Store) -> None:
    kinds = (HoldKind.conflict, HoldKind.removed, HoldKind.undone, HoldKind.refused)
    holds = [*(Hold(kind, "a person", NOW) for kind in kinds), None]
    rows = [entry(f"jira:{number}", "x", hold=hold) for number, hold in enumerate(holds)]
    await store.put_desired(rows)
    assert await store.waiting() == {
        "edited": 1,
        "removed": 1,
        "settled": 2,
        "changes": 1,
    }


async def test_an_intent_is_looked_at_even_where_the_slot_is_held(store: Store) -> None:
    await store.put_desired([entry("jira:1", "x", hold=HOLD, intent=stored("x"))])
    assert await store.targets_pending(NOW) == [ref("jira:1")]


@pytest.mark.parametrize(
    "one",
    [
        entry("jira:1", "x"),
        entry("jira:1", "x", applied=stored("x")),
        entry("jira:1", "x", outcome="skipped"),
        entry("jira:1", "x", applied=stored("x"), intent=stored(None)),
    ],
)
async def test_the_store_and_the_entry_agree_on_what_is_pending(store: Store, one: Entry) -> None:
    await store.put_desired([one])
    assert bool(await store.targets_pending(NOW, every=True)) is one.pending


async def test_entries_are_found_by_target_instance_and_hold(store: Store) -> None:
    held = entry("jira:2", "y", hold=HOLD)
    await store.put_desired([entry("jira:1", "x"), held, entry("linear:1", "z")])
    assert len(await store.entries()) == 3
    assert len(await store.entries(limit=2)) == 2
    assert await store.entries(target=ref("jira:2")) == [held]
    assert [plain(one.desired) for one in await store.entries(instance="linear")] == ["z"]
    assert await store.entries(target=ref("jira:2"), other=held.slot.other) == [held]
    assert await store.entries(other=ref("jira:404")) == []
    assert await store.entries(held=True) == [held]
    assert len(await store.entries(held=False)) == 2
    assert await store.entries(held=HoldKind.undone) == [held]
    assert await store.entries(held=HoldKind.conflict) == []


async def test_the_ids_of_what_opsync_wrote_are_known_by_target(store: Store) -> None:
    await written(store, "jira:1", "x", remote_id="77")
    await written(store, "jira:2", "x", remote_id="78")
    await store.put_desired([entry("jira:3", "x")])
    assert await store.owned_ids("jira", [ref("jira:1"), ref("jira:3")]) == {"77"}
    assert await store.owned_ids("linear", [ref("jira:1")]) == set()


async def test_nothing_is_asked_for_at_a_target_that_is_gone(store: Store) -> None:
    await store.put_desired([entry("jira:1", "x"), entry("jira:2", "x")])
    await store.rest_target(ref("jira:1"))
    assert [one.slot.target for one in await store.entries()] == [ref("jira:2")]


async def test_what_stands_at_a_target_that_is_gone_stays_opsyncs(store: Store) -> None:
    await written(store, "jira:1", "x", remote_id="77")
    undone = Entry(slot=Slot(ref("jira:1"), "link", "links", ref("linear:9")), hold=HOLD)
    await store.put_desired([undone])
    before = await store.entries()
    await store.rest_target(ref("jira:1"))
    kept = await store.entries()
    assert [(one.applied, one.remote_id, one.hold) for one in kept] == [
        (one.applied, one.remote_id, one.hold) for one in before
    ]
    assert await store.targets_pending(NOW, every=True) == []


async def test_a_write_that_broke_off_at_a_target_that_is_gone_is_looked_at_once_it_is_back(
    store: Store,
) -> None:
    """It may have happened: nobody else would take it away."""
    await store.put_desired([entry("jira:1", "x")])
    await store.begin_changes([change("jira:1", "x")])
    await store.rest_target(ref("jira:1"))
    (kept,) = await store.entries()
    assert (kept.intent, kept.desired, kept.pending) == (stored("x"), stored(None), True)


async def test_the_journal_explains_each_write_newest_first(store: Store) -> None:
    await written(store, "jira:1", "x", remote_id="77")
    two = change(
        "jira:2", "y", "c2", before="old", reason="linked", evidence=("why",), inputs={"a": "1"}
    )
    await store.begin_changes([two])
    failed = outcome(OutcomeKind.failed, "c2", message="503", request_id="r-1")
    await store.finish_changes(2, [(two, failed)], LATER)
    first, second = await store.journal()
    assert (first.run, first.at, first.change, first.slot) == (2, LATER, "c2", slot("jira:2"))
    assert (first.verb, first.kind, first.message) == (Verb.create, OutcomeKind.failed, "503")
    assert (first.before, first.desired, first.after) == ("old", "y", None)
    assert (first.reason, first.evidence, first.inputs) == ("linked", ("why",), {"a": "1"})
    assert first.request_id == "r-1"
    assert (second.after, second.remote_id) == ("x", "77")
    assert await store.journal(run=1) == [second]
    assert await store.journal(target=ref("jira:2")) == [first]
    assert await store.journal(limit=1) == [first]


async def test_the_journal_of_an_item_has_what_is_told_of_it_elsewhere(store: Store) -> None:
    await written(store, "posthog:1", "shipped", remote_id="7")
    (row,) = await store.journal()
    about, project = row.slot.other, row.slot.target
    assert await store.journal(target=about) == []
    assert await store.journal(target=about, told_in=[project]) == [row]
    assert await store.journal(target=project, other=about) == [row]
    assert await store.journal(target=project, other=project) == []


async def test_a_hold_is_put_on_a_slot_and_taken_away_without_touching_the_rest(
    store: Store,
) -> None:
    row = entry("jira:1", "new", applied=stored("old"), asked=stored("old"))
    await store.put_desired([row])
    hold = Hold(HoldKind.undone, "ana", NOW)
    await store.hold_slots({slot("jira:1"): hold, slot("jira:2"): hold})
    kept = await store.entry(slot("jira:1"))
    assert kept == msgspec.structs.replace(row, hold=hold)
    assert [one.slot for one in await store.entries(held=HoldKind.undone)] == [
        slot("jira:1"),
        slot("jira:2"),
    ]
    await store.hold_slots({slot("jira:1"): None})
    assert await store.entry(slot("jira:1")) == row


async def test_what_a_person_settled_is_kept_whole_and_what_is_empty_is_forgotten(
    store: Store,
) -> None:
    await store.put_desired([entry("jira:1", "new", attempts=3), entry("jira:2", "new")])
    settled = entry("jira:1", "theirs", applied=stored("theirs"), remote_id="r")
    await store.settle([settled, entry("jira:2")])
    assert await store.entry(slot("jira:1")) == settled
    assert await store.entry(slot("jira:2")) is None


async def test_what_opsync_has_is_counted_by_instance(store: Store) -> None:
    rows = [entry(f"jira:{n}", "x", applied=stored("x")) for n in range(2)]
    await store.put_desired([*rows, entry("linear:1", "x", applied=stored("x"))])
    await store.put_desired([entry("notion:9", "x")])
    assert await store.owned_counts() == {"jira": 2, "linear": 1}


async def test_what_was_left_to_people_is_not_counted_as_opsyncs(store: Store) -> None:
    kinds = [
        HoldKind.released,
        HoldKind.theirs,
        HoldKind.removed,
        HoldKind.conflict,
        HoldKind.undone,
    ]
    held = [
        entry(f"jira:{n}", "x", applied=stored("x"), hold=Hold(kind, "ana", NOW))
        for n, kind in enumerate(kinds)
    ]
    await store.put_desired(held)
    assert await store.owned_counts() == {"jira": 2}
    begun = Hold(HoldKind.released, "ana", NOW, begun=4)
    await store.put_desired(
        [
            entry("jira:8", "x", applied=stored("x"), hold=begun),
            entry("linear:1", "x", intent=stored("x")),
        ]
    )
    assert await store.owned_counts() == {"jira": 3, "linear": 1}


async def test_of_a_target_that_is_gone_what_a_person_decided_stays(store: Store) -> None:
    undone = Hold(HoldKind.undone, "ana", NOW)
    conflict = Hold(HoldKind.conflict, "a person", NOW)
    await store.put_desired(
        [
            entry("jira:1", "x", applied=stored("x"), remote_id="r", hold=undone),
            Entry(slot=slot("jira:1", surface="rollup"), desired=stored("y"), hold=conflict),
            entry("jira:2", "x"),
        ],
    )
    await store.rest_target(ref("jira:1"))
    kept = entry("jira:1", "x", applied=stored("x"), remote_id="r", hold=undone)
    assert await store.entries() == [kept, entry("jira:2", "x")]


@pytest.mark.parametrize("kind", list(HoldKind))
def test_what_was_given_up_is_not_opsyncs_any_more(kind: HoldKind) -> None:
    given_up = kind in {HoldKind.theirs, HoldKind.released, HoldKind.removed}
    row = entry("jira:1", "x", applied=stored("x"))
    assert row.owned
    assert not entry("jira:1", "x").owned
    assert entry("jira:1", "x", intent=stored("x")).owned, "it may stand there"
    assert msgspec.structs.replace(row, intent=stored(None)).owned, "it may stand there still"
    assert msgspec.structs.replace(row, hold=Hold(kind, "ana", NOW)).owned is not given_up
    begun = Hold(kind, "ana", NOW, begun=2)
    unknown = entry("jira:1", "x", intent=stored("x"), hold=Hold(kind, "ana", NOW))
    assert unknown.owned is not given_up
    assert msgspec.structs.replace(row, hold=begun).owned, "it stands there until it is gone"


BEGUN = Hold(HoldKind.released, "Ana", NOW, note="released", begun=7, over=HOLD, unsure='"w"')


@pytest.mark.parametrize(
    ("settles", "hold"),
    [("held", Hold(HoldKind.released, "Ana", NOW, note="released")), ("free", None), ("", BEGUN)],
)
@pytest.mark.parametrize("kind", [OutcomeKind.updated, OutcomeKind.unchanged])
async def test_what_becomes_of_a_hold_is_kept_with_the_outcome_of_its_write(
    store: Store, settles: Literal["", "held", "free"], hold: Hold | None, kind: OutcomeKind
) -> None:
    await store.put_desired([entry("jira:1", "x", hold=BEGUN)])
    assert (await at(store, "jira:1")).hold == BEGUN
    one = msgspec.structs.replace(change("jira:1", "x"), settles=settles)
    await store.begin_changes([one])
    assert (await at(store, "jira:1")).hold == BEGUN
    await store.finish_changes(7, [(one, outcome(kind, applied="x"))], NOW)
    assert (await at(store, "jira:1")).hold == hold


@pytest.mark.parametrize("kind", [OutcomeKind.failed, OutcomeKind.conflicted])
async def test_what_was_not_written_is_held_as_it_was_begun(
    store: Store, kind: OutcomeKind
) -> None:
    await store.put_desired([entry("jira:1", "x", hold=BEGUN)])
    one = msgspec.structs.replace(change("jira:1", "x"), settles="free")
    await store.finish_changes(7, [(one, outcome(kind))], NOW)
    assert (await at(store, "jira:1")).hold == BEGUN


async def test_what_a_run_began_is_given_back_as_it_was(store: Store) -> None:
    other = msgspec.structs.replace(BEGUN, begun=8)
    nothing = msgspec.structs.replace(BEGUN, over=None, unsure=None)
    kept = [
        entry("jira:1", "x", applied=stored("x"), hold=BEGUN),
        entry("jira:2", "x", applied=stored("x"), hold=other),
        entry("jira:3", "x", applied=stored("x"), hold=HOLD),
        entry("jira:4", hold=nothing),
        entry("jira:5", "x", hold=nothing),
    ]
    await store.put_desired(kept)
    await store.give_back({7, 9})
    assert [(one.slot.target.id, one.hold) for one in await store.entries()] == [
        ("1", HOLD),
        ("2", other),
        ("3", HOLD),
        ("5", None),
    ]
    assert (await at(store, "jira:1")).applied == stored("x")


@pytest.mark.parametrize(
    ("intent", "made", "after"),
    [
        (None, '"w"', "w"),
        # What was begun was to put back what stood there before: that is known besides.
        ("x", '"w"', "w"),
        ("v", '"w"', "v"),
        ("v", None, "v"),
        (None, None, None),
    ],
)
async def test_what_may_stand_there_is_not_forgotten_by_what_was_begun_over_it(
    store: Store, intent: str | None, made: str | None, after: str | None
) -> None:
    hold = msgspec.structs.replace(BEGUN, over=None, unsure=made)
    row = entry("jira:1", "x", applied=stored("x"), hold=hold)
    row = msgspec.structs.replace(row, intent=None if intent is None else stored(intent))
    await store.put_desired([row])
    await store.give_back({7})
    found = await at(store, "jira:1")
    assert found == as_before(row)
    assert (found.hold, found.intent) == (None, None if after is None else stored(after))
    assert as_before(found) == found


async def test_what_a_person_gave_up_is_theirs_until_it_is_written_over(store: Store) -> None:
    row = entry("jira:1", "new", applied=stored("mine"), asked=stored("mine"), ceded=True)
    await store.put_desired([row])
    await store.rest_target(ref("jira:1"))
    for one in (row, await at(store, "jira:1")):
        assert (one.ceded, one.owned, one.pending or one.desired == one.applied) == (
            True,
            False,
            True,
        )
    write = change("jira:1", "new")
    await store.begin_changes([write])
    await store.finish_changes(1, [(write, outcome(OutcomeKind.failed))], NOW)
    assert (await at(store, "jira:1")).ceded
    await store.finish_changes(1, [(write, outcome(OutcomeKind.updated, applied="new"))], NOW)
    found = await at(store, "jira:1")
    assert (found.ceded, found.owned) == (False, True)


async def test_the_journal_tells_whose_a_value_was_and_what_had_been_decided(store: Store) -> None:
    await store.put_desired([entry("jira:2", "x", hold=BEGUN)])
    writes = [
        change("jira:1", "x", before="mine", theirs=True),
        change("jira:2", "x", settles="held"),
        change("jira:3", "x"),
    ]
    for one in writes:
        await store.finish_changes(1, [(one, outcome(OutcomeKind.updated, applied="x"))], NOW)
    rows = await store.journal_of([ref("jira:1"), ref("jira:2"), ref("jira:3")])
    assert [(row.theirs, row.over) for row in rows] == [
        (True, None),
        (False, HOLD),
        (False, None),
    ]


@pytest.mark.parametrize("settles", ["held", "free"])
async def test_what_is_taken_back_where_nothing_is_held_is_kept_as_well(
    store: Store, settles: Literal["held", "free"]
) -> None:
    one = change("jira:1", "x", settles=settles)
    await store.finish_changes(1, [(one, outcome(OutcomeKind.updated, applied="x"))], NOW)
    [row] = await store.journal_of([ref("jira:1")])
    assert (row.theirs, row.over) == (False, None)


@pytest.mark.parametrize("kind", list(HoldKind))
@pytest.mark.parametrize("note", ["", "undo of run 3"])
def test_what_an_undo_holds_for_people_is_told_from_what_they_said(
    kind: HoldKind, note: str
) -> None:
    hold = Hold(kind, "ana", NOW, note=note)
    assert is_put_back(hold) is (kind is HoldKind.theirs and note != "")


@pytest.mark.parametrize("kind", list(HoldKind))
async def test_a_word_that_is_said_while_an_edit_is_written_over_stands(
    store: Store, kind: HoldKind
) -> None:
    hold = Hold(kind, "ana", NOW)
    one = change("jira:1", "x", over_edit=True)
    await store.put_desired([entry("jira:1", "x")])
    await store.begin_changes([one])
    await store.hold_slots({one.slot: hold})
    await store.finish_changes(1, [(one, outcome(OutcomeKind.updated, applied="x"))], NOW)
    assert (await at(store, "jira:1")).hold == (hold if kind in LET_BE else None)
