"""A run that dies at any of its steps is repaired by the next ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.again import alone
from tests.simulation.sweep import MOST_STEPS, REPAIRED_IN, sweep

PARTS = 2


@pytest.mark.slow
@pytest.mark.reckons
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_run_that_dies_at_any_step_is_repaired(tmp_path: Path, part: int) -> None:
    """I10, F45: every await of a reference run."""
    steps, most = alone(sweep, tmp_path, "link", 1 + part, PARTS)
    assert 100 < steps <= MOST_STEPS
    assert most <= REPAIRED_IN


@pytest.mark.slow
def test_a_run_that_removes_a_link_and_dies_is_repaired(tmp_path: Path) -> None:
    """I10, F45: every eleventh step. `python -m tests.verify steps` leaves out none."""
    _, most = alone(sweep, tmp_path, "unlink", 1, 11)
    assert most <= REPAIRED_IN
