"""What becomes of a value that a person wrote over opsync's, as its rule and its place say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

import msgspec
import pytest

from opsync.contract.connector import Surface
from opsync.model import Kind, Record, Seen, Value, Verb
from opsync.model.approval import Approved, edit_hash
from opsync.model.edits import edit_hold, is_over
from opsync.model.ledger import LET_BE, Entry, Hold, HoldKind, digest, stored
from opsync.model.rules import HELD_FOR, Edits, Mode
from opsync.stages.places import Want
from opsync.stages.plan import TargetPlan, plan
from tests.stages.test_plan import Board, seen_target, slot
from tests.support.build import at

SEEN = at(1)
OVER = SEEN + HELD_FOR
MOMENT = timedelta(microseconds=1)


class Numbers(Board):
    """A board on which the pulled text and the remote link are computed, and one link is not."""

    surfaces: ClassVar = (
        Surface(
            "text", "rollup", frozenset({Kind.issue}), ("T",), pulled=True, edits=Edits.propose
        ),
        Surface("prose", "rollup", frozenset({Kind.issue}), ("P",), pulled=True),
        Surface(
            "changed",
            "rollup",
            frozenset({Kind.issue}),
            ("At",),
            pulled=True,
            carried=True,
            edits=Edits.propose,
        ),
        Surface("remote", "rollup", frozenset({Kind.issue}), ("R",), edits=Edits.propose),
    )


def planned(
    want: Want, entry: Entry, now: datetime, *seen: Seen, fresh: bool = False
) -> TargetPlan:
    target: Record = seen_target(*seen)
    return plan(target, [want], [entry], Numbers(), now=now, run=7, seen=seen if fresh else None)


def edited(surface: str = "text", theirs: Value = "mine", **more: object) -> Entry:
    """A slot in which a person's value was first seen at `SEEN`."""
    row = Entry(
        slot=slot(surface),
        desired=stored("new"),
        applied=stored("old"),
        observed=stored(theirs),
        remote_id="p1",
        outcome="conflicted",
        message="edited by a person",
        hold=Hold(
            HoldKind.conflict,
            "a person",
            SEEN,
            desired_hash=digest(stored("new")),
            note="proposed again",
            until=OVER,
        ),
    )
    return msgspec.structs.replace(row, **more)


def mine(surface: str = "text", value: Value = "mine") -> Seen:
    return Seen.of(surface, value, remote_id="p1")


def test_an_edit_is_held_for_seven_days_from_when_it_was_first_seen() -> None:
    row = Entry(slot=slot(), desired=stored("new"), applied=stored("old"), remote_id="p1")
    [held] = planned(Want(slot(), "new"), row, SEEN, mine()).conflicts
    assert held.hold is not None
    assert (held.hold.at, held.hold.until, held.hold.note) == (SEEN, OVER, "proposed again")
    later = planned(Want(slot(), "new"), held, OVER - MOMENT, mine())
    assert (later.changes, later.proposed, later.entries) == ((), (), ())
    assert [one.hold for one in later.conflicts] == [held.hold]


@pytest.mark.parametrize("mode", [Mode.propose, Mode.apply])
def test_after_that_opsyncs_value_is_proposed_whatever_the_mode(mode: Mode) -> None:
    result = planned(Want(slot(), "new", mode=mode), edited(), OVER, mine())
    assert (result.changes, result.conflicts) == ((), ())
    [change] = result.proposed
    assert (change.before, change.desired, change.over_edit) == ("mine", "new", True)
    assert change.theirs
    [row] = result.entries
    assert row.hold is not None
    assert (row.hold.kind, row.hold.at) == (HoldKind.proposed, SEEN)
    again = planned(Want(slot(), "newer", mode=mode), row, OVER + HELD_FOR, mine())
    assert [one.desired for one in again.proposed] == ["newer"]
    assert again.changes == ()


def test_a_rule_that_observes_writes_nothing_over_an_edit_either() -> None:
    over = stored("mine")
    want = Want(slot(), "new", mode=Mode.observe, edits=Edits.ours, over=over)
    result = planned(want, edited(), OVER, mine())
    assert (result.changes, result.proposed) == ((), ())
    assert len(result.observed_only) == 1


@pytest.mark.parametrize(
    ("mode", "approved", "written"),
    [(Mode.apply, False, 1), (Mode.propose, True, 1), (Mode.propose, False, 0)],
)
def test_ours_is_written_again_after_the_hold_as_the_mode_says(
    mode: Mode, approved: bool, written: int
) -> None:
    want = Want(slot(), "new", mode=mode, approved=approved, edits=Edits.ours)
    assert planned(want, edited(), OVER - MOMENT, mine()).changes == ()
    result = planned(want, edited(), OVER, mine())
    assert len(result.changes) == written
    assert len(result.proposed) == 1 - written


