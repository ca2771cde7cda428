"""Enhanced search, counting, bulk fetch, changelogs, and Data Center's search by offset."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from opsync.sandbox.jira import jql
from opsync.sandbox.jira.call import Call, Refusal
from opsync.sandbox.jira.values import Issue

DEFAULT_PAGE = 50
FULL_PAGE = 100
"""Most issues a page with their fields."""
WIDE_PAGE = 50
"""The same when more than `MANY_FIELDS` fields are asked for."""
MANY_FIELDS = 30
ID_PAGE = 5_000
"""Most issues a page with ids and keys only."""
SERVER_PAGE = 1_000
"""Data Center's `jira.search.views.default.max`."""
MAX_RECONCILE = 50
TOKEN_LIFE = timedelta(days=7)
BULK_MAX_CHANGELOGS = 10_000

_LISTS = {"*all", "*navigable"}
# Fields with many values each: a bulk fetch that names one takes fewer issues.
_MULTI_VALUED = {"comment", "worklog", "attachment"}


def search(call: Call) -> Response:
    """POST /search/jql: pages by token, tied to the query and the fields."""
    body = call.json(
        "jql",
        "fields",
        "maxResults",
        "nextPageToken",
        "expand",
        "properties",
        "fieldsByKeys",
        "reconcileIssues",
    )
    text, fields = str(body.get("jql", "")), _names(body.get("fields"), default="id")
    fresh = body.get("reconcileIssues") or []
    if not isinstance(fresh, list) or len(fresh) > MAX_RECONCILE:
        raise Refusal(400, f"At most {MAX_RECONCILE} issues can be reconciled.")
    query = _query(call, text)
    if not query.bounded:
        raise Refusal(
            400,
            "Unbounded JQL queries are not allowed here. Please add a search restriction to your "
            "query.",
        )
    mark = hashlib.sha256(json.dumps([text, fields]).encode()).hexdigest()[:16]
    after = _after(call, body.get("nextPageToken"), mark)
    found = query.arrange(_matching(call, query, frozenset(map(int, fresh))))
    if after is not None:
        found = [pair for pair in found if query.compare(pair[0], after) > 0]
    size = _page_size(body.get("maxResults"), fields)
    page = found[:size]
    answer: dict[str, object] = {
        "issues": [call.render.issue(issue, fields) for _, issue in page],
        "isLast": len(found) <= size,
    }
    if len(found) > size:
        answer["nextPageToken"] = _token(call, mark, page[-1][0])
    return call.ok(answer)


def count(call: Call) -> Response:
    """POST /search/approximate-count."""
    query = _query(call, str(call.json("jql").get("jql", "")))
    if not query.bounded:
        raise Refusal(400, "Unbounded JQL queries are not allowed here.")
    return call.ok({"count": len(_matching(call, query, frozenset()))})


def search_by_offset(call: Call) -> Response:
    """GET and POST /rest/api/2/search of Data Center."""
    if call.site.cloud:
        raise Refusal(
            410,
            "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.",
        )
    body: dict[str, Any] = dict(call.query) if not call.body else call.json()
    if not call.body and "fields" in body:
        body["fields"] = str(body["fields"]).split(",")
    start = _whole(body.get("startAt", 0), "startAt")
    size = min(_whole(body.get("maxResults", DEFAULT_PAGE), "maxResults"), SERVER_PAGE)
    query = _query(call, str(body.get("jql", "")))
    found = query.arrange(_matching(call, query, frozenset()))
    fields = _names(body.get("fields"), default="*navigable")
    page = found[start : start + size]
    return call.ok(
        {
            "expand": "schema,names",
            "startAt": start,
            "maxResults": size,
            "total": len(found),
            "issues": [call.render.issue(issue, fields) for _, issue in page],
        }
    )


def bulk_fetch(call: Call) -> Response:
    """POST /issue/bulkfetch: ascending ids; missing and hidden issues are silently absent."""
    body = call.json("issueIdsOrKeys", "fields", "fieldsByKeys", "properties", "expand")
    wanted = body.get("issueIdsOrKeys")
    if not isinstance(wanted, list) or not wanted:
        raise Refusal(400, errors={"issueIdsOrKeys": "issueIdsOrKeys must not be empty."})
    if not isinstance(body.get("expand", []), list):
        raise Refusal(400, "Invalid request payload. Refer to the REST API documentation.")
    fields = _names(body.get("fields"), default="*navigable")
    wide = not _LISTS.isdisjoint(fields) or not _MULTI_VALUED.isdisjoint(fields)
    wide = wide or len(fields) > 100 or bool(body.get("expand"))
    limit = min(call.site.bulk_limit, 100) if wide else call.site.bulk_limit
    if len(wanted) > limit:
        raise Refusal(400, f"You can only fetch up to {limit} issues at once.")
    found = {issue.id: issue for name in wanted if (issue := call.site.visible_issue(str(name)))}
    return call.ok(
        {
            "issues": [call.render.issue(found[number], fields) for number in sorted(found)],
            "issueErrors": [],
        }
    )


