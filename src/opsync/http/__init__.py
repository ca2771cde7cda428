"""The HTTP client that every connector gets, and the only way opsync talks to a vendor.

A connector describes its vendor in a `Policy` (address, credential, limits, error dialect) and
asks through a `Client`: `read` for what changes nothing, `write` for what does. The client keeps
within the limits, retries what may be retried, bounds time and size, contacts no other host,
counts what goes out, and raises nothing but `opsync.errors`.

`Client` and `Pool` are loaded on first use, so that settings can check an address without httpx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opsync.http.ahead import ahead
from opsync.http.answer import Answer, Headers, default_classify
from opsync.http.hosts import check_base_url
from opsync.http.limits import BudgetHint, Limit
from opsync.http.policy import Policy, fingerprint
from opsync.http.retry import parse_retry_after

if TYPE_CHECKING:
    from opsync.http.client import Client
    from opsync.http.pool import Pool

__all__ = [
    "Answer",
    "BudgetHint",
    "Client",
    "Headers",
    "Limit",
    "Policy",
    "Pool",
    "ahead",
    "check_base_url",
    "default_classify",
    "fingerprint",
    "parse_retry_after",
]


def __getattr__(name: str) -> object:
    if name == "Client":
        from opsync.http.client import Client

        return Client
    if name == "Pool":
        from opsync.http.pool import Pool

        return Pool
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
