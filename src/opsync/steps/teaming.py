"""Whether the teams of the configuration have the spaces that they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opsync.current import Pass
from opsync.inert import inert_text
from opsync.model import Value
from opsync.model.rules import TeamRule
from opsync.steps.shared import OWN, UNFIT
from opsync.store import Alike
from opsync.teams import unknown_spaces

NAMED = 8
"""So many spaces that there are stand in a warning."""
_UNMATCHED = "teams-unmatched"
"""Kept while a team names a space that nobody knows, or one that was not read yet."""


async def check_teams(this: Pass) -> None:
    """Warn of what a team names and no item is in, as when it is misspelt.

    That takes a look at all items, so it is done when the configuration changed, and as long as
    there is something to warn of. What cannot be read stays as it was found.
    """
    kept = await this.store.kept(OWN)
    waits = _UNMATCHED in kept
    if not waits and not (this.again and this.config.teams):
        return
    unread = this.unreadable | this.never_read
    named = {scope.instance for team in this.config.teams for scope in team.scope if scope.spaces}
    earlier = {} if this.again else _whys(kept.get(UNFIT))
    found: dict[str, str] = {}
    for instance in sorted(named):
        known = instance not in unread
        alike = [one for one, _ in await this.store.tallies(instance)] if known else []
        for team in this.config.teams:
            name = f"team {inert_text(team.name, 40)} in {instance}"
            why = unmatched(team, instance, alike) if known else earlier.get(name, "")
            if why:
                found[name] = why
    for name, why in found.items():
        this.does_not_fit(name, why)
    if waits is not bool(found or named & unread):
        await this.store.put_kept(OWN, {_UNMATCHED: None if waits else True})


def _whys(kept: Value) -> dict[str, str]:
    """What did not fit at the end of the last pass, by what it is called, and why."""
    if not isinstance(kept, Mapping):
        return {}
    said = {name: one.get("why") for name, one in kept.items() if isinstance(one, Mapping)}
    return {name: why for name, why in said.items() if isinstance(why, str)}


def unmatched(team: TeamRule, instance: str, items: Iterable[Alike]) -> str:
    """What of the team's scope no item is in, and where there are items; "" if all is well.

    Spaces of private work only are not named.
    """
    found = list(items)
    unknown = unknown_spaces(team, instance, {(one.space_key, one.space) for one in found})
    if not unknown:
        return ""
    there = sorted({one.space_key or one.space for one in found if not one.private} - {""})
    more = " …" if len(there) > NAMED else ""
    listed = ", ".join(inert_text(name, 40) for name in there[:NAMED]) + more
    named = ", ".join(inert_text(name, 40) for name in unknown)
    said = f"team {inert_text(team.name, 40)}: no item of {instance} is in {named}"
    return f"{said}; there are {listed}" if listed else said
