"""Jira's change signals: signed by the secret of a webhook that an administrator set up.

https://developer.atlassian.com/cloud/jira/platform/webhooks/. Webhooks of apps are not signed over
their body, and only an app can make them: an instance, which signs in with a token, has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec
from msgspec import Struct

from opsync import (
    Context,
    Delivery,
    NotFound,
    RecordError,
    Ref,
    RefusedError,
    Registered,
    Signal,
    SignInError,
    check_signature,
    delivery_id,
    header,
    read_body,
)
from opsync_jira.jql import of_projects
from opsync_jira.normalize import STREAM
from opsync_jira.settings import JiraSettings

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

EVENTS = (*ISSUE_EVENTS, *LINK_EVENTS, *PROJECT_EVENTS)

PATH = "/rest/webhooks/1.0/webhook"
ISSUES_SECTION = "issue-related-events-section"
PLACE = "Jira → the cog → System → WebHooks"
ADMIN_HINT = (
    "Only an administrator of Jira may: `opsync webhooks list` shows what one has to click. "
    "Without webhooks opsync reads what changed every few minutes."
)


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


class _Hook(Struct, rename="camel"):
    self: str = ""
    name: str = ""
    url: str = ""
    enabled: bool = True
    is_signed: bool = True
    filters: dict[str, str | None] = {}


class Webhooks:
    """The webhooks of one Cloud site, as its administrators see them."""

    def __init__(self, settings: JiraSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._mark = f"opsync: {context.instance}"

    async def all(self) -> list[Registered]:
        """All of them, whoever made them."""
        return [self._shown(hook) for hook in await self._listed()]

    async def register(self, url: str, secret: str) -> list[Registered]:
        """Make one, or change the one that opsync made before."""
        body = {
            "name": self._mark,
            "description": "Tells opsync what to look at again.",
            "url": url,
            "events": list(EVENTS),
            "filters": {ISSUES_SECTION: of_projects(self._settings)},
            "excludeBody": False,
            "secret": secret,
            "enabled": True,
        }
        before = [hook for hook in await self._listed() if hook.name == self._mark]
        if before:
            await self._write("PUT", f"{PATH}/{_id(before[0])}", body)
        else:
            await self._write("POST", PATH, body)
        return [one for one in await self.all() if one.url == url]

    async def remove(self, id_: str) -> None:
        """Delete one by its id."""
        if not (id_.isascii() and id_.isdecimal()):
            raise RecordError(f"{id_!r} is no id of a webhook of Jira.")
        with suppress(NotFound):
            await self._write("DELETE", f"{PATH}/{id_}", None)

    async def _listed(self) -> list[_Hook]:
        try:
            answer = await self._context.http.read("GET", PATH, lane=f"GET {PATH}")
        except (RefusedError, SignInError) as error:
            raise _hinted(error) from error
        return answer.decode(list[_Hook])

    async def _write(self, method: str, path: str, body: object) -> None:
        lane = f"{method} {PATH}"
        keyed = method != "POST"
        try:
            await self._context.http.write(method, path, json=body, lane=lane, keyed=keyed)
        except NotFound:
            raise
        except (RefusedError, SignInError) as error:
            raise _hinted(error) from error

    def _shown(self, hook: _Hook) -> Registered:
        scope = hook.filters.get(ISSUES_SECTION) or "all issues"
        return Registered(
            id=_id(hook),
            url=hook.url,
            enabled=hook.enabled,
            covers=scope if hook.is_signed else f"{scope}, not signed",
            own=hook.name == self._mark,
        )


def _id(hook: _Hook) -> str:
    return hook.self.rpartition("/")[2]


def _hinted(error: RefusedError | SignInError) -> RefusedError | SignInError:
    hint = f"{error.hint} {ADMIN_HINT}".strip()
    if isinstance(error, SignInError):
        return SignInError(error.message, hint=hint)
    return RefusedError(error.message, hint=hint, status=error.status)


def steps(url: str, variable: str) -> list[str]:
    """What an administrator clicks."""
    return [
        f"{PLACE} → Create a WebHook, as an administrator of Jira.",
        f"URL: {url}",
        f"Secret: a new one of at least 16 characters; give it to opsync as {variable}.",
        (
            "Events: issue created, updated, deleted; issue link created, deleted; "
            "project updated, deleted, archived, restored."
        ),
    ]
