"""What is known to be wrong with the webhooks of a connection."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct, ValidationError, convert, to_builtins
from msgspec.structs import replace

from opsync.model import Value

KNOWN = "webhooks:known:"
"""Kept, with a connection's name behind it: what is wrong with its webhooks, as `HookFacts`."""
EXPIRES_SOON = timedelta(days=10)
"""So long before a webhook ends it is renewed, and people are warned where that fails."""


class HookFacts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong with the webhooks that opsync made for a connection: switched off by the tool,
    gone, or about to end (with why they could not be renewed), and since when."""

    off: bool = False
    gone: bool = False
    since: datetime | None = None
    expires_at: datetime | None = None
    error: str = ""

    @classmethod
    def of(cls, kept: Value) -> HookFacts:
        """As `plain` had it; what cannot be read counts as nothing wrong."""
        try:
            return convert(kept or {}, cls)
        except ValidationError:
            return cls()

    def plain(self) -> dict[str, Value]:
        """As JSON has it, to be kept."""
        found: dict[str, Value] = to_builtins(self)
        return found

    def failing(self, error: str) -> HookFacts:
        """The same, where it could not be renewed."""
        return replace(self, error=error)
