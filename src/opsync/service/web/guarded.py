"""The pages as an app, with all that stands before them: what a server is given to serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from opsync.blocks.service import ServiceBlock
from opsync.runtime import Clock
from opsync.service.web import refusals
from opsync.service.web.access import Access
from opsync.service.web.headers import Headers
from opsync.service.web.refusals import Dress, Refusal
from opsync.service.web.routes import told

SERVED: Mapping[str, bool] = {
    "proxy_headers": False,
    "server_header": False,
    "access_log": False,
}
"""How uvicorn has to serve it. With `proxy_headers` anybody on this machine, or behind a proxy,
could say which address they ask from, and who may name people is decided by that."""


class Guarded:
    """`routes` behind `Access` and `Headers`.

    `state` is found in `request.app.state` by name. Every route has to say what it needs, by being
    one of those in `opsync.service.web.routes`.
    """

    def __init__(
        self,
        routes: Sequence[BaseRoute],
        block: ServiceBlock,
        *,
        clock: Clock,
        secret: bytes,
        local: str,
        dress: Dress | None = None,
        state: Mapping[str, object] | None = None,
    ) -> None:
        told(routes)
        self.block = block
        """The settings that it goes by now."""

        async def refused(request: Request, error: Exception) -> Response:
            assert isinstance(error, HTTPException)
            return refusals.answer(
                request, _refusal(error.status_code), dress=dress, headers=error.headers
            )

        async def broken(request: Request, error: Exception) -> Response:
            return refusals.answer(request, refusals.BROKEN, dress=dress)

        handlers = {HTTPException: refused, Exception: broken}
        self.pages = Starlette(routes=list(routes), exception_handlers=handlers)
        # Another address for the same page would be one that no route says anything about.
        self.pages.router.redirect_slashes = False
        for name, value in (state or {}).items():
            setattr(self.pages.state, name, value)
        self.access = Access(
            self.pages,
            block,
            routes=routes,
            clock=clock,
            secret=secret,
            local=local,
            dress=dress,
        )
        self._headers = Headers(self.access, public_url=block.public_url)

    def settle(self, block: ServiceBlock) -> None:
        """Go by these settings from now on, as after a reload. Where it listens stays."""
        self.block = block
        self.access.settle(block)
        self._headers.settle(block.public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._headers(scope, receive, send)


def _refusal(status: int) -> Refusal:
    known = {404: refusals.NOT_FOUND, 405: refusals.OTHER_METHOD}
    return known.get(status) or Refusal(status, "This cannot be answered.")
