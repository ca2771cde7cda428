"""What a page sends: read within bounds, and only from a page that this process made.

A form carries a token made of who asks, a secret of the process and the hour. Another site can have
a browser send a form here, and cannot know the token.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterable
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from opsync.runtime import Clock
from opsync.service.web.actor import Actor
from opsync.service.web.peers import value, values

FIELD = "csrf"
"""The field of a form that holds its token."""
HEADER = b"x-opsync-csrf"
"""The header of a script's request that holds it."""
BODY_LIMIT = 64 * 1024
"""The most bytes that are taken; what pages send is a few names and numbers."""
FIELDS_LIMIT = 1000
BODY_WITHIN_S = 10.0
"""How long a body may take to come."""
_HOUR_S = 3600
_HOURS = 12
"""So many hours a page that lies open can still be used."""


class Unfit(Exception):
    """A body that is not taken; `status` is the answer's, `cause` says what is wrong."""

    def __init__(self, status: int, cause: str) -> None:
        super().__init__(cause)
        self.status = status
        self.cause = cause


class Form:
    """The fields of a form, or of a flat JSON object, in their order."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = tuple(pairs)

    def get(self, name: str, default: str = "") -> str:
        """The first value of a field, `default` where it is missing."""
        return next((text for key, text in self._pairs if key == name), default)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field, as boxes that are ticked send them."""
        return tuple(text for key, text in self._pairs if key == name)

    def __len__(self) -> int:
        return len(self._pairs)


class FormTokens:
    """Makes and judges the tokens of forms. `key` is a secret of this process."""

    def __init__(self, *, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def token(self, actor: Actor) -> str:
        """The token that forms shown to `actor` carry now."""
        return self._made(actor, self._hour())

    def right(self, actor: Actor, token: str) -> bool:
        """Whether it was made for `actor`, and not too long ago."""
        hour = self._hour()
        given = token.encode("utf-8", "surrogatepass")
        # All are compared, so that the time taken tells nothing.
        found = [
            hmac.compare_digest(self._made(actor, hour - ago).encode(), given)
            for ago in range(_HOURS)
        ]
        return any(found)

    def _hour(self) -> int:
        return int(self._clock.now().timestamp()) // _HOUR_S

    def _made(self, actor: Actor, hour: int) -> str:
        about = msgspec.json.encode((actor.name, actor.role, hour))
        return hmac.digest(self._key, about, "sha256").hex()


def csrf_token(request: Request) -> str:
    """The token for the forms of the page that answers `request`; "" where nobody is signed in."""
    token: str = getattr(request.state, FIELD, "")
    return token


def sent(request: Request) -> Form:
    """What was sent along with an action."""
    form: Form = request.state.form
    return form


async def body_of(scope: Scope, receive: Receive, within_s: float = BODY_WITHIN_S) -> bytes:
    """The whole body. Unfit: too large, too slow, or broken off."""
    declared = value(scope, b"content-length")
    if declared.isdecimal() and (len(declared) > 12 or int(declared) > BODY_LIMIT):
        raise Unfit(413, f"more than {BODY_LIMIT // 1024} KiB were sent")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(within_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Unfit(400, "the request broke off")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > BODY_LIMIT:
                    raise Unfit(413, f"more than {BODY_LIMIT // 1024} KiB were sent")
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise Unfit(408, "the request took too long to come") from None


def read_again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body that was read already, and then what comes besides."""
    first = [True]

    async def again() -> Message:
        if first:
            first.clear()
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again


def is_json(scope: Scope) -> bool:
    """Whether what is sent is said to be JSON."""
    return _kind(scope) == "application/json"


def form_of(scope: Scope, body: bytes) -> Form:
    """A body as the fields that it holds. Unfit: it is neither a form nor a flat JSON object."""
    if len(values(scope, b"content-type")) > 1 or values(scope, b"content-encoding"):
        raise Unfit(415, "only a plain form or JSON is taken")
    kind = _kind(scope)
    if kind == "application/json":
        pairs = _json_pairs(body)
    elif kind == "application/x-www-form-urlencoded":
        pairs = _form_pairs(body)
    elif not body:
        pairs = []
    else:
        raise Unfit(415, "only a form or JSON is taken")
    if any("\0" in key or "\0" in text for key, text in pairs):
        raise Unfit(400, "what was sent holds NUL")
    return Form(pairs)


def _kind(scope: Scope) -> str:
    return value(scope, b"content-type").partition(";")[0].strip().lower()


def _form_pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=FIELDS_LIMIT,
        )
    except ValueError:  # an encoding that is none is one as well
        raise Unfit(400, "what was sent is no form in UTF-8") from None


def _json_pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        fields = msgspec.json.decode(body, type=dict[str, str | list[str]])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unfit(400, "what was sent is no JSON object of texts") from None
    pairs = []
    for key, found in fields.items():
        pairs += [(key, text) for text in ([found] if isinstance(found, str) else found)]
    return pairs
