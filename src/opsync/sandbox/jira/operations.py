"""The table of simulated operations: which path is answered by what, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from opsync.sandbox.jira import metadata, remotelinks, search, webhooks
from opsync.sandbox.jira.call import Call, Refusal

# Burst limits in requests a second, per endpoint and method.
# https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
_BURST = {"GET": 100, "POST": 100, "PUT": 50, "DELETE": 50}

READ_WORK, READ_USER, WRITE_WORK = "read:jira-work", "read:jira-user", "write:jira-work"
"""Scopes, as the operations document them (`x-atlassian-oauth2-scopes`)."""

ADMIN = "a"
"""Stands for a version where the path is below `/rest/webhooks/1.0/`."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one endpoint.

    `versions` are those of the REST API that have it; `anonymous` ones answer a dead token with
    nothing instead of 401; `burst` is in requests a second; `scope` is what a token with scopes
    needs for it ("": nothing).
    """

    method: str
    path: re.Pattern[str]
    answer: Callable[[Call], Response]
    reads: bool
    versions: str
    anonymous: bool
    burst: int
    scope: str

    @property
    def lane(self) -> str:
        return f"{self.method} {self.path.pattern}"


def _operation(
    methods: str,
    path: str,
    answer: Callable[[Call], Response],
    *,
    writes: bool = False,
    versions: str = "23",
    anonymous: bool = False,
    burst: int | None = None,
    scope: str | None = None,
) -> list[Operation]:
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
    if scope is None:
        scope = WRITE_WORK if writes else READ_WORK
    return [
        Operation(m, pattern, answer, not writes, versions, anonymous, burst or _BURST[m], scope)
        for m in methods.split()
    ]


def _removed(call: Call) -> Response:
    raise Refusal(
        410,
        "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.",
    )


_LINKS = "issue/{issue}/remotelink"

OPERATIONS: tuple[Operation, ...] = (
    *_operation("GET", "myself", metadata.myself, scope=READ_USER),
    *_operation("GET", "serverInfo", metadata.server_info, scope=""),
    *_operation("GET", "field", metadata.fields),
    *_operation("GET", "status", metadata.statuses),
    *_operation("GET", "resolution", metadata.resolutions),
    *_operation("GET", "priority", metadata.priorities),
    *_operation("GET", "issueLinkType", metadata.link_types),
    *_operation("GET", "mypermissions", metadata.permissions),
    *_operation("GET", "project", metadata.projects),
    *_operation("GET", "project/search", metadata.find_projects, versions="3"),
    *_operation("GET", "project/{project}/statuses", metadata.project_statuses),
    *_operation("GET", "issuetype", metadata.issue_types),
    *_operation("POST", "search/jql", search.search, versions="3", anonymous=True),
    *_operation(
        "POST", "search/approximate-count", search.count, versions="3", anonymous=True, burst=150
    ),
    *_operation("GET POST", "search", search.search_by_offset, versions="2"),
    *_operation("GET POST", "search", _removed, versions="3"),
    *_operation("POST", "issue/bulkfetch", search.bulk_fetch, versions="3"),
    *_operation("POST", "changelog/bulkfetch", search.changelogs, versions="3"),
    *_operation("GET", "issue/{issue}", search.get_issue, burst=150),
    *_operation("GET", _LINKS, remotelinks.listing),
    *_operation("POST", _LINKS, remotelinks.upsert, writes=True),
    *_operation("DELETE", _LINKS, remotelinks.remove_by_global_id, writes=True),
    *_operation("GET", _LINKS + "/{link}", remotelinks.one),
    *_operation("PUT", _LINKS + "/{link}", remotelinks.replace, writes=True),
    *_operation("DELETE", _LINKS + "/{link}", remotelinks.remove, writes=True),
    *_operation("GET", "webhook", webhooks.listing, versions=ADMIN, scope=""),
    *_operation("POST", "webhook", webhooks.create, writes=True, versions=ADMIN, scope=""),
    *_operation("GET", "webhook/{hook}", webhooks.one, versions=ADMIN, scope=""),
    *_operation("PUT", "webhook/{hook}", webhooks.change, writes=True, versions=ADMIN, scope=""),
    *_operation("DELETE", "webhook/{hook}", webhooks.remove, writes=True, versions=ADMIN, scope=""),
    *_operation("GET", "webhook", webhooks.dynamic, versions="3", scope=""),
    *_operation("POST DELETE", "webhook", webhooks.dynamic, writes=True, versions="3", scope=""),
    *_operation("PUT", "webhook/refresh", webhooks.dynamic, writes=True, versions="3", scope=""),
)


def find(method: str, version: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation for a path below `/rest/api/N/`, with the path's parts."""
    for operation in OPERATIONS:
        if operation.method == method and version in operation.versions:
            match = operation.path.fullmatch(path)
            if match is not None:
                return operation, match.groupdict()
    return None
