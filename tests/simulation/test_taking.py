"""An undo or a release that dies at any of its steps is whole once it is repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.again import alone
from tests.simulation.taking import COMMANDS, MOST_STEPS, sweep


@pytest.mark.slow
@pytest.mark.reckons
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_dies_at_every_eleventh_step_is_whole_once_repeated(
    tmp_path: Path, command: str
) -> None:
    """I10, F45: of an undo, of the undo of one, and of a release of everything. `python -m
    tests.verify steps --full` leaves out none."""
    assert 50 < alone(sweep, tmp_path, command, 1, 11) <= MOST_STEPS
