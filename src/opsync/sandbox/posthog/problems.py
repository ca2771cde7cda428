"""How the simulated PostHog refuses a request.

Shape: https://posthog.com/docs/api, "type" and "code" by drf-exceptions-hog.
"""

from __future__ import annotations


class Problem(Exception):
    """A refusal: status, vendor's type and code, and what it says. `attr` is the field it is
    about; `retry_after_s` goes into the header, None leaves it out."""

    def __init__(
        self,
        status: int,
        type_: str,
        code: str,
        detail: str,
        *,
        attr: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.type = type_
        self.code = code
        self.detail = detail
        self.attr = attr
        self.retry_after_s = retry_after_s


def invalid(detail: str, *, attr: str | None = None, code: str = "invalid_input") -> Problem:
    """A 400: a field that is wrong, or a query that cannot be run."""
    return Problem(400, "validation_error", code, detail, attr=attr)


def unknown() -> Problem:
    """A 404 for an object that is not there, or not to be seen."""
    return Problem(404, "invalid_request", "not_found", "Not found.")


def forbidden(detail: str) -> Problem:
    """A 403: the key works and may not do that."""
    return Problem(403, "authentication_error", "permission_denied", detail)


def missing_scope(scope: str) -> Problem:
    """A 403 that names the scope."""
    return forbidden(f"API key missing required scope '{scope}'")


def unauthenticated(detail: str, code: str = "authentication_failed") -> Problem:
    """A 401: no key, or one that is not valid."""
    return Problem(401, "authentication_error", code, detail)


def not_allowed(method: str) -> Problem:
    """A 405, as the vendor answers DELETE where things are only marked as deleted."""
    detail = f'Method "{method}" not allowed.'
    return Problem(405, "invalid_request", "method_not_allowed", detail)


def throttled(wait_s: int) -> Problem:
    """A 429 of a rate limit, with Retry-After."""
    detail = f"Request was throttled. Expected available in {wait_s} seconds."
    return Problem(429, "throttled_error", "throttled", detail, retry_after_s=wait_s)


def too_many_at_once() -> Problem:
    """A 429 of the limit on queries at once, without Retry-After."""
    detail = "Request was throttled. Exceeded maximum number of concurrent queries."
    return Problem(429, "throttled_error", "throttled", detail)
