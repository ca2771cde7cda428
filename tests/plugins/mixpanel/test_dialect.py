"""What Mixpanel's answers mean."""

from __future__ import annotations

import base64
import json

import pytest
from tests.plugins.mixpanel.world import settings

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
from opsync_mixpanel.dialect import APP, QUERY, MissingRole, classify, policy

ASK = "https://mixpanel.com/api/query/events"
NOTE = "https://mixpanel.com/api/app/projects/1/annotations"
SPENT = "1/5 queries running concurrently and 61/60 queries running in the last hour."
CROWDED = "6/5 queries running concurrently and 12/60 queries running in the last hour."


def answer(
    status: int,
    error: object = "no",
    *,
    url: str = ASK,
    method: str = "GET",
    body: bytes | None = None,
    retry_after: str = "",
) -> Answer:
    raw = json.dumps({"error": error}).encode() if body is None else body
    headers = {"content-type": "application/json"}
    if retry_after:
        headers["retry-after"] = retry_after
    return Answer(status, headers, raw, url, "Mixpanel", method)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (answer(400), RefusedError),
        (answer(402), RefusedError),
        (answer(401), SignInError),
        (answer(403), MissingRole),
        (answer(404), NotFound),
        (answer(429), RateLimited),
        (answer(502), TemporaryError),
        (answer(503, body=b"upstream"), TemporaryError),
        (answer(401, body=b"<html>Sign in</html>"), BadAnswer),
        (answer(403, body=b"Blocked by your company"), BadAnswer),
        (answer(404, body=b"no such page"), BadAnswer),
        (answer(429, body=b"slow down"), RateLimited),
        (answer(413, body=b"too large"), RefusedError),
    ],
)
def test_answers_by_status(given: Answer, kind: type[OpsyncError]) -> None:
    assert type(classify(given)) is kind


def test_data_is_good() -> None:
    assert classify(answer(200, body=b'{"data": {}}')) is None


def test_the_vendors_text_is_told_on_one_line_and_cut() -> None:
    said = classify(answer(400, "unknown\nevent " + "x" * 500))

    assert said is not None
    assert said.message.startswith("unknown event xxx")
    assert len(said.message) <= 200


def test_an_error_that_is_no_text_is_told_as_it_is() -> None:
    said = classify(answer(400, {"unit": "bad"}))

    assert said is not None
    assert said.message == '{"unit":"bad"}'


def test_a_write_that_is_forbidden_names_the_role() -> None:
    error = classify(answer(403, url=NOTE, method="POST"))

    assert error is not None
    assert "Analyst" in error.hint


@pytest.mark.parametrize(
    ("given", "pause_s", "lane"),
    [
        (answer(429, SPENT), 3600, QUERY),
        (answer(429, "slow down"), 3600, QUERY),
        (answer(429, CROWDED), None, QUERY),
        (answer(429, SPENT, retry_after="90"), 90, QUERY),
        (answer(429, "slow down", url=NOTE), None, APP),
    ],
)
def test_a_spent_hour_is_waited_for_and_a_crowd_is_not(
    given: Answer, pause_s: float | None, lane: str
) -> None:
    error = classify(given)

    assert isinstance(error, RateLimited)
    assert (error.retry_after_s, error.lane) == (pause_s, lane)


def test_the_account_signs_in_and_is_not_shown() -> None:
    made = policy("mixpanel", settings())

    scheme, _, encoded = made.headers["Authorization"].partition(" ")
    signed = base64.b64decode(encoded).decode()
    assert (scheme, signed) == (
        "Basic",
        "opsync.000000.mp-service-account:mixpanel-sandbox-secret",
    )
    assert encoded not in repr(made)
    assert "sandbox-secret" not in made.credential


def test_the_limits_are_the_projects_whoever_asks() -> None:
    one = policy("a", settings(username="one", secret="first"))
    other = policy("b", settings(username="other", secret="second"))

    assert one.credential == other.credential
    assert one.credential != policy("c", settings(project=2)).credential
    assert one.limits[0].name == QUERY
    assert (one.limits[0].per_window, one.limits[0].window_s) == (60, 3600)
    assert one.max_concurrent < 5
