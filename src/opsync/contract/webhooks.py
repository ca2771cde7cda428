"""Change signals: what a tool sends when something changed, and how it comes to send it.

A signal is a word to look, never data: losing all of them costs time only.
"""

from __future__ import annotations

import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import ClassVar, TypeVar

import msgspec
from msgspec import Struct

from opsync.errors import RecordError, SignatureError
from opsync.model import Ref

T = TypeVar("T")

_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_ID = 200


class Delivery(Struct, frozen=True):
    """One delivery whose signature was right.

    `id` is the same however often the tool delivers it again. `sent_at` is when it was sent, by
    words that are signed; None where the tool signs no such words.
    """

    id: str
    sent_at: datetime | None = None


class Signal(Struct, frozen=True):
    """What may have changed.

    `refs` are what the connector can look up by id. `whole`: something changed that cannot be
    looked up, so that what changed is to be read as usual.
    """

    refs: tuple[Ref, ...] = ()
    whole: bool = False

    def __bool__(self) -> bool:
        return bool(self.refs) or self.whole


class Registered(Struct, frozen=True):
    """One webhook as the tool has it.

    `covers` is what it tells of, as people call it. `own` says that opsync made it for this
    connection. `expires_at` is None where the tool never ends one by itself.
    """

    id: str
    url: str
    enabled: bool = True
    expires_at: datetime | None = None
    covers: str = ""
    own: bool = False


class WebhookSource(ABC):
    """Can send change signals."""

    answers: ClassVar[int] = 200
    """The HTTP status by which the tool knows that a delivery has arrived."""

    says_hello: ClassVar[bool] = False
    """Whether the tool makes the secret itself and sends it once: see `handshake`."""

    tolerance: ClassVar[timedelta | None] = None
    """How far `Delivery.sent_at` may be from now; None where there is nothing to compare."""

    @abstractmethod
    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> Delivery:
        """The delivery, if one of the secrets signed its raw body. Pure, in constant time.

        Raises SignatureError, and nothing else whatever the headers and the body are.
        """

    @abstractmethod
    def affected(self, headers: Mapping[str, str], body: bytes) -> Signal:
        """What may have changed: names, never data. Asked after `verify`; what is of no interest
        or not known is an empty Signal. Raises RecordError for what cannot be read."""

    def handshake(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The secret that the tool itself sends when a person sets the webhook up; else None."""
        return None

    def timely(self, delivery: Delivery, now: datetime) -> bool:
        """Whether a delivery was sent about now: an old one may be one that somebody repeats."""
        if self.tolerance is None:
            return True
        return delivery.sent_at is not None and abs(now - delivery.sent_at) <= self.tolerance

    def steps(self, url: str) -> Sequence[str]:
        """What to click, a sentence each, for a person to set the webhook up at `url`."""
        return ()


class ManagesWebhooks(ABC):
    """Can set its webhooks up through the tool's API."""

    manages: bool = True
    """False for an instance whose tool has no such API although its connector knows one."""

    @abstractmethod
    async def webhooks(self) -> Sequence[Registered]:
        """All webhooks that the credential sees, other people's included."""

    @abstractmethod
    async def register(self, url: str, secret: str) -> Sequence[Registered]:
        """Have deliveries signed with `secret` sent to `url`. What opsync made for it before is
        changed, never doubled. Answers all that send to `url` now."""

    @abstractmethod
    async def remove(self, id: str) -> None:  # noqa: A002 - the word of `Registered`
        """Take a webhook away; one that is not there any more is no error."""

    async def renew(self, registered: Registered) -> Registered:
        """Put off the end of a webhook that expires."""
        return registered


def header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header, however its name is spelt; "" for none."""
    wanted = name.lower()
    return next((value for key, value in headers.items() if key.lower() == wanted), "")


def check_signature(given: str, body: bytes, secrets: Sequence[bytes], *, prefix: str = "") -> None:
    """Raise SignatureError unless `given` is `prefix` and the HMAC-SHA256 of `body`, in lower-case
    hexadecimal digits, by one of the secrets. Takes as long whichever of them it is."""
    if not given:
        raise SignatureError("the delivery is not signed")
    digest = given.removeprefix(prefix)
    if not given.startswith(prefix) or not _HEX_SHA256.fullmatch(digest):
        raise SignatureError("the delivery's signature has another form")
    said = digest.encode()
    right = False
    for secret in secrets:
        made = hmac.new(secret, body, sha256).hexdigest().encode()
        right |= hmac.compare_digest(made, said) and bool(secret)
    if not right:
        raise SignatureError("the delivery's signature is wrong")


def delivery_id(given: object, body: bytes) -> str:
    """The id that the tool gave a delivery, or one made of its body where it gave none."""
    if isinstance(given, str) and 0 < len(given) <= _LONGEST_ID:
        return given
    return f"sha256:{sha256(body).hexdigest()}"


def read_body(body: bytes | msgspec.Raw, type_: type[T]) -> T:
    """A delivery's JSON as `type_`. Raises RecordError, and nothing else whatever the body is."""
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"the change signal cannot be read: {error}") from None
    except RecursionError:
        raise RecordError("the change signal cannot be read: it is nested too deeply") from None
