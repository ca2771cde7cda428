"""How values, numbers and times are put on a terminal: the words of all screens, and signs of its
own. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from opsync.engine.phrases import (
    CATEGORY_WORDS,
    LONGEST,
    VALUE_LIMIT,
    ago,
    dated,
    day,
    percent,
    plural,
    shown,
    some_not_counted,
    span,
    tallied,
    value,
)
from opsync.model import Health, Verb

__all__ = [
    "CATEGORY_WORDS",
    "HEALTH_SIGNS",
    "LONGEST",
    "VALUE_LIMIT",
    "VERB_SIGNS",
    "ago",
    "bar",
    "dated",
    "day",
    "percent",
    "plural",
    "shown",
    "some_not_counted",
    "span",
    "tallied",
    "value",
]

HEALTH_SIGNS: Mapping[Health, tuple[str, str]] = {
    Health.off_track: ("✗", "red"),
    Health.at_risk: ("▲", "yellow"),
    Health.on_track: ("●", "green"),
    Health.done: ("✓", "green"),
    Health.paused: ("‖", "magenta"),
    Health.not_started: ("○", "dim"),
    Health.no_linked_work: ("–", "dim"),
}
"""Each health's sign and colour, the most urgent first."""

VERB_SIGNS = {Verb.create: ("+", "green"), Verb.update: ("~", "yellow"), Verb.remove: ("-", "red")}


def bar(share: float | None, width: int = 13) -> str:
    """A bar of `width` cells; full only when all is done."""
    if share is None:
        return "·" * width
    full = width if share >= 1 else min(int(share * width + 0.5), width - 1)
    return "█" * full + "░" * (width - full)
