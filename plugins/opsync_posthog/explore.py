"""What `opsync init` asks of PostHog. Reads only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from msgspec import Struct

from opsync import Choice, FirstRead, Grant, NotFound, RefusedError
from opsync_posthog.dialect import ANALYTICS, LISTS, QUERIES, MissingScope, scope_hint
from opsync_posthog.project import Project, decoded
from opsync_posthog.wire import KeyRow, ProjectRow

KEY = "/api/personal_api_keys/@current/"
REQUEST_S = 1.0
"""What a query over a few weeks takes, about; lists are faster."""


class Scope(Struct, frozen=True):
    """A scope that the key needs: for what, and the list by which it is tried."""

    name: str
    what: str
    path: str = ""
    vital: bool = False

    @property
    def writes(self) -> bool:
        return self.name.endswith(":write")


SCOPES = (
    Scope("query:read", "how much events and flags are used", vital=True),
    Scope("annotation:write", "annotations for what was shipped"),
    Scope("annotation:read", "opsync's own annotations, and links to people's", "annotations/"),
    Scope("project:read", "the project's name and time zone", "/"),
    Scope("event_definition:read", "which events there are", "event_definitions/"),
    Scope("feature_flag:read", "which flags there are, and links to them", "feature_flags/"),
    Scope("insight:read", "saved insights", "insights/"),
    Scope("experiment:read", "links to experiments", "experiments/"),
)


class Explorer:
    """Looks at one key and the projects that it reaches."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._http = project.http

    async def key(self) -> KeyRow | None:
        """The key as it describes itself; None where the installation does not tell. One request.
        SignInError: it is refused."""
        try:
            return (await self._http.read("GET", KEY, lane=LISTS)).decode(KeyRow)
        except (MissingScope, RefusedError):
            return None

    async def grants(self) -> AsyncIterator[Grant]:
        """Every scope. One request, or one each where the installation does not tell."""
        async for grant in self.grants_of(await self.key()):
            yield grant

    async def grants_of(self, key: KeyRow | None) -> AsyncIterator[Grant]:
        """The same for a key that was looked at."""
        for scope in SCOPES:
            held = await self._try(scope) if key is None else has(key, scope.name)
            yield Grant(
                scope.name,
                "write" if scope.writes else "read",
                held,
                scope.what,
                scope_hint(scope.name),
                vital=scope.vital,
            )

    async def choices(self) -> Sequence[Choice]:
        """The projects that the key reaches, by name. Those of a key that is limited to some are
        asked for one by one."""
        try:
            found = [
                decoded(row, ProjectRow)
                async for rows in self._project.rows("/api/projects/", limit="100")
                for row in rows
            ]
        except MissingScope as error:
            key = await self.key()
            teams = key.scoped_teams if key is not None else None
            if not teams:
                raise
            if error.scope:  # their names are not to be seen
                return [Choice(str(id_), f"Project {id_}") for id_ in sorted(teams)]
            found = [await self._one(id_) for id_ in teams]
        choices = [
            Choice(str(one.id), one.name or f"Project {one.id}", one.timezone) for one in found
        ]
        return sorted(choices, key=lambda choice: (choice.name.casefold(), choice.id))

    async def first_read(self) -> FirstRead:
        """The project itself, and one query. No request."""
        return FirstRead(items=1, requests=2, seconds=2 * REQUEST_S)

    async def _one(self, id_: int) -> ProjectRow:
        answer = await self._http.read("GET", f"/api/projects/{id_}/", lane=LISTS)
        return answer.decode(ProjectRow)

    async def _try(self, scope: Scope) -> bool | None:
        """Whether what the scope is for is answered; None where only a write would tell."""
        if scope.writes:
            return None
        try:
            if scope.name == "query:read":
                await self._http.read(
                    "POST",
                    f"{self._project.api}query/",
                    json={"query": {"kind": "HogQLQuery", "query": "SELECT 1"}, "name": "opsync"},
                    lane=QUERIES,
                )
            elif scope.path == "/":
                await self._project.ask()
            else:
                params = {"limit": "1", **({"basic": "true"} if "insights" in scope.path else {})}
                lane = ANALYTICS if "insights" in scope.path else LISTS
                path = self._project.api + scope.path
                await self._http.read("GET", path, params=params, lane=lane)
        except MissingScope:
            return False
        except NotFound:
            return None
        return True


def has(key: KeyRow, scope: str) -> bool:
    """Whether a key has a scope. A scope to write is one to read; "*" is all of them, and so are
    none, in keys from before there were scopes."""
    return not key.scopes or bool({"*", scope, scope.replace(":read", ":write")} & {*key.scopes})
