"""Planning one target: slots, holds, other people's links, carried values."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

import msgspec
import pytest

from opsync.contract.connector import Surface, Writable
from opsync.model import (
    Change,
    Kind,
    LinkContent,
    Outcome,
    Record,
    Ref,
    RollupContent,
    Seen,
    Slot,
    Value,
    Verb,
)
from opsync.model.ledger import Entry, Hold, HoldKind, digest, stored
from opsync.model.rules import Mode
from opsync.stages.places import Want
from opsync.stages.plan import TargetPlan, plan
from tests.support.build import at, record, ref

NOW = at(22)


class Board(Writable):
    """A system with one pulled text, one that stands alone, one carried date, pulled links, and
    links read on demand."""

    surfaces: ClassVar = (
        Surface("text", "rollup", frozenset({Kind.issue}), ("Text",), pulled=True),
        Surface("use", "rollup", frozenset({Kind.issue}), ("Use",), pulled=True, alone=True),
        Surface("changed", "rollup", frozenset({Kind.issue}), ("At",), pulled=True, carried=True),
        Surface("link", "link", frozenset({Kind.issue}), ("Link",), pulled=True),
        Surface("remote", "link", frozenset({Kind.issue}), ("Remote",)),
    )

    def render(self, surface: str, target: Record, content: LinkContent | RollupContent) -> Value:
        return None

    def address(self, surface: str, value: Value) -> str:
        if surface in ("link", "remote") and isinstance(value, dict):
            return str(value["url"])
        return ""

    async def observe(self, target: Record) -> Sequence[Seen]:
        return ()

    def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        raise NotImplementedError


def slot(surface: str = "text", other: str = "root") -> Slot:
    return Slot(ref("1"), surface, "roadmap", ref(other, "notion"))


def seen_target(*seen: Seen, complete: bool = True) -> Record:
    return record("1", seen=seen, seen_complete=complete)


def planned(
    target: Record,
    *wants: Want,
    entries: Sequence[Entry] = (),
    seen: Sequence[Seen] | None = None,
) -> TargetPlan:
    return plan(target, wants, entries, Board(), now=NOW, run=7, seen=seen)


def entry(value: Value, *, surface: str = "text", **more: object) -> Entry:
    made = Entry(slot=slot(surface), desired=stored(value), applied=stored(value))
    return msgspec.structs.replace(made, **more)


def test_an_empty_place_is_written() -> None:
    result = planned(seen_target(), Want(slot(), "new", "because"))
    [change] = result.changes
    assert (change.verb, change.desired, change.before, change.reason) == (
        Verb.create,
        "new",
        None,
        "because",
    )
    [row] = result.entries
    assert row.desired == stored("new")
    assert row.applied == stored(None)


def test_what_is_right_is_not_written_and_not_noted_again() -> None:
    here = Seen.of("text", "same", remote_id="p1")
    row = entry("same", remote_id="p1", observed=stored("same"))
    assert planned(seen_target(here), Want(slot(), "same"), entries=[row]) == TargetPlan()


def test_an_update_carries_what_stands_there_and_its_remote_id() -> None:
    here = Seen.of("text", "old", remote_id="p1")
    [change] = planned(
        seen_target(here), Want(slot(), "new"), entries=[entry("old", remote_id="p1")]
    ).changes
    assert (change.verb, change.before, change.remote_id) == (Verb.update, "old", "p1")


def test_what_nothing_wants_any_more_is_removed_exactly() -> None:
    here = Seen.of("text", "old", remote_id="p1")
    [change] = planned(seen_target(here), entries=[entry("old", remote_id="p1")]).changes
    assert (change.verb, change.desired, change.remote_id) == (Verb.remove, None, "p1")


def test_a_persons_edit_is_a_conflict_with_both_values_kept() -> None:
    here = Seen.of("text", "ask Ana", remote_id="p1")
    result = planned(seen_target(here), Want(slot(), "new"), entries=[entry("old", remote_id="p1")])
    assert result.changes == ()
    [row] = result.conflicts
    assert (row.desired, row.applied, row.observed) == (
        stored("new"),
        stored("old"),
        stored("ask Ana"),
    )


def test_a_pulled_place_that_the_person_lets_go_of_is_written_again() -> None:
    here = Seen.of("text", "old", remote_id="p1")
    row = entry(
        "old",
        remote_id="p1",
        desired=stored("new"),
        outcome="conflicted",
        observed=stored("theirs"),
    )
    [change] = planned(seen_target(here), Want(slot(), "new"), entries=[row]).changes
    assert change.verb is Verb.update


def test_what_a_person_removed_stays_removed() -> None:
    first = planned(seen_target(), Want(slot(), "new"), entries=[entry("old", remote_id="p1")])
    assert first.changes == ()
    [row] = first.held
    assert row.hold is not None
    assert row.hold.kind is HoldKind.removed
    second = planned(seen_target(), Want(slot(), "newer"), entries=[row])
    assert second.changes == ()


def test_a_hold_for_one_value_lapses_with_it() -> None:
    hold = Hold(HoldKind.conflict, "ana", NOW, desired_hash=digest(stored("new")))
    row = entry("old", surface="remote", desired=stored("new"), hold=hold)
    target = seen_target()
    assert planned(target, Want(slot("remote"), "new"), entries=[row]).changes == ()
    assert len(planned(target, Want(slot("remote"), "newer"), entries=[row]).changes) == 1


def test_a_conflict_at_a_place_that_is_not_pulled_is_held_until_the_value_changes() -> None:
    want = Want(slot("remote"), {"url": "https://x.example", "title": "new"})
    row = entry({"url": "https://x.example", "title": "old"}, surface="remote", remote_id="r1")
    theirs = Seen.of(
        "remote", {"url": "https://x.example", "title": "mine"}, remote_id="r1", ours=True
    )
    [held] = planned(seen_target(), want, entries=[row], seen=[theirs]).conflicts
    assert held.hold is not None
    assert planned(seen_target(), want, entries=[held]).changes == ()


def test_the_same_url_made_by_somebody_else_is_left_alone() -> None:
    theirs = Seen.of("link", {"url": "https://x.example"}, address="https://x.example")
    want = Want(slot("link"), {"url": "https://x.example"})
    result = planned(seen_target(theirs), want)
    assert result.changes == ()
    [row] = result.skipped
    assert row.message == "already linked by somebody else"
    assert not row.pending


def test_an_equal_link_with_our_marker_is_adopted_after_a_lost_store() -> None:
    value = {"url": "https://x.example"}
    ours = Seen.of("link", value, address="https://x.example", remote_id="a1", ours=True)
    result = planned(seen_target(ours), Want(slot("link"), value))
    assert result.changes == ()
    [row] = result.entries
    assert (row.applied, row.remote_id) == (stored(value), "a1")


def test_a_place_that_was_not_read_is_planned_and_looked_at_later() -> None:
    [change] = planned(seen_target(), Want(slot("remote"), {"url": "https://x.example"})).changes
    assert change.verb is Verb.create


def test_a_carried_value_is_never_a_reason_to_write() -> None:
    here = Seen.of("text", "same", remote_id="p1")
    day = Seen.of("changed", "2026-11-01", remote_id="p2", ours=True)
    rows = [
        entry("same", remote_id="p1"),
        entry("2026-11-01", surface="changed", remote_id="p2"),
    ]
    wants = [Want(slot(), "same"), Want(slot("changed"), "2026-11-22")]
    assert planned(seen_target(here, day), *wants, entries=rows).changes == ()
    wants[0] = Want(slot(), "new")
    changes = planned(seen_target(here, day), *wants, entries=rows).changes
    assert [c.slot.surface for c in changes] == ["text", "changed"]


def test_a_carried_value_with_nothing_to_go_with_waits_for_nothing() -> None:
    """A rule was taken out and put back before its removals were approved, or the value was undone
    and let go of: nothing is planned, so nothing may count as waiting either."""
    rows = [entry("same", remote_id="p1"), entry("2026-11-01", surface="changed", remote_id="p2")]
    going = msgspec.structs.replace(rows[1], desired=stored(None))
    undone = msgspec.structs.replace(rows[1], applied=stored(None), asked=stored(None))
    wants = [Want(slot(), "same"), Want(slot("changed"), "2026-11-22")]
    here = Seen.of("text", "same", remote_id="p1")
    for row in (going, undone):
        result = planned(seen_target(here), *wants, entries=[rows[0], row])
        assert result.changes == ()
        [kept] = [one for one in result.entries if one.slot == row.slot]
        assert (kept.desired, kept.applied) == (row.applied, row.applied)


def test_a_carried_value_that_stands_in_opsyncs_form_is_taken_up_without_a_row() -> None:
    """After a lost store nothing else takes it up: it is never written, nor right."""
    day = Seen.of("changed", "2026-11-01", remote_id="p2", ours=True)
    wants = [Want(slot(), "same"), Want(slot("changed"), "2026-11-22")]
    text = Seen.of("text", "same", remote_id="p1")
    result = planned(seen_target(text, day), *wants)
    assert result.changes == ()
    [kept] = [one for one in result.entries if one.slot == slot("changed")]
    assert kept == Entry(
        slot=slot("changed"),
        desired=stored("2026-11-01"),
        applied=stored("2026-11-01"),
        asked=stored("2026-11-01"),
        observed=stored("2026-11-01"),
        observed_at=NOW,
        remote_id="p2",
        outcome="unchanged",
    )
    assert not kept.pending
    # With a row it is as the row has it, and goes along with what is written.
    again = planned(seen_target(text, day), *wants, entries=result.entries)
    assert (again.changes, again.entries) == ((), ())
    wants[0] = Want(slot(), "new")
    changes = planned(seen_target(text, day), *wants, entries=result.entries).changes
    assert [(c.slot.surface, c.before) for c in changes] == [
        ("text", "same"),
        ("changed", "2026-11-01"),
    ]


def test_a_carried_value_is_taken_up_where_what_it_goes_with_is_only_proposed() -> None:
    day = Seen.of("changed", "2026-11-01", remote_id="p2", ours=True)
    wants = [
        Want(slot(), "new", mode=Mode.propose),
        Want(slot("changed"), "2026-11-22", mode=Mode.propose),
    ]
    result = planned(seen_target(day), *wants)
    assert [c.slot.surface for c in result.proposed] == ["text", "changed"]
    row = [one for one in result.entries if one.slot == slot("changed")][-1]
    assert (row.desired, row.applied) == (stored("2026-11-22"), stored("2026-11-01"))


@pytest.mark.parametrize(
    ("here", "row"),
    [
        (Seen.of("changed", "2026-11-01/2026-11-05"), None),
        (Seen.of("changed", None, ours=True), None),
        (None, None),
        (
            Seen.of("changed", "2026-11-01", ours=True),
            msgspec.structs.replace(
                entry("", surface="changed"),
                applied=stored(None),
                hold=Hold(HoldKind.undone, "ana", at(1)),
            ),
        ),
        (
            Seen.of("changed", "2026-11-01", ours=True),
            msgspec.structs.replace(
                entry("", surface="changed"), applied=stored(None), outcome="failed"
            ),
        ),
        (Seen.of("changed", "2026-11-01", ours=True), entry("2026-10-30", surface="changed")),
    ],
    ids=["not in its form", "empty", "not read", "undone", "failed", "known"],
)
def test_what_may_be_a_person_s_is_not_taken_up_with_it(
    here: Seen | None, row: Entry | None
) -> None:
    target = seen_target(complete=False) if here is None else seen_target(here)
    rows = [] if row is None else [row]
    result = planned(target, Want(slot("changed"), "2026-11-22"), entries=rows)
    after = [one for one in result.entries if one.slot == slot("changed")]
    assert stored("2026-11-01") not in [one.applied for one in after]
    assert stored("2026-11-01/2026-11-05") not in [one.applied for one in after]


def test_a_value_that_stands_alone_carries_none_along() -> None:
    here = Seen.of("text", "same", remote_id="p1")
    use = Seen.of("use", "1 user a day", remote_id="p3")
    day = Seen.of("changed", "2026-11-01", remote_id="p2", ours=True)
    rows = [
        entry("same", remote_id="p1"),
        entry("1 user a day", surface="use", remote_id="p3"),
        entry("2026-11-01", surface="changed", remote_id="p2"),
    ]
    wants = [Want(slot(), "same"), Want(slot("use"), "2 users a day")]
    wants.append(Want(slot("changed"), "2026-11-22"))
    changes = planned(seen_target(here, use, day), *wants, entries=rows).changes
    assert [c.slot.surface for c in changes] == ["use"]
    wants[0] = Want(slot(), "new")
    changes = planned(seen_target(here, use, day), *wants, entries=rows).changes
    assert [c.slot.surface for c in changes] == ["text", "use", "changed"]


def test_a_failed_write_waits_for_its_next_try_unless_the_value_changes() -> None:
    row = entry(None, desired=stored("new"), next_try_at=NOW + timedelta(hours=1), message="503")
    assert planned(seen_target(), Want(slot(), "new"), entries=[row]).changes == ()
    assert len(planned(seen_target(), Want(slot(), "newer"), entries=[row]).changes) == 1


def test_an_unknown_outcome_is_looked_at_even_where_the_place_was_pulled() -> None:
    row = entry(None, desired=stored("new"), intent=stored("new"))
    assert len(planned(seen_target(), Want(slot(), "new"), entries=[row]).changes) == 1
    here = Seen.of("text", "new", remote_id="p1")
    result = planned(seen_target(), Want(slot(), "new"), entries=[row], seen=[here])
    assert result.changes == ()
    [known] = result.entries
    assert (known.applied, known.intent) == (stored("new"), None)


def test_a_rule_that_observes_shows_its_changes_and_writes_none() -> None:
    result = planned(seen_target(), Want(slot(), "new", mode=Mode.observe))
    assert result.changes == ()
    assert len(result.observed_only) == 1


def test_what_is_to_be_removed_is_pending_whatever_was_asked_for() -> None:
    assert entry("old", desired=stored(None)).pending


def test_a_value_that_the_vendor_rounds_is_written_once() -> None:
    row = Entry(
        slot=slot(),
        desired=stored("33.333"),
        asked=stored("33.333"),
        applied=stored("33.33"),
        remote_id="p1",
    )
    here = Seen.of("text", "33.33", remote_id="p1")
    assert not row.pending
    assert planned(seen_target(here), Want(slot(), "33.333"), entries=[row]).changes == ()
    [change] = planned(seen_target(here), Want(slot(), "50"), entries=[row]).changes
    assert change.before == "33.33"
    edited = Seen.of("text", "33.3", remote_id="p1")
    assert planned(seen_target(edited), Want(slot(), "33.333"), entries=[row]).conflicts


def test_an_interrupted_write_that_happened_is_noted_as_one() -> None:
    row = entry("old", desired=stored("new"), intent=stored("new"), remote_id="p1")
    here = Seen.of("text", "new", remote_id="p1")
    result = planned(seen_target(), Want(slot(), "new"), entries=[row], seen=[here])
    [(change, outcome)] = result.recovered
    assert (change.before, change.desired, outcome.kind) == ("old", "new", "updated")
    assert result.changes == ()


def test_an_interrupted_write_of_an_older_value_is_noted_and_the_newest_is_written() -> None:
    row = entry("old", desired=stored("new"), intent=stored("new"), remote_id="p1")
    here = Seen.of("text", "new", remote_id="p1")
    result = planned(seen_target(), Want(slot(), "newest"), entries=[row], seen=[here])
    assert len(result.recovered) == 1
    [change] = result.changes
    assert change.before == "new"
    [kept] = result.entries
    assert (kept.applied, kept.intent) == (stored("new"), None)


def test_a_carried_value_with_an_unknown_outcome_is_looked_at_by_itself() -> None:
    row = entry("2026-11-21", surface="changed", intent=stored("2026-11-22"), remote_id="p2")
    want = Want(slot("changed"), "2026-11-22")
    assert len(planned(seen_target(), want, entries=[row]).changes) == 1
    here = Seen.of("changed", "2026-11-22", remote_id="p2", ours=True)
    assert planned(seen_target(), want, entries=[row], seen=[here]).changes == ()


def test_a_settled_conflict_is_one_no_more() -> None:
    row = entry("same", remote_id="p1", outcome="conflicted", observed=stored("theirs"))
    here = Seen.of("text", "same", remote_id="p1")
    [kept] = planned(seen_target(here), Want(slot(), "same"), entries=[row]).entries
    assert kept.outcome == ""


def test_a_conflict_that_the_vendor_found_is_told_again_and_not_tried_again() -> None:
    here = Seen.of("text", "old", remote_id="p1")
    row = entry(
        "old",
        remote_id="p1",
        desired=stored("new"),
        outcome="conflicted",
        observed=stored("old"),
    )
    result = planned(seen_target(here), Want(slot(), "new"), entries=[row])
    assert result.changes == ()
    assert len(result.conflicts) == 1
    assert len(planned(seen_target(here), Want(slot(), "newer"), entries=[row]).changes) == 1


def linked(url: str, name: str = "") -> dict[str, Value]:
    return {"url": url, "title": name or url}


def test_an_interrupted_write_that_gave_the_place_another_id_is_found_by_its_address() -> None:
    old, new = linked("https://a.example", "old"), linked("https://a.example", "new")
    row = entry(old, surface="remote", desired=stored(new), intent=stored(new), remote_id="1")
    here = Seen.of("remote", new, address="https://a.example", remote_id="2", ours=True)

    result = planned(record("1"), Want(slot("remote"), new), entries=[row], seen=[here])

    [(_, outcome)] = result.recovered
    assert (outcome.kind, outcome.remote_id) == ("updated", "2")
    [kept] = result.entries
    assert (kept.applied, kept.remote_id, kept.hold) == (stored(new), "2", None)
    assert result.changes == ()


def test_an_interrupted_write_that_is_not_wanted_any_more_is_found_and_removed() -> None:
    new = linked("https://a.example")
    row = Entry(slot=slot("remote"), desired=stored(new), intent=stored(new))
    here = Seen.of("remote", new, address="https://a.example", remote_id="2", ours=True)

    result = planned(record("1"), entries=[row], seen=[here])

    [change] = result.changes
    assert (change.verb, change.remote_id) == (Verb.remove, "2")


def test_what_a_person_removed_while_a_write_was_interrupted_stays_removed() -> None:
    old, new = linked("https://a.example", "old"), linked("https://a.example", "new")
    row = entry(old, surface="remote", desired=stored(new), intent=stored(new), remote_id="1")
    theirs = Seen.of("remote", new | {"title": "theirs"}, address="https://a.example")

    result = planned(record("1"), Want(slot("remote"), new), entries=[row], seen=[theirs])

    assert result.changes == ()
    [held] = result.held
    assert held.hold is not None
    assert held.hold.kind is HoldKind.removed


def test_a_write_whose_answer_was_lost_passes_to_the_slot_that_has_its_place_now() -> None:
    value = linked("https://a.example")
    row = Entry(slot=slot("remote"), desired=stored(value), intent=stored(value))
    here = Seen.of("remote", value, address="https://a.example", remote_id="2", ours=True)
    renamed = Slot(ref("1"), "remote", "renamed", ref("root", "notion"))

    result = planned(record("1"), Want(renamed, value), entries=[row], seen=[here])

    assert result.changes == ()
    rows = {one.slot: one for one in result.entries}
    assert (rows[renamed].applied, rows[renamed].remote_id) == (stored(value), "2")
    assert rows[slot("remote")] == Entry(slot=slot("remote"))


def rested(target: Record, want: Want, before: Entry, *, until: int) -> TargetPlan:
    """A plan at `NOW` for what was rewritten before and rests until `until` o'clock."""
    resting = {before.slot: at(until)}
    return plan(target, [want], [before], Board(), now=NOW, run=7, resting=resting)


