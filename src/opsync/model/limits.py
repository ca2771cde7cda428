"""How much one run may do to a tool at once, and how often one value."""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """What a run may do in one instance before a person has to say that it is meant.

    `removals` and `creates` count values, with those of the runs of the last 24 hours. Of removals
    the larger of `removals` and `removals_share` of what opsync has there may happen.
    `rewrites_a_day` is how often one value is written within 24 hours. `rewrite_pause_minutes` is
    how long a value on an issue rests between two rewrites. `vanished` is
    how many records may be missing from a listing at once although it is suspiciously much: none,
    unless a person says so.
    """

    removals: int = 10
    removals_share: float = 0.2
    creates: int = 1000
    rewrites_a_day: int = 20
    rewrite_pause_minutes: int = 60
    vanished: int = 0

    def raised(
        self, *, removals: int = 0, creates: int = 0, rewrites: int = 0, vanished: int = 0
    ) -> Limits:
        """The same, with room for so many. None of them is lowered."""
        return msgspec.structs.replace(
            self,
            removals=max(self.removals, removals),
            creates=max(self.creates, creates),
            rewrites_a_day=max(self.rewrites_a_day, rewrites),
            vanished=max(self.vanished, vanished),
        )


class Measure(StrEnum):
    """What is limited: of a plan, or of what is missing from a listing at once."""

    removals = "removals"
    creates = "creates"
    rewrites = "rewrites"
    vanished = "vanished"


class Excess(Struct, frozen=True):
    """One limit that an instance's plan is over: `count` where at most `limit` may be."""

    what: Measure
    count: int
    limit: int
    of: int = 0
    """How many values opsync has there, of removals."""
    before: int = 0
    """How many of `count` earlier runs of the last 24 hours did, of removals and creates."""
