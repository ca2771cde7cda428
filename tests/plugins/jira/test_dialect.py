from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.plugins.jira.conftest import SITE, settings

from opsync import (
    Answer,
    BadAnswer,
    BudgetHint,
    NotFound,
    OpsyncError,
    RateLimited,
    RefusedError,
    SignInError,
    TemporaryError,
)
from opsync_jira.dialect import Dialect, budget, lane_of, parse_reset
from opsync_jira.rights import MissingScope

SEARCH = f"{SITE}/rest/api/3/search/jql"
LINKS = f"{SITE}/rest/api/3/issue/10007/remotelink"
NOW = datetime(2026, 3, 2, 9, 40, tzinfo=UTC)


def answer(status: int, body: bytes = b"{}", **more: str) -> Answer:
    """An answer to POST search/jql, or to `method` and `url`; the rest are header fields."""
    url, method = more.pop("url", SEARCH), more.pop("method", "POST")
    named = {name.replace("_", "-"): value for name, value in more.items()}
    named.setdefault("content-type", "application/json")
    return Answer(status, named, body, url=url, method=method, received_at=NOW)


def classify(given: Answer, **changes: Any) -> OpsyncError | None:
    return Dialect("jira-main", settings(**changes)).classify(given)


def test_cloud_signs_in_with_account_and_token_and_data_center_with_the_token() -> None:
    cloud = Dialect("jira-main", settings()).policy()
    own = Dialect("dc", settings(deployment="datacenter")).policy()

    scheme, _, pair = cloud.headers["authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(pair) == b"ana@harbor.example:sandbox-jira-token"
    assert own.headers["authorization"] == "Bearer sandbox-jira-token"
    assert "sandbox-jira-token" not in cloud.credential + repr(cloud) + repr(own)


def test_instances_share_a_budget_only_with_the_same_credential() -> None:
    def credential(**changes: Any) -> str:
        return Dialect("any", settings(**changes)).policy().credential

    assert credential() == credential(projects=["PAY"])
    assert credential() != credential(token="other")
    assert credential() != credential(site="https://other.atlassian.net")


@pytest.mark.parametrize(
    ("method", "path", "lane"),
    [
        ("POST", "search/jql", "POST search/jql"),
        ("POST", SEARCH, "POST search/jql"),
        ("POST", "/rest/api/3/issue/10007/remotelink", "POST issue/remotelink"),
        ("DELETE", f"{LINKS}?globalId=x", "DELETE issue/remotelink"),
        ("POST", "https://api.atlassian.com/ex/jira/1/rest/api/3/search/jql", "POST search/jql"),
        ("GET", "https://tools.example/jira/rest/api/2/issue/7/remotelink", "GET issue/remotelink"),
        ("POST", "issue/bulkfetch", "POST issue/bulkfetch"),
    ],
)
def test_a_lane_is_an_endpoint_and_a_method(method: str, path: str, lane: str) -> None:
    assert lane_of(method, path) == lane


def test_a_good_answer_is_no_error() -> None:
    assert classify(answer(200)) is None
    assert classify(answer(204, b"", url=LINKS, method="DELETE")) is None
    assert classify(answer(200, x_seraph_loginreason="OK")) is None


@pytest.mark.parametrize("reason", ["AUTHENTICATED_FAILED", "AUTHENTICATED_FAILED, OK"])
def test_a_dead_token_betrayed_by_a_header_is_a_sign_in_error_at_any_status(reason: str) -> None:
    for status in (200, 401, 403, 404):
        error = classify(answer(status, b'{"issues":[]}', x_seraph_loginreason=reason))
        assert isinstance(error, SignInError)


def test_a_refused_token_is_named_with_the_clicks_that_mend_it() -> None:
    error = classify(answer(401))

    assert isinstance(error, SignInError)
    assert str(error).startswith(
        "Jira refused the token of jira-main. Create one at id.atlassian.com → Security → "
        "API tokens, then set OPSYNC_JIRA_MAIN__TOKEN."
    )
    assert "https://api.atlassian.com/ex/jira/<cloudId>" in error.hint


def test_at_the_gateway_and_on_data_center_the_advice_fits() -> None:
    gateway = classify(answer(401), base_url="https://api.atlassian.com/ex/jira/1")
    own = classify(answer(401), deployment="datacenter")

    assert gateway is not None
    assert "tokens with scopes only" in gateway.hint
    assert own is not None
    assert "Personal Access Tokens" in own.hint
    assert "gateway" not in own.hint


def test_a_missing_scope_is_named() -> None:
    body = b'{"code":401,"message":"Unauthorized; scope does not match"}'

    error = classify(answer(401, body, url=LINKS))

    assert isinstance(error, MissingScope)
    assert error.scope == "write:jira-work"
    assert "lacks the scope write:jira-work for POST issue/remotelink" in error.message
    assert "Create API token with scopes" in error.hint


def test_an_account_locked_by_a_captcha_is_told_to_sign_in_once() -> None:
    error = classify(answer(403, x_seraph_loginreason="AUTHENTICATION_DENIED"))

    assert isinstance(error, SignInError)
    assert "CAPTCHA" in error.message
    assert SITE in error.hint


def test_forbidden_concerns_one_issue_when_linking_and_all_when_searching() -> None:
    said = b'{"errorMessages":["No permission to link."],"errors":{}}'

    linking = classify(answer(403, said, url=LINKS))
    searching = classify(answer(403, said))

    assert isinstance(linking, RefusedError)
    assert linking.status == 403
    assert "No permission to link." in linking.message
    assert isinstance(searching, SignInError)


def test_not_found_is_an_issue_or_a_wrong_address() -> None:
    issue, address = classify(answer(404, url=LINKS)), classify(answer(404, b"<html>"))

    assert isinstance(issue, NotFound)
    assert isinstance(address, NotFound)
    assert "base_url" in address.hint


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RefusedError),
        (409, TemporaryError),
        (410, RefusedError),
        (413, RefusedError),
        (425, TemporaryError),
        (500, TemporaryError),
        (502, TemporaryError),
        (503, TemporaryError),
    ],
)
def test_what_can_be_tried_again_is_temporary(status: int, kind: type[OpsyncError]) -> None:
    body = b'{"errorMessages":["Because."],"errors":{"field":"wrong"}}'
    for given in (answer(status, body, url=LINKS), answer(status, b"<html>oops"), answer(status)):
        assert type(classify(given)) is kind


