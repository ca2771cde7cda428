"""The simulated Linear as a vendor: its GraphQL endpoint over HTTP, with limits and faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from graphql import GraphQLError, OperationDefinitionNode, execute_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from opsync.sandbox.linear import pokes, webhooks
from opsync.sandbox.linear.budget import (
    POINTS_PER_HOUR,
    POINTS_PER_QUERY,
    REQUESTS_PER_HOUR,
    WINDOW_S,
    LeakyBudget,
    epoch_ms,
)
from opsync.sandbox.linear.cost import Pricer
from opsync.sandbox.linear.refusals import extensions
from opsync.sandbox.linear.resolvers import Caller, Limit, attribute
from opsync.sandbox.linear.schema import Query, read_query, schema
from opsync.sandbox.linear.state import Truth
from opsync.sandbox.vendor import Vendor, utc_now

MAX_BODY = 10 * 1024 * 1024
"""Bytes; a larger request is refused with PAYLOAD_TOO_LARGE."""


HTTP_OK = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's body, read."""

    text: str
    variables: dict[str, object]
    operation_name: str | None
    query: Query

    @property
    def writes(self) -> bool:
        return self.query.writes(self.operation_name)


class LinearWorkspace(Vendor, Truth):
    """One Linear workspace with its API, whose ground truth the builders of Truth change.

    `token` is the personal API key (sent raw), `oauth_token` the one sent as Bearer. `limit_factor`
    multiplies the hourly budgets, not the limit of 10,000 points on a single query. Whoever calls
    the builders while the API is being served from another thread holds `lock`.
    """

    name = "linear"
    scopes = ("read", "write", "admin")
    """What a key may do; managing webhooks takes an admin."""

    def __init__(
        self,
        *,
        url_key: str = "harbor",
        now: Callable[[], datetime] = utc_now,
        limit_factor: int = 1,
        token: str = "lin_api_sandbox",  # noqa: S107 - the sandbox's own, opens nothing else
        oauth_token: str = "lin_oauth_sandbox",  # noqa: S107 - as above
    ) -> None:
        Vendor.__init__(self, now=now, limit_factor=limit_factor)
        Truth.__init__(self, url_key=url_key, now=now)
        self.hooks = webhooks.hooks_of(self)
        self.webhooks: dict[str, webhooks.Webhook] = {}
        self.told = lambda action, node: webhooks.tell(self, action, node)
        self.token = token
        self.oauth_token = oauth_token
        self.requests = LeakyBudget(REQUESTS_PER_HOUR * limit_factor, now)
        self.points = LeakyBudget(POINTS_PER_HOUR * limit_factor, now)
        self._app = Starlette(routes=[Route("/graphql", self._graphql, methods=["POST"])])

    @property
    def app(self) -> Starlette:
        return self._app

    def counts(self) -> dict[str, int]:
        with self.lock:
            return {
                "issues": len(self.issues),
                "projects": len(self.projects),
                "initiatives": len(self.initiatives),
                "attachments": len(self.attachments),
                "external links": len(self.external_links),
            }

    def find(self, item: str) -> str | None:
        with self.lock:
            found = pokes.find(self, item)
            return None if found is None else found.id

    def poke_move(self, item: str, to: str) -> str:
        with self.lock:
            return pokes.move(self, item, to)

    def poke_edit(self, item: str, field: str, value: object) -> str:
        with self.lock:
            return pokes.edit(self, item, field, value)

    async def _graphql(self, request: Request) -> Response:
        body = await _bounded_body(request)
        with self.lock:
            asked, problem = _read(body) if body is not None else (None, "")
            reads = asked is None or not asked.writes
            if body is None:
                answer = self._refuse(413, "Payload too large", "PAYLOAD_TOO_LARGE", "user error")
            else:
                answer = self._answer(request, asked, problem)
            # Whatever the API itself answers, refusals too, came from `_json` and is whole.
            faulted = answer.media_type != "application/json"
            self.log(request, body or b"", answer, reads=reads, faulted=faulted)
            return answer

    def _answer(self, request: Request, asked: Asked | None, problem: str) -> Response:
        faults = self.faults
        if (fault := self.common_fault()) is not None:
            return fault
        sent = request.headers.get("authorization", "")
        if faults.refuse_token or sent not in (self.token, f"Bearer {self.oauth_token}"):
            return self._refuse(
                401,
                "Authentication required, not authenticated",
                "AUTHENTICATION_ERROR",
                "authentication error",
            )
        if asked is None:
            return self._refuse(400, problem, "INPUT_ERROR", "invalid input")
        answer = self._limited(asked)
        if faults.lose_next_writes and asked.writes and answer.status_code == HTTP_OK:
            faults.lose_next_writes -= 1
            return Response("bad gateway", status_code=502, media_type="text/plain")
        if faults.cut_next:
            faults.cut_next -= 1
            cut = bytes(answer.body)[: len(answer.body) // 2]
            kept = {k: v for k, v in answer.headers.items() if k != "content-length"}
            return Response(cut, status_code=answer.status_code, headers=kept)
        return answer

    def _limited(self, asked: Asked) -> Response:
        """Check the query, its price and the budgets; only then run it."""
        if self.faults.rate_limit_next:
            self.faults.rate_limit_next -= 1
            soon = epoch_ms(self.now() + timedelta(seconds=1))
            return self._rate_limited(
                {
                    **self._headers(0),
                    "X-RateLimit-Requests-Remaining": "0",
                    "X-RateLimit-Requests-Reset": str(soon),
                }
            )
        operation = asked.query.operation(asked.operation_name)
        if asked.query.errors or asked.query.document is None or operation is None:
            return self._invalid(asked)
        price = Pricer(schema(), asked.query.document, operation, asked.variables).price()
        if not (self.requests.fits(1) and self.points.fits(price)):
            self.over_budget += 1
            return self._rate_limited(self._headers(price))
        self.requests.take(1)
        if price > POINTS_PER_QUERY:
            message = f"Query too complex: complexity {price} is above {POINTS_PER_QUERY}"
            return self._refuse(400, message, "INPUT_ERROR", "invalid input", price=price)
        self.points.take(price)
        needed = "write" if asked.writes else "read"
        lost = self.faults.missing_scopes | ({"write"} if self.faults.read_only else set())
        if needed in lost:
            message = f"Invalid scope: `{needed}` required"
            return self._refuse(400, message, "FORBIDDEN", "forbidden", price=price)
        return self._execute(asked, operation, price)

    def _execute(self, asked: Asked, operation: OperationDefinitionNode, price: int) -> Response:
        if asked.query.document is None:
            raise ValueError("only a valid query can be run")
        caller = Caller(truth=self, denied=frozenset(self.faults.deny), limits=self._limits)
        result = execute_sync(
            schema(),
            asked.query.document,
            context_value=caller,
            variable_values=asked.variables,
            operation_name=operation.name.value if operation.name else None,
            field_resolver=attribute,
        )
        errors = result.errors or []
        for error in errors:
            cause = error.original_error
            if cause is not None and not isinstance(cause, GraphQLError):
                raise cause
        if errors and result.data is None and all(each.path is None for each in errors):
            return self._failed(errors, "INPUT_ERROR", "invalid input", price)
        payload: dict[str, object] = {"data": result.data}
        if errors:
            payload["errors"] = [dict(each.formatted) for each in errors]
        return self._json(200, payload, self._headers(price))

    def _invalid(self, asked: Asked) -> Response:
        if asked.query.errors:
            code = "GRAPHQL_PARSE_FAILED"
            if asked.query.document is not None:
                code = "GRAPHQL_VALIDATION_FAILED"
            return self._failed(asked.query.errors, code, "graphql error", 0)
        message = "Unknown or missing operation name"
        return self._refuse(400, message, "OPERATION_RESOLUTION_FAILURE", "graphql error")

    def _failed(
        self,
        errors: tuple[GraphQLError, ...] | list[GraphQLError],
        code: str,
        kind: str,
        price: int,
    ) -> Response:
        listed = [
            {**each.formatted, "extensions": extensions(code, kind, 400, each.message)}
            for each in errors
        ]
        return self._json(400, {"errors": listed}, self._headers(price))

    def _refuse(
        self, status: int, message: str, code: str, kind: str, *, price: int = 0
    ) -> Response:
        error = {"message": message, "extensions": extensions(code, kind, status, message)}
        return self._json(status, {"errors": [error]}, self._headers(price))

    def _rate_limited(self, headers: Mapping[str, str]) -> Response:
        message = "Rate limit exceeded"
        details = extensions("RATELIMITED", "ratelimited", 400, message)
        error = {"message": message, "extensions": details}
        return self._json(400, {"errors": [error]}, headers)

    @staticmethod
    def _json(status: int, payload: object, headers: Mapping[str, str]) -> Response:
        return Response(
            json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(),
            status_code=status,
            headers=dict(headers),
            media_type="application/json",
        )

    def _headers(self, price: int) -> dict[str, str]:
        return {
            "X-Complexity": str(price),
            "X-RateLimit-Requests-Limit": str(self.requests.limit),
            "X-RateLimit-Requests-Remaining": str(self.requests.remaining),
            "X-RateLimit-Requests-Reset": str(epoch_ms(self.requests.reset_at)),
            "X-RateLimit-Complexity-Limit": str(self.points.limit),
            "X-RateLimit-Complexity-Remaining": str(self.points.remaining),
            "X-RateLimit-Complexity-Reset": str(epoch_ms(self.points.reset_at)),
        }

    def _limits(self) -> list[Limit]:
        return [
            Limit(
                type=kind,
                requested_amount=0,
                allowed_amount=budget.limit,
                period=WINDOW_S * 1000,
                remaining_amount=budget.remaining,
                reset=epoch_ms(budget.reset_at),
            )
            for kind, budget in (("request", self.requests), ("complexity", self.points))
        ]


async def _bounded_body(request: Request) -> bytes | None:
    """The body, or None as soon as it is longer than Linear takes."""
    taken = bytearray()
    async for chunk in request.stream():
        taken += chunk
        if len(taken) > MAX_BODY:
            return None
    return bytes(taken)


def _read(body: bytes) -> tuple[Asked | None, str]:
    """The request in the body, or why it is none."""
    try:
        sent = json.loads(body)
    except ValueError:
        return None, "The body is not valid JSON"
    if not isinstance(sent, dict) or not isinstance(text := sent.get("query"), str):
        return None, "The body must be an object with a query"
    variables = sent.get("variables")
    if variables is not None and not isinstance(variables, dict):
        return None, "variables must be an object"
    name = sent.get("operationName")
    if name is not None and not isinstance(name, str):
        return None, "operationName must be a string"
    return Asked(text, variables or {}, name, read_query(text)), ""
