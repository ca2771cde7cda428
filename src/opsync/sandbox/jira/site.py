"""A simulated Jira site over HTTP: sign-in, limits and faults around its operations."""

from __future__ import annotations

import base64
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil
from typing import Literal
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from opsync.sandbox.jira import operations, pokes, webhooks
from opsync.sandbox.jira.call import Call, Refusal
from opsync.sandbox.jira.operations import READ_USER, READ_WORK, WRITE_WORK, Operation
from opsync.sandbox.jira.render import Renderer
from opsync.sandbox.jira.state import JiraState
from opsync.sandbox.jira.values import Issue, IssueLink, Project
from opsync.sandbox.vendor import Budget, json_response, utc_now

_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]
_API = re.compile(
    r"(?P<gateway>/ex/jira/(?P<cloud>[^/]+))?"
    r"/rest/(?:api/(?P<version>2|3)|(?P<admin>webhooks/1\.0))/(?P<rest>.*)"
)

WRITES_PER_ISSUE = 20
"""Jira's limit of writes to one issue within `WRITE_WINDOW_S` seconds."""
WRITE_WINDOW_S = 2.0
REMOTE_LINK_LIMIT = 2_000
NEAR_LIMIT = 0.2
"""Below this share of the budget Jira warns in a header."""

Answer = tuple[Response, bool]


