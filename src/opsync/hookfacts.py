"""What is known to be wrong with the webhooks of a connection."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from msgspec import Struct, ValidationError, convert, to_builtins
from msgspec.structs import replace

from opsync.model import Value

KNOWN = "webhooks:known:"
"""Kept, with a connection's name behind it: what is wrong with its webhooks, as `HookFacts`."""
UNTOLD = "webhooks:untold:"
"""Kept, with a connection's name behind it: which reads found what no signal told, as `Untold`."""
SILENT_READS = 3
"""So many reads find what no signal told, …"""
SILENT_AFTER = timedelta(hours=1)
"""… the first of them so long ago, before signals count as silent: tools send late, and not of
all."""
EXPIRES_SOON = timedelta(days=10)
"""So long before a webhook ends it is renewed, and people are warned where that fails."""


class _Kept(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a connection as JSON."""

    @classmethod
    def of(cls, kept: Value) -> Self:
        """As `plain` had it; what cannot be read counts as nothing."""
        try:
            return convert(kept or {}, cls)
        except ValidationError:
            return cls()

    def plain(self) -> dict[str, Value]:
        """As JSON has it, to be kept."""
        found: dict[str, Value] = to_builtins(self)
        return found


class HookFacts(_Kept, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong with the webhooks that opsync made for a connection: switched off by the tool,
    gone, or about to end (with why they could not be renewed), and since when."""

    off: bool = False
    gone: bool = False
    since: datetime | None = None
    expires_at: datetime | None = None
    error: str = ""

    def failing(self, error: str) -> HookFacts:
        """The same, where it could not be renewed."""
        return replace(self, error=error)


class Untold(_Kept, frozen=True, kw_only=True, omit_defaults=True):
    """How many reads found changes of which no signal told, although they were on, and since when
    no signal came at all."""

    reads: int = 0
    since: datetime | None = None

    def another(self, at: datetime) -> Untold:
        """The same after one more such read."""
        return Untold(reads=self.reads + 1, since=self.since or at)

    def silent(self, now: datetime) -> bool:
        """Whether signals ought to have come by now, and did not."""
        return (
            self.since is not None
            and self.reads >= SILENT_READS
            and now - self.since >= SILENT_AFTER
        )
