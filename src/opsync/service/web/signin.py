"""Who asks: by a token, by name and password, by what a trusted proxy says, or from this machine.

Secrets are compared by digests of equal length, each with all that there are and to the end, so
that the time an answer takes tells neither who is known nor how much of a guess was right.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

from starlette.types import Scope

from opsync.blocks.service import AccessBlock
from opsync.inert import inert_text
from opsync.service.web.actor import Actor, Role
from opsync.service.web.peers import from_here, peer_of, values, within

_T = TypeVar("_T")

NAME_LIMIT = 100
"""The most characters of a name that comes from outside."""


class How(Enum):
    """By what somebody was found."""

    nothing = auto()
    """Nobody said who they are."""
    wrong = auto()
    """Somebody said so, and it is not right."""
    bearer = auto()
    basic = auto()
    proxy = auto()
    here = auto()
    """From this machine, while nobody has to sign in."""


@dataclass(frozen=True, slots=True)
class Found:
    """Who asks, and by what that is known."""

    actor: Actor | None
    how: How


_NOBODY = Found(None, How.nothing)
_WRONG = Found(None, How.wrong)


class SignIn:
    """Finds who asks. `key` is a secret of this process; no password is kept but as its digest.

    `local` is the name of whoever runs the service: who asks from this machine, while nobody has to
    sign in.
    """

    def __init__(self, access: AccessBlock, *, key: bytes, local: str) -> None:
        self._key = key
        self._local = Actor(local, Role.approve)
        self._tokens = [
            (self._digest(secret.get_secret_value()), role)
            for secret, role in ((access.token, Role.approve), (access.read_token, Role.read))
            if secret is not None
        ]
        self._users = [
            (self._pair(name, user.password.get_secret_value()), Actor(name, Role(user.role)))
            for name, user in access.users.items()
        ]
        self._header = access.proxy_header.lower().encode()
        self._proxies = tuple(map(ipaddress.ip_network, access.proxy_from))
        self._approvers = frozenset(access.approvers)
        self._open = not access.given

    def __repr__(self) -> str:
        return f"SignIn({len(self._tokens)} tokens, {len(self._users)} users)"

    @property
    def asks(self) -> bool:
        """Whether a browser may ask people for a name and a password."""
        return bool(self._tokens or self._users)

    @property
    def open(self) -> bool:
        """Whether nobody signs in, and only this machine is let in."""
        return self._open

    def tries(self, scope: Scope) -> bool:
        """Whether a token or password comes along that has to be compared."""
        given = bool(values(scope, b"authorization")) and not self._open
        return given and self._named_by_proxy(scope) is None

    def who(self, scope: Scope) -> Found:
        """Who asks."""
        if (named := self._named_by_proxy(scope)) is not None:
            return named
        given = values(scope, b"authorization")
        if given and not self._open:
            return self._signed_in(given[0]) if len(given) == 1 else _WRONG
        if self._open and from_here(scope):
            return Found(self._local, How.here)
        return _NOBODY

    def without_header(self, scope: Scope) -> Scope:
        """The request without the proxy's header, which counts for nothing behind this."""
        if not self._header:
            return scope
        kept = [(key, value) for key, value in scope["headers"] if key.lower() != self._header]
        return {**scope, "headers": kept}

    def _named_by_proxy(self, scope: Scope) -> Found | None:
        if not self._header or not within(peer_of(scope), self._proxies):
            return None
        given = values(scope, self._header)
        if not given:
            return None
        name = _decoded(given[0]).strip()
        if len(given) > 1 or not name or len(name) > NAME_LIMIT or inert_text(name) != name:
            return _WRONG
        role = Role.approve if name in self._approvers else Role.read
        return Found(Actor(name, role), How.proxy)

    def _signed_in(self, authorization: bytes) -> Found:
        scheme, _, credential = authorization.strip().partition(b" ")
        credential = credential.strip()
        match scheme.lower():
            case b"bearer":
                role = self._role_of(_decoded(credential))
                return _WRONG if role is None else Found(Actor("token", role), How.bearer)
            case b"basic":
                actor = self._basic(credential)
                return _WRONG if actor is None else Found(actor, How.basic)
        return _WRONG

    def _basic(self, credential: bytes) -> Actor | None:
        try:
            pair = _decoded(base64.b64decode(credential, validate=True))
        except binascii.Error:
            return None
        name, colon, password = pair.partition(":")
        role = self._role_of(password)
        user = _first_equal(self._pair(name, password), self._users)
        if not colon or (role is None and user is None):
            return None
        if user is not None:
            return user
        assert role is not None
        # The name is anybody's: only the token is known, so that it must not pass for a user.
        said = inert_text(name, NAME_LIMIT)
        return Actor(f"{said} (token)" if said else "token", role)

    def _role_of(self, token: str) -> Role | None:
        return _first_equal(self._digest(token), self._tokens)

    def _pair(self, name: str, password: str) -> bytes:
        # A digest of each, so that no part of one can pass for a part of the other.
        return self._digest(name) + self._digest(password)

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")


def _first_equal(given: bytes, known: Iterable[tuple[bytes, _T]]) -> _T | None:
    """What belongs to the digest that is `given`; every one is looked at, whichever it is."""
    found = None
    for digest, meant in known:
        if hmac.compare_digest(digest, given) and found is None:
            found = meant
    return found


def _decoded(raw: bytes) -> str:
    """As UTF-8, else as Latin-1, which is what a header may hold and any bytes are."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
