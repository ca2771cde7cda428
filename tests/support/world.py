"""A small company on all three simulators, and whole passes over it without a socket."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from opsync.config import Config, build
from opsync.engine.session import Session, open_session
from opsync.model import Record, Ref, Rollup
from opsync.model.ledger import Entry
from opsync.report import InstanceReport, PassReport
from opsync.runtime import Runtime
from opsync.sandbox.jira import JiraSite
from opsync.sandbox.linear import LinearWorkspace
from opsync.sandbox.notion import DataSource, NotionWorkspace, Page
from opsync.sandbox.vendor import Vendor
from tests.support.clock import FakeClock

JIRA_SITE = "https://harbor.atlassian.net"
SECOND_SITE = "https://ships.atlassian.net"
CANARY = "canary-7c1f-never-shown"
"""Part of every token in these worlds: it may appear in no output, log or store."""

JIRA_TOKEN = f"jira-{CANARY}"
LINEAR_TOKEN = f"lin_api_{CANARY}"
NOTION_TOKEN = f"ntn_{CANARY}"

HOSTS = {
    "jira-main": "harbor.atlassian.net",
    "linear": "api.linear.app",
    "notion": "api.notion.com",
}

Handler = Callable[[httpx.Request], httpx.Response | None]
Spoiler = Callable[[Any], None]

DUE = date(2026, 9, 1)
"""Far enough from the clock's start for everything to be on track."""


class Net(httpx.AsyncBaseTransport):
    """Leads each host to its simulator.

    `before` may answer or raise in a host's place, `spoil` changes its parsed answers in place.
    """

    def __init__(self) -> None:
        self.hosts: dict[str, httpx.AsyncBaseTransport] = {}
        self.before: dict[str, Handler] = {}
        self.spoil: dict[str, Spoiler] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if (handler := self.before.get(host)) is not None:
            await request.aread()
            if (answer := handler(request)) is not None:
                return answer
        answer = await self.hosts[host].handle_async_request(request)
        if (spoiler := self.spoil.get(host)) is None:
            return answer
        if not await answer.aread():
            return answer
        content = answer.json()
        spoiler(content)
        return httpx.Response(answer.status_code, json=content)


