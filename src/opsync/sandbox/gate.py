"""What the gates of the simulated vendors share: routes, faults, and answers lost on the way."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeVar, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from opsync.sandbox.vendor import Faults, Vendor

METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


class Routed(Protocol):
    """One address of a vendor."""

    @property
    def method(self) -> str: ...

    @property
    def pattern(self) -> re.Pattern[str]: ...


R = TypeVar("R", bound=Routed)


def app_of(handle: Callable[[Request], Awaitable[Response]]) -> Starlette:
    """An HTTP surface of which `handle` answers every path."""
    return Starlette(routes=[Route("/{path:path}", handle, methods=METHODS)])


def route_of(routes: Iterable[R], request: Request) -> tuple[R | None, tuple[str, ...]]:
    """The route that a request takes, with the variable parts of its path; None for none."""
    path = str(request.scope["path"])
    for route in routes:
        found = route.pattern.fullmatch(path)
        if found and route.method == request.method:
            return route, found.groups()
    return None, ()


def let_through(
    vendor: Vendor,
    request: Request,
    body: bytes,
    answer: Callable[[], Response],
    lost: Callable[[], Response],
    *,
    reads: bool,
    odd: bool = False,
) -> Response:
    """The answer to one request as it arrives, counted and kept.

    A general fault answers in the vendor's place. `answer` is what the vendor says, its refusals
    included; `lost` what arrives where the answer to a write is lost. `odd`: what it says is not
    its documented shape.
    """
    fault = vendor.common_fault()
    if fault is not None:
        vendor.log(request, body, fault, reads=reads, faulted=True)
        return fault
    whole = answer()
    response = _arriving(vendor.faults, whole, lost, reads=reads)
    vendor.log(request, body, response, reads=reads, faulted=odd or response is not whole)
    return response


def _arriving(
    faults: Faults, whole: Response, lost: Callable[[], Response], *, reads: bool
) -> Response:
    """The answer after what happens to it on the way."""
    done = whole.status_code < 300
    if done and not reads and faults.lose_next_writes > 0:
        faults.lose_next_writes -= 1
        return lost()
    if done and faults.cut_next > 0:
        faults.cut_next -= 1
        body = cast("bytes", whole.body)
        return Response(body[: len(body) // 2], 200, media_type="application/json")
    return whole
