"""How a state looks: a sign, a word, and a tone that the style sheet has a colour for. A colour
never says anything that the word beside it does not."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from opsync.engine.phrases import CATEGORY_WORDS
from opsync.model import Category, Health


class Badge(Struct, frozen=True):
    """A state: `tone` names a class of the style sheet."""

    sign: str
    text: str
    tone: str


HEALTH: Mapping[Health, Badge] = {
    Health.off_track: Badge("✕", "Off track", "bad"),
    Health.at_risk: Badge("▲", "At risk", "warn"),
    Health.on_track: Badge("●", "On track", "good"),
    Health.not_started: Badge("○", "Not started", "calm"),
    Health.paused: Badge("‖", "Paused", "held"),
    Health.done: Badge("✓", "Done", "done"),
    Health.no_linked_work: Badge("–", "No linked work", "none"),
}
"""Each health, the most urgent first: also the order of the portfolio."""

CATEGORIES: Mapping[str, Badge] = {
    Category.done.value: Badge("✓", CATEGORY_WORDS[Category.done], "done"),
    Category.in_progress.value: Badge("◐", CATEGORY_WORDS[Category.in_progress], "doing"),
    Category.todo.value: Badge("○", CATEGORY_WORDS[Category.todo], "calm"),
    Category.backlog.value: Badge("○", CATEGORY_WORDS[Category.backlog], "calm"),
    Category.canceled.value: Badge("–", CATEGORY_WORDS[Category.canceled], "none"),
    Category.unknown.value: Badge("?", CATEGORY_WORDS[Category.unknown], "none"),
}
"""How far work is."""

CONNECTION: Mapping[str, Badge] = {
    "ok": Badge("●", "read", "good"),
    "incomplete": Badge("▲", "incomplete", "warn"),
    "out of date": Badge("✕", "out of date", "bad"),
    "over limit": Badge("▲", "over a limit", "warn"),
    "never read": Badge("○", "never read", "calm"),
}
"""How a connection stands, by the words of the overview."""

OUTCOMES: Mapping[str, Badge] = {
    "created": Badge("+", "created", "good"),
    "updated": Badge("~", "updated", "good"),
    "removed": Badge("−", "removed", "warn"),
    "unchanged": Badge("=", "stood there already", "calm"),
    "failed": Badge("✕", "failed", "bad"),
    "conflicted": Badge("!", "edited by a person", "warn"),
    "skipped": Badge("–", "left alone", "calm"),
}
"""What came of a write."""


def outcome(kind: str) -> Badge:
    """What came of a write, also of a kind that is not known here."""
    return OUTCOMES.get(kind) or Badge("·", kind, "calm")
