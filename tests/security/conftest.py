"""The small company, as opsync first sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A company that opsync has never seen."""
    return World(tmp_path)
