"""How the simulated Notion refuses a request, and how it reads an untrusted body.

Codes and statuses: https://developers.notion.com/reference/status-codes
"""

from __future__ import annotations

from typing import cast

STATUS_OF = {
    "invalid_json": 400,
    "invalid_request_url": 400,
    "invalid_request": 400,
    "validation_error": 400,
    "missing_version": 400,
    "unauthorized": 401,
    "restricted_resource": 403,
    "object_not_found": 404,
    "conflict_error": 409,
    "rate_limited": 429,
    "internal_server_error": 500,
    "bad_gateway": 502,
    "service_unavailable": 503,
}


class Problem(Exception):
    """A refusal with the vendor's error code. `additional` becomes `additional_data`."""

    def __init__(self, code: str, message: str, **additional: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.additional = additional

    @property
    def status(self) -> int:
        return STATUS_OF[self.code]


def invalid(message: str) -> Problem:
    """A 400 `validation_error`, by far the most frequent refusal."""
    return Problem("validation_error", message)


def failed(path: str, should: str, value: object) -> Problem:
    """A 400 for a body that has not the documented shape; the wording names the place."""
    shown = "`undefined`" if value is None else f"`{str(value)[:80]}`"
    return invalid(f"body failed validation: body.{path} should be {should}, instead was {shown}.")


def an_object(value: object, path: str) -> dict[str, object]:
    """`value` as a JSON object. Raises Problem."""
    if not isinstance(value, dict):
        raise failed(path, "an object", value)
    return cast("dict[str, object]", value)


def a_list(value: object, path: str) -> list[object]:
    """`value` as a JSON array. Raises Problem."""
    if not isinstance(value, list):
        raise failed(path, "an array", value)
    return cast("list[object]", value)


def a_string(value: object, path: str) -> str:
    """`value` as a JSON string. Raises Problem."""
    if not isinstance(value, str):
        raise failed(path, "a string", value)
    return value


def a_bool(value: object, path: str) -> bool:
    """`value` as a JSON boolean. Raises Problem."""
    if not isinstance(value, bool):
        raise failed(path, "a boolean", value)
    return value
