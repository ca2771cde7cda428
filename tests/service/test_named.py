"""What a change signal names is looked up by itself, and concludes no more than a listing may."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from opsync.model import Ref
from opsync.sandbox.notion import Page
from opsync.service.running import Service
from opsync_notion import Notion
from tests.service.virtual import Virtual


def refs(pages: Iterable[Page]) -> list[Ref]:
    return [Ref("notion", "page", page.id) for page in pages]


@pytest.mark.slow
def test_a_mass_that_signals_name_as_gone_is_no_more_believed_than_one_of_a_listing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 32 pages 30 are in the trash. They are looked up in parts, none of which is too much."""
    monkeypatch.setattr(Notion, "look_up_max", 6)
    virtual = Virtual(tmp_path)
    world = virtual.world
    pages = [world.page(f"Bet {number}", "") for number in range(30)]

    async def story(service: Service) -> None:
        async def known() -> int:
            return await service.session.store.known("notion", world.source.id)

        await asyncio.sleep(600)
        before = await known()
        assert before > len(pages)
        for page in pages:
            world.notion.trash(page)
        service.nudge("notion", refs(pages[:3]))
        await asyncio.sleep(30)
        assert await known() == before - 3, "a few are"
        service.nudge("notion", refs(pages))
        await asyncio.sleep(30)
        assert await known() >= before - 3 - 10

    virtual.play(story)
