"""What `opsync look` says of Harbor on the first day, with tokens that may only read."""

from __future__ import annotations

import json
import logging
import random
import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from typing import Any

import pytest
import structlog

from opsync.cli.root import run
from opsync.engine.session import open_session
from opsync.runtime import Runtime
from opsync.sandbox.harbor import (
    EXPECTED,
    IN_PROGRESS,
    WITHOUT_INITIATIVE,
    Harbor,
    build_harbor,
)
from tests.scenarios.conftest import to_toml
from tests.support.clock import FakeClock
from tests.support.company import ADDRESS, Company, Wire, settings


@dataclass(frozen=True)
class Looked:
    """Harbor, and what three looks at it printed."""

    harbor: Harbor
    company: Company
    codes: tuple[int, ...]
    screen: str
    document: str
    json: Any

    @property
    def outputs(self) -> tuple[str, str, str]:
        return self.screen, self.document, json.dumps(self.json, ensure_ascii=False)

    def found(self, *kinds: str) -> dict[str, tuple[str, str]]:
        """What people say and what is measured of these kinds, by title."""
        return {
            one["item"]["title"]: (one["says"], one["measured"])
            for one in self.json["look"]["disagreements"]
            if one["kind"] in kinds
        }


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Looked:
    """Three looks, each a command of its own; every rule is configured to write."""
    folder = tmp_path_factory.mktemp("harbor")
    clock = FakeClock(datetime(2026, 11, 22, 12, tzinfo=UTC))
    harbor = build_harbor(now=clock.now)
    company = Company.of(harbor, folder, clock)
    for vendor in company.vendors.values():
        vendor.faults.read_only = True
    raw = settings(ADDRESS, company.store, company.data_source)
    text = to_toml(raw) + '\nproperties = ["Tracked in"]\n'
    (folder / "opsync.toml").write_text(text, encoding="utf-8")
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    printed, codes = [], []
    with pytest.MonkeyPatch.context() as patch:
        runtime = Runtime(clock=clock, rng=random.Random(7))
        simulated = partial(open_session, transport=Wire(company.vendors), runtime=runtime)
        patch.setattr("opsync.cli.onepass.open_session", simulated)
        patch.setattr("opsync.cli.look.SystemClock", lambda: clock)
        for how in ([], ["--markdown"], ["--json"]):
            with redirect_stdout(StringIO()) as out:
                codes.append(run(["look", "--config", str(folder / "opsync.toml"), *how]))
            printed.append(out.getvalue())
            company.tick()
    structlog.reset_defaults()
    logger.handlers = handlers
    logger.setLevel(level)
    screen, document, text = printed
    return Looked(harbor, company, tuple(codes), screen, document, json.loads(text))


def test_it_writes_nothing_and_needs_no_token_that_may(looked: Looked) -> None:
    assert looked.codes == (0, 0, 0)
    assert {name: writes for name, (_, writes) in looked.company.requests().items()} == {
        "jira": 0,
        "linear": 0,
        "notion": 0,
        "posthog": 0,
    }
    assert "0 writes: nothing was changed in any tool" in looked.screen


def test_it_finds_exactly_what_contradicts(looked: Looked) -> None:
    assert looked.found("status") == {
        "One-tap checkout": ("On track", "60 % done, 3 blocked, due in 9 days"),
        "SSO for teams": ("In progress", "all 18 done for 16 days"),
        "Offline mode": ("On track", "6 days overdue"),
    }
    assert looked.found("status").keys() == {t for t, c in EXPECTED.items() if c.disagrees}


def test_it_finds_exactly_the_initiatives_without_work(looked: Looked) -> None:
    assert looked.found("initiative_without_work") == {
        "Referral programme": ("Not started", "no linked work"),
        "Warehouse export": ("Not started", "no linked work"),
    }


