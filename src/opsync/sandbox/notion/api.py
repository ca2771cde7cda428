"""The gate of the simulated Notion API: faults, sign-in, version, budget, then the endpoint.

Errors: https://developers.notion.com/reference/status-codes
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from opsync.sandbox.gate import app_of, let_through, route_of
from opsync.sandbox.notion.call import Answer, Call
from opsync.sandbox.notion.endpoints import ROUTES, Route
from opsync.sandbox.notion.problems import Problem, an_object
from opsync.sandbox.notion.shapes import VERSIONS
from opsync.sandbox.vendor import json_response

if TYPE_CHECKING:
    from opsync.sandbox.notion.workspace import NotionWorkspace

MAX_BODY = 500 * 1024
"""Bytes of one request."""


def build_app(workspace: NotionWorkspace) -> Starlette:
    """The HTTP surface of `workspace`."""

    async def handle(request: Request) -> Response:
        body = await request.body()
        with workspace.lock:
            return _handle(workspace, request, body)

    return app_of(handle)


def _handle(workspace: NotionWorkspace, request: Request, body: bytes) -> Response:
    route, ids = route_of(ROUTES, request)
    request_id = workspace.state.new_id("request")

    def answer() -> Response:
        try:
            return _json(_answer(workspace, request, body, route, ids), 200, request_id)
        except Problem as problem:
            return _refusal(problem, request_id)

    def lost() -> Response:
        return _refusal(Problem("bad_gateway", "Bad gateway."), request_id)

    reads = route.reads if route else request.method == "GET"
    return let_through(workspace, request, body, answer, lost, reads=reads)


def _answer(
    workspace: NotionWorkspace,
    request: Request,
    body: bytes,
    route: Route | None,
    ids: tuple[str, ...],
) -> Answer:
    faults = workspace.faults
    if route is None:
        raise Problem("invalid_request_url", "Invalid request URL.")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if faults.refuse_token or scheme.lower() != "bearer" or token != workspace.token:
        raise Problem("unauthorized", "API token is invalid.")
    version = request.headers.get("notion-version", "")
    if version not in VERSIONS:
        raise Problem(
            "missing_version",
            "Notion-Version header failed validation: Notion-Version header should be "
            + " or ".join(f"`{known}`" for known in VERSIONS)
            + f", instead was `{version or 'undefined'}`.",
        )
    _spend(workspace)
    if route.needs in faults.missing_scopes or (not route.reads and faults.read_only):
        raise Problem("restricted_resource", "Insufficient permissions for this endpoint.")
    payload = _payload(body)
    call = Call(workspace, version, ids, tuple(request.query_params.multi_items()), payload)
    answer = route.answer(call)
    if faults.missing_scopes:
        _withhold(answer, faults.missing_scopes)
    return answer


def _withhold(node: object, missing: Collection[str]) -> None:
    """Take out of an answer what the capabilities do not show of people.

    https://developers.notion.com/reference/capabilities
    """
    if isinstance(node, list):
        for each in node:
            _withhold(each, missing)
    elif isinstance(node, dict):
        if node.get("object") == "user" and node.get("type") == "person":
            if "user information" in missing:
                for key in node.keys() - {"object", "id"}:
                    del node[key]
            elif "email addresses" in missing:
                node["person"] = {}
        for each in node.values():
            _withhold(each, missing)


def _spend(workspace: NotionWorkspace) -> None:
    """Take one request from the budget. Raises Problem with `retry_after` when it is spent."""
    if workspace.faults.rate_limit_next > 0:
        workspace.faults.rate_limit_next -= 1
        wait_s = 1.0
    else:
        wait_s = workspace.budget.take()
        workspace.over_budget += wait_s > 0
    if wait_s > 0:
        raise RateLimit(math.ceil(wait_s))


class RateLimit(Problem):
    """A 429 with the seconds to wait."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "rate_limited",
            "You have been rate limited. Please try again in a few minutes.",
            rate_limit_reason="integration_rate_limit",
        )
        self.retry_after_s = retry_after_s


def _payload(body: bytes) -> dict[str, object]:
    if not body:
        return {}
    if len(body) > MAX_BODY:
        raise Problem("validation_error", f"body failed validation: size should be ≤ {MAX_BODY}.")
    try:
        parsed: object = json.loads(body)
    except ValueError:
        raise Problem("invalid_json", "Error parsing JSON body.") from None
    return an_object(parsed, "")


def _json(payload: Answer, status: int, request_id: str, **headers: str) -> Response:
    return json_response(
        payload | {"request_id": request_id}, status, x_notion_request_id=request_id, **headers
    )


def _refusal(problem: Problem, request_id: str) -> Response:
    payload: Answer = {
        "object": "error",
        "status": problem.status,
        "code": problem.code,
        "message": problem.message,
    }
    if problem.additional:
        payload["additional_data"] = problem.additional
    if isinstance(problem, RateLimit):
        return _json(payload, problem.status, request_id, Retry_After=str(problem.retry_after_s))
    return _json(payload, problem.status, request_id)
