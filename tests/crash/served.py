"""A company served over HTTP with a gate before it, and the opsync that looks after it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opsync.runtime import SystemClock
from opsync.sandbox.harbor import Harbor, build_harbor
from opsync.sandbox.server import SandboxServer
from opsync.sandbox.vendor import Vendor
from opsync.store import Store
from tests.crash.standing import Standing, Tools, standing
from tests.support.clock import FakeClock
from tests.support.company import Company, settings
from tests.support.processes import Gate, Matches, gate, kill, run, running, write_config
from tests.support.world import World


class WallClock(FakeClock):
    """The time of day, which a process apart goes by too."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Served:
    """What the tests of processes work with."""

    tools: Tools
    vendors: dict[str, Vendor]
    gate: Gate
    config: Path
    store: Path

    @property
    def sync(self) -> tuple[str | Path, ...]:
        """The arguments of a sync."""
        return "sync", "--config", self.config

    def standing(self) -> Standing:
        """What stands in the three tools now."""
        return standing(self.tools)

    def writes(self) -> dict[str, int]:
        """How many writes each vendor has received."""
        return {name: vendor.write_requests for name, vendor in self.vendors.items()}

    def kill_at(self, point: Matches, *, nth: int = 1) -> None:
        """Start a sync and `kill -9` it once the vendor has carried out the chosen request."""
        self.gate.set(point, nth=nth)
        with running(*self.sync) as child:
            self.gate.wait()
            kill(child)

    def check_repair(self, wanted: Standing | None = None) -> None:
        """One more run brings everything about, once; the one after it writes nothing."""
        repaired = run(*self.sync)
        assert (repaired.code, repaired.err) == (0, ""), repaired
        found = self.standing()
        assert found.doubled == [], found.doubled
        if wanted is not None:
            assert found == wanted
        before = self.writes()
        silent = run(*self.sync)
        assert (silent.code, silent.err) == (0, ""), silent
        assert self.writes() == before
        asyncio.run(check_store(self.store))


def any_request(method: str, path: str, body: bytes) -> bool:
    """Whichever comes."""
    return True


async def check_store(path: Path) -> None:
    """StoreError for a damaged file."""
    store = Store.open(path, clock=SystemClock(), create=False)
    try:
        await store.check()
    finally:
        await store.close()


@contextmanager
def serve(
    folder: Path, tools: Tools, vendors: dict[str, Vendor], raw: Callable[[str], dict[str, Any]]
) -> Iterator[Served]:
    """Serve a company; `raw` makes the configuration for the address."""
    held = gate(vendors)
    with SandboxServer(vendors) as server:
        settled = raw(server.url)
        config = write_config(folder / "opsync.toml", settled)
        yield Served(tools, vendors, held, config, Path(settled["store"]))


@contextmanager
def serve_world(world: World) -> Iterator[Served]:
    """Serve the small company."""

    def raw(url: str) -> dict[str, Any]:
        instances = {
            name: {**block, "base_url": f"{url}/{name}"}
            for name, block in world.raw["instances"].items()
        }
        return {**world.raw, "instances": instances}

    tools = Tools(world.jira, world.linear, world.notion, world.source)
    with serve(world.folder, tools, world.vendors, raw) as served:
        yield served


@contextmanager
def serve_harbor(folder: Path, harbor: Harbor) -> Iterator[Served]:
    """Serve Harbor."""
    source = harbor.roadmap
    company = Company.of(harbor, folder, WallClock())
    tools = Tools(harbor.jira, harbor.linear, harbor.notion, source, harbor.posthog)
    with serve(
        folder, tools, company.vendors, lambda url: settings(url, company.store, source.id)
    ) as served:
        yield served


def undisturbed_harbor(folder: Path, *then: Callable[[Harbor], None]) -> Standing:
    """What stands in Harbor after a first run, and one more after each of `then`."""
    harbor = build_harbor()
    company = Company.of(harbor, folder, WallClock())

    async def passes() -> None:
        assert (await company.sync()).exit_code == 0
        for people_go_on in then:
            people_go_on(harbor)
            assert (await company.sync()).exit_code == 0

    asyncio.run(passes())
    source = harbor.roadmap
    return standing(Tools(harbor.jira, harbor.linear, harbor.notion, source, harbor.posthog))