@dataclass
class World:
    """Three tools, one clock, one store. Each pass is a process of its own, as far as that goes.

    PAY-1 "Checkout core" has PAY-2 (done), PAY-3 (doing) and PAY-4 (to do); the Linear project
    "Checkout web" has GRO-1 (done) and GRO-2 (to do). The page "One-tap checkout" names both. The
    page "Loyalty" names the epic MOB-1 with MOB-2 (done) and MOB-3 (to do). GRO-3 "Card form"
    names PAY-3 in its description.
    """

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    net: Net = field(default_factory=Net)
    jira: JiraSite = field(init=False)
    linear: LinearWorkspace = field(init=False)
    notion: NotionWorkspace = field(init=False)
    source: DataSource = field(init=False)
    checkout: Page = field(init=False)
    loyalty: Page = field(init=False)
    vendors: dict[str, Vendor] = field(init=False)
    raw: dict[str, Any] = field(init=False)
    fixed_files: bool = False
    """Nothing changes in the folders that the configuration names."""
    limit_factor: int = 10
    """Of the vendors' announced limits."""
    time_zone: str = "Europe/Berlin"
    """Of the account that reads Jira."""
    _built: tuple[object, Config] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        now = self.clock.now
        factor = self.limit_factor
        self.jira = JiraSite(
            now=now,
            limit_factor=factor,
            base_url=JIRA_SITE,
            token=JIRA_TOKEN,
            time_zone=self.time_zone,
        )
        self.linear = LinearWorkspace(now=now, limit_factor=factor, token=LINEAR_TOKEN)
        self.notion = NotionWorkspace(now=now, limit_factor=factor, token=NOTION_TOKEN)
        self.vendors = {"jira-main": self.jira, "linear": self.linear, "notion": self.notion}
        self.net.hosts = {
            "harbor.atlassian.net": httpx.ASGITransport(self.jira.app),
            "api.linear.app": httpx.ASGITransport(self.linear.app),
            "api.notion.com": httpx.ASGITransport(self.notion.app),
        }
        self._plant_jira()
        self._plant_linear()
        self._plant_notion()
        self.raw = self._settings()

    def _plant_jira(self) -> None:
        jira = self.jira
        workflow(jira)
        jira.add_project("PAY", "Payments")
        jira.add_project("MOB", "Mobile")
        jira.add_issue("PAY", "Checkout core", issue_type="Epic", status="Doing")
        jira.add_issue("PAY", "Vault cards", parent="PAY-1", status="Done")
        jira.add_issue("PAY", "Tokenise cards", parent="PAY-1", status="Doing")
        jira.add_issue("PAY", "Refund flow", parent="PAY-1", status="To Do")
        jira.add_issue("MOB", "Loyalty core", issue_type="Epic", status="Doing")
        jira.add_issue("MOB", "Points ledger", parent="MOB-1", status="Done")
        jira.add_issue("MOB", "Points screen", parent="MOB-1", status="To Do")

    def _plant_linear(self) -> None:
        linear = self.linear
        linear.add_team("GRO", "Growth")
        project = linear.add_project("Checkout web", teams=["GRO"])
        linear.add_issue("GRO", "Cart page", project=project, state="Done")
        linear.add_issue("GRO", "Pay button", project=project)
        linear.add_issue("GRO", "Card form", description=f"Waits for {jira_url('PAY-3')}")

    def _plant_notion(self) -> None:
        self.notion.add_user("Ana Reyes", "ana@harbor.example")
        database = self.notion.add_database(
            "Roadmap",
            properties={
                "Name": {"title": {}},
                "Tracked in": {"rich_text": {}},
                "Status": {"status": {}},
                "Due": {"date": {}},
            },
        )
        self.source = database.data_source
        project = self.linear.project("Checkout web")
        self.checkout = self.page(
            "One-tap checkout", f"{jira_url('PAY-1')} {linear_project_url(project.slug_id)}"
        )
        self.loyalty = self.page("Loyalty", jira_url("MOB-1"))

    def _settings(self) -> dict[str, Any]:
        return {
            "store": str(self.folder / "opsync.db"),
            "instances": {
                "jira-main": {
                    "connector": "jira",
                    "site": JIRA_SITE,
                    "email": "ana@harbor.example",
                    "token": JIRA_TOKEN,
                },
                "linear": {"connector": "linear", "token": LINEAR_TOKEN},
                "notion": {
                    "connector": "notion",
                    "token": NOTION_TOKEN,
                    "data_sources": [{"id": self.source.id}],
                },
            },
            "rollup": [{"name": "roadmap", "mode": "apply", "roots": {"instance": "notion"}}],
            "links": {"mode": "apply"},
        }

    def page(self, title: str, tracked_in: str, *, due: date | None = DUE) -> Page:
        """One more initiative that names `tracked_in`."""
        cells = {"Name": title, "Tracked in": tracked_in, "Due": due}
        return self.notion.add_page(self.source, cells)

    def config(self) -> Config:
        """The configuration as `raw` has it now, built anew where anything may have changed it."""
        given = (self.raw, {k: v for k, v in os.environ.items() if k.startswith("OPSYNC_")})
        reads_files = not self.fixed_files and self.raw.keys() & {"plugins_dir", "secrets_dir"}
        if self._built is None or self._built[0] != given or reads_files:
            self._built = (deepcopy(given), build(self.raw))
        return self._built[1]

    @property
    def store_path(self) -> Path:
        """Where the store is."""
        return Path(self.raw["store"])

    def lose_store(self) -> None:
        """Delete the store with all that belongs to it."""
        for path in self.folder.glob("opsync.db*"):
            path.unlink()

    def add_second_jira(self) -> JiraSite:
        """The instance "jira-ships": another site, with the project SHIP and no issue."""
        site = JiraSite(
            now=self.clock.now, limit_factor=10, base_url=SECOND_SITE, token="ships-token"
        )
        workflow(site)
        site.add_project("SHIP", "Ships")
        self.net.hosts["ships.atlassian.net"] = httpx.ASGITransport(site.app)
        self.vendors["jira-ships"] = site
        self.raw["instances"]["jira-ships"] = {
            "connector": "jira",
            "site": SECOND_SITE,
            "email": "ana@harbor.example",
            "token": "ships-token",
        }
        return site

    @asynccontextmanager
    async def session(self, command: str = "sync") -> AsyncIterator[Session]:
        """A session over the simulators, with virtual time."""
        runtime = Runtime(clock=self.clock, rng=random.Random(7))
        async with open_session(
            self.config(), command, runtime=runtime, transport=self.net
        ) as session:
            yield session

    async def sync(
        self,
        *,
        only: frozenset[str] = frozenset(),
        full: bool = False,
        write: bool = True,
        allow: Mapping[str, int] | None = None,
    ) -> PassReport:
        """One pass, a minute after whatever was before; `allow` raises limits for it."""
        self.clock.advance(60)
        limits = self.config().limits.raised(**(allow or {}))
        async with self.session() as session:
            return await session.sync("sync", only=only, full=full, write=write, limits=limits)

    async def silent(self, **options: Any) -> PassReport:
        """One pass that must plan nothing, write nothing, and say that all is well."""
        before = self.written()
        report = await self.sync(**options)
        assert [c.change.slot for c in report.plan.changes] == []
        assert report.applied == 0
        assert self.written() == before, "a pass with nothing to do sent a write"
        assert report.exit_code == 0, troubles(report)
        return report

    def written(self) -> dict[str, int]:
        """How many writes each simulator has received."""
        return {name: vendor.write_requests for name, vendor in self.vendors.items()}

    async def record(self, key: str) -> Record:
        """The stored record that people call so."""
        async with self.session() as session:
            return (await session.store.find(key))[0]

    async def entries(self, **options: Any) -> list[Entry]:
        """Ledger rows."""
        async with self.session() as session:
            return list(await session.store.entries(**options))

    async def rollup(self, page: Page) -> Rollup:
        """The stored rollup of a page."""
        wanted = Ref("notion", "page", page.id)
        async with self.session() as session:
            found = {each.root.id.replace("-", ""): each for each in await session.store.rollups()}
        return found[wanted.id.replace("-", "")]

    def remote_links(self, key: str) -> list[Mapping[str, Any]]:
        """What stands in the list of remote links of a Jira issue: its objects with globalId."""
        issue = self.jira.issue(key)
        return [
            {**link.object, "globalId": link.global_id, "id": link.id}
            for link in self.jira.remote_links.get(issue.id, {}).values()
        ]

    def attachments(self, identifier: str) -> list[tuple[str, str]]:
        """Title and URL of each link on a Linear issue."""
        return [(each.title, each.url) for each in self.linear.issue(identifier).attachments]

    def project_links(self, name: str = "Checkout web") -> list[tuple[str, str]]:
        """Label and URL of each link on a Linear project."""
        return [(each.label, each.url) for each in self.linear.project(name).external_links]


