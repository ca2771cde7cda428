"""When all ids are listed, and when a listing is not believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from opsync.stages.census import is_due, too_many

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


@pytest.mark.parametrize(
    ("ago", "due"),
    [
        (None, True),
        (timedelta(0), False),
        (DAY - timedelta(seconds=1), False),
        (DAY, True),
        (timedelta(days=400), True),
        (timedelta(seconds=-1), True),
    ],
    ids=["never", "now", "just before", "a day ago", "long ago", "after the clock was set back"],
)
def test_a_census_is_due_a_day_after_the_last(ago: timedelta | None, due: bool) -> None:
    assert is_due(None if ago is None else NOW - ago, NOW, DAY) is due


@pytest.mark.parametrize(
    ("missing", "known", "listed", "allowed", "doubted"),
    [
        (0, 0, 0, 0, False),
        (1, 1, 0, 0, True),
        (10, 12, 2, 0, False),
        (11, 12, 1, 0, True),
        (20, 100, 80, 0, False),
        (21, 100, 79, 0, True),
        (21, 100, 79, 20, True),
        (21, 100, 79, 21, False),
        (100, 100, 0, 99, True),
        (100, 100, 0, 100, False),
        (0, 5, 0, 0, False),
    ],
)
def test_more_than_ten_and_a_fifth_do_not_vanish_at_once_unless_a_person_says_so(
    missing: int, known: int, listed: int, allowed: int, doubted: bool
) -> None:
    assert too_many(missing, known, listed=listed, allowed=allowed) is doubted
