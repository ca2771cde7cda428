"""A connection is as fresh as the feed of it that was read longest ago."""

from __future__ import annotations

from datetime import UTC, datetime

from opsync.engine.freshness import failing_since, read_at
from opsync.store import CursorState

EARLY = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATE = datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_the_oldest_reading_and_the_first_failure_count() -> None:
    feeds = [
        CursorState(instance="jira", feed="issues", completed_at=LATE, failed_since=EARLY),
        CursorState(instance="jira", feed="boards", completed_at=EARLY, failed_since=LATE),
        CursorState(instance="jira", feed="new"),
    ]

    assert read_at(feeds) == EARLY
    assert failing_since(feeds) == EARLY


def test_what_was_never_read_and_never_failed_has_neither() -> None:
    feeds = [CursorState(instance="jira", feed="issues")]

    assert read_at(feeds) is None
    assert failing_since(feeds) is None
