"""One request to the simulated Jira, and the ways it is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from opsync.sandbox.jira.values import Issue
from opsync.sandbox.vendor import json_response

if TYPE_CHECKING:
    from opsync.sandbox.jira.render import Renderer
    from opsync.sandbox.jira.site import JiraSite


class Refusal(Exception):
    """Jira refuses the request: `status` is HTTP's, `messages` and `errors` its ErrorCollection."""

    def __init__(
        self,
        status: int,
        *messages: str,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(*messages)
        self.status = status
        self.messages = messages
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        return JSONResponse(
            {"errorMessages": list(self.messages), "errors": self.errors},
            status_code=self.status,
            headers=self.headers,
        )


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed sign-in and limits: its path's parts, query and body."""

    site: JiraSite
    render: Renderer
    parts: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    repeated: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The query again, with every value of what stands in it several times."""

    def json(self, *allowed: str) -> dict[str, Any]:
        """The body, an object. 400 for anything else, and for keys beyond `allowed` if given."""
        try:
            payload = json.loads(self.body)
        except ValueError as error:
            raise Refusal(400, f"There was an error parsing JSON: {error}") from error
        if not isinstance(payload, dict) or (allowed and not payload.keys() <= set(allowed)):
            raise Refusal(400, "Invalid request payload. Refer to the REST API documentation.")
        return payload

    def issue(self) -> Issue:
        """The issue of the path; 404 when it is missing or hidden, which nobody can tell apart."""
        issue = self.site.get(self.parts["issue"])
        if issue is None or not self.site.visible(issue):
            raise Refusal(404, "Issue does not exist or you do not have permission to see it.")
        return issue

    def ok(self, payload: object, status: int = 200) -> Response:
        return json_response(payload, status)
