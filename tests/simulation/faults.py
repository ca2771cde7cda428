"""What goes wrong between opsync and the vendors, by the numbers of docs/faults.md.

A fault says which requests it may meet (`fits`) and what becomes of one (`meet`); `Weather` holds
those that are about to happen. What a vendor itself has for some time (an outage, a right that is
missing) is a `Condition`.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx

from opsync.sandbox.vendor import Faults
from tests.simulation.line import Call, whole

Fits = Callable[[Call], bool]
LISTS = ("/search/jql", "/query")


def is_listing(call: Call) -> bool:
    """Whether a page of a listing is asked for."""
    if call.vendor == "linear":
        return call.reads and b"query Work" in call.content
    return call.reads and call.request.url.path.endswith(LISTS)


def goes_on(call: Call) -> bool:
    """Whether it is not the first page."""
    if not is_listing(call):
        return False
    body = json.loads(call.content or b"{}")
    if call.vendor == "linear":
        return any(v for k, v in body["variables"].items() if k.startswith("after"))
    return bool(body.get("nextPageToken") or body.get("start_cursor"))


def reads(call: Call) -> bool:
    """Whether it changes nothing."""
    return call.reads


def writes(call: Call) -> bool:
    """Whether it changes something."""
    return not call.reads


def creates(call: Call) -> bool:
    """Whether it makes something."""
    if call.reads:
        return False
    if call.vendor == "linear":
        return b"Create(" in call.content
    return call.request.method == "POST"


def updates(call: Call) -> bool:
    """Whether it changes what is there."""
    return not call.reads and not creates(call)


def anything(call: Call) -> bool:
    """Any request."""
    return True


@dataclass
class Fault:
    """One fault of the catalogue: its number, whom it may meet, and how often at most in a row."""

    number: str
    fits: Fits
    meets: Callable[[Call], Any]
    times: tuple[int, int] = (1, 1)

    async def meet(self, call: Call) -> httpx.Response:
        """What becomes of the request."""
        call.line.fired(self.number)
        answer: httpx.Response = await self.meets(call)
        return answer


async def _refused(call: Call) -> httpx.Response:
    await call.wait(0.01)
    raise httpx.ConnectError("Connection refused", request=call.request)


async def _connect_timeout(call: Call) -> httpx.Response:
    await call.wait(call.timeouts["connect"])
    raise httpx.ConnectTimeout("", request=call.request)


async def _lost(call: Call) -> httpx.Response:
    await call.wait(call.line.latency(call.rng) / 10)
    await call.carry_out()
    if call.rng.random() < 0.5:
        await call.wait(call.timeouts["read"])
        raise httpx.ReadTimeout("", request=call.request)
    raise httpx.RemoteProtocolError("Server disconnected", request=call.request)


class _Broken(httpx.AsyncByteStream):
    """Half a body, then nothing more."""

    def __init__(self, content: bytes, error: Exception | None) -> None:
        self.content = content
        self.error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.content[: len(self.content) // 2]
        if self.error is not None:
            raise self.error


async def _reset(call: Call) -> httpx.Response:
    answer = await call.deliver()
    error = httpx.ReadError("Connection reset by peer", request=call.request)
    return _with_stream(answer, _Broken(answer.content, error))


def _with_stream(answer: httpx.Response, stream: httpx.AsyncByteStream) -> httpx.Response:
    kept = ("content-length", "content-encoding")
    headers = {k: v for k, v in answer.headers.items() if k not in kept}
    return httpx.Response(answer.status_code, headers=headers, stream=stream)


async def _garbled(call: Call) -> httpx.Response:
    answer = await call.deliver()
    if call.rng.random() < 0.5:
        return _with_stream(answer, _Broken(answer.content, None))
    page = b"<!doctype html><title>Sign in</title><p>Please sign in."
    return whole(httpx.Response(200, headers={"content-type": "text/html"}), page)


async def _rate_limited(call: Call) -> httpx.Response:
    await call.wait(0.05)
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    shape = call.rng.choice(("seconds", "date", "garbage", "none", "zero", "long"))
    after = {
        "seconds": str(call.rng.randint(1, 30)),
        "date": format_datetime(now + timedelta(seconds=call.rng.randint(1, 90)), usegmt=True),
        "garbage": "soon, please",
        "zero": "0",
        "long": "86400",
    }
    headers = {} if shape == "none" else {"retry-after": after[shape]}
    if call.vendor == "linear":
        error = {"message": "Rate limit exceeded", "extensions": {"code": "RATELIMITED"}}
        body = json.dumps({"errors": [error]}).encode()
        return whole(httpx.Response(400, headers=headers | _JSON), body)
    body = b'{"errorMessages":["Rate limit exceeded."]}'
    if call.vendor == "notion":
        body = b'{"object":"error","status":429,"code":"rate_limited","message":"slow down"}'
    return whole(httpx.Response(429, headers=headers | _JSON), body)


_JSON = {"content-type": "application/json"}


async def _burst(call: Call) -> httpx.Response:
    await call.wait(0.05)
    headers = {"retry-after": "3"} | _JSON
    if call.vendor == "linear":
        error = {"message": "Rate limit exceeded", "extensions": {"code": "RATELIMITED"}}
        return whole(httpx.Response(400, headers=headers), json.dumps({"errors": [error]}).encode())
    return whole(httpx.Response(429, headers=headers), b"{}")


async def _server_error(call: Call) -> httpx.Response:
    await call.wait(call.line.latency(call.rng) / 4)
    status = call.rng.choice((500, 502, 503, 504))
    if status in (502, 504) and call.rng.random() < 0.3:
        await call.carry_out()
    headers = {"content-type": "text/plain"}
    return whole(httpx.Response(status, headers=headers), b"upstream connect error")


class _Dripping(httpx.AsyncByteStream):
    """A byte every four seconds, which no read timeout notices."""

    def __init__(self, content: bytes, wait: Callable[[float], Any]) -> None:
        self.content = content
        self.wait = wait

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(len(self.content)):
            await self.wait(4.0)
            yield self.content[at : at + 1]


async def _slow_loris(call: Call) -> httpx.Response:
    answer = await call.deliver()
    return _with_stream(answer, _Dripping(answer.content, call.wait))


async def _moved_on(call: Call) -> httpx.Response:
    await call.wait(0.05)
    where = call.rng.choice(("https://elsewhere.example/", "http://harbor.atlassian.net/"))
    return whole(httpx.Response(301, headers={"location": where}), b"")


def _changed(call: Call, answer: httpx.Response, change: Callable[[Any], None]) -> httpx.Response:
    """An answer whose parsed body was changed in place."""
    body = json.loads(answer.content)
    change(body)
    return whole(answer, json.dumps(body).encode())


async def _bad_cursor(call: Call) -> httpx.Response:
    """The vendor has forgotten the place: it is the vendor itself that says so."""
    body = json.loads(call.content)
    if call.vendor == "linear":
        for name, value in body["variables"].items():
            if name.startswith("after") and value:
                body["variables"][name] = "00000000-0000-4000-8000-000000000000"
    elif "nextPageToken" in body:
        body["nextPageToken"] = "Zm9yZ290dGVu"
    else:
        body["start_cursor"] = "00000000-0000-4000-8000-000000000000"
    call.request = _with_content(call.request, json.dumps(body).encode())
    return await call.deliver()


def _with_content(request: httpx.Request, content: bytes) -> httpx.Request:
    headers = {k: v for k, v in request.headers.items() if k.lower() != "content-length"}
    return httpx.Request(
        request.method, request.url, headers=headers, content=content, extensions=request.extensions
    )


async def _looping(call: Call) -> httpx.Response:
    """The next page is this one again."""
    sent = json.loads(call.content)
    answer = await call.deliver()
    if answer.status_code != 200:
        return answer

    def change(body: Any) -> None:
        if call.vendor == "jira-main":
            if sent.get("nextPageToken"):
                body["nextPageToken"], body["isLast"] = sent["nextPageToken"], False
        elif call.vendor == "notion":
            if sent.get("start_cursor"):
                body["next_cursor"], body["has_more"] = sent["start_cursor"], True
        else:
            for root in ("issues", "projects"):
                after = sent["variables"].get(f"after{root.capitalize()}")
                if after and body["data"].get(root):
                    body["data"][root]["pageInfo"] = {"hasNextPage": True, "endCursor": after}

    return _changed(call, answer, change)


async def _empty(call: Call) -> httpx.Response:
    """Nothing, or only the first half of what there is."""
    answer = await call.deliver()
    if answer.status_code != 200:
        return answer
    half = call.rng.random() < 0.5

    def cut(rows: list[Any]) -> list[Any]:
        return rows[: len(rows) // 2] if half else []

    def change(body: Any) -> None:
        if call.vendor == "jira-main":
            body["issues"] = cut(body["issues"])
            body["isLast"] = True
            body.pop("nextPageToken", None)
        elif call.vendor == "notion":
            body["results"] = cut(body["results"])
            body["has_more"], body["next_cursor"] = False, None
        else:
            for root in ("issues", "projects"):
                found = body["data"].get(root)
                if found:
                    found["nodes"] = cut(found["nodes"])
                    found["pageInfo"] = {"hasNextPage": False, "endCursor": None}

    return _changed(call, answer, change)


async def _drifted(call: Call) -> httpx.Response:
    """One item of the page looks as none did before."""
    answer = await call.deliver()
    if answer.status_code != 200:
        return answer

    def change(body: Any) -> None:
        if call.vendor == "jira-main":
            rows = body["issues"]
        elif call.vendor == "notion":
            rows = body["results"]
        else:
            rows = (body["data"].get("issues") or {}).get("nodes") or []
        if not rows:
            return
        row = call.rng.choice(rows)
        kind = call.rng.choice(("more", "null", "type"))
        if kind == "more":
            row["neverSeenBefore"] = {"a": [1, 2]}
        elif call.vendor == "jira-main":
            fields = row.get("fields") or {}
            fields["status"] = None if kind == "null" else "Doing"
        elif call.vendor == "notion":
            row["properties"] = None if kind == "null" else []
        else:
            row["state"] = None if kind == "null" else "Done"

    return _changed(call, answer, change)


async def _partial_errors(call: Call) -> httpx.Response:
    """GraphQL's 200 with errors and only part of the data."""
    answer = await call.deliver()
    if answer.status_code != 200:
        return answer

    def change(body: Any) -> None:
        data = body.get("data")
        if not data:
            return
        name = next(iter(sorted(data)))
        data[name] = None
        error = {"message": "Internal server error", "path": [name]}
        body["errors"] = [error | {"extensions": {"code": "INTERNAL_SERVER_ERROR"}}]

    return _changed(call, answer, change)


