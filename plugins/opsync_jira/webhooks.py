"""Jira's change signals: signed by the secret of a webhook that an administrator set up.

https://developer.atlassian.com/cloud/jira/platform/webhooks/. Webhooks of apps are not signed over
their body, and only an app can make them: an instance, which signs in with a token, has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from opsync_jira.normalize import STREAM

SIGNATURE = "X-Hub-Signature"
IDENTIFIER = "X-Atlassian-Webhook-Identifier"
"""The same for each try of one delivery."""
PREFIX = "sha256="

ISSUE_EVENTS = ("jira:issue_created", "jira:issue_updated", "jira:issue_deleted")
LINK_EVENTS = ("issuelink_created", "issuelink_deleted")
PROJECT_EVENTS = (
    "project_updated",
    "project_deleted",
    "project_soft_deleted",
    "project_restored_deleted",
    "project_archived",
    "project_restored_archived",
)
"""What a project's issues are changes with it, and no signal names them."""


class _Thing(Struct):
    id: str | int = ""


class _Link(Struct):
    source: int | str = msgspec.field(name="sourceIssueId", default="")
    destination: int | str = msgspec.field(name="destinationIssueId", default="")


class _Event(Struct):
    name: str = msgspec.field(name="webhookEvent", default="")
    issue: _Thing | None = None
    link: _Link | None = msgspec.field(name="issueLink", default=None)


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> Delivery:
    """The delivery, if it is signed; one that is not is refused whatever else it carries."""
    check_signature(header(headers, SIGNATURE), body, secrets, prefix=PREFIX)
    return Delivery(delivery_id(header(headers, IDENTIFIER), body))


def affected(instance: str, body: bytes) -> Signal:
    """The issues that an event is about."""
    event = read_body(body, _Event)
    if event.name in PROJECT_EVENTS:
        return Signal(whole=True)
    ids: list[str | int] = []
    if event.name in ISSUE_EVENTS:
        if event.issue is None:
            raise RecordError(f"Jira's change signal {event.name} names no issue.")
        ids = [event.issue.id]
    elif event.name in LINK_EVENTS:
        if event.link is None:
            raise RecordError(f"Jira's change signal {event.name} names no link.")
        ids = [event.link.source, event.link.destination]
    named = dict.fromkeys(str(id_) for id_ in ids)
    if not all(id_.isascii() and id_.isdecimal() for id_ in named):
        raise RecordError(f"Jira's change signal {event.name} names an issue by no id.")
    return Signal(tuple(Ref(instance, STREAM, id_) for id_ in named))
