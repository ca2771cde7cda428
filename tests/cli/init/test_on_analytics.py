"""`opsync init` against the simulated analytics tools, over real HTTP: each from nothing on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from opsync.sandbox.amplitude import AmplitudeProject
from opsync.sandbox.mixpanel import MixpanelProject
from opsync.sandbox.posthog import PostHogProject
from opsync.sandbox.server import SandboxServer
from opsync.sandbox.usage import History
from opsync.sandbox.vendor import Vendor, utc_now
from tests.cli.init.conftest import Init

ENTER = ""


@dataclass(frozen=True)
class Case:
    """How one tool is connected: the options besides its name, its keys, and what is told."""

    options: tuple[str, ...]
    keys: dict[str, str]
    told: tuple[str, ...]
    wrong: str


NOBODY = History(utc_now)
"""Nothing was ever done."""
VENDORS: dict[str, Vendor] = {
    "posthog": PostHogProject(history=NOBODY),
    "amplitude": AmplitudeProject(history=NOBODY),
    "mixpanel": MixpanelProject(history=NOBODY),
}
CASES = {
    "posthog": Case(
        (),
        {"token": "phx_sandbox"},
        ("✓ query:read", "✓ annotation:write", "✓ Measures in project 1 (Harbor)"),
        "Personal API keys",
    ),
    "amplitude": Case(
        ("--analytics-project", "123456", "--analytics-zone", "Europe/Berlin"),
        {"api_key": "amplitude_sandbox_key", "secret_key": "amplitude_sandbox_secret"},
        ("✓ API key and secret key", "shows with the first write", "✓ Measures in project 123456"),
        "the project → General",
    ),
    "mixpanel": Case(
        (
            *("--analytics-project", "3141592", "--analytics-zone", "Europe/Berlin"),
            *("--analytics-user", "opsync.000000.mp-service-account"),
        ),
        {"secret": "mixpanel-sandbox-secret"},
        ("✓ Consumer", "shows with the first write", "✓ Measures in project 3141592"),
        "Service Accounts",
    ),
}


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with SandboxServer(VENDORS) as server:
        yield server.url


def connected(init: Init, url: str, name: str, keys: dict[str, str]) -> tuple[str, ...]:
    """Options for one tool at the sandbox, with its keys in the environment."""
    for setting, value in keys.items():
        init.token(name, value, setting)
    at = ("--linear", "--no-look", "--analytics", name, "--analytics-url", f"{url}/{name}")
    return (*at, *CASES[name].options)


@pytest.mark.sampled
@pytest.mark.parametrize("name", CASES)
def test_each_tool_is_connected_with_its_rights_and_nothing_is_written_to_it(
    init: Init, served: str, name: str
) -> None:
    before = VENDORS[name].write_requests

    said = init.alone(*connected(init, served, name, CASES[name].keys))

    assert said.code == 0, said.text
    for told in CASES[name].told:
        assert told in said.text, said.text
    (rule,) = init.config().rules
    assert rule.announce_in == (name,)
    assert VENDORS[name].write_requests == before
    assert not any(key in said.text for key in CASES[name].keys.values())


@pytest.mark.parametrize("name", CASES)
def test_keys_that_are_refused_end_it_with_3_and_where_to_make_others(
    init: Init, served: str, name: str
) -> None:
    wrong = dict.fromkeys(CASES[name].keys, "a-key-of-nobody")

    said = init.alone(*connected(init, served, name, wrong))

    assert (said.code, list(init.folder.iterdir())) == (3, [])
    assert CASES[name].wrong in said.text
    assert "a-key-of-nobody" not in said.text


def test_a_key_that_lists_no_projects_measures_the_one_that_is_named(
    init: Init, served: str
) -> None:
    VENDORS["posthog"].faults.missing_scopes = {"project:read"}
    try:
        options = connected(init, served, "posthog", CASES["posthog"].keys)
        said = init.alone(*options, "--analytics-project", "1")
    finally:
        VENDORS["posthog"].faults.missing_scopes = set()

    assert said.code == 0, said.text
    assert "! project:read" in said.text
    assert "✓ Measures in project 1" in said.text
