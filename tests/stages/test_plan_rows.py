"""What a plan keeps of each slot, to the last field: rows, holds, what is told, what is sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from opsync.model import Change, Outcome, OutcomeKind, Record, Seen, Slot, Value, Verb
from opsync.model.ledger import (
    CONFLICTED,
    FAILED,
    LET_BE,
    SKIPPED,
    Entry,
    Hold,
    HoldKind,
    digest,
    stored,
)
from opsync.model.rules import HELD_FOR, Mode
from opsync.model.value import NOTHING
from opsync.stages.places import Want
from opsync.stages.plan import TargetPlan, plan
from tests.stages.test_plan import NOW, Board, seen_target, slot
from tests.support.build import record, ref

A = {"url": "https://a.example", "title": "A"}
A2 = {"url": "https://a.example", "title": "A, renamed"}
B = {"url": "https://b.example", "title": "B"}
BEFORE = NOW - timedelta(hours=1)


def planned(
    target: Record, *wants: Want, entries: Sequence[Entry] = (), seen: Sequence[Seen] | None = None
) -> TargetPlan:
    return plan(target, wants, entries, Board(), now=NOW, run=7, seen=seen)


def link(value: dict[str, str], remote_id: str, *, ours: bool = True, on: str = "link") -> Seen:
    return Seen.of(on, value, address=value["url"], remote_id=remote_id, ours=ours)


def of_rule(rule: str, surface: str = "link") -> Slot:
    return Slot(ref("1"), surface, rule, ref("root", "notion"))


def written(at: Slot, value: Value, **more: object) -> Entry:
    """A row of what was written and stands there."""
    made = Entry(
        slot=at,
        desired=stored(value),
        applied=stored(value),
        asked=stored(value),
        remote_id="r",
        observed=stored(value),
        observed_at=BEFORE,
    )
    return msgspec.structs.replace(made, **more)


def number(at: Slot) -> str:
    return f"7-{digest(stored(str(at)))[:8]}"


def hold(kind: HoldKind, **more: str) -> Hold:
    return Hold(kind, "ana", BEFORE, **more)


# Modes


@pytest.mark.parametrize(
    ("mode", "approved", "where"),
    [
        (Mode.apply, False, "changes"),
        (Mode.propose, True, "changes"),
        (Mode.propose, False, "proposed"),
        (Mode.observe, False, "observed_only"),
        (Mode.observe, True, "observed_only"),
    ],
)
def test_a_change_is_written_as_far_as_its_rule_and_an_approval_say(
    mode: Mode, approved: bool, where: str
) -> None:
    found = planned(seen_target(), Want(slot(), "new", mode=mode, approved=approved))
    lists = {n: len(getattr(found, n)) for n in ("changes", "proposed", "observed_only")}
    assert lists == dict.fromkeys(lists, 0) | {where: 1}


def test_what_is_wanted_waits_for_approval_unless_it_says_so() -> None:
    assert not Want(slot(), "new", mode=Mode.propose).writes


def test_wants_and_plans_are_values() -> None:
    with pytest.raises(AttributeError):
        Want(slot(), "a").value = "b"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        TargetPlan().changes = ()  # type: ignore[misc]


# A place passes from one rule to another


def test_what_was_written_passes_to_the_rule_that_has_its_place_now() -> None:
    old, new = of_rule("old", "remote"), of_rule("new", "remote")
    row = written(old, A)
    found = planned(record("1"), Want(new, A2), Want(old, None, "not asked"), entries=[row])
    [change] = found.changes
    assert (change.slot, change.verb, change.before, change.remote_id) == (new, Verb.update, A, "r")
    assert found.entries == (
        msgspec.structs.replace(row, slot=new),
        Entry(slot=old),
        msgspec.structs.replace(row, slot=new, desired=stored(A2)),
    )


def test_a_rule_that_has_a_value_of_its_own_there_takes_no_other_over() -> None:
    rows = [written(of_rule("new"), A), written(of_rule("old"), A, remote_id="r2")]
    target = seen_target(link(A, "r"), link(A, "r2"))
    [change] = planned(target, Want(of_rule("new"), A), entries=rows).changes
    assert (change.slot, change.verb, change.remote_id) == (of_rule("old"), Verb.remove, "r2")


def test_a_rule_that_wants_nothing_there_takes_nothing_over() -> None:
    row = written(of_rule("old", "text"), "a")
    target = seen_target(Seen.of("text", "a", remote_id="r"))
    [change] = planned(target, Want(of_rule("new", "text"), None), entries=[row]).changes
    assert (change.slot, change.verb) == (of_rule("old", "text"), Verb.remove)


def test_what_is_still_wanted_stays_where_it_is() -> None:
    row = written(of_rule("old", "text"), "a")
    target = seen_target(Seen.of("text", "a", remote_id="r"))
    wants = [Want(of_rule("new", "text"), "b"), Want(of_rule("old", "text"), "a")]
    found = planned(target, *wants, entries=[row])
    assert {one.slot.rule for one in (*found.entries, *found.conflicts)} == {"new"}


def test_a_row_that_holds_nothing_is_nothing_to_take_over() -> None:
    row = Entry(slot=of_rule("old", "text"), desired=stored("a"))
    found = planned(seen_target(), Want(of_rule("new", "text"), "b"), entries=[row])
    assert [one.slot.rule for one in found.changes] == ["new"]
    assert {one.slot.rule: one.desired for one in found.entries} == {
        "new": stored("b"),
        "old": NOTHING,
    }


@pytest.mark.parametrize("kind", sorted(LET_BE))
def test_what_a_person_decided_passes_with_the_place(kind: HoldKind) -> None:
    row = Entry(slot=of_rule("old"), desired=stored(A), hold=hold(kind))
    found = planned(seen_target(), Want(of_rule("new"), A2), entries=[row])
    assert found.changes == ()
    assert [(one.slot.rule, one.hold) for one in found.held] == [("new", row.hold)]


def test_another_hold_does_not_pass() -> None:
    row = Entry(slot=of_rule("old"), desired=stored(A), hold=hold(HoldKind.conflict))
    found = planned(seen_target(), Want(of_rule("new"), A2), entries=[row])
    assert [(one.slot.rule, one.verb) for one in found.changes] == [("new", Verb.create)]


def test_a_place_that_the_tool_has_no_more_is_left_out() -> None:
    row = written(of_rule("rule", "of an older version"), "a")
    assert planned(seen_target(), entries=[row]) == TargetPlan()


# What stands there


def test_by_address_what_was_begun_is_looked_for_before_what_is_wanted_now() -> None:
    row = Entry(slot=slot("link"), desired=stored(B), intent=stored(B))
    found = planned(
        seen_target(), Want(slot("link"), A), entries=[row], seen=[link(B, "rb"), link(A, "ra")]
    )
    assert [outcome.applied for _, outcome in found.recovered] == [B]
    assert [(one.before, one.desired, one.remote_id) for one in found.changes] == [(B, A, "rb")]


def test_what_has_the_stored_id_is_nobody_elses() -> None:
    row = Entry(slot=slot("link"), desired=stored(A), remote_id="r")
    target = seen_target(link(A, "r", ours=False))
    found = planned(target, Want(slot("link"), A), entries=[row])
    assert found.skipped == ()
    assert [one.applied for one in found.entries] == [stored(A)]


def test_another_one_at_its_address_does_not_stand_for_what_was_removed() -> None:
    target = seen_target(link(A, "another"))
    found = planned(target, Want(slot("link"), A), entries=[written(slot("link"), A)])
    assert [one.hold.kind for one in found.held if one.hold] == [HoldKind.removed]


def twice(*seen: Seen, row: Entry | None = None, want: Value = A) -> list[Verb]:
    rows = [row] if row is not None else []
    found = planned(seen_target(), Want(slot("link"), want), entries=rows, seen=seen)
    return [one.verb for one in found.changes]


def test_two_of_our_own_at_one_place_are_written_so_that_one_goes() -> None:
    assert twice(link(A, "r1"), link(A, "r2")) == [Verb.update]
    assert twice(link(A, "r"), link(A, "r2"), row=written(slot("link"), A, intent=stored(A2))) == [
        Verb.update
    ]


def test_two_where_an_interrupted_write_began_stay_open_when_another_place_is_wanted() -> None:
    begun = Entry(slot=slot("link"), desired=stored(A), intent=stored(A))
    seen = (link(A, "r1"), link(A, "r2"))
    found = planned(seen_target(), Want(slot("link"), B), entries=[begun], seen=seen)
    assert found.recovered == ()
    assert [(one.before, one.desired, one.interrupted) for one in found.changes] == [(A, B, True)]


def test_two_are_no_two_where_one_is_anothers_or_of_another_place_or_known() -> None:
    assert twice(link(A, "r1"), link(A, "r2", ours=False)) == []
    assert twice(link(A, "r1"), link(A, "r2", on="remote")) == []
    assert twice(link(A, "r1"), link(B, "r2")) == []
    assert twice(link(A, "r"), link(A, "r2"), row=written(slot("link"), A)) == []


# Values that are carried


def test_a_carried_value_is_made_with_the_first_write() -> None:
    wants = [Want(slot(), "new"), Want(slot("changed"), "1 Nov")]
    found = planned(seen_target(), *wants)
    assert [(one.slot.surface, one.verb) for one in found.changes] == [
        ("text", Verb.create),
        ("changed", Verb.create),
    ]


def test_a_carried_value_that_is_right_is_not_written_along() -> None:
    target = seen_target(
        Seen.of("text", "old", remote_id="r"), Seen.of("changed", "1 Nov", remote_id="r")
    )
    rows = [written(slot(), "old"), written(slot("changed"), "1 Nov")]
    wants = [Want(slot(), "new"), Want(slot("changed"), "1 Nov")]
    assert [one.slot.surface for one in planned(target, *wants, entries=rows).changes] == ["text"]


def test_an_edited_carried_value_is_held_as_any_other_edit() -> None:
    target = seen_target(
        Seen.of("text", "old", remote_id="r"), Seen.of("changed", "mine", remote_id="r")
    )
    rows = [written(slot(), "old"), written(slot("changed"), "1 Nov")]
    wants = [Want(slot(), "new"), Want(slot("changed"), "2 Nov")]
    [row] = planned(target, *wants, entries=rows).conflicts
    assert row.hold is not None
    assert (row.hold.kind, row.hold.at) == (HoldKind.conflict, NOW)


@pytest.mark.parametrize(
    "kept", [{"outcome": FAILED}, {"outcome": CONFLICTED}, {"hold": hold(HoldKind.theirs)}], ids=str
)
def test_a_carried_value_with_nothing_to_go_with_stays_told_as_what_became_of_it(
    kept: dict[str, Any],
) -> None:
    target = seen_target(Seen.of("changed", "1 Nov", remote_id="r"))
    row = written(slot("changed"), "1 Nov", desired=stored("2 Nov"), **kept)
    assert planned(target, Want(slot("changed"), "2 Nov"), entries=[row]).entries == ()


# What is kept of a slot


def test_a_row_has_the_newest_reason_evidence_and_inputs_and_when_it_was_seen() -> None:
    row = Entry(slot=slot())
    want = Want(slot(), "new", "because", ("named in it",), {"jira:issue:1": "v1"})
    [kept] = planned(seen_target(), want, entries=[row]).entries
    assert kept == Entry(
        slot=slot(),
        desired=stored("new"),
        observed=NOTHING,
        observed_at=NOW,
        reason="because",
        evidence=("named in it",),
        inputs={"jira:issue:1": "v1"},
    )


def test_where_nothing_new_is_said_what_was_said_before_stays() -> None:
    before = Entry(slot=slot(), reason="was", evidence=("e",), inputs={"a": "1"})
    found = planned(seen_target(), Want(slot(), "new"), entries=[before])
    [kept], [change] = found.entries, found.changes
    assert (kept.reason, kept.evidence, kept.inputs) == ("was", ("e",), {"a": "1"})
    assert (change.evidence, change.inputs) == (("e",), {"a": "1"})


def test_a_change_says_what_is_new() -> None:
    before = Entry(slot=slot(), reason="was", evidence=("e",), inputs={"a": "1"})
    want = Want(slot(), "new", "is", ("f",), {"b": "2"})
    target = seen_target(Seen.of("text", "other", remote_id="here", ours=True))
    assert planned(target, want, entries=[before]).changes == (
        Change(
            id=number(slot()),
            slot=slot(),
            verb=Verb.update,
            desired="new",
            before="other",
            remote_id="here",
            reason="is",
            evidence=("f",),
            inputs={"b": "2"},
        ),
    )


def test_an_unread_place_is_told_with_what_was_written_last() -> None:
    row = written(slot("remote"), A)
    [change] = planned(record("1"), Want(slot("remote"), A2), entries=[row]).changes
    assert change.before == A
    begun = msgspec.structs.replace(row, intent=stored(B))
    [change] = planned(record("1"), Want(slot("remote"), A2), entries=[begun]).changes
    assert (change.before, change.interrupted) == (B, True)


def test_a_begun_write_is_looked_at_although_what_stood_before_is_right_again() -> None:
    row = written(slot("remote"), A, intent=stored(A2))
    [change] = planned(record("1"), Want(slot("remote"), A), entries=[row]).changes
    assert change.interrupted


# What is not of the plan that is carried out


@pytest.mark.parametrize("want", [{}, {"mode": Mode.propose, "approved": True}], ids=str)
@pytest.mark.parametrize("wait", [timedelta(0), timedelta(hours=1)], ids=["due", "too soon"])
def test_a_failure_beside_what_is_carried_out_is_kept(
    want: dict[str, Any], wait: timedelta
) -> None:
    row = Entry(
        slot=slot(),
        desired=stored("new"),
        observed=NOTHING,
        outcome=FAILED,
        message="it is locked",
        attempts=3,
        next_try_at=NOW + wait,
    )
    found = planned(seen_target(), Want(slot(), "new", chosen=False, **want), entries=[row])
    assert (found.changes, found.entries) == ((), ())
    waits = len(found.observed_only + found.proposed)
    assert (waits, len(found.held)) == ((0, 1) if wait else (1, 0))


@pytest.mark.parametrize("mode", [Mode.observe, Mode.propose])
def test_a_failure_of_what_may_not_be_written_is_given_up_there_too(mode: Mode) -> None:
    row = Entry(slot=slot(), desired=stored("new"), outcome=FAILED, message="m", attempts=3)
    want = Want(slot(), "new", mode=mode, chosen=False)
    [kept] = planned(seen_target(), want, entries=[row]).entries
    assert (kept.outcome, kept.message, kept.attempts) == ("", "", 0)


def test_what_it_would_be_is_found_and_not_written() -> None:
    row = written(slot(), "old")
    target = seen_target(Seen.of("text", "old", remote_id="r"))
    found = planned(target, Want(slot(), "new", chosen=False), entries=[row])
    assert (found.changes, [one.desired for one in found.observed_only]) == ((), ["new"])
    assert [one.desired for one in found.entries] == [stored("new")]


# Holds


def test_what_a_person_removed_and_nothing_asks_for_is_forgotten() -> None:
    row = written(slot(), "a", hold=hold(HoldKind.removed))
    for target in (seen_target(), record("1", seen_complete=False)):
        found = planned(target, Want(slot(), None), entries=[row])
        assert (found.entries, found.held) == ((Entry(slot=slot()),), ())


@pytest.mark.parametrize(
    ("kind", "value", "stands"),
    [
        (HoldKind.removed, None, "a"),
        (HoldKind.removed, "a", None),
        (HoldKind.undone, None, None),
    ],
)
def test_else_a_hold_stays_and_the_row_is_told_and_kept(
    kind: HoldKind, value: Value, stands: Value
) -> None:
    row = written(slot(), "a", hold=hold(kind))
    seen = () if stands is None else (Seen.of("text", stands, remote_id="r"),)
    found = planned(seen_target(*seen), Want(slot(), value, "newly"), entries=[row])
    kept = msgspec.structs.replace(
        row,
        desired=stored(value),
        reason="newly",
        observed=stored(stands),
        observed_at=NOW,
    )
    assert (found.held, found.entries, found.changes) == ((kept,), (kept,), ())


def test_a_hold_that_lapsed_is_taken_from_the_row() -> None:
    row = written(slot(), "a", hold=hold(HoldKind.conflict, desired_hash=digest(stored("a"))))
    target = seen_target(Seen.of("text", "a", remote_id="r"))
    [kept] = planned(target, Want(slot(), "b"), entries=[row]).entries
    assert kept.hold is None


def test_one_that_lapsed_is_taken_from_a_row_whose_place_is_not_seen() -> None:
    lapsed = hold(HoldKind.refused, desired_hash=digest(stored("a")))
    row = written(slot("remote"), "a", hold=lapsed)
    found = planned(seen_target(), Want(slot("remote"), "b", mode=Mode.propose), entries=[row])
    assert [one.desired for one in found.proposed] == ["b"]
    [kept] = found.entries
    assert kept.hold is None


def test_a_failed_write_waits_and_is_tried_at_its_very_time() -> None:
    failed = written(slot(), "b", applied=stored("a"), asked=stored("a"), attempts=1)
    target = seen_target(Seen.of("text", "a", remote_id="r"))
    for seconds, waits in ((1, 1), (0, 0)):
        row = msgspec.structs.replace(failed, next_try_at=NOW + timedelta(seconds=seconds))
        found = planned(target, Want(slot(), "b", "newly"), entries=[row])
        assert (len(found.held), len(found.changes)) == (waits, 1 - waits)
        [kept] = found.entries
        assert kept.reason == "newly"


def test_a_failed_write_that_waits_holds_nothing_that_stands_there_meanwhile() -> None:
    row = written(slot(), "b", applied=stored("a"), attempts=1, next_try_at=NOW + HELD_FOR)
    target = seen_target(Seen.of("text", "mine", remote_id="r"))
    [kept] = planned(target, Want(slot(), "b"), entries=[row]).held
    assert (kept.observed, kept.hold) == (stored("mine"), None)


# Somebody else's


def test_a_link_that_somebody_else_made_is_noted_as_skipped() -> None:
    target = seen_target(link(A, "theirs", ours=False))
    found = planned(target, Want(slot("link"), A))
    kept = Entry(
        slot=slot("link"),
        desired=stored(A),
        observed=NOTHING,
        observed_at=NOW,
        outcome=SKIPPED,
        message="already linked by somebody else",
    )
    assert (found.skipped, found.entries) == ((kept,), (kept,))


def test_a_skipped_place_that_cannot_be_seen_is_looked_at_again_for_another_value_only() -> None:
    row = Entry(slot=slot("remote"), desired=stored(A), outcome=SKIPPED, message="linked")
    found = planned(record("1"), Want(slot("remote"), A, "newly"), entries=[row])
    kept = msgspec.structs.replace(row, reason="newly")
    assert (found.skipped, found.entries, found.changes) == ((kept,), (kept,), ())
    found = planned(record("1"), Want(slot("remote"), B), entries=[row])
    assert len(found.changes) == 1
    assert [(one.outcome, one.message) for one in found.entries] == [("", "")]


def test_a_write_keeps_how_the_last_one_failed() -> None:
    row = Entry(slot=slot(), outcome="failed", message="locked")
    [kept] = planned(seen_target(), Want(slot(), "new"), entries=[row]).entries
    assert (kept.outcome, kept.message) == ("failed", "locked")


@pytest.mark.parametrize("mode", [Mode.propose, Mode.observe])
def test_a_failed_write_that_is_not_to_be_made_any_more_is_forgotten(mode: Mode) -> None:
    failed = {"outcome": FAILED, "message": "locked", "attempts": 3, "next_try_at": BEFORE}
    row = written(slot("remote"), "old", desired=stored("new"), **failed)
    found = planned(seen_target(), Want(slot("remote"), "new", mode=mode), entries=[row])
    [kept] = found.entries
    assert (kept.outcome, kept.message, kept.attempts, kept.next_try_at) == ("", "", 0, None)


def test_what_came_of_the_last_write_is_kept_while_another_is_asked_about() -> None:
    row = written(slot(), "old", outcome="updated", message="by hand")
    target = seen_target(Seen.of("text", "old", remote_id="r"))
    [kept] = planned(target, Want(slot(), "new", mode=Mode.propose), entries=[row]).entries
    assert (kept.outcome, kept.message) == ("updated", "by hand")


# Adoption, conflicts, what is gone


def test_what_stands_there_as_it_should_is_taken_up_with_nothing_left_of_earlier_tries() -> None:
    row = Entry(
        slot=slot(),
        desired=stored("old"),
        asked=stored("old"),
        intent=stored("old"),
        outcome="failed",
        message="locked",
        attempts=3,
        next_try_at=BEFORE,
    )
    target = seen_target()
    seen = [Seen.of("text", "new", remote_id="here", ours=True)]
    found = planned(target, Want(slot(), "new"), entries=[row], seen=seen)
    assert found.entries == (
        Entry(
            slot=slot(),
            desired=stored("new"),
            applied=stored("new"),
            asked=stored("new"),
            remote_id="here",
            observed=stored("new"),
            observed_at=NOW,
            outcome="unchanged",
        ),
    )


def test_what_the_vendor_rounded_is_taken_up_as_it_stands() -> None:
    row = written(slot(), 0.667, applied=stored(0.67), intent=stored(0.667))
    seen = [Seen.of("text", 0.67, remote_id="r")]
    [kept] = planned(seen_target(), Want(slot(), 0.667), entries=[row], seen=seen).entries
    assert (kept.applied, kept.asked, kept.intent) == (stored(0.67), stored(0.667), None)


def test_a_conflict_is_kept_with_both_values_and_without_the_write_that_was_begun() -> None:
    row = written(slot("remote"), A, intent=stored(A2))
    found = planned(
        record("1"), Want(slot("remote"), A2), entries=[row], seen=[link(B, "r", on="remote")]
    )
    kept = msgspec.structs.replace(
        row,
        desired=stored(A2),
        observed=stored(B),
        observed_at=NOW,
        intent=None,
        hold=Hold(HoldKind.conflict, "a person", NOW, desired_hash=digest(stored(A2))),
        outcome=CONFLICTED,
        message="edited by a person",
    )
    assert (found.conflicts, found.entries) == ((kept,), (kept,))


def test_a_conflict_that_the_vendor_found_is_kept_as_one() -> None:
    row = written(
        slot(), "b", applied=stored("a"), asked=stored("a"), observed=stored("a"),
        outcome=CONFLICTED, message="edited",
    )  # fmt: skip
    target = seen_target(Seen.of("text", "a", remote_id="r"))
    found = planned(target, Want(slot(), "b", "newly"), entries=[row])
    kept = msgspec.structs.replace(row, reason="newly", observed_at=NOW)
    assert (found.conflicts, found.entries, found.changes) == ((kept,), (kept,), ())


def test_a_conflict_that_is_over_leaves_nothing_behind() -> None:
    row = written(slot(), "a", outcome=CONFLICTED, message="edited by a person")
    target = seen_target(Seen.of("text", "a", remote_id="r"))
    [kept] = planned(target, Want(slot(), "a"), entries=[row]).entries
    assert (kept.outcome, kept.message) == ("", "")


def test_what_a_person_removed_is_kept_as_that_and_without_the_write_that_was_begun() -> None:
    row = written(slot("remote"), A, intent=stored(A2))
    found = planned(record("1"), Want(slot("remote"), A2), entries=[row], seen=[])
    kept = msgspec.structs.replace(
        row,
        desired=stored(A2),
        observed=NOTHING,
        observed_at=NOW,
        intent=None,
        hold=Hold(HoldKind.removed, "a person", NOW, note="removed by a person"),
    )
    assert (found.held, found.entries) == ((kept,), (kept,))


# Interrupted writes


@pytest.mark.parametrize(
    ("before", "begun", "verb", "kind"),
    [
        (None, "new", Verb.create, OutcomeKind.created),
        ("old", "new", Verb.update, OutcomeKind.updated),
        ("old", None, Verb.remove, OutcomeKind.removed),
    ],
)
def test_an_interrupted_write_that_happened_is_told_in_full(
    before: Value, begun: Value, verb: Verb, kind: OutcomeKind
) -> None:
    row = Entry(
        slot=slot(),
        desired=stored(begun),
        applied=stored(before),
        asked=stored(before),
        remote_id="r",
        intent=stored(begun),
        outcome="failed",
        message="no answer",
        attempts=2,
        next_try_at=BEFORE,
        reason="because",
        evidence=("e",),
        inputs={"a": "1"},
    )
    seen = (
        [] if begun is None else [Seen.of("text", begun, remote_id="r2" if before is None else "r")]
    )
    if before is None:
        row = msgspec.structs.replace(row, remote_id="")
    found = planned(seen_target(), Want(slot(), begun), entries=[row], seen=seen)
    remote_id = "" if begun is None else "r2" if before is None else "r"
    change = Change(
        id=f"{number(slot())}-found",
        slot=slot(),
        verb=verb,
        desired=begun,
        before=before,
        remote_id=row.remote_id,
        reason="because",
        evidence=("e",),
        inputs={"a": "1"},
    )
    outcome = Outcome(
        change=change.id,
        kind=kind,
        applied=begun,
        remote_id=remote_id,
        message="written by a run that was interrupted",
    )
    assert found.recovered == ((change, outcome),)
    kept = msgspec.structs.replace(
        row,
        applied=stored(begun),
        asked=stored(begun),
        remote_id=remote_id,
        observed=stored(begun),
        observed_at=NOW,
        intent=None,
        outcome=kind.value,
        message="",
        attempts=0,
        next_try_at=None,
    )
    assert (found.entries, found.changes) == ((kept,), ())
