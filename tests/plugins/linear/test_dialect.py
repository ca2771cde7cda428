"""What Linear's answers mean: by the error's kind first, by the HTTP status second."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opsync.errors import (
    BadAnswer,
    OpsyncError,
    RateLimited,
    RefusedError,
    SignInError,
    TemporaryError,
)
from opsync.http import Answer
from opsync_linear.dialect import TooComplex, budget, classify, policy
from tests.plugins.linear.conftest import settings

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers or {}, raw, "https://api.linear.app/graphql", received_at=NOW)


def error(message: str = "no", path: list[Any] | None = None, **extensions: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "path": path, "extensions": extensions}], "data": None}


def ms(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error(code="RATELIMITED"), RateLimited),
        (200, error(type="ratelimited"), RateLimited),
        (429, error(), RateLimited),
        (400, error(code="AUTHENTICATION_ERROR"), SignInError),
        (401, error(type="authentication error"), SignInError),
        (401, b"nope", SignInError),
        (403, b"<html>Blocked by your company</html>", BadAnswer),
        (200, error(type="internal error"), TemporaryError),
        (200, error(type="lock timeout"), TemporaryError),
        (503, b"upstream", TemporaryError),
        (400, error(type="invalid input", code="INPUT_ERROR"), RefusedError),
        (200, error(type="forbidden", code="FORBIDDEN"), RefusedError),
        (400, error("Query too complex"), TooComplex),
        (200, b"<html>Sign in</html>", BadAnswer),
        (200, b'{"data": {"issues"', BadAnswer),
        (200, {"data": None}, BadAnswer),
        (200, {"data": {"issues": None}, "errors": error()["errors"]}, RefusedError),
    ],
)
def test_answers_by_kind(status: int, body: object, kind: type[OpsyncError]) -> None:
    assert isinstance(classify(answer(status, body)), kind)


def test_data_without_errors_is_good() -> None:
    assert classify(answer(200, {"data": {"viewer": {"id": "x"}}})) is None


def test_a_refusal_says_which_alias_it_concerns() -> None:
    refusal = classify(answer(200, error(path=["a3"], type="invalid input")))

    assert getattr(refusal, "path", None) == ("a3",)


def test_a_pause_ends_when_the_empty_bucket_is_full_again() -> None:
    headers = {
        "X-RateLimit-Requests-Remaining": "0",
        "X-RateLimit-Requests-Reset": ms(NOW + timedelta(seconds=90)),
        "X-RateLimit-Complexity-Remaining": "5000",
        "X-RateLimit-Complexity-Reset": ms(NOW + timedelta(seconds=900)),
    }

    limited = classify(answer(400, error(code="RATELIMITED"), headers))

    assert isinstance(limited, RateLimited)
    assert limited.retry_after_s == 90


def test_retry_after_comes_before_the_resets() -> None:
    headers = {"Retry-After": "7", "X-RateLimit-Requests-Reset": ms(NOW + timedelta(hours=1))}

    limited = classify(answer(400, error(code="RATELIMITED"), headers))

    assert isinstance(limited, RateLimited)
    assert limited.retry_after_s == 7


def test_headers_feed_both_budgets() -> None:
    headers = {
        "X-RateLimit-Requests-Limit": "2500",
        "X-RateLimit-Requests-Remaining": "2400",
        "X-RateLimit-Requests-Reset": ms(NOW + timedelta(seconds=60)),
        "X-RateLimit-Complexity-Limit": "3000000",
        "X-RateLimit-Complexity-Remaining": "2990000",
    }

    requests, points = budget(answer(200, {"data": {}}, headers))

    assert (requests.lane, requests.limit, requests.remaining) == ("", 2500, 2400)
    assert requests.reset_in_s == 60
    assert (points.lane, points.limit, points.remaining) == ("complexity", 3_000_000, 2_990_000)


@pytest.mark.parametrize(
    ("token", "header"),
    [("lin_api_abcdef", "lin_api_abcdef"), ("lin_oauth_abcdef", "Bearer lin_oauth_abcdef")],
)
def test_a_key_goes_raw_and_an_oauth_token_as_bearer(token: str, header: str) -> None:
    made = policy("linear", settings(token=token))

    assert made.headers["Authorization"] == header
    assert token not in repr(made)
    assert token not in made.credential
