"""Suggestions: two records that look as if they belonged together, though nobody says so."""

from __future__ import annotations

from hashlib import blake2b
from typing import Literal

from msgspec import Struct

from opsync.model.record import Ref

PairKind = Literal["member", "same"]
"""What a pair would be: work that an initiative should count, or one thing in two tools."""


class Suggestion(Struct, frozen=True):
    """A pair to be accepted or rejected by a person; it never counts before.

    Of a "member" pair `one` is the initiative and `two` the work; of a "same" pair `one` sorts
    before `two`. `score` is 0 to 1, `reasons` are short sentences for people, the strongest first.
    """

    one: Ref
    two: Ref
    kind: PairKind
    score: float
    reasons: tuple[str, ...]

    @property
    def id(self) -> str:
        """Six hex characters that name the pair: the same whenever and wherever it is found."""
        return blake2b(f"{self.one}\n{self.two}".encode()).hexdigest()[:6]
