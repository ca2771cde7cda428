"""Webhooks of a simulated Linear: the API that manages them, and what they tell.

linear.app/developers/webhooks. One that covers all public teams hears nothing of private ones, and
each delivery is signed anew with the time at which it is sent.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from opsync.sandbox.hooks import Habits, Hook, Hooks, Post
from opsync.sandbox.linear.objects import (
    Attachment,
    Initiative,
    Issue,
    Node,
    Project,
    ProjectUpdate,
    Team,
    User,
)
from opsync.sandbox.linear.refusals import invalid_input, not_found
from opsync.sandbox.linear.resolvers import Caller, Info, Page, Resolver, page, written

if TYPE_CHECKING:
    from opsync.sandbox.linear.api import LinearWorkspace

OK = 200
KINDS: dict[type[Node], str] = {
    Issue: "Issue",
    Attachment: "Attachment",
    Project: "Project",
    ProjectUpdate: "ProjectUpdate",
    Initiative: "Initiative",
}
_RESOURCES = frozenset(
    {*KINDS.values(), "InitiativeUpdate", "Comment", "IssueLabel", "Cycle", "Document", "User"}
)

HABITS = Habits(
    arrived=lambda status: status == OK,
    again=lambda status: True,
    delays_s=((60.0, 60.0), (3600.0, 3600.0), (21_600.0, 21_600.0)),
    timeout_s=5.0,
    disables=True,
)


@dataclass(slots=True, eq=False, kw_only=True)
class Webhook(Node):
    """A webhook as the API shows it, beside the `Hook` that delivers."""

    hook: Hook
    creator: User
    resource_types: list[str]
    all_public_teams: bool
    team: Team | None

    @property
    def url(self) -> str:
        return self.hook.url

    @property
    def enabled(self) -> bool:
        return self.hook.enabled

    @property
    def label(self) -> str | None:
        return self.hook.name or None

    @property
    def secret(self) -> str | None:
        return self.hook.secret

    @property
    def team_ids(self) -> list[str] | None:
        return [self.team.id] if self.team is not None else None


@dataclass(frozen=True, slots=True)
class Done:
    """A mutation's answer."""

    last_sync_id: float
    success: bool = True
    entity_id: str = ""
    webhook: Webhook | None = None


def hooks_of(workspace: LinearWorkspace) -> Hooks:
    """The webhooks of a workspace, none yet."""
    return Hooks(workspace.now, lambda: workspace.faults, HABITS, _dress)


def _dress(
    post: Post, payload: Mapping[str, Any], secret: str, now: datetime
) -> tuple[dict[str, str], bytes]:
    at = int(now.timestamp() * 1000)
    told = {**payload, "webhookId": post.hook.id, "webhookTimestamp": at}
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Linear-Webhook",
        "Linear-Delivery": post.id,
        "Linear-Event": str(payload["type"]),
        "Linear-Timestamp": str(at),
        "Linear-Signature": hmac.new(secret.encode(), body, sha256).hexdigest(),
    }, body


def tell(workspace: LinearWorkspace, action: str, node: Node) -> None:
    """What happened to an object, to all webhooks that cover it."""
    kind = KINDS.get(type(node))
    if kind is None or workspace.hooks is None or not workspace.hooks.registered:
        return
    at = written(workspace.now())

    def payload() -> Mapping[str, Any]:
        data = _data(node)
        return {
            "action": action,
            "type": kind,
            "createdAt": at,
            "data": data,
            "organizationId": workspace.organization.id,
            "actor": {
                "id": workspace.viewer.id,
                "name": workspace.viewer.name,
                "email": workspace.viewer.email,
                "url": workspace.viewer.url,
                "type": "user",
            },
            "url": data.get("url"),
        }

    workspace.hooks.tell(kind, payload, lambda hook: _covers(workspace.webhooks[hook.id], node))


def _covers(webhook: Webhook, node: Node) -> bool:
    teams = _teams(node)
    if webhook.all_public_teams:
        return not teams or any(not team.private for team in teams)
    return webhook.team in teams


def _teams(node: Node) -> list[Team]:
    if isinstance(node, Attachment):
        return [node.issue.team]
    if isinstance(node, Issue):
        return [node.team]
    if isinstance(node, ProjectUpdate):
        return node.project.teams
    return node.teams if isinstance(node, Project) else []


