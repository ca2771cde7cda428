"""What a disagreement is, and the facts that it rests on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from enum import StrEnum

from msgspec import Struct

from opsync.model import Category, Record, Ref

FACTS = 10
"""So many open items are named as evidence of one disagreement …"""
LAST = 3
"""… or where all is done, so many of those that ended last."""

_OPEN: Mapping[Category, str] = {
    Category.backlog: "in the backlog",
    Category.todo: "to do",
    Category.in_progress: "in progress",
}


class DisagreementKind(StrEnum):
    """What contradicts what."""

    status = "status"
    """People's own status of an initiative says otherwise than its work."""
    no_work = "initiative_without_work"
    no_initiative = "work_without_initiative"
    one_side = "link_on_one_side"
    """Work names an initiative that does not name it: people may think that it counts."""
    open_parts = "done_with_open_parts"
    owner_left = "owner_left"


class Fact(Struct, frozen=True):
    """What is known of one item that a disagreement rests on: "in progress, blocked" since when."""

    ref: Ref
    text: str
    since: date | None = None


class Disagreement(Struct, frozen=True, kw_only=True):
    """One contradiction about `subject` (None: about much work at once).

    `about` is the initiative that a link is to. `says` is in people's words, "" where they say
    nothing; `measured` is what is the case. The greater the `weight`, the sooner people should
    hear of it; it is below 100.
    """

    kind: DisagreementKind
    subject: Ref | None
    says: str
    measured: str
    weight: float
    about: Ref | None = None
    evidence: tuple[Fact, ...] = ()


def open_word(record: Record) -> str:
    """How far open work is."""
    return _OPEN.get(record.category, "open")


def open_fact(record: Record, zone: tzinfo | None) -> Fact:
    """That an item is open, and since when it is in progress."""
    state = open_word(record)
    text = f"blocked, {state}" if record.blocked else state
    return Fact(record.ref, text, day_of(record.started_at, zone))


def day_of(at: datetime | None, zone: tzinfo | None) -> date | None:
    """The day of a moment in `zone`; None: in that of the moment itself."""
    return at.astimezone(zone).date() if at and zone else at.date() if at else None


def days(count: int) -> str:
    """ "1 day", "16 days"."""
    return plural(count, "day")


def plural(count: int, one: str) -> str:
    """ "1 part", "4 parts"."""
    return f"{count:,} {one if count == 1 else one + 's'}"
