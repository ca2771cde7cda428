"""Planning where two things crossed: a crash and a person, a move and somebody else's link."""

from __future__ import annotations

from opsync.model import Seen, Verb
from opsync.model.ledger import SKIPPED, Hold, HoldKind, digest, stored
from opsync.model.rules import Mode
from opsync.stages.plan import TAKEN, Want
from tests.stages.test_plan import NOW, entry, linked, planned, seen_target, slot

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
