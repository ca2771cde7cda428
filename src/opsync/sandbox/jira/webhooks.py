"""Webhooks of a simulated Jira: those of administrators, signed if they were given a secret.

https://developer.atlassian.com/cloud/jira/platform/webhooks/. Only an app may make the other ones
(`/rest/api/3/webhook`), which no token of a person can.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from opsync.sandbox.hooks import Habits, Hook, Hooks, Post, statuses
from opsync.sandbox.jira import jql
from opsync.sandbox.jira.call import Call, Refusal
from opsync.sandbox.jira.render import Renderer
from opsync.sandbox.jira.values import Issue

if TYPE_CHECKING:
    from opsync.sandbox.jira.site import JiraSite

ADMINISTER = "ADMINISTER"
"""The global permission without which Jira shows no webhook and takes none."""
ISSUES_SECTION = "issue-related-events-section"
_FIELDS = ("summary", "status", "issuetype", "project", "updated", "created")
_KNOWN = ("name", "description", "url", "events", "filters", "excludeBody", "secret", "enabled")

HABITS = Habits(
    arrived=lambda status: 200 <= status < 300,
    again=statuses((408, 409, 425, 429), range(500, 600)),
    delays_s=((300.0, 900.0),) * 5,
    timeout_s=20.0,
)


def hooks_of(site: JiraSite) -> Hooks:
    """The webhooks of `site`, none yet."""
    return Hooks(site.now, lambda: site.faults, HABITS, _dress)


def _dress(
    post: Post, payload: Mapping[str, Any], secret: str, now: datetime
) -> tuple[dict[str, str], bytes]:
    body = json.dumps(payload, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json; charset=UTF-8",
        "User-Agent": "Atlassian Webhook HTTP Client",
        "X-Atlassian-Webhook-Identifier": post.id,
        "X-Atlassian-Webhook-Flow": "Primary",
    }
    if secret:
        headers["X-Hub-Signature"] = "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()
    if post.attempt > 1:
        headers["X-Atlassian-Webhook-Retry"] = str(post.attempt - 1)
    return headers, body


def tell(site: JiraSite, event: str, issue: Issue) -> None:
    """An event of an issue, to all whose filter has it."""
    if site.hooks is None or not site.hooks.registered:
        return
    at = site.now()

    def payload() -> Mapping[str, Any]:
        render = _renderer(site)
        return {
            "timestamp": int(at.timestamp() * 1000),
            "webhookEvent": event,
            "issue_event_type_name": "issue_generic",
            "user": render.user(site.caller),
            "issue": render.issue(issue, _FIELDS),
        }

    site.hooks.tell(event, payload, lambda hook: _filtered(site, hook, issue))


def tell_link(site: JiraSite, event: str, link_id: int, source: Issue, other: Issue) -> None:
    """An event of a link between two issues; it has no filter."""
    if site.hooks is None:
        return
    ends = {"id": link_id, "sourceIssueId": source.id, "destinationIssueId": other.id}
    payload = {
        "timestamp": int(site.now().timestamp() * 1000),
        "webhookEvent": event,
        "issueLink": ends,
    }
    site.hooks.tell(event, lambda: payload)


def tell_project(site: JiraSite, event: str, key: str) -> None:
    """An event of a project as a whole."""
    if site.hooks is None:
        return
    project = site.projects[key]
    payload = {
        "timestamp": int(site.now().timestamp() * 1000),
        "webhookEvent": event,
        "project": {"id": project.id, "key": project.key, "name": project.name},
    }
    site.hooks.tell(event, lambda: payload)


def _renderer(site: JiraSite) -> Renderer:
    version = 3 if site.cloud else 2
    return Renderer(
        state=site,
        root=f"{site.base_url}/rest/api/{version}",
        zone=ZoneInfo(site.time_zone),
        cloud=site.cloud,
        wiki=not site.cloud,
        visible=lambda _: True,
    )


def _filtered(site: JiraSite, hook: Hook, issue: Issue) -> bool:
    text = str(hook.extra.get(ISSUES_SECTION) or "")
    return not text or _parsed(site, text).matches(issue)


def _parsed(site: JiraSite, text: str) -> jql.Query:
    view = jql.Site(
        now=site.instant(),
        zone=ZoneInfo(site.time_zone),
        find_issue=site.visible_issue,
        find_project=site.find_project,
        find_status=site.find_status,
    )
    return jql.parse(text, view)


def listing(call: Call) -> Response:
    """GET /rest/webhooks/1.0/webhook: all of them, whoever made them."""
    return call.ok([_shape(call, hook) for hook in _hooks(call).registered.values()])


def one(call: Call) -> Response:
    """GET /rest/webhooks/1.0/webhook/{id}."""
    return call.ok(_shape(call, _found(call)))


def create(call: Call) -> Response:
    """POST /rest/webhooks/1.0/webhook."""
    hooks, given = _hooks(call), call.json(*_KNOWN)
    hook = Hook(str(call.site.new_id()), "", "", ())
    _set(call, hook, given)
    if not hook.url or not hook.name:
        raise Refusal(400, errors={"url": "A webhook needs a name and a URL."})
    hooks.registered[hook.id] = hook
    return call.ok(_shape(call, hook), 201)


def change(call: Call) -> Response:
    """PUT /rest/webhooks/1.0/webhook/{id}: what is left out stays."""
    hook = _found(call)
    _set(call, hook, call.json(*_KNOWN))
    return call.ok(_shape(call, hook))


def remove(call: Call) -> Response:
    """DELETE /rest/webhooks/1.0/webhook/{id}."""
    _hooks(call).remove(_found(call).id)
    return Response(status_code=204)


def dynamic(call: Call) -> Response:
    """Whatever is asked below /rest/api/3/webhook: it is for apps."""
    raise Refusal(403, "The caller isn't an app.")


def _hooks(call: Call) -> Hooks:
    if ADMINISTER in call.site.faults.missing_scopes:
        raise Refusal(403, "You do not have permission to administer webhooks.")
    hooks = call.site.hooks
    if hooks is None:
        raise Refusal(404, "null for uri")
    return hooks


def _found(call: Call) -> Hook:
    found = _hooks(call).registered.get(call.parts["hook"])
    if found is None:
        raise Refusal(404, "No webhook with this id.")
    return found


def _set(call: Call, hook: Hook, given: Mapping[str, Any]) -> None:
    hook.name = str(given.get("name", hook.name)).strip()
    hook.url = str(given.get("url", hook.url)).strip()
    hook.secret = str(given.get("secret") or hook.secret)
    hook.enabled = bool(given.get("enabled", hook.enabled))
    hook.events = tuple(given.get("events", hook.events))
    filters = given.get("filters")
    if isinstance(filters, dict):
        text = str(filters.get(ISSUES_SECTION) or "")
        if text:
            try:
                _parsed(call.site, text)
            except jql.JqlError as error:
                raise Refusal(400, errors={"jql": str(error)}) from error
        hook.extra[ISSUES_SECTION] = text
    hook.extra["lastUpdated"] = int(call.site.now().timestamp() * 1000)


def _shape(call: Call, hook: Hook) -> dict[str, Any]:
    return {
        "name": hook.name,
        "url": hook.url,
        "excludeBody": False,
        "filters": {ISSUES_SECTION: hook.extra.get(ISSUES_SECTION, "")},
        "events": list(hook.events),
        "enabled": hook.enabled,
        "isSigned": bool(hook.secret),
        "self": f"{call.site.base_url}/rest/webhooks/1.0/webhook/{hook.id}",
        "lastUpdatedUser": call.site.caller.account_id,
        "lastUpdatedDisplayName": call.site.caller.name,
        "lastUpdated": hook.extra.get("lastUpdated", 0),
    }
