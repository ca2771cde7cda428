"""Generated worlds: whatever people, crashes and vendors did, plans settle and harm nobody."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsync.model.decision import Decision, decide
from opsync.stages import slots
from tests.properties import cases
from tests.properties.cases import KINDS, Counts, TooRare, case, run_cases
from tests.properties.choices import Drawn, Seeded
from tests.properties.loop import ITERATIONS_MAX
from tests.properties.rules import Violation
from tests.support.processors import spare_processors

ROOT = Path(__file__).resolve().parents[2]
SHRINKING = settings(deadline=None, derandomize=True, database=None, print_blob=True)


def test_generated_worlds_settle_and_harm_nobody() -> None:
    counts = run_cases(1, 3_000)
    assert counts.cases == 3_000
    assert max(counts.iterations) <= ITERATIONS_MAX


@pytest.mark.slow
@pytest.mark.reckons
@pytest.mark.timeout(3_000)
def test_two_hundred_thousand_generated_worlds_settle_and_harm_nobody() -> None:
    """I1, I2, I3, I4, I5, I6: judged by rules that are written without the planner."""
    counts = run_cases(1_000_000, 200_000, workers=spare_processors())
    assert counts.cases == 200_000
    assert max(counts.iterations) <= ITERATIONS_MAX


@settings(SHRINKING, max_examples=40)
@given(st.data())
def test_worlds_that_hypothesis_makes_up_settle_and_harm_nobody(data: st.DataObject) -> None:
    case(Drawn(data), Counts())


@pytest.mark.slow
@settings(SHRINKING, max_examples=800)
@given(st.data())
def test_many_worlds_that_hypothesis_makes_up_settle_and_harm_nobody(data: st.DataObject) -> None:
    case(Drawn(data), Counts())


def test_a_seed_is_the_same_case_every_time() -> None:
    first, second = Counts(), Counts()
    case(Seeded(77), first)
    case(Seeded(77), second)
    assert first == second


def test_a_move_that_broke_off_and_is_taken_is_asked_about_and_never_written() -> None:
    """The documented limit: it is looked at in each plan."""
    case(Seeded(5026756), Counts())


def test_a_run_in_which_something_hardly_came_up_fails() -> None:
    with pytest.raises(TooRare, match="less than 20 times"):
        run_cases(1, 10)


def test_a_planner_that_writes_over_people_is_caught_and_replayed_by_one_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = decide

    def rude(*args: Any, **kwargs: Any) -> Decision:
        found = real(*args, **kwargs)
        return Decision.write if found is Decision.conflict else found

    monkeypatch.setattr(slots, "decide", rude)
    with pytest.raises(Violation, match="a person's edit is not written over") as caught:
        run_cases(1, 500)
    command = re.search(r"python -m (\S+) (\d+)$", str(caught.value))
    assert command is not None
    assert command[1] == cases.__name__
    with pytest.raises(Violation, match="a person's edit"):
        case(Seeded(int(command[2])), Counts())


def test_the_replaying_command_runs() -> None:
    command = [sys.executable, "-m", "tests.properties.cases", "77"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "seed 77: nothing is wrong\n"


def test_all_that_a_run_counts_is_named_once() -> None:
    assert len(set(KINDS)) == len(KINDS)
