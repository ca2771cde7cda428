"""When an initiative was shipped."""

from __future__ import annotations

from datetime import date, tzinfo

from msgspec import Struct

from opsync.model import Category, Record, Release


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
    if root.completed_at is not None:
        return Release(root.completed_at.astimezone(zone).date(), "completed")
    told = date_in(root.extra.get(property_, "")) if property_ else None
    if told is not None and told <= as_of:
        return Release(told, "property")
    if sighting is not None and sighting.since is not None:
        return Release(sighting.since, "saw")
    return Release(None, "unknown")


def date_in(text: str) -> date | None:
    """The date that a property holds, the last one of a span; None where it is none."""
    try:
        return date.fromisoformat(text.strip().rpartition("/")[2][:10])
    except ValueError:
        return None
