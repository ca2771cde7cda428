"""Work in progress as it is counted, without what it says."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from opsync.model.record import Ref


class Working(Struct, frozen=True):
    """One item in progress: the team or project it is under, since when, and whether an initiative
    counts it or what it is part of. `space` is "" for private work."""

    ref: Ref
    space: str = ""
    since: datetime | None = None
    reached: bool = False
