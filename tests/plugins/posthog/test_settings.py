"""Wrong settings are refused with what would be right."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from opsync_posthog import PostHog, PostHogSettings, register_connectors

SECRET = "phx_a-secret-of-this-test"


def settings(**changes: Any) -> PostHogSettings:
    fitting: dict[str, Any] = {"connector": "posthog", "token": SECRET, "project": "1"}
    return PostHogSettings(**(fitting | changes))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"project": ""}, "project/"),
        ({"project": "Harbor"}, "project/"),
        ({"project": "https://us.posthog.com/insights/x"}, "project/"),
        ({"project": "-1"}, "project/"),
        ({"project": "²"}, "project/"),
        ({"region": "asia"}, "region"),
        ({"base_url": "posthog"}, "base_url"),
        ({"token": " "}, "token"),
        ({"time_zone": "Berlin"}, "Europe/Berlin"),
        ({"time_zone": "../etc"}, "Europe/Berlin"),
        ({"queries_per_hour": 0}, "queries_per_hour"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says) as refused:
        settings(**changes)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "project",
    ["12345", " 12345 ", "https://us.posthog.com/project/12345/insights", "012345"],
)
def test_a_project_is_named_by_its_id_or_any_address_in_it(project: str) -> None:
    assert settings(project=project).project == "12345"


@pytest.mark.parametrize(
    ("changes", "address"),
    [
        ({}, "https://us.posthog.com"),
        ({"region": "eu"}, "https://eu.posthog.com"),
        ({"region": "eu", "base_url": "https://hog.example/"}, "https://hog.example"),
    ],
)
def test_the_region_or_the_own_address_says_where_it_is(
    changes: dict[str, Any], address: str
) -> None:
    assert settings(**changes).address == address
    assert PostHog.policy("posthog", settings(**changes)).base_url == address


def test_the_key_is_in_no_text_and_in_the_header_only() -> None:
    policy = PostHog.policy("posthog", settings())
    assert SECRET not in repr(settings())
    assert SECRET not in repr(policy)
    assert policy.headers["Authorization"] == f"Bearer {SECRET}"


def test_two_keys_of_one_project_share_its_limits_and_two_projects_do_not() -> None:
    one, same, other = (
        PostHog.policy("x", settings(token=token, project=project)).credential
        for token, project in (("phx_a", "1"), ("phx_b", "1"), ("phx_a", "2"))
    )
    assert one == same != other


def test_the_limits_are_posthog_s_with_few_queries_for_older_projects() -> None:
    limits = PostHog.policy("x", settings()).limits
    told = {(one.name, one.window_s): one.per_window for one in limits}
    assert told == {
        ("query", 60): 240,
        ("query", 3600): 120,
        ("analytics", 60): 240,
        ("analytics", 3600): 1200,
        ("crud", 60): 480,
        ("crud", 3600): 4800,
    }
    assert PostHog.policy("x", settings()).max_concurrent == 3


def test_the_plugin_brings_one_connector() -> None:
    assert list(register_connectors()) == [PostHog]
