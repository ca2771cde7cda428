"""What `opsync init` and `opsync statuses` ask of Jira. Reads only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from math import ceil

import msgspec
from msgspec import Struct

from opsync import Category, Choice, Context, FirstRead, Grant, StatusWord
from opsync_jira import wire
from opsync_jira.datacenter import PAGE as DATA_CENTER_PAGE
from opsync_jira.dialect import Api
from opsync_jira.jql import changed_since
from opsync_jira.normalize import Normalizer, own_category
from opsync_jira.pull import BULK, ID_PAGE, PAGE, PARALLEL, bulk_size
from opsync_jira.rights import (
    ACCESS,
    LINKING,
    READ_USER,
    READ_WORK,
    WRITE_WORK,
    MissingScope,
    scope_hint,
)
from opsync_jira.scope import container_types
from opsync_jira.settings import JiraSettings

PROJECT_PAGE = 50
"""Projects in one page, the most that Jira gives."""
SEARCH_S = 0.6
"""What a page of a search takes; vendors answer in 0.2 to 0.6 s, and full pages are slow ones."""
BULK_S = 1.2
"""What a bulk fetch of 250 issues takes."""
SMALL_S = 0.3
"""What everything else takes."""

_WHAT = {
    READ_USER: "who the token belongs to",
    READ_WORK: "projects, issues, statuses",
    WRITE_WORK: "links on issues and epics",
}


class ProjectPage(Struct):
    """One page of the projects that the account sees."""

    values: list[wire.Project] = []
    last: bool = msgspec.field(name="isLast", default=True)


class _Permission(Struct):
    have: bool = msgspec.field(name="havePermission", default=False)


class _Permissions(Struct):
    permissions: dict[str, _Permission] = {}


class _Count(Struct):
    count: int = 0


class _Total(Struct):
    total: int = 0


class _TypeWithStatuses(Struct):
    statuses: list[wire.Status] = []


class Explorer:
    """Looks at one instance."""

    def __init__(
        self, api: Api, settings: JiraSettings, context: Context, normalizer: Normalizer
    ) -> None:
        self._api = api
        self._settings = settings
        self._context = context
        self._normalizer = normalizer

    async def grants(self) -> AsyncIterator[Grant]:
        """Scopes of the token where it has some, then what its account may do.

        Two requests. A token without scopes can do whatever its account can.
        """
        if self._settings.cloud:
            yield self._scope(READ_USER, "read", held=await self._held("myself"))
        else:
            await self._api.read("GET", "myself")
        try:
            params = {"permissions": "BROWSE_PROJECTS,LINK_ISSUES"}
            answer = await self._api.read("GET", "mypermissions", params=params)
        except MissingScope:
            yield self._scope(READ_WORK, "read", held=False)
            permissions = None
        else:
            if self._settings.cloud:
                yield self._scope(READ_WORK, "read", held=True)
            permissions = answer.decode(_Permissions).permissions
        for key, name, needed, what, hint in (
            ("BROWSE_PROJECTS", "Browse projects", "read", "to see projects at all", ACCESS),
            ("LINK_ISSUES", "Link issues", "write", "links on issues and epics", LINKING),
        ):
            if key == "LINK_ISSUES" and self._settings.cloud:
                # Only the gateway takes tokens with scopes, and only a write would tell.
                yield self._scope(
                    WRITE_WORK, "write", held=None if self._settings.gateway else True
                )
            held = None
            if permissions is not None:
                held = key in permissions and permissions[key].have
            yield Grant(name, "read" if needed == "read" else "write", held, what, hint)

    async def _held(self, path: str) -> bool:
        try:
            await self._api.read("GET", path)
        except MissingScope:
            return False
        return True

    def _scope(self, scope: str, needed: str, *, held: bool | None) -> Grant:
        hint = scope_hint(scope, self._context.instance)
        return Grant(scope, "read" if needed == "read" else "write", held, _WHAT[scope], hint)

    async def choices(self) -> Sequence[Choice]:
        """The projects that the account sees, by name."""
        found = await visible_projects(self._api)
        return [
            Choice(project.key, project.name or project.key, private=project.private)
            for project in sorted(found, key=lambda one: (one.name.casefold(), one.key))
        ]

    async def first_read(self) -> FirstRead:
        """How many issues there are, by Jira's own count, and what reading them takes."""
        now = self._context.runtime.clock.now()
        containers = await container_types(self._api, self._settings, self._context.kept, now)
        jql = changed_since(self._settings, None, containers=containers)
        if self._settings.cloud:
            answer = await self._api.read("POST", "search/approximate-count", json={"jql": jql})
            issues = answer.decode(_Count).count
        else:
            body = {"jql": jql, "maxResults": 0, "fields": ["id"]}
            issues = (await self._api.read("POST", "search", json=body)).decode(_Total).total
        about = 3 if self._settings.labels and self._settings.cloud else 2
        pages, bulks = self._pages(issues)
        seconds = about * SMALL_S + pages * SEARCH_S + ceil(bulks / PARALLEL) * BULK_S
        return FirstRead(issues, about + pages + bulks, seconds)

    def _pages(self, issues: int) -> tuple[int, int]:
        """Pages of searches, one after the other, and bulk fetches, some at once."""
        if not self._settings.cloud:
            return max(1, ceil(issues / DATA_CENTER_PAGE)), 0
        if issues <= PAGE:
            return 1, 0
        size = bulk_size(self._context.kept)
        if size < BULK:
            return ceil(issues / PAGE), 0
        return 1 + ceil(issues / ID_PAGE), ceil((issues - PAGE) / size)

    async def status_words(self) -> Sequence[StatusWord]:
        """Statuses, of the configured projects with where each is used, and all resolutions."""
        words = [
            self._status(status, where)
            for status, where in (
                await self._of_projects() if self._settings.projects else await self._of_site()
            )
        ]
        listed = (await self._api.read("GET", "resolution")).decode(list[wire.Named])
        return [*words, *(self._resolution(one) for one in listed)]

    async def _of_site(self) -> list[tuple[wire.Status, tuple[str, ...]]]:
        listed = (await self._api.read("GET", "status")).decode(list[wire.Status])
        return [(status, ()) for status in listed]

    async def _of_projects(self) -> list[tuple[wire.Status, tuple[str, ...]]]:
        found: dict[str, wire.Status] = {}
        where: dict[str, list[str]] = {}
        for key in self._settings.projects:
            answer = await self._api.read("GET", f"project/{key}/statuses")
            for kind in answer.decode(list[_TypeWithStatuses]):
                for status in kind.statuses:
                    found[status.id] = status
                    if key not in where.setdefault(status.id, []):
                        where[status.id].append(key)
        return [(status, tuple(where[id_])) for id_, status in found.items()]

    def _status(self, status: wire.Status, where: tuple[str, ...]) -> StatusWord:
        counted = self._normalizer.status(status, None)
        return StatusWord(
            id=status.id,
            name=status.name,
            category=own_category(status),
            counts_as=counted.category if counted else Category.unknown,
            where=where,
        )

    def _resolution(self, one: wire.Named) -> StatusWord:
        """A resolution has no category of its own: what has one is done."""
        mapped = self._settings.resolutions
        return StatusWord(
            id=one.id,
            name=one.name,
            category=Category.done,
            counts_as=mapped.get(one.id) or mapped.get(one.name) or Category.done,
            table="resolutions",
        )


async def visible_projects(api: Api) -> list[wire.Project]:
    """All projects that the account sees."""
    if not api.cloud:
        return (await api.read("GET", "project")).decode(list[wire.Project])
    found: list[wire.Project] = []
    while True:
        params = {"startAt": str(len(found)), "maxResults": str(PROJECT_PAGE), "orderBy": "key"}
        page = (await api.read("GET", "project/search", params=params)).decode(ProjectPage)
        found += page.values
        if page.last or not page.values:
            return found
