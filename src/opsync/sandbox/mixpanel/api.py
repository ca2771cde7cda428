"""The gate of the simulated Mixpanel: faults, sign-in, project, budget, role, then the endpoint."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import re
from typing import TYPE_CHECKING, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from opsync.sandbox.gate import app_of, let_through
from opsync.sandbox.mixpanel import notes, queries
from opsync.sandbox.mixpanel.project import CONCURRENT, QUERIES_PER_HOUR
from opsync.sandbox.mixpanel.state import Refusal
from opsync.sandbox.vendor import json_response

if TYPE_CHECKING:
    from opsync.sandbox.mixpanel.project import MixpanelProject

QUERY = "/api/query/"

_QUERIES = {
    "events": queries.events,
    "segmentation": queries.segmentation,
    "insights": queries.insights,
    "events/names": queries.names,
}
_NOTES = re.compile(r"/api/app/projects/(\d+)/annotations(?:/(\d+|tags))?")


def build_app(project: MixpanelProject) -> Starlette:
    """The HTTP surface of `project`."""

    async def handle(request: Request) -> Response:
        body = await request.body()
        queries_ = _path(request).startswith(QUERY)
        project.running += queries_
        try:
            if queries_ and project.query_s:
                await asyncio.sleep(project.query_s)
            with project.lock:
                return _handle(project, request, body)
        finally:
            project.running -= queries_

    return app_of(handle)


def _path(request: Request) -> str:
    return str(request.scope["path"])


def _handle(project: MixpanelProject, request: Request, body: bytes) -> Response:
    def answer() -> Response:
        try:
            status, payload = _answer(project, request, body)
        except Refusal as refusal:
            return _refusal(request, refusal)
        return json_response(payload, status)

    def lost() -> Response:
        return _refusal(request, Refusal(502, "Bad gateway"))

    reads = request.method == "GET"
    return let_through(project, request, body, answer, lost, reads=reads)


def _answer(project: MixpanelProject, request: Request, body: bytes) -> tuple[int, object]:
    path = _path(request)
    _sign_in(project, request)
    if path.startswith(QUERY):
        return 200, _query(project, request, path.removeprefix(QUERY))
    match = _NOTES.fullmatch(path)
    if match is None:
        raise Refusal(404, "Not found")
    _member(project, match[1])
    _spend_request(project)
    writes = request.method != "GET"
    if writes and (project.faults.read_only or "analyst" in project.faults.missing_scopes):
        raise Refusal(403, "User does not have permission to edit annotations in this project")
    return _note(project, request, match[2] or "", body)


def _query(project: MixpanelProject, request: Request, what: str) -> object:
    endpoint = _QUERIES.get(what)
    if endpoint is None or request.method != "GET":
        raise Refusal(404, "Not found")
    if "project_id" not in request.query_params:
        raise Refusal(400, "project_id is a required parameter")
    _member(project, request.query_params["project_id"])
    _spend_query(project)
    return endpoint(project, request.query_params)


def _note(project: MixpanelProject, request: Request, what: str, body: bytes) -> tuple[int, object]:
    params = request.query_params
    match request.method, what:
        case "GET", "":
            return 200, notes.listed(project, params)
        case "POST", "":
            return 201, notes.created(project, _object(body))
        case "GET", "tags":
            return 200, notes.tags(project)
        case "POST", "tags":
            return 200, notes.tag_created(project, _object(body))
        case "GET", number if number.isdecimal():
            return 200, notes.got(project, int(number))
        case "PATCH", number if number.isdecimal():
            return 200, notes.patched(project, int(number), _object(body))
        case "DELETE", number if number.isdecimal():
            return 200, notes.deleted(project, int(number))
    raise Refusal(405, "Method not allowed")


def _sign_in(project: MixpanelProject, request: Request) -> None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        given = b""
    own = f"{project.username}:{project.secret}".encode()
    good = scheme.lower() == "basic" and hmac.compare_digest(given, own)
    if project.faults.refuse_token or not good:
        raise Refusal(401, "Invalid service account credentials")


def _member(project: MixpanelProject, number: str) -> None:
    denied = str(project.project_id) in project.faults.deny
    if denied or number != str(project.project_id):
        raise Refusal(403, "User is not a member of this project")
    if "consumer" in project.faults.missing_scopes:
        raise Refusal(403, "User does not have permission to view this project")


def _spend_query(project: MixpanelProject) -> None:
    """Take one of the hour's queries. There is no Retry-After."""
    faults, budget = project.faults, project.queries
    limit = QUERIES_PER_HOUR * project.limit_factor
    if project.running > CONCURRENT:
        project.over_budget += 1
        _over(project, project.running, limit - budget.remaining, limit)
    if faults.rate_limit_next > 0:
        faults.rate_limit_next -= 1
        _over(project, 1, limit + 1, limit)
    if budget.take() > 0:
        project.over_budget += 1
        _over(project, max(1, project.running), limit + 1, limit)


def _over(project: MixpanelProject, running: int, in_the_hour: int, limit: int) -> None:
    raise Refusal(
        429,
        f"Query rate limit exceeded for project_id: {project.project_id}. "
        f"{running}/{CONCURRENT} queries running concurrently and "
        f"{in_the_hour}/{limit} queries running in the last hour.",
    )


def _spend_request(project: MixpanelProject) -> None:
    if project.faults.rate_limit_next > 0:
        project.faults.rate_limit_next -= 1
    elif project.requests.take() > 0:
        project.over_budget += 1
    else:
        return
    raise Refusal(429, "Too many requests")


def _object(body: bytes) -> dict[str, object]:
    try:
        parsed: object = json.loads(body)
    except ValueError:
        raise Refusal(400, "the body is no JSON") from None
    if not isinstance(parsed, dict):
        raise Refusal(400, "the body is no object")
    return cast("dict[str, object]", parsed)


def _refusal(request: Request, refusal: Refusal) -> Response:
    """The Query API names the request, the application API the status."""
    if _path(request).startswith(QUERY):
        asked = f"{_path(request)}?{request.url.query}"
        return json_response({"request": asked, "error": refusal.message}, refusal.status)
    return json_response({"status": "error", "error": refusal.message}, refusal.status)
