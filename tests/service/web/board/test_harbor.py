"""The demo's company, as its dashboard shows it: number by number, on every page it has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from opsync.config import Config, build
from opsync.engine.undone import ShownBack
from opsync.sandbox.harbor import EXPECTED, build_harbor
from opsync.service.desk import Standing
from opsync.service.web.app import dashboard
from opsync.store import Store
from tests.service.web.board.office import Shown
from tests.service.web.board.test_every_page import unfit
from tests.service.web.pages import SECRET, asking
from tests.support.clock import FakeClock
from tests.support.company import Company


@dataclass
class Demo:
    """A desk at which people only look."""

    config: Config
    store: Store
    clock: FakeClock
    refused: str = ""

    async def changed(self) -> None:
        return

    async def undo(self, what: str, by: str) -> ShownBack:
        raise AssertionError("nobody undoes anything here")

    async def read_now(self, instance: str) -> None:
        return

    def state(self) -> Mapping[str, Standing]:
        return {}


@pytest.fixture
async def company(tmp_path: Path) -> Company:
    """Harbor after its first pass."""
    clock = FakeClock(datetime(2026, 11, 22, 12, tzinfo=UTC))
    company = Company.of(build_harbor(now=clock.now), tmp_path, clock)
    assert (await company.sync()).exit_code == 0
    return company


@asynccontextmanager
async def looking(company: Company) -> AsyncIterator[httpx.AsyncClient]:
    store = Store.open(company.store, clock=company.clock)
    try:
        desk = Demo(build(company.settings()), store, company.clock)
        async with asking(dashboard(desk, secret=SECRET, local="cleo")) as client:
            yield client
    finally:
        await store.close()


@pytest.mark.slow
async def test_the_demo_looks_as_it_is_told(company: Company) -> None:
    async with looking(company) as client:
        page = Shown(await client.get("/"))
        refs = [link for link in page.links() if link.startswith("/initiatives/")]
        pages = {ref: Shown(await client.get(ref)) for ref in dict.fromkeys(refs)}

    assert "12 initiatives: 2 need a look; 3 disagree with what people say" in page.text
    assert "1 off track 1 at risk 5 on track 3 done 2 no linked work" in page.text
    for title, expected in EXPECTED.items():
        numbers = f"{expected.done}/{expected.total}" if expected.total else "–"
        assert title in page.text
        assert numbers in page.text
        (own,) = [one for one in pages.values() if one.text.startswith(f"{title} · opsync")]
        counted = f"{expected.done} of {expected.total} done" if expected.total else "–"
        assert counted in own.text, title
        assert expected.health in own.text, title
        assert unfit(own) == [], title
    assert len(pages) == len(EXPECTED)
    assert "+58 % 38/day" in page.text
    assert "This week" in page.text


@pytest.mark.slow
async def test_the_demo_tells_why_something_is_not_counted(company: Company) -> None:
    async with looking(company) as client:
        page = Shown(await client.get("/"))
        every = [link for link in page.links() if link.startswith("/initiatives/")]
        texts = [Shown(await client.get(ref)).text for ref in dict.fromkeys(every)]

    dark = next(text for text in texts if text.startswith("Dark mode"))
    assert "Not counted 6" in dark
    twins = next(text for text in texts if text.startswith("Usage-based pricing"))
    assert "the same work as" in twins
    fraud = next(text for text in texts if text.startswith("Fraud rules v2"))
    assert "4 private, counted and not named" in fraud
    assert "Private item" in fraud
