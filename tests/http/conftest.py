"""A pool on virtual time, and clients of an imaginary vendor."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
import structlog
from tests.support.clock import FakeClock

from opsync.http import Client, Policy, Pool
from opsync.redact import Redactor
from opsync.runtime import Runtime

POLICY = Policy(
    instance="eng",
    vendor="Acme",
    base_url="https://acme.example",
    headers={"Authorization": "Bearer canary-token-0001"},
    credential="c1",
)


@pytest.fixture(autouse=True)
def _plain_logging() -> None:
    """Logging as it is before a command sets it up: nothing is filtered."""
    structlog.reset_defaults()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


@pytest.fixture
async def pool(clock: FakeClock, redactor: Redactor) -> AsyncIterator[Pool]:
    pool = Pool(Runtime(clock=clock, rng=random.Random(7)), redactor=redactor)
    yield pool
    await pool.aclose()


@pytest.fixture
def make_client(pool: Pool) -> Callable[..., Client]:
    """Makes a client of the vendor "Acme"; keyword arguments change its policy."""

    def make(**changes: object) -> Client:
        return pool.client(replace(POLICY, **changes))  # type: ignore[arg-type]

    return make
