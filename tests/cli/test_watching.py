"""What goes wrong in silence, on screens; and whether those are told who should hear."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, get_args

import httpx
import pytest

import opsync.http.pool
from opsync.cli.findings import ALARMS
from opsync.cli.statusview import SAID
from opsync.watch import Kind
from tests.cli.conftest import Company

SECRET = "T0CANARY-B0CANARY-x9y8z7"
HOOK = f"https://hooks.example/services/{SECRET}"


def age(company: Company, hours: float, connection: str = "work") -> None:
    """Let so much time have passed since a connection was read."""
    at = (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="microseconds")
    with closing(sqlite3.connect(company.folder / "opsync.db")) as store, store:
        store.execute("UPDATE cursors SET completed_at = ? WHERE instance = ?", (at, connection))


def configure(company: Company, text: str) -> None:
    path = company.folder / "opsync.toml"
    path.write_text(path.read_text() + text)


def test_status_and_doctor_turn_red_when_nobody_ran_it(synced: Company) -> None:
    """Trouble 4"""
    age(synced, 1.9)
    assert "● healthy" in synced.opsync("status").out
    assert synced.opsync("doctor").code == 0
    age(synced, 3)
    status = synced.opsync("status")
    assert "✗ work out of date" in status.out
    assert "work ✗ 3 h" in status.out
    assert (
        "! work, for 3 h: was not read to its end; it should be every 2 hours. "
        "Run opsync sync, and see that its schedule still runs." in status.lines
    )
    found = synced.opsync("status", "--json").json
    assert found["healthy"] is False
    assert [one["state"] for one in found["connections"]] == ["ok", "out of date"]
    (alarm,) = found["alarms"]
    assert (alarm["kind"], alarm["connection"], alarm["state"]) == ("out of date", "work", "fail")
    doctor = synced.opsync("doctor")
    assert doctor.code == 1
    at = doctor.lines.index("watch")
    assert doctor.lines[at + 1].startswith("  ✗ Freshness: work: was not read to its end")


def test_sync_names_what_it_was_not_to_read(synced: Company) -> None:
    age(synced, 3)
    result = synced.opsync("sync", "--only", "roadmap")
    assert result.code == 1
    assert any(line.startswith("! work: was not read to its end;") for line in result.lines)
    assert synced.opsync("sync").code == 0


def test_a_plan_names_it_and_answers_for_itself(synced: Company) -> None:
    age(synced, 3)
    result = synced.opsync("plan", "--only", "roadmap")
    assert result.code == 0
    assert "! work: was not read to its end;" in result.out


def test_fewer_items_than_announced_end_a_run_with_1_until_all_come(synced: Company) -> None:
    synced.edit("work", lambda state: state.update(announces=8))
    assert synced.opsync("sync").code == 0  # not everything is read
    result = synced.opsync("sync", "--full")
    assert result.code == 1
    said = "work: 6 of 8 items came that it announced (all)"
    assert said in result.out
    assert synced.opsync("sync", "--only", "roadmap").code == 1
    assert "✗ work not complete" in synced.opsync("status").out
    synced.edit("work", lambda state: state.update(announces=6))
    assert synced.opsync("sync", "--full").code == 0
    assert synced.opsync("status", "--json").json["alarms"] == []


def test_a_token_that_expires_is_a_warning_and_doctor_still_ends_with_0(synced: Company) -> None:
    day = (datetime.now(UTC) + timedelta(days=7)).date()
    configure(synced, f"token_expires = {day}\n")
    assert f"! work: its token expires on {day}. Make a new one" in synced.opsync("status").out
    assert "● healthy" in synced.opsync("status").out
    result = synced.opsync("doctor")
    assert result.code == 0
    assert f"  ! Token: work: its token expires on {day}." in result.lines


def test_an_owner_who_left_is_counted(synced: Company) -> None:
    owner = {"id": "u1", "name": "Ana Reyes", "email": "ana@work.example", "active": False}
    synced.edit("roadmap", lambda state: state["items"][0].update(owner=owner))
    synced.opsync("sync")
    status = synced.opsync("status")
    assert "1 owner left: opsync look" in status.out
    assert "who left" not in status.out + synced.opsync("sync").out
    alarms = synced.opsync("status", "--json").json["alarms"]
    assert [(one["kind"], one["what"]) for one in alarms] == [
        ("owners", "1 open item has an owner who left")
    ]


def test_doctor_says_whether_anybody_would_hear(
    synced: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = synced.opsync("doctor")
    assert "  ! Alerts: Nobody is told when something goes wrong." in result.lines
    assert "OPSYNC_ALERTS__WEBHOOK" in result.out
    assert result.code == 0, "advice, and no fault"
    synced.configure(mode="observe")
    assert "  ✓ Alerts: Nobody is told" in synced.opsync("doctor").out, "nothing is written yet"
    synced.configure()
    monkeypatch.setenv("OPSYNC_ALERTS__WEBHOOK", HOOK)
    result = synced.opsync("doctor")
    assert "  ✓ Alerts: Alarms go to the webhook. To try it: opsync alerts test" in result.lines
    assert SECRET not in result.out + result.err


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would leave by HTTP; a status to answer may be put in front."""
    found: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if found and isinstance(found[0], int):
            return httpx.Response(found[0], text=f"unknown: {request.url}")
        found.append((str(request.url), json.loads(request.content)))
        return httpx.Response(200, text="ok")

    pool = partial(opsync.http.pool.Pool, transport=httpx.MockTransport(answer))
    monkeypatch.setattr(opsync.http.pool, "Pool", pool)
    return found


