"""The network between opsync and the simulated vendors: it takes time, and things go wrong on it.

It honours the timeouts that a request carries, which httpx leaves to its transports, and counts
what went over it.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from tests.simulation.loop import Time
from tests.support.world import HOSTS, World

USUAL_S = (0.01, 0.4)
SLOW_S = (1.0, 34.0)
SLOW_SHARE = 0.04


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it reached a vendor or not."""

    at: float
    vendor: str
    reads: bool
    request: str
    """Method, path and body."""
    answered_at: float
    answer: str
    """The body of the answer that opsync got; "" where it got none."""
    fault: str = ""


class Fault(Protocol):
    """Something that goes wrong with one request."""

    number: str

    async def meet(self, call: Call) -> httpx.Response:
        """Answer in the vendor's place, spoil its answer, or raise what httpx raises."""
        ...


@dataclass
class Call:
    """One request under way."""

    line: Line
    vendor: str
    request: httpx.Request
    content: bytes
    reads: bool
    rng: random.Random
    carried_out: bool = False

    @property
    def timeouts(self) -> Mapping[str, float]:
        """Seconds that each phase may take."""
        given: Mapping[str, float] = self.request.extensions["timeout"]
        return given

    async def wait(self, delay_s: float) -> None:
        """Let time pass."""
        await asyncio.sleep(delay_s)

    async def deliver(self) -> httpx.Response:
        """Have the vendor carry it out, and bring its answer: whole, after the usual while."""
        there, back = self.line.latency(self.rng), self.line.latency(self.rng)
        await self.wait(min(there, self.timeouts["write"]))
        if there > self.timeouts["write"]:
            raise httpx.WriteTimeout("", request=self.request)
        answer = await self.carry_out()
        if there + back > self.timeouts["read"]:
            await self.wait(max(0.0, self.timeouts["read"] - there))
            self.line.fired("F14")
            raise httpx.ReadTimeout("", request=self.request)
        await self.wait(back)
        return answer

    async def carry_out(self) -> httpx.Response:
        """The vendor's answer, at once."""
        self.line.under_way.pop(id(self), None)
        self.carried_out = True
        answer = await self.line.hosts[self.request.url.host].handle_async_request(self.request)
        await answer.aread()
        return answer


def whole(answer: httpx.Response, content: bytes | None = None) -> httpx.Response:
    """An answer as a transport hands it over, with its body or another one."""
    headers = {
        k: v for k, v in answer.headers.items() if k not in ("content-length", "content-encoding")
    }
    body = answer.content if content is None else content
    return httpx.Response(answer.status_code, headers=headers, stream=_Stream(body))


class _Stream(httpx.AsyncByteStream):
    """A body that arrives at once."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.content


class Line(httpx.AsyncBaseTransport):
    """Leads each host to its simulator.

    `next_fault` says what goes wrong with a request (None: nothing); `fired` is told of what did.
    """

    def __init__(self, time: Time, rng: random.Random) -> None:
        self.time = time
        self.rng = rng
        self.hosts: dict[str, httpx.AsyncBaseTransport] = {}
        self.names: dict[str, str] = {}
        """The connection that a host belongs to."""
        self.reads: dict[str, Callable[[httpx.Request, bytes], bool]] = {}
        """By connection, whether a request changes nothing."""
        self.shrink: Callable[[str, httpx.Request, bytes], bytes] = lambda _v, _r, body: body
        self.next_fault: Callable[[Call], Fault | None] = lambda _: None
        self.on_answer: Callable[[Call, httpx.Response], httpx.Response] = lambda _, answer: answer
        self.fired: Callable[[str], None] = lambda _: None
        self.looked: Callable[[Call], None] = lambda _: None
        """Told of each request before it goes."""
        self.calm = False
        """No slow answers."""
        self.log: list[Asked] = []
        self.requests = 0
        self.writes: dict[str, int] = {}
        self.under_way: dict[int, Call] = {}
        """Requests that no vendor has carried out yet."""

    def latency(self, rng: random.Random) -> float:
        """Seconds one way."""
        if not self.calm and rng.random() < SLOW_SHARE:
            return rng.uniform(*SLOW_S)
        return rng.uniform(*USUAL_S)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        vendor = self.names[request.url.host]
        reads = self.reads[vendor](request, content)
        smaller = self.shrink(vendor, request, content)
        if smaller is not content:
            headers = {k: v for k, v in request.headers.items() if k.lower() != "content-length"}
            request = httpx.Request(
                request.method,
                request.url,
                headers=headers,
                content=smaller,
                extensions=request.extensions,
            )
        call = Call(self, vendor, request, smaller, reads, random.Random(self.rng.random()))
        self.requests += 1
        at = self.time.now
        self.under_way[id(call)] = call
        self.looked(call)
        fault = self.next_fault(call)
        answer: httpx.Response | None = None
        try:
            answer = await (fault.meet(call) if fault is not None else call.deliver())
            answer = self.on_answer(call, answer)
        finally:
            self.under_way.pop(id(call), None)
            if call.carried_out and not reads:
                self.writes[vendor] = self.writes.get(vendor, 0) + 1
            shown = f"{request.method} {request.url.path} {smaller.decode(errors='replace')}"
            got = _text(answer)
            number = fault.number if fault is not None else ""
            self.log.append(Asked(at, vendor, reads, shown, self.time.now, got, number))
        return answer if isinstance(answer.stream, _Stream) or _streams(answer) else whole(answer)

    def lost(self) -> Iterator[Callable[[], Coroutine[Any, Any, object]]]:
        """What was sent by a process that has died, and that a vendor may still carry out."""
        for call in list(self.under_way.values()):
            yield call.carry_out
        self.under_way.clear()


def _streams(answer: httpx.Response) -> bool:
    return not hasattr(answer, "_content")


def _text(answer: httpx.Response | None) -> str:
    if answer is None:
        return ""
    if isinstance(answer.stream, _Stream):
        return answer.stream.content.decode(errors="replace")
    return answer.text if not _streams(answer) else ""


def reads_by_method(request: httpx.Request, content: bytes) -> bool:
    """Whether a request changes nothing, for Jira and Notion: searches are POSTs that read."""
    if request.method == "GET":
        return True
    path = request.url.path
    reading = ("/search/jql", "/approximate-count", "/bulkfetch", "/query", "/v1/search")
    return request.method == "POST" and path.endswith(reading)


def reads_by_query(request: httpx.Request, content: bytes) -> bool:
    """The same for GraphQL."""
    asked: dict[str, Any] = json.loads(content)
    return not str(asked.get("query", "")).lstrip().startswith("mutation")


def line_to(company: World, time: Time, rng: random.Random) -> Line:
    """A line to a company's vendors."""
    line = Line(time, rng)
    line.hosts = dict(company.net.hosts)
    line.names = {host: name for name, host in HOSTS.items()}
    line.reads = dict.fromkeys(HOSTS, reads_by_method) | {"linear": reads_by_query}
    return line
