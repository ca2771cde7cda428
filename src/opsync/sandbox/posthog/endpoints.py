"""What each address of the simulated PostHog API does. All run with the project's lock held."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from opsync.sandbox.posthog import answering, hogql
from opsync.sandbox.posthog.annotating import (
    add_annotation,
    annotation,
    change_annotation,
    delete_annotation,
    list_annotations,
)
from opsync.sandbox.posthog.call import Call, paged
from opsync.sandbox.posthog.problems import Problem, forbidden, invalid, unknown
from opsync.sandbox.posthog.shapes import (
    Answer,
    definition_shape,
    experiment_shape,
    flag_shape,
    insight_shape,
    iso,
    project_shape,
    query_status_shape,
    trend_of,
    uuid_of,
)

REFRESH = frozenset(
    {
        "blocking",
        "async",
        "lazy_async",
        "force_blocking",
        "force_async",
        "force_cache",
        "async_except_on_cache_miss",
    }
)


def key(call: Call) -> Answer:
    """The key itself: what it may do, and where."""
    project = call.project
    if not project.describes_keys:
        raise unknown()
    missing = project.faults.missing_scopes
    return {
        "id": "phx-sandbox-key",
        "label": "opsync",
        "mask_value": "phx_...dbox",
        "created_at": "2024-01-01T00:00:00Z",
        "last_used_at": iso(project.now()),
        "user_id": project.account.id,
        "scopes": [scope for scope in project.scopes if scope not in missing],
        "scoped_teams": [int(project.project_id)] if project.scoped else [],
        "scoped_organizations": [],
    }


def projects(call: Call) -> Answer:
    project = call.project
    if project.scoped:
        raise forbidden(
            "API keys with scoped projects are only supported on project-based endpoints."
        )
    all_ = {project.project_id: project.project_name, **project.other_projects}
    return paged(call, [project_shape(id_, name, project.history) for id_, name in all_.items()])


def one_project(call: Call) -> Answer:
    return project_shape(call.project.project_id, call.project.project_name, call.project.history)


def event_definitions(call: Call) -> Answer:
    project = call.project
    wanted = call.params.get("search", "").casefold()
    names = [name for name in project.event_names() if wanted in name.casefold()]
    return paged(call, [definition_shape(name, project.now()) for name in names])


def feature_flags(call: Call) -> Answer:
    wanted = call.params.get("search", "").casefold()
    found = [
        flag
        for flag in call.project.state.flags.values()
        if not flag.deleted and wanted in f"{flag.key} {flag.name}".casefold()
        if not call.project.denies(flag.id)
    ]
    found.sort(key=lambda flag: (flag.created_at, flag.id), reverse=True)
    return paged(call, [flag_shape(flag) for flag in found])


def experiments(call: Call) -> Answer:
    found = [one for one in call.project.state.experiments.values() if not one.archived]
    found = [one for one in found if not call.project.denies(one.id)]
    found.sort(key=lambda one: (one.created_at, one.id), reverse=True)
    return paged(call, [experiment_shape(one) for one in found])


def insights(call: Call) -> Answer:
    """Insights, with what they show unless only the basics are asked for."""
    project, params = call.project, call.params
    refresh = params.get("refresh", "force_cache")
    if refresh not in REFRESH:
        raise invalid(f'"{refresh}" is not a valid choice.', attr="refresh")
    found = [
        one
        for one in project.state.insights.values()
        if not one.deleted
        and not project.denies(one.id, one.short_id)
        and params.get("short_id", one.short_id) == one.short_id
    ]
    found.sort(key=lambda one: (one.created_at, one.id), reverse=True)
    override = json.loads(params.get("filters_override") or "{}")
    shapes = []
    for one in found:
        shape = insight_shape(one, project.history, result=None)
        if params.get("basic") != "true" and "refresh" in params:
            if one.refused:
                raise invalid(one.refused)
            if one.computing > 0:
                query_id = uuid_of(f"query/{one.id}")
                status = query_status_shape(query_id, complete=False, at=project.now())
                shape["query_status"] = status
            else:
                given = override if project.takes_overrides else {}
                trend = trend_of(one, project.history, given)
                result = trend if one.result is ... else one.result
                shape = insight_shape(one, project.history, result=result)
        shapes.append(shape)
    return paged(call, shapes)


def query_status(call: Call) -> Answer:
    """How far an insight that is computed in the background is."""
    for one in call.project.state.insights.values():
        if uuid_of(f"query/{one.id}") == call.ids[-1]:
            one.computing = max(0, one.computing - 1)
            done = one.computing == 0
            status = query_status_shape(call.ids[-1], complete=done, at=call.project.now())
            return {"query_status": status}
    raise unknown()


def query(call: Call) -> Answer:
    """Run a HogQL query over the event history."""
    project = call.project
    asked = call.body.get("query")
    if not isinstance(asked, dict):
        raise invalid("This field is required.", attr="query", code="required")
    if asked.get("kind") != "HogQLQuery" or not isinstance(asked.get("query"), str):
        raise invalid("Unsupported query kind.", attr="query")
    values = asked.get("values") or {}
    if not isinstance(values, dict):
        raise invalid("Input should be a valid dictionary", attr="query.values")
    if call.body.get("refresh", "blocking") not in ("blocking", "force_blocking"):
        raise invalid("Only blocking queries are simulated.", attr="refresh")
    table = answering.answer(hogql.parse(asked["query"], values), project.history)
    return {
        "cache_key": uuid_of("cache"),
        "clickhouse": "",
        "columns": list(table.columns),
        "error": None,
        "hasMore": table.more,
        "hogql": asked["query"],
        "is_cached": False,
        "last_refresh": iso(project.now()),
        "limit": table.limit,
        "next_allowed_client_refresh": iso(project.now()),
        "offset": 0,
        "query_status": None,
        "results": table.rows,
        "timezone": str(project.history.zone),
        "types": [],
    }


@dataclass(frozen=True, slots=True)
class Route:
    """One address. `reads` is False where the request changes something; `needs` is the scope
    without which it is refused; `lane` is the limit that it counts towards."""

    method: str
    pattern: re.Pattern[str]
    answer: Callable[[Call], Answer]
    needs: str = ""
    lane: str = "crud"
    reads: bool = True
    status: int = 200


def _route(
    method: str,
    path: str,
    answer: Callable[[Call], Answer],
    needs: str = "",
    *,
    lane: str = "crud",
    reads: bool = True,
    status: int = 200,
) -> Route:
    pattern = re.compile(path.replace("{id}", "([^/]+)"))
    return Route(method, pattern, answer, needs, lane, reads, status)


_IN = "/api/projects/{id}"
_WRITE = "annotation:write"

ROUTES = (
    _route("GET", "/api/personal_api_keys/@current/", key),
    _route("GET", "/api/projects/", projects, "project:read"),
    _route("GET", f"{_IN}/", one_project, "project:read"),
    _route("GET", f"{_IN}/event_definitions/", event_definitions, "event_definition:read"),
    _route("GET", f"{_IN}/feature_flags/", feature_flags, "feature_flag:read"),
    _route("GET", f"{_IN}/experiments/", experiments, "experiment:read"),
    _route("GET", f"{_IN}/insights/", insights, "insight:read", lane="analytics"),
    _route("POST", f"{_IN}/query/", query, "query:read", lane="query"),
    _route("GET", f"{_IN}/query/{{id}}/", query_status, "query:read", lane="analytics"),
    _route("GET", f"{_IN}/annotations/", list_annotations, "annotation:read"),
    _route("POST", f"{_IN}/annotations/", add_annotation, _WRITE, reads=False, status=201),
    _route("GET", f"{_IN}/annotations/{{id}}/", annotation, "annotation:read"),
    _route("PATCH", f"{_IN}/annotations/{{id}}/", change_annotation, _WRITE, reads=False),
    _route("DELETE", f"{_IN}/annotations/{{id}}/", delete_annotation, _WRITE, reads=False),
)


def not_found() -> Problem:
    """A 404 for an address that there is not, also for want of its last slash."""
    return Problem(404, "invalid_request", "not_found", "Endpoint not found.")
