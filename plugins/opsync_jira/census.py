"""What vanished from Jira: issues that were deleted, archived, moved out of scope, or hidden.

A search leaves out what is archived, and what its index does not show yet. An issue that is gone
and one that the account may not see are answered alike, by silence: whether its project can be
seen, and in which state that is, tells them apart.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta

from msgspec import Struct

from opsync import Absent, Answer, Item, Record, RecordError, Ref, RefusedError
from opsync_jira import wire
from opsync_jira.dialect import Api
from opsync_jira.jql import changed_since
from opsync_jira.normalize import STREAM
from opsync_jira.pages import read_page
from opsync_jira.pull import SMALL_BULK, id_pages
from opsync_jira.scope import Outside, is_private
from opsync_jira.settings import JiraSettings

SETTLED = timedelta(hours=1)
"""What changed within it may be missing from the index: nothing is concluded from that."""
PROJECTS = 50
"""Projects in one request, the most that Jira takes by key."""
_STATES = ("live", "archived", "deleted")


class _Project(Struct):
    key: str = ""
    archived: bool = False
    deleted: bool = False


class _Projects(Struct):
    values: list[_Project] = []


class Whereabouts:
    """Looks for issues of one Cloud site."""

    def __init__(
        self,
        api: Api,
        settings: JiraSettings,
        fields: Sequence[str],
        page_type: type[wire.Page],
        instance: str,
    ) -> None:
        self._api = api
        self._settings = settings
        self._fields = fields
        self._page_type = page_type
        self._instance = instance
        self._private = frozenset(settings.private_projects)

    async def listing(self, containers: Sequence[str]) -> AsyncGenerator[Sequence[Ref], None]:
        """The ids of all issues in scope, 5,000 a request."""
        jql = changed_since(self._settings, None, containers=containers)
        async with aclosing(id_pages(self._api, jql)) as pages:
            async for ids in pages:
                yield [Ref(self._instance, STREAM, str(id_)) for id_ in ids]

    async def look_up(
        self, refs: Sequence[Ref], known: Mapping[Ref, Record], *, listed: bool
    ) -> list[Item | Absent]:
        """What became of these issues, by id."""
        found: dict[str, tuple[Item, bool]] = {}
        for start in range(0, len(refs), SMALL_BULK):
            answer = await self._fetch([ref.id for ref in refs[start : start + SMALL_BULK]])
            items, _ = read_page(answer, self._page_type)
            found |= {item.id: (item, _is_settled(item, answer)) for item in items}
        missed = {ref for ref in refs if listed and _counts(known.get(ref))}
        unclear = [ref for ref in missed if ref.id in found and found[ref.id][1]]
        absent = [ref for ref in refs if ref.id not in found and ref in known]
        keys = {known[ref].space_key for ref in absent}
        keys |= {_project(found[ref.id][0]).key for ref in unclear}
        states = await self._states(sorted(keys - {""}))
        result: list[Item | Absent] = [_absent(ref, known[ref], states) for ref in absent]
        for ref in refs:
            if ref.id in found:
                item, settled = found[ref.id]
                result.append(self._there(ref, item, settled and ref in missed))
        # What does not tell its id may be one of the absent: the core is to know.
        asked = {ref.id for ref in refs}
        unnamed = [item for id_, (item, _) in found.items() if id_ not in asked]
        return result + [item for item in unnamed if isinstance(item.raw, RecordError)]

    def _there(self, ref: Ref, item: Item, left_out: bool) -> Item | Absent:
        """What an issue is that can be read; `left_out`: although the search does not show it."""
        raw = item.raw
        if not isinstance(raw, wire.Issue):
            return item
        project = _project(item)
        projects = self._settings.projects
        elsewhere = bool(projects) and project.key not in projects
        if elsewhere or (left_out and self._settings.jql):
            private = is_private(raw.fields, self._private)
            return Item(item.stream, item.id, Outside(raw.id, raw.key, private, project))
        return Absent(ref, "archived") if left_out else item

    async def _fetch(self, ids: Sequence[str]) -> Answer:
        body = {"issueIdsOrKeys": list(ids), "fields": list(self._fields)}
        return await self._api.read("POST", "issue/bulkfetch", json=body)

    async def _states(self, keys: Sequence[str]) -> dict[str, str]:
        """The projects among these that the account sees, and the state of each."""
        states: dict[str, str] = {}
        for start in range(0, len(keys), PROJECTS):
            asked = [("keys", key) for key in keys[start : start + PROJECTS]]
            asked.append(("maxResults", str(PROJECTS)))
            try:
                shown = await self._projects([*asked, *(("status", state) for state in _STATES)])
            except RefusedError:
                # Asking for a state is experimental: without it only living projects are told.
                shown = await self._projects(asked)
            states |= {one.key: _state(one) for one in shown}
        return states

    async def _projects(self, params: Sequence[tuple[str, str]]) -> Iterable[_Project]:
        answer = await self._api.read("GET", "project/search", params=params)
        return answer.decode(_Projects).values


def fields_of(custom: Sequence[tuple[str, str]]) -> list[str]:
    """The fields that make a record."""
    return [*wire.SYSTEM, *(id_ for _, id_ in custom)]


def _counts(record: Record | None) -> bool:
    """Whether an issue was there for all that is known, so that a listing had to show it."""
    return record is not None and not record.tombstone and not record.archived


def _is_settled(item: Item, answer: Answer) -> bool:
    raw = item.raw
    updated = raw.fields.updated if isinstance(raw, wire.Issue) else None
    return updated is not None and updated < answer.server_now - SETTLED


def _project(item: Item) -> wire.Project:
    raw = item.raw
    project = raw.fields.project if isinstance(raw, wire.Issue) else None
    return project or wire.Project()


def _state(project: _Project) -> str:
    return "deleted" if project.deleted else "archived" if project.archived else "live"


def _absent(ref: Ref, record: Record, states: Mapping[str, str]) -> Absent:
    """Why an issue is not shown. One that had a security level may have one that hides it."""
    match states.get(record.space_key):
        case "deleted":
            return Absent(ref, "trashed")
        case "archived":
            return Absent(ref, "archived")
        case "live" if not record.private:
            return Absent(ref, "deleted")
    return Absent(ref, "not visible")
