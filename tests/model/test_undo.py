"""What undoing comes to, row by row."""

from __future__ import annotations

import msgspec
import pytest

from opsync.model.ledger import Hold, HoldKind
from opsync.model.undo import TAKEN_BACK, Back, Left, Written, stands_for, undo_of
from opsync.model.value import Value
from tests.support.clock import START


def writes(*steps: tuple[Value, Value, str]) -> list[Written]:
    """One write a run, numbered from 1."""
    return [
        Written(at, at, f"{at}-0123abcd{suffix}", before, after)
        for at, (before, after, suffix) in enumerate(steps, 1)
    ]


MADE = (None, "a", "")
CHANGED = ("a", "b", "")
REMOVED = ("b", None, "")
BACK = ("b", "a", "")
UNDONE = ("b", "a", TAKEN_BACK)
REDONE = ("a", "b", "")
OVER_A_PERSON_S = ("mine", "b", "")


@pytest.mark.parametrize(
    ("steps", "chosen", "expected"),
    [
        ([MADE], {1}, Back(None, "a", HoldKind.undone)),
        ([MADE, CHANGED], {2}, Back("a", "b", HoldKind.undone)),
        ([MADE, CHANGED], {1}, Left("written since", 2)),
        ([MADE, CHANGED], {1, 2}, Back(None, "b", HoldKind.undone)),
        ([MADE, CHANGED, REMOVED], {3}, Back("b", None, HoldKind.undone)),
        ([MADE, CHANGED, REMOVED], {1, 2, 3}, Left("as before")),
        ([MADE, CHANGED, UNDONE], {3}, Back("b", "a", None)),
        ([MADE, CHANGED, UNDONE], {2}, Left("as before")),
        ([MADE, CHANGED, UNDONE], {1}, Back(None, "a", HoldKind.undone)),
        ([MADE, CHANGED, UNDONE, CHANGED], {1}, Left("written since", 4)),
        ([MADE, CHANGED, UNDONE, CHANGED, UNDONE], {1}, Back(None, "a", HoldKind.undone)),
        ([MADE, CHANGED, BACK], {1}, Left("written since", 3)),
        ([MADE, CHANGED, ("b", "c", ""), ("c", "a", TAKEN_BACK)], {3}, Left("written since", 4)),
        ([MADE, CHANGED, BACK, ("a", "b", TAKEN_BACK)], {2}, Back("a", "b", HoldKind.undone)),
        ([MADE, CHANGED, UNDONE], {1, 2, 3}, Back(None, "a", HoldKind.undone)),
        ([MADE, CHANGED, UNDONE, REDONE], {4}, Back("a", "b", HoldKind.undone)),
        ([MADE, OVER_A_PERSON_S], {2}, Back("mine", "b", HoldKind.theirs)),
        ([CHANGED], {1}, Back("a", "b", HoldKind.theirs)),
        ([UNDONE, ("a", "c", "")], {2}, Back("a", "c", HoldKind.undone)),
    ],
)
def test_what_undoing_puts_back(
    steps: list[tuple[Value, Value, str]], chosen: set[int], expected: Back | Left
) -> None:
    assert undo_of(writes(*steps), chosen) == expected


def wrote(before: Value, after: Value, *, theirs: bool = False, suffix: str = "") -> Written:
    """A write that tells whose the value was which it replaced."""
    return Written(0, 0, f"0-0123abcd{suffix}", before, after, theirs)


@pytest.mark.parametrize(
    ("steps", "chosen", "expected"),
    [
        ([wrote("a", "b")], {1}, Back("a", "b", HoldKind.undone)),
        ([wrote(None, "b", theirs=True)], {1}, Back(None, "b", HoldKind.undone)),
        (
            [wrote(None, "a"), wrote("mine", "b", theirs=True), wrote("b", "c")],
            {1, 2, 3},
            Back("mine", "c", HoldKind.theirs),
        ),
        (
            [
                wrote("mine", "b", theirs=True),
                wrote("hers", "c", theirs=True),
                wrote("c", "d"),
            ],
            {1, 2, 3},
            Back("hers", "d", HoldKind.theirs),
        ),
        (
            [
                wrote("mine", "b", theirs=True),
                wrote("b", "mine", suffix=TAKEN_BACK),
            ],
            {1, 2},
            Left("as before"),
        ),
        (
            [
                wrote(None, "b"),
                wrote("mine", "b", theirs=True),
                wrote("b", "mine", suffix=TAKEN_BACK),
                wrote("mine", "b", theirs=True),
            ],
            {4},
            Back("mine", "b", HoldKind.theirs),
        ),
    ],
)
def test_what_a_person_wrote_in_between_is_not_gone_back_behind(
    steps: list[Written], chosen: set[int], expected: Back | Left
) -> None:
    numbered = [msgspec.structs.replace(one, seq=at, run=at) for at, one in enumerate(steps, 1)]
    assert undo_of(numbered, chosen) == expected


@pytest.mark.parametrize("kind", list(HoldKind))
def test_what_had_been_decided_before_is_so_again(kind: HoldKind) -> None:
    hold = Hold(kind, "ana", START)
    released = Written(1, 1, f"1-0123abcd{TAKEN_BACK}", "a", None, False, hold)
    kept = kind in {HoldKind.undone, HoldKind.refused}
    again = hold if kept else None
    assert undo_of([released], {1}) == Back("a", None, None, again=again)


@pytest.mark.parametrize(
    ("value", "wrote", "now", "expected"),
    [
        (None, "a", "a", "restore"),
        (None, "a", None, "stands"),
        (None, "a", "mine", Left("edited")),
        ("a", "b", "b", "restore"),
        ("a", "b", "a", "stands"),
        ("a", "b", None, Left("removed")),
        ("a", "b", "mine", Left("edited")),
        ("a", None, None, "restore"),
        ("a", None, "a", "stands"),
        ("a", None, "mine", Left("edited")),
    ],
)
def test_it_is_put_back_only_where_what_was_written_stands(
    value: Value, wrote: Value, now: Value, expected: str | Left
) -> None:
    assert stands_for(Back(value, wrote, HoldKind.undone), now) == expected


@pytest.mark.parametrize(
    ("wrote", "begun", "now", "expected"),
    [
        ("a", "b", "a", "restore"),
        ("a", "b", "b", "restore"),
        ("a", "b", None, "stands"),
        ("a", "b", "mine", Left("edited")),
        (None, "b", "b", "restore"),
        (None, "b", None, "stands"),
        (None, "b", "mine", Left("edited")),
        ("a", None, "a", "restore"),
        ("a", None, None, "stands"),
    ],
)
def test_a_write_of_unknown_outcome_is_taken_away_where_it_stands(
    wrote: Value, begun: Value, now: Value, expected: str | Left
) -> None:
    back = Back(None, wrote, HoldKind.released, begun=begun)
    assert stands_for(back, now) == expected


def test_where_a_person_removed_it_nothing_is_put_back_although_nothing_was_begun() -> None:
    assert stands_for(Back("a", "b", HoldKind.undone, begun=None), None) == Left("removed")
