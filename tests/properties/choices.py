"""Choices: where a generated world gets its chance from, a seed or Hypothesis, which shrinks."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Choices(ABC):
    """Chooses. All is made of `number`, whose smallest answer is the plainest choice."""

    @abstractmethod
    def number(self, low: int, high: int) -> int:
        """A whole number of `low` … `high`."""

    def chance(self, percent: int) -> bool:
        """Yes in so many of a hundred cases."""
        return self.number(0, 99) >= 100 - percent

    def pick(self, options: Sequence[T]) -> T:
        """One of these; the plainest stands first."""
        return options[self.number(0, len(options) - 1)]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The same in another order."""
        mixed = list(items)
        for at in range(len(mixed) - 1):
            other = self.number(at, len(mixed) - 1)
            mixed[at], mixed[other] = mixed[other], mixed[at]
        return mixed


class Seeded(Choices):
    """The choices of one seed: the same on every machine."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def number(self, low: int, high: int) -> int:
        return low + int(self._random() * (high - low + 1))


class Drawn(Choices):
    """Choices that Hypothesis makes, and makes simpler where a case fails."""

    def __init__(self, draw: st.DataObject) -> None:
        self._draw = draw

    def number(self, low: int, high: int) -> int:
        return self._draw.draw(st.integers(low, high))
