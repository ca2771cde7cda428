"""Notion's refusals mean what its error codes say."""

from __future__ import annotations

import json

import pytest

from opsync import (
    Answer,
    BadAnswer,
    NotFound,
    OpsyncError,
    RateLimited,
    RefusedError,
    SignInError,
    TemporaryError,
)
from opsync_notion.dialect import classify

URL = "https://api.notion.com/v1/pages/x"


def answer(
    status: int, code: str, said: str = "", *, method: str = "GET", **headers: str
) -> Answer:
    body = {"object": "error", "status": status, "code": code, "message": said}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, json.dumps(body).encode(), URL, "Notion", method)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "validation_error", RefusedError),
        (400, "missing_version", RefusedError),
        (401, "unauthorized", SignInError),
        (403, "restricted_resource", SignInError),
        (404, "object_not_found", NotFound),
        (409, "conflict_error", TemporaryError),
        (409, "row_limit_exceeded", RefusedError),
        (429, "rate_limited", RateLimited),
        (500, "internal_server_error", TemporaryError),
        (502, "bad_gateway", TemporaryError),
        (503, "service_unavailable", TemporaryError),
        (503, "database_connection_unavailable", TemporaryError),
        (504, "gateway_timeout", TemporaryError),
        (529, "service_overload", TemporaryError),
        (418, "something_new", RefusedError),
    ],
)
def test_each_code_has_its_error(status: int, code: str, kind: type[OpsyncError]) -> None:
    assert type(classify(answer(status, code))) in (kind, *_special(kind))


def _special(kind: type[OpsyncError]) -> tuple[type[OpsyncError], ...]:
    from opsync_notion.dialect import MissingCapability

    return (MissingCapability,) if kind is SignInError else ()


def test_good_answers_are_no_error() -> None:
    assert classify(Answer(200, {"content-type": "application/json"}, b"{}", URL)) is None


@pytest.mark.parametrize(
    ("refusal", "click"),
    [
        (answer(401, "unauthorized"), "Copy the secret"),
        (answer(403, "restricted_resource"), "Read content"),
        (
            answer(403, "restricted_resource", "Insufficient permissions", method="PATCH"),
            "Update content",
        ),
        (answer(404, "object_not_found"), "Connections → opsync"),
    ],
)
def test_an_error_names_the_click_that_mends_it(refusal: Answer, click: str) -> None:
    error = classify(refusal)
    assert error is not None
    assert click in error.hint


def test_one_object_that_may_not_be_written_is_not_a_dead_token() -> None:
    refusal = answer(403, "restricted_resource", "This page is locked.", method="PATCH")
    assert type(classify(refusal)) is RefusedError


def test_the_pause_that_notion_asks_for_has_no_cap() -> None:
    error = classify(answer(429, "rate_limited", Retry_After="3600"))
    assert isinstance(error, RateLimited)
    assert (error.retry_after_s, error.lane) == (3600.0, "")


@pytest.mark.parametrize("status", [401, 403, 404, 502])
def test_a_page_of_cloudflare_says_nothing_about_the_token(status: int) -> None:
    html = Answer(status, {"content-type": "text/html"}, b"<html>Attention Required!", URL)
    error = classify(html)
    assert isinstance(error, BadAnswer if status < 500 else TemporaryError)