@pytest.mark.parametrize(
    ("surface", "edits"), [("prose", None), ("text", Edits.theirs), ("remote", Edits.theirs)]
)
def test_theirs_stays_for_good(surface: str, edits: Edits | None) -> None:
    want = Want(slot(surface), "new", edits=edits)
    result = planned(want, edited(surface), OVER + 100 * HELD_FOR, mine(surface))
    assert (result.changes, result.proposed) == ((), ())
    [row] = result.conflicts
    assert row.hold is not None
    assert row.hold.until is None


@pytest.mark.parametrize("kind", sorted({*LET_BE, HoldKind.removed}))
@pytest.mark.parametrize("edits", list(Edits))
def test_what_a_person_decided_or_removed_never_lapses(kind: HoldKind, edits: Edits) -> None:
    row = edited(hold=Hold(kind, "ana", SEEN), outcome="")
    for value in ("new", "newer"):
        for seen in ((mine(),), ()):
            want = Want(slot(), value, edits=edits, over=stored("mine"))
            result = planned(want, row, OVER + 100 * HELD_FOR, *seen)
            assert (result.changes, result.proposed, result.conflicts) == ((), (), ())


def test_another_edit_is_held_anew() -> None:
    result = planned(Want(slot(), "new"), edited(), OVER, mine(value="mine, too"))
    assert result.proposed == ()
    [row] = result.conflicts
    assert row.hold is not None
    assert (row.hold.at, row.hold.until) == (OVER, OVER + HELD_FOR)


def test_an_approval_is_for_one_value_over_one_text() -> None:
    now = SEEN + timedelta(hours=1)
    approved = Want(slot(), "new", over=stored("mine"))
    [change] = planned(approved, edited(), now, mine()).changes
    assert (change.desired, change.before, change.over_edit) == ("new", "mine", True)
    assert planned(approved, edited(), now, mine(value="mine, too")).changes == ()


def test_the_approval_of_a_rule_or_of_a_value_is_none_of_writing_over_people() -> None:
    one, new, theirs = slot(), stored("new"), stored("mine")
    value = Approved(frozenset({(str(one), digest(new))}), frozenset({one.rule}))
    assert value.covers(one, digest(new))
    assert not value.covers_edit(one, new, theirs)
    edit = Approved(frozenset({(str(one), edit_hash(new, theirs))}))
    assert edit.covers_edit(one, new, theirs)
    assert not edit.covers_edit(one, new, stored("mine, too"))
    assert not edit.covers(one, digest(new))


def test_what_the_person_takes_back_is_no_edit_any_more() -> None:
    result = planned(Want(slot(), "new"), edited(), OVER, mine(value="old"))
    [change] = result.changes
    assert not change.over_edit
    [row] = result.entries
    assert (row.hold, row.outcome, row.message) == (None, "", "")


def test_a_value_that_opsync_never_wrote_there_is_theirs_for_good() -> None:
    never = edited(applied=stored(None))
    result = planned(Want(slot(), "new"), never, OVER + HELD_FOR, mine())
    assert (result.changes, result.proposed, len(result.conflicts)) == ((), (), 1)
    gone = planned(Want(slot(), None), never, OVER + HELD_FOR, mine())
    assert gone.entries == (Entry(slot=slot()),)


def test_a_persons_text_is_not_removed_with_the_rule() -> None:
    result = planned(Want(slot(), None), edited(), OVER + HELD_FOR, mine())
    assert (result.changes, result.proposed) == ((), ())
    assert len(result.conflicts) == 1


def test_a_place_that_is_not_pulled_is_proposed_from_what_was_seen_last() -> None:
    row = edited("remote")
    assert planned(Want(slot("remote"), "new"), row, OVER - MOMENT).proposed == ()
    for value in ("new", "newer"):
        [change] = planned(Want(slot("remote"), value), row, OVER).proposed
        assert (change.before, change.desired) == ("mine", value)


def test_within_the_seven_days_it_is_looked_at_again_before_another_value() -> None:
    want = Want(slot("remote"), "newer")
    row = edited("remote")
    result = planned(want, row, OVER - MOMENT)
    [change] = result.changes
    assert not change.over_edit
    [kept] = result.entries
    assert kept.hold == row.hold
    [found] = planned(want, kept, OVER - MOMENT, mine("remote"), fresh=True).conflicts
    assert found.hold is not None
    assert found.hold.at == SEEN