class JiraSite(JiraState):
    """Jira Cloud (REST v3, site or gateway address) or Data Center (v2) with its ground truth.

    Cloud takes Basic `email:token`, Data Center Bearer `token`. `limit_factor` multiplies every
    announced limit. `time_zone` is the caller's: timestamps and quoted JQL dates are in it.
    """

    name = "jira"
    scopes = (READ_WORK, READ_USER, WRITE_WORK, "BROWSE_PROJECTS", "LINK_ISSUES", "ADMINISTER")
    """Scopes of a token, then permissions of its account."""

    def __init__(
        self,
        *,
        base_url: str = "https://harbor.atlassian.net",
        now: Callable[[], datetime] = utc_now,
        limit_factor: int = 1,
        email: str = "ana@harbor.example",
        token: str = "sandbox-jira-token",  # noqa: S107 - opens nothing but the sandbox
        deployment: Literal["Cloud", "Server"] = "Cloud",
        cloud_id: str = "5e1f0c6a-0000-4000-8000-00000000ba12",
        time_zone: str = "Europe/Berlin",
        bulk_limit: int = 1_000,
        remote_link_limit: int = REMOTE_LINK_LIMIT,
    ) -> None:
        super().__init__(now=now, limit_factor=limit_factor)
        self.base_url = base_url.rstrip("/")
        self.deployment = deployment
        self.cloud_id = cloud_id
        self.time_zone = time_zone
        self.bulk_limit = bulk_limit
        self.remote_link_limit = remote_link_limit
        self.caller = self.add_user("Ana Reyes", email)
        self.hooks = webhooks.hooks_of(self)
        self._token = token
        self._budgets: dict[str, Budget] = {}
        self._issue_budgets: dict[int, Budget] = defaultdict(self._issue_budget)
        self._requests = 0
        self._app = Starlette(routes=[Route("/{path:path}", self._handle, methods=_METHODS)])

    @property
    def app(self) -> Starlette:
        return self._app

    @property
    def cloud(self) -> bool:
        return self.deployment == "Cloud"

    def visible(self, issue: Issue) -> bool:
        hidden = {str(issue.id), issue.key, issue.project_key}
        trashed = self.projects[issue.project_key].state == "deleted"
        return hidden.isdisjoint(self.faults.deny) and self._browses and not trashed

    def searched(self, issue: Issue) -> bool:
        """Whether a search shows it: what is archived can be read by id only."""
        live = self.projects[issue.project_key].state == "live"
        return live and issue.id not in self.archived and self.visible(issue)

    def visible_projects(self) -> list[Project]:
        """The projects that the caller may browse."""
        if not self._browses:
            return []
        denied = self.faults.deny
        return [p for p in self.projects.values() if {p.key, str(p.id)}.isdisjoint(denied)]

    @property
    def _browses(self) -> bool:
        return "BROWSE_PROJECTS" not in self.faults.missing_scopes

    def visible_issue(self, id_or_key: str) -> Issue | None:
        issue = self.get(id_or_key)
        return issue if issue is not None and self.visible(issue) else None

    def find_project(self, name: str) -> str | None:
        for project in self.visible_projects():
            names = {project.key.lower(), str(project.id), project.name.lower()}
            if name.lower() in names:
                return project.key
        return None

    def find_status(self, name: str) -> int | None:
        for status in self.statuses.values():
            if name in {status.name, str(status.id)} or name.lower() == status.name.lower():
                return status.id
        return None

    def counts(self) -> dict[str, int]:
        links = sum(map(len, self.remote_links.values()))
        return {
            "projects": len(self.projects),
            "issues": len(self.issues),
            "remote_links": links,
        }

    def find(self, item: str) -> str | None:
        with self.lock:
            return pokes.find(self, item)

    def poke_move(self, item: str, to: str) -> str:
        with self.lock:
            return pokes.move(self, item, to)

    def poke_edit(self, item: str, field: str, value: object) -> str:
        with self.lock:
            return pokes.edit(self, item, field, value)

    def tell(self, event: str, issue: Issue) -> None:
        webhooks.tell(self, event, issue)

    def tell_link(self, event: str, link: IssueLink) -> None:
        ends = self.issues[link.outward_id], self.issues[link.inward_id]
        webhooks.tell_link(self, event, link.id, *ends)

    def tell_project(self, event: str, key: str) -> None:
        webhooks.tell_project(self, event, key)

    async def _handle(self, request: Request) -> Response:
        body = await request.body()
        with self.lock:
            response, reads = self._answer(request, body)
            # Jira answers errors of its own as JSON, or with nothing.
            faulted = response.media_type != "application/json" and bool(response.body)
            self._requests += 1
            response.headers["X-AREQUESTID"] = f"sandbox-{self._requests}"
            if self.faults.cut_next and response.status_code < 500:
                self.faults.cut_next -= 1
                response, faulted = _cut(response), True
            self.log(request, body, response, reads=reads, faulted=faulted)
            return response

    def _answer(self, request: Request, body: bytes) -> Answer:
        path = str(request.scope["path"])
        fault = self.common_fault()
        if path == "/_edge/tenant_info" and self.cloud:
            return fault or json_response({"cloudId": self.cloud_id}), True
        match = _API.fullmatch(path)
        version = (match["version"] or operations.ADMIN) if match else ""
        found = match and operations.find(request.method, version, match["rest"])
        reads = found[0].reads if found else request.method == "GET"
        if fault is not None:
            return fault, reads
        if match is None or found is None or not self._serves(match):
            return Refusal(404, "null for uri: " + path).response(), reads
        operation, parts = found
        denied = self._sign_in(request, operation)
        denied = denied or self._out_of_scope(operation, gateway=match["gateway"] is not None)
        if denied is not None:
            return denied, reads
        render = self._renderer(match["gateway"] or "", match["version"] or "3")
        given = request.query_params
        repeated = {name: given.getlist(name) for name in given}
        call = Call(self, render, parts, dict(given), body, repeated)
        try:
            lane = self._take(operation, call)
            response = self._carry_out(operation, call)
        except Refusal as refusal:
            return refusal.response(), reads
        response.headers.update(lane)
        return response, reads

    def _serves(self, match: re.Match[str]) -> bool:
        if match["cloud"] is not None and match["cloud"] != self.cloud_id:
            return False
        if match["admin"]:
            return self.cloud and match["gateway"] is None
        return self.cloud or (match["version"] == "2" and match["gateway"] is None)

    def _renderer(self, gateway: str, version: str) -> Renderer:
        # Behind the gateway, links to the API lead through the gateway's own host.
        host = "https://api.atlassian.com" if gateway else self.base_url
        return Renderer(
            state=self,
            root=f"{host}{gateway}/rest/api/{version}",
            zone=ZoneInfo(self.time_zone),
            cloud=self.cloud,
            wiki=version == "2",
            visible=self.visible,
        )

    def _sign_in(self, request: Request, operation: Operation) -> Response | None:
        """None when signed in, else what a missing or dead credential is answered.

        Enhanced search can be used anonymously: a dead token sees 200 and no issues, and only a
        header tells (https://github.com/MrRefactoring/jira.js/issues/418).
        """
        given = request.headers.get("authorization", "")
        pair = f"{self.caller.email}:{self._token}".encode()
        wanted = (
            "Basic " + base64.b64encode(pair).decode() if self.cloud else f"Bearer {self._token}"
        )
        if given == wanted and not self.faults.refuse_token:
            return None
        headers = {"x-seraph-loginreason": "AUTHENTICATED_FAILED"} if given else {}
        if operation.anonymous and self.cloud:
            counted = operation.path.pattern.endswith("count")
            nothing: dict[str, object] = {"count": 0} if counted else {"issues": [], "isLast": True}
            return JSONResponse(nothing, headers=headers)
        message = "Client must be authenticated to access this resource."
        return Refusal(401, message, headers=headers).response()

    def _out_of_scope(self, operation: Operation, *, gateway: bool) -> Response | None:
        """What a token with scopes is answered without the right one; None where it has it.

        The gateway speaks for itself, not in Jira's form. At the site's own address a token with
        scopes is no token at all.
        """
        missing = self.faults.missing_scopes.intersection((READ_WORK, READ_USER, WRITE_WORK))
        if not missing or not self.cloud:
            return None
        if not gateway:
            message = "Client must be authenticated to access this resource."
            headers = {"x-seraph-loginreason": "AUTHENTICATED_FAILED"}
            return Refusal(401, message, headers=headers).response()
        if operation.scope not in missing:
            return None
        return JSONResponse(
            {"code": 401, "message": "Unauthorized; scope does not match"},
            status_code=401,
            headers={"X-Failure-Category": "FAILURE_CLIENT_SCOPE_CHECK"},
        )

    def _carry_out(self, operation: Operation, call: Call) -> Response:
        if operation.reads:
            return operation.answer(call)
        lost = operation.scope == WRITE_WORK and "LINK_ISSUES" in self.faults.missing_scopes
        if self.faults.read_only or lost:
            raise Refusal(403, "You do not have permission to link issues.")
        response = operation.answer(call)
        if self.faults.lose_next_writes:
            self.faults.lose_next_writes -= 1
            return PlainTextResponse("upstream connect error or disconnect", status_code=502)
        return response

    def _take(self, operation: Operation, call: Call) -> dict[str, str]:
        """Take from the burst budget, and from the issue's when writing. Returns its headers."""
        budget = self._budgets.get(operation.lane)
        if budget is None:
            budget = Budget(operation.burst * self.limit_factor, 1.0, self.now)
            self._budgets[operation.lane] = budget
        if self.faults.rate_limit_next:
            self.faults.rate_limit_next -= 1
            raise self._refuse_rate(budget, 1.0, "jira-burst-based")
        if (wait_s := budget.take()) > 0:
            self.over_budget += 1
            raise self._refuse_rate(budget, wait_s, "jira-burst-based")
        issue = None if operation.reads else self.get(call.parts.get("issue", ""))
        if issue is not None:
            own = self._issue_budgets[issue.id]
            if (wait_s := own.take()) > 0:
                self.over_budget += 1
                raise self._refuse_rate(own, wait_s, "jira-per-issue-on-write")
        return self._budget_headers(budget)

    def _issue_budget(self) -> Budget:
        return Budget(WRITES_PER_ISSUE * self.limit_factor, WRITE_WINDOW_S, self.now)

    def _budget_headers(self, budget: Budget) -> dict[str, str]:
        headers = {
            "X-RateLimit-Limit": str(budget.per_window),
            "X-RateLimit-Remaining": str(budget.remaining),
        }
        if not self.cloud:
            interval = {"X-RateLimit-FillRate": str(budget.per_window)}
            return headers | interval | {"X-RateLimit-Interval-Seconds": "1"}
        headers["RateLimit-Policy"] = f'"jira-burst-based";q={budget.per_window};w=1'
        if budget.remaining < budget.per_window * NEAR_LIMIT:
            headers["X-RateLimit-NearLimit"] = "true"
        return headers

    def _refuse_rate(self, budget: Budget, wait_s: float, reason: str) -> Refusal:
        seconds = max(1, ceil(wait_s))
        headers = self._budget_headers(budget) | {"Retry-After": str(seconds)}
        headers["X-RateLimit-Remaining"] = "0"
        if self.cloud:
            reset = self.now() + timedelta(seconds=seconds)
            headers["X-RateLimit-Reset"] = f"{reset:%Y-%m-%dT%H:%M:%SZ}"
            headers["RateLimit-Reason"] = reason
        return Refusal(429, "Rate limit exceeded.", headers=headers)


def _cut(response: Response) -> Response:
    """The answer as it arrives when the sender stops halfway: well framed, not whole."""
    headers = {k: v for k, v in response.headers.items() if k.lower() != "content-length"}
    body = bytes(response.body)
    return Response(body[: len(body) // 2], response.status_code, headers)
