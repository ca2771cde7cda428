"""What a browser may do with an answer: the headers that every answer carries, and a last net.

Scripts, styles and images come from here alone and none stands in a page; no other page may frame,
embed or read this one; nothing is kept in a cache unless its route says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsync.log import get_logger
from opsync.service.web import refusals
from opsync.service.web.peers import host_in, value

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)

ALWAYS: Mapping[str, str] = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    # To other sites none, as with no-referrer; which would also have browsers hide the Origin of
    # our own forms, by which they are told from those of others.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
}
UNLESS_SAID: Mapping[str, str] = {"Cache-Control": "no-store"}
HSTS = "max-age=31536000"
_BANNERS = frozenset((b"server", b"x-powered-by"))


class Headers:
    """The outermost layer: the headers, and an answer where what is behind it broke.

    `public_url` is how the service is reached from outside: over https a browser is told to keep to
    it.
    """

    def __init__(self, app: ASGIApp, *, public_url: str = "") -> None:
        self._app = app
        self._always = _pairs(ALWAYS)
        self._unless_said = _pairs(UNLESS_SAID)
        self.settle(public_url)

    def settle(self, public_url: str) -> None:
        """Go by this address from now on, as after a reload."""
        parts = urlsplit(public_url)
        self._secure_host = (parts.hostname or "").rstrip(".") if parts.scheme == "https" else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = ended = False

        async def dressed(message: Message) -> None:
            nonlocal begun, ended
            if message["type"] == "http.response.start":
                begun = True
                message = {**message, "headers": self._headers(scope, message.get("headers", ()))}
            await send(message)
            if message["type"] == "http.response.body":
                ended = not message.get("more_body", False)

        try:
            await self._app(scope, receive, dressed)
        except Exception:
            if begun and not ended:
                raise  # The connection ends with it: half a page must not look whole.
            get_logger().exception("page.failed", method=scope["method"], path=scope["path"])
            if ended:
                return
            scope.setdefault("state", {}).setdefault("actor", None)
            response = refusals.answer(Request(scope), refusals.BROKEN)
            await response(scope, receive, dressed)

    def _headers(
        self, scope: Scope, given: Iterable[tuple[bytes, bytes]]
    ) -> list[tuple[bytes, bytes]]:
        set_here = {name for name, _ in self._always} | _BANNERS
        kept = [(name, text) for name, text in given if name.lower() not in set_here]
        said = {name.lower() for name, _ in kept}
        more = [(name, text) for name, text in self._unless_said if name not in said]
        if scope.get("scheme") == "https" or self._reached_securely(scope):
            more.append((b"strict-transport-security", HSTS.encode()))
        return [*kept, *self._always, *more]

    def _reached_securely(self, scope: Scope) -> bool:
        host = host_in(value(scope, b"host"))
        return bool(self._secure_host) and host == self._secure_host


def _pairs(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), text.encode()) for name, text in headers.items()]
