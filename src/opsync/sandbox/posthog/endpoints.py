"""What each address of the simulated PostHog API does. All run with the project's lock held."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from opsync.sandbox.posthog import answering, hogql
from opsync.sandbox.posthog.problems import Problem, forbidden, invalid, not_allowed, unknown
from opsync.sandbox.posthog.shapes import (
    Answer,
    annotation_shape,
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
from opsync.sandbox.posthog.state import SCOPES, Annotation

if TYPE_CHECKING:
    from opsync.sandbox.posthog.project import PostHogProject

CONTENT_MAX = 8192
PAGE = 100
ANNOTATIONS_PAGE = 1000
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


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the gate. `url` is its address without the query."""

    project: PostHogProject
    ids: tuple[str, ...]
    params: dict[str, str]
    body: dict[str, object]
    url: str


def _paged(call: Call, shapes: Sequence[Answer], default: int = PAGE) -> Answer:
    """A page by `limit` and `offset`, with the addresses of its neighbours."""
    limit = _number(call.params.get("limit"), default) or default
    offset = _number(call.params.get("offset"), 0)

    def at(place: int) -> str:
        query = {**call.params, "limit": str(limit), "offset": str(place)}
        return f"{call.url}?{urlencode(query)}"

    return {
        "count": len(shapes),
        "next": at(offset + limit) if offset + limit < len(shapes) else None,
        "previous": at(max(0, offset - limit)) if offset else None,
        "results": list(shapes[offset : offset + limit]),
    }


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdecimal() else default


def key(call: Call) -> Answer:
    """The key itself: what it may do, and where."""
    project = call.project
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
    return _paged(call, [project_shape(id_, name, project.history) for id_, name in all_.items()])


def one_project(call: Call) -> Answer:
    return project_shape(call.project.project_id, call.project.project_name, call.project.history)


def event_definitions(call: Call) -> Answer:
    project = call.project
    wanted = call.params.get("search", "").casefold()
    names = [name for name in project.event_names() if wanted in name.casefold()]
    return _paged(call, [definition_shape(name, project.now()) for name in names])


def feature_flags(call: Call) -> Answer:
    wanted = call.params.get("search", "").casefold()
    found = [
        flag
        for flag in call.project.state.flags.values()
        if not flag.deleted and wanted in f"{flag.key} {flag.name}".casefold()
        if not call.project.denies(flag.id)
    ]
    found.sort(key=lambda flag: (flag.created_at, flag.id), reverse=True)
    return _paged(call, [flag_shape(flag) for flag in found])


def experiments(call: Call) -> Answer:
    found = [one for one in call.project.state.experiments.values() if not one.archived]
    found = [one for one in found if not call.project.denies(one.id)]
    found.sort(key=lambda one: (one.created_at, one.id), reverse=True)
    return _paged(call, [experiment_shape(one) for one in found])


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
    shapes = []
    for one in found:
        shape = insight_shape(one, project.history, result=None)
        if params.get("basic") != "true" and refresh != "force_cache":
            if one.computing > 0:
                query_id = uuid_of(f"query/{one.id}")
                status = query_status_shape(query_id, complete=False, at=project.now())
                shape["query_status"] = status
            else:
                result = trend_of(one, project.history) if one.result is ... else one.result
                shape = insight_shape(one, project.history, result=result)
        shapes.append(shape)
    return _paged(call, shapes)


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


# Annotations --------------------------------------------------------------------------------------


def list_annotations(call: Call) -> Answer:
    """Those that are not deleted, the latest day first."""
    terms = re.split(r"[\s,]+", call.params.get("search", "").replace("\x00", "").casefold())
    found = [
        one
        for one in call.project.state.annotations.values()
        if not one.deleted
        and not call.project.denies(one.id)
        and all(term in (one.content or "").casefold() for term in terms)
        and call.params.get("scope", one.scope) == one.scope
    ]
    never = datetime.min.replace(tzinfo=UTC)
    found.sort(key=lambda one: (one.date_marker or never, one.id), reverse=True)
    return _paged(call, [annotation_shape(one) for one in found], ANNOTATIONS_PAGE)


def annotation(call: Call) -> Answer:
    return annotation_shape(_annotation(call, deleted_too=False))


def add_annotation(call: Call) -> Answer:
    project = call.project
    now = project.now()
    made = Annotation(project.state.new_id("annotation"), None, None, now, now, project.account)
    _change(made, call.body)
    project.state.annotations[made.id] = made
    return annotation_shape(made)


def change_annotation(call: Call) -> Answer:
    found = _annotation(call, deleted_too=True)
    _change(found, call.body)
    found.updated_at = call.project.now()
    return annotation_shape(found)


def delete_annotation(call: Call) -> Answer:
    raise not_allowed("DELETE")


def _annotation(call: Call, *, deleted_too: bool) -> Annotation:
    raw = call.ids[-1]
    found = call.project.state.annotations.get(int(raw)) if raw.isdecimal() else None
    if found is None or call.project.denies(found.id) or (found.deleted and not deleted_too):
        raise unknown()
    return found


def _change(annotation: Annotation, body: dict[str, object]) -> None:
    """Set the fields that a request may set, all or none of them."""
    content, marker = body.get("content"), body.get("date_marker")
    if isinstance(content, str) and len(content) > CONTENT_MAX:
        detail = f"Ensure this field has no more than {CONTENT_MAX} characters."
        raise invalid(detail, attr="content", code="max_length")
    if not isinstance(content, str | None):
        raise invalid("Not a valid string.", attr="content", code="invalid")
    at = _moment(marker) if marker is not None else None
    scope = body.get("scope", annotation.scope)
    if scope not in SCOPES:
        raise invalid(f'"{scope}" is not a valid choice.', attr="scope", code="invalid_choice")
    created_by = body.get("creation_type", annotation.creation_type)
    if created_by not in ("USR", "GIT"):
        detail = f'"{created_by}" is not a valid choice.'
        raise invalid(detail, attr="creation_type", code="invalid_choice")
    deleted = body.get("deleted", annotation.deleted)
    if not isinstance(deleted, bool):
        raise invalid("Must be a valid boolean.", attr="deleted", code="invalid")
    if "content" in body:
        annotation.content = content
    if "date_marker" in body:
        annotation.date_marker = at
    annotation.scope = scope
    annotation.creation_type = "GIT" if created_by == "GIT" else "USR"
    annotation.deleted = deleted


def _moment(raw: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(raw))
    except ValueError:
        detail = "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm..."
        raise invalid(detail, attr="date_marker", code="invalid") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


# Routes -------------------------------------------------------------------------------------------


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
