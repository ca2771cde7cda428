"""What is answered instead of a page: what is the case, and what to do, without any inner detail.

`Refusal`s are values; `answer` makes the response of one. A `Dress` puts it into the look of the
pages; without one it is a bare page.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from http import HTTPStatus

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response


class Refusal(Struct, frozen=True):
    """An answer that is no page: its status, what is the case, and what to do."""

    status: int
    said: str
    hint: str = ""

    @property
    def title(self) -> str:
        """A few words for the head of a page."""
        return _TITLES.get(self.status) or HTTPStatus(self.status).phrase


Dress = Callable[[Request, Refusal], str]
"""Makes the page, in HTML, that shows a refusal; `request.state.actor` may be None."""

_TITLES = {
    400: "This request cannot be read",
    401: "Sign in",
    403: "Not for you",
    404: "Nothing here",
    405: "Not this way",
    408: "Too slow",
    413: "Too large",
    415: "Not readable here",
    429: "Too many tries",
    500: "Something broke",
}

SIGN_IN = Refusal(
    401,
    "This page is for those who sign in.",
    "Sign in by name and password, or with any name and a token as the password.",
)
BY_PROXY = Refusal(
    403,
    "This page is for those whom the proxy in front of it signs in.",
    "Open it by the proxy's address.",
)
HERE_ONLY = Refusal(
    403,
    "These pages are open to this machine alone, by its own name and without a proxy.",
    "Set OPSYNC_SERVICE__ACCESS__TOKEN, or users or proxy_header in [service.access], to sign in.",
)
TOO_MANY = Refusal(429, "Too many sign-ins failed here.", "Wait a few seconds and try again.")
READ_ONLY = Refusal(
    403,
    "You may look, and this would decide something.",
    "Ask whoever runs opsync for the role approve.",
)
STRANGE_PAGE = Refusal(
    403,
    "This was not sent from a page of opsync.",
    "Open the page here and try again; a program sends JSON with its token as Bearer.",
)
OLD_PAGE = Refusal(
    403,
    "The page this was sent from is too old, or was shown to somebody else. Nothing was done.",
    "Load the page again and repeat it.",
)
NOT_FOUND = Refusal(404, "There is no such page.", "Go back to the initiatives: /")
OTHER_METHOD = Refusal(405, "This address does not take such a request.")
BROKEN = Refusal(
    500,
    "opsync could not make this page.",
    "The service's log has the reason. Look into the journal before you repeat an action.",
)


def answer(
    request: Request,
    refusal: Refusal,
    *,
    dress: Dress | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response to a refusal: JSON, a page or plain text, as the request likes it."""
    likes = request.headers.get("accept", "").lower()
    if "text/html" in likes:
        content = dress(request, refusal) if dress is not None else bare_page(refusal)
        return HTMLResponse(content, refusal.status, headers)
    if "json" in likes:
        body = {"error": refusal.said, "next": refusal.hint}
        return JSONResponse(body, refusal.status, headers)
    return PlainTextResponse(_lines(refusal), refusal.status, headers)


def bare_page(refusal: Refusal) -> str:
    """A refusal as a page without any look, which needs nothing but itself."""
    title, said, hint = map(html.escape, (refusal.title, refusal.said, refusal.hint))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · opsync</title><main><h1>{title}</h1><p>{said}</p><p>{hint}</p></main>"
        "</html>"
    )


def _lines(refusal: Refusal) -> str:
    return "\n".join(filter(None, (refusal.said, refusal.hint))) + "\n"
