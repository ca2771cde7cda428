"""The gate of the simulated PostHog API: faults, key, scopes, limits, then the endpoint."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from opsync.sandbox.gate import app_of, let_through, route_of
from opsync.sandbox.posthog.call import Call
from opsync.sandbox.posthog.endpoints import ROUTES, Route, not_found
from opsync.sandbox.posthog.problems import (
    Problem,
    forbidden,
    invalid,
    missing_scope,
    throttled,
    too_many_at_once,
    unauthenticated,
)
from opsync.sandbox.vendor import json_response

if TYPE_CHECKING:
    from opsync.sandbox.posthog.project import PostHogProject


def build_app(project: PostHogProject) -> Starlette:
    """The HTTP surface of `project`."""

    async def handle(request: Request) -> Response:
        body = await request.body()
        with project.lock:
            return _handle(project, request, body)

    return app_of(handle)


def _handle(project: PostHogProject, request: Request, body: bytes) -> Response:
    route, ids = route_of(ROUTES, request)

    def answer() -> Response:
        try:
            return _answer(project, request, body, route, ids)
        except Problem as problem:
            return _refusal(problem)

    def lost() -> Response:
        return _refusal(Problem(502, "server_error", "error", "A server error occurred."))

    reads = route.reads if route else request.method == "GET"
    return let_through(project, request, body, answer, lost, reads=reads)


def _answer(
    project: PostHogProject,
    request: Request,
    body: bytes,
    route: Route | None,
    ids: tuple[str, ...],
) -> Response:
    if route is None:
        raise not_found()
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        detail = "Authentication credentials were not provided."
        raise unauthenticated(detail, "not_authenticated")
    if project.faults.refuse_token or token != project.token:
        raise unauthenticated("Personal API key found in request Authorization header is invalid.")
    _check_project(project, ids)
    read_only = project.faults.read_only and not route.reads
    if route.needs and (read_only or not project.may(route.needs)):
        raise missing_scope(route.needs)
    _spend(project, route.lane)
    call = Call(
        project, ids, dict(request.query_params), _payload(body), _address(project, request)
    )
    return json_response(route.answer(call), route.status)


def _check_project(project: PostHogProject, ids: tuple[str, ...]) -> None:
    """Whether the key may see the project that the address names."""
    if not ids or (ids[0] == "@current" and not project.denies(project.project_id)):
        return
    known = {project.project_id, *project.other_projects}
    if ids[0] not in known:
        raise Problem(404, "invalid_request", "not_found", "Project not found.")
    if ids[0] != project.project_id or project.denies(project.project_id):
        raise forbidden(f"API key does not have access to the requested project: ID {ids[0]}.")


def _address(project: PostHogProject, request: Request) -> str:
    """The request's own address, as the pages of a list name each other."""
    base = project.base_url or f"{request.url.scheme}://{request.url.netloc}"
    return base + str(request.scope["path"])


def _spend(project: PostHogProject, lane: str) -> None:
    """Take one request from the lane's limits. Raises Problem where one is spent."""
    if project.faults.rate_limit_next > 0:
        project.faults.rate_limit_next -= 1
        raise throttled(1)
    if lane == "query" and project.busy_next > 0:
        project.busy_next -= 1
        raise too_many_at_once()
    for budget in project.budgets[lane]:
        wait_s = budget.take()
        if wait_s > 0:
            project.over_budget += 1
            raise throttled(math.ceil(wait_s))


def _payload(body: bytes) -> dict[str, object]:
    if not body:
        return {}
    try:
        parsed = json.loads(body)
    except ValueError as error:
        raise Problem(
            400, "invalid_request", "parse_error", f"JSON parse error - {error}"
        ) from None
    if not isinstance(parsed, dict):
        raise invalid("Invalid data. Expected a dictionary.", code="invalid")
    return parsed


def _refusal(problem: Problem) -> Response:
    payload = {
        "type": problem.type,
        "code": problem.code,
        "detail": problem.detail,
        "attr": problem.attr,
    }
    if problem.retry_after_s is None:
        return json_response(payload, problem.status)
    return json_response(payload, problem.status, Retry_After=str(problem.retry_after_s))
