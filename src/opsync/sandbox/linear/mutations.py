"""The writes that the simulated Linear takes: attachments, external links, project updates.

Attachments are upserts on (issue, url); external links and project updates are not, there a
client's own id keeps a repeat from making a second one
(linear.app/developers/attachments, and the schema).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsync.sandbox.linear.objects import (
    Attachment,
    EntityExternalLink,
    Initiative,
    Issue,
    Node,
    Project,
    ProjectUpdate,
)
from opsync.sandbox.linear.refusals import invalid_input, not_found
from opsync.sandbox.linear.resolvers import Caller, Info, Resolver, by_id
from opsync.sandbox.linear.state import Truth

_RICH_METADATA = {
    "attributes": frozenset({"name", "value"}),
    "messages": frozenset({"subject", "body", "timestamp"}),
}
"""The metadata keys that hold a list of objects, with the string fields those may have."""

_attachment = by_id("Attachment", lambda truth: truth.attachments)
_external_link = by_id("EntityExternalLink", lambda truth: truth.external_links)
_initiative = by_id("Initiative", lambda truth: truth.initiatives)
_issue = by_id("Issue", lambda truth: truth.issues)
_project = by_id("Project", lambda truth: truth.projects)
_project_update = by_id("ProjectUpdate", lambda truth: truth.project_updates)


@dataclass(frozen=True, slots=True)
class Payload:
    """A mutation's answer; the schema's payload types each take what they name."""

    last_sync_id: float
    success: bool = True
    entity_id: str = ""
    attachment: Attachment | None = None
    entity_external_link: EntityExternalLink | None = None
    project_update: ProjectUpdate | None = None


def _truth(info: Info) -> Truth:
    caller: Caller = info.context
    return caller.truth


def _text(values: Mapping[str, Any], name: str) -> str:
    text: str = values[name]
    if not text.strip():
        raise invalid_input(f"{name} should not be empty")
    return text


def _url(values: Mapping[str, Any]) -> str:
    url = _text(values, "url")
    scheme, mark, rest = url.partition("://")
    if not mark or not rest or not scheme.isalnum():
        raise invalid_input("url must be a URL address")
    return url


def _own_id(values: Mapping[str, Any], taken: Mapping[str, Node]) -> str | None:
    """The id that the client chose: a version 4 UUID that nothing has yet."""
    own = values.get("id")
    if own is None:
        return None
    try:
        valid = uuid.UUID(own).version == 4 and str(uuid.UUID(own)) == own.lower()
    except ValueError:
        valid = False
    if not valid:
        raise invalid_input("id must be a UUID in version 4 format")
    if own.lower() in taken:
        raise invalid_input(f"Entity with id {own} already exists")
    return str(own).lower()


def _metadata(value: object) -> dict[str, object]:
    """Flat strings and numbers, besides the keys that Linear shows as a table or messages."""
    if not isinstance(value, Mapping):
        raise invalid_input("metadata must be an object")
    for key, each in value.items():
        if key in _RICH_METADATA and isinstance(each, list):
            fits = all(
                isinstance(row, Mapping)
                and row.keys() <= _RICH_METADATA[key]
                and all(isinstance(cell, str) for cell in row.values())
                for row in each
            )
        else:
            fits = isinstance(each, str | int | float) and not isinstance(each, bool)
        if not fits:
            raise invalid_input(f"metadata.{key} must be a string or a number")
    return dict(value)


def _change(truth: Truth, attachment: Attachment, values: Mapping[str, Any]) -> None:
    """Set what is given and differs; an identical repeat changes nothing."""
    given: dict[str, object] = {"title": _text(values, "title")}
    if "subtitle" in values:
        given["subtitle"] = values["subtitle"]
    if values.get("metadata") is not None:
        given["metadata"] = _metadata(values["metadata"])
    if values.get("groupBySource") is not None:
        given["group_by_source"] = values["groupBySource"]
    changed = {k: v for k, v in given.items() if getattr(attachment, k) != v}
    for name, value in changed.items():
        setattr(attachment, name, value)
    if changed:
        truth.touch(attachment)
        if truth.attachments_bump_issue:
            truth.touch(attachment.issue)


def _attachment_create(_source: object, info: Info, **given: Any) -> Payload:
    truth = _truth(info)
    values = given["input"]
    issue: Issue = _issue(None, info, id=values["issueId"])
    url, title = _url(values), _text(values, "title")
    same = next((each for each in issue.attachments if each.url == url), None)
    if same is not None:
        _change(truth, same, values)
        return Payload(truth.sync_id, attachment=same)
    made = truth.attach(
        issue,
        title,
        url,
        subtitle=values.get("subtitle"),
        metadata=_metadata(values.get("metadata") or {}),
        attachment_id=_own_id(values, truth.nodes),
        by_api=True,
    )
    made.group_by_source = bool(values.get("groupBySource"))
    return Payload(truth.sync_id, attachment=made)


def _attachment_update(_source: object, info: Info, **given: Any) -> Payload:
    found: Attachment = _attachment(None, info, id=given["id"])
    _change(_truth(info), found, given["input"])
    return Payload(_truth(info).sync_id, attachment=found)


def _attachment_delete(_source: object, info: Info, **given: Any) -> Payload:
    found: Attachment = _attachment(None, info, id=given["id"])
    _truth(info).detach(found)
    return Payload(_truth(info).sync_id, entity_id=found.id)


_OTHER_OWNERS = ("cycleId", "releaseId", "resourceFolderId", "teamId")


def _link_create(_source: object, info: Info, **given: Any) -> Payload:
    truth = _truth(info)
    values = given["input"]
    if other := [name for name in _OTHER_OWNERS if values.get(name)]:
        raise not_found(other[0].removesuffix("Id").capitalize())
    project_id, initiative_id = values.get("projectId"), values.get("initiativeId")
    if bool(project_id) == bool(initiative_id):
        raise invalid_input("exactly one of projectId and initiativeId must be given")
    owner: Project | Initiative = (
        _project(None, info, id=project_id)
        if project_id
        else _initiative(None, info, id=initiative_id)
    )
    link = truth.add_external_link(
        owner,
        _text(values, "label"),
        _url(values),
        sort_order=values.get("sortOrder") or 0.0,
        link_id=_own_id(values, truth.nodes),
    )
    return Payload(truth.sync_id, entity_external_link=link)


def _link_update(_source: object, info: Info, **given: Any) -> Payload:
    truth = _truth(info)
    values = given["input"]
    link: EntityExternalLink = _external_link(None, info, id=given["id"])
    label = _text(values, "label") if values.get("label") is not None else link.label
    url = _url(values) if values.get("url") is not None else link.url
    order = values.get("sortOrder")
    order = link.sort_order if order is None else order
    if (label, url, order) != (link.label, link.url, link.sort_order):
        link.label, link.url, link.sort_order = label, url, order
        truth.touch(link)
    return Payload(truth.sync_id, entity_external_link=link)


def _link_delete(_source: object, info: Info, **given: Any) -> Payload:
    link: EntityExternalLink = _external_link(None, info, id=given["id"])
    _truth(info).remove_external_link(link)
    return Payload(_truth(info).sync_id, entity_id=link.id)


def _update_create(_source: object, info: Info, **given: Any) -> Payload:
    truth = _truth(info)
    values = given["input"]
    project: Project = _project(None, info, id=values["projectId"])
    made = truth.add_project_update(
        project,
        body=values.get("body") or "",
        health=values.get("health"),
        hide_diff=bool(values.get("isDiffHidden")),
        update_id=_own_id(values, truth.nodes),
    )
    return Payload(truth.sync_id, project_update=made)


def _update_update(_source: object, info: Info, **given: Any) -> Payload:
    truth = _truth(info)
    values = given["input"]
    update: ProjectUpdate = _project_update(None, info, id=given["id"])
    update.body = update.body if values.get("body") is None else values["body"]
    update.health = update.health if values.get("health") is None else values["health"]
    update.edited_at = truth.touch(update)
    if update is update.project.last_update and update.project.health != update.health:
        update.project.health = update.health
        update.project.health_updated_at = truth.touch(update.project)
    return Payload(truth.sync_id, project_update=update)


MUTATIONS: dict[str, Resolver] = {
    "attachmentCreate": _attachment_create,
    "attachmentDelete": _attachment_delete,
    "attachmentUpdate": _attachment_update,
    "entityExternalLinkCreate": _link_create,
    "entityExternalLinkDelete": _link_delete,
    "entityExternalLinkUpdate": _link_update,
    "projectUpdateCreate": _update_create,
    "projectUpdateUpdate": _update_update,
}
