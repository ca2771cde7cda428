"""Teams: what a record means to the team it belongs to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import msgspec

from opsync.model.record import Category, Record, Status
from opsync.model.rules import TeamRule, TeamScope

RESOLUTION = "resolution"
"""The entry of `extra` in which a connector tells how work ended."""


class TeamHere(NamedTuple):
    """A team as far as one instance is concerned: its scopes there, names in one case.

    `statuses` is the instance's own map of statuses: it tells whether a status, or how the work
    ended, made a record canceled.
    """

    rule: TeamRule
    scopes: tuple[tuple[AbstractSet[str], AbstractSet[str]], ...]
    """Pairs of spaces and labels."""
    blocked_labels: AbstractSet[str]
    statuses: Mapping[str, Category]


def teams_in(
    instance: str, teams: Iterable[TeamRule], statuses: Mapping[str, Category] | None = None
) -> tuple[TeamHere, ...]:
    """The teams that have work in an instance, in their order."""
    return tuple(
        TeamHere(
            rule,
            tuple((_folded(scope.spaces), _folded(scope.labels)) for scope in scopes),
            _folded(rule.blocked_labels),
            statuses or {},
        )
        for rule, scopes in _in_scope(instance, teams)
    )


def rules_in(instance: str, teams: Iterable[TeamRule]) -> list[TeamRule]:
    """The same teams without what concerns other instances: all that decides how it is read."""
    return [
        msgspec.structs.replace(rule, scope=scopes) for rule, scopes in _in_scope(instance, teams)
    ]


def apply_team(record: Record, teams: Sequence[TeamHere]) -> Record:
    """`record` as the first team whose scope it is in means it; unchanged if there is none.

    Only what the team says is changed: where it is silent, its tool's and its instance's word
    holds. Private work stays private.
    """
    for team in teams:
        if _fits(record, team):
            return _as_meant(record, team)
    return record


def private_teams(
    instances: Iterable[str], teams: Sequence[TeamRule]
) -> dict[str, tuple[TeamHere, ...]]:
    """The teams of those instances in which one of them is private."""
    found = {name: teams_in(name, teams) for name in instances}
    return {name: here for name, here in found.items() if any(one.rule.private for one in here)}


def as_private(record: Record, teams: Mapping[str, Sequence[TeamHere]]) -> Record:
    """`record`, private if its team is by now: it may have been read before anybody said so."""
    here = teams.get(record.ref.instance)
    if not here or record.private:
        return record
    team = next((one for one in here if _fits(record, one)), None)
    if team is None or not team.rule.private:
        return record
    return msgspec.structs.replace(record, private=True)


def unknown_spaces(
    rule: TeamRule, instance: str, spaces: Iterable[tuple[str, str]]
) -> tuple[str, ...]:
    """What the team's scopes name that no record of the instance is in.

    `spaces` are those of its records, each by key and name.
    """
    known = _folded(name for space in spaces for name in space)
    named = (space for scope in rule.scope if scope.instance == instance for space in scope.spaces)
    return tuple(dict.fromkeys(space for space in named if space.casefold() not in known))


def _in_scope(
    instance: str, teams: Iterable[TeamRule]
) -> Iterable[tuple[TeamRule, tuple[TeamScope, ...]]]:
    for rule in teams:
        scopes = tuple(scope for scope in rule.scope if scope.instance == instance)
        if scopes:
            yield rule, scopes


def _fits(record: Record, team: TeamHere) -> bool:
    return any(
        (not spaces or record.space_key.casefold() in spaces or record.space.casefold() in spaces)
        and (not labels or not labels.isdisjoint(_folded(record.labels)))
        for spaces, labels in team.scopes
    )


def _as_meant(record: Record, team: TeamHere) -> Record:
    rule = team.rule
    status = _status(record, team)
    estimate, unit = record.estimate, record.estimate_unit
    if rule.estimate is not None:
        estimate = record.estimates.get(rule.estimate)
        unit = rule.estimate if estimate is not None else ""
    return msgspec.structs.replace(
        record,
        team=rule.name,
        private=record.private or rule.private,
        status=status,
        estimate=estimate,
        estimate_unit=unit,
        blocked=record.blocked if rule.blocked is None else _blocked(record, status, team),
        detail=record.subtask and not rule.subtasks,
    )


def _status(record: Record, team: TeamHere) -> Status | None:
    """How work ended says more than that it did, so that it refines a status that means done."""
    status, chosen = record.status, team.rule.statuses
    if status is None or not chosen:
        return status
    word = chosen.get(status.id) or chosen.get(status.name)
    category = word or status.category
    ended = record.extra.get(RESOLUTION, "")
    if ended and not category.open:
        if refined := chosen.get(ended):
            category = refined
        elif word is Category.done and not _by_status(status, team):
            category = status.category
    return status if category is status.category else Status(status.id, status.name, category)


def _by_status(status: Status, team: TeamHere) -> bool:
    """Whether it is the status that decided the category so far, and not how the work ended."""
    if status.category is not Category.canceled:
        return True
    said = team.statuses.get(status.id) or team.statuses.get(status.name)
    return said is Category.canceled


def _blocked(record: Record, status: Status | None, team: TeamHere) -> bool:
    rule = team.rule
    said = rule.blocked or frozenset()
    if status is not None and not status.category.open:
        return False
    return (
        not said.isdisjoint(record.hindrances)
        or ("label" in said and not team.blocked_labels.isdisjoint(_folded(record.labels)))
        or (
            "status" in said
            and status is not None
            and not rule.blocked_statuses.isdisjoint((status.id, status.name))
        )
    )


def _folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names)
