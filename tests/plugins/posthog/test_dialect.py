"""PostHog's refusals mean what its errors say."""

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
from opsync_posthog.dialect import MissingScope, Refused, classify

API = "https://us.posthog.com/api/projects/1/"


def answer(status: int, detail: str = "No.", *, path: str = "query/", **headers: str) -> Answer:
    body = {"type": "x", "code": "y", "detail": detail, "attr": None}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, json.dumps(body).encode(), API + path, "PostHog", "POST")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, SignInError),
        (403, SignInError),
        (404, NotFound),
        (405, RefusedError),
        (408, TemporaryError),
        (429, RateLimited),
        (500, TemporaryError),
        (503, TemporaryError),
    ],
)
def test_each_status_has_its_meaning(status: int, kind: type[OpsyncError]) -> None:
    assert isinstance(classify(answer(status)), kind)


def test_a_good_answer_is_none() -> None:
    assert classify(Answer(200, {}, b"{}", API)) is None


def test_a_missing_scope_is_named_with_its_click() -> None:
    error = classify(answer(403, "API key missing required scope 'annotation:write'"))
    assert isinstance(error, MissingScope)
    assert error.scope == "annotation:write"
    assert error.hint == (
        "Settings → Personal API keys → opsync → Edit → Scopes → Annotation: Write."
    )


def test_a_project_out_of_reach_is_told_with_its_click() -> None:
    error = classify(answer(403, "API key does not have access to the requested project: ID 1."))
    assert isinstance(error, SignInError)
    assert not isinstance(error, MissingScope)
    assert "project access" in error.hint


def test_posthog_s_own_words_are_kept_on_one_line() -> None:
    error = classify(answer(400, "Syntax error\n  near 'x'"))
    assert isinstance(error, Refused)
    assert error.said == "Syntax error near 'x'"


@pytest.mark.parametrize(
    ("path", "lane"),
    [("query/", "query"), ("query/abc/", "analytics"), ("insights/", "analytics"), ("x/", "crud")],
)
def test_a_pause_holds_for_the_lane_that_is_spent(path: str, lane: str) -> None:
    error = classify(answer(429, path=path, retry_after="42"))
    assert isinstance(error, RateLimited)
    assert (error.lane, error.retry_after_s) == (lane, 42)


def test_a_pause_may_come_without_its_length() -> None:
    error = classify(answer(429))
    assert isinstance(error, RateLimited)
    assert error.retry_after_s is None


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_error_of_a_proxy_says_nothing_about_the_key(status: int) -> None:
    page = Answer(status, {"content-type": "text/html"}, b"<h1>No</h1>", API, "PostHog")
    error = classify(page)
    assert isinstance(error, BadAnswer)
    assert "base_url" in error.hint
