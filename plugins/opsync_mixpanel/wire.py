"""Mixpanel's answers as they come.

https://docs.mixpanel.com/reference/list-all-annotations-for-project
"""

from __future__ import annotations

from msgspec import Struct


class User(Struct, frozen=True):
    """Who made an annotation."""

    id: int | str | None = None


class Annotation(Struct, frozen=True):
    """One annotation. `date` begins with its day, in the project's time zone."""

    id: int | str
    date: str = ""
    description: str | None = None
    user: User | None = None

    @property
    def on(self) -> str:
        """Its day, "YYYY-MM-DD"."""
        return self.date[:10]

    @property
    def text(self) -> str:
        """Its description; "" where it has none."""
        return self.description or ""

    @property
    def author(self) -> object:
        """Who made it, as far as told."""
        return self.user.id if self.user else None


class One(Struct, frozen=True):
    """The answer with one annotation."""

    results: Annotation


class Listed(Struct, frozen=True):
    """The answer with all of a range."""

    results: list[Annotation]
