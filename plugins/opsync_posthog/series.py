"""Numbers and days as PostHog writes them, read as what they are."""

from __future__ import annotations

from datetime import date
from math import isfinite


def number(value: object) -> float | None:
    """A value, also one in a string; None for what is none."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None


def day_of(text: str) -> date | None:
    """A day as YYYY-MM-DD, also with midnight behind it; None for what is none."""
    day, _, rest = text.replace("T", " ").partition(" ")
    if rest.strip("0:.Z"):
        return None
    try:
        return date.fromisoformat(day)
    except ValueError:
        return None
