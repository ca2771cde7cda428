"""Reading issues from Jira Cloud: page by page in the order of change, or all of them in bulk.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/
"""

from __future__ import annotations

import asyncio
from array import array
from collections import deque
from collections.abc import AsyncGenerator, Mapping, MutableMapping, Sequence
from contextlib import aclosing
from datetime import datetime

from opsync import Answer, BadAnswer, Batch, RefusedError, Value, ahead
from opsync_jira import wire
from opsync_jira.dialect import Api
from opsync_jira.fields import CustomFields
from opsync_jira.jql import changed_since
from opsync_jira.pages import batch_of, let_next_leave, next_token, read_page
from opsync_jira.settings import JiraSettings

PAGE = 100
"""Issues with their fields in one page of a search, the most that Jira gives."""
ID_PAGE = 5000
"""The same for ids only."""
BULK = 250
"""Issues in one bulk fetch. Jira takes 1,000 with these fields; answers of 7 MB, some of them
under way at once, would be a third of all the memory that a first read may take."""
SMALL_BULK = 100
"""The same on sites that take no more."""
PARALLEL = 4
"""Bulk fetches under way at once; Atlassian asks for at most 5 to 10."""
EMPTY_ID_PAGES = 2
"""So many pages of ids in a row may be empty and lead on."""
BULK_KEPT_AS = "bulk_size"


class CloudReader:
    """One walk over the issues of a Cloud site."""

    def __init__(
        self,
        api: Api,
        settings: JiraSettings,
        custom: CustomFields,
        kept: MutableMapping[str, Value],
        containers: Sequence[str] = (),
    ) -> None:
        self._api = api
        self._settings = settings
        self._kept = kept
        self._containers = containers
        self._fields = [*wire.SYSTEM, *(id_ for _, id_ in custom)]
        self._page_type = wire.page_type(custom)

    async def changed(self, since: datetime | None) -> AsyncGenerator[Batch, None]:
        """What changed at or after `since`, in the order of change. Resumable after each page.

        An issue that changes during the walk moves to its end and is seen again.
        """
        containers = self._containers if since is None else None
        jql = changed_since(self._settings, since, containers=containers)
        async with aclosing(ahead(self._pages(jql))) as pages:
            async for answer in pages:
                await let_next_leave()
                items, _ = read_page(answer, self._page_type)
                yield batch_of(items, resumable=True, not_after=answer.server_now)

    async def everything(self) -> AsyncGenerator[Batch, None]:
        """All issues in as few requests as the site allows.

        One page if they fit. Beyond, their ids and then bulk fetches, some at once; where a site
        takes 100 only, that would be no fewer requests than walking, which can be resumed.
        """
        if bulk_size(self._kept) <= SMALL_BULK:
            async with aclosing(self.changed(None)) as batches:
                async for batch in batches:
                    yield batch
            return
        jql = changed_since(self._settings, None, containers=self._containers)
        first = await self._search(jql, self._fields, PAGE, None)
        items, _ = read_page(first, self._page_type)
        if next_token(first) is None:
            yield batch_of(items, resumable=True, not_after=first.server_now)
            return
        # What changes from here on may have been read before it did: the next pass reads it.
        begun = first.server_now
        ids = await self._ids(jql)
        yield batch_of(items, resumable=False, expected=len(ids), not_after=begun)
        had = {int(item.id) for item in items if item.id.isdecimal()}
        rest = array("Q", (id_ for id_ in ids if id_ not in had))
        async with aclosing(self._bulk(rest)) as answers:
            async for answer in answers:
                items, _ = read_page(answer, self._page_type)
                yield batch_of(items, resumable=False, expected=len(ids), not_after=begun)

    async def _pages(self, jql: str) -> AsyncGenerator[Answer, None]:
        seen: set[str] = set()
        token: str | None = None
        while True:
            answer = await self._search(jql, self._fields, PAGE, token)
            token = _unseen(next_token(answer), seen)
            yield answer
            if token is None:
                return

    async def _ids(self, jql: str) -> array[int]:
        """The ids of all issues that the query finds, in its order: numbers, to keep them small."""
        ids = array("Q")
        async with aclosing(id_pages(self._api, jql)) as pages:
            async for page in pages:
                ids.extend(page)
        return ids

    async def _search(
        self, jql: str, fields: Sequence[str], size: int, token: str | None
    ) -> Answer:
        return await _search(self._api, jql, fields, size, token)

    async def _bulk(self, ids: array[int]) -> AsyncGenerator[Answer, None]:
        """Answers with the issues of `ids`, in their order, some fetched ahead at once.

        Issues that are gone or hidden by now are absent from them.
        """
        size, start = bulk_size(self._kept), 0
        if len(ids) > SMALL_BULK and self._kept.get(BULK_KEPT_AS) is None:
            try:
                answer = await self._fetch(ids[:size])
            except RefusedError as error:
                if error.status != 400:
                    raise
                size = SMALL_BULK
            else:
                start = size
            self._kept[BULK_KEPT_AS] = size
            if start:
                yield answer
        waiting = deque(ids[at : at + size] for at in range(start, len(ids), size))
        running: deque[asyncio.Task[Answer]] = deque()
        try:
            while waiting or running:
                while waiting and len(running) < PARALLEL:
                    running.append(asyncio.create_task(self._fetch(waiting.popleft())))
                yield await running.popleft()
        except RefusedError as error:
            if error.status == 400:
                # The site takes fewer than it did: the next first read finds out how many.
                self._kept.pop(BULK_KEPT_AS, None)
            raise
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _fetch(self, ids: Sequence[int]) -> Answer:
        body = {"issueIdsOrKeys": [str(id_) for id_ in ids], "fields": self._fields}
        return await self._api.read("POST", "issue/bulkfetch", json=body)


async def id_pages(api: Api, jql: str) -> AsyncGenerator[list[int], None]:
    """The ids of all issues that the query finds, in its order, page by page."""
    seen: set[str] = set()
    token: str | None = None
    empty = 0
    while True:
        page = (await _search(api, jql, ["id"], ID_PAGE, token)).decode(wire.IdPage)
        empty = 0 if page.issues else empty + 1
        if empty > EMPTY_ID_PAGES:
            raise BadAnswer("Jira's search goes on and on without an issue.")
        token = _unseen(page.token, seen)
        yield [int(issue.id) for issue in page.issues]
        if token is None:
            return


async def _search(
    api: Api, jql: str, fields: Sequence[str], size: int, token: str | None
) -> Answer:
    body: dict[str, object] = {"jql": jql, "fields": fields, "maxResults": size}
    if token is not None:
        body["nextPageToken"] = token
    return await api.read("POST", "search/jql", json=body)


def bulk_size(kept: Mapping[str, Value]) -> int:
    """Issues in one bulk fetch, as far as it was found out."""
    known = kept.get(BULK_KEPT_AS)
    return known if isinstance(known, int) else BULK


def _unseen(token: str | None, seen: set[str]) -> str | None:
    """`token`, once. BadAnswer when it leads back to a page that was read already."""
    if token is None:
        return None
    if token in seen:
        raise BadAnswer(
            "Jira's search leads back to a page that was read already.",
            hint="Nothing is concluded from it; the next pass asks again.",
        )
    seen.add(token)
    return token
