"""GET /: all initiatives."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from opsync.service.web.site import site_of
from opsync.service.web.views.initiatives import initiatives


async def show(request: Request) -> Response:
    """The page, of one team if its address says so: `?team=Payments`."""
    site = site_of(request)
    now = site.now()
    found, trends = await site.portfolio(now)
    team = request.query_params.get("team", "")
    view = initiatives(found, trends, site.desk.config.zone, team)
    return await site.page(request, "initiatives.html", {"view": view})
