"""Change signals: what a tool sends when something changed.

A signal is a word to look, never data: losing all of them costs time only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from msgspec import Struct

from opsync.model import Ref


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


class WebhookSource(ABC):
    """Can send change signals."""

    answers: ClassVar[int] = 200
    """The HTTP status by which the tool knows that a delivery has arrived."""

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
