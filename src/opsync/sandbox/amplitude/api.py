"""The gate of the simulated Amplitude API: faults, sign-in, budgets, then the endpoint."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from opsync.sandbox.amplitude import management, notes, segmentation
from opsync.sandbox.amplitude.budget import CONCURRENT
from opsync.sandbox.amplitude.call import Answer, Call
from opsync.sandbox.amplitude.problems import Problem
from opsync.sandbox.gate import app_of, let_through, route_of
from opsync.sandbox.vendor import json_response

if TYPE_CHECKING:
    from opsync.sandbox.amplitude.project import AmplitudeProject


@dataclass(frozen=True, slots=True)
class Route:
    """An operation. `managed` ones want the management key and cost nothing."""

    method: str
    pattern: re.Pattern[str]
    answer: Callable[[Call], Answer]
    cost: float = 1.0

    @property
    def reads(self) -> bool:
        return self.method == "GET"

    @property
    def managed(self) -> bool:
        return self.pattern.pattern.startswith("/api/1/")


def _route(method: str, path: str, answer: Callable[[Call], Answer], cost: float = 1.0) -> Route:
    return Route(method, re.compile(path), answer, cost)


_NOTE = r"/api/3/annotations/([0-9]+)"
_CATEGORIES = "/api/3/annotation-categories"
ROUTES = (
    _route("GET", "/api/2/events/segmentation", segmentation.segmentation),
    _route("GET", "/api/2/events/list", segmentation.events_list),
    _route("GET", "/api/3/chart/([^/]+)/csv", segmentation.chart_csv, segmentation.CHART_COST),
    _route("GET", "/api/3/annotations", notes.list_annotations),
    _route("POST", "/api/3/annotations", notes.create_annotation),
    _route("GET", _NOTE, notes.get_annotation),
    _route("PUT", _NOTE, notes.update_annotation),
    _route("DELETE", _NOTE, notes.delete_annotation),
    _route("GET", _CATEGORIES, notes.list_categories),
    _route("POST", _CATEGORIES, notes.create_category),
    _route("GET", "/api/1/flags", management.flags),
    _route("GET", "/api/1/experiments", management.experiments),
)


def build_app(project: AmplitudeProject) -> Starlette:
    """The HTTP surface of `project`."""

    async def handle(request: Request) -> Response:
        project.under_way += 1
        project.most_at_once = max(project.most_at_once, project.under_way)
        at_once = project.under_way
        try:
            body = await request.body()
            await asyncio.sleep(0)
            with project.lock:
                return _handle(project, request, body, at_once)
        finally:
            project.under_way -= 1

    return app_of(handle)


def _handle(project: AmplitudeProject, request: Request, body: bytes, at_once: int) -> Response:
    route, ids = route_of(ROUTES, request)

    def answer() -> Response:
        try:
            return _whole(project, route, _answer(project, request, body, route, ids, at_once))
        except Problem as problem:
            return json_response(problem.body(), problem.status)

    def lost() -> Response:
        return json_response(Problem(502, "Bad gateway").body(), 502)

    reads = request.method == "GET"
    odd = project.broken_json and route is not None and route.answer is segmentation.segmentation
    return let_through(project, request, body, answer, lost, reads=reads, odd=odd)


def _answer(
    project: AmplitudeProject,
    request: Request,
    body: bytes,
    route: Route | None,
    ids: tuple[str, ...],
    at_once: int,
) -> Answer:
    if route is None:
        raise Problem(404, "Not found")
    _sign_in(project, request, route)
    params = dict(request.query_params)
    if at_once > CONCURRENT * project.limit_factor:
        project.over_budget += 1
        raise Problem(429, f"Exceeded concurrent limit: at most {CONCURRENT} requests at once")
    if not route.managed:
        _spend(project, route, params)
    if not route.reads and (
        project.faults.read_only or "annotations" in project.faults.missing_scopes
    ):
        raise Problem(403, "This API key may not write annotations")
    return route.answer(Call(project, ids, params, _payload(body)))


def _sign_in(project: AmplitudeProject, request: Request, route: Route) -> None:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if route.managed:
        known = scheme.lower() == "bearer" and credential == project.management_key
        if not known or "management" in project.faults.missing_scopes:
            raise Problem(401, "Invalid management API key")
        return
    try:
        pair = b64decode(credential, validate=True).decode()
    except (BadBase64, UnicodeDecodeError):
        pair = ""
    expected = f"{project.api_key}:{project.secret_key}"
    if project.faults.refuse_token or scheme.lower() != "basic" or pair != expected:
        raise Problem(401, "Invalid API key or secret key")


def _spend(project: AmplitudeProject, route: Route, params: dict[str, str]) -> None:
    """Take the cost of a request from both budgets. Raises Problem when one is spent."""
    if project.faults.rate_limit_next > 0:
        project.faults.rate_limit_next -= 1
        raise Problem(429, "Exceeded rate limit: cost per hour")
    cost = route.cost
    if route.answer is segmentation.segmentation:
        cost = segmentation.asked(params).cost
    for budget, what in zip(project.budgets, ("in five minutes", "per hour"), strict=True):
        if not budget.take(cost):
            project.over_budget += 1
            raise Problem(429, f"Exceeded rate limit: cost {what} is over {budget.limit}")


def _payload(body: bytes) -> dict[str, object]:
    if not body:
        return {}
    try:
        parsed: object = json.loads(body)
    except ValueError:
        raise Problem(400, "Invalid JSON") from None
    if not isinstance(parsed, dict):
        raise Problem(400, "Invalid request")
    return cast("dict[str, object]", parsed)


def _whole(project: AmplitudeProject, route: Route | None, answer: Answer) -> Response:
    if route is not None and route.answer is segmentation.segmentation:
        if project.untidy:
            segmentation.untidy(cast("dict[str, object]", answer["data"]))
        if project.broken_json:
            return Response(segmentation.broken(answer), media_type="application/json")
    return json_response(answer)
