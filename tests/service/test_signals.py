"""Signals that come while the service starts count as those that come later."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from opsync.config import Config
from opsync.redact import Redactor
from opsync.service import serving


class Starting:
    """A process that gets a signal before it has started."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.reloads = 0
        self.came_to_its_end = False
        self.surface = None

    def reload_soon(self) -> None:
        self.reloads += 1

    @asynccontextmanager
    async def running(self, *_: object, **__: object) -> AsyncIterator[Starting]:
        os.kill(os.getpid(), self.number)
        await asyncio.sleep(0.01)
        yield self
        self.came_to_its_end = True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """A signal that nobody takes is nobody's end here."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


async def started(
    monkeypatch: pytest.MonkeyPatch, number: int, *, then: int | None = None
) -> Starting:
    process = Starting(number)
    monkeypatch.setattr(serving, "running", process.running)

    def announce(_: Any) -> None:
        if then is not None:
            os.kill(os.getpid(), then)

    await asyncio.wait_for(
        serving.serve(
            cast("Config", None),
            lambda: cast("Config", None),
            redactor=Redactor(),
            local="ana",
            announce=announce,
        ),
        10,
    )
    return process


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_one_that_ends_it_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    process = await started(monkeypatch, number)
    assert process.came_to_its_end
    assert process.reloads == 0


async def test_one_that_has_it_reload_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    process = await started(monkeypatch, signal.SIGHUP, then=signal.SIGTERM)
    assert process.reloads == 1
    assert process.came_to_its_end
