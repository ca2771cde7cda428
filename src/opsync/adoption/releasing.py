"""When an initiative was shipped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, tzinfo
from typing import Literal

from msgspec import Struct

from opsync.model import Category, Record, Release

_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ][0-9:.,]+(?:Z|[+-][0-9:]+)?)?", re.ASCII)


class Sighting(Struct, frozen=True):
    """Whether an initiative was done when it was last read, and the day on which it first was.

    `since` is None for what is not done, and for what was done when opsync first read it: when
    that happened nobody saw.
    """

    done: bool
    since: date | None = None


def sighted(root: Record, before: Sighting | None, as_of: date) -> Sighting:
    """What is remembered of `root` after this read."""
    if root.category is not Category.done:
        return Sighting(done=False)
    if before is None:
        return Sighting(done=True)
    return before if before.done else Sighting(done=True, since=as_of)


def release_of(
    root: Record, property_: str, sighting: Sighting | None, as_of: date, zone: tzinfo
) -> Release | None:
    """The release of an initiative whose own status is done; None for any other.

    Its completion date counts, else the date in `property_`, else the day on which it was first
    seen done. A date to come is a plan, and no release.
    """
    if root.category is not Category.done:
        return None
    for day, how in _told(root, property_, zone):
        if day <= as_of:
            return Release(day, how)
    if sighting is not None and sighting.since is not None:
        return Release(sighting.since, "saw")
    return Release(None, "unknown")


def planned_on(root: Record, property_: str, as_of: date, zone: tzinfo) -> date | None:
    """The next day on which time alone changes `release_of`: a date to come of what is done."""
    if root.category is not Category.done:
        return None
    days = [day for day, _ in _told(root, property_, zone) if day > as_of]
    return min(days, default=None)


def _told(
    root: Record, property_: str, zone: tzinfo
) -> Iterator[tuple[date, Literal["completed", "property"]]]:
    """The days that the tool tells, the better one first."""
    if root.completed_at is not None:
        yield root.completed_at.astimezone(zone).date(), "completed"
    told = date_in(root.extra.get(property_, "")) if property_ else None
    if told is not None:
        yield told, "property"


def date_in(text: str) -> date | None:
    """The date that a property holds, as people see it there; the last one of a span, None where
    it is none. "2026-11-20", "2026-11-18/2026-11-20", "2026-11-20T09:30:00.000+01:00"."""
    found = _DATE.fullmatch(text.strip().rpartition("/")[2])
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
