"""The dashboard in headless Chromium, from a server on this machine."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import uvicorn
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, Page, async_playwright

from opsync.runtime import SystemClock
from opsync.service.web.app import dashboard
from opsync.service.web.guarded import SERVED
from opsync.store import Store
from tests.service.web.board.office import Office
from tests.service.web.pages import SECRET
from tests.support.world import World

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Hands(SystemClock):
    """The company's time, and real waiting."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.clock.now()


@dataclass
class Served(Office):
    """The desk, with a clock that really waits."""

    @property
    def clock(self) -> Hands:
        return Hands(self.world)


@dataclass
class Window:
    """A browser before a served dashboard; `troubles` is all that it complained of."""

    browser: Browser
    office: Office
    url: str
    troubles: list[str] = field(default_factory=list)

    async def open(self, path: str, **options: Any) -> Page:
        """A page in a tab of its own."""
        context = await self.browser.new_context(base_url=self.url, **options)
        page = await context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.troubles.append(f"{path}: {error}"))
        await page.goto(path)
        return page

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(message.text)


@asynccontextmanager
async def browsing(world: World) -> AsyncIterator[Window]:
    """A browser at the dashboard of `world`, on this machine, where everybody may decide."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    store = Store.open(world.store_path, clock=world.clock)
    office = Served(world, store)
    app = dashboard(office, secret=SECRET, local="cleo")
    config = uvicorn.Config(app, lifespan="off", http="h11", log_config=None, **SERVED)  # type: ignore[arg-type]  # by name
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            yield Window(browser, office, f"http://127.0.0.1:{listener.getsockname()[1]}")
            await browser.close()
    finally:
        await app.pages.state.listening.close()
        server.should_exit = True
        await serving
        listener.close()
        await store.close()


async def unfit(page: Page) -> list[str]:
    """What axe finds wrong with a page, opened to the last fold."""
    await page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    # By the driver and not by the page, whose policy lets no such script in.
    await page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    found = await page.evaluate("rules => axe.run({ runOnly: rules })", RULES)
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    wrong = [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found["violations"]]
    return [*wrong, *([f"{wide} px wider than its window"] if wide > 0 else [])]
