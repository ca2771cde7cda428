"""Which events and flags the project has: what tells an unused one from one that is not there."""

from __future__ import annotations

from msgspec import Struct

from opsync import BadAnswer, Client
from opsync_amplitude.dialect import COST, ask_management
from opsync_amplitude.settings import AmplitudeSettings

PAGE = "1000"
"""Flags in one page, the most that Amplitude gives."""

BUILT_IN = frozenset({"revenue_amount", "verified_revenue", "unverified_revenue"})
"""Names that every project has; so has it those that begin with "_"."""


class Event(Struct, frozen=True):
    """An event as it is listed. `value` is its name in requests; some answers call that `name`."""

    value: str | None = None
    name: str | None = None
    deleted: bool | None = None


class _Events(Struct, frozen=True):
    data: list[Event] = []


class _Listed(Struct, frozen=True, rename="camel"):
    flags: list[dict[str, object]] = []
    experiments: list[dict[str, object]] = []
    next_cursor: str | int | None = None


def is_built_in(event: str) -> bool:
    """Whether every project has this event."""
    return event.startswith("_") or event in BUILT_IN


async def events(http: Client) -> frozenset[str]:
    """The events that people see in the project. One request."""
    answer = await http.read("GET", "/api/2/events/list", lane=COST)
    listed = answer.decode(_Events).data
    names = (one.value or one.name or "" for one in listed if not one.deleted)
    return frozenset(name for name in names if name)


async def listed(
    http: Client, settings: AmplitudeSettings, what: str
) -> list[list[dict[str, object]]]:
    """The pages of the project's "flags" or "experiments". One request a thousand."""
    pages: list[list[dict[str, object]]] = []
    cursor = ""
    used = {cursor}
    while True:
        asked = {"limit": PAGE} | ({"cursor": cursor} if cursor else {})
        answer = await ask_management(http, settings, f"/api/1/{what}", asked)
        page = answer.decode(_Listed)
        rows = page.flags if what == "flags" else page.experiments
        pages.append([row for row in rows if _is_of(row, settings.project)])
        cursor = "" if page.next_cursor is None else str(page.next_cursor)
        if not cursor or not rows:
            return pages
        if cursor in used:
            raise BadAnswer(f"{answer.where}: the listing goes in circles.")
        used.add(cursor)


def _is_of(row: dict[str, object], project: str) -> bool:
    """Whether a row is of this project: a key may be for several."""
    return str(row.get("projectId", project)) == project
