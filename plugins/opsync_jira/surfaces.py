"""The places opsync writes in Jira: remote issue links, for links and for rollups.

A remote link's `globalId` is its key: a POST with it creates or replaces. Parts that a request
leaves out become null, so that the whole body is sent each time.
https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-remote-links/
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from urllib.parse import urlsplit

from opsync import (
    Category,
    Change,
    Edits,
    Kind,
    LinkContent,
    NotFound,
    Outcome,
    OutcomeKind,
    RefusedError,
    RollupContent,
    Seen,
    Slot,
    Surface,
    Value,
    value_hash,
)
from opsync_jira import wire
from opsync_jira.dialect import Api, request_id
from opsync_jira.rights import ACCESS

LINK = "link"
ROLLUP = "rollup"
SURFACES = (
    Surface(
        name=LINK,
        content="link",
        kinds=frozenset({Kind.issue, Kind.epic, Kind.initiative, Kind.project}),
        fields=("remotelink",),
        title="Link",
    ),
    Surface(
        name=ROLLUP,
        content="rollup",
        kinds=frozenset({Kind.epic, Kind.initiative, Kind.project}),
        fields=("remotelink",),
        title="Roadmap link",
        edits=Edits.propose,
    ),
)

MARK = "opsync:"
APPLICATION = "dev.opsync"
MAX_GLOBAL_ID = 255
MAX_TITLE = 255
"""The width of the columns that hold a link's title and its global id."""

_ICONS = {Category.done: "closed", Category.canceled: "closed", Category.in_progress: "inprogress"}
_UNFIT_FOR_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\s]+")
_UNFIT_FOR_URL = re.compile(r"[\x00-\x20\x7f\"<>\\^`{|}]")


def global_id(slot: Slot) -> str:
    """What Jira keys a slot's remote link by. A name too long for Jira is shortened to a digest."""
    what = f"{slot.rule}:{slot.other}" if slot.surface == ROLLUP else str(slot.other)
    name = f"{MARK}{slot.surface}:{what}"
    fits = len(name) <= MAX_GLOBAL_ID
    return name if fits else f"{MARK}{slot.surface}:#{value_hash(what)}"


def render_link(site: str, content: LinkContent) -> Value:
    """A link to another tool's item: its label, and its status category as an icon."""
    card = content.card
    icon = _ICONS.get(card.category, "open")
    return _value(
        url=card.url,
        title=content.title,
        relationship=content.relationship,
        application=card.tool,
        resolved=content.resolved,
        status_title=content.category_name,
        status_icon=f"{site}/images/icons/statuses/{icon}.png",
    )


def render_rollup(content: RollupContent) -> Value:
    """A rollup: "Roadmap: One-tap checkout", and its numbers below."""
    return _value(
        url=content.root.url,
        title=content.title,
        summary=content.summary,
        relationship=content.relationship,
        application=content.root.tool,
    )


def canonical(link: wire.RemoteLink) -> Value:
    """A remote link that stands in Jira, in the form in which values are compared."""
    thing = link.object
    status = thing.status or wire.LinkStatus()
    icon = status.icon or wire.Icon()
    return {
        "url": thing.url,
        "title": _text(thing.title),
        "summary": _text(thing.summary or ""),
        "relationship": _text(link.relationship or ""),
        "application": _text((link.application and link.application.name) or ""),
        "resolved": bool(status.resolved),
        "status_title": _text(icon.title or ""),
        "status_icon": icon.url or "",
    }


def seen(link: wire.RemoteLink) -> Seen:
    """What stands on an issue: ours by the mark of its global id, else somebody's link."""
    name = link.global_id or ""
    ours = name.startswith(MARK)
    surface = ROLLUP if name.startswith(f"{MARK}{ROLLUP}:") else LINK
    return Seen.of(
        surface,
        canonical(link),
        address=link.object.url,
        remote_id=name if ours else str(link.id),
        ours=ours,
    )


async def observe(api: Api, issue_id: str) -> Sequence[Seen]:
    """All remote links of an issue. Raises NotFound when it is missing or hidden."""
    answer = await api.read("GET", f"issue/{issue_id}/remotelink")
    return [seen(link) for link in answer.decode(list[wire.RemoteLink])]


async def apply(api: Api, changes: Sequence[Change]) -> AsyncIterator[Outcome]:
    """Write changes one after the other, for Jira limits the writes to one issue.

    A refusal is the outcome of its change; what concerns the whole instance is raised.
    """
    for change in changes:
        try:
            yield await _apply_one(api, change)
        except NotFound as error:
            yield _failed(
                change, f"The issue is gone, or hidden from this account. {ACCESS}", error
            )
        except RefusedError as error:
            yield _failed(change, str(error), error)


async def _apply_one(api: Api, change: Change) -> Outcome:
    path = f"issue/{change.slot.target.id}/remotelink"
    # What opsync wrote keeps its name, also where its slot is another one by now: under a second
    # name it would be a second link.
    named = change.remote_id.startswith(MARK)
    name = change.remote_id if named else global_id(change.slot)
    desired = change.desired
    if not isinstance(desired, Mapping):
        try:
            answer = await api.write("DELETE", path, params={"globalId": name})
        except NotFound:
            # A hidden issue hides its links as well, and they stand there still.
            await observe(api, change.slot.target.id)
            return Outcome(
                change=change.id, kind=OutcomeKind.removed, message="It was gone already."
            )
        return Outcome(change=change.id, kind=OutcomeKind.removed, request_id=request_id(answer))
    answer = await api.write("POST", path, json=_body(name, desired))
    return Outcome(
        change=change.id,
        kind=OutcomeKind.created if answer.status == 201 else OutcomeKind.updated,
        applied=desired,
        remote_id=name,
        request_id=request_id(answer),
    )


def _failed(change: Change, message: str, error: RefusedError) -> Outcome:
    return Outcome(
        change=change.id,
        kind=OutcomeKind.failed,
        message=message,
        # Permission can be granted, a hidden issue shown again, room come back, and none of that
        # changes the record. What Jira finds malformed waits for another value.
        retryable=error.status in {403, 404, 413},
    )


def _body(name: str, value: Mapping[str, Value]) -> dict[str, object]:
    """The whole request for a value."""
    thing: dict[str, object] = {"url": value["url"], "title": value["title"]}
    if value["summary"]:
        thing["summary"] = value["summary"]
    if value["status_title"]:
        icon = {"title": value["status_title"], "url16x16": value["status_icon"]}
        thing["status"] = {"resolved": value["resolved"], "icon": icon}
    return {
        "globalId": name,
        "application": {"type": APPLICATION, "name": value["application"]},
        "relationship": value["relationship"],
        "object": thing,
    }


def _value(
    *,
    url: str,
    title: str,
    relationship: str,
    application: str,
    summary: str = "",
    resolved: bool = False,
    status_title: str = "",
    status_icon: str = "",
) -> Value:
    """The canonical value; None where there is no address that may be linked to."""
    if not _may_link(url):
        return None
    return {
        "url": url,
        "title": _cut(_text(title) or url),
        "summary": _text(summary),
        "relationship": _cut(_text(relationship)),
        "application": _cut(_text(application)),
        "resolved": resolved,
        "status_title": _text(status_title),
        "status_icon": status_icon if _text(status_title) else "",
    }


def _may_link(url: str) -> bool:
    if _UNFIT_FOR_URL.search(url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _text(text: str) -> str:
    """On one line, without control characters and marks that turn the reading direction."""
    return _UNFIT_FOR_TEXT.sub(" ", text).strip()


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TITLE else f"{text[: MAX_TITLE - 1].rstrip()}…"