def workflow(site: JiraSite) -> None:
    """Three statuses, one a category."""
    site.add_status("To Do", "new")
    site.add_status("Doing", "indeterminate")
    site.add_status("Done", "done")


def jira_url(key: str) -> str:
    """What people copy from the browser."""
    return f"{JIRA_SITE}/browse/{key}"


def linear_url(identifier: str) -> str:
    """The same of a Linear issue."""
    return f"https://linear.app/harbor/issue/{identifier}"


def linear_project_url(slug_id: str) -> str:
    """The same of a Linear project."""
    return f"https://linear.app/harbor/project/{slug_id}"


def page_url(page: Page) -> str:
    """The same of a Notion page."""
    return page.url


def spoiler(name: str, spoil: Callable[[dict[str, Any]], object]) -> Spoiler:
    """Changes each object in an answer whose id, key or identifier is `name`."""

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if name in (node.get("key"), node.get("identifier"), node.get("id")):
                spoil(node)
            for each in node.values():
                walk(each)
        elif isinstance(node, list):
            for each in node:
                walk(each)

    return walk


def of(report: PassReport, instance: str) -> InstanceReport:
    """One instance's part of a pass."""
    return next(i for i in report.instances if i.instance == instance)


def troubles(report: PassReport) -> dict[str, str]:
    """What kept a pass from being done, for the message of a failed assertion."""
    found = {i.instance: f"{i.trouble}: {i.message}" for i in report.instances if i.trouble}
    found |= {c.slot.surface: o.message for c, o in report.outcomes if o.kind == "failed"}
    found |= {h.entry.slot.surface: f"{h.kind}: {h.why}" for h in report.plan.held}
    return found
