"""The door for change signals: `POST /hooks/{instance}`.

Each delivery is refused as early and as cheaply as it can be, and nothing of it is read before its
signature was right. One that is right is kept, told on as a nudge, and answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from opsync.contract.webhooks import Signal, WebhookSource
from opsync.errors import OpsyncError, RecordError, SignatureError
from opsync.runtime import Clock
from opsync.service.hooks.counting import Counters, Reports
from opsync.service.hooks.memory import Memory, Told
from opsync.service.hooks.reading import Bodies
from opsync.service.hooks.sources import Sources, source_of
from opsync.service.web.peers import Network

PREFIX = "/hooks/"
"""All addresses of the receiver begin so."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a delivery may take."""

    body_bytes: int = 1024 * 1024
    body_s: float = 10.0
    kept_s: float = 4.0
    """To be kept: Linear waits 5 s for its answer, others longer. One that is kept later than it
    is answered is known when it comes again."""
    token_letters: int = 512
    """The longest secret that a tool may send."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where one instance's signals come in.

    `secrets` are those that count now: two while they are changed, none where signals are off.
    `armed` tells whether a person waits for the tool's own secret, which `keep_token` takes; it
    ends the waiting. What it took is among `secrets`, and is `unproven` ("" for none) until
    `proved` hears that it signed a delivery. `took` hears of each delivery that is right and new,
    and must not block.
    """

    source: WebhookSource
    secrets: Callable[[], Sequence[bytes]]
    armed: Callable[[], Awaitable[bool]]
    keep_token: Callable[[str], Awaitable[None]]
    took: Callable[[], None] = lambda: None
    unproven: Callable[[], str] = lambda: ""
    proved: Callable[[str], None] = lambda token: None


class _End(NamedTuple):
    """How a delivery ends: the name it is counted by, its answer, and why it is refused."""

    name: str
    status: int
    why: str = ""
    wait_s: float = 0.0


_NO_DELIVERY = {
    404: ("unknown", "there is no such address"),
    405: ("method", "deliveries are sent by POST"),
}
"""By its status how what cannot be a delivery is counted, and why it is refused."""


def receiver(
    doors: Mapping[str, Door],
    memory: Memory,
    counters: Counters,
    clock: Clock,
    told: Told,
    *,
    proxies: Sequence[Network] = (),
    bounds: Bounds = Bounds(),
) -> Starlette:
    """The app. `doors` by instance may change while it runs; `told` hears what may have changed.
    Of `proxies` it is believed whom they send for.

    Whatever is not for a door that is open is answered in one way, without a word.
    """
    desk = _Desk(doors, memory, counters, clock, told, proxies, bounds)
    app = Starlette(
        routes=[Route(PREFIX + "{instance}", desk.receive, methods=["POST"])],
        exception_handlers={HTTPException: desk.no_delivery},
    )
    app.router.redirect_slashes = False
    return app


def beside(hooks: ASGIApp, pages: ASGIApp) -> ASGIApp:
    """One app of two: what begins with `PREFIX` goes to `hooks`, past all that guards `pages`."""

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        to_hooks = scope["type"] == "http" and scope["path"].startswith(PREFIX)
        await (hooks if to_hooks else pages)(scope, receive, send)

    return either