def test_what_was_rewritten_on_an_issue_just_before_waits() -> None:
    target = seen_target(Seen.of("text", "old"))
    result = rested(target, Want(slot(), "new"), entry("old"), until=23)
    assert result.changes == ()
    [(waiting, until)] = result.resting
    assert (waiting.desired, until) == (stored("new"), at(23))
    assert result.entries == (waiting,), "the value is kept as one that should stand there"


def test_when_its_time_has_come_it_is_written() -> None:
    target = seen_target(Seen.of("text", "old"))
    result = rested(target, Want(slot(), "new"), entry("old"), until=22)
    assert [change.verb for change in result.changes] == [Verb.update]
    assert result.resting == ()


def test_containers_and_pages_do_not_rest() -> None:
    for kind in (Kind.initiative, Kind.epic, Kind.project):
        target = msgspec.structs.replace(seen_target(Seen.of("text", "old")), kind=kind)
        result = rested(target, Want(slot(), "new"), entry("old"), until=23)
        assert len(result.changes) == 1, kind


def test_a_removal_does_not_wait() -> None:
    target = seen_target(Seen.of("text", "old"))
    result = rested(target, Want(slot(), None), entry("old"), until=23)
    assert [change.verb for change in result.changes] == [Verb.remove]


def test_an_interrupted_write_is_looked_at_although_its_place_rests() -> None:
    target = seen_target(Seen.of("text", "old"))
    before = entry("old", intent=stored("new"))
    result = rested(target, Want(slot(), "new"), before, until=23)
    assert [change.interrupted for change in result.changes] == [True]