def test_a_write_over_an_edit_that_broke_off_is_looked_at_and_tried_again() -> None:
    want = Want(slot(), "new", over=stored("mine"))
    row = edited(intent=stored("new"))
    assert [one.interrupted for one in planned(want, row, OVER).changes] == [True]
    [change] = planned(want, row, OVER, mine(), fresh=True).changes
    assert change.over_edit
    done = planned(want, row, OVER, mine(value="new"), fresh=True)
    [(found, outcome)] = done.recovered
    assert (found.before, outcome.applied) == ("mine", "new")
    [kept] = done.entries
    assert (kept.hold, kept.applied) == (None, stored("new"))


def test_one_that_failed_waits_for_its_next_try() -> None:
    want = Want(slot(), "new", over=stored("mine"))
    row = edited(attempts=1, next_try_at=OVER + timedelta(minutes=1))
    assert planned(want, row, OVER, mine()).changes == ()
    assert len(planned(want, row, OVER + timedelta(minutes=1), mine()).changes) == 1


def test_one_that_waits_for_its_next_try_stays_asked_about() -> None:
    hold = edited().hold
    assert hold is not None
    proposed = msgspec.structs.replace(hold, kind=HoldKind.proposed)
    row = edited(attempts=1, next_try_at=OVER + timedelta(minutes=1), hold=proposed)
    result = planned(Want(slot(), "new"), row, OVER, mine())
    assert (len(result.held), result.entries) == (1, ())


def test_what_is_written_over_an_edit_found_unwritten_is_told_as_an_update() -> None:
    row = edited("remote", applied=stored(None), remote_id="")
    [change] = planned(Want(slot("remote"), "new", over=stored("mine")), row, OVER).changes
    assert (change.verb, change.before, change.over_edit) == (Verb.update, "mine", True)


def test_a_write_over_an_edit_that_is_found_is_told_while_the_next_is_asked_about() -> None:
    want = Want(slot(), "newer", mode=Mode.propose, over=stored("mine"))
    result = planned(want, edited(intent=stored("new")), OVER, mine(value="new"), fresh=True)
    assert [one.desired for one in result.proposed] == ["newer"]
    [kept] = result.entries
    assert (kept.hold, kept.outcome) == (None, "updated")


def test_an_edit_stays_held_where_what_was_asked_for_last_is_wanted_again() -> None:
    hold = edited().hold
    assert hold is not None
    newer = msgspec.structs.replace(hold, desired_hash=digest(stored("newer")))
    rounded = edited("remote", applied=stored("new."), asked=stored("new"), hold=newer)
    result = planned(Want(slot("remote"), "new"), rounded, OVER - MOMENT)
    assert result.changes == ()
    [kept] = result.conflicts
    assert kept.hold is not None
    assert (kept.hold.at, kept.hold.desired_hash) == (SEEN, digest(stored("new")))


def test_what_is_carried_goes_no_further_than_what_it_goes_with() -> None:
    day = Entry(
        slot=slot("changed"), desired=stored("1 Nov"), applied=stored("1 Nov"), remote_id="p2"
    )
    target = seen_target(mine(), Seen.of("changed", "1 Nov", remote_id="p2"))
    wants = [Want(slot(), "new"), Want(slot("changed"), "8 Nov")]
    result = plan(target, wants, [edited(), day], Numbers(), now=OVER, run=7)
    assert result.changes == ()
    assert [one.slot.surface for one in result.proposed] == ["text", "changed"]


def test_a_hold_without_an_end_is_never_over() -> None:
    row = edited()
    lasting = edit_hold(row, stored("mine"), stored("new"), Edits.theirs, SEEN)
    assert not is_over(lasting, OVER + 100 * HELD_FOR)


def test_what_is_carried_waits_although_approved_where_what_it_goes_with_waits() -> None:
    day = Entry(
        slot=slot("changed"), desired=stored("1 Nov"), applied=stored("1 Nov"), remote_id="p2"
    )
    target = seen_target(mine(), Seen.of("changed", "1 Nov", remote_id="p2"))
    wants = [
        Want(slot(), "new", mode=Mode.propose, approved=True),
        Want(slot("changed"), "8 Nov", mode=Mode.propose, approved=True),
    ]
    result = plan(target, wants, [edited(), day], Numbers(), now=OVER, run=7)
    assert result.changes == ()
    assert [one.slot.surface for one in result.proposed] == ["text", "changed"]
    theirs = edited("changed", "soon", applied=stored("1 Nov"), remote_id="p2")
    target = seen_target(mine(), Seen.of("changed", "soon", remote_id="p2"))
    wants[1] = Want(slot("changed"), "8 Nov", over=stored("soon"))
    result = plan(target, wants, [edited(), theirs], Numbers(), now=OVER, run=7)
    assert result.changes == ()
    assert [one.over_edit for one in result.proposed] == [True, True]


