from __future__ import annotations

import pytest
from pydantic import ValidationError
from tests.plugins.jira.conftest import settings


def test_the_api_is_asked_at_the_site_unless_told_otherwise() -> None:
    gateway = "https://api.atlassian.com/ex/jira/1234"

    assert settings(site="https://x.atlassian.net/").api_url == "https://x.atlassian.net"
    assert settings(base_url=f"{gateway}/").api_url == gateway
    assert (
        settings(site="https://x.atlassian.net", base_url="").api_url == "https://x.atlassian.net"
    )
    assert settings(site="http://jira.corp.example", base_url="http://127.0.0.1:9").site


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"site": "x.atlassian.net"}, "must be an address"),
        ({"site": "https://me@x.atlassian.net"}, "without user"),
        ({"site": ""}, "site must not be empty"),
        ({"site": "http://jira.corp.example"}, "site: .*in the clear"),
        ({"base_url": "http://proxy.corp.example"}, r"base_url\n.*in the clear"),
        ({"base_url": "https://169.254.169.254"}, r"base_url\n.*never contacts"),
        ({"email": ""}, "email is needed"),
        ({"token": " \n"}, "must not be empty"),
        ({"projects": ["PAY", 'A") OR (1=1']}, "must be project keys"),
        ({"jql": "labels = x ORDER  BY key"}, "no ORDER BY"),
        ({"estimate_field": "Story Points"}, "must be a field's id"),
        ({"project": ["PAY"]}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_settings_are_refused_with_the_reason(
    changes: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        settings(**changes)


def test_data_center_needs_no_email() -> None:
    assert not settings(deployment="datacenter", email="").cloud


def test_a_token_never_shows_and_loses_the_line_end_of_its_file() -> None:
    made = settings(token="canary-token\n")

    assert "canary" not in repr(made)
    assert made.token.get_secret_value() == "canary-token"
