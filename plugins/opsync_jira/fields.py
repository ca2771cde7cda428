"""Which custom fields a site keeps estimates and flags in.

Their ids differ from site to site, so they are found by the names that Jira gives them, and kept
for a day.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from datetime import datetime

from opsync import Value
from opsync_jira import wire
from opsync_jira.dialect import Api
from opsync_jira.kept import fresh, keep
from opsync_jira.settings import JiraSettings

KEPT_AS = "fields"

CustomFields = tuple[tuple[str, str], ...]
"""Pairs of a name in `wire.CUSTOM` and the field's id on the site."""

_POINTS = ("story points", "story point estimate")
"""Company-managed and team-managed projects each have their own; a site may have both."""
TIME = "timeoriginalestimate"
"""The field for estimates in time: it has the same name on every site, and is always asked for."""
_FLAGGED = "flagged"
_EPIC_LINK = "com.pyxis.greenhopper.jira:gh-epic-link"


async def custom_fields(
    api: Api, settings: JiraSettings, kept: MutableMapping[str, Value], now: datetime
) -> CustomFields:
    """The site's fields: as kept if that is fresh, else asked for and kept."""
    known = _still_good(fresh(kept, KEPT_AS, now), settings)
    if known is not None:
        return known
    listed = (await api.read("GET", "field")).decode(list[wire.Field])
    found = choose(listed, settings)
    keep(kept, KEPT_AS, now, {"settings": _named(settings), "ids": dict(found)})
    return found


def choose(listed: Sequence[wire.Field], settings: JiraSettings) -> CustomFields:
    """Pick the fields: those of the settings, else by name. Numbers only for estimates.

    Points are found by name also where the settings estimate in time: a team may use them.
    """
    chosen: dict[str, str] = {}
    own_points = bool(settings.estimate_field) and not settings.in_hours
    if own_points:
        chosen["points"] = settings.estimate_field
    elif settings.in_hours and settings.estimate_field != TIME:
        chosen["time"] = settings.estimate_field
    if settings.flagged_field:
        chosen["flagged"] = settings.flagged_field
    for field in listed:
        names = {field.name.lower(), field.untranslated.lower()}
        schema = field.schema or wire.FieldSchema()
        if schema.type == "number" and not own_points:
            for slot, name in zip(("points", "estimate"), _POINTS, strict=True):
                if name in names:
                    chosen.setdefault(slot, field.id)
        if _FLAGGED in names and schema.type == "array":
            chosen.setdefault("flagged", field.id)
        if schema.custom == _EPIC_LINK and not settings.cloud:
            chosen["epic"] = field.id
    return tuple(sorted(chosen.items()))


def _named(settings: JiraSettings) -> str:
    """What the choice was made from. The number is that of its rules."""
    return f"2 {settings.deployment} {settings.estimate_field} {settings.flagged_field}"


def _still_good(known: Value, settings: JiraSettings) -> CustomFields | None:
    """What is kept, if it can be read and was found by these settings."""
    if not isinstance(known, dict) or known.get("settings") != _named(settings):
        return None
    ids = known.get("ids")
    if not isinstance(ids, dict):
        return None
    return tuple(sorted((str(name), str(id_)) for name, id_ in ids.items() if name in wire.CUSTOM))