async def _bad_request(call: Call) -> httpx.Response:
    """This one write is refused for good."""
    await call.wait(0.05)
    if call.vendor == "linear":
        error = {
            "message": "Argument Validation Error",
            "path": ["a0"],
            "extensions": {"code": "INPUT_ERROR", "type": "invalid input"},
        }
        body = json.dumps({"data": None, "errors": [error]}).encode()
        return whole(httpx.Response(200, headers=_JSON), body)
    body = b'{"errorMessages":["The link is not valid."],"errors":{}}'
    if call.vendor == "notion":
        body = b'{"object":"error","status":400,"code":"validation_error","message":"no"}'
    return whole(httpx.Response(400, headers=_JSON), body)


async def _conflicting(call: Call) -> httpx.Response:
    await call.wait(0.05)
    body = b'{"errorMessages":["The issue was changed meanwhile."]}'
    if call.vendor == "notion":
        body = b'{"object":"error","status":409,"code":"conflict_error","message":"try again"}'
    return whole(httpx.Response(409, headers=_JSON), body)


async def _part_of_a_batch(call: Call) -> httpx.Response:
    """The first alias of a batch is carried out, the second is refused: its address is none."""
    body = json.loads(call.content)
    given = body["variables"].get("input1")
    if isinstance(given, dict):
        given |= {"url": "no address"} if "url" in given else {"title": ""}
    call.request = _with_content(call.request, json.dumps(body).encode())
    return await call.deliver()


