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
from starlette.routing import Route as AppRoute

from opsync.sandbox.amplitude import management, notes, segmentation
from opsync.sandbox.amplitude.budget import CONCURRENT
from opsync.sandbox.amplitude.call import Answer, Call
from opsync.sandbox.amplitude.problems import Problem
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

    return Starlette(
        routes=[AppRoute("/{path:path}", handle, methods=["GET", "POST", "PUT", "DELETE"])]
    )


def _handle(project: AmplitudeProject, request: Request, body: bytes, at_once: int) -> Response:
    route, ids = _match(request.method, str(request.scope["path"]))
    reads = request.method == "GET"
    fault = project.common_fault()
    if fault is not None:
        project.log(request, body, fault, reads=reads, faulted=True)
        return fault
    try:
        answer = _answer(project, request, body, route, ids, at_once)
        whole = _whole(project, route, answer)
    except Problem as problem:
        whole = json_response(problem.body(), problem.status)
    response = _broken(project, whole, reads=reads)
    odd = project.broken_json and route is not None and route.answer is segmentation.segmentation
    project.log(request, body, response, reads=reads, faulted=odd or response is not whole)
    return response


def _match(method: str, path: str) -> tuple[Route | None, tuple[str, ...]]:
    for route in ROUTES:
        found = route.pattern.fullmatch(path)
        if found and route.method == method:
            return route, found.groups()
    return None, ()


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


def _broken(project: AmplitudeProject, response: Response, *, reads: bool) -> Response:
    """The answer as it arrives when answers get lost or cut on the way."""
    faults = project.faults
    done = response.status_code < 300
    if done and not reads and faults.lose_next_writes > 0:
        faults.lose_next_writes -= 1
        return json_response(Problem(502, "Bad gateway").body(), 502)
    if done and faults.cut_next > 0:
        faults.cut_next -= 1
        whole = cast("bytes", response.body)
        return Response(whole[: len(whole) // 2], 200, media_type="application/json")
    return response
