"""Planning where two things crossed: a crash and a person, a move and somebody else's link."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from opsync.model import Kind, Seen, Slot, Verb
from opsync.model.ledger import CONFLICTED, SKIPPED, Entry, Hold, HoldKind, digest, stored
from opsync.model.rules import HELD_FOR, Edits, Mode
from opsync.model.value import NOTHING
from opsync.stages.places import TAKEN, Want
from opsync.stages.plan import plan
from opsync.stages.slots import EDITED_BY
from tests.stages.test_plan import NOW, Board, at, entry, linked, planned, seen_target, slot

OLD, NEW = linked("https://a.example"), linked("https://b.example")
THEIRS = Seen.of("link", linked("https://b.example", "Ben's"), address="https://b.example")
OURS = Seen.of("link", OLD, address="https://a.example", remote_id="1", ours=True)


def test_a_link_does_not_move_to_where_somebody_else_has_linked() -> None:
    row = entry(OLD, surface="link", asked=stored(OLD), remote_id="1", observed=stored(OLD))
    want = Want(slot("link"), NEW)

    [change] = planned(seen_target(OURS, THEIRS), want, entries=[row]).changes
    assert (change.verb, change.remote_id, change.reason) == (Verb.remove, "1", TAKEN)

    result = planned(seen_target(THEIRS), want)
    assert result.changes == ()
    [skipped] = result.skipped
    assert skipped.message == TAKEN


def test_that_it_goes_instead_was_not_approved_with_its_move() -> None:
    row = entry(OLD, surface="link", remote_id="1")
    want = Want(slot("link"), NEW, mode=Mode.propose, approved=True)
    result = planned(seen_target(OURS, THEIRS), want, entries=[row])
    assert result.changes == ()
    assert [change.verb for change in result.proposed] == [Verb.remove]


def test_a_move_that_was_refused_takes_nothing_away() -> None:
    hold = Hold(HoldKind.refused, "ana", NOW, desired_hash=digest(stored(NEW)))
    row = entry(OLD, surface="link", remote_id="1", hold=hold)
    result = planned(seen_target(OURS, THEIRS), Want(slot("link"), NEW), entries=[row])
    assert result.changes == ()
    assert len(result.held) == 1


def test_a_link_moves_beside_somebody_elses_at_its_old_place() -> None:
    beside = Seen.of("link", linked("https://a.example", "Ben's"), address="https://a.example")
    row = entry(OLD, surface="link", remote_id="1")
    [change] = planned(seen_target(OURS, beside), Want(slot("link"), NEW), entries=[row]).changes
    assert (change.verb, change.desired) == (Verb.update, NEW)


def test_where_a_removal_was_interrupted_and_happened_somebody_elses_link_stays() -> None:
    row = entry(OLD, surface="link", desired=stored(None), intent=stored(None), remote_id="1")
    target = seen_target(THEIRS)
    result = planned(target, Want(slot("link"), NEW), entries=[row], seen=[THEIRS])
    assert result.changes == ()
    assert len(result.recovered) == 1
    [kept] = result.entries
    assert (kept.outcome, kept.applied, kept.remote_id, kept.intent) == (
        SKIPPED,
        stored(None),
        "",
        None,
    )


def test_a_write_after_a_settled_conflict_that_was_interrupted_is_written() -> None:
    here = Seen.of("text", "old", remote_id="p1")
    row = entry(
        "old",
        remote_id="p1",
        desired=stored("new"),
        intent=stored("new"),
        outcome="conflicted",
        observed=stored("old"),
    )
    result = planned(seen_target(here), Want(slot(), "new"), entries=[row], seen=[here])
    assert result.conflicts == ()
    [change] = result.changes
    assert (change.verb, change.interrupted) == (Verb.update, True)


def test_what_an_interrupted_move_left_twice_stays_open_until_one_is_gone() -> None:
    address = "https://a.example"
    value = linked(address, "new")
    row = entry(linked(address, "old"), surface="link", remote_id="0")
    row = Entry(slot=row.slot, desired=stored(value), intent=stored(value))
    both = [Seen.of("link", value, address=address, remote_id=id_, ours=True) for id_ in "12"]
    resting = {row.slot: at(23)}
    result = plan(
        seen_target(*both),
        [Want(row.slot, value)],
        [row],
        Board(),
        now=NOW,
        run=7,
        seen=both,
        resting=resting,
    )
    assert seen_target().kind is Kind.issue, "where values rest"
    assert result.recovered == ()
    [change] = result.changes
    assert change.interrupted


def test_an_interrupted_move_is_found_although_the_link_should_lead_elsewhere_by_now() -> None:
    row = entry(OLD, surface="remote", desired=stored(NEW), intent=stored(NEW), remote_id="1")
    moved = Seen.of("remote", NEW, address="https://b.example", remote_id="2", ours=True)
    want = Want(Slot(row.slot.target, "remote", row.slot.rule, row.slot.other), OLD)
    result = planned(seen_target(), want, entries=[row], seen=[moved])
    assert result.held == ()
    assert len(result.recovered) == 1
    [change] = result.changes
    assert (change.verb, change.remote_id, change.before) == (Verb.update, "2", NEW)


def test_an_interrupted_write_is_not_moved_on_to_where_somebody_else_has_linked() -> None:
    row = Entry(slot=slot("link"), desired=stored(NEW), intent=stored(NEW))
    begun = Seen.of("link", NEW, address="https://b.example", remote_id="2", ours=True)
    bens = Seen.of("link", linked("https://a.example", "Ben's"), address="https://a.example")
    found = planned(seen_target(), Want(slot("link"), OLD), entries=[row], seen=[begun, bens])
    assert [(one.verb, one.remote_id) for one in found.changes] == [(Verb.remove, "2")]


def test_an_interrupted_move_passes_to_the_rule_of_another_name_by_where_it_led() -> None:
    row = entry(OLD, surface="remote", desired=stored(NEW), intent=stored(NEW), remote_id="1")
    moved = Seen.of("remote", NEW, address="https://b.example", remote_id="2", ours=True)
    renamed = Slot(row.slot.target, "remote", "renamed", row.slot.other)
    result = planned(seen_target(), Want(renamed, NEW), entries=[row], seen=[moved])
    assert result.changes == ()
    rows = {one.slot: one for one in result.entries}
    assert (rows[renamed].applied, rows[renamed].remote_id) == (stored(NEW), "2")
    assert rows[row.slot] == Entry(slot=row.slot)


def test_nothing_is_removed_from_a_place_at_which_another_slot_has_begun_to_write() -> None:
    stays = entry(OLD, surface="link", desired=stored(None), remote_id="1", outcome="failed")
    renamed = Slot(stays.slot.target, "link", "renamed", stays.slot.other)
    begun = Entry(slot=renamed, desired=stored(NEW), intent=stored(NEW))
    result = planned(seen_target(), Want(renamed, OLD), entries=[stays, begun], seen=[OURS])
    assert result.changes == ()
    rows = {one.slot: one for one in result.entries}
    assert (rows[renamed].applied, rows[renamed].remote_id) == (stored(OLD), "1")
    left = rows[stays.slot]
    assert (left.desired, left.applied, left.intent, left.hold) == (NOTHING, NOTHING, None, None)


@pytest.mark.parametrize("known", ["written", "begun"])
def test_a_link_moves_back_to_an_edit_that_another_slots_row_holds_and_leaves_it(
    known: str,
) -> None:
    edit = linked("https://a.example", "mine")
    hold = Hold(HoldKind.conflict, "a person", NOW, desired_hash=digest(stored(None)))
    held = entry(OLD, surface="remote", desired=stored(None), remote_id="1", observed=stored(edit))
    held = replace(held, hold=hold, outcome=CONFLICTED, message=EDITED_BY)
    renamed = Slot(held.slot.target, "remote", "renamed", held.slot.other)
    moved = Entry(slot=renamed, desired=stored(NEW), intent=stored(NEW))
    if known == "written":
        moved = replace(moved, applied=stored(NEW), asked=stored(NEW), remote_id="2", intent=None)
    seen = [
        Seen.of("remote", edit, address="https://a.example", remote_id="1", ours=True),
        Seen.of("remote", NEW, address="https://b.example", remote_id="2", ours=True),
    ]
    want = Want(renamed, OLD, edits=Edits.propose)
    result = planned(seen_target(), want, entries=[held, moved], seen=seen)
    [change] = result.changes
    assert (change.slot, change.verb, change.remote_id) == (held.slot, Verb.remove, "2")
    [kept] = result.conflicts
    assert (kept.slot, kept.remote_id, kept.observed) == (renamed, "1", stored(edit))
    assert kept.hold is not None
    assert (kept.hold.at, kept.hold.until) == (NOW, NOW + HELD_FOR)


def test_where_another_slot_has_begun_to_write_only_what_a_person_did_passes_to_it() -> None:
    old = entry(OLD, surface="link", desired=stored(None), remote_id="1", outcome="failed")
    renamed = Slot(old.slot.target, "link", "renamed", old.slot.other)
    begun = Entry(slot=renamed, desired=stored(OLD), intent=stored(OLD))
    want = Want(renamed, OLD)
    found = planned(seen_target(), want, entries=[old, begun], seen=[OURS])
    assert (found.changes, len(found.recovered)) == ((), 1)
    assert Entry(slot=old.slot) in found.entries

    edit = linked("https://a.example", "mine")
    hold = Hold(HoldKind.conflict, "a person", NOW, desired_hash=digest(stored(None)))
    held = replace(old, observed=stored(edit), hold=hold, outcome=CONFLICTED, message=EDITED_BY)
    mine = Seen.of("link", edit, address="https://a.example", remote_id="1", ours=True)
    found = planned(seen_target(), want, entries=[held, begun], seen=[mine])
    assert (found.changes, found.recovered) == ((), ())
    assert [(one.slot, one.observed, one.intent) for one in found.conflicts] == [
        (renamed, stored(edit), None)
    ]
    found = planned(seen_target(), want, entries=[held, begun], seen=[OURS])
    assert [(one.slot, outcome.applied) for one, outcome in found.recovered] == [(renamed, OLD)]
    [*_, kept] = found.entries
    assert (kept.hold, kept.remote_id) == (None, "1")


def test_what_a_person_keeps_elsewhere_is_not_handed_over_for_its_move() -> None:
    old = entry(OLD, surface="link", desired=stored(None), remote_id="1")
    kept = Hold(HoldKind.theirs, "ana", NOW)
    renamed = Slot(old.slot.target, "link", "renamed", old.slot.other)
    theirs = replace(entry(NEW, surface="link", remote_id="2", hold=kept), slot=renamed)
    result = planned(seen_target(OURS), Want(renamed, OLD), entries=[old, theirs])
    assert [(one.slot, one.verb) for one in result.changes] == [(old.slot, Verb.remove)]
    assert [one.slot for one in result.held] == [renamed]


@pytest.mark.parametrize("failed", [{}, {"attempts": 1, "next_try_at": NOW}], ids=["", "failed"])
def test_an_edit_whose_move_is_taken_stays_and_is_not_looked_at_every_time(
    failed: dict[str, Any],
) -> None:
    edit = linked("https://a.example", "mine")
    hold = Hold(HoldKind.conflict, "a person", NOW, desired_hash=digest(stored(NEW)))
    row = entry(OLD, surface="remote", desired=stored(NEW), remote_id="1", observed=stored(edit))
    row = replace(row, hold=hold, outcome=CONFLICTED, message=EDITED_BY, **failed)
    want = Want(row.slot, NEW, edits=Edits.propose, over=stored(edit))
    assert [one.over_edit for one in planned(seen_target(), want, entries=[row]).changes] == [True]

    mine = Seen.of("remote", edit, address="https://a.example", remote_id="1", ours=True)
    bens = Seen.of("remote", linked("https://b.example", "Ben's"), address="https://b.example")
    found = planned(seen_target(), want, entries=[row], seen=[mine, bens])
    [kept] = found.conflicts
    assert (found.changes, kept.message, kept.desired) == ((), TAKEN, stored(NEW))
    assert (kept.attempts, kept.next_try_at) == (0, None)
    assert kept.hold is not None
    assert (kept.hold.until, kept.hold.note) == (None, "")

    again = planned(seen_target(), want, entries=[kept])
    assert (again.changes, again.entries, again.conflicts) == ((), (), (kept,))
    free = planned(seen_target(), want, entries=[kept], seen=[mine])
    assert [one.over_edit for one in free.changes] == [True]


def test_a_write_over_an_edit_that_is_found_ends_its_hold_although_its_next_try_waits() -> None:
    edit = linked("https://a.example", "mine")
    hold = Hold(HoldKind.conflict, "a person", NOW, desired_hash=digest(stored(OLD)))
    row = entry(OLD, surface="remote", remote_id="1", observed=stored(edit), intent=stored(OLD))
    row = replace(row, hold=hold, outcome=CONFLICTED, attempts=1, next_try_at=NOW + HELD_FOR)
    there = Seen.of("remote", OLD, address="https://a.example", remote_id="1", ours=True)
    found = planned(seen_target(), Want(row.slot, OLD), entries=[row], seen=[there])
    assert [(one.before, one.over_edit) for one, _ in found.recovered] == [(edit, True)]
    assert (found.changes, found.held, found.conflicts) == ((), (), ())
    assert all(one.hold is None for one in found.entries)


def test_a_place_that_somebody_else_serves_by_now_holds_no_edit() -> None:
    edit = linked("https://b.example", "mine")
    hold = Hold(HoldKind.conflict, "a person", NOW, desired_hash=digest(stored(NEW)))
    row = Entry(slot=slot("link"), desired=stored(NEW), observed=stored(edit), hold=hold)
    [kept] = planned(seen_target(THEIRS), Want(slot("link"), NEW), entries=[row]).skipped
    assert (kept.outcome, kept.hold) == (SKIPPED, None)


FURTHER = linked("https://c.example")
HALF = [
    Seen.of("remote", OLD, address="https://a.example", remote_id="1", ours=True),
    Seen.of("remote", NEW, address="https://b.example", remote_id="2", ours=True),
]
"""What a move from OLD to NEW leaves that broke off once it had made the new one."""


def half_moved(**more: Any) -> Entry:
    return replace(entry(OLD, surface="remote", remote_id="1", intent=stored(NEW)), **more)


@pytest.mark.parametrize(
    ("value", "verb"), [(OLD, Verb.update), (FURTHER, Verb.update), (None, Verb.remove)]
)
def test_what_a_move_that_broke_off_has_made_goes_with_what_is_wanted_by_now(
    value: Any, verb: Verb
) -> None:
    row = half_moved()
    [change] = planned(seen_target(), Want(row.slot, value), entries=[row], seen=HALF).changes
    assert (change.verb, change.desired, change.before) == (verb, value, OLD)
    assert (change.remote_id, change.left, change.interrupted) == ("1", "2", True)


@pytest.mark.parametrize(
    ("row", "value", "seen"),
    [
        (half_moved(), NEW, HALF),
        (half_moved(), OLD, HALF[:1]),
        (half_moved(), OLD, HALF[1:]),
        (half_moved(intent=None), FURTHER, HALF),
        (half_moved(applied=NOTHING), OLD, HALF),
        (half_moved(), OLD, [HALF[0], replace(HALF[1], ours=False)]),
        (half_moved(), OLD, [HALF[0], replace(HALF[1], surface="link")]),
        (half_moved(), OLD, [replace(HALF[0], surface="link"), HALF[1]]),
        (half_moved(), OLD, None),
    ],
    ids=["wanted", "not made", "moved", "no move", "unknown", "theirs", "there", "here", "unseen"],
)
def test_else_nothing_goes_along(row: Entry, value: Any, seen: list[Seen] | None) -> None:
    found = planned(seen_target(), Want(row.slot, value), entries=[row], seen=seen)
    assert [one.left for one in found.changes] == [""] * len(found.changes)


def test_what_another_slot_has_is_not_left_of_a_move() -> None:
    other = replace(
        entry(NEW, surface="remote", remote_id="2"),
        slot=Slot(half_moved().slot.target, "remote", "delivery", half_moved().slot.other),
    )
    wants = [Want(half_moved().slot, OLD), Want(other.slot, NEW)]
    found = planned(seen_target(), *wants, entries=[half_moved(), other], seen=HALF)
    assert found.changes == ()
