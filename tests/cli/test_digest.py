"""`opsync digest`: Markdown to pass on, JSON for programs, and sent where it should go."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial

import httpx
import pytest

from opsync.engine.digestwords import LINES
from opsync.engine.session import open_session
from opsync.store import hold
from tests.cli.conftest import Company

HOOK = "https://hooks.slack.example/services/T0/s3cret-path"


def test_it_prints_markdown_that_pipes_well(synced: Company) -> None:
    synced.move("PAY-118", "done")
    synced.opsync("sync")

    found = synced.opsync("digest")

    assert found.code == 0
    assert 1 < len(found.lines) <= LINES
    assert found.lines[0].startswith("**The week to ")
    item = "[One-tap checkout](https://toy.example/roadmap/checkout)"
    assert found.lines[1] == f"- **Moved:** {item} 1 of 2 → 2 of 2, now done"
    assert "\x1b" not in found.out


def test_it_is_told_of_a_team_and_of_several_weeks(synced: Company) -> None:
    shown = synced.opsync("digest", "--team", "nobody")
    assert shown.code == 2
    assert 'no team "nobody"' in shown.err
    found = synced.opsync("digest", "--weeks", "4").lines
    assert found[0].startswith("**The 4 weeks to ")
    assert synced.opsync("digest", "--weeks", "0").code == 2


def test_programs_get_the_week_and_its_lines(synced: Company) -> None:
    found = synced.opsync("digest", "--json").json
    assert found["week"]["initiatives"] == 3
    assert found["sent"] == {"to": "-", "why": ""}
    assert [one["label"] for one in found["lines"]][1] == "Moved"
    assert found["week"]["known_since"] is not None


def test_without_a_store_it_says_what_comes_first(company: Company) -> None:
    found = company.opsync("digest")
    assert found.code == 5
    assert "opsync sync" in found.err


def test_without_a_webhook_it_says_what_to_set(synced: Company) -> None:
    found = synced.opsync("digest", "--to", "slack")
    assert found.code == 2
    assert "OPSYNC_SERVICE__DIGEST__SLACK_WEBHOOK" in found.err


@pytest.mark.parametrize("status", [200, 410])
def test_it_is_posted_to_slack_or_says_why_not(
    synced: Company, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    posted: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        posted.append(json.loads(request.content)["text"])
        return httpx.Response(status, text=f"no such hook: {request.url}")

    simulated = partial(open_session, transport=httpx.MockTransport(answer))
    monkeypatch.setattr("opsync.cli.digest.open_session", simulated)
    monkeypatch.setenv("OPSYNC_SERVICE__DIGEST__SLACK_WEBHOOK", HOOK)

    found = synced.opsync("digest", "--to", "slack")

    assert posted[0].startswith("*The week to ")
    assert found.code == (0 if status == 200 else 1)
    assert ("Sent to Slack" in found.out) is (status == 200)
    assert ("service.digest.slack_webhook answered 410" in found.out) is (status == 410)
    as_json = synced.opsync("digest", "--to", "slack", "--json")
    assert bool(as_json.json["sent"]["why"]) is (status == 410)
    assert "s3cret-path" not in found.out + found.err + as_json.out


def test_a_message_goes_out_beside_a_run_and_a_page_waits_for_it(
    synced: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated = partial(
        open_session, transport=httpx.MockTransport(lambda request: httpx.Response(200))
    )
    monkeypatch.setattr("opsync.cli.digest.open_session", simulated)
    monkeypatch.setenv("OPSYNC_SERVICE__DIGEST__SLACK_WEBHOOK", HOOK)
    with hold(synced.folder / "opsync.db", "sync", datetime.now(UTC)):
        assert synced.opsync("digest").code == 0
        assert synced.opsync("digest", "--to", "slack").code == 0
        assert synced.opsync("digest", "--to", "notion").code == 4


def test_a_page_wants_a_connection_that_can_write_it(
    synced: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSYNC_SERVICE__DIGEST__NOTION_PAGE", "https://notion.example/x")
    found = synced.opsync("digest")
    assert found.code == 2
    assert "service.digest.notion: missing; name one of: roadmap, work" in found.err
    monkeypatch.setenv("OPSYNC_SERVICE__DIGEST__NOTION", "wark")
    assert 'no instance "wark"' in synced.opsync("digest").err


@pytest.fixture
def paged(synced: Company, monkeypatch: pytest.MonkeyPatch) -> Company:
    """With a page for the digest."""
    monkeypatch.setenv("OPSYNC_SERVICE__DIGEST__NOTION_PAGE", "https://notion.example/week")
    monkeypatch.setenv("OPSYNC_SERVICE__DIGEST__NOTION", "roadmap")
    return synced


def part(company: Company) -> list[str]:
    """What stands on the page."""
    found = company.read("roadmap").get("pages", {}).get("https://notion.example/week digest", [])
    return [str(text) for text in found]


def test_it_is_put_on_a_page_owned_and_released(paged: Company) -> None:
    assert paged.opsync("digest", "--to", "notion").code == 0
    assert part(paged)[0] == "Digest of the week"
    assert part(paged)[1].startswith("The week to ")
    line = "roadmap: digest, a part of a page (written 1 time): https://notion.example/week"
    assert line in paged.opsync("owned").lines
    assert line not in paged.opsync("owned", "--connection", "work").lines

    dry = paged.opsync("release", "--all", "--remove", "--dry-run", "--json").json
    assert dry["pages"] == [{"connection": "roadmap", "part": "digest", "why": ""}]
    assert part(paged)
    assert paged.opsync("release", "--connection", "work", "--remove", "--json").json["pages"] == []

    done = paged.opsync("release", "--all", "--remove")
    assert "digest: taken off its page in roadmap" in done.out
    assert part(paged) == []
    assert "part of a page" not in paged.opsync("owned").out


def test_what_cannot_be_taken_away_is_told(paged: Company) -> None:
    paged.opsync("digest", "--to", "notion")
    paged.fail("roadmap", "writes")
    found = paged.opsync("release", "--connection", "roadmap", "--remove")
    assert found.code == 1
    assert "digest: stays on its page in roadmap: Toy is full." in found.out
    assert part(paged)


def test_released_to_people_it_stays(paged: Company) -> None:
    paged.opsync("digest", "--to", "notion")
    assert paged.opsync("release", "--all", "--keep").code == 0
    assert part(paged)
    assert paged.opsync("release", "--all", "--remove", "--json").json["pages"] == []


def test_a_pause_keeps_it_off_the_page(paged: Company) -> None:
    paged.opsync("pause", "roadmap")
    found = paged.opsync("digest", "--to", "notion")
    assert found.code == 1
    assert "writes through roadmap are paused by" in found.out
    assert part(paged) == []


def test_a_secret_file_holds_the_webhook(synced: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = synced.folder / "secrets"
    folder.mkdir(mode=0o700)
    (folder / "OPSYNC_SERVICE__DIGEST__SLACK_WEBHOOK").write_text(f"{HOOK}\n", encoding="utf-8")
    monkeypatch.setenv("OPSYNC_SECRETS_DIR", str(folder))
    posted: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        posted.append(str(request.url))
        return httpx.Response(200)

    simulated = partial(open_session, transport=httpx.MockTransport(answer))
    monkeypatch.setattr("opsync.cli.digest.open_session", simulated)
    assert synced.opsync("digest", "--to", "slack").code == 0
    assert posted == [HOOK]


def test_a_webhook_in_the_file_is_pointed_out(synced: Company) -> None:
    path = synced.folder / "opsync.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(f'{text}\n[service.digest]\nslack_webhook = "{HOOK}"\n', encoding="utf-8")
    found = synced.opsync("config", "check")
    assert "keep it in OPSYNC_SERVICE__DIGEST__SLACK_WEBHOOK" in found.out + found.err
    shown = synced.opsync("config", "show")
    assert "s3cret-path" not in found.out + found.err + shown.out
