"""How the simulated Amplitude refuses a request."""

from __future__ import annotations

TYPES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    429: "too_many_requests",
    502: "bad_gateway",
}


class Problem(Exception):
    """A refusal: its status and Amplitude's sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self) -> dict[str, object]:
        """The refusal as JSON."""
        return {
            "error": {
                "http_code": self.status,
                "type": TYPES[self.status],
                "message": self.message,
                "metadata": {},
            }
        }