def _batch(call: Call) -> bool:
    return call.vendor == "linear" and not call.reads and b"input1" in call.content


def _not_linear(fits: Fits) -> Fits:
    return lambda call: call.vendor != "linear" and fits(call)


def _linear(fits: Fits) -> Fits:
    return lambda call: call.vendor == "linear" and fits(call)


CATALOGUE: tuple[Fault, ...] = (
    Fault("F01", anything, _refused, (1, 4)),
    Fault("F02", anything, _connect_timeout, (1, 3)),
    Fault("F03", creates, _lost),
    Fault("F04", updates, _lost),
    Fault("F05", anything, _reset, (1, 2)),
    Fault("F06", anything, _garbled, (1, 3)),
    Fault("F07", anything, _rate_limited),
    Fault("F08", anything, _burst, (3, 8)),
    Fault("F09", anything, _server_error, (2, 30)),
    Fault("F10", anything, _slow_loris),
    Fault("F12", anything, _moved_on),
    Fault("F22", goes_on, _bad_cursor),
    Fault("F23", goes_on, _looping, (1, 6)),
    Fault("F30", is_listing, _empty),
    Fault("F31", is_listing, _drifted),
    Fault("F32", _linear(reads), _partial_errors),
    Fault("F35", writes, _bad_request, (1, 3)),
    Fault("F37", _not_linear(writes), _conflicting),
    Fault("F39", _batch, _part_of_a_batch),
)
"""Those that meet single requests."""