def test_a_web_page_is_a_bad_answer() -> None:
    assert isinstance(classify(answer(200, b"<html>", content_type="text/html")), BadAnswer)


@pytest.mark.parametrize(
    ("headers", "lane", "wait_s"),
    [
        ({"ratelimit_reason": "jira-burst-based", "retry_after": "2"}, "POST search/jql", 2),
        ({"ratelimit_reason": "jira-burst-based"}, "POST search/jql", None),
        ({"ratelimit_reason": "jira-per-issue-on-write", "retry_after": "9"}, "POST search/jql", 9),
        ({"ratelimit_reason": "jira-quota-tenant-based", "retry_after": "600"}, "", 600),
        ({"ratelimit_reason": "jira-quota-global-based"}, "", 20 * 60),
        ({"ratelimit_reason": "jira-cost-based"}, "", 30),
        ({"x_ratelimit_reset": "2026-03-02T09:45Z"}, "", 300),
        ({"x_ratelimit_reset": "2026-03-02T09:41:00.000+00:00"}, "", 60),
        ({"x_ratelimit_reset": "2026-03-02T09:00Z"}, "", 0),
        ({"x_ratelimit_reset": "soon"}, "", 30),
    ],
)  # fmt: skip
def test_a_pause_is_for_the_endpoint_or_for_everything(
    headers: dict[str, str], lane: str, wait_s: float | None
) -> None:
    error = classify(answer(429, b"", **headers))

    assert isinstance(error, RateLimited)
    assert (error.lane, error.retry_after_s) == (lane, wait_s)


def test_a_reset_is_read_with_and_without_seconds() -> None:
    assert parse_reset("2026-03-26T16:00Z") == datetime(2026, 3, 26, 16, tzinfo=UTC)
    assert parse_reset("2026-03-26T16:00:05") == datetime(2026, 3, 26, 16, 0, 5, tzinfo=UTC)
    assert parse_reset("") is None


def test_the_budget_follows_what_the_headers_announce() -> None:
    hints = budget(
        answer(
            200,
            x_ratelimit_limit="1000",
            x_ratelimit_remaining="990",
            ratelimit_policy='"global-app-quota";q=65000;w=3600,"jira-burst-based";q=1000;w=1',
            ratelimit='"global-app-quota";r=11000;t=600',
        )
    )

    assert list(hints) == [
        BudgetHint("", 65000.0, 3600.0, 11000.0, 600.0),
        BudgetHint("POST search/jql", 1000.0, 1.0, 990.0, None),
    ]


def test_data_centers_token_bucket_is_one_budget_for_all() -> None:
    hints = budget(
        answer(
            200,
            x_ratelimit_limit="50",
            x_ratelimit_remaining="40",
            x_ratelimit_fillrate="10",
            x_ratelimit_interval_seconds="2",
        )
    )

    assert list(hints) == [BudgetHint("", 50.0, 10.0, 40.0, 2.0)]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_ratelimit_limit": "65000", "x_ratelimit_remaining": "1"},
        {"ratelimit_policy": "nonsense", "ratelimit": ";;"},
        {"ratelimit_policy": '"jira-per-issue-on-write";q=20;w=2'},
        {"x_ratelimit_limit": "many", "x_ratelimit_fillrate": "0"},
    ],
)
def test_headers_that_tell_nothing_certain_change_nothing(headers: dict[str, str]) -> None:
    assert list(budget(answer(200, b"", **headers))) == []
