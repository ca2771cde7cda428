"""Remote issue links: an upsert by global id whose missing parts become null."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from opsync.sandbox.jira.call import Call, Refusal
from opsync.sandbox.jira.values import Issue, RemoteLink

MAX_GLOBAL_ID = 255
MAX_TITLE = 255
"""The width of the column that holds a link's title."""


def listing(call: Call) -> Response:
    """GET: all links as an array, or with `globalId` the one link as an object."""
    issue = call.issue()
    wanted = call.query.get("globalId")
    if wanted is None:
        return call.ok([call.render.remote_link(issue, link) for link in _links(call, issue)])
    return call.ok(call.render.remote_link(issue, _by_global_id(call, issue, wanted)))


def one(call: Call) -> Response:
    """GET by the link's id."""
    issue = call.issue()
    return call.ok(call.render.remote_link(issue, _by_id(call, issue)))


def upsert(call: Call) -> Response:
    """POST: 201 with a new link, 200 when one with the same global id was replaced."""
    issue, body = call.issue(), _checked(call)
    known = {link.global_id for link in _links(call, issue)}
    new = body.get("globalId") is None or body["globalId"] not in known
    if new and len(known) >= call.site.remote_link_limit:
        raise Refusal(413, "The issue has reached the limit of remote links.")
    link, created = call.site.put_remote_link(issue.id, body)
    address = call.render.remote_link(issue, link)["self"]
    return call.ok({"id": link.id, "self": address}, 201 if created else 200)


def replace(call: Call) -> Response:
    """PUT by the link's id."""
    issue, body = call.issue(), _checked(call)
    call.site.put_remote_link(issue.id, body, link_id=_by_id(call, issue).id)
    return Response(status_code=204)


def remove_by_global_id(call: Call) -> Response:
    """DELETE ?globalId=…"""
    issue = call.issue()
    wanted = call.query.get("globalId")
    if not wanted:
        raise Refusal(400, "The globalId query parameter is required.")
    call.site.remove_remote_link(issue.id, _by_global_id(call, issue, wanted).id)
    return Response(status_code=204)


def remove(call: Call) -> Response:
    """DELETE by the link's id."""
    issue = call.issue()
    call.site.remove_remote_link(issue.id, _by_id(call, issue).id)
    return Response(status_code=204)


def _links(call: Call, issue: Issue) -> list[RemoteLink]:
    return list(call.site.remote_links.get(issue.id, {}).values())


def _by_id(call: Call, issue: Issue) -> RemoteLink:
    number = call.parts["link"]
    if not number.isdecimal():
        raise Refusal(400, "The link id must be a number.")
    link = call.site.remote_links.get(issue.id, {}).get(int(number))
    if link is None:
        raise Refusal(404, f"The remote link with id {number} does not exist.")
    return link


def _by_global_id(call: Call, issue: Issue, wanted: str) -> RemoteLink:
    for link in _links(call, issue):
        if link.global_id == wanted:
            return link
    raise Refusal(404, f"The remote link with global id '{wanted}' does not exist.")


def _checked(call: Call) -> dict[str, Any]:
    body = call.json()
    thing = body.get("object")
    if not isinstance(thing, dict):
        raise Refusal(400, errors={"object": "'object' is required."})
    errors = {}
    title, url = thing.get("title"), thing.get("url")
    if not isinstance(title, str) or not title.strip():
        errors["title"] = "'title' is required."
    elif len(title) > MAX_TITLE:
        errors["title"] = f"'title' is too long. The maximum length is {MAX_TITLE}."
    if not isinstance(url, str) or not url:
        errors["url"] = "'url' is required."
    elif urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).netloc:
        errors["url"] = "'url' is not a valid URL."
    global_id = body.get("globalId")
    if global_id is not None and (
        not isinstance(global_id, str) or not 1 <= len(global_id) <= MAX_GLOBAL_ID
    ):
        errors["globalId"] = f"'globalId' must have 1 to {MAX_GLOBAL_ID} characters."
    for name in ("application", "relationship"):
        kind = dict if name == "application" else str
        if body.get(name) is not None and not isinstance(body[name], kind):
            errors[name] = f"'{name}' is invalid."
    if errors:
        raise Refusal(400, errors=errors)
    return body
