"""The settings of a Mixpanel instance."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from tests.plugins.mixpanel.world import settings


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us", "https://mixpanel.com"),
        ("eu", "https://eu.mixpanel.com"),
        ("in", "https://in.mixpanel.com"),
    ],
)
def test_a_region_is_a_host(region: str, host: str) -> None:
    made = settings(region=region)

    assert (made.address, made.pages) == (host, (host,))


def test_another_address_goes_before_the_regions() -> None:
    made = settings(region="eu", base_url="https://gate.example/mixpanel/")

    assert made.address == "https://gate.example/mixpanel"
    assert made.pages == ("https://eu.mixpanel.com", "https://gate.example/mixpanel")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"project": 0}, "greater than 0"),
        ({"project": "harbor"}, "valid integer"),
        ({"region": "mars"}, "'us', 'eu' or 'in'"),
        ({"time_zone": "Mars/Olympus"}, "is no time zone"),
        ({"time_zone": "../etc/passwd"}, "is no time zone"),
        ({"time_zone": "Europe"}, "is no time zone"),
        ({"secret": " "}, "must not be empty"),
        ({"username": ""}, "at least 1 character"),
        ({"base_url": "http://mixpanel.com"}, "https"),
        ({"queries_per_hour": 0}, "greater than 0"),
        ({"projects": [1]}, "Extra inputs"),
    ],
)
def test_what_is_wrong_is_refused_by_name(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why) as caught:
        settings(**changes)
    assert caught.value.errors()[0]["loc"][0] == next(iter(changes))


def test_the_secret_is_not_shown() -> None:
    assert "mixpanel-sandbox-secret" not in repr(settings())
