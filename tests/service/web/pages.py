"""A few pages behind all that stands before them, and a way to ask for them."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles

from opsync.blocks.service import ServiceBlock
from opsync.service.web.access import sees_details
from opsync.service.web.actor import Actor
from opsync.service.web.forms import csrf_token, sent
from opsync.service.web.guarded import Guarded
from opsync.service.web.refusals import Dress
from opsync.service.web.routes import Action, Delivery, Files, Open, Page
from tests.support.clock import FakeClock

TOKEN = "may-decide-3f9a1c77"
READ_TOKEN = "may-look-81c2d4e5aa"
PASSWORDS = {"ana": "ana-has-a-long-one", "ben": "ben-has-a-longer-one"}
SECRET = bytes(range(32))
OURS = {"sec-fetch-site": "same-origin"}
"""What a browser says of a form that a page of ours sent."""

BOTH_TOKENS: Mapping[str, Any] = {"token": TOKEN, "read_token": READ_TOKEN}
USERS: Mapping[str, Any] = {
    "users": {
        "ana": {"password": PASSWORDS["ana"], "role": "approve"},
        "ben": {"password": PASSWORDS["ben"]},
    }
}
PROXY: Mapping[str, Any] = {
    "proxy_header": "X-Forwarded-User",
    "proxy_from": ["10.1.0.0/16"],
    "approvers": ["ana@harbor.example"],
}
"""Ways to sign in, as `[service.access]`."""


async def shown(request: Request) -> Response:
    """Who asks, and the token for forms."""
    return JSONResponse({**named(request.state.actor), "csrf": csrf_token(request)})


async def done(request: Request) -> Response:
    """Who decided, and what."""
    form = sent(request)
    body = (await request.body()).decode()
    seen = {"what": form.all("what"), "fields": len(form), "body": body}
    return JSONResponse({**named(request.state.actor), **seen})


async def headers(request: Request) -> Response:
    return JSONResponse([[name, value] for name, value in request.headers.items()])


async def health(request: Request) -> Response:
    return PlainTextResponse("details" if sees_details(request) else "ok")


async def delivered(request: Request) -> Response:
    return JSONResponse({"actor": request.state.actor, "size": len(await request.body())})


async def broken(request: Request) -> Response:
    raise RuntimeError(f"told to nobody: {request.headers.get('authorization')}")


async def half(request: Request) -> Response:
    async def parts() -> AsyncIterator[str]:
        yield "half"
        raise RuntimeError("in the middle")

    return StreamingResponse(parts())


def named(actor: Actor | None) -> dict[str, str]:
    return {"name": actor.name, "role": actor.role.value} if actor is not None else {}


def routes() -> list[BaseRoute]:
    """A route of each kind."""
    return [
        Page("/", shown),
        Page("/items/{key}", shown),
        Page("/headers", headers),
        Page("/broken", broken),
        Page("/half", half),
        Action("/approve/{number:int}", done),
        Action("/fail", broken),
        Open("/healthz", health),
        Delivery("/hooks/{instance}", delivered),
        Files("/static", StaticFiles(packages=[("tests.service", "web")])),
    ]


def guarded(
    access: Mapping[str, Any] | None = None,
    *,
    clock: FakeClock | None = None,
    dress: Dress | None = None,
    more: Iterable[BaseRoute] = (),
    **block: Any,
) -> Guarded:
    """The pages with `[service]` as in `block`, and `[service.access]` as in `access`."""
    return Guarded(
        [*routes(), *more],
        ServiceBlock(access=access or {}, **block),  # type: ignore[arg-type]
        clock=clock or FakeClock(),
        secret=SECRET,
        local="cleo",
        dress=dress,
    )


def asking(
    app: Guarded, *, peer: str = "127.0.0.1", host: str = "localhost:8484", **headers: str
) -> httpx.AsyncClient:
    """A client at `peer` that asks for `host`."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=(peer, 50_000), raise_app_exceptions=False),
        base_url=f"http://{host}",
        headers=headers,
    )


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def basic(name: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