class _Desk:
    def __init__(
        self,
        doors: Mapping[str, Door],
        memory: Memory,
        counters: Counters,
        clock: Clock,
        told: Told,
        proxies: Sequence[Network],
        bounds: Bounds,
    ) -> None:
        self._doors = doors
        self._memory = memory
        self._counters = counters
        self._clock = clock
        self._told = told
        self._proxies = proxies
        self._bounds = bounds
        self._bodies = Bodies(bounds.body_bytes)
        self._sources = Sources(clock)
        self._reports = Reports(clock)
        self._one_handshake = asyncio.Lock()

    async def receive(self, request: Request) -> Response:
        """Answer one delivery, whatever it is."""
        name = request.path_params["instance"]
        door = self._doors.get(name)
        instance = "" if door is None else name
        source = source_of(request.scope, self._proxies)
        try:
            end = await self._end(request, instance, door, source)
        except ClientDisconnect:
            end = _End("slow", 400, "the connection was closed before the body had come")
        except (OpsyncError, TimeoutError) as error:
            end = _End("failed", 503)
            self._reports.failed(instance, error, ours=False)
        except Exception as error:  # noqa: BLE001 - of one delivery, which the tool repeats
            end = _End("failed", 503)
            self._reports.failed(instance, error, ours=True)
        self._counters.count(end.name, instance)
        if end.why:
            self._reports.refused(end.name, instance, source, end.why)
            if end.name != "limited":
                self._sources.refused(source)
        elif end.name == "accepted":
            self._sources.accepted(source)
        headers = {"retry-after": str(int(end.wait_s) + 1)} if end.wait_s else None
        return Response(status_code=end.status, headers=headers)

    async def no_delivery(self, request: Request, error: Exception) -> Response:
        """Answer what cannot be a delivery, by its method or its path."""
        status = error.status_code if isinstance(error, HTTPException) else 404
        named = request.path_params.get("instance", "")
        instance = named if named in self._doors else ""
        name, why = _NO_DELIVERY.get(status, _NO_DELIVERY[404])
        self._counters.count(name, instance)
        self._reports.refused(name, instance, source_of(request.scope, self._proxies), why)
        headers = error.headers if isinstance(error, HTTPException) else None
        return Response(status_code=status, headers=headers)

    async def _end(self, request: Request, instance: str, door: Door | None, source: str) -> _End:
        if wait_s := self._sources.wait_s(source):
            return _End("limited", 429, "too many from there were refused", wait_s)
        if door is None:
            return _End("unknown", 404, "there is no such instance, or it sends no signals")
        secrets = [secret for secret in door.secrets() if secret]
        async with asyncio.timeout(self._bounds.kept_s):
            armed = await door.armed()
        if not secrets and not armed:
            return _End("unknown", 404, "change signals are off: no secret is set")
        try:
            async with asyncio.timeout(self._bounds.body_s):
                body = await self._bodies.read(request)
        except TimeoutError:
            return _End("slow", 408, "the body did not come in time")
        if body is None:
            return _End("oversized", 413, "the body is too large")
        headers = _joined(request.headers)
        if armed and (ended := await self._handshake(door, headers, body)):
            return ended
        if not secrets:
            return _End("unknown", 404, "change signals are off: no secret is set")
        return await self._delivery(instance, door, secrets, headers, body)

    async def _delivery(
        self, instance: str, door: Door, secrets: list[bytes], headers: Headers, body: bytes
    ) -> _End:
        try:
            delivery = door.source.verify(headers, body, secrets)
        except SignatureError as error:
            return _End("forged", 401, error.message)
        if not door.source.timely(delivery, self._clock.now()):
            if delivery.sent_at is None:
                return _End("malformed", 400, "it does not say when it was sent")
            # Answered as arrived: a tool that repeats it late must not give up for that.
            why = "it was sent too long ago, or its clock is wrong"
            return _End("stale", door.source.answers, why)
        if door.source.says_hello and _hello(door.source, headers, body):
            # The tool's own secret once more, signed with itself: known, and no proof of anything.
            return _End("duplicate", door.source.answers)
        try:
            signal = _signal(door.source, headers, body)
            async with asyncio.timeout(self._bounds.kept_s):
                new = await self._memory.keep(instance, delivery.id, body, signal, self._told)
        except RecordError as error:
            return _End("malformed", 400, error.message)
        if new:
            door.took()
            if (token := door.unproven()) and _signs(token, door.source, headers, body):
                door.proved(token)
        return _End("accepted" if new else "duplicate", door.source.answers)

    async def _handshake(self, door: Door, headers: Headers, body: bytes) -> _End | None:
        token = _hello(door.source, headers, body)
        if token is None:
            return None
        if not 0 < len(token) <= self._bounds.token_letters or not token.isascii():
            return _End("malformed", 400, "what it sends as its secret is none")
        async with self._one_handshake:
            if not await door.armed():
                return _End("unknown", 404, "nobody waits for its secret any more")
            await door.keep_token(token)
        return _End("handshake", door.source.answers)


def _signal(source: WebhookSource, headers: Headers, body: bytes) -> Signal:
    try:
        return source.affected(headers, body)
    except (RecursionError, ValueError) as error:
        raise RecordError(str(error) or type(error).__name__) from error


def _hello(source: WebhookSource, headers: Headers, body: bytes) -> str | None:
    try:
        return source.handshake(headers, body)
    except (RecordError, RecursionError, ValueError):
        return None


def _signs(token: str, source: WebhookSource, headers: Headers, body: bytes) -> bool:
    try:
        source.verify(headers, body, [token.encode()])
    except SignatureError:
        return False
    return True


def _joined(headers: Headers) -> Headers:
    """Headers of one name as one (RFC 9110, 5.2): of two signatures neither can be picked."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        found[name] = f"{found[name]}, {value}" if name in found else value
    return Headers(found)