def test_an_edit_whose_value_is_withdrawn_unseen_is_theirs_for_good() -> None:
    row = edited(desired=stored(None))
    result = plan(
        msgspec.structs.replace(seen_target(), seen_complete=False),
        [Want(slot(), None)],
        [row],
        Numbers(),
        now=OVER - MOMENT,
        run=7,
    )
    [kept] = result.conflicts
    assert kept.hold is not None
    assert kept.hold.until is None


@pytest.mark.parametrize("mode", [Mode.observe, Mode.propose])
def test_another_value_that_is_not_written_leaves_an_edit_held_where_nothing_is_looked_at(
    mode: Mode,
) -> None:
    want = Want(slot("remote"), "newer", mode=mode)
    result = planned(want, edited("remote"), OVER - MOMENT)
    assert (result.changes, result.proposed, result.observed_only) == ((), (), ())
    [row] = result.conflicts
    assert row.hold is not None
    assert (row.hold.until, row.hold.desired_hash) == (OVER, digest(stored("newer")))


def test_an_edit_that_the_vendor_would_not_have_written_over_rests_until_something_changes() -> (
    None
):
    want = Want(slot(), "new", over=stored("mine"))
    row = edited(message="somebody else's")
    result = planned(want, row, OVER, mine())
    assert (result.changes, result.proposed, result.entries) == ((), (), ())
    assert [one.message for one in result.conflicts] == ["somebody else's"]
    assert len(planned(want, edited(message="no", attempts=1), OVER, mine()).changes) == 1
    newer = Want(slot(), "newer", over=stored("mine"))
    assert len(planned(newer, row, OVER, mine()).changes) == 1


def test_another_edit_while_a_write_waits_for_its_next_try_is_held_anew() -> None:
    later = OVER + timedelta(minutes=30)
    row = edited(attempts=1, next_try_at=later)
    result = planned(Want(slot(), "new", edits=Edits.ours), row, OVER, mine(value="mine, too"))
    [kept] = result.entries
    assert kept.hold is not None
    assert (kept.hold.at, kept.hold.until) == (OVER, OVER + HELD_FOR)
    want = Want(slot(), "new", edits=Edits.ours)
    assert planned(want, kept, later, mine(value="mine, too")).changes == ()


def test_an_approved_write_over_an_edit_that_broke_off_is_looked_at_in_mode_propose_too() -> None:
    want = Want(slot(), "new", mode=Mode.propose, over=stored("mine"))
    row = edited(intent=stored("new"))
    assert [one.interrupted for one in planned(want, row, OVER).changes] == [True]
    unasked = Want(slot(), "new", mode=Mode.propose)
    assert planned(unasked, row, OVER).changes == ()


def test_an_approved_write_over_an_edit_moves_nothing_onto_somebody_elses_link() -> None:
    moved: Value = {"url": "https://x.example/2", "title": "new"}
    edit: Value = {"url": "https://x.example/1", "title": "mine"}
    hold = edited().hold
    assert hold is not None
    row = edited(
        "link",
        edit,
        desired=stored(moved),
        applied=stored({"url": "https://x.example/1", "title": "old"}),
        hold=msgspec.structs.replace(hold, desired_hash=digest(stored(moved))),
    )
    target = seen_target(
        Seen.of("link", edit, address="https://x.example/1", remote_id="p1", ours=True),
        Seen.of("link", moved, address="https://x.example/2", remote_id="p2"),
    )
    want = Want(slot("link"), moved, over=stored(edit))
    result = plan(target, [want], [row], Board(), now=OVER, run=7)
    assert (result.changes, result.proposed, len(result.conflicts)) == ((), (), 1)


def test_what_broke_off_over_an_edit_and_may_not_be_written_by_now_is_asked_about() -> None:
    row = edited(desired=stored("new"), intent=stored("new"))
    want = Want(slot(), "newer", mode=Mode.propose)
    held = planned(want, row, SEEN + MOMENT).conflicts
    assert [(one.intent, one.message) for one in held] == [(stored("new"), "edited by a person")]

    found = planned(want, row, OVER)
    [change] = found.proposed
    assert (change.desired, change.before, change.over_edit) == ("newer", "mine", True)
    [kept] = found.entries
    assert kept.hold is not None
    assert (kept.hold.kind, kept.intent) == (HoldKind.proposed, stored("new"))


# Where another plan's changes are carried out


