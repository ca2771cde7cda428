"""Wrong settings are refused with what would be right."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from opsync_linear import Linear
from tests.plugins.linear.conftest import settings


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"base_url": "http://proxy.corp.example"}, "in the clear"),
        ({"base_url": "https://me:pw@api.linear.app"}, "carries a user"),
        ({"base_url": ""}, "names no host"),
        ({"token": " \n"}, "must not be empty"),
        ({"page_size": 251}, "less than or equal to 250"),
        ({"team": ["GRO"]}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_settings_are_refused_with_the_reason(
    changes: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        settings(**changes)


def test_a_token_never_shows_and_loses_the_line_end_of_its_file() -> None:
    made = settings(token="lin_api_canary\n")

    assert "canary" not in repr(made) + repr(Linear.policy("linear", made))
    assert Linear.policy("linear", made).headers["Authorization"] == "lin_api_canary"


def test_a_test_server_on_this_machine_may_be_asked_in_the_clear() -> None:
    assert settings(base_url="http://127.0.0.1:8080/linear/").base_url.endswith("/linear")
