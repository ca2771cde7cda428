"""A run that dies at any of its steps is repaired by the next ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.playing import quick_stores, quiet
from tests.simulation.sweep import EDITS, MOST_STEPS, REPAIRED_IN, sweep, undisturbed

PARTS = 6


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_run_that_dies_at_any_step_is_repaired(tmp_path: Path, part: int) -> None:
    """I10, F45: every await of a reference run."""
    with quiet(), quick_stores():
        steps, wanted = undisturbed(tmp_path, "link")
        assert 100 < steps <= MOST_STEPS
        most = sweep(tmp_path, "link", range(1 + part, steps + 1, PARTS), wanted)
    assert most <= REPAIRED_IN


@pytest.mark.slow
@pytest.mark.parametrize("edit", EDITS)
def test_a_run_that_dies_at_some_step_is_repaired(tmp_path: Path, edit: str) -> None:
    """I10, F45: a few of them."""
    with quiet(), quick_stores():
        steps, wanted = undisturbed(tmp_path, edit)
        assert sweep(tmp_path, edit, range(17, steps, 120), wanted) <= REPAIRED_IN
