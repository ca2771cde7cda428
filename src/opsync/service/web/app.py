"""The dashboard: its routes, and the application that a server is given."""

from __future__ import annotations

from collections.abc import Sequence
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from opsync.errors import ConfigError, OpsyncError
from opsync.inert import inert_text
from opsync.service.desk import Desk
from opsync.service.web import refusals
from opsync.service.web.guarded import Guarded
from opsync.service.web.listening import Listening, events
from opsync.service.web.pages import (
    connections,
    exports,
    initiative,
    initiatives,
    journal,
    links,
    plan,
    static,
)
from opsync.service.web.refusals import Refusal
from opsync.service.web.routes import Action, Endpoint, Open, Page
from opsync.service.web.site import Site, site_of

PAGES: Sequence[tuple[str, Endpoint]] = (
    ("/", initiatives.show),
    ("/initiatives/{ref}", initiative.show),
    ("/plan", plan.show),
    ("/links", links.show),
    ("/journal", journal.show),
    ("/connections", connections.show),
    ("/export/initiatives.csv", exports.as_csv),
    ("/export/initiatives.json", exports.as_json),
    ("/export/digest.md", exports.as_digest),
    ("/events", events),
)
"""All that is looked at."""

ACTIONS: Sequence[tuple[str, Endpoint]] = (
    ("/initiatives/{ref}/resolve", initiative.resolve),
    ("/plan/approve", plan.approve),
    ("/plan/refuse", plan.refuse),
    ("/plan/resolve", plan.resolve),
    ("/links/accept", links.accept),
    ("/links/reject", links.reject),
    ("/links/forget", links.forget),
    ("/links/look", links.look_again),
    ("/journal/undo", journal.undo),
    ("/connections/pause", connections.pause),
    ("/connections/resume", connections.resume),
    ("/connections/read", connections.read_now),
)
"""All that buttons do; each leads back to a page."""


def routes() -> list[BaseRoute]:
    """The dashboard's routes."""
    return [
        *(Page(path, _told(endpoint)) for path, endpoint in PAGES),
        *(Action(path, _told(endpoint)) for path, endpoint in ACTIONS),
        # To everybody: the page that asks to sign in is shown in its look, too.
        Open("/static/{name}", static.show),
    ]


def dashboard(desk: Desk, *, secret: bytes, local: str, more: Sequence[BaseRoute] = ()) -> Guarded:
    """The dashboard of one service, with all that stands before it, and `more` routes beside it.

    `secret` is drawn once a process, `local` names whoever runs it. Before the server stops,
    `pages.state.listening.close()` ends the lines of open pages, which would hold it up.
    """
    site = Site(desk)
    return Guarded(
        [*routes(), *more],
        desk.config.general.service,
        clock=desk.clock,
        secret=secret,
        local=local,
        dress=site.dress,
        state={"site": site, "listening": Listening(desk.store, desk.clock)},
    )


def _told(endpoint: Endpoint) -> Endpoint:
    """The same, with a page for what could not be done: the thing, the cause, what to do."""

    @wraps(endpoint)
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except OpsyncError as error:
            status = 409 if isinstance(error, ConfigError) else 503
            said, hint = inert_text(error.message, 500), inert_text(error.hint, 500)
            refusal = Refusal(status, said, hint)
            return refusals.answer(request, refusal, dress=site_of(request).dress)

    return answered
