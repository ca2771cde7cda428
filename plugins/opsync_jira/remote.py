"""Reading what stands in the remote links of issues: no search answers it, so that each issue costs
a request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import msgspec

from opsync import Batch, Item, NotFound, RefusedError, Text
from opsync_jira import wire
from opsync_jira.dialect import MAX_CONCURRENT, Api
from opsync_jira.settings import JiraSettings
from opsync_jira.surfaces import MARK

FIELD = "remote link"


async def with_remote_links(api: Api, batch: Batch, settings: JiraSettings) -> Batch:
    """The same batch; if the settings say so, with the remote links of its issues."""
    if not settings.read_remote_links:
        return batch
    room = asyncio.Semaphore(MAX_CONCURRENT)
    tasks = [asyncio.create_task(_completed(api, item, room)) for item in batch.items]
    try:
        items = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return msgspec.structs.replace(batch, items=items)


def remote_texts(links: Iterable[wire.RemoteLink]) -> Iterator[Text]:
    """The addresses that remote links lead to, but for opsync's own."""
    for link in links:
        if link.object.url and not (link.global_id or "").startswith(MARK):
            yield Text(FIELD, link.object.url, remote_id=str(link.id), part="place")


async def _completed(api: Api, item: Item, room: asyncio.Semaphore) -> Item:
    issue = item.raw
    if not isinstance(issue, wire.Issue):
        return item
    async with room:
        try:
            answer = await api.read("GET", f"issue/{issue.id}/remotelink")
        except NotFound:
            # Gone or hidden since it was listed: the next read tells.
            return item
        except RefusedError as error:
            raise RefusedError(
                f"The remote links of {issue.key} cannot be read: {error.message}",
                hint="Set read_remote_links = false, or let the account see them: issue linking "
                "must be on (Settings → Work items → Linking).",
                status=error.status,
            ) from error
    links = tuple(answer.decode(list[wire.RemoteLink]))
    return Item(item.stream, item.id, msgspec.structs.replace(issue, remote_links=links))
