"""How many requests a run makes: as few as the vendors allow, and never more than they permit."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from opsync.sandbox.harbor import Harbor, build_harbor
from opsync.sandbox.notion import Page
from opsync.sandbox.vendor import Vendor
from tests.support.clock import FakeClock
from tests.support.company import Company, Wire
from tests.support.world import World, jira_url

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

JIRA_RECOMMENDS = 10
"""Requests at once, at most (developer.atlassian.com/cloud/jira/platform/rate-limiting/)."""
REMOTE_LINK = "/remotelink"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def harbor(clock: FakeClock) -> Harbor:
    """Harbor, whose vendors permit what the real ones do."""
    return build_harbor(now=clock.now, limit_factor=1)


@pytest.fixture
def company(harbor: Harbor, clock: FakeClock, tmp_path: Path) -> Company:
    return Company.of(harbor, tmp_path, clock)


def lines(vendor: Vendor) -> list[str]:
    """The requests that a vendor got: "GET /rest/api/3/myself", GraphQL by its operation."""
    found = []
    for each in vendor.exchanges:
        if each.path == "/graphql":
            words = each.request_body.partition(b'"query":"')[2].split(b"(")[0].split()
            found.append(" ".join(word.decode() for word in words[:2]))
        else:
            found.append(f"{each.method} {each.path}")
    return found


async def test_a_run_with_nothing_new_asks_each_vendor_once_and_writes_nothing(
    company: Company, harbor: Harbor
) -> None:
    """Trouble 22, I2"""
    await company.sync()
    for minutes in (1, 20, 5 * 60):
        company.tick(minutes)
        company.forget_requests()

        report = await company.sync()

        assert lines(harbor.jira) == ["GET /rest/api/3/myself", "POST /rest/api/3/search/jql"]
        assert lines(harbor.linear) == ["query Work"]
        source = harbor.roadmap.id
        assert lines(harbor.notion) == [f"POST /v1/data_sources/{source}/query"]
        assert (report.read_requests, report.write_requests) == (4, 0)


async def test_once_a_day_jira_is_asked_for_its_fields_too(world: World) -> None:
    await world.sync()
    await world.silent()
    asked = []
    for hours in (24, 1, 22, 2):
        world.clock.advance(hours * 3600)
        world.jira.exchanges.clear()
        await world.silent()
        asked.append(lines(world.jira).count("GET /rest/api/3/field"))
    assert asked == [1, 0, 0, 1]


async def test_a_second_data_source_costs_one_more_request(world: World) -> None:
    second = world.notion.add_database("Later", properties={"Name": {"title": {}}}).data_source
    world.raw["instances"]["notion"]["data_sources"].append({"id": second.id})
    await world.sync()
    await world.silent()
    world.notion.exchanges.clear()

    await world.silent()

    assert sorted(lines(world.notion)) == sorted(
        f"POST /v1/data_sources/{source.id}/query" for source in (world.source, second)
    )


async def test_the_first_read_takes_as_few_requests_as_the_vendors_allow(
    company: Company, harbor: Harbor
) -> None:
    """Jira: the token is tried, its fields are asked once, then a page of 100, all ids at once,
    and the rest in bulks of 250. Linear: pages of 250. Notion: the database, its columns, and
    pages of 100: those that live, are archived, and are in the trash."""
    report = await company.sync(mode="observe")

    issues, source = len(harbor.jira.issues), harbor.roadmap.id
    assert 100 < issues <= 350
    bulks = 1
    jira = Counter(lines(harbor.jira))
    assert jira.pop("GET /rest/api/3/myself") == 1
    assert jira.pop("GET /rest/api/3/field") == 1
    assert jira.pop("POST /rest/api/3/search/jql") == 2
    # One more asks for the issue that was PAY-88, and for PAY-9999.
    assert jira.pop("POST /rest/api/3/issue/bulkfetch") == bulks + 1
    assert jira == {}
    assert len(harbor.linear.issues) <= 250
    assert lines(harbor.linear) == ["query Work"]
    notion = Counter(lines(harbor.notion))
    assert notion.pop(f"POST /v1/data_sources/{source}/query") <= 3
    assert sum(notion.values()) <= 3
    assert report.write_requests == 0


@pytest.mark.slow
async def test_the_first_run_writes_each_place_once(company: Company, harbor: Harbor) -> None:
    report = await company.sync()
    writes = Counter(
        each.path
        for each in (*harbor.jira.exchanges, *harbor.notion.exchanges)
        if not each.reads and not each.path.endswith(REMOTE_LINK)
    )
    assert set(writes.values()) == {1}
    assert len(writes) == len(harbor.pages) + 1
    links = [each for each in harbor.jira.exchanges if not each.reads]
    assert len(links) == len({(each.path, each.request_body) for each in links})
    assert harbor.linear.write_requests == 1
    looks = Counter(e.path for e in harbor.jira.exchanges if e.path.endswith(REMOTE_LINK))
    assert len(looks) <= len(links)
    assert report.write_requests == sum(
        vendor.write_requests for vendor in company.vendors.values()
    )


@pytest.mark.slow
async def test_an_issue_that_moved_costs_one_write_for_each_place_concerned(
    company: Company, harbor: Harbor
) -> None:
    await company.sync()
    company.tick()
    harbor.jira.poke_move("PAY-118", "done")
    company.tick()
    company.forget_requests()

    report = await company.sync()

    page = harbor.pages["One-tap checkout"]
    assert page.text("Delivery").startswith("13 of 20 done")
    epic = harbor.jira.issue("PAY-100").id
    assert lines(harbor.jira)[2:] == [
        f"GET /rest/api/3/issue/{epic}/remotelink",
        f"POST /rest/api/3/issue/{epic}/remotelink",
    ]
    assert lines(harbor.linear)[1:] == ["query Standing", "mutation Write"]
    assert lines(harbor.notion)[1:] == [f"PATCH /v1/pages/{page.id}"]
    assert report.write_requests == 3


@pytest.mark.slow
async def test_the_first_run_over_harbor_stays_within_every_vendors_limits(
    company: Company,
) -> None:
    """I15"""
    await company.sync()
    await company.sync(full=True)
    assert {name: v.over_budget for name, v in company.vendors.items()} == dict.fromkeys(
        company.vendors, 0
    )


def grow(world: World, count: int) -> list[Page]:
    """So many more initiatives, and for each an epic and an issue that names it. The vendors
    permit what the real ones do, Notion a request less than a page each."""
    pages = []
    for number in range(count):
        epic = world.jira.add_issue("PAY", f"Part {number}", issue_type="Epic")
        world.linear.add_issue("GRO", f"Screen {number}", description=jira_url(epic.key))
        pages.append(world.page(f"Initiative {number}", jira_url(epic.key)))
    for vendor in world.vendors.values():
        vendor.limit_factor = 1
    world.notion.budget.per_window = count
    world.raw["instances"]["notion"]["requests_per_minute"] = count
    return pages


@pytest.mark.parametrize("count", [30, pytest.param(150, marks=pytest.mark.slow)])
async def test_the_limiter_waits_rather_than_go_over_a_limit(world: World, count: int) -> None:
    """Trouble 10"""
    pages = grow(world, count)
    started = world.clock.elapsed_s

    report = await world.sync()

    assert report.exit_code == 0
    assert all(page.text("Delivery") for page in pages)
    assert {name: v.over_budget for name, v in world.vendors.items()} == dict.fromkeys(
        world.vendors, 0
    )
    (notion,) = [i for i in report.instances if i.instance == "notion"]
    assert notion.waited_s > 0
    assert 60 < world.clock.elapsed_s - started < 300
    await world.silent()


COMPANY_S = 0.05
"""Longer than the store takes between two requests of one worker."""


class Busy(Wire):
    """Counts how many requests each vendor has under way at once. Each stays under way until two
    were, or for `COMPANY_S`."""

    def __init__(self, vendors: dict[str, Vendor]) -> None:
        super().__init__(vendors)
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.split("/")[1]
        self.now[name] += 1
        self.most[name] = max(self.most[name], self.now[name])
        try:
            deadline = time.monotonic() + COMPANY_S
            while self.most[name] < 2 and time.monotonic() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            for _ in range(20):
                await asyncio.sleep(0)
            return await super().handle_async_request(request)
        finally:
            self.now[name] -= 1


@pytest.mark.slow
async def test_no_vendor_is_asked_more_at_once_than_it_recommends(company: Company) -> None:
    busy = Busy(company.vendors)

    await company.sync(wire=busy)

    assert 1 < busy.most["jira"] <= JIRA_RECOMMENDS
    assert 1 < busy.most["notion"] <= 3
    assert busy.most["linear"] <= 2