def changelogs(call: Call) -> Response:
    """POST /changelog/bulkfetch: status changes by date; one issue's may span pages."""
    body = call.json("issueIdsOrKeys", "fieldIds", "maxResults", "nextPageToken")
    wanted = body.get("issueIdsOrKeys") or []
    if not 1 <= len(wanted) <= 1000:
        raise Refusal(400, "issueIdsOrKeys must name 1 to 1000 issues.")
    size = _whole(body.get("maxResults", 1000), "maxResults")
    if not 1 <= size <= BULK_MAX_CHANGELOGS:
        raise Refusal(400, f"maxResults must be from 1 to {BULK_MAX_CHANGELOGS}.")
    start = _whole(body.get("nextPageToken", 0), "nextPageToken")
    asked = "status" in (body.get("fieldIds") or ["status"])
    issues = {issue.id for name in wanted if (issue := call.site.visible_issue(str(name)))}
    rows = sorted(
        (change.at, number, change.id, change)
        for number in issues
        for change in (call.site.changes.get(number, ()) if asked else ())
    )
    logs: dict[int, list[object]] = {}
    for _, number, _, change in rows[start : start + size]:
        logs.setdefault(number, []).append(call.render.change(change))
    answer: dict[str, object] = {
        "issueChangeLogs": [
            {"issueId": str(number), "changeHistories": entries} for number, entries in logs.items()
        ]
    }
    if start + size < len(rows):
        answer["nextPageToken"] = str(start + size)
    return call.ok(answer)


def get_issue(call: Call) -> Response:
    """GET /issue/{idOrKey}."""
    fields = call.query.get("fields", "*all").split(",")
    return call.ok(call.render.issue(call.issue(), fields))


def _query(call: Call, text: str) -> jql.Query:
    site = call.site
    view = jql.Site(
        now=site.instant(),
        zone=ZoneInfo(site.time_zone),
        find_issue=site.visible_issue,
        find_project=site.find_project,
        find_status=site.find_status,
    )
    try:
        return jql.parse(text, view)
    except jql.JqlError as error:
        raise Refusal(400, str(error)) from error


def _matching(call: Call, query: jql.Query, fresh: frozenset[int]) -> list[Issue]:
    return [
        issue
        for issue in call.site.indexed(fresh)
        if call.site.searched(issue) and query.matches(issue)
    ]


def _names(fields: object, *, default: str) -> list[str]:
    if fields is None or fields == []:
        return [default]
    if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
        raise Refusal(400, "Invalid request payload. Refer to the REST API documentation.")
    return fields


def _page_size(asked: object, fields: list[str]) -> int:
    size = DEFAULT_PAGE if asked is None else _whole(asked, "maxResults")
    if {"id", "key"}.issuperset(fields):
        most = ID_PAGE
    else:
        wide = not _LISTS.isdisjoint(fields) or len(fields) > MANY_FIELDS
        most = WIDE_PAGE if wide else FULL_PAGE
    return max(1, min(size, most))


def _whole(value: object, name: str) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = -1
    if number < 0:
        raise Refusal(400, f"{name} must be a whole number, zero or more.")
    return number


def _token(call: Call, mark: str, position: jql.Position) -> str:
    issued = int(call.site.instant().timestamp())
    return base64.urlsafe_b64encode(json.dumps([mark, issued, position]).encode()).decode()


def _after(call: Call, token: object, mark: str) -> jql.Position | None:
    if token is None:
        return None
    try:
        expected, issued, position = json.loads(base64.urlsafe_b64decode(str(token)))
        age_s = call.site.instant().timestamp() - issued
    except (ValueError, TypeError) as error:
        raise Refusal(400, "The provided next page token is invalid.") from error
    if expected != mark or age_s > TOKEN_LIFE.total_seconds():
        raise Refusal(400, "The provided next page token is invalid or expired.")
    return list(position)
