"""A tool that sends change signals, for tests: what it signs, and a door that is open for it."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from opsync.contract.webhooks import Delivery, Signal, WebhookSource
from opsync.errors import RecordError, SignatureError
from opsync.model import Ref
from opsync.service.hooks.receiver import Door

SECRET = b"a secret of twenty-four or more bytes"
OLDER = b"the secret that was there before this one"


class Source(WebhookSource):
    """Signs the body as Linear does: its time within, its id beside."""

    tolerance = timedelta(seconds=300)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> Delivery:
        given = headers.get("x-signature", "").encode()
        made = [hmac.new(secret, body, sha256).hexdigest().encode() for secret in secrets]
        if not any(hmac.compare_digest(one, given) for one in made):
            raise SignatureError("the signature is wrong")
        try:
            at = datetime.fromtimestamp(json.loads(body)["at"], UTC)
        except (ValueError, TypeError, KeyError, OverflowError, OSError, RecursionError):
            at = None
        return Delivery(headers.get("x-delivery", ""), at)

    def affected(self, headers: Mapping[str, str], body: bytes) -> Signal:
        found = json.loads(body)
        if not isinstance(found, dict) or not isinstance(found.get("issues"), list):
            raise RecordError("it names no issues")
        return Signal(tuple(Ref("tool", "issue", str(one)) for one in found["issues"]))

    def timely(self, delivery: Delivery, now: datetime) -> bool:
        return delivery.sent_at is None or super().timely(delivery, now)

    def handshake(self, headers: Mapping[str, str], body: bytes) -> str | None:
        found = json.loads(body)
        token = found.get("verification_token") if isinstance(found, dict) else None
        return token if isinstance(token, str) else None


class Desk:
    """Who waits for the tool's own secret, and what came."""

    def __init__(self) -> None:
        self.armed = False
        self.tokens: list[str] = []

    async def is_armed(self) -> bool:
        return self.armed

    async def keep(self, token: str) -> None:
        self.armed = False
        self.tokens.append(token)


def door(
    *secrets: bytes,
    source: WebhookSource | None = None,
    desk: Desk | None = None,
    armed: Callable[[], Awaitable[bool]] | None = None,
) -> Door:
    """A door with these secrets."""
    desk = desk or Desk()
    return Door(source or Source(), lambda: secrets, armed or desk.is_armed, desk.keep)


def body_of(*issues: object, at: datetime, **more: Any) -> bytes:
    """What the tool sends of these."""
    return json.dumps({"at": at.timestamp(), "issues": issues, **more}).encode()


def signed(body: bytes, id_: str = "1", secret: bytes = SECRET) -> dict[str, str]:
    """The headers that go with it."""
    signature = hmac.new(secret, body, sha256).hexdigest()
    return {"x-signature": signature, "x-delivery": id_, "content-type": "application/json"}
