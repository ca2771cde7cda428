"""Suggestions: two records that look as if they belonged together, though nobody says so."""

from __future__ import annotations

from hashlib import blake2b

from msgspec import Struct

from opsync.model.pair import PairKind
from opsync.model.record import Ref

ID_LENGTH = 8
"""Hexadecimal characters of an id: few enough to type, and enough for thousands of pairs."""


class Suggestion(Struct, frozen=True):
    """A pair to be accepted or rejected by a person; it never counts before.

    Of a "member" pair `one` is the initiative and `two` the work; of a "same" pair `one` sorts
    before `two`. `score` is 0 to 1, `reasons` are short sentences for people, the strongest first.
    """

    one: Ref
    two: Ref
    kind: PairKind
    score: float
    reasons: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """A short name that stays the same while the pair does."""
        return blake2b(f"{self.one} {self.two}".encode()).hexdigest()[:ID_LENGTH]
