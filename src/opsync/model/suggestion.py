"""Suggestions: pairs of records that look as if they belonged together."""

from __future__ import annotations

from hashlib import blake2b

from msgspec import Struct

from opsync.model.pair import PairKind
from opsync.model.record import Ref


class Suggestion(Struct, frozen=True):
    """A pair that nobody named, how likely it is one (`score`, 0 to 1), and why.

    For a member, `one` is the initiative.
    """

    one: Ref
    two: Ref
    kind: PairKind
    score: float
    reasons: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """A short name that stays the same while the pair does: 6 hexadecimal characters."""
        return blake2b(f"{self.one} {self.two}".encode()).hexdigest()[:6]