WEIGHTS = {"F03": 3, "F04": 3, "F22": 2, "F37": 3, "F39": 6}
"""How much more often than others those are chosen that seldom find a request that fits."""


@dataclass
class Armed:
    """A fault that is about to happen: to the request after `wait` fitting ones, `times` in all."""

    fault: Fault
    vendor: str
    wait: int
    times: int


@dataclass
class Weather:
    """What is about to go wrong."""

    armed: list[Armed] = field(default_factory=list)

    def arm(self, rng: random.Random, vendors: Sequence[str], fault: Fault | None = None) -> Armed:
        """One more, chosen by the seed."""
        fault = fault or rng.choices(CATALOGUE, [WEIGHTS.get(f.number, 1) for f in CATALOGUE])[0]
        vendor = rng.choice(vendors)
        if fault.number in ("F32", "F39"):
            vendor = "linear"
        elif fault.number == "F37":
            vendor = rng.choice([one for one in vendors if one != "linear"])
        wait = rng.randint(0, 3) if rng.random() < 0.7 else rng.randint(0, 15)
        wait = 0 if fault.number in WEIGHTS else wait
        one = Armed(fault, vendor, wait, rng.randint(*fault.times))
        self.armed.append(one)
        return one

    def __call__(self, call: Call) -> Fault | None:
        for one in self.armed:
            if one.vendor != call.vendor or not one.fault.fits(call):
                continue
            if one.wait > 0:
                one.wait -= 1
                continue
            one.times -= 1
            if one.times <= 0:
                self.armed.remove(one)
            return one.fault
        return None

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.armed.clear()


@dataclass
class Expiring:
    """Has a vendor's token die after some requests of a run, besides the weather."""

    weather: Weather
    vendor: str
    left: int
    faults: Faults

    def __call__(self, call: Call) -> Fault | None:
        if call.vendor == self.vendor:
            self.left -= 1
            self.faults.refuse_token = self.left < 0
        return self.weather(call)


SMALL_PAGES: Mapping[str, str] = {"jira-main": "maxResults", "notion": "page_size"}


def shrink(size: int) -> Callable[[str, httpx.Request, bytes], bytes]:
    """Has the vendors give only `size` items a page, which is theirs to decide."""

    def smaller(vendor: str, request: httpx.Request, content: bytes) -> bytes:
        if not content or request.method != "POST":
            return content
        body = json.loads(content)
        if vendor == "linear":
            if "query Work" not in body.get("query", ""):
                return content
            for name, value in body["variables"].items():
                if name in ("firstIssues", "firstProjects") and isinstance(value, int):
                    body["variables"][name] = min(value, size)
        else:
            name = SMALL_PAGES.get(vendor, "")
            if not request.url.path.endswith(LISTS) or name not in body:
                return content
            body[name] = min(body[name], size)
        return json.dumps(body).encode()

    return smaller
