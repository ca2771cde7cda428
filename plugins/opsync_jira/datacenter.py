"""Reading issues from Jira Data Center, whose search has offsets and whose epics are named by key.

https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/search
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from opsync import Answer, BadAnswer, Batch, Item, NotFound, ahead
from opsync_jira import wire
from opsync_jira.dialect import Api
from opsync_jira.fields import CustomFields
from opsync_jira.jql import changed_since, with_ids
from opsync_jira.pages import batch_of, changes, read_page
from opsync_jira.settings import JiraSettings

KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*-[0-9]+")
"""An issue's key."""
PAGE = 500
"""Issues asked for at once; a site gives at most 1,000 (jira.search.views.default.max)."""


@dataclass(frozen=True, slots=True)
class _Page:
    items: list[Item]
    total: int
    read_at: datetime


class DataCenterReader:
    """One walk over the issues of a Data Center site, in the order of change.

    An offset into a list that changes would skip issues: whoever is updated moves to the end, and
    all behind move up. So a page begins at the second in which the last one ended, and offsets
    are used within one second only.
    """

    def __init__(
        self,
        api: Api,
        settings: JiraSettings,
        custom: CustomFields,
        containers: Sequence[str] = (),
    ) -> None:
        self._api = api
        self._settings = settings
        self._containers = containers
        self._fields = [*wire.SYSTEM, *(id_ for _, id_ in custom)]
        self._page_type = wire.page_type(custom)
        self._ids: dict[str, str] = {}

    async def changed(self, since: datetime | None) -> AsyncGenerator[Batch, None]:
        """What changed at or after `since` (None: everything). Resumable after each page."""
        expected: int | None = None
        async with aclosing(ahead(self._pages(since))) as pages:
            async for page in pages:
                expected = expected if expected is not None else page.total
                items = await self._with_epics(page.items)
                yield batch_of(items, resumable=True, expected=expected, not_after=page.read_at)

    async def some(self, ids: Sequence[str]) -> list[Item]:
        """The issues with these ids, at most a page of them. What is missing is left out."""
        answer = await self._search(with_ids(self._settings, ids), 0)
        return await self._with_epics(read_page(answer, self._page_type)[0])

    async def _pages(self, since: datetime | None) -> AsyncGenerator[_Page, None]:
        start = 0
        containers = self._containers if since is None else None
        begin = _whole_second(since) if since is not None else None
        while True:
            jql = changed_since(self._settings, begin, containers=containers)
            answer = await self._search(jql, start)
            items, total = read_page(answer, self._page_type)
            last = max(changes(items), default=None)
            ended = start + len(items) >= total
            if not items and not ended:
                raise BadAnswer(f"{answer.where}: Jira counts {total} issues and gave none.")
            yield _Page(items, total, answer.server_now)
            if ended:
                return
            if last is not None and (begin is None or _whole_second(last) > begin):
                begin, start = _whole_second(last), 0
            else:
                start += len(items)

    async def _search(self, jql: str, start: int) -> Answer:
        body = {
            "jql": jql,
            "fields": self._fields,
            "startAt": start,
            "maxResults": PAGE,
        }
        return await self._api.read("POST", "search", json=body)

    async def _with_epics(self, items: Sequence[Item]) -> list[Item]:
        """The items, with the ids of the epics that their issues name by key."""
        self._ids.update(
            (raw.key, raw.id) for item in items if isinstance(raw := item.raw, wire.Issue)
        )
        return [await self._with_epic(item) for item in items]

    async def _with_epic(self, item: Item) -> Item:
        raw = item.raw
        if not isinstance(raw, wire.Issue) or (key := _epic_key(raw)) is None:
            return item
        if key not in self._ids:
            self._ids[key] = await issue_id(self._api, key)
        whole = msgspec.structs.replace(raw, epic_id=self._ids[key])
        return Item(item.stream, item.id, whole)


async def issue_id(api: Api, key: str) -> str:
    """The id of the issue with this key, now or formerly; "" if missing or hidden."""
    try:
        answer = await api.read("GET", f"issue/{key}", params={"fields": "summary"})
    except NotFound:
        return ""
    return answer.decode(wire.Id).id


def _epic_key(issue: wire.Issue) -> str | None:
    """The key of the issue's epic; None without one, or if the field holds something else."""
    try:
        key = msgspec.json.decode(issue.fields.epic, type=str | None)
    except msgspec.ValidationError:
        return None
    return key if key is not None and KEY.fullmatch(key) else None


def _whole_second(moment: datetime) -> datetime:
    """Data Center's index knows whole seconds only."""
    return moment.astimezone(UTC).replace(microsecond=0)
