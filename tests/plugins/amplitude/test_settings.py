"""An instance's settings: what is refused, and what follows from them."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from pydantic import ValidationError

from opsync_amplitude import Amplitude
from tests.plugins.amplitude.conftest import settings


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"project": "harbor"}, "project"),
        ({"project": ""}, "project"),
        ({"region": "in"}, "region"),
        ({"api_key": " "}, "must not be empty"),
        ({"secret_key": ""}, "must not be empty"),
        ({"time_zone": "Berlin"}, "no time zone"),
        ({"time_zone": "../etc/passwd"}, "no time zone"),
        ({"base_url": "http://amplitude.example"}, "in the clear"),
        ({"token": "x"}, "token"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(**changes)


@pytest.mark.parametrize(
    ("changes", "api", "management", "hosts"),
    [
        (
            {},
            "https://amplitude.com",
            "https://experiment.amplitude.com",
            {"experiment.amplitude.com"},
        ),
        (
            {"region": "eu"},
            "https://analytics.eu.amplitude.com",
            "https://experiment.eu.amplitude.com",
            {"experiment.eu.amplitude.com"},
        ),
        (
            {"base_url": "http://127.0.0.1:8790/amplitude/"},
            "http://127.0.0.1:8790/amplitude",
            "http://127.0.0.1:8790/amplitude",
            set(),
        ),
    ],
)
def test_each_region_has_its_hosts(
    changes: dict[str, Any], api: str, management: str, hosts: set[str]
) -> None:
    given = settings(**changes)
    policy = Amplitude.policy("amplitude", given)
    assert (given.address, given.experiment_url) == (api, management)
    assert (policy.base_url, set(policy.extra_hosts)) == (api, hosts)


def test_the_key_pair_is_sent_by_basic_authentication() -> None:
    policy = Amplitude.policy("amplitude", settings(api_key="key\n", secret_key=" secret"))
    assert policy.headers["Authorization"] == f"Basic {b64encode(b'key:secret').decode()}"
    assert "secret" not in policy.credential


def test_the_limits_are_those_that_amplitude_documents() -> None:
    policy = Amplitude.policy("amplitude", settings())
    limits = {(one.name, one.window_s): one.per_window for one in policy.limits}
    assert limits == {
        ("cost", 300.0): 1_000,
        ("cost", 3600.0): 108_000,
        ("management", 1.0): 100,
        ("management", 86_400.0): 100_000,
    }
    assert policy.max_concurrent <= 5


def test_no_secret_is_shown() -> None:
    given = settings(management_key="plainly-fake-management")
    assert "sandbox_secret" not in repr(given)
    assert "plainly-fake-management" not in repr(given)
    assert "Basic" not in repr(Amplitude.policy("amplitude", given))