def _data(node: Node) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": node.id,
        "createdAt": written(node.created_at),
        "updatedAt": written(node.updated_at),
        "archivedAt": written(node.archived_at),
    }
    if isinstance(node, Issue):
        team, state = node.team, node.state
        return data | {
            "number": node.number,
            "identifier": node.identifier,
            "title": node.title,
            "priority": node.priority,
            "trashed": node.trashed,
            "stateId": state.id,
            "state": {"id": state.id, "name": state.name, "type": state.type},
            "teamId": team.id,
            "team": {"id": team.id, "key": team.key, "name": team.name},
            "projectId": node.project.id if node.project else None,
            "parentId": node.parent.id if node.parent else None,
            "labelIds": [label.id for label in node.labels],
            "url": node.url,
        }
    if isinstance(node, Attachment):
        own = {"issueId": node.issue.id, "title": node.title, "url": node.url}
        return data | own | {"subtitle": node.subtitle, "metadata": node.metadata}
    if isinstance(node, ProjectUpdate):
        return data | {"projectId": node.project.id, "body": node.body, "health": node.health}
    if isinstance(node, Project | Initiative):
        return data | {"name": node.name, "slugId": node.slug_id, "url": node.url}
    return data


def _workspace(info: Info) -> LinearWorkspace:
    caller: Caller = info.context
    return caller.truth  # type: ignore[return-value]  # only a workspace serves queries


def _hooks(info: Info) -> tuple[LinearWorkspace, Hooks]:
    workspace = _workspace(info)
    if workspace.hooks is None or "admin" in workspace.faults.missing_scopes:
        raise invalid_input("You need to be an admin to manage webhooks")
    return workspace, workspace.hooks


def _found(info: Info, webhook_id: str) -> Webhook:
    webhook = _hooks(info)[0].webhooks.get(webhook_id)
    if webhook is None:
        raise not_found("Webhook")
    return webhook


def _resources(given: Mapping[str, Any]) -> list[str]:
    names = list(given["resourceTypes"])
    if not names or not set(names) <= _RESOURCES:
        raise invalid_input("resourceTypes must be known resources")
    return names


def _create(_source: object, info: Info, **given: Any) -> Done:
    workspace, hooks = _hooks(info)
    values = given["input"]
    whole = bool(values.get("allPublicTeams"))
    team = workspace.teams.get(str(values.get("teamId") or ""))
    if whole == (team is not None):
        raise invalid_input("exactly one of teamId and allPublicTeams must be given")
    if not str(values["url"]).startswith(("https://", "http://")):
        raise invalid_input("url must be a URL address")
    names = _resources(values)
    secret = values.get("secret") or f"lin_wh_{hooks.new_id()}"
    label, on = values.get("label") or "", values.get("enabled", True)
    hook = Hook(workspace.new_id(), values["url"], secret, tuple(names), label, bool(on))
    first, last = workspace.stamps(None, None)
    webhook = Webhook(
        id=hook.id,
        created_at=first,
        updated_at=last,
        hook=hook,
        creator=workspace.viewer,
        resource_types=names,
        all_public_teams=whole,
        team=team,
    )
    hooks.registered[hook.id] = hook
    workspace.keep(workspace.webhooks, webhook)
    return Done(workspace.sync_id, webhook=webhook)


def _update(_source: object, info: Info, **given: Any) -> Done:
    webhook, values = _found(info, given["id"]), given["input"]
    hook = webhook.hook
    hook.url = values.get("url") or hook.url
    hook.secret = values.get("secret") or hook.secret
    hook.name = values.get("label") or hook.name
    hook.enabled = hook.enabled if values.get("enabled") is None else bool(values["enabled"])
    if values.get("resourceTypes"):
        webhook.resource_types = _resources(values)
        hook.events = tuple(webhook.resource_types)
    workspace = _workspace(info)
    workspace.touch(webhook)
    return Done(workspace.sync_id, webhook=webhook)


def _delete(_source: object, info: Info, **given: Any) -> Done:
    webhook = _found(info, given["id"])
    workspace, hooks = _hooks(info)
    hooks.remove(webhook.id)
    workspace.bury(workspace.webhooks, webhook)
    return Done(workspace.sync_id, entity_id=webhook.id)


def _listing(_source: object, info: Info, **arguments: Any) -> Page:
    workspace, _ = _hooks(info)
    return page(info.context, workspace.webhooks.values(), **arguments)


def _one(_source: object, info: Info, **given: Any) -> Webhook:
    return _found(info, given["id"])


QUERIES: dict[str, Resolver] = {"webhook": _one, "webhooks": _listing}
MUTATIONS: dict[str, Resolver] = {
    "webhookCreate": _create,
    "webhookUpdate": _update,
    "webhookDelete": _delete,
}
