"""The planner's table, row by row: desired against applied, and what is observed."""

from __future__ import annotations

from itertools import product

import pytest

from opsync.model.decision import Decision, decide
from opsync.model.ledger import stored

ABSENT = stored(None)
OLD = stored("11 of 20 done")
NEW = stored("12 of 20 done")
THEIRS = stored("ask Ana")


@pytest.mark.parametrize(
    ("desired", "applied", "observed", "decision"),
    [
        # same | = applied, or not read | nothing
        (OLD, OLD, OLD, Decision.nothing),
        (OLD, OLD, None, Decision.nothing),
        (ABSENT, ABSENT, ABSENT, Decision.nothing),
        (ABSENT, ABSENT, None, Decision.nothing),
        # differs, or absent | = applied, or not readable before the write | write, or remove
        (NEW, OLD, OLD, Decision.write),
        (NEW, OLD, None, Decision.write),
        (ABSENT, OLD, OLD, Decision.write),
        (ABSENT, OLD, None, Decision.write),
        # any | = desired | adopt, no write
        (NEW, OLD, NEW, Decision.adopt),
        (NEW, ABSENT, NEW, Decision.adopt),
        (ABSENT, OLD, ABSENT, Decision.adopt),
        # any | neither, or gone | conflict: no write
        (NEW, OLD, THEIRS, Decision.conflict),
        (OLD, OLD, THEIRS, Decision.conflict),
        (ABSENT, OLD, THEIRS, Decision.conflict),
        (NEW, OLD, ABSENT, Decision.gone),
        (OLD, OLD, ABSENT, Decision.gone),
        # nothing applied yet | empty / something else | write / conflict
        (NEW, ABSENT, ABSENT, Decision.write),
        (NEW, ABSENT, None, Decision.write),
        (NEW, ABSENT, THEIRS, Decision.conflict),
    ],
)
def test_each_row_of_the_table(
    desired: bytes, applied: bytes, observed: bytes | None, decision: Decision
) -> None:
    assert decide(desired, applied, observed) is decision


def test_what_carries_our_marker_is_ours_also_after_a_lost_store() -> None:
    assert decide(NEW, ABSENT, OLD, ours=True) is Decision.write
    assert decide(NEW, ABSENT, NEW, ours=True) is Decision.adopt
    assert decide(NEW, OLD, THEIRS, ours=True) is Decision.conflict


@pytest.mark.parametrize(
    ("intent", "observed", "decision"),
    [
        (NEW, None, Decision.look),
        (NEW, NEW, Decision.adopt),
        (NEW, OLD, Decision.write),
        (NEW, THEIRS, Decision.conflict),
    ],
)
def test_a_write_with_an_unknown_outcome_is_looked_at_before_the_next(
    intent: bytes, observed: bytes | None, decision: Decision
) -> None:
    assert decide(NEW, OLD, observed, intent=intent) is decision


def test_an_unknown_write_of_an_older_value_counts_as_applied_when_it_is_seen() -> None:
    newest = stored("13 of 20 done")
    assert decide(newest, OLD, NEW, intent=NEW) is Decision.write


def test_an_unknown_create_that_never_happened_is_written() -> None:
    assert decide(NEW, ABSENT, ABSENT, intent=NEW) is Decision.write


def test_an_unknown_removal_is_done_when_nothing_stands_there() -> None:
    assert decide(ABSENT, OLD, ABSENT, intent=ABSENT) is Decision.adopt


@pytest.mark.parametrize("seen", [True, False], ids=["read", "not read"])
@pytest.mark.parametrize("intent", [None, ABSENT, OLD, NEW])
def test_whatever_stands_there_carrying_a_decision_out_ends_after_two(
    intent: bytes | None, seen: bool
) -> None:
    """I3: after a look and a write at most, or an adoption and a write, nothing is left to do."""
    values = (ABSENT, OLD, NEW, THEIRS)
    for desired, before, stands in product(values, repeat=3):
        applied, noted, shown, steps = before, intent, stands if seen else None, 0
        while True:
            decision = decide(desired, applied, shown, intent=noted)
            if decision is Decision.look:
                shown = stands
            elif decision is Decision.write:
                applied = shown = desired
                noted = None
            elif decision is Decision.adopt:
                assert shown is not None
                applied, noted = shown, None
            else:
                break
            steps += 1
            assert steps <= 2, (desired, before, stands)
