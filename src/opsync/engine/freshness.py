"""How fresh what was read is: as fresh as the feed that was read longest ago."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from opsync.store import CursorState


def read_at(feeds: Iterable[CursorState]) -> datetime | None:
    """Since when all that was ever read to the end is known; None: nothing was."""
    return min((one.completed_at for one in feeds if one.completed_at is not None), default=None)


def failing_since(feeds: Iterable[CursorState]) -> datetime | None:
    """The first failure that lasts; None: nothing fails."""
    return min((one.failed_since for one in feeds if one.failed_since is not None), default=None)
