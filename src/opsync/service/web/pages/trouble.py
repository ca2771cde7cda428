"""The page for what went wrong: the thing, the cause, and what to do."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from opsync.errors import ConfigError, OpsyncError
from opsync.inert import inert_text
from opsync.service.web.site import site_of

_WRONG = {
    400: (
        "That was no request of a page here.",
        "Go back, load the page again, and try once more.",
    ),
    403: ("You may look, and not decide.", "Ask whoever runs opsync for the role “approve”."),
    404: ("There is no such page.", "What there was may have gone meanwhile."),
    405: ("That is no way to ask for this page.", "Go back, and use its buttons."),
}


async def not_done(request: Request, error: OpsyncError) -> Response:
    """Something could not be done or shown."""
    status = 409 if isinstance(error, ConfigError) else 503
    return _page(request, status, inert_text(error.message, 500), inert_text(error.hint, 500))


async def refused(request: Request, error: HTTPException) -> Response:
    """A request that is answered by its status alone."""
    message, hint = _WRONG.get(error.status_code, (error.detail, ""))
    found = _page(request, error.status_code, message, hint)
    found.headers.update(error.headers or {})
    return found


def _page(request: Request, status: int, message: str, hint: str) -> Response:
    # Without the frame: what that needs of the store may be just what fails.
    html = (
        site_of(request).template("trouble.html").render(status=status, message=message, hint=hint)
    )
    return HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-store"})
