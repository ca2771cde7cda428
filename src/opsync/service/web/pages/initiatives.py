"""GET /: all initiatives."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from opsync.engine.overview import overview
from opsync.service.web.site import site_of
from opsync.service.web.views.frame import Glance
from opsync.service.web.views.initiatives import SPAN, initiatives


async def show(request: Request) -> Response:
    """The page, of one team if its address says so: `?team=Payments`."""
    site = site_of(request)
    config, store, now = site.desk.config, site.desk.store, site.now()
    found = await overview(config, store, now)
    trends = await store.trends(now - SPAN)
    view = initiatives(found, trends, config.zone, request.query_params.get("team", ""))
    glance = Glance(
        waiting=found.waiting,
        connections=found.connections,
        alarms=found.alarms,
        paused=found.paused,
    )
    return await site.page(request, "initiatives.html", {"view": view}, glance=glance)
