"""An undo or a release that dies at any of its steps is whole once it is repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.playing import quick_stores, quiet
from tests.simulation.taking import COMMANDS, MOST_STEPS, sweep, undisturbed

PARTS = 3
STRIDE = 15
"""Each part takes so many steps at once. `python -m tests.verify steps --full` leaves out none."""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("command", COMMANDS)
def test_what_dies_at_every_fifth_step_is_whole_once_repeated(
    tmp_path: Path, command: str, part: int
) -> None:
    """I10, F45: of an undo, of the undo of one, and of a release of everything."""
    with quiet(), quick_stores():
        steps, wanted = undisturbed(tmp_path, command)
        assert 50 < steps <= MOST_STEPS
        sweep(tmp_path, command, range(1 + 5 * part, steps + 1, STRIDE), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_what_dies_at_some_step_is_whole_once_repeated(tmp_path: Path, command: str) -> None:
    """I10, F45: a few of them."""
    with quiet(), quick_stores():
        steps, wanted = undisturbed(tmp_path, command)
        sweep(tmp_path, command, range(23, steps, 97), wanted)