def test_a_test_message_is_sent_in_the_style_that_is_configured(
    synced: Company, monkeypatch: pytest.MonkeyPatch, sent: list[Any]
) -> None:
    monkeypatch.setenv("OPSYNC_ALERTS__WEBHOOK", HOOK)
    result = synced.opsync("alerts", "test", "--json")
    assert (result.code, result.json) == (0, {"sent": True, "why": ""})
    monkeypatch.setenv("OPSYNC_ALERTS__STYLE", "slack")
    assert synced.opsync("alerts", "test").code == 0
    (url, message), (_, slack) = sent
    assert url == HOOK
    assert message["text"] == "opsync: a test. Alerts arrive here."
    assert slack == {"text": message["text"]}


@pytest.mark.parametrize("args", [(), ("--json",), ("--log", "debug")])
def test_a_webhook_that_does_not_take_it_is_told_without_its_address(
    synced: Company, monkeypatch: pytest.MonkeyPatch, sent: list[Any], args: tuple[str, ...]
) -> None:
    monkeypatch.setenv("OPSYNC_ALERTS__WEBHOOK", HOOK)
    sent.insert(0, 404)
    result = synced.opsync("alerts", "test", *args)
    assert result.code == 1
    assert "the address of alerts.webhook answered 404" in result.out
    assert SECRET not in result.out + result.err


def test_without_a_webhook_there_is_nothing_to_try(synced: Company) -> None:
    result = synced.opsync("alerts", "test")
    assert result.code == 2
    assert "OPSYNC_ALERTS__WEBHOOK" in result.err


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ('[alerts]\nwebhook = "ftp://hooks.example/CANARY"', "alerts.webhook: no address"),
        ('[alerts]\nalive = "http://hooks.example/CANARY"', "alerts.alive: no address"),
        ('[alerts]\nwebhook = "https://169.254.169.254/CANARY"', "alerts.webhook: no address"),
        ('[alerts]\nwebhook = "https://a:CANARY@hooks.example/"', "alerts.webhook: no address"),
        ('[alerts]\nwebhook = "CANARY"', "alerts.webhook: no address"),
        ('[alerts]\nwebhook = "https://h.example/CANARY#x"', "alerts.webhook: no address"),
        ('[alerts]\nstyle = "mail"', "alerts.style: input should be 'json' or 'slack'"),
        ('[watch]\nfresh_within = "2 hours"', "watch.fresh_within: write minutes, hours or days"),
        ("[watch]\nfresh_within = 7200", "watch.fresh_within: write minutes, hours or days"),
        ('[watch]\nfresh_within = "0h"', "watch.fresh_within: write minutes, hours or days"),
    ],
)
def test_what_is_wrong_in_the_blocks_is_one_line(company: Company, block: str, said: str) -> None:
    configure(company, f"\n{block}\n")
    result = company.opsync("config", "check")
    assert result.code == 2
    (line,) = result.err.splitlines()
    assert line.startswith(f"error: {said}")
    assert "CANARY" not in line


def test_an_address_may_stand_in_a_secret_file(
    company: Company, monkeypatch: pytest.MonkeyPatch, sent: list[Any]
) -> None:
    secrets = company.folder / "secrets"
    secrets.mkdir()
    (secrets / "opsync_alerts__webhook").write_text(f"{HOOK}\n")
    monkeypatch.setenv("OPSYNC_SECRETS_DIR", str(secrets))
    configure(company, '\n[alerts]\nwebhook = "https://file.example/of-the-configuration"\n')
    assert company.opsync("alerts", "test").code == 0
    monkeypatch.setenv("OPSYNC_ALERTS__WEBHOOK", "https://env.example/of-the-environment")
    assert company.opsync("alerts", "test").code == 0
    assert [url for url, _ in sent] == [HOOK, "https://env.example/of-the-environment"]
    result = company.opsync("config", "show")
    assert "alerts.webhook\t**********\tenvironment OPSYNC_ALERTS__WEBHOOK" in result.lines


def test_config_hides_the_addresses_and_warns_of_them_in_the_file(company: Company) -> None:
    configure(company, f'\n[alerts]\nwebhook = "{HOOK}"\n[watch]\nfresh_within = "90m"\n')
    shown = company.opsync("config", "show")
    assert "watch.fresh_within\t90m\tfile" in shown.lines
    assert "alerts.webhook\t**********\tfile" in shown.lines
    checked = company.opsync("config", "check")
    assert checked.code == 0
    assert "OPSYNC_ALERTS__WEBHOOK" in checked.out
    assert SECRET not in shown.out + checked.out + company.opsync("config", "show", "--json").out


def test_each_kind_of_alarm_has_its_words_in_status_and_doctor() -> None:
    kinds = set(get_args(Kind))
    assert set(SAID) == kinds
    assert set(ALARMS) == kinds
