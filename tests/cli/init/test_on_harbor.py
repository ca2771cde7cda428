"""`opsync init` on Harbor: what it finds, what rights it misses, and that it only reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from opsync.cli.root import run
from opsync.config import build
from opsync.sandbox import launch
from opsync.sandbox.client import SandboxClient
from tests.cli.init.conftest import Init, Said

CLOUD = "5e1f0c6a-0000-4000-8000-00000000ba12"
"""The id of the simulated site."""
VENDORS = ("jira", "linear", "notion", "posthog")
NONE_WRONG: dict[str, Any] = {"read_only": False, "refuse_token": False, "missing_scopes": []}


@pytest.fixture(scope="module")
def running() -> Iterator[str]:
    with launch.harbor() as url:
        yield url


@pytest.fixture
def harbor(running: str) -> Iterator[str]:
    """The sandbox's address; its faults are gone after the test."""
    yield running
    for vendor in VENDORS:
        break_(running, vendor, **NONE_WRONG)


def break_(url: str, vendor: str, **faults: object) -> None:
    answer = httpx.post(f"{url}/_sandbox/fault", json={"vendor": vendor, **faults})
    assert answer.status_code == 200, answer.text


def writes(url: str) -> dict[str, int]:
    with SandboxClient(url) as client:
        return {name: one["write_requests"] for name, one in client.state().items()}


@dataclass(frozen=True)
class Walk:
    """One run, and how many write requests each tool had answered before and after it."""

    url: str
    init: Init
    said: Said
    written_before: dict[str, int]
    written_after: dict[str, int]


def by_hand(url: str) -> tuple[str, ...]:
    """Options that connect the sandbox's Jira as a token with scopes has it."""
    site = ("--jira", launch.JIRA_SITE, "--jira-email", launch.JIRA_EMAIL)
    return (*site, "--jira-api", f"{url}/jira/ex/jira/{CLOUD}")


