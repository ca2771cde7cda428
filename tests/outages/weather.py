"""Bad weather between opsync and one vendor, and a count of what was sent into it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from opsync.http import Answer, Client, parse_retry_after
from tests.support.clock import FakeClock

Weather = Callable[["Sky", httpx.Request], httpx.Response | None]
"""What happens to a request: an answer in the vendor's place, an error, or None for neither."""


def status(code: int, **headers: str) -> Weather:
    """Every request is answered so, as a gateway does whose service is down."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _sky, _request: httpx.Response(code, headers=fields, text="upstream error")


def broken(error: type[httpx.TransportError]) -> Weather:
    """Every request fails so on its way."""

    def fail(_sky: Sky, request: httpx.Request) -> httpx.Response:
        raise error("no route", request=request)

    return fail


def until_a_date(sky: Sky, _request: httpx.Request) -> httpx.Response:
    """429, with the date until which to wait."""
    date = format_datetime(sky.clock.now() + timedelta(seconds=9), usegmt=True)
    return httpx.Response(429, headers={"retry-after": date, "date": _date(sky)})


def one_in(every: int) -> Weather:
    """Of so many requests one is answered 503."""

    def answer(sky: Sky, _request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(503) if sky.attempts % every == 0 else None

    return answer


def _date(sky: Sky) -> str:
    return format_datetime(sky.clock.now(), usegmt=True)


DAY = "F07 429 for a day"

OUTAGES: dict[str, Weather] = {
    "F01 connection refused": broken(httpx.ConnectError),
    "F02 no connection in time": broken(httpx.ConnectTimeout),
    "F03 no answer in time": broken(httpx.ReadTimeout),
    "F05 reset amid the answer": broken(httpx.ReadError),
    "F07 429 for 7 s": status(429, retry_after="7"),
    "F07 429 until a date": until_a_date,
    "F07 429 for garbage": status(429, retry_after="soon"),
    "F07 429 for no time said": status(429),
    "F07 429 for 0 s": status(429, retry_after="0"),
    DAY: status(429, retry_after="86400"),
    "F07 503 for 7 s": status(503, retry_after="7"),
    "F09 500": status(500),
    "F09 502": status(502),
    "F09 503": status(503),
    "F09 504": status(504),
}
"""Weather in which nothing gets through, by the fault's number and its kind."""

PARTIAL: dict[str, Weather] = {
    "F09 503 for 1 request in 2": one_in(2),
    "F09 503 for 1 request in 5": one_in(5),
    "F09 503 for 1 request in 10": one_in(10),
}
"""Weather in which a share of the requests gets through."""


@dataclass
class Sky(httpx.AsyncBaseTransport):
    """The way to one vendor. `attempts` and `requests` are counted here, while the weather is bad:
    whatever was sent, and what of it was the first try of what a connector asked for."""

    inner: httpx.AsyncBaseTransport
    clock: FakeClock
    weather: Weather | None = None
    attempts: int = 0
    requests: int = 0
    early: int = 0
    """Attempts within a pause that the answer before them asked for."""
    not_before: float = 0.0
    _seen: set[int] = field(default_factory=set)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.weather is None:
            return await self.inner.handle_async_request(request)
        self.attempts += 1
        self.early += self.clock.elapsed_s < self.not_before - 1e-6
        asked = _ASKED.get()
        self.requests += asked not in self._seen
        self._seen.add(asked)
        answer = self.weather(self, request)
        if answer is not None and "retry-after" in answer.headers:
            pause_s = parse_retry_after(answer.headers["retry-after"], self.clock.now()) or 0.0
            # A date has whole seconds.
            self.not_before = max(self.not_before, self.clock.elapsed_s + int(pause_s))
        return answer if answer is not None else await self.inner.handle_async_request(request)

    @property
    def amplification(self) -> float:
        """Attempts a request."""
        return self.attempts / max(1, self.requests)


_ASKED: ContextVar[int] = ContextVar("asked")
"""Which request of a connector's is under way."""


@contextmanager
def requests_told_apart() -> Iterator[None]:
    """Number what connectors ask for, so that the transport knows a first try from a repeated one
    without being told so by what repeats."""
    numbers = itertools.count()

    def numbered(ask: Any) -> Any:
        async def asking(self: Client, *args: Any, **options: Any) -> Answer:
            token = _ASKED.set(next(numbers))
            try:
                answer: Answer = await ask(self, *args, **options)
                return answer
            finally:
                _ASKED.reset(token)

        return asking

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "read", numbered(Client.read))
        patch.setattr(Client, "write", numbered(Client.write))
        yield


@asynccontextmanager
async def skies(
    hosts: dict[str, httpx.AsyncBaseTransport], clock: FakeClock
) -> AsyncIterator[dict[str, Sky]]:
    """Put a sky before each host, for the length of the block."""
    alive = dict(hosts)
    over = {host: Sky(inner, clock) for host, inner in alive.items()}
    hosts.update(over)
    with requests_told_apart():
        try:
            yield over
        finally:
            hosts.update(alive)