@pytest.mark.slow
def test_it_finds_how_much_is_in_progress_without_an_initiative(looked: Looked) -> None:
    share = looked.json["look"]["in_progress"]
    assert looked.json["look"]["work"]["in_progress"] == IN_PROGRESS
    assert (share["without"], share["total"]) == (WITHOUT_INITIATIVE, IN_PROGRESS)
    assert sum(one["without"] for one in share["spaces"]) == WITHOUT_INITIATIVE
    assert sum(one["total"] for one in share["spaces"]) == IN_PROGRESS
    assert looked.json["look"]["work"]["in_progress"] == IN_PROGRESS
    assert f"{IN_PROGRESS} of them in progress" in looked.screen


@pytest.mark.parametrize("kind", ["link_on_one_side", "done_with_open_parts", "owner_left"])
def test_of_other_kinds_harbor_has_none(looked: Looked, kind: str) -> None:
    assert kind not in looked.json["look"]["counts"]
    assert kind not in {one["kind"] for one in looked.json["look"]["disagreements"]}


def test_everything_is_seen_and_said_so(looked: Looked) -> None:
    assert looked.json["look"]["unseen"] == []
    assert "Not everything is seen" not in looked.screen + looked.document


def test_it_tells_what_write_access_would_add(looked: Looked) -> None:
    told = {(x["tool"], x["place"], x["kind"]): x for x in looked.json["look"]["would_add"]}
    assert told["Notion", "Delivery", "page"]["items"] == len(EXPECTED)
    assert told["Jira", "Roadmap link", "epic"]["items"] == 8
    assert told["Linear", "Roadmap link", "project"]["items"] == 8
    assert "Roadmap link on 8 epics" in looked.screen
    assert "tokens that may write, then opsync sync" in looked.screen


def test_the_screen_has_the_worst_first_and_fits(looked: Looked) -> None:
    lines = looked.screen.splitlines()
    rows = [line.split()[0] for line in lines if re.search(r"  (On track|In prog|Not st)", line)]
    assert rows == ["Offline", "One-tap", "SSO", "Referral", "Warehouse"]
    assert "12 initiatives" in looked.screen
    assert f"{WITHOUT_INITIATIVE} of {IN_PROGRESS}" in looked.screen
    assert len(lines) <= 30


def test_private_titles_appear_in_no_output(looked: Looked) -> None:
    harbor = looked.harbor
    secret = {i.title for i in harbor.linear.issues.values() if i.team.key == "SEC"}
    secret |= {i.summary for i in harbor.jira.issues.values() if i.security}
    secret |= {"Fraud signals", "SEC-"}
    assert "Payout bank details" in secret
    assert len(secret) > 10
    for output in looked.outputs:
        assert not [title for title in secret if title in output]
    assert "private (Linear)" in looked.screen


def test_no_secret_is_in_any_output(looked: Looked) -> None:
    for output in looked.outputs:
        for token in ("sandbox-jira-token", "lin_api_sandbox", "ntn_sandbox"):
            assert token not in output


def test_the_document_says_the_same(looked: Looked) -> None:
    assert "| 60 % done, 3 blocked, due in 9 days |" in looked.document
    page = looked.harbor.pages["Offline mode"]
    assert f"[Offline mode]({page.url})" in looked.document
    assert f"{WITHOUT_INITIATIVE} of {IN_PROGRESS}" in looked.document
    tables = [line for line in looked.document.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {5, 3}


def test_one_disagreement_comes_with_the_work_that_shows_it(looked: Looked) -> None:
    (one,) = [
        x
        for x in looked.json["look"]["disagreements"]
        if x["item"] and x["item"]["title"] == "One-tap checkout"
    ]
    assert (one["done"], one["total"]) == (12, 20)
    told = [(x["item"]["key"], x["text"]) for x in one["evidence"]]
    assert told[0] == ("", 'says "On track"')
    assert {"PAY-110", "PAY-111", "GRO-48"} == {key for key, text in told if "blocked" in text}
    assert all(x["read_at"] for x in one["evidence"])
