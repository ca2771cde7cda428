"""What tests of the service share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.service.beside import Beside, beside


@pytest.fixture(autouse=True)
def _log_unfiltered() -> None:
    """Commands set up logging for their whole process, and leave it so."""
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _answers_while_the_store_waits(stores_have_threads: None) -> None:
    """As in a process of its own."""


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Beside]:
    """The small company, whose service can be started."""
    with beside(tmp_path) as made:
        yield made


@pytest.fixture
def served(company: Beside) -> Iterator[Beside]:
    """The same while its service runs, after its first round has written everything."""
    with company.serving():
        company.settled()
        yield company
