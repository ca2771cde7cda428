"""What Amplitude's refusals mean, whatever shape they have."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from opsync.errors import (
    BadAnswer,
    NotFound,
    OpsyncError,
    RateLimited,
    RefusedError,
    SignInError,
    TemporaryError,
)
from opsync.http import Answer
from opsync_amplitude.dialect import ManagementKeyRefused, classify

API = "https://amplitude.com/api/2/events/segmentation"
CHART = "https://amplitude.com/api/3/chart/abc/csv"
FLAGS = "https://experiment.amplitude.com/api/1/flags"


def answer(
    status: int,
    body: object = "",
    *,
    url: str = API,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(
        status=status, headers=headers or {}, body=raw, url=url, vendor="Amplitude", method=method
    )


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (answer(401), SignInError),
        (answer(403), SignInError),
        (answer(403, url=CHART), RefusedError),
        (answer(401, url=FLAGS), ManagementKeyRefused),
        (answer(403, url=FLAGS), ManagementKeyRefused),
        (answer(404), NotFound),
        (answer(400), RefusedError),
        (answer(409), RefusedError),
        (answer(429), RateLimited),
        (answer(408), TemporaryError),
        (answer(500), TemporaryError),
        (answer(503), TemporaryError),
        (answer(200, "<html>", headers={"content-type": "text/html"}), BadAnswer),
    ],
)
def test_each_status_has_its_meaning(given: Answer, kind: type[OpsyncError]) -> None:
    assert type(classify(given)) is kind


def test_a_good_answer_means_nothing() -> None:
    assert classify(answer(200, {"data": {}})) is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"http_code": 400, "message": "Bad date", "metadata": {}}}, "Bad date"),
        (
            {"error": {"message": "Bad", "metadata": {"details": "start is after end"}}},
            "Bad: start is after end",
        ),
        ({"error": "Invalid field"}, "Invalid field"),
        ({"message": "Invalid field"}, "Invalid field"),
        ({"error": "Bad", "message": "Bad"}, "Bad"),
        ("Invalid event\n  definition", "Invalid event definition"),
        (["odd"], f"Amplitude: GET {API} (400): refused without a reason"),
        ({}, f"Amplitude: GET {API} (400): refused without a reason"),
    ],
)
def test_amplitudes_own_words_are_told(body: object, said: str) -> None:
    found = classify(answer(400, body))
    assert found is not None
    assert found.message == said


@pytest.mark.parametrize(
    ("body", "headers", "wait_s"),
    [
        ("Exceeded rate limit: cost", {}, 300),
        ("", {}, 300),
        ("Exceeded concurrent limit of cost", {}, 300),
        ("Too many concurrent requests", {}, None),
        ("Exceeded rate limit: cost", {"retry-after": "17"}, 17),
    ],
)
def test_a_limit_is_waited_for_as_long_as_it_takes(
    body: str, headers: dict[str, str], wait_s: float | None
) -> None:
    found = classify(answer(429, body, headers=headers))
    assert isinstance(found, RateLimited)
    assert found.retry_after_s == wait_s


def test_a_write_that_is_not_allowed_is_told_with_the_right() -> None:
    found = classify(answer(403, url="https://amplitude.com/api/3/annotations", method="POST"))
    assert found is not None
    assert "Annotations" in found.hint
