"""Linear's change signals (linear.app/developers/webhooks).

A delivery counts as failed unless it is answered with 200 within five seconds. It is tried again
after a minute, an hour and six hours, and then Linear may switch the webhook off until a person
switches it on again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from opsync import (
    Delivery,
    RecordError,
    Ref,
    Signal,
    check_signature,
    delivery_id,
    header,
    read_body,
)

SIGNATURE = "Linear-Signature"
DELIVERY = "Linear-Delivery"
TOLERANCE = timedelta(seconds=60)
"""How old the signed time of a delivery may be, as Linear asks."""

RESOURCES = (
    "Issue",
    "Attachment",
    "Project",
    "ProjectUpdate",
    "Initiative",
    "InitiativeUpdate",
)
"""What a webhook of opsync tells of: what is read, and what stands on it."""
_OWN = {"Issue": "issue", "Project": "project", "Initiative": "initiative"}


class _Data(Struct, rename="camel"):
    id: str = ""
    issue_id: str | None = None
    original_issue_id: str | None = None
    project_id: str | None = None
    initiative_id: str | None = None


class _Kind(Struct):
    type: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Sent(Struct):
    at: float | None = msgspec.field(name="webhookTimestamp", default=None)


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> Delivery:
    """The delivery, if it is signed, with the time that its body says."""
    check_signature(header(headers, SIGNATURE), body, secrets)
    return Delivery(delivery_id(header(headers, DELIVERY), body), _sent_at(body))


def _sent_at(body: bytes) -> datetime | None:
    """When it was sent; None where the body does not say, or says what is no time."""
    try:
        at = read_body(body, _Sent).at
        return None if at is None else datetime.fromtimestamp(at / 1000, UTC)
    except (RecordError, ValueError, OverflowError, OSError):
        return None


def affected(instance: str, body: bytes) -> Signal:
    """What changed, or that on which it stands: a project for its update, an issue for its
    attachment."""
    event = read_body(body, _Kind)
    if event.type not in RESOURCES:
        return Signal()
    data = read_body(event.data, _Data)
    named: list[tuple[str, str | None]] = []
    if event.type in _OWN:
        named = [(_OWN[event.type], data.id)]
    elif event.type == "Attachment":
        named = [("issue", data.issue_id), ("issue", data.original_issue_id)]
    elif event.type == "ProjectUpdate":
        named = [("project", data.project_id)]
    else:
        named = [("initiative", data.initiative_id)]
    refs = dict.fromkeys(Ref(instance, stream, id_) for stream, id_ in named if id_)
    if not refs:
        raise RecordError(f"Linear's change signal of {event.type} names nothing.")
    return Signal(tuple(refs))