@pytest.mark.parametrize("kind", [HoldKind.conflict, HoldKind.proposed])
@pytest.mark.parametrize(
    "want",
    [
        Want(slot(), "new", edits=Edits.ours, chosen=False),
        Want(slot(), "new", mode=Mode.propose, over=stored("mine"), chosen=False),
    ],
    ids=["after its time", "approved"],
)
def test_an_edit_that_may_be_replaced_stays_as_it_was_told(want: Want, kind: HoldKind) -> None:
    row = edited()
    assert row.hold is not None
    told = edited(hold=msgspec.structs.replace(row.hold, kind=kind))
    result = planned(want, told, OVER, mine())
    assert (result.changes, result.proposed, result.entries) == ((), (), ())
    assert [one.over_edit for one in result.observed_only] == [True]


def test_one_that_is_to_be_asked_about_is_proposed_as_ever() -> None:
    result = planned(Want(slot(), "new", chosen=False), edited(), OVER, mine())
    assert (result.changes, len(result.proposed)) == ((), 1)
    assert [one.hold.kind for one in result.entries if one.hold] == [HoldKind.proposed]


def test_another_edit_has_nothing_of_what_failed_over_the_one_before() -> None:
    row = edited(attempts=2, next_try_at=OVER, message="it is locked")
    [held] = planned(Want(slot(), "new"), row, OVER, mine(value="mine, too")).conflicts
    assert (held.attempts, held.next_try_at, held.message) == (0, None, "edited by a person")


# Given up for opsync's value -------------------------------------------------------------------


def ceded(**more: object) -> Entry:
    """A slot whose text a person gave up."""
    row = Entry(
        slot=slot(),
        desired=stored("new"),
        applied=stored("mine"),
        asked=stored("mine"),
        observed=stored("mine"),
        remote_id="p1",
        ceded=True,
    )
    return msgspec.structs.replace(row, **more)


@pytest.mark.parametrize("mode", [Mode.apply, Mode.propose, Mode.observe])
def test_what_was_given_up_is_written_over_as_the_mode_says(mode: Mode) -> None:
    result = planned(Want(slot(), "new", mode=mode), ceded(), SEEN, mine())
    [change] = [*result.changes, *result.proposed, *result.observed_only]
    assert (change.before, change.desired, change.theirs) == ("mine", "new", True)
    assert [len(result.changes), len(result.proposed), len(result.observed_only)] == [
        mode is Mode.apply,
        mode is Mode.propose,
        mode is Mode.observe,
    ]
    assert (result.conflicts, result.held) == ((), ())


def test_what_was_given_up_is_not_taken_away() -> None:
    for more in ({}, {"hold": edited().hold, "outcome": "conflicted"}):
        result = planned(Want(slot(), None), ceded(**more), SEEN, mine(value="hers"))
        assert (result.changes, result.conflicts) == ((), ())
        assert result.entries == (Entry(slot=slot()),)
    result = planned(Want(slot(), None), ceded(), SEEN, mine())
    assert (result.changes, result.entries) == ((), (Entry(slot=slot()),))
    unseen = ceded(slot=slot("remote"))
    result = planned(Want(unseen.slot, None), unseen, SEEN)
    assert (result.changes, result.entries) == ((), (Entry(slot=unseen.slot),))


def test_what_is_written_over_it_after_that_is_another_edit() -> None:
    [held] = planned(Want(slot(), "new"), ceded(), SEEN, mine(value="hers")).conflicts
    assert held.hold is not None
    assert (held.hold.kind, held.ceded, held.owned) == (HoldKind.conflict, True, False)


@pytest.mark.parametrize(
    ("more", "value"), [({"intent": stored("new")}, "new"), ({}, "new"), ({}, "mine")]
)
def test_what_stands_there_as_it_should_is_opsyncs(more: dict[str, object], value: str) -> None:
    result = planned(Want(slot(), value), ceded(**more), SEEN, mine(value=value), fresh=True)
    assert result.changes == ()
    rows = [one for one in result.entries if one.slot == slot()] or [ceded(**more)]
    assert rows[-1].ceded is (value == "mine")


def test_what_may_have_been_written_over_it_is_taken_away_once_it_is_found() -> None:
    begun = ceded(intent=stored("new"))
    result = planned(Want(slot(), None), begun, SEEN, mine(value="new"), fresh=True)
    [change] = result.changes
    assert (change.verb, change.before, change.theirs) == (Verb.remove, "new", False)
    [(found, _)] = result.recovered
    assert (found.before, found.theirs) == ("mine", True)
    result = planned(Want(slot(), None), begun, SEEN, mine(), fresh=True)
    assert result.changes == ()
