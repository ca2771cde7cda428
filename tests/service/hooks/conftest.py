"""A receiver with a store, and everything that it is asked and tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from opsync.contract.webhooks import Signal
from opsync.service.hooks.counting import Counters
from opsync.service.hooks.memory import Memory
from opsync.service.hooks.receiver import Bounds, Door, receiver
from opsync.store import Store, inline
from tests.service.hooks.tool import SECRET, Desk, body_of, door, signed
from tests.support.clock import FakeClock

USUAL = Bounds()


@dataclass
class Hall:
    """The receiver, with one tool's door open and another's shut."""

    store: Store
    clock: FakeClock
    desk: Desk = field(default_factory=Desk)
    doors: dict[str, Door] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)
    told: list[tuple[str, Signal]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.memory = Memory(self.store)
        self.doors |= {"tool": door(SECRET, desk=self.desk), "shut": door()}
        self._apps: dict[Bounds, Starlette] = {}

    def tell(self, instance: str, signal: Signal) -> None:
        self.told.append((instance, signal))

    def app(self, bounds: Bounds = USUAL) -> Starlette:
        if bounds not in self._apps:
            self._apps[bounds] = receiver(
                self.doors, self.memory, self.counters, self.clock, self.tell, bounds=bounds
            )
        return self._apps[bounds]

    def client(self, *, source: str = "192.0.2.1", bounds: Bounds = USUAL) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(
            self.app(bounds), client=(source, 1), raise_app_exceptions=True
        )
        return httpx.AsyncClient(transport=transport, base_url="http://opsync")

    def good(self, *issues: object, id_: str = "1") -> tuple[bytes, dict[str, str]]:
        """The body and the headers of a delivery that is right."""
        body = body_of(*issues, at=self.clock.now())
        return body, signed(body, id_)

    def ids(self) -> list[str]:
        """Every issue that was told, in order."""
        return [ref.id for _, signal in self.told for ref in signal.refs]

    def counted(self) -> dict[tuple[str, str], int]:
        return {(end, instance): number for end, instance, number in self.counters.rows()}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def store(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Store]:
    store = Store.open(tmp_path / "opsync.db", clock=clock, executor=inline)
    yield store
    await store.close()


@pytest.fixture
def hall(store: Store, clock: FakeClock) -> Hall:
    return Hall(store, clock)
