"""What is read of a workspace: teams, projects and labels, asked for or told apart here.

A first read asks Linear for what is in scope. A walk over changes asks without projects and labels,
or it would never hear of an issue that left one: such a one is said to be out of scope. Teams are
always asked for: that an issue went to a team out of scope is seen by a full read only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from uuid import UUID

from msgspec import Struct

from opsync import SignInError
from opsync_linear.dialect import TEAM_HINT
from opsync_linear.queries import ROOTS
from opsync_linear.settings import LinearSettings
from opsync_linear.wire import Initiative, Issue, Project, ScopeProject, Team

Filters = Mapping[str, Mapping[str, object]]


class Outside(Struct, frozen=True):
    """An object that changed and is not in scope, whether it ever was or not. Where it is tells
    whether a team's work is private."""

    id: str
    key: str = ""
    team: Team | None = None


class Scope:
    """The scope of one instance. `found` tells it which projects the configured ones are."""

    def __init__(self, settings: LinearSettings, instance: str) -> None:
        self._settings = settings
        self._instance = instance
        self._teams = frozenset(settings.teams)
        self._labels = frozenset(settings.labels)
        self._projects: frozenset[str] = frozenset()

    def filters(
        self, since: datetime | None, *, compared: str = "gte", narrow: bool = False
    ) -> dict[str, Mapping[str, object]]:
        """The filters of the listings, by listing. `narrow` asks for nothing out of scope."""
        filters: dict[str, dict[str, object]] = {}
        if since is not None:
            at = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            filters = {root: {"updatedAt": {compared: at}} for root in ROOTS}
        issues = dict(filters.get("issues", {}))
        if self._teams:
            issues["team"] = {"key": {"in": list(self._settings.teams)}}
        if narrow and self._settings.projects:
            named = project_filter(self._settings.projects)
            issues["project"] = named
            filters["projects"] = filters.get("projects", {}) | named
        if narrow and self._labels:
            issues["labels"] = {"some": {"name": {"in": list(self._settings.labels)}}}
        if issues:
            filters["issues"] = issues
        return dict(filters)

    def check_teams(self, found: Collection[str]) -> None:
        """A team that is misspelled or hidden would otherwise read as one without work."""
        if missing := sorted(self._teams - set(found)):
            raise SignInError(
                f"{self._instance}: there is no team {', '.join(missing)}, or it is hidden from "
                "this key.",
                hint=f"Check `teams` (GRO for GRO-44). {TEAM_HINT}",
            )

    def check_projects(self, found: Collection[ScopeProject]) -> None:
        """Note which projects are meant; one that is not there would read as one without work."""
        names = {name for one in found for name in (one.id, one.name, one.slug_id)}
        if missing := [name for name in self._settings.projects if name not in names]:
            raise SignInError(
                f"{self._instance}: there is no project {', '.join(map(repr, missing))}, or it is "
                "hidden from this key.",
                hint=f"Check `projects`: names exactly as written, ids or links. {TEAM_HINT}",
            )
        self._projects = frozenset(one.id for one in found)

    def has(self, raw: Issue | Project | Initiative) -> bool:
        """Whether it is to be read. Where a list that decides is cut, it may be: so it is, and is
        judged again when it was read whole. Initiatives belong to no team and no project."""
        if isinstance(raw, Initiative):
            return True
        if isinstance(raw, Project):
            return self._has_project(raw)
        if self._teams and raw.team.key not in self._teams:
            return False
        if self._settings.projects and (
            raw.project is None or raw.project.id not in self._projects
        ):
            return False
        return (
            not self._labels
            or raw.labels.page_info.has_next_page
            or not self._labels.isdisjoint(label.name for label in raw.labels.nodes)
        )

    def _has_project(self, raw: Project) -> bool:
        if self._settings.projects and raw.id not in self._projects:
            return False
        return (
            not self._teams
            or raw.teams.page_info.has_next_page
            or any(team.key in self._teams for team in raw.teams.nodes)
        )


def outside(raw: Issue | Project | Initiative) -> Outside:
    """That an object is not in scope: its names, and nothing of what it says."""
    if isinstance(raw, Issue):
        return Outside(raw.id, raw.identifier, raw.team)
    return Outside(raw.id)


def project_filter(names: Collection[str]) -> dict[str, object]:
    """Projects by name, id in URLs, or id."""
    either: list[dict[str, object]] = [
        {"name": {"in": list(names)}},
        {"slugId": {"in": list(names)}},
    ]
    if ids := [name for name in names if _is_uuid(name)]:
        either.append({"id": {"in": ids}})
    return {"or": either}


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
