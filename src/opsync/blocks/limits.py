"""`[limits]`: how much a run may do in one connection before a person says that it is meant."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from opsync.blocks.base import Block
from opsync.model import Limits


class LimitsBlock(Block):
    """`[limits]`: over one of them nothing of a connection's plan is written, until a run is
    allowed more: `opsync sync --allow-removals 40`."""

    removals: Annotated[int, Field(ge=0)] = 10
    """So many values may be removed in one connection within 24 hours …"""

    removals_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    """… or this share of all that opsync has there, whichever is more."""

    creates: Annotated[int, Field(ge=0)] = 1000
    """So many values may be written within 24 hours where nothing stood."""

    rewrites_a_day: Annotated[int, Field(ge=1)] = 20
    """So often one value may be written within 24 hours."""

    rewrite_pause_minutes: Annotated[int, Field(ge=0)] = 60
    """So long a value on an issue rests between two rewrites; 0: not at all."""

    def settings(self) -> Limits:
        """The same, as the pure stages take it."""
        return Limits(**self.model_dump())
