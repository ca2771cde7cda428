"""Change signals of a simulated Notion: a subscription that a person makes, verifies and deletes.

https://developers.notion.com/reference/webhooks. The connection's settings page has no API:
`subscribe` and `verify` are what a person clicks there. Events name pages and columns, not values.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from opsync.sandbox.hooks import Habits, Hook, Hooks, Post
from opsync.sandbox.notion.state import DataSource, Page

if TYPE_CHECKING:
    from opsync.sandbox.notion.workspace import NotionWorkspace

HELLO = "verification"
EVENTS = (
    "page.created",
    "page.properties_updated",
    "page.content_updated",
    "page.deleted",
    "page.undeleted",
    "page.moved",
    "data_source.schema_updated",
)
API_VERSION = "2026-03-11"

HABITS = Habits(
    arrived=lambda status: 200 <= status < 300,
    again=lambda status: True,
    delays_s=tuple(
        (delay, delay) for delay in (60.0, 240.0, 900.0, 3600.0, 10_800.0, 25_200.0, 46_800.0)
    ),
    timeout_s=10.0,
)
"""Eight tries, the last about a day after the first."""


def hooks_of(workspace: NotionWorkspace) -> Hooks:
    """The subscriptions of the connection, none yet."""
    return Hooks(workspace.now, lambda: workspace.faults, HABITS, _dress)


def _dress(
    post: Post, payload: Mapping[str, Any], secret: str, now: datetime
) -> tuple[dict[str, str], bytes]:
    if post.event != HELLO:
        payload = {"id": post.id, **payload, "attempt_number": post.attempt}
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    digest = hmac.new(secret.encode(), body, sha256).hexdigest()
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Notion-Webhook",
        "X-Notion-Signature": f"sha256={digest}",
    }, body


def subscribe(workspace: NotionWorkspace, url: str) -> Hook:
    """Make a subscription as a person does: Notion says hello with its token and waits."""
    hooks = _hooks(workspace)
    if not url.startswith(("https://", "http://")):
        raise ValueError("a subscription needs a URL")
    token = "secret_" + hooks.new_id().replace("-", "")
    hook = Hook(workspace.state.new_id("subscription"), url, token, (HELLO,), "subscription")
    hooks.registered[hook.id] = hook
    hooks.tell(HELLO, lambda: {"verification_token": token}, lambda one: one is hook)
    return hook


def verify(workspace: NotionWorkspace, token: str) -> Hook:
    """Paste the token that came with the hello: from then on events are sent."""
    for hook in _hooks(workspace).registered.values():
        if hmac.compare_digest(hook.secret.encode(), token.strip().encode()):
            hook.events = EVENTS
            return hook
    raise ValueError("Notion does not know this verification token")


def tell_page(
    workspace: NotionWorkspace, event: str, page: Page, by: str, columns: Sequence[str] = ()
) -> None:
    """What somebody did to a page that the connection sees."""
    hooks = workspace.hooks
    if hooks is None or not hooks.registered or not workspace.shows(page):
        return
    source = page.data_source
    data: dict[str, Any] = {
        "parent": {
            "id": source.database_id,
            "type": "database",
            "data_source_id": source.id,
        }
    }
    if event == "page.properties_updated":
        data["updated_properties"] = list(columns)
    entity = {"id": page.id, "type": "page"}
    hooks.tell(event, _told(workspace, event, by, entity, data))


def tell_columns(workspace: NotionWorkspace, source: DataSource, by: str) -> None:
    """Somebody changed the columns of a data source."""
    hooks = workspace.hooks
    if hooks is None or workspace.denies(source.id, source.database_id):
        return
    data = {"parent": {"id": source.database_id, "type": "database"}, "updated_properties": []}
    entity = {"id": source.id, "type": "data_source"}
    event = "data_source.schema_updated"
    hooks.tell(event, _told(workspace, event, by, entity, data))


def _told(
    workspace: NotionWorkspace,
    event: str,
    by: str,
    entity: Mapping[str, str],
    data: Mapping[str, Any],
) -> Callable[[], Mapping[str, Any]]:
    at = f"{workspace.now().astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
    author = {"id": by, "type": "bot" if by == workspace.bot.id else "person"}
    event_body = {
        "timestamp": at,
        "workspace_id": workspace.workspace_id,
        "workspace_name": workspace.workspace_name,
        "integration_id": workspace.bot.id,
        "authors": [author],
        "type": event,
        "api_version": API_VERSION,
        "entity": entity,
        "data": data,
    }
    return lambda: event_body


def _hooks(workspace: NotionWorkspace) -> Hooks:
    if workspace.hooks is None:
        raise ValueError("this workspace has no webhooks")
    return workspace.hooks
