"""What a connector learns while it writes outlives a crash, not only the end of the pass."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.crash.mortal import ByHost, Died, Mortal, MortalWorld
from tests.support.world import jira_url


class AtTheLastPage(Mortal):
    """Dies at the last of the pages that the first run writes."""

    pages = 0
    all_pages = 6

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH" and "/pages/" in request.url.path:
            self.pages += 1
            if self.pages == self.all_pages:
                self.chosen = self.count + 1
        return await super().handle_async_request(request)


async def test_columns_that_were_made_are_known_after_the_first_page_was_written(
    tmp_path: Path,
) -> None:
    world = MortalWorld(tmp_path)
    for number in range(AtTheLastPage.all_pages - 2):
        world.page(f"Refunds {number}", jira_url("PAY-4"))
    alive = world.net.hosts
    world.net.hosts = dict.fromkeys(alive, AtTheLastPage(ByHost(alive), None, "before"))
    try:
        await world.sync()
    except Died:
        world.net.hosts = alive
    written = [page for page in world.notion.state.pages_of(world.source) if page.text("Delivery")]
    assert 0 < len(written) < AtTheLastPage.all_pages
    # A value that opsync could not have written: by its look the column is anybody's now.
    world.notion.edit_page(written[0], "Delivery", "Ask Dana")

    report = await world.sync()

    assert report.conflicts == 1
    assert written[0].text("Delivery") == "Ask Dana"
    assert world.what_stands().doubled == []
