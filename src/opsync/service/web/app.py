"""The dashboard as an ASGI application."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from opsync.errors import OpsyncError
from opsync.service.desk import Desk
from opsync.service.web.listening import Listening, events
from opsync.service.web.pages import initiatives, static
from opsync.service.web.pages.trouble import not_done, refused
from opsync.service.web.site import Site

ROUTES = (
    Route("/", initiatives.show),
    Route("/events", events),
    Route("/static/{name}", static.show),
)
"""All pages, and all that their buttons do (the POST ones)."""


def dashboard(desk: Desk, middleware: Sequence[Middleware] = ()) -> Starlette:
    """The dashboard of one service. `middleware` says who acts: without a `request.state.actor`
    there is no page. Before the service stops it ends the open lines: `app.state.listening.close`.
    """

    async def trouble(request: Request, error: Exception) -> Response:
        assert isinstance(error, OpsyncError)
        return await not_done(request, error)

    async def wrong(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return await refused(request, error)

    app = Starlette(
        routes=list(ROUTES),
        middleware=list(middleware),
        exception_handlers={OpsyncError: trouble, HTTPException: wrong},
    )
    app.state.site = Site(desk)
    app.state.listening = Listening(desk.store, desk.clock)
    return app
