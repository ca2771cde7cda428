"""Stands before every page: who asks, by which of our names, and may they.

In this order: the Host is one of ours; who asks is found; their role suffices for what is asked;
and what would change something was sent from a page of ours. Nothing else is let through.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from opsync.blocks.service import ServiceBlock
from opsync.log import get_logger
from opsync.runtime import Clock
from opsync.service.web import refusals
from opsync.service.web.actor import Actor
from opsync.service.web.attempts import Attempts
from opsync.service.web.forms import (
    FIELD,
    HEADER,
    FormTokens,
    Unfit,
    body_of,
    form_of,
    is_json,
    read_again,
)
from opsync.service.web.peers import Names, from_here, host_in, peer_of, value, values
from opsync.service.web.refusals import Dress, Refusal
from opsync.service.web.routes import SAFE, Delivery, needed, route_of
from opsync.service.web.signin import Found, How, SignIn

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="opsync", charset="UTF-8"'}
_OF_A_BROWSER = (b"cookie", b"origin", b"referer", b"sec-fetch-site", b"sec-fetch-mode")


class Access:
    """The middleware. Pages behind it find in `request.state`: `actor`, `csrf`, and `form` where
    something was sent.

    `routes` are those of the app behind it, `secret` is drawn once a process (`new_secret`), and
    `local` is the name of whoever runs the service.
    """

    def __init__(
        self,
        app: ASGIApp,
        block: ServiceBlock,
        *,
        routes: Sequence[BaseRoute],
        clock: Clock,
        secret: bytes,
        local: str,
        dress: Dress | None = None,
    ) -> None:
        self._app = app
        self._routes = routes
        self._secret = secret
        self._local = local
        self._dress = dress
        self._tokens = FormTokens(key=_derived(secret, b"forms"), clock=clock)
        self.attempts = Attempts(clock)
        self.settle(block)

    def settle(self, block: ServiceBlock) -> None:
        """Go by these settings from now on, as after a reload. Where it listens stays."""
        self._names = Names.of(block)
        self._public = _origin(block.public_url)
        self._sign_in = SignIn(block.access, key=_derived(self._secret, b"who"), local=self._local)

    def form_token(self, actor: Actor) -> str:
        """What a form shown to `actor` now has to carry in its field "csrf"."""
        return self._tokens.token(actor)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            scope, receive = await self._let_in(scope, receive)
        except _No as no:
            await no.response(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _let_in(self, scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
        """The request as the page behind sees it. _No: with what is answered instead."""
        route = route_of(scope, self._routes)
        if isinstance(route, Delivery):
            return self._seen_as(None, self._sign_in.without_header(scope)), receive
        if not self._names.take(scope):
            raise _No(_strange_host(scope))
        sign_in = self._sign_in
        found = await self._found(scope, sign_in)
        scope = self._seen_as(found.actor, sign_in.without_header(scope))
        method = scope["method"]
        role = needed(route, method)
        if role is None and found.how is not How.wrong:
            return scope, receive
        if found.actor is None:
            raise self._signed_out(scope, sign_in)
        if role is not None and not found.actor.role.covers(role):
            raise self._no(scope, refusals.READ_ONLY)
        if method in SAFE:
            return scope, receive
        return await self._from_own_page(scope, receive, found.actor, found.how)

    async def _found(self, scope: Scope, sign_in: SignIn) -> Found:
        """Who asks; a wrong credential takes its time, and is not looked at where many wait."""
        peer = peer_of(scope)
        if sign_in.tries(scope) and self.attempts.full(peer):
            raise self._no(self._seen_as(None, scope), refusals.TOO_MANY, {"Retry-After": "5"})
        found = sign_in.who(scope)
        if found.how is How.wrong:
            await self.attempts.fail(peer)
        return found

    async def _from_own_page(
        self, scope: Scope, receive: Receive, actor: Actor, how: How
    ) -> tuple[Scope, Receive]:
        """The request with its form, if a page of ours sent it, or a program that no browser is."""
        program = (
            how is How.bearer
            and is_json(scope)
            and not any(values(scope, name) for name in _OF_A_BROWSER)
        )
        if not program and not self._said_to_be_ours(scope):
            raise self._no(scope, refusals.STRANGE_PAGE)
        try:
            body = await body_of(scope, receive)
            form = form_of(scope, body)
        except Unfit as unfit:
            refusal = Refusal(unfit.status, f"Nothing was done: {unfit.cause}.")
            raise self._no(scope, refusal) from None
        token = value(scope, HEADER) or form.get(FIELD)
        if not program and not self._tokens.right(actor, token):
            raise self._no(scope, refusals.OLD_PAGE)
        scope["state"]["form"] = form
        return scope, read_again(body, receive)

    def _said_to_be_ours(self, scope: Scope) -> bool:
        """Whether the browser says that a page of ours sent this; no page can make it say so."""
        sites, origins = values(scope, b"sec-fetch-site"), values(scope, b"origin")
        if len(sites) > 1 or len(origins) > 1 or not (sites or origins):
            return False
        site, origin = value(scope, b"sec-fetch-site"), value(scope, b"origin")
        if sites and site not in ("same-origin", "none"):
            return False
        if not origins or (origin == "null" and site == "same-origin"):
            return True
        host = value(scope, b"host").lower()
        ours = {f"{scope['scheme']}://{host}", f"https://{host}", self._public}
        return origin.lower() in ours

    def _seen_as(self, actor: Actor | None, scope: Scope) -> Scope:
        token = self.form_token(actor) if actor is not None else ""
        return {**scope, "state": {**scope.get("state", {}), "actor": actor, FIELD: token}}

    def _signed_out(self, scope: Scope, sign_in: SignIn) -> _No:
        if sign_in.open:
            return self._no(scope, refusals.HERE_ONLY)
        if not sign_in.asks:
            return self._no(scope, refusals.BY_PROXY)
        return self._no(scope, refusals.SIGN_IN, _CHALLENGE)

    def _no(self, scope: Scope, refusal: Refusal, headers: Mapping[str, str] | None = None) -> _No:
        request = Request(scope)
        return _No(refusals.answer(request, refusal, dress=self._dress, headers=headers))


def sees_details(request: Request) -> bool:
    """Whether an open page says more than yes or no: to who signed in, and to this machine."""
    return request.state.actor is not None or from_here(request.scope)


class _No(Exception):
    """What is answered instead of letting a request in."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def _strange_host(scope: Scope) -> Response:
    given = values(scope, b"host")
    host = host_in(given[0].decode("latin-1").strip()) if len(given) == 1 else None
    if host is None:
        return PlainTextResponse("The request names no host, or more than one.\n", 400)
    get_logger().info("request.misdirected", host=host)
    # The name stands in no answer: it is whatever somebody sent.
    said = 'opsync is not known by this name. If it should be, add it to "hosts" in [service].\n'
    return PlainTextResponse(said, 421)


def _derived(secret: bytes, what: bytes) -> bytes:
    """A key of its own for each use of the process's secret."""
    return hmac.digest(secret, what, "sha256")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower() if url else ""
