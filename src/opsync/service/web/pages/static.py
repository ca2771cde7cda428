"""GET /static/NAME: the style sheet, the script and the icon."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from opsync.service.web.site import STATIC, site_of

FOREVER = "public, max-age=31536000, immutable"
"""A file's address changes with the file."""


async def show(request: Request) -> Response:
    """One file."""
    name = request.path_params["name"]
    if name not in STATIC:
        raise HTTPException(404)
    return Response(
        site_of(request).files[name],
        headers={"Cache-Control": FOREVER, "Content-Type": STATIC[name]},
    )
