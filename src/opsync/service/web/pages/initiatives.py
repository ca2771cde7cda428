"""GET /: all initiatives."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from opsync.service.web.site import site_of
from opsync.service.web.views.initiatives import initiatives


async def show(request: Request) -> Response:
    """The page, of one team if its address says so: `?team=Payments`."""
    site = site_of(request)
    team = request.query_params.get("team", "")
    known = await site.portfolio(site.now(), team)
    zone = site.desk.config.zone
    view = initiatives(known.found, known.trends, known.weeks.get(team), zone, team)
    return await site.page(request, "initiatives.html", {"view": view})