@pytest.fixture(
    scope="module",
    params=[pytest.param(False, marks=pytest.mark.slow), True],
    ids=["full", "read-only"],
)
def walk(
    request: pytest.FixtureRequest, running: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walk]:
    """`opsync init --sandbox`, with tokens that may do all and with some that may only read."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("OPSYNC_")]:
            patch.delenv(name)
        init = Init(tmp_path_factory.mktemp("walk"), patch)
        patch.chdir(init.folder)
        for vendor in VENDORS:
            break_(running, vendor, read_only=request.param)
        before = writes(running)
        said = init.alone("--sandbox", running, "--mode", "apply", "--no-look")
        yield Walk(running, init, said, before, writes(running))
        for vendor in VENDORS:
            break_(running, vendor, **NONE_WRONG)


def test_a_running_sandbox_is_connected_without_a_question_or_a_token_in_the_file(
    walk: Walk,
) -> None:
    assert walk.said.code == 0, walk.said.text
    raw = walk.init.written()
    assert set(raw["instances"]) == {"jira-main", "linear", "notion", "posthog"}
    assert not any("token" in block for block in raw["instances"].values())
    config = build(raw, path=walk.init.folder / "opsync.toml")
    assert set(config.secrets) == set(launch.TOKENS.values())
    assert {config.instances[n].settings.model_dump()["base_url"] for n in config.instances} == {
        f"{walk.url}/{vendor}" for vendor in VENDORS
    }
    assert "open nothing else" in walk.said.text
    assert not any(token in walk.said.text for token in launch.TOKENS.values())


def test_what_it_finds_out_about_harbor_is_what_harbor_has(walk: Walk) -> None:
    told = walk.said.text
    assert "Reads 2 of 2 projects: MOB, PAY" in told
    assert "Reads 2 of 2 teams: GRO, SEC (private)" in told
    (source,) = walk.init.written()["instances"]["notion"]["data_sources"]
    assert {key: source[key] for key in ("name", "status", "due", "owner")} == {
        "name": "Roadmap",
        "status": "Status",
        "due": "Due",
        "owner": "Owner",
    }
    assert "links: Tracked in" in told
    assert "One-tap checkout  On track" in told
    assert "First read of all: about 4" in told
    assert "flag: Flag" in told
    assert "released: Released" in told
    assert "Measures in project 1 (Harbor)" in told
    (rule,) = build(walk.init.written(), path=walk.init.folder / "opsync.toml").rules
    assert [(one.kind.value, one.property) for one in rule.metrics] == [
        ("event", "Event"),
        ("flag", "Flag"),
    ]
    assert (rule.released, rule.announce_in) == ("Released", ("posthog",))


@pytest.mark.slow
def test_it_makes_no_write_request_whatever_the_tokens_may(walk: Walk) -> None:
    assert walk.written_after == walk.written_before


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("vendor", "options", "click"),
    [
        ("jira", (), "id.atlassian.com → Security → API tokens"),
        ("linear", ("--linear",), "Security & access → Personal API keys"),
        ("notion", ("--notion", "Roadmap"), "notion.so/profile/integrations"),
    ],
)
def test_a_dead_token_ends_it_with_3_and_where_to_make_a_new_one(
    init: Init,
    harbor: str,
    monkeypatch: pytest.MonkeyPatch,
    vendor: str,
    options: tuple[str, ...],
    click: str,
) -> None:
    break_(harbor, vendor, refuse_token=True)
    if vendor == "jira":
        init.token("jira-main", launch.TOKENS["jira"])
        options = by_hand(harbor)
    else:
        init.token(vendor, launch.TOKENS[vendor])
        monkeypatch.setenv(f"OPSYNC_{vendor.upper()}__BASE_URL", f"{harbor}/{vendor}")

    said = init.alone(*options)

    assert said.code == 3, said.text
    assert list(init.folder.iterdir()) == []
    assert click in said.text
    assert launch.TOKENS[vendor] not in said.text


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("scope", "click"),
    [
        ("read:jira-work", "id.atlassian.com → Security → API tokens"),
        ("read:jira-user", "id.atlassian.com → Security → API tokens"),
        ("BROWSE_PROJECTS", "Project settings → Access → Add people"),
    ],
)
def test_a_right_to_read_jira_that_is_missing_ends_it_with_3(
    init: Init, harbor: str, scope: str, click: str
) -> None:
    init.token("jira-main", launch.TOKENS["jira"])
    break_(harbor, "jira", missing_scopes=[scope])

    said = init.alone(*by_hand(harbor))

    assert said.code == 3, said.text
    assert "is missing" in said.text
    assert click in said.text
    assert list(init.folder.iterdir()) == []


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("vendor", "options", "scope", "click"),
    [
        ("linear", ("--linear",), "read", "Personal API keys"),
        ("notion", ("--notion", "Roadmap"), "read content", "Capabilities"),
    ],
)
def test_a_right_to_read_that_is_missing_elsewhere_does_so_too(
    init: Init,
    harbor: str,
    monkeypatch: pytest.MonkeyPatch,
    vendor: str,
    options: tuple[str, ...],
    scope: str,
    click: str,
) -> None:
    init.token(vendor, launch.TOKENS[vendor])
    monkeypatch.setenv(f"OPSYNC_{vendor.upper()}__BASE_URL", f"{harbor}/{vendor}")
    break_(harbor, vendor, missing_scopes=[scope])

    said = init.alone(*options)

    assert said.code == 3, said.text
    assert click in said.text
    assert list(init.folder.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scopes", "told"),
    [
        (("write:jira-work",), "! write:jira-work"),
        (("LINK_ISSUES",), "! Link issues"),
    ],
)
def test_a_right_to_write_that_is_missing_does_not_keep_one_from_looking(
    init: Init, harbor: str, scopes: tuple[str, ...], told: str
) -> None:
    init.token("jira-main", launch.TOKENS["jira"])
    break_(harbor, "jira", missing_scopes=list(scopes))

    said = init.alone(*by_hand(harbor), "--no-look")

    assert said.code == 0, said.text
    assert told in said.text
    assert "ooking needs none" in said.text


@pytest.mark.slow
def test_people_without_their_addresses_are_told_only(
    init: Init, harbor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    init.token("notion", launch.TOKENS["notion"])
    monkeypatch.setenv("OPSYNC_NOTION__BASE_URL", f"{harbor}/notion")
    break_(harbor, "notion", missing_scopes=["user information"])

    said = init.alone("--notion", "Roadmap", "--no-look")

    assert said.code == 0, said.text
    assert "! User information" in said.text
    assert "The rest is read." in said.text


@pytest.mark.slow
def test_jiras_resolution_for_given_up_work_is_asked_about(init: Init, harbor: str) -> None:
    init.token("jira-main", launch.TOKENS["jira"])

    said = init.asked(*by_hand(harbor), "--no-look", answers=("PAY", "won't do"))

    assert said.code == 0, said.text
    assert init.settings("jira-main")["resolutions"] == {"Won't do": "canceled"}
    assert init.settings("jira-main")["projects"] == ["PAY"]


@pytest.mark.slow
def test_doctor_finds_no_fault_with_what_was_written_for_the_sandbox(
    init: Init, harbor: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init.alone("--sandbox", harbor, "--no-look").code == 0

    assert run(["sync"]) == 0
    capsys.readouterr()
    assert run(["doctor"]) == 0
    told = capsys.readouterr().out
    assert "✗" not in told
    assert '✓ roadmap: Adds up what "Tracked in" names, for 12 initiatives.' in told
