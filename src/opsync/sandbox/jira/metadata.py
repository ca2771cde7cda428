"""What changes rarely: the caller, the server, fields, statuses, projects, link types."""

from __future__ import annotations

from starlette.responses import Response

from opsync.sandbox.jira.call import Call, Refusal
from opsync.sandbox.jira.values import ISSUE_TYPES, LINK_TYPES, PRIORITIES

MAX_PROJECTS = 50
PROJECT_STATES = ("live", "archived", "deleted")
# Permissions that a sync may ask about: (key, id, name).
_PERMISSIONS = (
    ("BROWSE_PROJECTS", "10", "Browse Projects"),
    ("LINK_ISSUES", "21", "Link Issues"),
    ("EDIT_ISSUES", "12", "Edit Issues"),
)


_EVERYWHERE = {"Epic", "Story", "Sub-task"}
"""The issue types that each project has, for the list of its statuses."""


def myself(call: Call) -> Response:
    return call.ok(call.render.user(call.site.caller))


def server_info(call: Call) -> Response:
    site = call.site
    version = "1001.0.0-SNAPSHOT" if site.cloud else "10.3.2"
    numbers = [1001, 0, 0] if site.cloud else [10, 3, 2]
    return call.ok(
        {
            "baseUrl": site.base_url,
            "version": version,
            "versionNumbers": numbers,
            "deploymentType": site.deployment,
            "buildNumber": 100_290,
            "serverTime": call.render.time(site.instant()),
            "serverTitle": "Jira",
        }
    )


def fields(call: Call) -> Response:
    return call.ok(call.render.fields())


def statuses(call: Call) -> Response:
    return call.ok([call.render.status(status) for status in call.site.statuses.values()])


def resolutions(call: Call) -> Response:
    return call.ok([call.render.resolution(name) for name in call.site.resolutions])


def priorities(call: Call) -> Response:
    return call.ok([call.render.priority(name) for name in PRIORITIES])


def link_types(call: Call) -> Response:
    return call.ok({"issueLinkTypes": [call.render.link_type(name) for name in LINK_TYPES]})


def issue_types(call: Call) -> Response:
    return call.ok([call.render.issue_type(name) for name in ISSUE_TYPES])


def projects(call: Call) -> Response:
    """GET /project: all of them, as Data Center answers."""
    return call.ok([call.render.project(project) for project in call.site.visible_projects()])


def project_statuses(call: Call) -> Response:
    """GET /project/{idOrKey}/statuses: those of its workflow, by issue type."""
    site = call.site
    key = site.find_project(call.parts["project"])
    if key is None:
        raise _no_project(call.parts["project"])
    listed = site.projects[key].statuses or tuple(site.statuses)
    shapes = [call.render.status(site.statuses[name]) for name in listed]
    kinds = [call.render.issue_type(name) for name in ISSUE_TYPES if name in _EVERYWHERE]
    shown = ("self", "id", "name", "subtask")
    return call.ok([{k: kind[k] for k in shown} | {"statuses": shapes} for kind in kinds])


def _no_project(key: str) -> Refusal:
    return Refusal(404, f"No project could be found with key '{key}'.")


def find_projects(call: Call) -> Response:
    """GET /project/search: by offset, at most 50 a page."""
    states = call.repeated.get("status", ["live"])
    if unknown := [state for state in states if state not in PROJECT_STATES]:
        raise Refusal(400, f"The project status {unknown[0]} is not valid.")
    found = [p for p in call.site.visible_projects() if p.state in states]
    if needle := call.query.get("query", "").lower():
        found = [p for p in found if needle in p.name.lower() or needle in p.key.lower()]
    if keys := call.repeated.get("keys"):
        found = [p for p in found if p.key in keys]
    start, size = call.query.get("startAt", "0"), call.query.get("maxResults", "50")
    if not (start.isdecimal() and size.isdecimal()):
        raise Refusal(400, "startAt and maxResults must be whole numbers.")
    first, most = int(start), min(int(size), MAX_PROJECTS)
    page = found[first : first + most]
    return call.ok(
        {
            "self": f"{call.render.root}/project/search",
            "maxResults": most,
            "startAt": first,
            "total": len(found),
            "isLast": first + most >= len(found),
            "values": [call.render.project(project) for project in page],
        }
    )


def permissions(call: Call) -> Response:
    """GET /mypermissions: only those asked for; LINK_ISSUES is lost while writes are refused."""
    known = {key: (number, name) for key, number, name in _PERMISSIONS}
    asked = call.query.get("permissions")
    if call.site.cloud and not asked:
        raise Refusal(400, "The 'permissions' query parameter is required.")
    names = asked.split(",") if asked else list(known)
    if unknown := [name for name in names if name not in known]:
        raise Refusal(400, f"Unrecognized permission: {unknown[0]}")
    if (key := call.query.get("projectKey")) and call.site.find_project(key) is None:
        raise _no_project(key)
    lost = set(call.site.faults.missing_scopes)
    if call.site.faults.read_only:
        lost |= {"LINK_ISSUES", "EDIT_ISSUES"}
    return call.ok(
        {
            "permissions": {
                key: {
                    "id": known[key][0],
                    "key": key,
                    "name": known[key][1],
                    "type": "PROJECT",
                    "description": "",
                    "havePermission": key not in lost,
                }
                for key in names
            }
        }
    )
